//! All keys of one purpose that are published, opened: what signs, verifies and is shown to the world. Made anew at each reload, never changed.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::claims::{VerifiedClaims, check_shape};
use super::key::KeyPair;
use super::kinds::Rules;
use super::rotation::{self, KeyTimes};
use super::token::{TokenRefusal, UnverifiedToken};
use super::{KeyInfo, KeysError, TokenKind};
use crate::domain::{KeyPurpose, SigningAlg, Timestamp};

const OBJECT: &str = "object of claims";

/// The published key set (RFC 7517 §5), ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwks {
    /// The JSON document.
    pub body: String,
    /// A strong entity tag of the body, in its quotes (RFC 9110 §8.8.3).
    pub etag: String,
}

#[derive(Debug)]
pub(super) struct KeySet {
    /// In the order of algorithms and generations; `pairs[i]` is the key of `times[i]`.
    times: Vec<KeyTimes>,
    pairs: Vec<Arc<KeyPair>>,
    jwks: Arc<Jwks>,
}

impl KeySet {
    pub(super) fn new(mut keys: Vec<(KeyTimes, Arc<KeyPair>)>) -> Self {
        keys.sort_by_key(|(times, _)| (times.alg, times.generation));
        let members: Vec<Value> = keys.iter().map(|(_, pair)| pair.public_jwk()).collect();
        let body = json!({ "keys": members }).to_string();
        let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(digest(&SHA256, body.as_bytes())));
        let (times, pairs) = keys.into_iter().unzip();
        Self { times, pairs, jwks: Arc::new(Jwks { body, etag }) }
    }

    pub(super) fn times(&self) -> &[KeyTimes] {
        &self.times
    }

    pub(super) fn jwks(&self) -> Arc<Jwks> {
        Arc::clone(&self.jwks)
    }

    pub(super) fn pair(&self, kid: &str) -> Option<&Arc<KeyPair>> {
        self.pairs.iter().find(|pair| pair.kid() == kid)
    }

    pub(super) fn list(&self, purpose: KeyPurpose, now: Timestamp) -> Vec<KeyInfo> {
        let info = |key: &KeyTimes| KeyInfo {
            kid: key.kid.clone(),
            purpose,
            alg: key.alg,
            state: rotation::state(key, &self.times, now),
            created_at: key.created_at,
            active_from: key.active_from,
            retire_at: key.retire_at,
        };
        self.times.iter().map(info).collect()
    }

    /// Signs claims, which must satisfy the table, with the key of `alg` that is active at `now`.
    pub(super) fn sign(
        &self,
        kind: TokenKind,
        alg: SigningAlg,
        claims: &impl Serialize,
        issuer: &str,
        now: Timestamp,
    ) -> Result<String, KeysError> {
        let rules = kind.rules();
        let mut text = Vec::with_capacity(1024);
        serde_json::to_writer(&mut text, claims).map_err(|_| KeysError::Claims(OBJECT))?;
        // What a kind's claims are, the code that makes them decides, and no request: so the tests of this crate look at each that is made, and
        // a release does not take the time.
        if cfg!(debug_assertions) {
            would_be_taken(&text, rules, issuer)?;
        }
        let active = rotation::active(&self.times, alg, now).ok_or(KeysError::NoActiveKey(alg))?;
        let pair = self.pair(&active.kid).ok_or(KeysError::NoActiveKey(alg))?;
        pair.sign(rules.typ, &text)
    }

    pub(super) fn verify(
        &self,
        kind: TokenKind,
        token: &UnverifiedToken<'_>,
        issuer: &str,
        now: Timestamp,
    ) -> Result<VerifiedClaims, TokenRefusal> {
        let rules = kind.rules();
        let key = token.kid().and_then(|kid| self.published(kid, now)).ok_or(TokenRefusal::UnknownKey)?;
        // RFC 8725 §3.1: the algorithm is the key's; what the header says only has to agree.
        if token.alg() != key.alg().as_str() {
            return Err(TokenRefusal::WrongAlgorithm);
        }
        let (message, signature) = token.signed();
        if !key.verifies(message, signature) {
            return Err(TokenRefusal::BadSignature);
        }
        // RFC 8725 §3.11, RFC 9068 §4: explicit typing keeps one kind of token from passing for another.
        let typ_fits = token.typ().is_some_and(|typ| rules.typ_accepted.iter().any(|accepted| typ.eq_ignore_ascii_case(accepted)));
        if !typ_fits {
            return Err(TokenRefusal::WrongType);
        }
        VerifiedClaims::check(token.claims()?, rules, issuer, now)
    }

    /// A key that has not left the published set by `now`, though the next reload may still have to drop it.
    pub(super) fn published(&self, kid: &str, now: Timestamp) -> Option<&KeyPair> {
        let times = self.times.iter().find(|key| key.kid == kid)?;
        if times.retire_at.is_some_and(|end| end <= now) { None } else { self.pair(kid).map(AsRef::as_ref) }
    }
}

// Whether `verify` would take these claims, and whether each is told once.
fn would_be_taken(text: &[u8], rules: &Rules, issuer: &str) -> Result<(), KeysError> {
    let claims: Map<String, Value> = serde_json::from_slice(text).map_err(|_| KeysError::Claims(OBJECT))?;
    if serde_json::to_vec(&claims).map_or(true, |once| once.len() != text.len()) {
        return Err(KeysError::Claims(OBJECT));
    }
    check_shape(&claims, rules, issuer).map_err(|refusal| match refusal {
        TokenRefusal::MissingClaim(name) | TokenRefusal::BadClaim(name) => KeysError::Claims(name),
        _ => KeysError::Claims("iss"),
    })
}

#[cfg(test)]
mod tests;
