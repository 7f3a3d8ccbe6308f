//! Where an authorization response may go: nowhere but to a registered redirect URI, compared byte for byte.

use latchkey::store::UriPurpose;

use crate::actors::{App, Browser, Wallet};
use crate::api_challenge::{SUBMIT, answer, ask, assert_wire_error, generated};
use crate::world::{ISSUER, REDIRECT_URI};
use crate::{on_both, on_one};

// Each of these got past another server: Keycloak CVE-2023-6291, CVE-2024-8883, CVE-2024-1132, authentik CVE-2024-52289.
const BYPASSES: &[&str] = &[
    "https://app.example/callback/",
    "https://app.example/callback?x=1",
    "https://app.example/callback#x",
    "https://app.example/callbackx",
    "https://app.example/callback/../evil",
    "https://app.example/callback/..%2fevil",
    "https://app.example/callback%2f..%2fevil",
    "https://app.example/callback%252f..%252fevil",
    "https://app.example/%63allback",
    "https://app.example//callback",
    "https://app.example/Callback",
    "https://APP.example/callback",
    "HTTPS://app.example/callback",
    "http://app.example/callback",
    "https://app.example:443/callback",
    "https://app.example./callback",
    "https://app.example@evil.example/callback",
    "https://app.example:x@evil.example/callback",
    "https://app.example%40evil.example/callback",
    "https://app.example.evil.example/callback",
    "https://evil.example/https://app.example/callback",
    "https://evil.example\\@app.example/callback",
    "https://appXexample/callback",
    "//app.example/callback",
    "/callback",
    " https://app.example/callback",
    "https://app.example/callback ",
    "https://app.example/callback\n",
    "https://app.example/callback\t",
    "https://app.example/callback\u{0}",
    "https://app.example/callback%00",
    "https://app.example/callback*",
    "https://app.\u{ff45}xample/callback",
    "javascript:alert(1)//https://app.example/callback",
    "data:text/html,<script>alert(1)</script>",
    "http://localhost/callback",
    "http://127.0.0.1/callback",
    "",
];

on_both!(nothing_but_the_registered_text_is_a_redirect_uri, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    // Also for somebody who is signed in and has agreed: then the answer would be a redirect at once.
    app.tokens(&browser, &wallet).await;
    for uri in BYPASSES {
        for form in [app.request().with("redirect_uri", uri), app.request().with("redirect_uri", uri).and("prompt", "none")] {
            let answer = browser.auth(&form).await;
            assert!(answer.is_error_page(400), "{uri:?}: {} {}", answer.status, answer.location());
            let policy = answer.header("content-security-policy");
            assert!(policy.contains("form-action 'self'") && !policy.contains("example"), "{uri:?}: {policy}");
        }
    }
    assert!(browser.auth(&app.request()).await.location().starts_with(REDIRECT_URI));
});

on_both!(an_unknown_client_gets_a_page_and_never_a_redirect, |world| {
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    world.client("gone", |client| client.disabled_at = Some(client.created_at)).await;
    for form in [
        app.request().with("client_id", "nobody"),
        app.request().with("client_id", "APP"),
        app.request().with("client_id", "app "),
        app.request().with("client_id", "gone"),
        app.request().with("client_id", "' OR 1=1 --"),
        app.request().with("client_id", "0x0000000000000000000000000000000000000001"),
        app.request().without("client_id"),
        app.request().and("client_id", "app"),
        app.request().without("redirect_uri"),
        app.request().and("redirect_uri", REDIRECT_URI),
        app.request().and("redirect_uri", "https://evil.example/"),
    ] {
        let answer = browser.auth(&form).await;
        assert!(answer.is_error_page(400), "{form:?}: {} {}", answer.status, answer.location());
        assert_eq!(browser.cookie("latchkey_browser"), None, "{form:?}");
    }
});

on_both!(the_older_name_of_redirect_uri_is_as_strict, |world| {
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    let older = app.request().without("redirect_uri");
    assert!(browser.auth(&older.clone().with("domain", REDIRECT_URI)).await.location().starts_with("/interaction/"));
    for uri in BYPASSES {
        assert!(browser.auth(&older.clone().with("domain", uri)).await.is_error_page(400), "{uri:?}");
    }
    // The standard's name wins, so that a second address can never be the one that counts.
    let both = app.request().with("domain", "https://evil.example/");
    let wallet = Wallet::new(1);
    assert!(browser.authorize(&both, &wallet).await.location().starts_with(REDIRECT_URI));
});

on_both!(only_the_port_of_a_loopback_literal_may_differ, |world| {
    world
        .client("native", |client| {
            client.redirect_uris = ["http://127.0.0.1/cb", "http://[::1]:4000/cb", "http://localhost:3000/cb", "https://127.0.0.1:9/cb"]
                .map(|uri| uri.parse().unwrap())
                .into();
        })
        .await;
    let (app, browser, wallet) = (App::public(&world, "native"), Browser::new(&world), Wallet::new(1));
    let with = |uri: &str| app.request().with("redirect_uri", uri);
    for uri in
        ["http://127.0.0.1:51004/cb", "http://127.0.0.1/cb", "http://[::1]:1/cb", "http://localhost:3000/cb", "https://127.0.0.1:9/cb"]
    {
        let back = browser.authorize(&with(uri), &wallet).await;
        assert!(back.location().starts_with(&format!("{uri}?code=")), "{uri}: {}", back.location());
        // The code is bound to the text that was asked with, port and all.
        let redemption = app.redemption(&back.query("code").unwrap());
        assert_eq!(app.token(&redemption.with("redirect_uri", uri)).await.status, 200, "{uri}");
    }
    let back = browser.authorize(&with("http://127.0.0.1:51004/cb"), &wallet).await;
    let other_port = app.redemption(&back.query("code").unwrap()).with("redirect_uri", "http://127.0.0.1:51005/cb");
    assert_eq!(app.token(&other_port).await.error(), (400, "invalid_grant".into()));
    for uri in [
        "http://127.0.0.2:1/cb",
        "http://127.0.0.1:1/other",
        "http://127.0.0.1:1@evil.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.1:/../cb",
        "http://127.0.0.1:99999/cb",
        "http://localhost:3001/cb",
        "http://localhost/cb",
        "http://localhost:51004/cb",
        "https://127.0.0.1:10/cb",
        "http://0x7f000001/cb",
        "http://2130706433/cb",
        "http://127.1/cb",
        "http://[::ffff:127.0.0.1]/cb",
    ] {
        assert!(browser.auth(&with(uri)).await.is_error_page(400), "{uri}");
    }
});

on_one!(an_app_of_its_own_scheme_gets_its_code, |world| {
    world.client("phone", |client| client.redirect_uris = vec!["com.example.phone:/callback?kind=login".parse().unwrap()]).await;
    let (app, browser, wallet) = (App::public(&world, "phone"), Browser::new(&world), Wallet::new(1));
    let request = app.request().with("redirect_uri", "com.example.phone:/callback?kind=login");
    let interaction = browser.begin(&request).await;
    let page = browser.get(&interaction).await;
    assert!(
        page.header("content-security-policy").ends_with("form-action 'self' com.example.phone:"),
        "{}",
        page.header("content-security-policy")
    );
    let back = browser.go_on(&interaction, &wallet).await;
    assert_eq!(back.status, 303);
    assert!(back.location().starts_with("com.example.phone:/callback?kind=login&code="), "{}", back.location());
    let redemption = app.redemption(&back.query("code").unwrap()).with("redirect_uri", "com.example.phone:/callback?kind=login");
    assert_eq!(app.token(&redemption).await.status, 200);
    for uri in [
        "com.example.phone:/callback",
        "com.example.phone://callback?kind=login",
        "COM.example.phone:/callback?kind=login",
        "com.example.phone.evil:/callback?kind=login",
    ] {
        assert!(browser.auth(&app.request().with("redirect_uri", uri)).await.is_error_page(400), "{uri}");
    }
});

on_one!(a_response_keeps_the_query_of_its_uri_and_state_byte_for_byte, |world| {
    world.client("web2", |client| client.redirect_uris = vec!["https://app.example/cb?tenant=a%20b&state=mine".parse().unwrap()]).await;
    let (app, browser, wallet) = (App::public(&world, "web2"), Browser::new(&world), Wallet::new(1));
    let state = "ü a+b&c=d%20\"<script>'\\/?#\r\nSet-Cookie: x=1\u{1F511}";
    let request = app.request().with("redirect_uri", "https://app.example/cb?tenant=a%20b&state=mine").with("state", state);
    for form in [request.clone(), request.clone().with("response_type", "token"), request.clone().with("prompt", "none")] {
        let back = browser.authorize(&form, &wallet).await;
        let (there, ours) = back.location().split_at("https://app.example/cb?tenant=a%20b&state=mine&".len());
        assert_eq!(there, "https://app.example/cb?tenant=a%20b&state=mine&");
        let ours: Vec<(String, String)> = url::form_urlencoded::parse(ours.as_bytes()).into_owned().collect();
        assert_eq!(ours.iter().filter(|(name, _)| name == "state").map(|(_, value)| value.as_str()).collect::<Vec<_>>(), [state]);
        assert_eq!(ours.iter().filter(|(name, _)| name == "iss").map(|(_, value)| value.as_str()).collect::<Vec<_>>(), [ISSUER]);
        assert!(back.headers.get("set-cookie").is_none_or(|cookie| !cookie.to_str().unwrap().contains("x=1")));
    }
    let without = browser.authorize(&request.without("state"), &wallet).await;
    assert_eq!(without.location().matches("state=").count(), 1, "only the app's own: {}", without.location());
});

on_both!(a_visit_does_not_answer_where_its_client_returns_no_more, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    // One visit that would end with a code, two that would end with an error, and a challenge by API.
    app.tokens(&browser, &wallet).await;
    world.clock.advance(std::time::Duration::from_secs(1));
    let agreed = browser.begin(&app.request().with("prompt", "login")).await;
    browser.sign_in(&agreed, &wallet).await;
    let asks = browser.begin(&app.request().with("prompt", "consent")).await;
    let consent = browser.get(&asks).await.form("/consent").with("decision", "deny");
    let cancelled = browser.begin(&app.request().with("prompt", "login")).await;
    let csrf = browser.get(&cancelled).await.csrf();
    let (state, message) = generated(&browser, &ask("app", &wallet.address.to_string())).await;

    let (id, uri) = ("app".parse().unwrap(), REDIRECT_URI.parse().unwrap());
    assert!(world.state.store.remove_redirect_uri(&id, UriPurpose::Redirect, &uri).await.unwrap());
    world.forget_clients(&["app"]).await;
    for page in [
        browser.get(&agreed).await,
        browser.post_form(&format!("{asks}/consent"), &consent).await,
        browser.post(&format!("{cancelled}/cancel"), &[("csrf", &csrf)]).await,
    ] {
        assert!(page.is_error_page(400) && page.body.contains("not registered for this client any more"), "{} {}", page.status, page.body);
    }
    let reply = browser.post_form(SUBMIT, &answer("app", &state, &wallet.sign(&message))).await;
    assert_wire_error(&reply, 400, "invalid_grant", Some("domain is not registered for this client any more"));

    // Registered again, all of them end as they would have.
    world.state.store.add_redirect_uri(&id, UriPurpose::Redirect, &uri, world.clock.now()).await.unwrap();
    world.forget_clients(&["app"]).await;
    assert!(browser.get(&agreed).await.query("code").is_some());
    assert_eq!(browser.post_form(&format!("{asks}/consent"), &consent).await.query("error").as_deref(), Some("access_denied"));
    assert_eq!(browser.post(&format!("{cancelled}/cancel"), &[("csrf", &csrf)]).await.query("error").as_deref(), Some("access_denied"));
});
