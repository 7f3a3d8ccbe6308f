//! Authorization requests that are pushed ahead (RFC 9126): who may push, what is kept, and that each is used once, by its client.

use std::time::Duration;

use latchkey::store::ClientSource;
use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde_json::json;

use crate::actors::{Answer, App, Browser, Form, Wallet, basic};
use crate::registration::registered;
use crate::signer::{Signer, proved};
use crate::world::{FORM, ISSUER, REDIRECT_URI, SECRET, World};
use crate::{on_both, on_one};

const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

async fn push(world: &World, form: &Form) -> Answer {
    Browser::new(world).post_form("/par", form).await
}

async fn pushed(world: &World, form: &Form) -> String {
    let answer = push(world, form).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()["request_uri"].as_str().unwrap().to_owned()
}

fn by_name(client: &str, uri: &str) -> Form {
    Form::of(&[("client_id", client), ("request_uri", uri)])
}

on_both!(a_pushed_request_is_used_in_place_of_what_the_browser_says, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let answer = push(&world, &app.request().with("state", "pushed +&=ü")).await;
    assert_eq!((answer.status, answer.header("cache-control")), (201, "no-store"), "{}", answer.body);
    let reply = answer.json();
    assert_eq!(reply["expires_in"], 90);
    let uri = reply["request_uri"].as_str().unwrap();
    assert_eq!(uri.strip_prefix(PREFIX).unwrap().len(), 43, "256 bits");
    // RFC 9126 §4: what the browser says besides is not read.
    let beside = by_name("app", uri).with("state", "of the browser").with("redirect_uri", "https://evil.example/").with("scope", "x");
    let back = browser.authorize(&beside, &wallet).await;
    let told = back.redirect();
    assert!(back.location().starts_with(REDIRECT_URI), "{}", back.location());
    assert_eq!((told.get("state"), told.get("iss")), ("pushed +&=ü", ISSUER));
    assert_eq!(app.redeem(told.get("code")).await.status, 200);
});

on_both!(a_client_proves_itself_as_at_the_token_endpoint, |world| {
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    let web = App::confidential(&world, "web");
    for (form, status) in [
        (web.request(), 401),
        (web.request().with("client_secret", "wrong"), 401),
        (web.request().with("client_id", "nobody"), 401),
        (web.request().without("client_id"), 401),
        (web.request().with("client_secret", SECRET), 201),
        (App::public(&world, "app").request().with("client_secret", SECRET), 401),
    ] {
        assert_eq!(push(&world, &form).await.status, status, "{form:?}");
    }
    let by_basic = |secret: &str, form: &Form| {
        browser.bare(Method::POST, "/par").header("content-type", FORM).header(AUTHORIZATION, basic("web", secret)).body(form.encode())
    };
    let wrong = browser.send(by_basic("wrong", &web.request())).await;
    assert_eq!((wrong.status, wrong.header("www-authenticate").starts_with("Basic")), (401, true));
    assert_eq!(browser.send(by_basic(SECRET, &web.request().with("client_id", "app"))).await.status, 400, "another client's request");
    let answer = browser.send(by_basic(SECRET, &web.request().without("client_id"))).await;
    let uri = answer.json()["request_uri"].as_str().unwrap().to_owned();
    assert!(browser.authorize(&by_name("web", &uri), &wallet).await.query("code").is_some());
    // By assertion, which may be addressed to this endpoint.
    let signer = Signer::new("ES256", "one");
    world.client("site", |client| signer.register(client)).await;
    let mut claims = crate::signer::claims("site");
    claims["aud"] = json!(format!("{ISSUER}/par"));
    let form = proved(App::public(&world, "site").request(), &signer.sign(&signer.header(), &claims));
    let uri = pushed(&world, &form).await;
    assert!(browser.authorize(&by_name("site", &uri), &wallet).await.query("code").is_some());
    // What proved the clients is nowhere.
    let dump = world.dump().await;
    for secret in [SECRET, form.get("client_assertion"), uri.strip_prefix(PREFIX).unwrap()] {
        assert!(!dump.contains(secret.as_bytes()));
    }
    assert!(dump.contains(b"code_challenge_method"), "the request itself is there");
});

on_both!(what_is_refused_at_auth_is_refused_when_it_is_pushed, |world| {
    let app = App::public(&world, "app");
    let ask = || app.request();
    for (form, error) in [
        (ask().without("response_type"), "invalid_request"),
        (ask().with("response_type", "token"), "unsupported_response_type"),
        (ask().without("redirect_uri"), "invalid_request"),
        (ask().with("redirect_uri", "https://evil.example/"), "invalid_request"),
        (ask().with("redirect_uri", &format!("{REDIRECT_URI}/")), "invalid_request"),
        (ask().without("code_challenge"), "invalid_request"),
        (ask().with("code_challenge_method", "plain"), "invalid_request"),
        (ask().without("scope"), "invalid_scope"),
        (ask().with("prompt", "none login"), "invalid_request"),
        (ask().with("max_age", "soon"), "invalid_request"),
        (ask().with("id_token_hint", "x"), "invalid_request"),
        (ask().and("state", "again"), "invalid_request"),
        (ask().with("request", "x"), "request_not_supported"),
        (ask().with("request_uri", "https://app.example/request"), "invalid_request"),
        (ask().with("request_uri", &format!("{PREFIX}x")), "invalid_request"),
        (ask().with("state", &"x".repeat(5_000)), "invalid_request"),
        (ask().with("filler", &"x".repeat(17_000)), "invalid_request"),
    ] {
        let answer = push(&world, &form).await;
        assert_eq!(answer.error(), (400, error.into()), "{form:?}: {}", answer.body);
        assert!(!answer.json()["error_description"].as_str().unwrap().is_empty());
    }
    assert_eq!(Browser::new(&world).get(&format!("/par?{}", ask().encode())).await.status, 405);
});

on_both!(a_pushed_request_works_once_for_its_client_and_in_its_time, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let assert_gone = async |form: &Form, why: &str| {
        let page = browser.auth(form).await;
        // Never a redirect: where to would be known from the request alone.
        assert!(page.is_error_page(400) && page.body.contains("invalid_request_uri"), "{why}: {} {}", page.status, page.body);
    };
    let uri = pushed(&world, &app.request()).await;
    assert_gone(&by_name("web", &uri), "another client's").await;
    // That attempt did not take it from its own client.
    assert!(browser.authorize(&by_name("app", &uri), &wallet).await.query("code").is_some());
    assert_gone(&by_name("app", &uri).with("redirect_uri", REDIRECT_URI), "used").await;
    assert_gone(&by_name("app", &format!("{PREFIX}{}", "x".repeat(43))), "unknown").await;
    assert_gone(&by_name("app", PREFIX), "no name").await;
    let late = pushed(&world, &app.request()).await;
    world.clock.advance(Duration::from_secs(90));
    assert_gone(&by_name("app", &late), "expired").await;
    // Fifty browsers with one name: one of them goes on.
    let uri = pushed(&world, &app.request()).await;
    let form = by_name("app", &uri);
    let all = futures_util::future::join_all((0..50).map(|_| browser.auth(&form))).await;
    assert_eq!(all.iter().filter(|answer| answer.status == 303).count(), 1);
});

on_both!(an_address_of_an_apps_is_not_fetched, |world| {
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    for uri in ["https://app.example/request.jwt", "http://127.0.0.1:1/", "urn:ietf:params:oauth:request_urix", "x"] {
        let answer = browser.auth(&app.request().with("request_uri", uri)).await;
        assert_eq!(answer.query("error").as_deref(), Some("request_uri_not_supported"), "{uri}");
    }
    // Neither is a form of another site a way around: it is kept, and read as any request.
    let uri = pushed(&world, &app.request()).await;
    let kept = browser.post_cross_site("/auth", &by_name("app", &uri)).await;
    assert!(browser.get(kept.location()).await.location().starts_with("/interaction/"));
});

on_both!(who_must_push_cannot_send_the_request_itself, |world| {
    world.client("pusher", |client| client.metadata.require_pushed_authorization_requests = true).await;
    let (app, browser, wallet) = (App::public(&world, "pusher"), Browser::new(&world), Wallet::new(1));
    let told = browser.auth(&app.request()).await.redirect();
    assert_eq!((told.get("error"), told.get("state")), ("invalid_request", "a state"));
    assert!(told.get("error_description").contains("/par"));
    let uri = pushed(&world, &app.request()).await;
    assert!(browser.authorize(&by_name("pusher", &uri), &wallet).await.query("code").is_some());
    // Nor by naming both.
    let both = browser.auth(&app.request().with("request_uri", "x")).await;
    assert_eq!(both.query("error").as_deref(), Some("invalid_request"));
});

on_one!(a_server_may_want_all_requests_pushed, [("PUSHED_REQUESTS_REQUIRED", "true"), ("PUSHED_REQUESTS_LIFETIME", "5s")], |world| {
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    assert_eq!(browser.auth(&app.request()).await.query("error").as_deref(), Some("invalid_request"));
    let answer = push(&world, &app.request()).await;
    assert_eq!(answer.json()["expires_in"], 5);
    let uri = answer.json()["request_uri"].as_str().unwrap().to_owned();
    assert!(browser.auth(&by_name("app", &uri)).await.location().starts_with("/interaction/"));
    let told = browser.get("/.well-known/openid-configuration").await.json();
    assert_eq!((&told["require_pushed_authorization_requests"], &told["request_uri_parameter_supported"]), (&json!(true), &json!(false)));
    assert_eq!(told["pushed_authorization_request_endpoint"], format!("{ISSUER}/par"));
});

on_one!(who_proves_nothing_cannot_fill_the_table, [("LIMITS_VISITS_PER_MINUTE", "3")], |world| {
    let form = App::public(&world, "app").request();
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(push(&world, &form).await.status);
    }
    assert_eq!(statuses, [201, 201, 201, 429, 429]);
    assert_eq!(push(&world, &App::public(&world, "web").request().with("client_secret", SECRET)).await.status, 201);
});

on_both!(
    who_let_itself_in_cannot_fill_the_tables,
    [("REGISTRATION_ENABLED", "true"), ("LIMITS_SELF_REGISTERED_PER_MINUTE", "3"), ("LIMITS_FAILURES_PER_MINUTE", "1000")],
    |world| {
        let wished = json!({ "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "client_secret_post" });
        let push_five = async |id: &str, secret: &str| {
            let form = App::public(&world, id).request().with("client_secret", secret);
            let mut statuses = Vec::new();
            for _ in 0..5 {
                statuses.push(push(&world, &form).await.status);
            }
            statuses
        };
        // Each has its own three: it proves to be itself, and gave itself the right to.
        for _ in 0..2 {
            let got = registered(&world, &wished).await;
            let (id, secret) = (got["client_id"].as_str().unwrap(), got["client_secret"].as_str().unwrap());
            assert_eq!(push_five(id, secret).await, [201, 201, 201, 429, 429]);
        }
        assert_eq!(push_five("web", SECRET).await, [201; 5], "the operator's own has no such limit");
        // An assertion that is spent leaves a row behind, whatever it is for.
        let signer = Signer::new("ES256", "one");
        for (id, source, statuses) in
            [("self", ClientSource::Registration, [400, 400, 400, 429, 429]), ("ours", ClientSource::Command, [400; 5])]
        {
            world
                .client(id, |client| {
                    signer.register(client);
                    client.source = source;
                })
                .await;
            let mut got = Vec::new();
            for _ in 0..5 {
                let form = proved(Form::of(&[("grant_type", "refresh_token"), ("refresh_token", "x")]), &signer.assertion(id));
                got.push(App::public(&world, id).token(&form).await.status);
            }
            assert_eq!(got, statuses, "{id}");
        }
    }
);
