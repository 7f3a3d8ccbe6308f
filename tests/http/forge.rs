//! Tokens as an attacker makes them, and checks of real ones with nothing but the published keys.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use aws_lc_rs::{hmac, signature};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::actors::{Browser, decode};

/// A part of a token.
pub(crate) fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token of these parts with a signature as it is.
pub(crate) fn assemble(header: &Value, claims: &Value, signature: &[u8]) -> String {
    format!("{}.{}.{}", part(header), part(claims), URL_SAFE_NO_PAD.encode(signature))
}

/// A token signed as HS256 with `key`.
pub(crate) fn hmac_signed(header: &Value, claims: &Value, key: &[u8]) -> String {
    let message = format!("{}.{}", part(header), part(claims));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
}

/// A token signed as ES256 with a key that nobody published, which is offered in the header as `jwk`.
pub(crate) fn self_signed(kid: &Value, typ: &str, claims: &Value) -> String {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let point = pair.public_key().as_ref();
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..]) });
    let header = json!({ "alg": "ES256", "typ": typ, "kid": kid, "jwk": jwk });
    let message = format!("{}.{}", part(&header), part(claims));
    let signed = pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signed.as_ref()))
}

/// The published keys.
pub(crate) async fn jwks(browser: &Browser<'_>) -> Vec<Value> {
    jwks_at(browser, "/keys").await
}

pub(crate) async fn jwks_at(browser: &Browser<'_>, path: &str) -> Vec<Value> {
    browser.get(path).await.json()["keys"].as_array().unwrap().clone()
}

/// Whether a token's signature is that of the published key which its header names, by the algorithm of that key.
pub(crate) fn verifies(keys: &[Value], token: &str) -> bool {
    let (header, _) = decode(token);
    let key = keys.iter().find(|key| key["kid"] == header["kid"]).unwrap_or_else(|| panic!("not published: {header}"));
    assert_eq!(key["alg"], header["alg"]);
    let (message, signed) = token.rsplit_once('.').unwrap();
    let (message, signed) = (message.as_bytes(), URL_SAFE_NO_PAD.decode(signed).unwrap());
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    match key["alg"].as_str().unwrap() {
        alg @ ("RS256" | "PS256") => {
            let public = signature::RsaPublicKeyComponents { n: bytes("n"), e: bytes("e") };
            let how = if alg == "PS256" { &signature::RSA_PSS_2048_8192_SHA256 } else { &signature::RSA_PKCS1_2048_8192_SHA256 };
            public.verify(how, message, &signed).is_ok()
        }
        "ES256" => {
            let point = [vec![4], bytes("x"), bytes("y")].concat();
            signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).verify(message, &signed).is_ok()
        }
        "EdDSA" => signature::UnparsedPublicKey::new(&signature::ED25519, bytes("x")).verify(message, &signed).is_ok(),
        other => panic!("an algorithm that nobody knows: {other}"),
    }
}
