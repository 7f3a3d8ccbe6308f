//! The main job: a wallet signs in, an app gets its tokens.

use serde_json::json;

use crate::actors::{App, Browser, Tokens, Wallet, decode};
use crate::on_both;
use crate::world::{BEGINNING, ISSUER};

on_both!(a_wallet_signs_in_and_an_app_gets_its_tokens, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let back = browser.authorize(&app.request(), &wallet).await;
    assert_eq!(back.status, 303);
    assert!(back.location().starts_with("https://app.example/callback?code="), "{}", back.location());
    assert_eq!((back.query("state").as_deref(), back.query("iss").as_deref()), (Some("a state"), Some(ISSUER)));

    let answer = app.redeem(&back.query("code").unwrap()).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let tokens = Tokens::read(&answer);
    let reply = &tokens.reply;
    assert_eq!(
        (&reply["token_type"], &reply["expires_in"], &reply["scope"]),
        (&json!("Bearer"), &json!(3600), &json!("email openid profile"))
    );
    let (header, id) = decode(&tokens.id);
    assert_eq!((&header["alg"], &header["typ"]), (&json!("RS256"), &json!("JWT")));
    assert_eq!((&id["iss"], &id["aud"], &id["nonce"], &id["amr"]), (&json!(ISSUER), &json!("app"), &json!("a nonce"), &json!(["pop"])));
    assert_eq!((&id["iat"], &id["exp"], &id["auth_time"]), (&json!(BEGINNING), &json!(BEGINNING + 3600), &json!(BEGINNING)));
    // Scope claims come from userinfo.
    assert!(id.get("ethereum_address").is_none() && id.get("email_verified").is_none(), "{id}");
    let (header, access) = decode(&tokens.access);
    assert_eq!((&header["typ"], &access["client_id"], &access["sub"]), (&json!("at+jwt"), &json!("app"), &id["sub"]));

    let info = app.userinfo(&tokens.access).await;
    assert_eq!(info.status, 200, "{}", info.body);
    assert_eq!((&info.json()["sub"], &info.json()["ethereum_address"]), (&id["sub"], &json!(wallet.address)));
});
