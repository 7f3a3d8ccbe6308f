//! When a person is asked again: `prompt`, `max_age`, `id_token_hint`, and an `auth_time` that is true.

use std::time::Duration;

use serde_json::json;

use crate::actors::{App, Browser, Tokens, Wallet};
use crate::on_both;
use crate::world::{BEGINNING, ISSUER};

const HOUR: Duration = Duration::from_hours(1);

on_both!(prompt_none_shows_no_page_whatever_is_lacking, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let silent = app.request().with("prompt", "none");
    let nobody = browser.auth(&silent).await;
    assert_eq!((nobody.query("error").as_deref(), nobody.query("iss").as_deref()), (Some("login_required"), Some(ISSUER)));
    assert_eq!(browser.cookie("latchkey_browser"), None, "nothing was begun");
    browser.sign_in_to_account(&wallet).await;
    assert_eq!(browser.auth(&silent).await.query("error").as_deref(), Some("consent_required"));
    app.tokens(&browser, &wallet).await;
    assert_eq!(browser.auth(&silent).await.query("code").unwrap().len(), 52);
    world.client("other", |_| {}).await;
    assert_eq!(
        browser.auth(&silent.clone().with("client_id", "other")).await.query("error").as_deref(),
        Some("consent_required"),
        "one app's consent is not another's"
    );
    world.clock.advance(HOUR);
    assert_eq!(browser.auth(&silent.with("max_age", "3599")).await.query("error").as_deref(), Some("login_required"));
});

on_both!(prompt_login_and_select_account_ask_for_a_new_sign_in, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    app.tokens(&browser, &wallet).await;
    for (round, prompt) in ["login", "select_account", "create", "login consent"].into_iter().enumerate() {
        world.clock.advance(HOUR);
        let interaction = browser.begin(&app.request().with("prompt", prompt)).await;
        assert!(browser.get(&interaction).await.is_sign_in(), "{prompt}");
        // Coming back without having signed in changes nothing.
        assert!(browser.get(&interaction).await.is_sign_in(), "{prompt}");
        let back = browser.go_on(&interaction, &wallet).await;
        let (_, id) = Tokens::read(&app.redeem(&back.query("code").unwrap()).await).claims();
        assert_eq!(id["auth_time"], json!(BEGINNING + 3_600 * (i64::try_from(round).unwrap() + 1)), "{prompt}");
    }
});

on_both!(prompt_consent_asks_again_once, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    app.tokens(&browser, &wallet).await;
    world.clock.advance(HOUR);
    let interaction = browser.begin(&app.request().with("prompt", "consent")).await;
    assert!(browser.get(&interaction).await.is_consent());
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(browser.decide(&interaction, "allow").await.location(), interaction);
    let (_, id) = Tokens::read(&app.redeem(&browser.get(&interaction).await.query("code").unwrap()).await).claims();
    assert_eq!((&id["auth_time"], &id["iat"]), (&json!(BEGINNING), &json!(BEGINNING + 3_605)), "asked for consent, not for a sign-in");
});

on_both!(max_age_asks_again_when_the_sign_in_is_older, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    app.tokens(&browser, &wallet).await;
    world.clock.advance(HOUR);
    let fits = browser.auth(&app.request().with("max_age", "3600")).await;
    let (access, id) = Tokens::read(&app.redeem(&fits.query("code").unwrap()).await).claims();
    assert_eq!((&id["auth_time"], &access["auth_time"], &id["iat"]), (&json!(BEGINNING), &json!(BEGINNING), &json!(BEGINNING + 3_600)));

    for too_short in ["3599", "1", "0"] {
        let interaction = browser.begin(&app.request().with("max_age", too_short)).await;
        assert!(browser.get(&interaction).await.is_sign_in(), "{too_short}");
    }
    let back = browser.authorize(&app.request().with("max_age", "10"), &wallet).await;
    let (_, id) = Tokens::read(&app.redeem(&back.query("code").unwrap()).await).claims();
    assert_eq!(id["auth_time"], json!(BEGINNING + 3_600));
});

// OpenID Connect Core §3.1.2.1: "the Authorization Server returns a positive response only if the End-User identified by the ID Token is logged in".
on_both!(a_hint_at_another_person_is_login_required, |world| {
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    let (one, two) = (Wallet::new(1), Wallet::new(2));
    let of_one = app.tokens(&browser, &one).await.id;
    let stranger = Browser::new(&world);
    let of_two = app.tokens(&stranger, &two).await.id;

    let hinted = |token: &str| app.request().with("id_token_hint", token);
    for prompt in ["none", ""] {
        let same = browser.auth(&hinted(&of_one).with("prompt", prompt)).await;
        assert_eq!(same.query("code").map(|code| code.len()), Some(52), "{prompt}: {}", same.location());
    }
    let other = browser.auth(&hinted(&of_two).with("prompt", "none")).await;
    assert_eq!((other.query("error").as_deref(), other.query("code")), (Some("login_required"), None));
    // With pages allowed, the other person may sign in now, and nobody else may take their place.
    let interaction = browser.begin(&hinted(&of_two)).await;
    assert!(browser.get(&interaction).await.is_sign_in());
    assert_eq!(browser.go_on(&interaction, &one).await.query("error").as_deref(), Some("login_required"));
    let back = browser.authorize(&hinted(&of_two), &two).await;
    let (_, id) = Tokens::read(&app.redeem(&back.query("code").unwrap()).await).claims();
    assert_eq!(id["sub"], crate::actors::decode(&of_two).1["sub"]);

    // One that has expired still names its person; what is no ID token of ours names nobody, and nobody is let in for it.
    world.clock.advance(HOUR * 2);
    assert_eq!(browser.auth(&hinted(&of_one).with("prompt", "none")).await.query("error").as_deref(), Some("login_required"));
    assert!(browser.auth(&hinted(&of_two).with("prompt", "none")).await.query("code").is_some());
    let (header, claims) = crate::actors::decode(&of_two);
    let unsigned = crate::forge::assemble(&json!({ "alg": "none", "typ": header["typ"], "kid": header["kid"] }), &claims, b"");
    for bad in [unsigned.as_str(), "nonsense"] {
        assert_eq!(browser.auth(&hinted(bad)).await.query("error").as_deref(), Some("invalid_request"), "{bad}");
    }
});
