//! The `claims` parameter (OpenID Connect Core §5.5): what is asked for by name, agreed to, and told where it was asked for.

use serde_json::{Value, json};

use crate::actors::{App, Browser, Form, Tokens, Wallet};
use crate::on_both;
use crate::standard_claims::fill_in;
use crate::world::BEGINNING;

fn asking(app: &App<'_>, claims: &Value) -> Form {
    app.request().with("scope", "openid").with("claims", &claims.to_string())
}

on_both!(claims_by_name_are_agreed_to_and_told_where_they_were_asked_for, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    fill_in(
        &browser,
        &wallet,
        &[("name", "Ada"), ("nickname", "Countess"), ("email", "ada@example.org"), ("phone_number", "+351912345678")],
    )
    .await;
    let tokens = async |form: &Form| {
        let back = browser.authorize(form, &wallet).await;
        Tokens::read(&app.redeem(&back.query("code").unwrap_or_else(|| panic!("{} {}", back.location(), back.body))).await)
    };
    // Consent for openid alone does not cover a name.
    let plain = tokens(&app.request().with("scope", "openid")).await;
    let bare = plain.claims().1;
    let claims = json!({
        "userinfo": { "name": { "essential": true }, "nickname": { "value": "Bob" }, "cats": null },
        "id_token": { "email": null, "email_verified": { "essential": true }, "auth_time": { "essential": true }, "cats#de": null }
    });
    assert_eq!(browser.auth(&asking(&app, &claims).with("prompt", "none")).await.query("error").as_deref(), Some("consent_required"));
    let interaction = browser.begin(&asking(&app, &claims)).await;
    let page = browser.get(&interaction).await;
    assert!(
        page.is_consent() && page.body.contains("See your profile") && page.body.contains("See your wallet address and email"),
        "{}",
        page.body
    );
    let with = tokens(&asking(&app, &claims)).await;
    assert_eq!(with.reply["scope"], json!("openid"), "the scope stays what was asked for");
    let (access, id) = with.claims();
    assert_eq!((&id["email"], &id["email_verified"], &id["auth_time"]), (&json!("ada@example.org"), &json!(false), &json!(BEGINNING)));
    assert!(id.get("name").is_none() && id.get("cats#de").is_none() && access.get("email").is_none());
    // Of what was asked for with a value, only that value is told.
    assert_eq!(app.userinfo(&with.access).await.json(), json!({ "sub": id["sub"], "name": "Ada" }));
    // Nobody asked: nothing is told, in the ID token too.
    assert_eq!(app.userinfo(&plain.access).await.json(), json!({ "sub": bare["sub"] }));
    assert!(["email", "email_verified", "name", "phone_number", "updated_at"].iter().all(|name| bare.get(name).is_none()), "{bare}");
    // What the account has not is left out, however essential.
    let nothing =
        tokens(&asking(&app, &json!({ "id_token": { "address": { "essential": true } }, "userinfo": { "website": null } }))).await;
    assert!(nothing.claims().1.get("address").is_none());
    // What a person has agreed to once by name is agreed to.
    assert!(browser.auth(&asking(&app, &claims).with("prompt", "none")).await.query("code").is_some());
});

on_both!(a_person_who_is_named_is_the_only_one_let_in, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let mine = app.tokens(&browser, &wallet).await.claims().1["sub"].clone();
    let other = app.tokens(&Browser::new(&world), &Wallet::new(2)).await.claims().1["sub"].clone();
    let of = |sub: &Value, prompt: &str| asking(&app, &json!({ "id_token": { "sub": { "value": sub } } })).with("prompt", prompt);
    for prompt in ["", "none"] {
        assert!(browser.auth(&of(&mine, prompt)).await.query("code").is_some(), "{prompt}");
    }
    assert_eq!(browser.auth(&of(&other, "none")).await.query("error").as_deref(), Some("login_required"));
    let interaction = browser.begin(&of(&other, "")).await;
    assert_eq!(browser.go_on(&interaction, &wallet).await.query("error").as_deref(), Some("login_required"), "the wrong one signs in");
    assert!(browser.authorize(&of(&other, ""), &Wallet::new(2)).await.query("code").is_some(), "the right one may");
    let either = asking(&app, &json!({ "userinfo": { "sub": { "values": [mine, other] } } }));
    assert!(browser.auth(&either).await.query("code").is_some());
});

on_both!(claims_that_cannot_be_read_are_refused_at_the_app, |world| {
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    let request = |claims: &str| app.request().with("claims", claims);
    for bad in [
        "x",
        "[]",
        "{",
        r#"{"userinfo":7}"#,
        r#"{"id_token":{"name":1}}"#,
        r#"{"id_token":{"acr":{"values":"x"}}}"#,
        "{\"id_token\":{\"name\":{\"value\":\"\\u0000\"}}}",
        &format!(r#"{{"userinfo":{{"name":{{"value":{}{}}}}}}}"#, "[".repeat(900), "]".repeat(900)),
        &format!(r#"{{"userinfo":{{"{}":null}}}}"#, "x".repeat(4_200)),
    ] {
        let answer = browser.auth(&request(bad)).await;
        assert_eq!(
            (answer.query("error").as_deref(), answer.query("state").as_deref()),
            (Some("invalid_request"), Some("a state")),
            "{bad}"
        );
        assert!(answer.query("error_description").unwrap().starts_with("claims"), "{bad}");
    }
    for good in ["{}", r#"{"userinfo":null}"#, r#"{"userinfo":{"cats":{"any":"member"}},"more":1}"#] {
        assert!(browser.auth(&request(good)).await.location().starts_with("/interaction/"), "{good}");
    }
});

on_both!(a_client_cannot_ask_by_name_for_what_its_scope_forbids, |world| {
    world.client("narrow", |client| client.metadata.scope = Some("openid profile".parse().unwrap())).await;
    let (app, browser, wallet) = (App::public(&world, "narrow"), Browser::new(&world), Wallet::new(1));
    fill_in(&browser, &wallet, &[("name", "Ada"), ("email", "ada@example.org")]).await;
    let claims = json!({ "userinfo": { "email": null, "name": null }, "id_token": { "email": { "essential": true } } });
    let back = browser.authorize(&asking(&app, &claims).with("scope", "openid email phone"), &wallet).await;
    let tokens = Tokens::read(&app.redeem(&back.query("code").unwrap()).await);
    // RFC 6749 §3.3: the reply says what was given of what was asked for.
    assert_eq!(tokens.reply["scope"], json!("openid"));
    assert!(tokens.claims().1.get("email").is_none());
    assert_eq!(app.userinfo(&tokens.access).await.json(), json!({ "sub": tokens.claims().1["sub"], "name": "Ada" }));
    let nothing = browser.auth(&app.request().with("scope", "email")).await;
    assert_eq!(nothing.query("error").as_deref(), Some("invalid_scope"));
});

on_both!(a_narrowed_token_does_not_tell_by_name_what_its_scope_gave_up, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    fill_in(&browser, &wallet, &[("name", "Ada"), ("nickname", "Countess"), ("email", "ada@example.org")]).await;
    // `profile` is granted as a scope, `email` is agreed to by the name of a claim alone.
    let claims = json!({ "userinfo": { "name": null, "email": null }, "id_token": { "nickname": null, "email": null } });
    let request = asking(&app, &claims).with("scope", "openid profile offline_access");
    let whole = Tokens::read(&app.redeem(&browser.authorize(&request, &wallet).await.query("code").unwrap()).await);
    assert_eq!(app.userinfo(&whole.access).await.json()["name"], "Ada");
    assert_eq!(whole.claims().1["nickname"], "Countess");
    let narrow = Tokens::read(&app.token(&app.refreshing(&whole.refresh).with("scope", "openid")).await);
    let id = narrow.claims().1;
    assert_eq!(app.userinfo(&narrow.access).await.json(), json!({ "sub": id["sub"], "email": "ada@example.org" }));
    assert_eq!((id.get("nickname"), &id["email"]), (None, &json!("ada@example.org")));
    // The family has it still, and so has the token of before.
    let again = Tokens::read(&app.refresh(&narrow.refresh).await);
    assert_eq!((&app.userinfo(&again.access).await.json()["name"], &again.claims().1["nickname"]), (&json!("Ada"), &json!("Countess")));
    assert_eq!(app.userinfo(&whole.access).await.json()["name"], "Ada");
});
