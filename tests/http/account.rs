//! The account page: its forms come from itself, what they save is checked, and what they end has ended.

use std::time::Duration;

use reqwest::Method;

use crate::actors::{App, Browser, Form, Wallet};
use crate::on_both;
use crate::world::FORM;

const FORMS: [&str; 8] = [
    "/account/profile",
    "/account/sign-out",
    "/account/sign-out-everywhere",
    "/account/apps/withdraw",
    "/account/sessions/end",
    "/account/ways/add",
    "/account/ways/remove",
    "/account/ways/rename",
];

on_both!(its_forms_must_come_from_itself, |world| {
    let (app, browser, other) = (App::public(&world, "app"), Browser::new(&world), Browser::new(&world));
    let tokens = app.tokens(&browser, &Wallet::new(1)).await;
    let good = browser.get("/account").await.csrf();
    let foreign = other.sign_in_to_account(&Wallet::new(2)).await.csrf();
    for path in FORMS {
        let form = Form::of(&[("client_id", "app"), ("name", "Mallory")]);
        for forged in [form.clone(), form.clone().with("csrf", "x"), form.clone().with("csrf", &foreign)] {
            assert!(browser.post_form(path, &forged).await.is_error_page(403), "{path}");
        }
        assert!(browser.post_form(&format!("{path}?csrf={good}"), &form).await.is_error_page(403), "{path}");
        for origin in ["https://evil.example", "null"] {
            let cross = browser
                .request(Method::POST, path)
                .header("origin", origin)
                .header("content-type", FORM)
                .body(form.clone().with("csrf", &good).encode());
            assert!(browser.send(cross).await.is_error_page(403), "{path} {origin}");
        }
        assert!(browser.post_cross_site(path, &form.clone().with("csrf", &good)).await.is_error_page(403), "{path}");
        assert_ne!(browser.get(&format!("{path}?csrf={good}")).await.status, 200, "{path}");
    }
    let page = browser.get("/account").await;
    assert!(page.status == 200 && page.body.contains("The app client") && !page.body.contains("Mallory"), "nothing of that did anything");
    assert_eq!(app.userinfo(&tokens.access).await.status, 200);
});

on_both!(a_profile_is_checked_kept_and_shown_as_text, |world| {
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    let csrf = browser.sign_in_to_account(&wallet).await.csrf();
    let save = async |name: &str, value: &str| {
        browser.post_form("/account/profile", &Form::of(&[("csrf", &csrf), ("nickname", "kept"), (name, value)])).await
    };
    for (name, value) in [
        ("picture", "javascript:alert(1)"),
        ("picture", "http://a.example/x.png"),
        ("website", "data:text/html,x"),
        ("profile", "//evil.example"),
        ("birthdate", "1990-02-30"),
        ("birthdate", "yesterday"),
        ("zoneinfo", "../../etc/passwd x"),
        ("locale", "en GB"),
        ("name", &"x".repeat(301)),
        ("name", "a\u{0}b"),
        ("name", "a\nb"),
    ] {
        let answer = save(name, value).await;
        assert!(
            answer.status == 400 && answer.body.contains("Your profile was not saved") && answer.body.contains("value=\"kept\""),
            "{name} {value}: {} {}",
            answer.status,
            answer.body
        );
    }
    assert!(!browser.get("/account").await.body.contains("value=\"kept\""), "nothing was saved");
    let script = "\"><script>alert(1)</script>";
    assert_eq!(save("name", script).await.location(), "/account?saved=1#profile");
    let page = browser.get("/account?saved=1").await;
    assert!(
        page.body.contains("Your profile is saved.") && page.body.contains("value=\"kept\"") && !page.body.contains("<script>alert"),
        "{}",
        page.body
    );
    // The fields of the form are all there is: an id or a time cannot be set.
    save("sub", "somebody").await;
    save("updated_at", "0").await;
    let account = world.state.store.accounts().await.unwrap().remove(0);
    assert_eq!((account.profile.name.as_deref(), account.profile.nickname.as_deref()), (None, Some("kept")));
});

on_both!(withdrawing_an_app_ends_what_it_holds, |world| {
    let (app, web, browser, wallet) = (App::public(&world, "app"), App::confidential(&world, "web"), Browser::new(&world), Wallet::new(1));
    let (of_app, of_web) = (app.tokens(&browser, &wallet).await, web.tokens(&browser, &wallet).await);
    let stranger = Browser::new(&world);
    let of_stranger = app.tokens(&stranger, &Wallet::new(2)).await;
    let csrf = browser.get("/account").await.csrf();
    assert_eq!(browser.post("/account/apps/withdraw", &[("csrf", &csrf), ("client_id", "app")]).await.location(), "/account");
    app.assert_refused(&of_app.access, "withdrawn").await;
    assert_eq!(web.userinfo(&of_web.access).await.status, 200, "another app");
    assert_eq!(app.userinfo(&of_stranger.access).await.status, 200, "another person's");
    assert!(!browser.get("/account").await.body.contains("The app client"));
    let interaction = browser.begin(&app.request()).await;
    assert!(browser.get(&interaction).await.is_consent(), "it must ask again");
    for nonsense in ["nobody", "", "a b"] {
        assert_eq!(browser.post("/account/apps/withdraw", &[("csrf", &csrf), ("client_id", nonsense)]).await.location(), "/account");
    }
});

on_both!(signing_out_everywhere_ends_every_browsers_session, |world| {
    let (one, two, stranger, wallet) = (Browser::new(&world), Browser::new(&world), Browser::new(&world), Wallet::new(1));
    let csrf = one.sign_in_to_account(&wallet).await.csrf();
    two.sign_in_to_account(&wallet).await;
    stranger.sign_in_to_account(&Wallet::new(2)).await;
    let out = one.post("/account/sign-out-everywhere", &[("csrf", &csrf)]).await;
    assert_eq!((out.location(), one.cookie("latchkey_session")), ("/logged-out", None));
    assert_eq!(two.get("/account").await.status, 303);
    assert_eq!(stranger.get("/account").await.status, 200);

    let csrf = one.sign_in_to_account(&wallet).await.csrf();
    two.sign_in_to_account(&wallet).await;
    let held = one.cookie("latchkey_session").unwrap();
    assert_eq!(one.post("/account/sign-out", &[("csrf", &csrf)]).await.location(), "/logged-out");
    one.set_cookie("latchkey_session", &held);
    assert_eq!((one.get("/account").await.status, two.get("/account").await.status), (303, 200), "here only");
});

on_both!(one_session_ends_and_no_other, |world| {
    let (app, here, there, stranger) = (App::public(&world, "app"), Browser::new(&world), Browser::new(&world), Browser::new(&world));
    let wallet = Wallet::new(1);
    here.sign_in_to_account(&wallet).await;
    let waiting = app.code(&there, &wallet).await;
    stranger.sign_in_to_account(&Wallet::new(2)).await;
    let page = here.get("/account").await;
    assert_eq!(page.body.matches("action=\"/account/sessions/end\"").count(), 1, "not for this browser, which signs out");
    let form = page.form("/account/sessions/end");
    // Whose session it is, is asked of the account and not of the form.
    let csrf = stranger.get("/account").await.csrf();
    for wrong in [form.get("session"), "", "x", "0197a3c2-41f0-7cc1-a6a1-6d5b2f0f9a11"] {
        assert_eq!(stranger.post("/account/sessions/end", &[("csrf", &csrf), ("session", wrong)]).await.location(), "/account#sessions");
    }
    assert_eq!(there.get("/account").await.status, 200);
    assert_eq!(here.post_form("/account/sessions/end", &form).await.location(), "/account#sessions");
    assert_eq!((here.get("/account").await.status, there.get("/account").await.status), (200, 303));
    assert_eq!(app.redeem(&waiting).await.error(), (400, "invalid_grant".into()), "what was on its way to an app there");
    assert_eq!(here.get("/account").await.body.matches("last seen").count(), 1);
});

on_both!(a_session_ends_unused_after_a_week_and_used_after_a_month, |world| {
    let (used, unused, wallet, day) = (Browser::new(&world), Browser::new(&world), Wallet::new(1), Duration::from_hours(24));
    used.sign_in_to_account(&wallet).await;
    let account = world.state.store.accounts().await.unwrap().remove(0).id;
    let session = world.state.store.sessions(account, world.clock.now()).await.unwrap().remove(0).id;
    unused.sign_in_to_account(&wallet).await;
    world.clock.advance(day * 7);
    assert_eq!(used.get("/account").await.status, 200);
    world.state.store.touch_session(session, world.clock.now()).await.unwrap();
    world.clock.advance(Duration::from_secs(1));
    assert_eq!((used.get("/account").await.status, unused.get("/account").await.status), (200, 303));
    for _ in 0..3 {
        world.clock.advance(day * 7);
        world.state.store.touch_session(session, world.clock.now()).await.unwrap();
    }
    assert_eq!(used.get("/account").await.status, 200);
    world.clock.advance(day * 2);
    assert_eq!(used.get("/account").await.status, 303, "a month is over");
});
