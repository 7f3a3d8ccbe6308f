//! An authorization code: one use, one client, one redirect URI, one verifier, a minute; and what happens to the tokens of one that is used twice.

use std::time::Duration;

use crate::actors::{App, Browser, Tokens, VERIFIER, Wallet};
use crate::on_both;
use crate::world::REDIRECT_URI;

fn invalid_grant() -> (u16, String) {
    (400, "invalid_grant".into())
}

on_both!(of_fifty_redemptions_one_succeeds_and_the_others_revoke_it, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let code = app.code(&browser, &wallet).await;
    let answers = futures_util::future::join_all((0..50).map(|_| app.redeem(&code))).await;
    let (good, bad): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!((good.len(), bad.len()), (1, 49));
    assert!(bad.iter().all(|answer| answer.error() == invalid_grant()));
    app.assert_refused(&Tokens::read(good[0]).access, "its code was used again").await;
});

on_both!(a_second_use_revokes_what_the_first_one_gave, |world| {
    let (app, browser, wallet) = (App::confidential(&world, "web"), Browser::new(&world), Wallet::new(1));
    let code = app.code(&browser, &wallet).await;
    let tokens = Tokens::read(&app.redeem(&code).await);
    let others = app.tokens(&browser, &wallet).await;
    assert_eq!(app.userinfo(&tokens.access).await.status, 200);
    // Whatever else is wrong with the second try.
    assert_eq!(app.token(&app.redemption(&code).without("code_verifier")).await.error(), invalid_grant());
    app.assert_refused(&tokens.access, "its code was used again").await;
    assert_eq!(app.userinfo(&others.access).await.status, 200, "tokens of another code");

    // Also when the second use comes long after the code's own end, as long as the tokens live.
    let code = app.code(&browser, &wallet).await;
    let tokens = Tokens::read(&app.redeem(&code).await);
    world.clock.advance(Duration::from_mins(30));
    assert_eq!(app.redeem(&code).await.error(), invalid_grant());
    app.assert_refused(&tokens.access, "its code was used again, late").await;
});

// CVE-2023-48228, CVE-2024-23647, CVE-2025-4144: PKCE that is skipped when the verifier is left out.
on_both!(the_verifier_must_fit_and_a_wrong_one_spends_the_code, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let wrong = format!("{}A", &VERIFIER[..42]);
    for verifier in
        [None, Some(""), Some(wrong.as_str()), Some(crate::actors::CHALLENGE), Some(&VERIFIER[..42]), Some("é"), Some(&"v".repeat(129))]
    {
        let code = app.code(&browser, &wallet).await;
        let form = app.redemption(&code).without("code_verifier");
        let form = verifier.into_iter().fold(form, |form, verifier| form.with("code_verifier", verifier));
        assert_eq!(app.token(&form).await.error(), invalid_grant(), "{verifier:?}");
        // RFC 9700 §4.5: no second guess.
        assert_eq!(app.redeem(&code).await.error(), invalid_grant(), "{verifier:?}");
    }
});

on_both!(a_verifier_without_a_challenge_is_refused, |world| {
    let license = world.license(Wallet::new(9).address).await;
    let (app, browser, wallet) = (App::public(&world, license.id.as_str()), Browser::new(&world), Wallet::new(1));
    let request = app.request().without("code_challenge").without("code_challenge_method");
    let code = browser.authorize(&request, &wallet).await.query("code").unwrap();
    assert_eq!(app.redeem(&code).await.error(), invalid_grant());
    // And its code with a challenge is not redeemed without one.
    let code = app.code(&browser, &wallet).await;
    assert_eq!(app.token(&app.redemption(&code).without("code_verifier")).await.error(), invalid_grant());
});

on_both!(the_redirect_uri_must_be_that_of_the_request, |world| {
    world.client("two", |client| client.redirect_uris.push("https://app.example/other".parse().unwrap())).await;
    let (app, browser, wallet) = (App::public(&world, "two"), Browser::new(&world), Wallet::new(1));
    for uri in ["https://app.example/other", "https://app.example/callback/", "https://evil.example/", ""] {
        let code = app.code(&browser, &wallet).await;
        assert_eq!(app.token(&app.redemption(&code).with("redirect_uri", uri)).await.error(), invalid_grant(), "{uri}");
        assert_eq!(app.redeem(&code).await.error(), invalid_grant(), "{uri}: spent");
    }
    let code = app.code(&browser, &wallet).await;
    let older = app.redemption(&code).without("redirect_uri").with("domain", REDIRECT_URI);
    assert_eq!(app.token(&older).await.status, 200, "the older name");
});

on_both!(another_clients_code_is_neither_spent_nor_revoked, |world| {
    world.client("thief", |_| {}).await;
    let (app, thief, other) = (App::public(&world, "app"), App::public(&world, "thief"), App::confidential(&world, "web"));
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    let code = app.code(&browser, &wallet).await;
    for stranger in [&thief, &other] {
        assert_eq!(stranger.redeem(&code).await.error(), invalid_grant());
    }
    let tokens = Tokens::read(&app.redeem(&code).await);
    // Once it is spent, a stranger who presents it ends nothing, and learns nothing: the words are those for a code that never was.
    let used = thief.redeem(&code).await;
    assert_eq!(used.body, thief.redeem("never-was").await.body);
    assert_eq!(app.userinfo(&tokens.access).await.status, 200);
    assert_eq!(thief.redeem("").await.error(), (400, "invalid_request".into()));
});

on_both!(a_code_lives_a_minute, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let code = app.code(&browser, &wallet).await;
    world.clock.advance(Duration::from_secs(59));
    assert_eq!(app.redeem(&code).await.status, 200);
    let code = app.code(&browser, &wallet).await;
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(app.redeem(&code).await.error(), invalid_grant());
});

on_both!(a_failed_client_authentication_does_not_spend_the_code, |world| {
    let (app, browser, wallet) = (App::confidential(&world, "web"), Browser::new(&world), Wallet::new(1));
    let code = app.code(&browser, &wallet).await;
    let anonymous = App::public(&world, "web");
    assert_eq!(anonymous.redeem(&code).await.error(), (401, "invalid_client".into()));
    let guess = anonymous.redemption(&code).with("client_secret", "a-wrong-secret-of-more-than-32-characters");
    assert_eq!(anonymous.token(&guess).await.error(), (401, "invalid_client".into()));
    assert_eq!(app.redeem(&code).await.status, 200);
});

on_both!(a_disabled_client_and_a_withdrawn_app_get_and_keep_nothing, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let (held, waiting) = (app.tokens(&browser, &wallet).await, app.code(&browser, &wallet).await);
    let account = world.state.store.accounts().await.unwrap().remove(0).id;
    let id = "app".parse().unwrap();
    assert!(world.state.store.withdraw_consent(account, &id, world.clock.now()).await.unwrap());
    app.assert_refused(&held.access, "the app was withdrawn").await;
    assert_eq!(app.redeem(&waiting).await.error(), invalid_grant(), "a code from before");
    let interaction = browser.begin(&app.request()).await;
    assert!(browser.get(&interaction).await.is_consent(), "it must ask again");
    let renewed = app.tokens(&browser, &wallet).await;
    assert_eq!(app.userinfo(&renewed.access).await.status, 200, "a new consent is a new beginning");

    let waiting = app.code(&browser, &wallet).await;
    assert!(world.state.store.set_client_disabled(&id, Some(world.clock.now()), world.clock.now()).await.unwrap());
    // Not even in the two seconds in which the client's settings are remembered.
    app.assert_refused(&renewed.access, "its client is disabled").await;
    assert!([400, 401].contains(&app.redeem(&waiting).await.status));
});
