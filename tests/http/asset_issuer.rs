//! The issuer of asset tokens: where consumers find it and its keys, and that its tokens and those of sign-in stay apart.

use latchkey::domain::{KeyPurpose, SigningAlg};
use latchkey::keys::TokenKind;
use reqwest::Method;
use serde_json::{Value, json};

use crate::actors::{App, Browser, Wallet, decode};
use crate::world::{ISSUER, World};
use crate::{forge, on_both, on_one};

const ASSET_ISSUER: &str = "http://localhost:8080/assets";
const DISCOVERY: &str = "/assets/.well-known/openid-configuration";

fn asset_token(world: &World) -> String {
    let now = world.clock.now().seconds();
    let claims = json!({
        "iss": ASSET_ISSUER, "sub": "app", "aud": ["dimo.zone"], "client_id": "app", "exp": now + 600, "nbf": now, "iat": now, "jti": "e_1",
        "asset": "did:ethr:137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF", "permissions": ["a"], "cloud_events": {"events": []},
        "contract_address": "0xba5738a18d83d41847dffbdc6101d37c69c9b0cf", "privilege_ids": [1],
    });
    world.state.keys.sign(TokenKind::AssetToken, SigningAlg::Rs256, &claims).unwrap()
}

on_both!(consumers_find_the_issuer_and_its_keys, |world| {
    let browser = Browser::new(&world);
    let discovery = browser.send(browser.bare(Method::GET, DISCOVERY).header("origin", "https://anywhere.example")).await;
    assert_eq!(
        [discovery.header("content-type"), discovery.header("cache-control"), discovery.header("access-control-allow-origin")],
        ["application/json", "public, max-age=300", "*"]
    );
    let said = discovery.json();
    let expected = json!({
        "issuer": ASSET_ISSUER, "jwks_uri": format!("{ISSUER}/assets/keys"), "response_types_supported": [], "grant_types_supported": [],
        "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"],
    });
    assert_eq!(said, expected);
    // RFC 8414 §3: the well-known part stands before the issuer's path.
    assert_eq!(browser.get("/.well-known/oauth-authorization-server/assets").await.json(), said);

    let path = said["jwks_uri"].as_str().unwrap().strip_prefix(ISSUER).unwrap();
    let answer = browser.get(path).await;
    assert_eq!((answer.header("content-type"), answer.header("cache-control")), ("application/json", "public, max-age=300"));
    let unchanged = browser.send(browser.bare(Method::GET, path).header("if-none-match", answer.header("etag"))).await;
    assert_eq!((unchanged.status, unchanged.body.as_str(), unchanged.header("etag")), (304, "", answer.header("etag")));
    let keys = forge::jwks_at(&browser, path).await;
    assert_eq!(keys.len(), 2, "one that signs and one that waits");
    for key in &keys {
        let members: Vec<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!((members, &key["alg"]), (vec!["alg", "e", "kid", "kty", "n", "use"], &json!("RS256")));
    }
    let token = asset_token(&world);
    assert!(forge::verifies(&keys, &token));
    assert_eq!(decode(&token).0["typ"], json!("at+jwt"));
    // Neither surface shows a key of the other.
    let signin = forge::jwks(&browser).await;
    let kids = |keys: &[Value]| keys.iter().map(|key| key["kid"].clone()).collect::<Vec<_>>();
    assert!(kids(&keys).iter().all(|kid| !kids(&signin).contains(kid)));
});

on_one!(a_token_of_one_surface_is_none_at_the_other, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let tokens = app.tokens(&browser, &wallet).await;
    assert_eq!(app.userinfo(&tokens.access).await.status, 200);
    let keys = &world.state.keys;
    let asset = asset_token(&world);
    assert!(keys.verify(TokenKind::AssetToken, &asset).await.is_ok());
    assert_eq!(app.userinfo(&asset).await.status, 401);
    assert!(keys.verify(TokenKind::AssetToken, &tokens.access).await.is_err());
    assert_eq!(keys.issuer(KeyPurpose::Assets), ASSET_ISSUER);
    // The claims of an access token, signed by the keys of assets under their issuer: userinfo knows neither.
    let (_, mut claims) = decode(&tokens.access);
    let (_, of_asset) = decode(&asset);
    for name in ["iss", "nbf", "asset", "permissions", "cloud_events", "contract_address", "privilege_ids"] {
        claims[name] = of_asset[name].clone();
    }
    let posing = keys.sign(TokenKind::AssetToken, SigningAlg::Rs256, &claims).unwrap();
    assert_eq!(app.userinfo(&posing).await.status, 401);
});

on_one!(the_issuer_of_assets_may_have_another_name, [("ASSETS_ISSUER", "https://assets.example")], |world| {
    let said = Browser::new(&world).get(DISCOVERY).await.json();
    assert_eq!([&said["issuer"], &said["jwks_uri"]], [&json!("https://assets.example"), &json!(format!("{ISSUER}/assets/keys"))]);
});
