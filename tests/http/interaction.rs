//! A visit belongs to the browser that began it: its id in a URL, a token of another page or a form of another site is never enough.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::actors::{App, Browser, Form, Wallet};
use crate::on_both;
use crate::world::{FORM, ISSUER, REDIRECT_URI};

const STEPS: [&str; 3] = ["consent", "switch", "cancel"];

// Dex CVE-2022-39222: an approval that could be reached by the request's id alone.
on_both!(the_id_of_a_visit_is_worth_nothing_in_another_browser, |world| {
    let (app, victim, attacker) = (App::public(&world, "app"), Browser::new(&world), Browser::new(&world));
    let interaction = victim.begin(&app.request()).await;
    let stranger = Browser::new(&world);
    assert!(stranger.get(&interaction).await.is_error_page(403), "no cookie at all");
    // With a visit, a cookie and a token of its own.
    let own = attacker.begin(&app.request()).await;
    let csrf = attacker.get(&own).await.csrf();
    assert!(attacker.get(&interaction).await.is_error_page(410));
    for step in STEPS {
        let answer = attacker.post(&format!("{interaction}/{step}"), &[("csrf", &csrf), ("decision", "allow")]).await;
        assert!(answer.is_error_page(410), "{step}: {} {}", answer.status, answer.body);
    }
    let wallet = Wallet::new(2);
    let answer =
        attacker.post_json(&format!("{interaction}/wallet/challenge"), &csrf, &json!({ "address": wallet.address, "chain_id": 137 })).await;
    assert_eq!(answer.error(), (410, "interaction_gone".into()));
    // Not even when the victim has come as far as the consent page.
    victim.sign_in(&interaction, &Wallet::new(1)).await;
    assert!(attacker.get(&interaction).await.is_error_page(410));
    assert!(victim.get(&interaction).await.is_consent());
});

on_both!(a_form_must_come_from_our_own_page_in_this_browser, |world| {
    let (app, browser, other) = (App::public(&world, "app"), Browser::new(&world), Browser::new(&world));
    let interaction = browser.begin(&app.request()).await;
    browser.sign_in(&interaction, &Wallet::new(1)).await;
    let good = browser.get(&interaction).await.csrf();
    let own = other.begin(&app.request()).await;
    let foreign = other.get(&own).await.csrf();
    let changed = format!("{}{}", &good[1..], &good[..1]);
    for step in STEPS {
        let path = format!("{interaction}/{step}");
        for csrf in ["", "x", foreign.as_str(), changed.as_str(), &good[..42], &browser.cookie("latchkey_browser").unwrap()] {
            assert!(browser.post(&path, &[("csrf", csrf), ("decision", "allow")]).await.is_error_page(403), "{step} {csrf}");
        }
        assert!(browser.post(&path, &[("decision", "allow")]).await.is_error_page(403), "{step}");
        assert!(browser.post(&path, &[("csrf", &good), ("csrf", &good), ("decision", "allow")]).await.is_error_page(400), "{step}");
        // A token in the address is no token.
        assert!(browser.post(&format!("{path}?csrf={good}"), &[("decision", "allow")]).await.is_error_page(403), "{step}");
        for origin in [
            "https://evil.example",
            "null",
            "http://localhost:8081",
            "https://localhost:8080",
            "http://localhost:8080.evil.example",
            "http://LOCALHOST:8080",
            "file://",
        ] {
            let form = Form::of(&[("csrf", &good), ("decision", "allow")]);
            let request = browser.request(Method::POST, &path).header("origin", origin).header("content-type", FORM).body(form.encode());
            assert!(browser.send(request).await.is_error_page(403), "{step} {origin}");
        }
        let get = browser.get(&format!("{path}?csrf={good}&decision=allow")).await;
        assert!([404, 405].contains(&get.status), "{step}: {}", get.status);
    }
    assert!(browser.get(&interaction).await.is_consent(), "nothing of that did anything");
    let form = Form::of(&[("csrf", &good), ("decision", "allow")]);
    let request = browser
        .request(Method::POST, &format!("{interaction}/consent"))
        .header("origin", ISSUER)
        .header("content-type", FORM)
        .body(form.encode());
    assert_eq!(browser.send(request).await.location(), interaction, "a form of our own origin");
});

on_both!(the_steps_of_the_wallet_want_the_token_too, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let interaction = browser.begin(&app.request()).await;
    let asked = browser.ask(&interaction, &wallet).await;
    let body = json!({ "challenge": asked.challenge, "signature": wallet.sign(&asked.message) });
    for csrf in ["", "x", &"A".repeat(43)] {
        let challenge = browser
            .post_json(&format!("{interaction}/wallet/challenge"), csrf, &json!({ "address": wallet.address, "chain_id": 137 }))
            .await;
        assert_eq!(challenge.error(), (403, "wrong_browser".into()), "{csrf}");
        let signature = browser.post_json(&format!("{interaction}/wallet/signature"), csrf, &body).await;
        assert_eq!(signature.error(), (403, "wrong_browser".into()), "{csrf}");
        assert!(signature.set_cookies().is_empty());
    }
    let request = browser
        .request(Method::POST, &format!("{interaction}/wallet/signature"))
        .header("origin", "https://evil.example")
        .header("x-csrf-token", &asked.csrf);
    assert_eq!(
        browser.send(request.header("content-type", "application/json").body(body.to_string())).await.error(),
        (403, "wrong_browser".into())
    );
    assert_eq!(browser.answer(&interaction, &asked, &wallet.sign(&asked.message)).await.status, 200, "none of that burnt the challenge");
});

on_both!(a_visit_ends_once, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let interaction = browser.begin(&app.request()).await;
    let back = browser.go_on(&interaction, &wallet).await;
    assert!(back.query("code").is_some());
    let again = browser.get(&interaction).await;
    assert!(again.is_error_page(410), "the back button gives no second code: {}", again.status);

    let interaction = browser.begin(&app.request().with("prompt", "login")).await;
    world.clock.advance(Duration::from_secs(3_599));
    let csrf = browser.get(&interaction).await.csrf();
    world.clock.advance(Duration::from_secs(1));
    assert!(browser.get(&interaction).await.is_error_page(410), "an hour is over");
    assert!(browser.post(&format!("{interaction}/cancel"), &[("csrf", &csrf)]).await.is_error_page(410));
    for nowhere in ["/interaction/00000000-0000-0000-0000-000000000000", "/interaction/x", "/interaction/", "/interaction/..%2faccount"] {
        assert!([404, 410].contains(&browser.get(nowhere).await.status), "{nowhere}");
    }
});

// However often and at once a finished page is loaded, there is one code.
on_both!(twenty_loads_of_a_finished_visit_give_one_code, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    app.tokens(&browser, &wallet).await;
    world.clock.advance(Duration::from_mins(1));
    let interaction = browser.begin(&app.request().with("prompt", "login")).await;
    browser.sign_in(&interaction, &wallet).await;
    let answers = futures_util::future::join_all((0..20).map(|_| browser.get(&interaction))).await;
    let codes = answers.iter().filter(|answer| answer.query("code").is_some()).count();
    let over = answers.iter().filter(|answer| answer.is_error_page(410)).count();
    assert_eq!((codes, over), (1, 19));
});

on_both!(cancel_and_deny_tell_the_app_and_end_the_visit, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let interaction = browser.begin(&app.request()).await;
    let csrf = browser.get(&interaction).await.csrf();
    let back = browser.post(&format!("{interaction}/cancel"), &[("csrf", &csrf)]).await;
    let told = |answer: &crate::actors::Answer| {
        assert_eq!(answer.status, 303);
        assert!(answer.location().starts_with(REDIRECT_URI), "{}", answer.location());
        let form = answer.redirect();
        (form.get("error").to_owned(), form.get("state").to_owned(), form.get("iss").to_owned())
    };
    let denied = ("access_denied".to_owned(), "a state".to_owned(), ISSUER.to_owned());
    assert_eq!(told(&back), denied);
    assert!(browser.get(&interaction).await.is_error_page(410));

    let interaction = browser.begin(&app.request()).await;
    browser.sign_in(&interaction, &wallet).await;
    for decision in ["deny", "", "ALLOW"] {
        let interaction = browser.begin(&app.request()).await;
        assert_eq!(told(&browser.decide(&interaction, decision).await), denied, "{decision}");
        assert!(browser.get(&interaction).await.is_error_page(410));
    }
    // No is not remembered as yes.
    assert!(browser.get(&interaction).await.is_consent());
});

on_both!(consent_is_remembered_until_more_is_asked, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let less = app.request().with("scope", "openid email");
    assert!(browser.authorize(&less, &wallet).await.query("code").is_some());
    for covered in ["openid email", "openid", "email openid", "email"] {
        assert!(browser.auth(&less.clone().with("scope", covered)).await.query("code").is_some(), "{covered}");
    }
    let interaction = browser.begin(&app.request()).await;
    let page = browser.get(&interaction).await;
    assert!(
        page.is_consent()
            && page.body.contains("asks for more")
            && page.body.contains("app.example")
            && page.body.contains("The app client"),
        "{}",
        page.body
    );
    assert!(browser.decide(&interaction, "deny").await.query("error").is_some());
    assert!(browser.auth(&less).await.query("code").is_some(), "what was agreed before stays agreed");
    let interaction = browser.begin(&app.request()).await;
    assert_eq!(browser.decide(&interaction, "allow").await.location(), interaction);
    assert!(browser.get(&interaction).await.query("code").is_some());
    assert!(browser.auth(&less).await.query("code").is_some() && browser.auth(&app.request()).await.query("code").is_some());
    // It is this person's, at this app.
    let other = Browser::new(&world);
    let interaction = other.begin(&app.request()).await;
    other.sign_in(&interaction, &Wallet::new(2)).await;
    assert!(other.get(&interaction).await.is_consent());
});

on_both!(consent_without_a_sign_in_is_nobodys, |world| {
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    let interaction = browser.begin(&app.request()).await;
    let csrf = browser.get(&interaction).await.csrf();
    assert_eq!(browser.post(&format!("{interaction}/consent"), &[("csrf", &csrf), ("decision", "allow")]).await.location(), interaction);
    assert!(browser.get(&interaction).await.is_sign_in());
    browser.sign_in(&interaction, &Wallet::new(1)).await;
    assert!(browser.get(&interaction).await.is_consent());
});

on_both!(switching_ends_the_session_and_asks_another_wallet, |world| {
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    let interaction = browser.begin(&app.request()).await;
    browser.sign_in(&interaction, &Wallet::new(1)).await;
    let (csrf, old) = (browser.get(&interaction).await.csrf(), browser.cookie("latchkey_session").unwrap());
    let back = browser.post(&format!("{interaction}/switch"), &[("csrf", &csrf)]).await;
    assert_eq!((back.location(), browser.cookie("latchkey_session")), (interaction.as_str(), None));
    browser.set_cookie("latchkey_session", &old);
    assert!(browser.get(&interaction).await.is_sign_in(), "the old cookie is worth nothing");
    let back = browser.go_on(&interaction, &Wallet::new(2)).await;
    let tokens = crate::actors::Tokens::read(&app.redeem(&back.query("code").unwrap()).await);
    assert_eq!(app.userinfo(&tokens.access).await.json()["ethereum_address"], json!(Wallet::new(2).address));
});

// CVE-2024-7341: whoever planted a session id before the sign-in must hold nothing after it.
on_both!(every_sign_in_makes_a_new_session_id, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let planted = "A".repeat(43);
    browser.set_cookie("latchkey_session", &planted);
    let mut seen = vec![planted];
    for _ in 0..3 {
        let interaction = browser.begin(&app.request().with("prompt", "login")).await;
        browser.sign_in(&interaction, &wallet).await;
        let session = browser.cookie("latchkey_session").unwrap();
        assert!(!seen.contains(&session));
        for old in &seen {
            let thief = Browser::new(&world);
            thief.set_cookie("latchkey_session", old);
            assert!(thief.get("/account").await.location().starts_with("/interaction/"), "an older id still works");
        }
        seen.push(session);
    }
});

on_both!(a_disabled_account_is_out_at_once, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let tokens = app.tokens(&browser, &wallet).await;
    let waiting = browser.auth(&app.request()).await.query("code").unwrap();
    let account = world.state.store.accounts().await.unwrap().remove(0).id;
    assert!(world.state.store.set_account_disabled(account, Some(world.clock.now()), world.clock.now()).await.unwrap());
    assert!(browser.auth(&app.request()).await.location().starts_with("/interaction/"), "its session is over");
    app.assert_refused(&tokens.access, "its token").await;
    assert_eq!(app.redeem(&waiting).await.error(), (400, "invalid_grant".into()), "its code");
    let interaction = browser.begin(&app.request()).await;
    let refused = browser.sign_in(&interaction, &wallet).await;
    assert_eq!(refused.error(), (403, "account_disabled".into()));
    assert!(refused.set_cookies().is_empty() && browser.get(&interaction).await.is_sign_in());
});

on_both!(who_agrees_is_the_one_whom_the_page_named, |world| {
    let (app, browser, one, two) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1), Wallet::new(2));
    let interaction = browser.begin(&app.request()).await;
    browser.sign_in(&interaction, &one).await;
    let of_one = browser.get(&interaction).await.form("/consent").with("decision", "allow");
    // In another tab somebody else signs in; the page that is still open was not for them.
    let other = browser.begin(&app.request().with("prompt", "login")).await;
    browser.sign_in(&other, &two).await;
    for stale in [of_one.clone(), of_one.clone().without("account"), of_one.clone().with("account", "0x")] {
        assert_eq!(browser.post_form(&format!("{interaction}/consent"), &stale).await.location(), interaction);
        let page = browser.get(&interaction).await;
        assert!(page.is_consent() && page.body.contains(&two.address.to_string()), "{stale:?}");
    }
    assert_eq!(browser.decide(&interaction, "allow").await.location(), interaction);
    assert!(browser.get(&interaction).await.query("code").is_some());
});
