//! The public keys of an app (RFC 7517 §5): what is kept of a set is what this server can use, and never a private part.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::members::wrong;
use crate::protocol::error::OAuthError;

const MOST_KEYS: usize = 50;
/// Names that a key may have; `x5c` and the like are not believed, so they are not kept.
const KEPT: &[&str] = &["kty", "use", "key_ops", "alg", "kid", "n", "e", "crv", "x", "y"];

/// The set with what can be used of it.
///
/// # Errors
/// `invalid_client_metadata` when it is no set, holds a private or symmetric key, a key that is too weak, or nothing of use.
pub(super) fn public_only(set: &Value) -> Result<Value, OAuthError> {
    let keys = set.get("keys").and_then(Value::as_array).filter(|keys| keys.len() <= MOST_KEYS);
    let keys = keys.ok_or_else(|| wrong(format!("jwks must be an object with a list of at most {MOST_KEYS} keys (RFC 7517 section 5)")))?;
    let mut kept = Vec::new();
    for (place, key) in keys.iter().enumerate() {
        let key = key.as_object().ok_or_else(|| wrong(format!("jwks.keys[{place}] is not an object")))?;
        // RFC 7591 §2: "The value of this field MUST be a JSON object containing a valid JWK Set"; of public keys.
        if ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"].iter().any(|member| key.contains_key(*member)) {
            return Err(wrong(format!(
                "jwks.keys[{place}] has a private part, which must never leave the app: make a new key and send its public part alone"
            )));
        }
        if is_usable(key).map_err(|why| wrong(format!("jwks.keys[{place}] {why}")))? {
            kept.push(Value::Object(
                key.iter().filter(|(name, _)| KEPT.contains(&name.as_str())).map(|(name, value)| (name.clone(), value.clone())).collect(),
            ));
        }
    }
    if kept.is_empty() {
        return Err(wrong("jwks holds no key that can verify a signature: an RSA key of 2048 bits or more, a P-256 or an Ed25519 key"));
    }
    Ok(Value::Object(Map::from_iter([("keys".to_owned(), Value::Array(kept))])))
}

// RFC 7517 §5: "Implementations SHOULD ignore JWKs within a JWK Set that use "kty" … values that are not understood by them".
fn is_usable(key: &Map<String, Value>) -> Result<bool, String> {
    for name in KEPT.iter().filter(|name| **name != "key_ops") {
        let fits = |value: &Value| value.as_str().is_some_and(|text| text.len() <= 1_500 && text.chars().all(|c| !c.is_control()));
        if key.get(*name).is_some_and(|value| !fits(value)) {
            return Err(format!("has a `{name}` that is no text, or too long a one"));
        }
    }
    let operations = |value: &Value| {
        value
            .as_array()
            .is_some_and(|list| list.len() <= 8 && list.iter().all(|one| one.as_str().is_some_and(|one| one.len() <= 20 && one.is_ascii())))
    };
    if key.get("key_ops").is_some_and(|value| !operations(value)) {
        return Err("has `key_ops` that are no list of operations".to_owned());
    }
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    let bytes = |name: &str| {
        text(name)
            .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
            .ok_or_else(|| format!("lacks `{name}`, or it is not base64url without padding"))
    };
    match (text("kty"), text("crv")) {
        (Some("RSA"), _) => {
            let (n, e) = (bytes("n")?, bytes("e")?);
            // RFC 7518 §3.3: "A key of size 2048 bits or larger MUST be used with these algorithms."
            if !(2_048..=8_192).contains(&bits(&n)) {
                return Err("is an RSA key that has not 2048 to 8192 bits".to_owned());
            }
            // An exponent of 1 would make every text its own signature.
            if !(2..=33).contains(&bits(&e)) || [&n, &e].iter().any(|number| number.last().is_none_or(|last| last % 2 == 0)) {
                return Err("has an `n` or `e` that no RSA key has".to_owned());
            }
            Ok(true)
        }
        (Some("EC"), Some("P-256")) => {
            if bytes("x")?.len() == 32 && bytes("y")?.len() == 32 {
                Ok(true)
            } else {
                Err("has an `x` or `y` that has not 32 bytes".to_owned())
            }
        }
        (Some("OKP"), Some("Ed25519")) => {
            if bytes("x")?.len() == 32 {
                Ok(true)
            } else {
                Err("has an `x` that has not 32 bytes".to_owned())
            }
        }
        (Some("oct"), _) => Err("is a symmetric key; only public keys can be registered".to_owned()),
        (Some(_), _) => Ok(false),
        (None, _) => Err("lacks `kty`".to_owned()),
    }
}

fn bits(number: &[u8]) -> usize {
    let significant = number.iter().skip_while(|byte| **byte == 0);
    let mut significant = significant.peekable();
    let leading = significant.peek().map_or(0, |first| first.leading_zeros() as usize);
    (significant.count() * 8).saturating_sub(leading)
}
