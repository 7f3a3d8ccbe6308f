//! Refresh tokens: who gets one, that each use replaces it, that a lost reply is healed and a replay ends everything, and what they die with.

use std::time::Duration;

use latchkey::domain::GrantType;

use crate::actors::{App, Browser, Form, Tokens, Wallet};
use crate::{on_both, on_one};

fn invalid_grant() -> (u16, String) {
    (400, "invalid_grant".into())
}

async fn assert_dead(app: &App<'_>, token: &str, why: &str) {
    let answer = app.refresh(token).await;
    assert_eq!(answer.error(), invalid_grant(), "{why}: {}", answer.body);
}

on_both!(offline_access_gives_a_refresh_token_and_new_tokens_for_it, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    assert_eq!(app.tokens(&browser, &wallet).await.refresh, "", "nobody asked for one");
    let page = browser.begin(&app.request().with("scope", "openid email profile offline_access")).await;
    let consent = browser.get(&page).await;
    assert!(consent.is_consent() && consent.body.contains("Keep this access while you are away"), "{}", consent.body);
    let first = app.offline_tokens(&browser, &wallet).await;
    assert_eq!(first.reply["scope"], "email offline_access openid profile");
    assert!(browser.get("/account").await.body.contains("Keep this access while you are away"));

    world.clock.advance(Duration::from_secs(100));
    let answer = app.refresh(&first.refresh).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let second = Tokens::read(&answer);
    assert_ne!((&second.refresh, &second.access), (&first.refresh, &first.access));
    assert_eq!((&second.reply["scope"], &second.reply["expires_in"]), (&first.reply["scope"], &3_600.into()));
    let ((old_access, old), (access, new)) = (first.claims(), second.claims());
    // OpenID Connect Core §12.2.
    for name in ["iss", "sub", "aud", "auth_time", "amr"] {
        assert_eq!((&old[name], &old_access[name]), (&new[name], &access[name]), "{name}");
    }
    assert_eq!(new["iat"].as_i64().unwrap(), old["iat"].as_i64().unwrap() + 100);
    assert_eq!((new.get("nonce"), new.get("c_hash"), old["nonce"].as_str()), (None, None, Some("a nonce")));
    assert!(new["at_hash"].is_string());
    assert_ne!(access["jti"], old_access["jti"]);
    assert!(access["jti"].as_str().unwrap().starts_with("r_"));
    assert_eq!(app.userinfo(&second.access).await.json(), app.userinfo(&first.access).await.json());
    let third = Tokens::read(&app.refresh(&second.refresh).await);
    assert_ne!(third.claims().0["jti"], access["jti"], "each access token has an id of its own");
    // What was agreed to once is not asked again.
    assert!(browser.auth(&app.request().with("scope", "openid offline_access").with("prompt", "none")).await.query("code").is_some());
});

on_both!(a_lost_reply_is_healed_and_a_replay_ends_the_family, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let first = app.offline_tokens(&browser, &wallet).await;
    let other = app.offline_tokens(&browser, &wallet).await;
    let lost = Tokens::read(&app.refresh(&first.refresh).await);
    let healed = Tokens::read(&app.refresh(&first.refresh).await);
    assert_ne!(lost.refresh, healed.refresh);
    let used = Tokens::read(&app.refresh(&healed.refresh).await);
    for token in [&first.access, &lost.access, &healed.access, &used.access] {
        assert_eq!(app.userinfo(token).await.status, 200);
    }
    assert_dead(&app, &first.refresh, "its successor was used").await;
    assert_dead(&app, &used.refresh, "a spent one came back: the thief's and the owner's end alike").await;
    for token in [&first.access, &lost.access, &healed.access, &used.access] {
        app.assert_refused(token, "a spent refresh token came back").await;
    }
    assert_eq!(app.refresh(&other.refresh).await.status, 200, "another sign-in's is another family");

    // What the lost reply would have brought counts as spent.
    let first = app.offline_tokens(&browser, &wallet).await;
    let lost = Tokens::read(&app.refresh(&first.refresh).await);
    let healed = Tokens::read(&app.refresh(&first.refresh).await);
    assert_dead(&app, &lost.refresh, "it was replaced before it was used").await;
    assert_dead(&app, &healed.refresh, "its family is revoked").await;
});

// CVE-2026-1035: two refreshes at once, both with a future.
on_both!(of_fifty_refreshes_at_once_one_lineage_lives, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let first = app.offline_tokens(&browser, &wallet).await;
    let answers = futures_util::future::join_all((0..50).map(|_| app.refresh(&first.refresh))).await;
    let given: Vec<Tokens> = answers.iter().filter(|answer| answer.status == 200).map(Tokens::read).collect();
    assert!(!given.is_empty());
    let key = world.state.keys.pairwise_secret();
    let mut living = Vec::new();
    for tokens in &given {
        let token = latchkey::domain::RefreshToken::parse(&tokens.refresh, &key).unwrap();
        let (client, now) = ("app".parse().unwrap(), world.clock.now());
        let (hash, seen) = (token.hash(), now.minus(Duration::from_hours(1)));
        let found = world.state.store.living_refresh_token(token.family(), &client, &hash, now, seen);
        living.extend(found.await.unwrap().map(|_| tokens));
    }
    assert_eq!(living.len(), 1);
    assert_eq!(app.refresh(&living[0].refresh).await.status, 200);
});

on_both!(a_confidential_client_keeps_its_token, |world| {
    let (web, browser, wallet) = (App::confidential(&world, "web"), Browser::new(&world), Wallet::new(1));
    let first = web.offline_tokens(&browser, &wallet).await;
    for _ in 0..3 {
        world.clock.advance(Duration::from_hours(24 * 29));
        let again = Tokens::read(&web.refresh(&first.refresh).await);
        assert_eq!(again.refresh, first.refresh);
        assert_eq!(web.userinfo(&again.access).await.status, 200);
    }
    // Without its proof it is nobody.
    assert_eq!(App::public(&world, "web").refresh(&first.refresh).await.error(), (401, "invalid_client".into()));
    assert_eq!(web.refresh(&first.refresh).await.status, 200);
});

on_both!(another_clients_token_is_refused_and_harmed_by_nobody, |world| {
    world.client("thief", |_| {}).await;
    let (app, thief, web) = (App::public(&world, "app"), App::public(&world, "thief"), App::confidential(&world, "web"));
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    let first = app.offline_tokens(&browser, &wallet).await;
    let second = Tokens::read(&app.refresh(&first.refresh).await);
    let third = Tokens::read(&app.refresh(&second.refresh).await);
    for stranger in [&thief, &web] {
        for token in [&first.refresh, &second.refresh, &third.refresh] {
            let refused = stranger.refresh(token).await;
            assert_eq!((refused.error(), refused.body), (invalid_grant(), stranger.refresh("lkr_nothing").await.body));
        }
        assert_eq!(stranger.token(&stranger.refreshing(&third.refresh).with("scope", "openid x")).await.error(), invalid_grant());
    }
    // Who knows the family's id from an access token, and makes up a token of it, ends nothing.
    let jti = third.claims().0["jti"].as_str().unwrap().to_owned();
    let family = jti.split('_').nth(1).unwrap().parse().unwrap();
    let forged = latchkey::domain::RefreshToken::new(latchkey::domain::FamilyId(family), [1; 32], &[0; 32]);
    assert_dead(&app, forged.expose(), "of somebody's own making").await;
    assert_eq!(app.refresh(&third.refresh).await.status, 200);
});

on_both!(scope_narrows_for_one_access_token_and_never_grows, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let first = app.offline_tokens(&browser, &wallet).await;
    for asked in ["openid address", "admin", "openid email profile offline_access phone", "\"", " "] {
        let refused = app.token(&app.refreshing(&first.refresh).with("scope", asked)).await;
        assert_eq!(refused.error(), (400, "invalid_scope".into()), "{asked}");
    }
    let narrow = Tokens::read(&app.token(&app.refreshing(&first.refresh).with("scope", "openid")).await);
    assert_eq!((narrow.reply["scope"].as_str(), narrow.claims().0["scope"].as_str()), (Some("openid"), Some("openid")));
    let told = app.userinfo(&narrow.access).await.json();
    assert_eq!(told.as_object().unwrap().keys().collect::<Vec<_>>(), ["sub"], "userinfo goes by the token, not by the grant");
    let none = Tokens::read(&app.token(&app.refreshing(&narrow.refresh).with("scope", "email")).await);
    assert!(none.reply.get("id_token").is_none());
    assert_eq!(app.userinfo(&none.access).await.error(), (403, "insufficient_scope".into()));
    let whole = Tokens::read(&app.refresh(&none.refresh).await);
    assert_eq!(whole.reply["scope"], first.reply["scope"], "the family keeps what was granted");
    assert!(app.userinfo(&whole.access).await.json()["ethereum_address"].is_string());
});

on_both!(it_ends_idle_and_it_ends_old, [("TOKENS_REFRESH_IDLE", "10d"), ("TOKENS_REFRESH_LIFETIME", "30d")], |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let idle = app.offline_tokens(&browser, &wallet).await;
    let mut used = app.offline_tokens(&browser, &wallet).await;
    for _ in 0..3 {
        world.clock.advance(Duration::from_hours(24 * 10) - Duration::from_secs(1));
        used = Tokens::read(&app.refresh(&used.refresh).await);
    }
    assert_dead(&app, &idle.refresh, "idle").await;
    // Three seconds before its end: nothing that it gives outlives it.
    assert_eq!(used.reply["expires_in"], 3);
    assert_eq!(app.userinfo(&used.access).await.status, 200);
    world.clock.advance(Duration::from_secs(3));
    assert_dead(&app, &used.refresh, "old").await;
    app.assert_refused(&used.access, "its family is over").await;
});

on_both!(it_dies_with_consent_account_client_and_code, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let store = &world.state.store;
    let id = "app".parse().unwrap();

    let back = browser.authorize(&app.request().with("scope", "openid offline_access"), &wallet).await;
    let code = back.query("code").unwrap();
    let first = Tokens::read(&app.redeem(&code).await);
    let second = Tokens::read(&app.refresh(&first.refresh).await);
    // Even when the code's own access token was given up before.
    assert_eq!(app.revoke(&first.access).await.status, 200);
    assert_eq!(app.redeem(&code).await.error(), invalid_grant());
    assert_dead(&app, &second.refresh, "its code was used again").await;
    app.assert_refused(&second.access, "its code was used again").await;

    let held = app.offline_tokens(&browser, &wallet).await;
    let held = Tokens::read(&app.refresh(&held.refresh).await);
    let page = browser.get("/account").await;
    let withdraw = Form::of(&[("csrf", &page.csrf()), ("client_id", "app")]);
    assert_eq!(browser.post_form("/account/apps/withdraw", &withdraw).await.status, 303);
    assert_dead(&app, &held.refresh, "the app was withdrawn").await;
    app.assert_refused(&held.access, "the app was withdrawn").await;

    world.clock.advance(Duration::from_secs(1));
    let held = app.offline_tokens(&browser, &wallet).await;
    let held = Tokens::read(&app.refresh(&held.refresh).await);
    let account = store.accounts().await.unwrap().remove(0).id;
    world.clock.advance(Duration::from_secs(1));
    for disabled in [Some(world.clock.now()), None] {
        store.set_account_disabled(account, disabled, world.clock.now()).await.unwrap();
        assert_dead(&app, &held.refresh, "the account was disabled").await;
        app.assert_refused(&held.access, "the account was disabled").await;
    }
    world.clock.advance(Duration::from_secs(1));
    let held = app.offline_tokens(&Browser::new(&world), &wallet).await;
    world.clock.advance(Duration::from_secs(1));
    for disabled in [Some(world.clock.now()), None] {
        store.set_client_disabled(&id, disabled, world.clock.now()).await.unwrap();
        assert!([400, 401].contains(&app.refresh(&held.refresh).await.status), "the client was disabled");
    }
    world.forget_clients(&["app"]).await;
    assert_dead(&app, &held.refresh, "it stays dead").await;
});

on_both!(without_offline_access_it_ends_with_the_session, |world| {
    world.client("spa", |client| client.metadata.refresh_with_session = true).await;
    let (spa, browser, wallet) = (App::public(&world, "spa"), Browser::new(&world), Wallet::new(1));
    let bound = spa.tokens(&browser, &wallet).await;
    let bound = Tokens::read(&spa.refresh(&bound.refresh).await);
    assert_eq!(bound.claims().0["sid"], spa.tokens(&browser, &wallet).await.claims().0["sid"]);
    let free = spa.offline_tokens(&browser, &wallet).await;
    let page = browser.get("/account").await;
    assert_eq!(browser.post_form("/account/sign-out", &Form::of(&[("csrf", &page.csrf())])).await.status, 303);
    assert_dead(&spa, &bound.refresh, "signed out").await;
    spa.assert_refused(&bound.access, "signed out").await;
    let free = Tokens::read(&spa.refresh(&free.refresh).await);
    assert_eq!(free.claims().0.get("sid"), None, "it is of no session any more");

    // A session that nobody uses is over too, though its row is still there.
    let bound = spa.tokens(&browser, &wallet).await;
    world.clock.advance(Duration::from_hours(24 * 7) + Duration::from_secs(1));
    assert_dead(&spa, &bound.refresh, "the session was left alone for too long").await;
});

on_both!(a_code_that_is_refused_begins_nothing, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let request = app.request().with("scope", "openid offline_access");
    let code = browser.authorize(&request, &wallet).await.query("code").unwrap();
    assert_eq!(app.token(&app.redemption(&code).without("code_verifier")).await.error(), invalid_grant());
    assert_eq!(app.redeem(&code).await.error(), invalid_grant());
    world.clock.advance(Duration::from_hours(24 * 400));
    assert_eq!(world.state.store.sweep(world.clock.now()).await.unwrap().refresh_tokens, 0, "no family was stored");
});

on_one!(a_client_uses_only_the_grants_it_is_registered_for, |world| {
    world.client("once", |client| client.metadata.grant_types = [GrantType::AuthorizationCode].into()).await;
    world.client("robot", |client| client.metadata.grant_types = [GrantType::RefreshToken].into()).await;
    let (once, robot, browser, wallet) = (App::public(&world, "once"), App::public(&world, "robot"), Browser::new(&world), Wallet::new(1));
    let unauthorized = (400, "unauthorized_client".to_owned());
    // OpenID Connect Core §11: what it could not use is ignored, on the page too.
    let request = once.request().with("scope", "openid offline_access");
    let page = browser.begin(&request).await;
    browser.sign_in(&page, &wallet).await;
    assert!(!browser.get(&page).await.body.contains("while you are away"));
    let tokens = Tokens::read(&once.redeem(&browser.authorize(&request, &wallet).await.query("code").unwrap()).await);
    assert_eq!((tokens.refresh.as_str(), tokens.reply["scope"].as_str()), ("", Some("openid")));
    assert_eq!(once.refresh("anything").await.error(), unauthorized);
    assert_eq!(browser.auth(&once.request().with("scope", "offline_access")).await.query("error").as_deref(), Some("invalid_scope"));
    assert_eq!(robot.redeem("anything").await.error(), unauthorized);
    assert_eq!(browser.auth(&robot.request()).await.query("error").as_deref(), Some("unauthorized_client"));
});

on_one!(a_refresh_is_read_strictly, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let tokens = app.offline_tokens(&browser, &wallet).await;
    let good = app.refreshing(&tokens.refresh);
    for name in ["refresh_token", "scope", "client_id"] {
        let doubled = good.clone().and(name, "openid").and(name, "openid");
        assert_eq!(app.token(&doubled).await.error(), (400, "invalid_request".into()), "{name} twice");
    }
    assert_eq!(app.token(&good.clone().without("refresh_token")).await.error(), (400, "invalid_request".into()));
    let swapped: String = tokens.refresh.chars().rev().collect();
    for text in ["x", "lkr_", &tokens.access, &tokens.id, &tokens.refresh[4..], &swapped, "é"] {
        assert_dead(&app, text, text).await;
    }
    // A code and a refresh token are not each other.
    assert_eq!(app.redeem(&tokens.refresh).await.error(), invalid_grant());
    let code = app.code(&browser, &wallet).await;
    assert_dead(&app, &code, "a code").await;
    app.assert_refused(&tokens.refresh, "a refresh token is no access token").await;
    assert_eq!(app.redeem(&code).await.status, 200);
    assert_eq!(app.token(&good).await.status, 200);
    assert!(!world.dump().await.contains(tokens.refresh.as_bytes()), "it is stored as it is");
});
