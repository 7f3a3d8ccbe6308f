//! The public keys of a client (RFC 7517 §5): read from a set that somebody else wrote, and asked whether a signature is theirs.
//!
//! What cannot verify here (another kind of key, another use, too short) is left out, as RFC 7517 §5 wants it; a set with nothing left,
//! or with a private key in it, is refused with a sentence for its owner.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::jwk::PublicJwk;
use crate::domain::SigningAlg;

/// More keys than any client turns over at a time.
const MOST_KEYS: usize = 50;
/// RFC 7518 §3.3, §3.5: "A key of size 2048 bits or larger MUST be used". Beyond 8192 it only costs time.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;

/// A client's keys that can verify.
#[derive(Debug)]
pub struct ClientKeys(Vec<ClientKey>);

struct ClientKey {
    kid: String,
    /// The only algorithm, where the key names one (RFC 7517 §4.4).
    alg: Option<SigningAlg>,
    public: Public,
}

enum Public {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(ParsedPublicKey),
    Ed25519(ParsedPublicKey),
}

/// Why a set of keys is not taken: a sentence for whoever wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeySetError(String);

/// Why a signature is not a client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTheirs {
    /// A set that is newer may have it.
    #[error("none of the client's keys has the kid and the algorithm that the header names")]
    UnknownKey,
    /// OpenID Connect Core §10.1: "If there are multiple keys in the referenced JWK Set document, a kid value MUST be provided in the
    /// JOSE Header."
    #[error("several of the client's keys fit: the header must name one by kid")]
    Ambiguous,
    #[error("the signature is not that of the client's key")]
    BadSignature,
}

impl ClientKeys {
    /// Reads a JWK set.
    ///
    /// # Errors
    /// When it is none, when it has a private key in it, or when no key of it can verify.
    pub fn read(set: &Value) -> Result<Self, KeySetError> {
        let refuse = |why: &str| Err(KeySetError(why.to_owned()));
        let Some(keys) = set.get("keys").and_then(Value::as_array) else {
            return refuse("it is no JWK set: a JSON object with an array `keys` (RFC 7517 section 5)");
        };
        if keys.len() > MOST_KEYS {
            return Err(KeySetError(format!("it has {} keys; at most {MOST_KEYS} are taken", keys.len())));
        }
        let mut usable = Vec::new();
        let mut first_reason = None;
        for key in keys {
            let Some(key) = key.as_object() else { return refuse("one of its `keys` is no JSON object") };
            if ["d", "p", "q", "dp", "dq", "qi", "oth"].iter().any(|member| key.contains_key(*member)) {
                return refuse("it holds a private key, which must never leave the client: make a new key, and give the public half only");
            }
            match ClientKey::read(key) {
                Ok(key) => usable.push(key),
                Err(why) => first_reason = first_reason.or(Some(why)),
            }
        }
        if usable.is_empty() {
            let reason = first_reason.map(|why| format!(" (the first: {why})")).unwrap_or_default();
            return Err(KeySetError(format!(
                "no key in it can verify a signature{reason}; it needs an RSA key of 2048 bits or more, a P-256 or an Ed25519 key"
            )));
        }
        Ok(Self(usable))
    }

    /// Whether `signature` over `message` is by one of these keys and `alg`. Which key is said by `kid`, or by there being one alone.
    ///
    /// # Errors
    /// Why not.
    // RFC 8725 §3.1: "each key MUST be used with exactly one algorithm" as far as the key says so; its kind always has to fit.
    pub fn verify(&self, alg: SigningAlg, kid: Option<&str>, message: &[u8], signature: &[u8]) -> Result<(), NotTheirs> {
        let mut fitting = self.0.iter().filter(|key| key.fits(alg) && kid.is_none_or(|kid| key.kid == kid));
        let key = fitting.next().ok_or(NotTheirs::UnknownKey)?;
        if fitting.next().is_some() {
            return Err(NotTheirs::Ambiguous);
        }
        if key.verifies(alg, message, signature) { Ok(()) } else { Err(NotTheirs::BadSignature) }
    }
}

impl ClientKey {
    fn read(key: &Map<String, Value>) -> Result<Self, &'static str> {
        let text = |name: &'static str| key.get(name).and_then(Value::as_str);
        let bytes = |name: &'static str| text(name).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        if key.get("use").is_some_and(|purpose| purpose.as_str() != Some("sig")) {
            return Err("its use is not sig");
        }
        let verifies = |operations: &Value| operations.as_array().is_some_and(|all| all.iter().any(|one| one.as_str() == Some("verify")));
        if key.get("key_ops").is_some_and(|operations| !verifies(operations)) {
            return Err("its key_ops lack verify");
        }
        let alg = match key.get("alg") {
            None => None,
            Some(Value::String(name)) => Some(name.parse().map_err(|_| "its alg is none of RS256, PS256, ES256 and EdDSA")?),
            Some(_) => return Err("its alg is no text"),
        };
        let (public, jwk) = match (text("kty"), text("crv")) {
            (Some("RSA"), _) => {
                let (n, e) = bytes("n").zip(bytes("e")).ok_or("its n or e is no base64url")?;
                if !RSA_BITS.contains(&bits(&n)) {
                    return Err("an RSA key must have 2048 to 8192 bits");
                }
                // A modulus is odd, and so is an exponent; 1 would make every text its own signature.
                if e.len() > 5 || bits(&e) < 2 || [&n, &e].iter().any(|number| number.last().is_none_or(|last| last % 2 == 0)) {
                    return Err("its n or e is no RSA key's");
                }
                let jwk = PublicJwk::rsa(trim(&n), trim(&e));
                (Public::Rsa { n, e }, jwk)
            }
            (Some("EC"), Some("P-256")) => {
                let (x, y) = bytes("x").zip(bytes("y")).ok_or("its x or y is no base64url")?;
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                let jwk = PublicJwk::p256(&point).filter(|_| x.len() == 32).ok_or("its x or y has not 32 bytes")?;
                let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point).map_err(|_| "its x and y are no point of P-256")?;
                (Public::P256(key), jwk)
            }
            (Some("OKP"), Some("Ed25519")) => {
                let x = bytes("x").filter(|x| x.len() == 32).ok_or("its x has not 32 bytes")?;
                let key = ParsedPublicKey::new(&ED25519, &x).map_err(|_| "its x is no key of Ed25519")?;
                (Public::Ed25519(key), PublicJwk::ed25519(&x))
            }
            _ => return Err("it is no RSA, P-256 or Ed25519 key"),
        };
        let kid = match key.get("kid") {
            // Who gives it no name can name it by its thumbprint.
            None => jwk.thumbprint(),
            Some(Value::String(kid)) => kid.clone(),
            Some(_) => return Err("its kid is no text"),
        };
        let key = Self { kid, alg, public };
        if key.alg.is_some_and(|alg| !key.fits(alg)) { Err("its alg does not fit its kty") } else { Ok(key) }
    }

    fn fits(&self, alg: SigningAlg) -> bool {
        let kind = match self.public {
            Public::Rsa { .. } => matches!(alg, SigningAlg::Rs256 | SigningAlg::Ps256),
            Public::P256(_) => alg == SigningAlg::Es256,
            Public::Ed25519(_) => alg == SigningAlg::EdDsa,
        };
        kind && self.alg.is_none_or(|own| own == alg)
    }

    fn verifies(&self, alg: SigningAlg, message: &[u8], signature: &[u8]) -> bool {
        match &self.public {
            Public::Rsa { n, e } => {
                let how = if alg == SigningAlg::Ps256 { &RSA_PSS_2048_8192_SHA256 } else { &RSA_PKCS1_2048_8192_SHA256 };
                RsaPublicKeyComponents { n: trim(n), e: trim(e) }.verify(how, message, signature).is_ok()
            }
            Public::P256(key) | Public::Ed25519(key) => key.verify_sig(message, signature).is_ok(),
        }
    }
}

impl std::fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientKey").field("kid", &self.kid).field("alg", &self.alg).finish_non_exhaustive()
    }
}

fn trim(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

fn bits(number: &[u8]) -> usize {
    let number = trim(number);
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::key::KeyPair;
    use super::*;

    const MESSAGE: &[u8] = b"header.claims";

    fn pair(alg: SigningAlg) -> (KeyPair, Value) {
        let (pair, _) = KeyPair::generate(alg).unwrap();
        let jwk = pair.public_jwk();
        (pair, jwk)
    }

    fn without(mut jwk: Value, names: &[&str]) -> Value {
        jwk.as_object_mut().unwrap().retain(|name, _| !names.contains(&name.as_str()));
        jwk
    }

    fn with(mut jwk: Value, name: &str, value: Value) -> Value {
        jwk[name] = value;
        jwk
    }

    fn refusal(set: &Value) -> String {
        ClientKeys::read(set).unwrap_err().to_string()
    }

    #[test]
    fn each_kind_of_key_verifies_by_its_own_algorithm_alone() {
        for &alg in SigningAlg::ALL {
            let (pair, jwk) = pair(alg);
            let keys = ClientKeys::read(&json!({"keys": [jwk]})).unwrap();
            let signature = pair.sign_bytes(MESSAGE).unwrap();
            for &other in SigningAlg::ALL {
                let outcome = keys.verify(other, None, MESSAGE, &signature);
                assert_eq!(outcome, if other == alg { Ok(()) } else { Err(NotTheirs::UnknownKey) }, "{alg} as {other}");
            }
            assert_eq!(keys.verify(alg, Some(pair.kid()), b"header.other", &signature), Err(NotTheirs::BadSignature));
            assert_eq!(keys.verify(alg, Some(pair.kid()), MESSAGE, &[]), Err(NotTheirs::BadSignature));
            assert_eq!(keys.verify(alg, Some("another"), MESSAGE, &signature), Err(NotTheirs::UnknownKey));
        }
    }

    #[test]
    fn one_of_several_keys_is_chosen_by_its_name() {
        let ((one, first), (two, second)) = (pair(SigningAlg::Es256), pair(SigningAlg::Es256));
        let (_, other) = pair(SigningAlg::EdDsa);
        let nameless = without(second, &["kid", "alg", "use"]);
        let keys = ClientKeys::read(&json!({"keys": [with(first, "kid", json!("first")), nameless, other]})).unwrap();
        let (by_one, by_two) = (one.sign_bytes(MESSAGE).unwrap(), two.sign_bytes(MESSAGE).unwrap());
        assert_eq!(keys.verify(SigningAlg::Es256, Some("first"), MESSAGE, &by_one), Ok(()));
        assert_eq!(keys.verify(SigningAlg::Es256, Some("first"), MESSAGE, &by_two), Err(NotTheirs::BadSignature));
        assert_eq!(keys.verify(SigningAlg::Es256, Some(two.kid()), MESSAGE, &by_two), Ok(()), "by its thumbprint");
        assert_eq!(keys.verify(SigningAlg::Es256, None, MESSAGE, &by_one), Err(NotTheirs::Ambiguous));
    }

    #[test]
    fn what_cannot_verify_is_left_out_and_a_set_of_nothing_refused() {
        let (_, good) = pair(SigningAlg::Es256);
        let (_, rsa) = pair(SigningAlg::Rs256);
        for (unfit, why) in [
            (with(good.clone(), "use", json!("enc")), "use"),
            (with(good.clone(), "key_ops", json!(["encrypt"])), "key_ops"),
            (with(good.clone(), "alg", json!("ES384")), "alg"),
            (with(good.clone(), "alg", json!("EdDSA")), "does not fit"),
            (with(good.clone(), "kid", json!(5)), "kid"),
            (with(good.clone(), "crv", json!("P-384")), "no RSA, P-256 or Ed25519"),
            (with(good.clone(), "y", good["x"].clone()), "no point"),
            (with(good.clone(), "x", json!("AA")), "32 bytes"),
            (json!({"kty": "oct", "k": "AAAA"}), "no RSA"),
            (json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0xff; 128]), "e": "AQAB"}), "2048"),
            (json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode([&[0; 200][..], &[0xff; 128]].concat()), "e": "AQAB"}), "2048"),
            (with(rsa.clone(), "e", json!("AQ")), "no RSA key's"),
            (with(rsa, "e", json!("Ag")), "no RSA key's"),
            (json!({}), "no RSA"),
        ] {
            let text = refusal(&json!({"keys": [unfit]}));
            assert!(text.contains("no key in it can verify") && text.contains(why), "{unfit}: {text}");
            assert!(ClientKeys::read(&json!({"keys": [unfit, good]})).is_ok(), "{unfit}");
        }
        for (set, why) in [
            (json!([]), "no JWK set"),
            (json!({"keys": good}), "no JWK set"),
            (json!({"keys": ["x"]}), "no JSON object"),
            (json!({"keys": []}), "no key in it"),
            (json!({"keys": vec![good.clone(); 51]}), "51 keys"),
            (json!({"keys": [good, with(good.clone(), "d", json!("AA"))]}), "private key"),
        ] {
            assert!(refusal(&set).contains(why), "{}", refusal(&set));
        }
    }
}
