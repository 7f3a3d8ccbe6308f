//! `/userinfo`: how a token may come, which tokens are none, and what is told.

use std::time::Duration;

use latchkey::keys::TokenKind::{AccessToken, IdToken};
use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde_json::json;

use crate::actors::{App, Browser, Form, Tokens, Wallet, decode};
use crate::forge;
use crate::on_both;
use crate::world::{BEGINNING, FORM, ISSUER};

on_both!(a_token_comes_by_header_or_by_form_and_once, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let token = app.tokens(&browser, &wallet).await.access;
    let form = Form::of(&[("access_token", &token)]).encode();
    let ask = |method: Method, path: &str| browser.bare(method, path);
    let post = |body: &str| ask(Method::POST, "/userinfo").header("content-type", FORM).body(body.to_owned());
    let good = app.userinfo(&token).await;
    assert_eq!((good.status, good.header("cache-control"), good.header("content-type")), (200, "no-store", "application/json"));
    for request in [
        ask(Method::POST, "/userinfo").bearer_auth(&token),
        post(&form),
        ask(Method::GET, "/userinfo").header(AUTHORIZATION, format!("bearer {token}")),
    ] {
        assert_eq!(browser.send(request).await.body, good.body);
    }
    // RFC 6750 §3.1: without a token there is a challenge and no error.
    let query = format!("/userinfo?{form}");
    for request in [
        ask(Method::GET, "/userinfo"),
        ask(Method::GET, &query),
        ask(Method::POST, &query),
        ask(Method::GET, "/userinfo").header(AUTHORIZATION, format!("Basic {token}")),
        post("access_token="),
    ] {
        let answer = browser.send(request).await;
        let challenge = format!("Bearer resource_metadata=\"{ISSUER}/.well-known/oauth-protected-resource/userinfo\"");
        assert_eq!((answer.status, answer.header("www-authenticate"), answer.body.as_str()), (401, challenge.as_str(), ""));
    }
    // Not even beside a good one is a token in the address a token.
    let both = [post(&form).bearer_auth(&token), post(&format!("{form}&{form}"))];
    for request in both {
        let answer = browser.send(request).await;
        assert_eq!(answer.error(), (400, "invalid_request".into()));
        assert!(answer.header("www-authenticate").starts_with("Bearer error=\"invalid_request\""), "{}", answer.header("www-authenticate"));
    }
    // The session of a browser is no token.
    assert_eq!(browser.get("/userinfo").await.status, 401);
});

on_both!(what_is_no_access_token_of_ours_is_refused, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let tokens = app.tokens(&browser, &wallet).await;
    let (header, claims) = decode(&tokens.access);
    let good_signature = tokens.access.rsplit('.').next().unwrap();
    app.assert_refused(&tokens.id, "an ID token").await;
    for bad in [
        "x",
        "..",
        "a.b.c",
        "e30.e30.",
        &tokens.access[..tokens.access.len() - 1],
        &format!("{}x", tokens.access),
        &format!("{}.", tokens.access),
        &format!(" {} x", tokens.access),
    ] {
        app.assert_refused(bad, bad).await;
    }
    let keep_signature = |header: &serde_json::Value, claims: &serde_json::Value| {
        format!("{}.{}.{good_signature}", forge::part(header), forge::part(claims))
    };
    let with = |name: &str, value: serde_json::Value| {
        let mut changed = claims.clone();
        changed[name] = value;
        changed
    };
    for (name, value) in [
        ("sub", json!("somebody")),
        ("exp", json!(BEGINNING + 99_999_999)),
        ("scope", json!("openid email profile admin")),
        ("client_id", json!("web")),
        ("iss", json!("https://evil.example")),
    ] {
        app.assert_refused(&keep_signature(&header, &with(name, value)), name).await;
    }
    for alg in ["none", "None", "NONE", "", "HS256", "RS512", "PS256", "ES256", "EdDSA"] {
        let mut other = header.clone();
        other["alg"] = json!(alg);
        app.assert_refused(&keep_signature(&other, &claims), alg).await;
        app.assert_refused(&forge::assemble(&other, &claims, b""), alg).await;
    }
    // HMAC with what everybody knows: the key's JWK, its modulus in bytes and in text.
    let keys = forge::jwks(&browser).await;
    let key = keys.iter().find(|key| key["kid"] == header["kid"]).unwrap();
    let modulus = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, key["n"].as_str().unwrap()).unwrap();
    for secret in [key.to_string().as_bytes(), key["n"].as_str().unwrap().as_bytes(), &modulus, b""] {
        for kid in [header["kid"].clone(), json!(null)] {
            let forged = json!({ "alg": "HS256", "typ": "at+jwt", "kid": kid });
            app.assert_refused(&forge::hmac_signed(&forged, &claims, secret), "HS256 with the public key").await;
        }
    }
    // A key that comes with the token is nobody's key.
    let es256 = keys.iter().find(|key| key["alg"] == "ES256").unwrap();
    for kid in
        [header["kid"].clone(), es256["kid"].clone(), json!("unknown"), json!(null), json!("../../../dev/null"), json!("' OR 1=1 --")]
    {
        app.assert_refused(&forge::self_signed(&kid, "at+jwt", &claims), "signed by another key").await;
    }
    assert_eq!(app.userinfo(&tokens.access).await.status, 200);
});

// With the real key, as a flaw elsewhere might make them: each rule of the table of kinds for itself.
on_both!(a_token_signed_by_us_must_still_be_one, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let tokens = app.tokens(&browser, &wallet).await;
    let (_, claims) = decode(&tokens.access);
    let sign = |kind, claims: &serde_json::Value| world.state.keys.sign(kind, latchkey::domain::SigningAlg::Rs256, claims);
    // The keyring signs this very token again, and userinfo takes it.
    assert_eq!(app.userinfo(&sign(AccessToken, &claims).unwrap()).await.status, 200);
    app.assert_refused(&sign(IdToken, &claims).unwrap(), "of another type, with the very claims").await;
    let with = |name: &str, value: serde_json::Value| {
        let mut changed = claims.clone();
        changed[name] = value;
        changed
    };
    for (name, value) in [
        ("exp", json!(BEGINNING)),
        ("exp", json!(BEGINNING - 1)),
        ("iat", json!(BEGINNING + 60)),
        ("nbf", json!(BEGINNING + 60)),
        ("client_id", json!("nobody")),
        ("jti", json!("x")),
        ("jti", json!("c_00000000-0000-0000-0000-000000000000")),
        ("jti", json!("d_00000000-0000-0000-0000-000000000000")),
        ("jti", json!(claims["jti"].as_str().unwrap().replace("c_", "d_"))),
    ] {
        app.assert_refused(&sign(AccessToken, &with(name, value.clone())).unwrap(), &format!("{name} {value}")).await;
    }
    // Rust `jsonwebtoken` before 10.3 took an `exp` of the wrong type for an absent one (CVE-2026-25537): such a token cannot even be made.
    for (name, value) in [
        ("exp", json!("4102444800")),
        ("exp", json!(4_102_444_800.5)),
        ("exp", json!(null)),
        ("iat", json!("x")),
        ("iss", json!("https://evil.example")),
        ("aud", json!(7)),
        ("sub", json!(null)),
    ] {
        assert!(sign(AccessToken, &with(name, value.clone())).is_err(), "{name} {value}");
    }
});

on_both!(what_is_disabled_has_no_tokens, |world| {
    let (app, web, browser, wallet) = (App::public(&world, "app"), App::confidential(&world, "web"), Browser::new(&world), Wallet::new(1));
    let (of_app, of_web) = (app.tokens(&browser, &wallet).await.access, web.tokens(&browser, &wallet).await.access);
    let (now, store) = (world.clock.now(), &world.state.store);
    store.set_client_disabled(&"web".parse().unwrap(), Some(now), now).await.unwrap();
    web.assert_refused(&of_web, "its client is disabled").await;
    store.set_account_disabled(store.accounts().await.unwrap().remove(0).id, Some(now), now).await.unwrap();
    app.assert_refused(&of_app, "its account is disabled").await;
});

on_both!(a_token_ends_with_its_time_its_client_and_its_account, |world| {
    let (app, web, browser, wallet) = (App::public(&world, "app"), App::confidential(&world, "web"), Browser::new(&world), Wallet::new(1));
    let (of_app, of_web) = (app.tokens(&browser, &wallet).await.access, web.tokens(&browser, &wallet).await.access);
    let (now, id) = (world.clock.now(), "web".parse().unwrap());
    world.state.store.set_client_disabled(&id, Some(now), now).await.unwrap();
    web.assert_refused(&of_web, "its client is disabled").await;
    assert_eq!(app.userinfo(&of_app).await.status, 200);
    world.state.store.set_client_disabled(&id, None, now).await.unwrap();
    world.forget_clients(&["web"]).await;
    web.assert_refused(&of_web, "it is of the time before the client was disabled").await;
    let account = world.state.store.accounts().await.unwrap().remove(0).id;
    world.state.store.set_account_disabled(account, Some(now), now).await.unwrap();
    app.assert_refused(&of_app, "its account is disabled").await;
    world.state.store.set_account_disabled(account, None, now).await.unwrap();
    app.assert_refused(&of_app, "it is of the time before the account was disabled").await;
    world.clock.advance(Duration::from_secs(1));
    let of_app = app.tokens(&Browser::new(&world), &wallet).await.access;
    world.clock.advance(Duration::from_secs(3_599));
    assert_eq!(app.userinfo(&of_app).await.status, 200);
    world.clock.advance(Duration::from_secs(1));
    app.assert_refused(&of_app, "it has expired").await;
    world.state.store.delete_client(&"web".parse().unwrap()).await.unwrap();
    web.assert_refused(&of_web, "its client is gone").await;
});

on_both!(each_scope_tells_what_is_its_own, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let page = browser.sign_in_to_account(&wallet).await;
    world.clock.advance(Duration::from_mins(1));
    let profile = Form::of(&[
        ("csrf", &page.csrf()),
        ("name", "Ada <b>Lovelace</b>"),
        ("given_name", ""),
        ("locale", "en-GB"),
        ("birthdate", "1815-12-10"),
        ("picture", "https://a.example/x.png"),
    ]);
    assert_eq!(browser.post_form("/account/profile", &profile).await.location(), "/account?saved=1#profile");
    let tokens = async |scope: &str| {
        let back = browser.authorize(&app.request().with("scope", scope), &wallet).await;
        Tokens::read(&app.redeem(&back.query("code").unwrap()).await)
    };
    let of = tokens("openid").await;
    let sub = of.claims().1["sub"].clone();
    assert_eq!(app.userinfo(&of.access).await.json(), json!({ "sub": sub }));
    let of = tokens("openid email").await;
    assert_eq!(app.userinfo(&of.access).await.json(), json!({ "sub": sub, "ethereum_address": wallet.address }));
    let of = tokens("openid profile").await;
    // What is empty is left out; the time is a number.
    let profile = json!({ "sub": sub, "name": "Ada <b>Lovelace</b>", "locale": "en-GB", "birthdate": "1815-12-10", "picture": "https://a.example/x.png", "updated_at": BEGINNING + 60 });
    assert_eq!(app.userinfo(&of.access).await.json(), profile);

    let bare = tokens("email").await;
    assert_eq!(bare.reply.get("id_token"), None, "no openid, no ID token");
    let answer = app.userinfo(&bare.access).await;
    assert_eq!(answer.error(), (403, "insufficient_scope".into()));
    assert!(answer.header("www-authenticate").starts_with("Bearer error=\"insufficient_scope\""));
    assert_eq!(of.claims().0["iss"], ISSUER);
});
