//! The main job: a wallet signs in, an app gets its tokens.

use serde_json::json;

use crate::actors::{Browser, Wallet, decode, redeem, request_of};
use crate::on_both;
use crate::world::{BEGINNING, ISSUER};

on_both!(a_wallet_signs_in_and_an_app_gets_its_tokens, |world| {
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    let back = browser.authorize(&request_of("app"), &wallet).await;
    assert_eq!(back.status, 303);
    assert!(back.location().starts_with("https://app.example/callback?code="), "{}", back.location());
    assert_eq!((back.query("state").as_deref(), back.query("iss").as_deref()), (Some("a state"), Some(ISSUER)));

    let answer = redeem(&browser, "app", &back.query("code").unwrap()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), "no-store");
    let tokens = answer.json();
    assert_eq!(
        (&tokens["token_type"], &tokens["expires_in"], &tokens["scope"]),
        (&json!("Bearer"), &json!(3600), &json!("email openid profile"))
    );
    let (header, id) = decode(tokens["id_token"].as_str().unwrap());
    assert_eq!((&header["alg"], &header["typ"]), (&json!("RS256"), &json!("JWT")));
    assert_eq!((&id["iss"], &id["aud"], &id["nonce"], &id["amr"]), (&json!(ISSUER), &json!("app"), &json!("a nonce"), &json!(["pop"])));
    assert_eq!((&id["iat"], &id["exp"], &id["auth_time"]), (&json!(BEGINNING), &json!(BEGINNING + 3600), &json!(BEGINNING)));
    // Scope claims come from userinfo.
    assert!(id.get("ethereum_address").is_none() && id.get("email_verified").is_none(), "{id}");
    let (header, access) = decode(tokens["access_token"].as_str().unwrap());
    assert_eq!((&header["typ"], &access["client_id"], &access["sub"]), (&json!("at+jwt"), &json!("app"), &id["sub"]));

    let info = browser.send(browser.request(reqwest::Method::GET, "/userinfo").bearer_auth(tokens["access_token"].as_str().unwrap())).await;
    assert_eq!(info.status, 200, "{}", info.body);
    assert_eq!((&info.json()["sub"], &info.json()["ethereum_address"]), (&id["sub"], &json!(wallet.address)));
});
