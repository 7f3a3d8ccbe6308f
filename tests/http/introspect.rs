//! Introspection (RFC 7662): the client that a token was given to learns what it is; everybody else learns nothing.

use std::time::Duration;

use serde_json::json;

use crate::actors::{App, Browser, Form, Tokens, Wallet};
use crate::world::{BEGINNING, ISSUER, SECRET};
use crate::{on_both, on_one};

on_both!(a_client_learns_what_its_own_tokens_are, |world| {
    let (web, browser, wallet) = (App::confidential(&world, "web"), Browser::new(&world), Wallet::new(1));
    let first = web.offline_tokens(&browser, &wallet).await;
    let (access, id) = first.claims();
    let answer = web.introspect(&first.access).await;
    assert_eq!((answer.status, answer.header("cache-control"), answer.header("content-type")), (200, "no-store", "application/json"));
    assert_eq!(
        answer.json(),
        json!({
            "active": true, "scope": "email offline_access openid profile", "client_id": "web", "sub": id["sub"], "aud": "web",
            "iss": ISSUER, "exp": BEGINNING + 3_600, "iat": BEGINNING, "token_type": "Bearer", "jti": access["jti"], "auth_time": BEGINNING,
            "acr": "urn:latchkey:acr:wallet",
        })
    );
    world.clock.advance(Duration::from_mins(1));
    let narrow = Tokens::read(&web.token(&web.refreshing(&first.refresh).with("scope", "email")).await);
    let told = web.introspect(&narrow.access).await.json();
    assert_eq!((&told["active"], &told["scope"], &told["iat"]), (&json!(true), &json!("email"), &json!(BEGINNING + 60)));
    assert_eq!(
        web.introspect(&first.refresh).await.json(),
        json!({
            "active": true, "scope": "email offline_access openid profile", "client_id": "web", "sub": id["sub"], "aud": ISSUER,
            "iss": ISSUER, "exp": BEGINNING + 60 + 30 * 86_400, "iat": BEGINNING, "token_type": "refresh_token", "auth_time": BEGINNING,
        })
    );
    // A hint, right or wrong, changes nothing; the secret may come in the form.
    for hint in ["access_token", "refresh_token", "x"] {
        let form = Form::of(&[("client_id", "web"), ("client_secret", SECRET), ("token", &first.access), ("token_type_hint", hint)]);
        assert_eq!(App::public(&world, "web").post("/token/introspect", &form).await.json()["active"], true, "{hint}");
    }
});

// CVE-2024-47077: any client could ask about any token.
on_both!(no_client_learns_of_anothers_token, |world| {
    world
        .client("other", |client| {
            client.auth_method = latchkey::domain::AuthMethod::ClientSecretBasic;
            client.secret_hash = Some(latchkey::domain::TokenHash::of(SECRET));
        })
        .await;
    let (web, app, other) = (App::confidential(&world, "web"), App::public(&world, "app"), App::confidential(&world, "other"));
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    for theirs in [web.offline_tokens(&browser, &wallet).await, app.offline_tokens(&browser, &wallet).await] {
        for token in [&theirs.access, &theirs.refresh, &theirs.id, "x", "lkr_x"] {
            let answer = other.introspect(token).await;
            assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"active":false}"#));
        }
    }
});

on_both!(only_what_lives_is_active, |world| {
    let (web, browser, wallet) = (App::confidential(&world, "web"), Browser::new(&world), Wallet::new(1));
    let inactive = async |token: &str, why: &str| assert_eq!(web.introspect(token).await.body, r#"{"active":false}"#, "{why}");
    let first = web.offline_tokens(&browser, &wallet).await;
    let second = Tokens::read(&web.refresh(&first.refresh).await);
    let third = Tokens::read(&web.refresh(&first.refresh).await);
    inactive(&first.id, "an ID Token").await;
    inactive(&first.access.replace('.', "x"), "no token").await;
    web.revoke(&second.access).await;
    inactive(&second.access, "revoked").await;
    assert_eq!(web.introspect(&third.access).await.json()["active"], true);
    web.revoke(&first.refresh).await;
    for token in [&first.access, &third.access, &first.refresh] {
        inactive(token, "its grant is revoked").await;
    }
    let code = web.code(&browser, &wallet).await;
    let tokens = Tokens::read(&web.redeem(&code).await);
    web.redeem(&code).await;
    inactive(&tokens.access, "its code was used again").await;

    let tokens = web.offline_tokens(&browser, &wallet).await;
    world.clock.advance(Duration::from_hours(1));
    inactive(&tokens.access, "expired").await;
    assert_eq!(web.introspect(&tokens.refresh).await.json()["active"], true);
    let last = Tokens::read(&web.refresh(&tokens.refresh).await);
    let account = world.state.store.accounts().await.unwrap().remove(0).id;
    world.state.store.withdraw_consent(account, &"web".parse().unwrap(), world.clock.now()).await.unwrap();
    inactive(&tokens.refresh, "the app was withdrawn").await;
    inactive(&last.access, "the app was withdrawn").await;
});

on_both!(who_cannot_prove_itself_learns_nothing, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let tokens = app.offline_tokens(&browser, &wallet).await;
    for token in [&tokens.access, &tokens.refresh] {
        assert_eq!(app.introspect(token).await.error(), (401, "invalid_client".into()), "a public client, of its own token");
        assert_eq!(App::public(&world, "web").introspect(token).await.error(), (401, "invalid_client".into()), "without its secret");
    }
    let guess = Form::of(&[("client_id", "web"), ("client_secret", "wrong"), ("token", &tokens.access)]);
    assert_eq!(App::public(&world, "web").post("/token/introspect", &guess).await.error(), (401, "invalid_client".into()));
    let bare = browser.bare(reqwest::Method::POST, "/token/introspect").bearer_auth(&tokens.access);
    let form = Form::of(&[("token", &tokens.access)]).encode();
    let answer = browser.send(bare.header("content-type", crate::world::FORM).body(form)).await;
    assert_eq!(answer.error(), (401, "invalid_client".into()), "an access token proves no client");
    assert!(answer.header("www-authenticate").starts_with("Basic "));
});

on_one!(a_question_is_read_strictly, |world| {
    let web = App::confidential(&world, "web");
    for form in [Form::of(&[("client_id", "web")]), Form::of(&[("client_id", "web"), ("token", "a"), ("token", "b")])] {
        assert_eq!(web.post("/token/introspect", &form).await.error(), (400, "invalid_request".into()));
    }
});

on_one!(an_outage_is_no_answer, |world| {
    let (web, browser, wallet) = (App::confidential(&world, "web"), Browser::new(&world), Wallet::new(1));
    let tokens = web.offline_tokens(&browser, &wallet).await;
    assert_eq!(web.introspect(&tokens.access).await.json()["active"], true);
    world.state.store.close().await;
    for token in [&tokens.access, &tokens.refresh] {
        assert_eq!(web.introspect(token).await.error(), (503, "temporarily_unavailable".into()));
    }
});
