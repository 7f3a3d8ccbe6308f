//! A token's text before anyone has vouched for it, and the reasons why it may be refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};
use serde_json::{Map, Value};

/// The longest text that is looked at; ours have well under 2 KiB.
const MAX_LENGTH: usize = 16 * 1024;

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TokenRefusal {
    /// Too long, not three parts of base64url, not JSON, or with a critical header (RFC 7515 §4.1.11; we know none).
    #[error("it is no signed JWT in compact form")]
    Malformed,
    #[error("its key is none of ours")]
    UnknownKey,
    /// The header's `alg` is not the algorithm of the key it names.
    #[error("its algorithm is not that of its key")]
    WrongAlgorithm,
    #[error("its signature is wrong")]
    BadSignature,
    /// Another kind of token.
    #[error("it is a token of another kind")]
    WrongType,
    #[error("its issuer is another")]
    WrongIssuer,
    #[error("it has expired")]
    Expired,
    #[error("it is not valid yet")]
    NotYetValid,
    #[error("it lacks the claim `{0}`")]
    MissingClaim(&'static str),
    /// A claim of the wrong JSON type.
    #[error("its claim `{0}` has the wrong type")]
    BadClaim(&'static str),
}

/// A compact JWS (RFC 7515 §7.1) whose signature nobody has checked. It tells which issuer and key it claims, and nothing else.
pub struct UnverifiedToken<'a> {
    header: Header,
    message: &'a str,
    payload: &'a str,
    signature: &'a str,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    #[serde(default)]
    crit: Presence,
}

/// Whether a member is there at all, whatever its value.
#[derive(Default)]
struct Presence(bool);

impl<'a> UnverifiedToken<'a> {
    pub fn parse(text: &'a str) -> Result<Self, TokenRefusal> {
        if text.len() > MAX_LENGTH {
            return Err(TokenRefusal::Malformed);
        }
        let (message, signature) = text.rsplit_once('.').ok_or(TokenRefusal::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(TokenRefusal::Malformed)?;
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| TokenRefusal::Malformed)?;
        // RFC 7515 §4.1.11: if any of the listed extension Header Parameters are not understood, then the JWS is invalid.
        if header.crit.0 {
            return Err(TokenRefusal::Malformed);
        }
        // One text is one token: a signature that only decodes alike is not the one that was given out.
        decode(payload).and(decode(signature))?;
        Ok(Self { header, message, payload, signature })
    }

    /// The `iss` that it claims, for choosing whose keys to check it with.
    #[must_use]
    pub fn iss(&self) -> Option<String> {
        match self.claims().ok()?.remove("iss")? {
            Value::String(iss) => Some(iss),
            _ => None,
        }
    }

    /// The `kid` that it claims.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    pub(super) fn alg(&self) -> &str {
        &self.header.alg
    }

    pub(super) fn typ(&self) -> Option<&str> {
        self.header.typ.as_deref()
    }

    /// What is signed, and the signature in base64url.
    pub(super) fn signed(&self) -> (&'a str, &'a str) {
        (self.message, self.signature)
    }

    pub(super) fn claims(&self) -> Result<Map<String, Value>, TokenRefusal> {
        serde_json::from_slice(&decode(self.payload)?).map_err(|_| TokenRefusal::Malformed)
    }
}

impl std::fmt::Debug for UnverifiedToken<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UnverifiedToken(…)")
    }
}

impl<'de> Deserialize<'de> for Presence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self(true))
    }
}

fn decode(part: &str) -> Result<Vec<u8>, TokenRefusal> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenRefusal::Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(header: &str, payload: &str) -> String {
        format!("{}.{}.AAAA", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn only_issuer_and_key_are_told() {
        let text = token(r#"{"alg":"RS256","kid":"k1","typ":"JWT"}"#, r#"{"iss":"https://id.example.org","sub":"s"}"#);
        let token = UnverifiedToken::parse(&text).unwrap();
        assert_eq!((token.iss().as_deref(), token.kid()), (Some("https://id.example.org"), Some("k1")));
        assert_eq!(format!("{token:?}"), "UnverifiedToken(…)");
    }

    #[test]
    fn what_is_no_compact_jws_is_malformed() {
        let good = token(r#"{"alg":"RS256"}"#, "{}");
        assert!(UnverifiedToken::parse(&good).is_ok());
        for text in [
            String::new(),
            "a.b".to_owned(),
            "..".to_owned(),
            format!("{good}.AAAA"),
            format!("{good}="),
            format!(" {good}"),
            good.replace(".AAAA", ".AAA+"),
            // The same bytes with loose bits at the end.
            good.replace(".AAAA", ".AAB"),
            token(r#"{"kid":"k1"}"#, "{}"),
            token(r#"{"alg":5}"#, "{}"),
            token(r#"{"alg":"RS256","alg":"none"}"#, "{}"),
            token(r#"{"alg":"RS256","kid":["k1"]}"#, "{}"),
            token(r#"["RS256"]"#, "{}"),
            token(r#"{"alg":"RS256","crit":["exp"]}"#, "{}"),
            token(r#"{"alg":"RS256","crit":null}"#, "{}"),
            token(r#"{"alg":"RS256","crit":[]}"#, "{}"),
            token(r#"{"alg":"RS256"}"#, &"x".repeat(MAX_LENGTH)),
        ] {
            assert_eq!(UnverifiedToken::parse(&text).err(), Some(TokenRefusal::Malformed), "{}", &text[..text.len().min(200)]);
        }
    }

    #[test]
    fn deep_json_is_refused_not_followed() {
        let deep = format!(r#"{{"iss":{}1{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
        let text = token(r#"{"alg":"RS256"}"#, &deep);
        assert_eq!(UnverifiedToken::parse(&text).unwrap().claims(), Err(TokenRefusal::Malformed));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}", header in "\\PC{0,60}", payload in "\\PC{0,60}") {
            for text in [text, token(&header, &payload), token(r#"{"alg":"RS256"}"#, &payload)] {
                if let Ok(token) = UnverifiedToken::parse(&text) {
                    let _ = (token.iss(), token.claims());
                }
            }
        }
    }
}
