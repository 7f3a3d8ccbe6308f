//! A client assertion (RFC 7523 §2.2, OpenID Connect Core §9), parsed: a JWT with which a client says who it is. Nothing of it is
//! believed here; its signature is for the keys, its claims are for the policy.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};

use super::error::{ErrorCode, OAuthError};
use crate::domain::SigningAlg;

/// RFC 7523 §2.2: the value of `client_assertion_type`.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Bytes: the largest honest one, signed with RSA of 4096 bits, has less than a quarter of it.
const LONGEST: usize = 8 * 1024;
/// A `jti` is an id, not a place to keep things.
const LONGEST_JTI: usize = 256;
const LONGEST_KID: usize = 256;

/// An assertion in compact form (RFC 7515 §7.1).
#[derive(Clone)]
pub struct ClientAssertion {
    pub alg: SigningAlg,
    /// Which of the client's keys it says it was signed with.
    pub kid: Option<String>,
    pub claims: AssertionClaims,
    message: String,
    signature: Vec<u8>,
}

/// What it claims; each of its right JSON type. What else is in it is of no interest.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct AssertionClaims {
    pub iss: String,
    pub sub: String,
    pub aud: Audience,
    pub exp: NumericDate,
    #[serde(default, deserialize_with = "never_null")]
    pub iat: Option<NumericDate>,
    #[serde(default, deserialize_with = "never_null")]
    pub nbf: Option<NumericDate>,
    pub jti: String,
}

/// RFC 7519 §4.1.3: "In the general case, the "aud" value is an array of case-sensitive strings … In the special case when the JWT has
/// one audience, the "aud" value MAY be a single case-sensitive string".
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    #[must_use]
    pub fn names(&self, wanted: &str) -> bool {
        match self {
            Self::One(one) => one == wanted,
            Self::Several(several) => several.iter().any(|one| one == wanted),
        }
    }
}

/// RFC 7519 §2: seconds since 1970, of which fractions are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NumericDate(pub i64);

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

impl ClientAssertion {
    /// Reads `text`. A key or a certificate in its header (`jwk`, `jku`, `x5c`, `x5u`) is not looked at: whoever forges the assertion
    /// would have put it there.
    ///
    /// # Errors
    /// `invalid_client` that names the part that is wrong.
    pub fn parse(text: &str) -> Result<Self, OAuthError> {
        if text.len() > LONGEST {
            return Err(refuse("client_assertion is longer than 8192 characters"));
        }
        let malformed = || refuse("client_assertion is no signed JWT: three parts of base64url without padding, with dots between them");
        let (message, signature) = text.rsplit_once('.').ok_or_else(malformed)?;
        let (header, payload) = message.split_once('.').ok_or_else(malformed)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed());
        let (header, payload, signature) = (decode(header)?, decode(payload)?, decode(signature)?);
        let header: Header = serde_json::from_slice(&header).map_err(|why| in_part("header", &why))?;
        // RFC 7515 §4.1.11: "If any of the listed extension Header Parameters are not understood and supported by the recipient, then
        // the JWS is invalid."
        if header.crit.0 {
            return Err(refuse("the header of client_assertion has crit; no critical extension is supported here"));
        }
        if header.kid.as_ref().is_some_and(|kid| kid.len() > LONGEST_KID) {
            return Err(refuse("the kid of client_assertion is longer than 256 characters"));
        }
        // `none` and the HMACs are no words of this type, so that nothing can be asked to verify them.
        let alg: SigningAlg = header.alg.parse().map_err(|_| refuse("the alg of client_assertion must be RS256, PS256, ES256 or EdDSA"))?;
        let claims: AssertionClaims = serde_json::from_slice(&payload).map_err(|why| in_part("claims", &why))?;
        if claims.jti.is_empty() || claims.jti.len() > LONGEST_JTI {
            return Err(refuse("the jti of client_assertion must have 1 to 256 characters"));
        }
        Ok(Self { alg, kid: header.kid, claims, message: message.to_owned(), signature })
    }

    /// What was signed, and the signature.
    #[must_use]
    pub fn signed(&self) -> (&[u8], &[u8]) {
        (self.message.as_bytes(), &self.signature)
    }
}

// It is a credential as long as it is not expired.
impl std::fmt::Debug for ClientAssertion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientAssertion(…)")
    }
}

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // RFC 7519 §2: "seconds … can be represented with non-integer values".
        let number = serde_json::Number::deserialize(deserializer)?;
        let whole = number.as_i64().or_else(|| number.as_f64().filter(|seconds| seconds.abs() < MOST_SECONDS).map(floor));
        whole.map(Self).ok_or_else(|| serde::de::Error::custom("a time is out of range"))
    }
}

/// Far beyond any date, and exact in both types of number.
const MOST_SECONDS: f64 = 4e15;

#[expect(clippy::cast_possible_truncation, reason = "its size was looked at")]
fn floor(seconds: f64) -> i64 {
    seconds.floor() as i64
}

impl<'de> Deserialize<'de> for Presence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self(true))
    }
}

// A `null` is a value of the wrong type, never an absent one (CVE-2026-25537).
fn never_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn refuse(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClient, description)
}

// Which member it was is said by the parser for those that are missing or doubled; their values are not repeated.
fn in_part(part: &str, why: &serde_json::Error) -> OAuthError {
    let text = why.to_string();
    let named = ["alg", "kid", "iss", "sub", "aud", "exp", "iat", "nbf", "jti"].iter().find(|name| text.contains(&format!("`{name}`")));
    let description = match named {
        Some(name) if text.starts_with("missing field") => format!("{name} is missing in the {part} of client_assertion"),
        Some(name) => format!("{name} stands twice in the {part} of client_assertion"),
        None => format!(
            "the {part} of client_assertion must be a JSON object in which alg, kid, iss, sub and jti are texts, aud is a text or an array of \
             texts, and exp, iat and nbf are numbers"
        ),
    };
    OAuthError::new(ErrorCode::InvalidClient, description)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn token(header: &str, claims: &str) -> String {
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
    }

    fn claims() -> Value {
        json!({"iss": "app", "sub": "app", "aud": "https://id.example", "exp": 2_000_000_000, "iat": 1_999_999_990, "jti": "one"})
    }

    fn read(header: &Value, claims: &Value) -> Result<ClientAssertion, OAuthError> {
        ClientAssertion::parse(&token(&header.to_string(), &claims.to_string()))
    }

    fn with(name: &str, value: Value) -> Result<ClientAssertion, OAuthError> {
        let mut claims = claims();
        claims[name] = value;
        read(&json!({"alg": "ES256", "kid": "k"}), &claims)
    }

    #[test]
    fn a_good_one_is_read() {
        let read = with("aud", json!(["https://other.example", "https://id.example/token"])).unwrap();
        assert_eq!((read.alg, read.kid.as_deref(), read.claims.jti.as_str()), (SigningAlg::Es256, Some("k"), "one"));
        assert!(read.claims.aud.names("https://id.example/token") && !read.claims.aud.names("https://id.example"));
        assert_eq!(read.signed().1, b"sig");
        assert_eq!(with("exp", json!(2_000_000_000.75)).unwrap().claims.exp, NumericDate(2_000_000_000));
        assert_eq!(format!("{read:?}"), "ClientAssertion(…)");
    }

    #[test]
    fn what_is_missing_or_of_another_type_is_refused_and_named() {
        for name in ["iss", "sub", "aud", "exp", "jti"] {
            let mut claims = claims();
            claims.as_object_mut().unwrap().remove(name);
            let error = read(&json!({"alg": "ES256"}), &claims).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidClient);
            assert!(error.description.contains(&format!("{name} is missing")), "{error}");
        }
        for name in ["iss", "sub", "aud", "exp", "iat", "nbf", "jti"] {
            for strange in [json!(null), json!(true), json!({}), json!([1]), json!([["x"]])] {
                assert!(with(name, strange.clone()).is_err(), "{name} {strange}");
            }
        }
        for name in ["exp", "iat", "nbf"] {
            for strange in [json!("2000000000"), json!(1e300), json!(u64::MAX), json!([2_000_000_000])] {
                assert!(with(name, strange.clone()).is_err(), "{name} {strange}");
            }
        }
        assert!(with("jti", json!("")).is_err() && with("jti", json!("x".repeat(257))).is_err());
        let twice = r#"{"iss":"a","sub":"a","aud":"b","exp":1,"exp":9999999999,"jti":"1"}"#;
        assert!(ClientAssertion::parse(&token(r#"{"alg":"ES256"}"#, twice)).unwrap_err().description.contains("exp stands twice"));
    }

    #[test]
    fn only_signatures_of_key_pairs_have_an_algorithm() {
        for alg in ["none", "None", "HS256", "HS512", "RS512", "ES384", "es256", ""] {
            let error = read(&json!({"alg": alg}), &claims()).unwrap_err();
            assert!(error.description.contains("alg of client_assertion"), "{alg}: {error}");
        }
        for header in [json!({}), json!({"alg": 5}), json!({"alg": "ES256", "kid": null}), json!({"alg": "ES256", "kid": ["k"]}), json!([])]
        {
            assert!(read(&header, &claims()).is_err(), "{header}");
        }
        for crit in [json!(["exp"]), json!([]), json!(null), json!("b64")] {
            assert!(read(&json!({"alg": "ES256", "crit": crit}), &claims()).unwrap_err().description.contains("crit"));
        }
    }

    #[test]
    fn what_is_no_compact_jws_is_refused() {
        let good = token(r#"{"alg":"ES256"}"#, &claims().to_string());
        assert!(ClientAssertion::parse(&good).is_ok());
        let deep = format!("{}1{}", "[".repeat(3_000), "]".repeat(3_000));
        let deep = format!(r#"{{"iss":"a","sub":"a","aud":"b","exp":1,"jti":"1","x":{deep}}}"#);
        for text in [
            String::new(),
            "a.b".to_owned(),
            "..".to_owned(),
            format!("{good}."),
            format!("{good}="),
            format!(" {good}"),
            token(r#"{"alg":"ES256"}"#, &deep[..5_900]),
            token(&deep.replace("\"iss\"", "\"alg\":\"ES256\",\"iss\"")[..5_900], &claims().to_string()),
            token(r#"{"alg":"ES256"}"#, &"x".repeat(LONGEST)),
        ] {
            assert!(ClientAssertion::parse(&text).is_err(), "{}", &text[..text.len().min(100)]);
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}", header in "\\PC{0,60}", payload in "\\PC{0,60}") {
            for text in [text, token(&header, &payload), token(r#"{"alg":"RS256"}"#, &payload)] {
                let _ = ClientAssertion::parse(&text);
            }
        }
    }
}
