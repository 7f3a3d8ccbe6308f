//! How strong and how recent a sign-in is: `acr`, `acr_values`, and the defaults that a client registers.

use std::time::Duration;

use serde_json::{Value, json};

use crate::actors::{App, Browser, Tokens, Wallet};
use crate::on_both;
use crate::world::BEGINNING;

const WALLET: &str = "urn:latchkey:acr:wallet";

on_both!(tokens_say_how_the_person_signed_in_whatever_was_preferred, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let supported = browser.get("/.well-known/openid-configuration").await.json()["acr_values_supported"].clone();
    assert_eq!(supported, json!([WALLET, "urn:latchkey:acr:passkey"]));
    // OpenID Connect Core §3.1.2.1: acr_values are voluntary; none of them, known or not, is a reason to fail or to claim more.
    for asked in ["", WALLET, "urn:mace:incommon:iap:gold", "0 1 2", &"x ".repeat(2_000)] {
        let back = browser.authorize(&app.request().with("acr_values", asked), &wallet).await;
        let (access, id) = Tokens::read(&app.redeem(&back.query("code").unwrap()).await).claims();
        assert_eq!((&access["acr"], &id["acr"]), (&json!(WALLET), &json!(WALLET)), "{asked}");
    }
    // Nor is anything else that is accepted and ignored.
    let ignored = app.request().and("display", "popup").and("ui_locales", "fr-CA de").and("claims_locales", "x y").and("prompt", "none");
    assert!(browser.auth(&ignored).await.query("code").is_some());
    let license = world.license(Wallet::new(9).address).await;
    let tokens = App::public(&world, license.id.as_str()).tokens(&browser, &wallet).await;
    assert_eq!((&tokens.claims().0["acr"], &tokens.claims().1["acr"]), (&json!(WALLET), &json!(WALLET)));
});

on_both!(an_essential_acr_is_met_or_refused, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let demand = |acr: Value| app.request().with("claims", &json!({ "id_token": { "acr": acr } }).to_string());
    // Nobody is asked to sign in for what no sign-in can give.
    for prompt in ["", "none", "login"] {
        let answer = browser.auth(&demand(json!({ "essential": true, "values": ["gold", "silver"] })).with("prompt", prompt)).await;
        assert_eq!(answer.query("error").as_deref(), Some("unmet_authentication_requirements"), "{prompt}");
    }
    let met = browser.authorize(&demand(json!({ "essential": true, "values": ["gold", WALLET] })), &wallet).await;
    let (_, id) = Tokens::read(&app.redeem(&met.query("code").unwrap()).await).claims();
    assert_eq!(id["acr"], WALLET);
    for voluntary in [json!({ "values": ["gold"] }), json!({ "essential": true }), json!(null), json!({ "value": "gold" })] {
        assert!(browser.auth(&demand(voluntary.clone())).await.query("code").is_some(), "{voluntary}");
    }
});

on_both!(a_clients_own_defaults_hold_where_it_does_not_say, |world| {
    world
        .client("strict", |client| {
            client.metadata.default_max_age = Some(60);
            client.metadata.require_auth_time = true;
            client.metadata.default_acr_values = vec!["gold".to_owned(), WALLET.to_owned()];
        })
        .await;
    let (app, browser, wallet) = (App::public(&world, "strict"), Browser::new(&world), Wallet::new(1));
    let (_, id) = app.tokens(&browser, &wallet).await.claims();
    assert_eq!((&id["auth_time"], &id["acr"]), (&json!(BEGINNING), &json!(WALLET)));
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(browser.auth(&app.request().with("prompt", "none")).await.query("error").as_deref(), Some("login_required"));
    // OpenID Connect Registration §2: "The max_age request parameter overrides this default value."
    assert!(browser.auth(&app.request().with("prompt", "none").with("max_age", "3600")).await.query("code").is_some());
    let (_, id) = app.tokens(&browser, &wallet).await.claims();
    assert_eq!(id["auth_time"], json!(BEGINNING + 61), "signed in again");
});
