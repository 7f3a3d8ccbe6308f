//! The code flow as it should go: in any order of parameters, by GET or POST, with either form of the client's secret.

use serde_json::json;

use super::suite::{Suite, code_of, redemption};
use crate::actors::{CHALLENGE, Form, Tokens, VERIFIER, decode};
use crate::module;
use crate::world::SECRET;

/// What an ID token may hold although nobody asked for it.
const UNASKED: &[&str] =
    &["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "c_hash", "nbf", "jti", "sid"];

fn half_hash(text: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, &digest.as_ref()[..16])
}

module!(oidcc_server, |suite| {
    let asked = suite.request();
    let code = code_of(&asked, &suite.told(&asked).await);
    // 43 characters of base64url: more than the 128 bits that are asked.
    assert!(code.len() >= 43, "{code}");
    let tokens = suite.redeem(&asked, &code).await;
    let claims = decode(&tokens.id).1;
    assert_eq!((&claims["at_hash"], &claims["c_hash"]), (&json!(half_hash(&tokens.access)), &json!(half_hash(&code))));
    for claim in claims.as_object().unwrap().keys() {
        assert!(UNASKED.contains(&claim.as_str()), "nobody asked for {claim}");
    }
    // The next code is another one.
    assert_ne!(code_of(&asked, &suite.told(&asked).await), code);
});

module!(oidcc_server_client_secret_post, |suite| {
    let asked = suite.request();
    let code = code_of(&asked, &suite.told(&asked).await);
    let form = redemption(&asked, &code).with("client_id", "suite").with("client_secret", SECRET);
    let tokens = Tokens::read(&suite.browser.post_form("/token", &form).await);
    suite.check(&asked, &tokens).await;
});

module!(oidcc_idtoken_signature, |suite| {
    let tokens = suite.tokens(&suite.request()).await;
    let header = decode(&tokens.id).0;
    assert_eq!(header["alg"], "RS256", "nothing was registered");
    assert!(header["kid"].is_string());
});

module!(oidcc_ensure_request_without_nonce_succeeds_for_code_flow, |suite| {
    suite.tokens(&suite.request().without("nonce")).await;
});

module!(oidcc_alternate_happy_flow, |suite| {
    let asked = suite.request().with("scope", "email openid");
    let backwards = ["response_mode", "response_type", "nonce", "state", "scope", "redirect_uri", "client_id"]
        .into_iter()
        .filter(|name| !asked.get(name).is_empty())
        .fold(Form::default(), |form, name| form.and(name, asked.get(name)));
    assert_ne!(backwards.encode(), asked.encode());
    let tokens = suite.tokens(&backwards).await;
    assert_eq!(
        suite.app.userinfo(&tokens.access).await.json()["ethereum_address"],
        json!(suite.wallet.address),
        "the scope email was heard"
    );
});

module!(oidcc_ensure_request_with_valid_pkce_succeeds, |suite| {
    let asked = suite.request().with("code_challenge", CHALLENGE).with("code_challenge_method", "S256");
    let code = code_of(&asked, &suite.told(&asked).await);
    let tokens = Tokens::read(&suite.app.token(&redemption(&asked, &code).with("code_verifier", VERIFIER)).await);
    suite.check(&asked, &tokens).await;
});

// A page of the app posts the request, so it comes from another site and without our cookies.
module!(oidcc_ensure_post_request_succeeds, |suite| {
    let asked = suite.request();
    let kept = suite.browser.post_cross_site("/auth", &asked).await;
    assert_eq!(kept.status, 303, "{}", kept.body);
    let begun = suite.browser.get(kept.location()).await;
    let answer = suite.browser.go_on(begun.location(), &suite.wallet).await;
    suite.redeem(&asked, &code_of(&asked, &suite.read(&asked, &answer))).await;
    // Once more, for somebody who is signed in: it goes straight back.
    let kept = suite.browser.post_cross_site("/auth", &asked).await;
    let answer = suite.browser.get(kept.location()).await;
    suite.redeem(&asked, &code_of(&asked, &suite.read(&asked, &answer))).await;
});

/// Redeems a code twice, the second time `later` seconds after the first, and gives the tokens of the first.
async fn redeem_twice(suite: &Suite<'_>, later: u64) -> Tokens {
    let asked = suite.request();
    let code = code_of(&asked, &suite.told(&asked).await);
    let tokens = suite.redeem(&asked, &code).await;
    suite.world.clock.advance(std::time::Duration::from_secs(later));
    let again = suite.app.token(&redemption(&asked, &code)).await;
    assert_eq!((again.error(), again.header("content-type")), ((400, "invalid_grant".into()), "application/json"));
    let description = again.json()["error_description"].as_str().unwrap().to_owned();
    assert!(description.chars().all(|c| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~')), "{description}");
    tokens
}

module!(oidcc_codereuse, |suite| {
    redeem_twice(suite, 0).await;
});

// RFC 6749 §4.1.2: "the authorization server MUST deny the request and SHOULD revoke (when possible) all tokens previously issued".
module!(oidcc_codereuse_30seconds, |suite| {
    let tokens = redeem_twice(suite, 30).await;
    assert_eq!(suite.app.userinfo(&tokens.access).await.status, 401);
});
