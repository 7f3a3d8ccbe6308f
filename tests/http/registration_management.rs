//! A registered app reads, replaces and removes its own registration (RFC 7592), and nobody else does.

use latchkey::domain::{Held, TokenHash};
use latchkey::store::{ClientRecord, UriPurpose};
use reqwest::Method;
use serde_json::{Value, json};

use crate::actors::{Answer, App, Browser, Wallet, basic};
use crate::registration::registered;
use crate::site::{Page, Site, authority};
use crate::world::{FORM, REDIRECT_URI, World};
use crate::{on_both, on_one};

/// A request to `/register/{client_id}`, with a bearer token where there is one.
pub(crate) async fn manage(world: &World, method: Method, id: &str, token: Option<&str>, body: Option<&Value>) -> Answer {
    let browser = Browser::new(world);
    let mut request = browser.bare(method, &format!("/register/{id}"));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    browser.send(request).await
}

fn text<'a>(got: &'a Value, name: &str) -> &'a str {
    got[name].as_str().unwrap_or_else(|| panic!("no {name}: {got}"))
}

on_both!(an_app_reads_replaces_and_removes_itself, [("REGISTRATION_ENABLED", "true")], |world| {
    let first = registered(&world, &json!({ "redirect_uris": [REDIRECT_URI], "client_name": "Before", "contacts": ["a@app.example"], "token_endpoint_auth_method": "none" })).await;
    let (id, token) = (text(&first, "client_id"), text(&first, "registration_access_token"));
    let read = manage(&world, Method::GET, id, Some(token), None).await;
    assert_eq!((read.status, read.header("cache-control"), read.json()), (200, "no-store", first.clone()));

    // Known to this process with its old settings, and right at once with its new ones.
    let (app, browser, wallet) = (App::public(&world, id), Browser::new(&world), Wallet::new(1));
    let tokens = app.tokens(&browser, &wallet).await;
    let moved = "https://app.example/moved";
    let wished =
        json!({ "client_id": id, "redirect_uris": [moved], "client_name": "After", "token_endpoint_auth_method": "client_secret_post" });
    let put = manage(&world, Method::PUT, id, Some(token), Some(&wished)).await;
    assert_eq!((put.status, put.header("cache-control")), (200, "no-store"), "{}", put.body);
    let second = put.json();
    assert_eq!((&second["client_name"], &second["redirect_uris"], second.get("contacts")), (&json!("After"), &json!([moved]), None));
    assert_eq!((&second["client_id"], &second["client_id_issued_at"]), (&first["client_id"], &first["client_id_issued_at"]));
    // It needs a secret now, and gets one; the token is another one.
    let (secret, rotated) = (text(&second, "client_secret").to_owned(), text(&second, "registration_access_token"));
    assert_ne!(rotated, token);
    assert!(browser.auth(&app.request()).await.is_error_page(400));
    let code = browser.authorize(&app.request().with("redirect_uri", moved), &wallet).await.query("code").unwrap();
    let form = app.redemption(&code).with("redirect_uri", moved);
    assert_eq!(app.token(&form).await.error(), (401, "invalid_client".into()));
    assert_eq!(app.token(&form.with("client_secret", &secret)).await.status, 200);
    assert_eq!(manage(&world, Method::GET, id, Some(token), None).await.status, 401);
    let read = manage(&world, Method::GET, id, Some(rotated), None).await.json();
    assert_eq!((read.get("client_secret"), &read["client_name"]), (None, &json!("After")));

    // What the operator set of it stays, and it cannot set it itself.
    let mut record = world.state.store.client(&id.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((record.metadata.first_party, &record.metadata.audiences, &record.metadata.permissions), (false, &None, &None));
    record.metadata.audiences = Some(vec!["my-app".to_owned()]);
    record.metadata.permissions = Some("privilege:GetLiveData".parse().unwrap());
    let limits = record.metadata.clone();
    assert!(world.state.store.update_client(&record, &[]).await.unwrap());

    // The secret stays over an update, said or not.
    let again = json!({
        "client_id": id, "redirect_uris": [moved], "client_secret": secret,
        "audiences": ["other"], "permissions": ["privilege:ExecuteCommands"], "first_party": true,
    });
    let third = manage(&world, Method::PUT, id, Some(rotated), Some(&again)).await.json();
    assert_eq!((third.get("client_secret"), &third["token_endpoint_auth_method"]), (None, &json!("client_secret_basic")));
    let stored = world.state.store.client(&id.parse().unwrap()).await.unwrap().unwrap().metadata;
    assert_eq!((stored.first_party, stored.audiences, stored.permissions), (false, limits.audiences, limits.permissions));
    let code = browser.authorize(&app.request().with("redirect_uri", moved), &wallet).await.query("code").unwrap();
    let redeem = browser.bare(Method::POST, "/token").header("authorization", basic(id, &secret)).header("content-type", FORM);
    let redeemed = browser.send(redeem.body(app.redemption(&code).with("redirect_uri", moved).encode())).await;
    assert_eq!(redeemed.status, 200, "{}", redeemed.body);

    let last = text(&third, "registration_access_token");
    let deleted = manage(&world, Method::DELETE, id, Some(last), None).await;
    assert_eq!((deleted.status, deleted.body.as_str(), deleted.header("cache-control")), (204, "", "no-store"));
    assert_eq!(manage(&world, Method::GET, id, Some(last), None).await.status, 401);
    assert!(browser.auth(&app.request().with("redirect_uri", moved)).await.is_error_page(400));
    app.assert_refused(&tokens.access, "its app is gone").await;
});

on_both!(nobody_else_manages_an_app, [("REGISTRATION_ENABLED", "true"), ("LIMITS_REGISTRATIONS_PER_MINUTE", "100")], |world| {
    let wished = json!({ "redirect_uris": [REDIRECT_URI] });
    let (mine, other) = (registered(&world, &wished).await, registered(&world, &wished).await);
    let (id, token) = (text(&mine, "client_id"), text(&mine, "registration_access_token"));
    let unknown = "0190a5a0-0000-7000-8000-000000000000";
    let update = json!({ "client_id": id, "redirect_uris": ["https://evil.example/cb"] });
    let mut answers = Vec::new();
    for (id, token) in [
        (id, Some(text(&other, "registration_access_token"))),
        (id, Some(text(&mine, "client_secret"))),
        (id, Some("wrong")),
        (unknown, Some(token)),
        // Clients of the operator cannot be managed, with any token.
        ("app", Some(token)),
        ("web", Some(crate::world::SECRET)),
        ("a%20b", Some(token)),
    ] {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let answer = manage(&world, method, id, token, Some(&update)).await;
            answers.push((answer.status, answer.body.clone(), answer.header("www-authenticate").to_owned()));
        }
    }
    let expected = answers[0].clone();
    assert_eq!((expected.0, expected.2.as_str()), (401, "Bearer error=\"invalid_token\""));
    assert!(answers.iter().all(|answer| *answer == expected), "{answers:?}");
    let none = manage(&world, Method::GET, id, None, None).await;
    assert_eq!((none.status, none.header("www-authenticate")), (401, "Bearer"));
    assert_eq!(manage(&world, Method::GET, id, Some(token), None).await.json()["redirect_uris"], json!([REDIRECT_URI]));
    // One that the operator disabled manages nothing.
    world.state.store.set_client_disabled(&id.parse().unwrap(), Some(world.clock.now()), world.clock.now()).await.unwrap();
    assert_eq!(manage(&world, Method::GET, id, Some(token), None).await.status, 401);
    assert_eq!(manage(&world, Method::DELETE, id, Some(token), None).await.status, 401);
});

on_one!(an_update_is_whole_and_of_the_same_client, [("REGISTRATION_ENABLED", "true")], |world| {
    let got = registered(&world, &json!({ "redirect_uris": [REDIRECT_URI], "subject_type": "pairwise" })).await;
    let (id, token) = (text(&got, "client_id"), text(&got, "registration_access_token"));
    for (extra, error) in [
        (json!({ "client_id": null }), "invalid_request"),
        (json!({ "client_id": "another" }), "invalid_request"),
        (json!({ "registration_access_token": token }), "invalid_request"),
        (json!({ "registration_client_uri": "x" }), "invalid_request"),
        (json!({ "client_id_issued_at": 1 }), "invalid_request"),
        (json!({ "client_secret_expires_at": 0 }), "invalid_request"),
        (json!({ "client_secret": "a-secret-that-the-client-chose-for-itself" }), "invalid_client_metadata"),
        (json!({ "redirect_uris": [] }), "invalid_redirect_uri"),
        // Its pairwise subjects would be those of another sector.
        (json!({ "redirect_uris": ["https://other.example/cb"], "subject_type": "pairwise" }), "invalid_client_metadata"),
    ] {
        let mut wished = json!({ "client_id": id, "redirect_uris": [REDIRECT_URI] });
        wished.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let answer = manage(&world, Method::PUT, id, Some(token), Some(&wished)).await;
        assert_eq!(answer.error(), (400, error.into()), "{extra}: {}", answer.body);
    }
    // What was refused changed nothing, its token least of all.
    assert_eq!(manage(&world, Method::GET, id, Some(token), None).await.status, 200);
});

on_both!(
    of_many_updates_with_one_token_one_succeeds,
    [("REGISTRATION_ENABLED", "true"), ("LIMITS_FAILURES_PER_MINUTE", "1000")],
    |world| {
        let got = registered(&world, &json!({ "redirect_uris": [REDIRECT_URI] })).await;
        let (id, token) = (text(&got, "client_id"), text(&got, "registration_access_token"));
        let wished = json!({ "client_id": id, "redirect_uris": [REDIRECT_URI] });
        let updates = (0..15).map(|_| manage(&world, Method::PUT, id, Some(token), Some(&wished)));
        let answers = futures_util::future::join_all(updates).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses[0], 200);
        assert!(statuses[1..].iter().all(|status| *status == 401), "{statuses:?}");
    }
);

on_one!(guessing_at_a_registration_is_limited, [("REGISTRATION_ENABLED", "true"), ("LIMITS_FAILURES_PER_MINUTE", "3")], |world| {
    let got = registered(&world, &json!({ "redirect_uris": [REDIRECT_URI] })).await;
    let (id, token) = (text(&got, "client_id"), text(&got, "registration_access_token"));
    let mut statuses = Vec::new();
    for token in ["a", "b", "c", "d", token] {
        statuses.push(manage(&world, Method::GET, id, Some(token), None).await.status);
    }
    assert_eq!(statuses, [401, 401, 401, 401, 429]);
});

on_both!(what_an_operator_has_set_outlives_an_update, [("REGISTRATION_ENABLED", "true")], |world| {
    let uris = json!([REDIRECT_URI, "https://app.example/other"]);
    let got = registered(&world, &json!({ "redirect_uris": uris, "token_endpoint_auth_method": "none" })).await;
    let (id, token) = (text(&got, "client_id"), text(&got, "registration_access_token"));
    // As `latchkey client update` does.
    let mut record = world.state.store.client(&id.parse().unwrap()).await.unwrap().unwrap();
    record.metadata.scope = Some("openid".parse().unwrap());
    record.redirect_uris = vec![REDIRECT_URI.parse().unwrap()];
    record.access_token = std::time::Duration::from_mins(5);
    record.operator.held = [Held::Scope, Held::RedirectUris, Held::AccessTokenLifetime].into();
    assert!(world.state.store.update_client(&record, &[UriPurpose::Redirect]).await.unwrap());
    let wished = json!({
        "client_id": id, "redirect_uris": uris, "client_name": "Wide", "scope": "openid email profile", "token_endpoint_auth_method": "none",
    });
    let put = manage(&world, Method::PUT, id, Some(token), Some(&wished)).await;
    let answer = put.json();
    assert_eq!(put.status, 200, "{}", put.body);
    // RFC 7592 §2.2: the answer says what is there.
    assert_eq!(
        (&answer["scope"], &answer["redirect_uris"], &answer["client_name"]),
        (&json!("openid"), &json!([REDIRECT_URI]), &json!("Wide"))
    );
    let (app, browser) = (App::public(&world, id), Browser::new(&world));
    assert!(browser.auth(&app.request().with("redirect_uri", "https://app.example/other")).await.is_error_page(400));
    let tokens = app.tokens(&browser, &Wallet::new(1)).await;
    assert_eq!((&tokens.reply["scope"], &tokens.reply["expires_in"]), (&json!("openid"), &json!(300)));
});

on_both!(
    an_update_writes_no_secret_of_before,
    [("REGISTRATION_ENABLED", "true"), ("EGRESS_EXTRA_CA_FILE", authority()), ("EGRESS_ALLOW_PRIVATE_NETWORKS", "true")],
    |world| {
        let site = Site::open();
        site.put("/sector", Page::json(&json!([REDIRECT_URI])));
        let wished = json!({ "redirect_uris": [REDIRECT_URI], "sector_identifier_uri": site.url("/sector") });
        let got = registered(&world, &wished).await;
        let (id, token, old) = (text(&got, "client_id"), text(&got, "registration_access_token"), text(&got, "client_secret"));
        let mut update = wished.clone();
        update["client_id"] = json!(id);
        let mut with_secret = update.clone();
        with_secret["client_secret"] = json!(old);
        for (update, status) in [(with_secret, 400), (update, 200)] {
            let site = Site::open();
            site.put("/sector", Page::json(&json!([REDIRECT_URI])));
            site.close_door("/sector");
            let mut update = update;
            update["sector_identifier_uri"] = json!(site.url("/sector"));
            // The app's update has begun, and looks at its sector; the operator gives out a new secret.
            let put = manage(&world, Method::PUT, id, Some(token), Some(&update));
            let meanwhile = async {
                site.is_asked("/sector").await;
                let record = world.state.store.client(&id.parse().unwrap()).await.unwrap().unwrap();
                let renewed = ClientRecord { secret_hash: Some(TokenHash::of(crate::world::SECRET)), ..record };
                assert!(world.state.store.update_client(&renewed, &[]).await.unwrap());
                site.open_door("/sector");
            };
            let (put, ()) = tokio::join!(put, meanwhile);
            assert_eq!(put.status, status, "{}", put.body);
            let stored = world.state.store.client(&id.parse().unwrap()).await.unwrap().unwrap();
            assert_eq!(stored.secret_hash, Some(TokenHash::of(crate::world::SECRET)), "the old secret is not written back");
            // For the second round.
            let again = ClientRecord { secret_hash: Some(TokenHash::of(old)), ..stored };
            assert!(world.state.store.update_client(&again, &[]).await.unwrap());
        }
    }
);

on_both!(an_app_that_renames_itself_asks_its_people_again, [("REGISTRATION_ENABLED", "true")], |world| {
    let wished = json!({ "redirect_uris": [REDIRECT_URI], "client_name": "Before", "token_endpoint_auth_method": "none" });
    let got = registered(&world, &wished).await;
    let id = text(&got, "client_id");
    let (app, browser, wallet) = (App::public(&world, id), Browser::new(&world), Wallet::new(1));
    app.tokens(&browser, &wallet).await;
    world.clock.advance(std::time::Duration::from_secs(1));
    let mut token = text(&got, "registration_access_token").to_owned();
    for (name, outcome) in [("Before", None), ("After", Some("consent_required"))] {
        let mut update = wished.clone();
        update["client_id"] = json!(id);
        update["client_name"] = json!(name);
        let put = manage(&world, Method::PUT, id, Some(&token), Some(&update)).await.json();
        text(&put, "registration_access_token").clone_into(&mut token);
        let back = browser.auth(&app.request().with("prompt", "none")).await;
        assert_eq!(back.query("error").as_deref(), outcome, "{name}");
    }
    world.clock.advance(std::time::Duration::from_secs(1));
    assert!(browser.authorize(&app.request(), &wallet).await.query("code").is_some());
    assert!(browser.auth(&app.request().with("prompt", "none")).await.query("code").is_some());
});
