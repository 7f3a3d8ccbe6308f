//! A provider's ID token (OpenID Connect Core §2), parsed. Nothing of it is believed here; its signature is for the keys, its claims are
//! for the policy.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};

use crate::domain::SigningAlg;
use crate::protocol::client_assertion::{Audience, NumericDate};

/// Bytes: some providers put much into it.
const LONGEST: usize = 32 * 1024;

/// An ID token in compact form (RFC 7515 §7.1).
pub struct IdToken {
    pub alg: SigningAlg,
    /// Which of the provider's keys it says it was signed with.
    pub kid: Option<String>,
    pub claims: IdTokenClaims,
    message: String,
    signature: Vec<u8>,
}

/// What it claims; each of its right JSON type. What else is in it is of no interest.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct IdTokenClaims {
    pub iss: String,
    pub sub: String,
    pub aud: Audience,
    pub exp: NumericDate,
    pub iat: NumericDate,
    #[serde(default, deserialize_with = "never_null")]
    pub nbf: Option<NumericDate>,
    #[serde(default, deserialize_with = "never_null")]
    pub auth_time: Option<NumericDate>,
    #[serde(default, deserialize_with = "never_null")]
    pub azp: Option<String>,
    #[serde(default, deserialize_with = "never_null")]
    pub nonce: Option<String>,
    #[serde(default, deserialize_with = "never_null")]
    pub at_hash: Option<String>,
    #[serde(default)]
    pub amr: Option<Vec<String>>,
    #[serde(default)]
    pub email: Option<String>,
    #[serde(default)]
    pub email_verified: Option<Verified>,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub preferred_username: Option<String>,
}

/// Whether an address was verified.
// OpenID Connect Core §5.1: a boolean. Apple, "Authenticate users with Sign in with Apple": "The value can be a string ("true" or
// "false") or a Boolean (true or false)".
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Verified {
    Flag(bool),
    Text(String),
}

impl Verified {
    /// Whether it says so; `as_text` where the provider is one that writes it as text.
    #[must_use]
    pub fn holds(&self, as_text: bool) -> bool {
        match self {
            Self::Flag(flag) => *flag,
            Self::Text(text) => as_text && text == "true",
        }
    }
}

/// Why a text is no ID token that could be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoIdToken {
    #[error("it is no signed JWT in compact form, or its claims lack one or have one of the wrong type")]
    Malformed,
    /// `none`, an HMAC, or one that nothing here verifies.
    #[error("its alg is none of RS256, PS256, ES256 and EdDSA")]
    Algorithm,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default, deserialize_with = "never_null")]
    kid: Option<String>,
    #[serde(default)]
    crit: Presence,
}

/// Whether a member is there at all, whatever its value.
#[derive(Default)]
struct Presence(bool);

impl IdToken {
    /// Reads `text`. A key in its header (`jwk`, `jku`, `x5c`, `x5u`) is not looked at.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, NoIdToken> {
        if text.len() > LONGEST {
            return Err(NoIdToken::Malformed);
        }
        let (message, signature) = text.rsplit_once('.').ok_or(NoIdToken::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(NoIdToken::Malformed)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| NoIdToken::Malformed);
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| NoIdToken::Malformed)?;
        // RFC 7515 §4.1.11: "If any of the listed extension Header Parameters are not understood and supported by the recipient, then the
        // JWS is invalid."
        if header.crit.0 {
            return Err(NoIdToken::Malformed);
        }
        // `none` and the HMACs are no words of this type, so that nothing can be asked to verify them: neither with the client's secret
        // nor with a public key.
        let alg: SigningAlg = header.alg.parse().map_err(|_| NoIdToken::Algorithm)?;
        let claims = serde_json::from_slice(&decode(payload)?).map_err(|_| NoIdToken::Malformed)?;
        Ok(Self { alg, kid: header.kid, claims, message: message.to_owned(), signature: decode(signature)? })
    }

    /// What was signed, and the signature.
    #[must_use]
    pub fn signed(&self) -> (&[u8], &[u8]) {
        (self.message.as_bytes(), &self.signature)
    }
}

// It tells who somebody is.
impl std::fmt::Debug for IdToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdToken(…)")
    }
}

impl<'de> Deserialize<'de> for Presence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self(true))
    }
}

// A `null` is a value of the wrong type, never an absent one (CVE-2026-25537), where something is decided by it.
fn never_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn token(header: &str, claims: &str) -> String {
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
    }

    fn with(name: &str, value: Value) -> Result<IdToken, NoIdToken> {
        let mut claims =
            json!({"iss": "https://id.example", "sub": "s", "aud": "us", "exp": 2_000_000_000, "iat": 1_999_999_990, "nonce": "n"});
        claims[name] = value;
        IdToken::parse(&token(r#"{"alg":"ES256","kid":"k"}"#, &claims.to_string()))
    }

    #[test]
    fn a_good_one_is_read() {
        let read = with("email_verified", json!(true)).unwrap();
        assert_eq!(
            (read.alg, read.kid.as_deref(), read.claims.sub.as_str(), read.signed().1),
            (SigningAlg::Es256, Some("k"), "s", &b"sig"[..])
        );
        assert_eq!(format!("{read:?}"), "IdToken(…)");
        assert!(with("name", json!(null)).is_ok() && with("email", json!(null)).is_ok(), "what decides nothing may be null");
    }

    #[test]
    fn text_counts_as_true_only_where_the_provider_writes_text() {
        let holds = |value, as_text| with("email_verified", value).unwrap().claims.email_verified.unwrap().holds(as_text);
        assert!(holds(json!(true), false) && holds(json!(true), true) && holds(json!("true"), true));
        assert!(!holds(json!("true"), false) && !holds(json!("false"), true) && !holds(json!("1"), true) && !holds(json!(false), true));
        assert!(with("email_verified", json!(1)).is_err());
    }

    #[test]
    fn a_claim_of_another_type_is_refused() {
        for name in ["iss", "sub", "aud", "exp", "iat", "nbf", "auth_time", "azp", "nonce", "at_hash"] {
            for strange in [json!(null), json!(true), json!({}), json!([1])] {
                assert_eq!(with(name, strange.clone()).err(), Some(NoIdToken::Malformed), "{name} {strange}");
            }
        }
        assert_eq!(with("exp", json!("2000000000")).err(), Some(NoIdToken::Malformed));
        assert_eq!(with("amr", json!("pwd")).err(), Some(NoIdToken::Malformed));
    }

    #[test]
    fn only_signatures_of_key_pairs_have_an_algorithm() {
        let claims = json!({"iss": "i", "sub": "s", "aud": "us", "exp": 1, "iat": 1}).to_string();
        for alg in ["none", "None", "HS256", "HS512", "RS512", "ES384", ""] {
            assert_eq!(IdToken::parse(&token(&json!({ "alg": alg }).to_string(), &claims)).err(), Some(NoIdToken::Algorithm), "{alg}");
        }
        for header in
            ["{}", r#"{"alg":5}"#, r#"{"alg":"ES256","kid":null}"#, r#"{"alg":"ES256","crit":["exp"]}"#, r#"{"alg":"ES256","crit":null}"#]
        {
            assert_eq!(IdToken::parse(&token(header, &claims)).err(), Some(NoIdToken::Malformed), "{header}");
        }
        for text in
            [String::new(), "a.b".into(), "..".into(), format!("{}=", token(r#"{"alg":"ES256"}"#, &claims)), "x".repeat(LONGEST + 1)]
        {
            assert!(IdToken::parse(&text).is_err(), "{}", text.len());
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}", header in "\\PC{0,60}", payload in "\\PC{0,60}") {
            for text in [text, token(&header, &payload), token(r#"{"alg":"RS256"}"#, &payload)] {
                let _ = IdToken::parse(&text);
            }
        }
    }
}
