//! A machine that asks for tokens of its own: a client with a P-256 key, made anew for each run, whose assertions it signs itself.

use std::path::Path;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;

use crate::Failure;

pub(crate) const ID: &str = "load-machine";

static KEY: OnceLock<EcdsaKeyPair> = OnceLock::new();

/// Writes the machine's public key as a JWK set.
pub(crate) fn write_keys(path: &Path) -> Result<(), Failure> {
    if KEY.get().is_none() {
        let _ = KEY.set(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?);
    }
    let point = KEY.get().ok_or("no key")?.public_key().as_ref();
    let text = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let jwk = json!({ "kty": "EC", "crv": "P-256", "kid": "load", "x": text(&point[1..33]), "y": text(&point[33..]) });
    Ok(std::fs::write(path, json!({ "keys": [jwk] }).to_string())?)
}

/// An assertion for this issuer; `jti` must never have been used.
#[expect(clippy::disallowed_methods, reason = "the server under load has the real time")]
pub(crate) fn assertion(issuer: &str, jti: &str) -> Result<String, Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let claims = json!({ "iss": ID, "sub": ID, "aud": issuer, "iat": now, "exp": now + 60, "jti": jti }).to_string();
    let mut token = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256","kid":"load"}"#);
    token.push('.');
    BASE64_URL_SAFE_NO_PAD.encode_string(claims, &mut token);
    let signature = KEY.get().ok_or("no key")?.sign(&SystemRandom::new(), token.as_bytes())?;
    token.push('.');
    BASE64_URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut token);
    Ok(token)
}
