//! Revocation (RFC 7009): a client ends what is its own, learns nothing of what is not, and is never told that something ended which did not.

use crate::actors::{App, Browser, Form, Tokens, Wallet};
use crate::{on_both, on_one};

on_both!(a_refresh_token_ends_with_all_that_came_of_its_grant, |world| {
    for app in [App::public(&world, "app"), App::confidential(&world, "web")] {
        let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
        let first = app.offline_tokens(&browser, &wallet).await;
        let other = app.offline_tokens(&browser, &wallet).await;
        let second = Tokens::read(&app.refresh(&first.refresh).await);
        let done = app.revoke(&second.refresh).await;
        assert_eq!((done.status, done.body.as_str(), done.header("cache-control")), (200, "", "no-store"));
        assert_eq!(app.refresh(&second.refresh).await.error(), (400, "invalid_grant".into()));
        for token in [&first.access, &second.access] {
            app.assert_refused(token, "its grant was revoked").await;
        }
        assert_eq!(app.userinfo(&other.access).await.status, 200, "another sign-in's");
        assert_eq!(app.revoke(&second.refresh).await.status, 200, "twice");
        // One that was replaced already says as much.
        let next = Tokens::read(&app.refresh(&other.refresh).await);
        assert_eq!(app.revoke(&other.refresh).await.status, 200);
        assert_eq!(app.refresh(&next.refresh).await.error(), (400, "invalid_grant".into()));
    }
});

on_both!(an_access_token_ends_alone, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let first = app.offline_tokens(&browser, &wallet).await;
    let second = Tokens::read(&app.refresh(&first.refresh).await);
    let third = Tokens::read(&app.refresh(&second.refresh).await);
    for (token, hint) in [(&first.access, "access_token"), (&second.access, "refresh_token"), (&second.access, "nonsense")] {
        let form = Form::of(&[("client_id", "app"), ("token", token), ("token_type_hint", hint)]);
        assert_eq!(app.post("/token/revoke", &form).await.status, 200);
        app.assert_refused(token, "it was revoked").await;
    }
    assert_eq!(app.userinfo(&third.access).await.status, 200);
    assert_eq!(app.refresh(&third.refresh).await.status, 200);
});

on_both!(a_licenses_own_token_can_be_revoked, |world| {
    let key = Wallet::new(9);
    let license = world.license(key.address).await;
    let (app, browser) = (App::public(&world, license.id.as_str()), Browser::new(&world));
    let token = Tokens::read(&crate::developer::developer_token(&browser, license.id.as_str(), &key).await).access;
    assert_eq!(app.userinfo(&token).await.status, 200);
    assert_eq!(App::public(&world, "app").revoke(&token).await.status, 200);
    assert_eq!(app.userinfo(&token).await.status, 200, "not another's");
    assert_eq!(app.revoke(&token).await.status, 200);
    app.assert_refused(&token, "it was revoked").await;
});

on_both!(nobody_ends_or_learns_of_anothers_token, |world| {
    world.client("thief", |_| {}).await;
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let first = app.offline_tokens(&browser, &wallet).await;
    let second = Tokens::read(&app.refresh(&first.refresh).await);
    for stranger in [App::public(&world, "thief"), App::confidential(&world, "web")] {
        for token in [&first.access, &second.access, &first.refresh, &second.refresh, &first.id, "x", "lkr_x", "a.b.c"] {
            let answer = stranger.revoke(token).await;
            assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{token}");
        }
    }
    // Nor without a proof, where there must be one.
    let web = App::confidential(&world, "web");
    let theirs = web.offline_tokens(&browser, &wallet).await;
    assert_eq!(App::public(&world, "web").revoke(&theirs.refresh).await.error(), (401, "invalid_client".into()));
    assert_eq!(App::public(&world, "nobody").revoke(&theirs.refresh).await.error(), (401, "invalid_client".into()));
    for token in [&first.access, &second.access, &theirs.access] {
        assert_eq!(app.userinfo(token).await.status, 200);
    }
    assert_eq!(app.refresh(&second.refresh).await.status, 200);
    assert_eq!(web.refresh(&theirs.refresh).await.status, 200);
});

on_one!(what_cannot_be_revoked_is_said, |world| {
    let (web, browser, wallet) = (App::confidential(&world, "web"), Browser::new(&world), Wallet::new(1));
    let tokens = web.tokens(&browser, &wallet).await;
    assert_eq!(web.revoke(&tokens.id).await.error(), (400, "unsupported_token_type".into()), "its own ID Token");
    assert_eq!(web.post("/token/revoke", &Form::of(&[("client_id", "web")])).await.error(), (400, "invalid_request".into()));
    let twice = Form::of(&[("client_id", "web"), ("token", "a"), ("token", "b")]);
    assert_eq!(web.post("/token/revoke", &twice).await.error(), (400, "invalid_request".into()));
    let refused = web.post("/token/revoke", &Form::of(&[("client_id", "app"), ("token", "a")])).await;
    assert_eq!(refused.error(), (400, "invalid_request".into()), "two clients at once");
    assert_eq!(web.userinfo(&tokens.access).await.status, 200);
    let guess = Form::of(&[("client_id", "web"), ("client_secret", "wrong"), ("token", &tokens.access)]);
    assert_eq!(App::public(&world, "web").post("/token/revoke", &guess).await.error(), (401, "invalid_client".into()));
    assert_eq!(web.userinfo(&tokens.access).await.status, 200);
});

// RFC 7009 §2.2.1: "If the server responds with HTTP status code 503, the client must assume the token still exists".
on_both!(a_revocation_that_cannot_be_stored_is_503_and_never_200, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let first = app.offline_tokens(&browser, &wallet).await;
    let second = Tokens::read(&app.refresh(&first.refresh).await);
    assert_eq!(app.revoke("x").await.status, 200, "the client is remembered from now on");
    // Perhaps of a key that another replica has just made: nobody can know while the database is silent.
    let unknown = crate::forge::self_signed(&"unheard-of".into(), "at+jwt", &second.claims().0);
    assert_eq!(app.revoke(&unknown).await.status, 200);
    world.state.store.close().await;
    for token in [&first.access, &second.access, &second.refresh, &unknown] {
        let answer = app.revoke(token).await;
        assert_eq!(answer.error(), (503, "temporarily_unavailable".into()), "{token}");
        assert!(!answer.header("retry-after").is_empty());
    }
});
