//! `/logout`: it asks first, unless the app proves that this very session is its own; it ends the session of this browser alone, and leads
//! nowhere but to a registered address.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::actors::{App, Browser, Form, Wallet, decode};
use crate::world::FORM;
use crate::{forge, on_both, on_one};

const BYE: &str = "https://app.example/bye";

async fn confirm(browser: &Browser<'_>, form: &Form) -> crate::actors::Answer {
    let page = browser.get(&format!("/logout?{}", form.encode())).await;
    assert!(page.status == 200 && page.body.contains("Sign out?"), "{} {}", page.status, page.body);
    browser.post_form("/logout/confirm", &page.form("/logout/confirm")).await
}

async fn signed_in(browser: &Browser<'_>) -> bool {
    browser.get("/account").await.status == 200
}

on_both!(a_person_is_asked_and_then_led_back, |world| {
    let (app, browser, other, wallet) = (App::public(&world, "app"), Browser::new(&world), Browser::new(&world), Wallet::new(1));
    app.tokens(&other, &wallet).await;
    app.tokens(&browser, &wallet).await;
    let session = browser.cookie("latchkey_session").unwrap();
    let form = Form::of(&[("client_id", "app"), ("post_logout_redirect_uri", BYE), ("state", "a b&c")]);
    let page = browser.get(&format!("/logout?{}", form.encode())).await;
    assert!(page.body.contains("The app client") && signed_in(&browser).await, "nothing has happened yet");
    assert!(page.header("content-security-policy").ends_with("form-action 'self' https://app.example"));
    let back = confirm(&browser, &form).await;
    assert_eq!((back.status, back.location()), (303, "https://app.example/bye?state=a+b%26c"));
    assert_eq!(browser.cookie("latchkey_session"), None);
    browser.set_cookie("latchkey_session", &session);
    assert!(!signed_in(&browser).await, "the old cookie is worth nothing");
    assert!(signed_in(&other).await, "another browser of the same person");
});

on_both!(a_hint_of_this_session_needs_no_question, |world| {
    let (app, browser, other, wallet) = (App::public(&world, "app"), Browser::new(&world), Browser::new(&world), Wallet::new(1));
    app.tokens(&other, &wallet).await;
    let tokens = app.tokens(&browser, &wallet).await;
    let session = browser.cookie("latchkey_session").unwrap();
    let form = Form::of(&[
        ("id_token_hint", &tokens.id),
        ("client_id", "app"),
        ("post_logout_redirect_uri", BYE),
        ("state", "a b&c"),
        ("logout_hint", "somebody"),
        ("ui_locales", "de fr"),
    ]);
    let path = format!("/logout?{}", form.encode());
    // What the browser did not go to itself is answered with the question.
    for (name, value) in [("sec-fetch-dest", "image"), ("sec-fetch-dest", "iframe"), ("sec-purpose", "prefetch")] {
        let answer = browser.send(browser.request(Method::GET, &path).header(name, value)).await;
        assert!(answer.status == 200 && answer.body.contains("Sign out?"), "{name}: {value}");
        assert!(signed_in(&browser).await);
    }
    let back = browser.send(browser.request(Method::GET, &path).header("sec-fetch-dest", "document")).await;
    assert_eq!((back.status, back.location()), (303, "https://app.example/bye?state=a+b%26c"));
    assert_eq!(browser.cookie("latchkey_session"), None);
    browser.set_cookie("latchkey_session", &session);
    assert!(!signed_in(&browser).await, "the old cookie is worth nothing");
    assert!(signed_in(&other).await, "another browser of the same person");
    // Whoever is out is told so by prompt=none, and led back all the same.
    let silent = browser.auth(&app.request().with("prompt", "none")).await;
    assert_eq!(silent.query("error").as_deref(), Some("login_required"));
    assert_eq!(browser.get(&path).await.location(), "https://app.example/bye?state=a+b%26c");
});

on_both!(a_hint_of_another_session_is_asked_about, |world| {
    let (app, browser, other) = (App::public(&world, "app"), Browser::new(&world), Browser::new(&world));
    let of_another_browser = app.tokens(&other, &Wallet::new(1)).await.id;
    let of_another_person = app.tokens(&other, &Wallet::new(2)).await.id;
    let own = app.tokens(&browser, &Wallet::new(1)).await.id;
    for hint in [&of_another_browser, &of_another_person] {
        let form = Form::of(&[("id_token_hint", hint), ("post_logout_redirect_uri", BYE)]);
        assert_eq!(confirm(&browser, &form).await.location(), BYE);
        assert!(!signed_in(&browser).await && signed_in(&other).await);
        browser.sign_in_to_account(&Wallet::new(1)).await;
    }
    // That session has ended; a new one is not its continuation.
    let page = browser.get(&format!("/logout?{}", Form::of(&[("id_token_hint", &own)]).encode())).await;
    assert!(page.body.contains("Sign out?"), "{}", page.body);
    assert!(signed_in(&browser).await);
});

on_both!(a_new_proof_of_the_same_person_keeps_the_session, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let first = app.tokens(&browser, &wallet).await;
    let back = browser.authorize(&app.request().with("prompt", "login"), &wallet).await;
    let second = app.redeem(&back.query("code").unwrap()).await.json()["id_token"].as_str().unwrap().to_owned();
    assert_eq!(decode(&first.id).1["sid"], decode(&second).1["sid"]);
    // So the older ID token still proves whose session it is.
    let form = Form::of(&[("id_token_hint", &first.id), ("post_logout_redirect_uri", BYE)]);
    assert_eq!(browser.get(&format!("/logout?{}", form.encode())).await.location(), BYE);
    // Another person in the same browser is another session.
    let third = app.tokens(&browser, &wallet).await;
    let back = browser.authorize(&app.request().with("prompt", "login"), &Wallet::new(2)).await;
    let fourth = app.redeem(&back.query("code").unwrap()).await.json()["id_token"].as_str().unwrap().to_owned();
    assert_ne!(decode(&third.id).1["sid"], decode(&fourth).1["sid"]);
});

on_both!(an_address_keeps_its_query_and_gets_the_state_as_it_was, |world| {
    world
        .client("query", |client| {
            client.post_logout_redirect_uris =
                vec!["https://app.example/bye?a=b%20c".parse().unwrap(), "com.example.app:/bye".parse().unwrap()];
        })
        .await;
    let browser = Browser::new(&world);
    for (uri, state, location) in [
        ("https://app.example/bye?a=b%20c", None, "https://app.example/bye?a=b%20c"),
        ("https://app.example/bye?a=b%20c", Some("x=1&y"), "https://app.example/bye?a=b%20c&state=x%3D1%26y"),
        // RFC 6749 §3.1: a parameter without a value counts as left out.
        ("https://app.example/bye?a=b%20c", Some(""), "https://app.example/bye?a=b%20c"),
        ("com.example.app:/bye", Some("s"), "com.example.app:/bye?state=s"),
        // `query added` is another address.
        ("https://app.example/bye?a=b%20c&d=e", Some("s"), "/logged-out"),
        ("https://app.example/bye", Some("s"), "/logged-out"),
    ] {
        let mut form = Form::of(&[("client_id", "query"), ("post_logout_redirect_uri", uri)]);
        if let Some(state) = state {
            form = form.with("state", state);
        }
        assert_eq!(browser.get(&format!("/logout?{}", form.encode())).await.location(), location, "{uri} {state:?}");
    }
    // Only a state: there is nowhere to send it.
    assert_eq!(browser.get("/logout?client_id=query&state=s").await.location(), "/logged-out");
});

on_both!(only_the_registered_address_is_led_to, |world| {
    world.client("other", |client| client.post_logout_redirect_uris = vec!["https://other.example/bye".parse().unwrap()]).await;
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let tokens = app.tokens(&browser, &wallet).await;
    for uri in [
        "https://app.example/bye/",
        "https://app.example/bye?x",
        "https://app.example/bye#x",
        "https://app.example/BYE",
        "https://app.example@evil.example/bye",
        "https://app.example.evil.example/bye",
        "//evil.example/bye",
        "/\\evil.example",
        "/account",
        "https://app.example/bye\n",
        "\thttps://app.example/bye",
        "javascript:alert(1)",
        "https://other.example/bye",
        "https://app.example/callback",
        "https://app.example/%62ye",
    ] {
        let form = Form::of(&[("id_token_hint", &tokens.id), ("post_logout_redirect_uri", uri)]);
        // Even with a hint of this session: where a wish is wrong in one part, the person is told so and asked.
        assert!(browser.get(&format!("/logout?{}", form.encode())).await.body.contains("not one that an app has registered"), "{uri}");
        let answer = confirm(&browser, &form).await;
        assert_eq!((answer.status, answer.location()), (303, "/logged-out"), "{uri}");
        // Without a session there is nothing to ask, and the same rule.
        assert_eq!(browser.get(&format!("/logout?{}", form.encode())).await.location(), "/logged-out", "{uri}");
        browser.sign_in_to_account(&wallet).await;
    }
    // Without a client there is no address at all.
    for form in [
        Form::of(&[("post_logout_redirect_uri", BYE)]),
        Form::of(&[("post_logout_redirect_uri", BYE), ("client_id", "nobody")]),
        Form::of(&[("post_logout_redirect_uri", BYE), ("client_id", "other")]),
    ] {
        assert_eq!(confirm(&browser, &form).await.location(), "/logged-out", "{form:?}");
        browser.sign_in_to_account(&wallet).await;
    }
    let named = Form::of(&[("post_logout_redirect_uri", BYE), ("client_id", "app")]);
    assert_eq!(confirm(&browser, &named).await.location(), BYE);
});

on_both!(a_hint_is_believed_only_if_it_is_ours, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let tokens = app.tokens(&browser, &wallet).await;
    let (header, claims) = decode(&tokens.id);
    let mut elsewhere = claims.clone();
    elsewhere["iss"] = json!("https://evil.example");
    let none = forge::assemble(&json!({ "alg": "none", "typ": "JWT", "kid": header["kid"] }), &claims, b"");
    let tampered = format!("{}.{}.{}", forge::part(&header), forge::part(&elsewhere), tokens.id.rsplit('.').next().unwrap());
    let signed_by_another = forge::self_signed(&header["kid"], "JWT", &claims);
    for (what, hint) in [
        ("none", &none),
        ("tampered", &tampered),
        ("another key", &signed_by_another),
        ("an access token", &tokens.access),
        ("another issuer's", &forge::self_signed(&header["kid"], "JWT", &elsewhere)),
        ("nonsense", &"x".to_owned()),
    ] {
        let form = Form::of(&[("id_token_hint", hint), ("post_logout_redirect_uri", BYE)]);
        assert_eq!(confirm(&browser, &form).await.location(), "/logged-out", "{what}");
        browser.sign_in_to_account(&wallet).await;
        // Nor does a client's name beside it help.
        assert_eq!(confirm(&browser, &form.with("client_id", "app")).await.location(), "/logged-out", "{what}");
        browser.sign_in_to_account(&wallet).await;
    }
    let mismatch = Form::of(&[("id_token_hint", &tokens.id), ("client_id", "web"), ("post_logout_redirect_uri", BYE)]);
    assert_eq!(confirm(&browser, &mismatch).await.location(), "/logged-out");
    browser.sign_in_to_account(&wallet).await;
    // RP-Initiated Logout §2: one that has expired is accepted.
    world.clock.advance(Duration::from_hours(2));
    assert_eq!(confirm(&browser, &Form::of(&[("id_token_hint", &tokens.id), ("post_logout_redirect_uri", BYE)])).await.location(), BYE);
});

on_both!(nobody_else_can_sign_a_person_out, |world| {
    let (app, browser, other, wallet) = (App::public(&world, "app"), Browser::new(&world), Browser::new(&world), Wallet::new(1));
    app.tokens(&browser, &wallet).await;
    let csrf = browser.get("/logout").await.csrf();
    other.sign_in_to_account(&Wallet::new(2)).await;
    let foreign = other.get("/logout").await.csrf();
    for forged in ["", "x", &foreign] {
        assert!(browser.post("/logout/confirm", &[("csrf", forged)]).await.is_error_page(403));
    }
    assert!(browser.post("/logout/confirm", &[]).await.is_error_page(403));
    let cross = browser
        .request(Method::POST, "/logout/confirm")
        .header("origin", "https://evil.example")
        .header("content-type", FORM)
        .body(format!("csrf={csrf}"));
    assert!(browser.send(cross).await.is_error_page(403));
    assert!(signed_in(&browser).await);
    assert_eq!(browser.post("/logout/confirm", &[("csrf", &csrf)]).await.location(), "/logged-out");
    assert!(!signed_in(&browser).await && signed_in(&other).await);
});

on_both!(an_app_may_post_its_wish_from_its_own_site, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let tokens = app.tokens(&browser, &wallet).await;
    let form = Form::of(&[("id_token_hint", &tokens.id), ("post_logout_redirect_uri", BYE), ("state", "s")]);
    let kept = browser.post_cross_site("/logout", &Form::of(&[("client_id", "app"), ("post_logout_redirect_uri", BYE)])).await;
    let page = browser.get(kept.location()).await;
    assert!(page.status == 200 && page.body.contains("The app client"), "{}", page.body);
    assert!(signed_in(&browser).await, "a form of another site signs nobody out");
    let kept = browser.post_cross_site("/logout", &form).await;
    assert!(kept.status == 303 && kept.location().starts_with("/logout?form=") && !kept.location().contains("eyJ"), "{}", kept.location());
    assert!(signed_in(&browser).await, "the form came without the cookie");
    assert_eq!(browser.get(kept.location()).await.location(), "https://app.example/bye?state=s");
    assert!(!signed_in(&browser).await);
});

on_one!(a_page_for_those_who_are_out, |world| {
    let browser = Browser::new(&world);
    let form = Form::of(&[("client_id", "app"), ("post_logout_redirect_uri", BYE), ("state", "s")]);
    assert_eq!(browser.get(&format!("/logout?{}", form.encode())).await.location(), "https://app.example/bye?state=s");
    assert_eq!(browser.get("/logout").await.location(), "/logged-out");
    assert_eq!(browser.get("/logged-out").await.status, 200);
    assert!(browser.get("/logout?client_id=app&client_id=web").await.is_error_page(400));
});
