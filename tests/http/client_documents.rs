//! Apps that are known by a document on their own site: fetched, believed for a while, and never more than it says.

use std::time::Duration;

use serde_json::{Value, json};

use crate::actors::{Answer, App, Browser, Wallet};
use crate::site::{Page, Site, authority};
use crate::world::{REDIRECT_URI, World};
use crate::{on_both, on_one};

fn document(id: &str) -> Value {
    json!({ "client_id": id, "client_name": "Doc App", "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none" })
}

async fn auth(world: &World, id: &str) -> Answer {
    Browser::new(world).auth(&App::public(world, id).request()).await
}

// Whether a sign-in began.
fn begins(answer: &Answer) -> bool {
    answer.status == 303 && answer.location().starts_with("/interaction/")
}

on_both!(
    an_app_is_known_by_its_document,
    [("REGISTRATION_CLIENT_ID_DOCUMENTS", "true"), ("EGRESS_EXTRA_CA_FILE", authority()), ("EGRESS_ALLOW_PRIVATE_NETWORKS", "true")],
    |world| {
        let site = Site::open();
        let id = site.url("/client");
        site.put("/client", Page::json(&document(&id)));
        let (app, browser, wallet) = (App::public(&world, &id), Browser::new(&world), Wallet::new(1));
        let discovery = browser.get("/.well-known/openid-configuration").await.json();
        assert_eq!((&discovery["client_id_metadata_document_supported"], discovery.get("registration_endpoint")), (&json!(true), None));
        let interaction = browser.begin(&app.request()).await;
        assert_eq!(browser.sign_in(&interaction, &wallet).await.status, 200);
        let page = browser.get(&interaction).await;
        let host = id.split('/').nth(2).unwrap();
        assert!(page.is_consent() && page.body.contains("not known to the people who run this site"), "{}", page.body);
        assert!(page.body.contains(&format!("<span class=\"host\">{host}</span>")), "{}", page.body);
        let code = browser.go_on(&interaction, &wallet).await.query("code").unwrap();
        let answer = app.redeem(&code).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let stored = world.state.store.client(&id.parse().unwrap()).await.unwrap().unwrap();
        assert_eq!((stored.source.as_str(), stored.sector.as_deref()), ("document", Some("localhost")));
        assert_eq!(site.asked("/client"), 1);
        // PKCE is not to be left out, and no other redirect URI is its own.
        let without = browser.auth(&app.request().without("code_challenge").without("code_challenge_method")).await;
        assert_eq!(without.query("error").as_deref(), Some("invalid_request"));
        assert!(browser.auth(&app.request().with("redirect_uri", "https://evil.example/cb")).await.is_error_page(400));
        // The operator's word ends it, whatever its site says.
        let now = world.clock.now();
        world.state.store.set_client_disabled(&id.parse().unwrap(), Some(now), now).await.unwrap();
        world.state.forget_client(&id.parse().unwrap()).await;
        assert!(auth(&world, &id).await.is_error_page(400));
        world.clock.advance(Duration::from_hours(100));
        assert!(auth(&world, &id).await.is_error_page(400));
        assert_eq!(site.asked("/client"), 1);
    }
);

on_one!(
    documents_are_not_looked_for_until_they_are_wanted,
    [("EGRESS_EXTRA_CA_FILE", authority()), ("EGRESS_ALLOW_PRIVATE_NETWORKS", "true")],
    |world| {
        let site = Site::open();
        let id = site.url("/client");
        site.put("/client", Page::json(&document(&id)));
        assert!(auth(&world, &id).await.is_error_page(400));
        assert_eq!(site.asked("/client"), 0);
        let discovery = Browser::new(&world).get("/.well-known/openid-configuration").await.json();
        assert_eq!(discovery.get("client_id_metadata_document_supported"), None);
        // One that was known while they were wanted is known no more; one that the operator made is.
        world.client(&id, |client| client.source = latchkey::store::ClientSource::Document).await;
        assert!(auth(&world, &id).await.is_error_page(400));
        world.client("https://app.example/made", |_| {}).await;
        assert!(begins(&auth(&world, "https://app.example/made").await));
    }
);

on_one!(
    what_is_no_document_of_the_app_is_refused_with_a_reason,
    [
        ("REGISTRATION_CLIENT_ID_DOCUMENTS", "true"),
        ("EGRESS_EXTRA_CA_FILE", authority()),
        ("EGRESS_ALLOW_PRIVATE_NETWORKS", "true"),
        ("LIMITS_REGISTRATIONS_PER_MINUTE", "1000")
    ],
    |world| {
        let site = Site::open();
        let id = site.url("/client");
        let with = |name: &str, value: Value| {
            let mut whole = document(&id);
            whole.as_object_mut().unwrap().insert(name.to_owned(), value);
            Page::json(&whole)
        };
        site.put("/elsewhere", Page::json(&document(&id)));
        for (page, why) in [
            (Page::json(&document(&site.url("/other"))), "own address"),
            (Page::json(&json!({ "redirect_uris": [REDIRECT_URI] })), "client_id is missing"),
            (Page::of("text/html", document(&id).to_string()), "content type"),
            (Page::of("application/json", "<html>"), "not one JSON object"),
            (Page::json(&document(&id)).status(404), "404"),
            (Page::json(&document(&id)).status(203), "203"),
            // "The authorization server MUST NOT automatically follow HTTP redirects".
            (Page::json(&document(&id)).status(302).with("location", "/elsewhere"), "302"),
            (Page::of("application/json", format!("{}{}", document(&id), " ".repeat(20_000))), "longer than"),
            (with("client_secret", json!("x")), "client_secret"),
            (with("token_endpoint_auth_method", json!("client_secret_basic")), "token_endpoint_auth_method"),
            (with("redirect_uris", json!(["javascript:alert(1)"])), "redirect_uris[0]"),
            (with("redirect_uris", json!([])), "redirect_uris"),
            (with("jwks", json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": "AA", "d": "AA" }] })), "private part"),
            (with("logo_uri", json!("http://app.example/logo.png")), "logo_uri"),
        ] {
            site.put("/client", page);
            let answer = auth(&world, &id).await;
            assert!(answer.is_error_page(400) && answer.body.contains(why), "{why}: {} {}", answer.status, answer.body);
        }
        assert_eq!(site.asked("/elsewhere"), 0);
        assert!(world.state.store.client(&id.parse().unwrap()).await.unwrap().is_none());
        // No failure is remembered.
        site.put("/client", Page::of("application/example+json; charset=utf-8", document(&id).to_string()));
        assert!(begins(&auth(&world, &id).await));
        for other in [
            format!("{id}#x"),
            id.replace("localhost", "user@localhost"),
            id.replace("/client", "/a/../client"),
            id.replace("/client", ""),
            id.replace("localhost", "LOCALHOST"),
        ] {
            assert!(auth(&world, &other).await.is_error_page(400), "{other}");
        }
    }
);

on_one!(
    a_document_is_fetched_anew_in_time_and_outlives_its_site_for_a_while,
    [("REGISTRATION_CLIENT_ID_DOCUMENTS", "true"), ("EGRESS_EXTRA_CA_FILE", authority()), ("EGRESS_ALLOW_PRIVATE_NETWORKS", "true")],
    |world| {
        let site = Site::open();
        let id = site.url("/client");
        let minutes = |minutes: u64| world.clock.advance(Duration::from_mins(minutes));
        // However little it may be kept, it is kept for five minutes.
        site.put("/client", Page::json(&document(&id)).with("cache-control", "no-store"));
        assert!(begins(&auth(&world, &id).await));
        minutes(4);
        assert!(begins(&auth(&world, &id).await));
        assert_eq!(site.asked("/client"), 1);
        minutes(2);
        site.put("/client", Page::json(&document(&id)).with("cache-control", "max-age=99999999"));
        assert!(begins(&auth(&world, &id).await));
        assert_eq!(site.asked("/client"), 2);
        // However long it may be kept, after a day it is fetched.
        minutes(24 * 60 - 1);
        assert!(begins(&auth(&world, &id).await));
        assert_eq!(site.asked("/client"), 2);
        minutes(2);
        site.put("/client", Page::json(&document(&id)).status(503));
        assert!(begins(&auth(&world, &id).await));
        assert!(begins(&auth(&world, &id).await));
        // It is not asked at every visit while it is out of order.
        assert_eq!(site.asked("/client"), 3);
        minutes(24 * 60);
        assert!(auth(&world, &id).await.is_error_page(400));
        site.put("/client", Page::json(&document(&id)));
        assert!(begins(&auth(&world, &id).await));
        // What changed is changed here; what is gone is believed no more.
        minutes(6);
        let mut changed = document(&id);
        changed["redirect_uris"] = json!(["https://app.example/moved"]);
        site.put("/client", Page::json(&changed));
        assert!(auth(&world, &id).await.is_error_page(400));
        minutes(6);
        site.put("/client", Page::of("text/plain", "").status(404));
        let browser = Browser::new(&world);
        assert!(
            browser.auth(&App::public(&world, &id).request().with("redirect_uri", "https://app.example/moved")).await.is_error_page(400)
        );
    }
);

on_one!(
    no_document_inside_is_fetched,
    [("REGISTRATION_CLIENT_ID_DOCUMENTS", "true"), ("EGRESS_EXTRA_CA_FILE", authority()), ("LIMITS_REGISTRATIONS_PER_MINUTE", "5")],
    |world| {
        let site = Site::open();
        for host in ["localhost", "127.0.0.1"] {
            let id = site.url("/client").replace("localhost", host);
            site.put("/client", Page::json(&document(&id)));
            let answer = auth(&world, &id).await;
            assert!(answer.is_error_page(400) && answer.body.contains("public address"), "{}", answer.body);
        }
        assert!(auth(&world, "https://169.254.169.254/latest/meta-data").await.is_error_page(400));
        assert_eq!(site.asked("/client"), 0);
        // Nobody makes this server knock at doors all day.
        let mut statuses = Vec::new();
        for number in 0..3 {
            statuses.push(auth(&world, &format!("https://127.0.0.1/{number}")).await.status);
        }
        assert_eq!(statuses, [400, 400, 429]);
    }
);

on_both!(
    people_are_asked_again_when_an_app_becomes_another,
    [("REGISTRATION_CLIENT_ID_DOCUMENTS", "true"), ("EGRESS_EXTRA_CA_FILE", authority()), ("EGRESS_ALLOW_PRIVATE_NETWORKS", "true")],
    |world| {
        let site = Site::open();
        let id = site.url("/client");
        site.put("/client", Page::json(&document(&id)));
        let (app, browser, wallet) = (App::public(&world, &id), Browser::new(&world), Wallet::new(1));
        let silent = async |scope: &str| {
            let answer = browser.auth(&app.request().with("scope", scope).with("prompt", "none")).await;
            answer.query("error").unwrap_or_else(|| "agreed".to_owned())
        };
        let first = app.offline_tokens(&browser, &wallet).await;
        let later = async |change: Value| {
            let mut whole = document(&id);
            whole.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            site.put("/client", Page::json(&whole));
            world.clock.advance(Duration::from_mins(6));
            world.state.forget_client(&id.parse().unwrap()).await;
        };
        // What nobody sees of it, or what it does not do any more, is no reason to ask.
        later(json!({ "contacts": ["ada@app.example"], "redirect_uris": [REDIRECT_URI, "https://app.example/other"] })).await;
        assert_eq!(silent("openid email").await, "agreed");
        later(json!({ "client_name": "Your Bank" })).await;
        assert_eq!(silent("openid email").await, "consent_required");
        let interaction = browser.begin(&app.request().with("scope", "openid")).await;
        let page = browser.get(&interaction).await;
        assert!(page.is_consent() && page.body.contains("Your Bank"), "{}", page.body);
        browser.go_on(&interaction, &wallet).await;
        // What is agreed to with the new one is what was asked for now, and nothing of before.
        assert_eq!((silent("openid").await.as_str(), silent("openid email").await.as_str()), ("agreed", "consent_required"));
        // What the former one was given lives on, as long as the person does not withdraw it.
        assert_eq!(app.refresh(&first.refresh).await.status, 200);
        later(json!({ "client_name": "Your Bank", "redirect_uris": [REDIRECT_URI, "https://elsewhere.example/cb"] })).await;
        assert_eq!(silent("openid").await, "consent_required");
    }
);

// Its people would be others to it, or it would come to those of another sector.
on_one!(
    a_document_changes_nobodys_subject,
    [("REGISTRATION_CLIENT_ID_DOCUMENTS", "true"), ("EGRESS_EXTRA_CA_FILE", authority()), ("EGRESS_ALLOW_PRIVATE_NETWORKS", "true")],
    |world| {
        let site = Site::open();
        for (before, after) in [("public", "pairwise"), ("pairwise", "public")] {
            let path = format!("/{before}");
            let id = site.url(&path);
            let with = |subject: &str| {
                let mut whole = document(&id);
                whole["subject_type"] = json!(subject);
                Page::json(&whole)
            };
            site.put(&path, with(before));
            assert!(begins(&auth(&world, &id).await));
            world.clock.advance(Duration::from_mins(6));
            site.put(&path, with(after));
            let answer = auth(&world, &id).await;
            assert!(answer.is_error_page(400) && answer.body.contains("subject_type cannot change"), "{}", answer.body);
            site.put(&path, with(before));
            assert!(begins(&auth(&world, &id).await));
        }
    }
);
