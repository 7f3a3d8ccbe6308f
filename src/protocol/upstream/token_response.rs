//! A provider's answer to a code (RFC 6749 §5.1, §5.2).

use serde::Deserialize;

use crate::domain::Secret;

/// What a code was redeemed for.
#[derive(Debug)]
pub struct TokenResponse {
    pub access_token: Secret,
    /// OpenID Connect Core §3.1.3.3; GitHub has none.
    pub id_token: Option<Secret>,
}

/// Why a code was not redeemed: the provider's own word, or ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotRedeemed {
    /// It refuses, by a word of RFC 6749 §5.2 or of its own.
    Refused(String),
    Unreadable,
}

#[derive(Deserialize)]
struct Body {
    access_token: Option<String>,
    token_type: Option<String>,
    id_token: Option<String>,
    error: Option<String>,
}

/// Reads the body of an answer, whatever its status: GitHub refuses with 200.
///
/// # Errors
/// When it is a refusal, or no answer.
pub fn read(body: &[u8]) -> Result<TokenResponse, NotRedeemed> {
    let body: Body = serde_json::from_slice(body).map_err(|_| NotRedeemed::Unreadable)?;
    if let Some(error) = body.error {
        return Err(NotRedeemed::Refused(word(&error)));
    }
    // RFC 6749 §7.1: "The client MUST NOT use an access token if it does not understand the token type."
    match (body.access_token, body.token_type) {
        (Some(token), Some(kind)) if kind.eq_ignore_ascii_case("bearer") && !token.is_empty() => {
            Ok(TokenResponse { access_token: Secret::new(token), id_token: body.id_token.map(Secret::new) })
        }
        _ => Err(NotRedeemed::Unreadable),
    }
}

/// An error's word as it may stand in a log: it came from elsewhere.
// RFC 6749 §4.1.2.1: "Values for the error parameter MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E."
#[must_use]
pub fn word(error: &str) -> String {
    error.chars().filter(|c| matches!(c, ' '..='!' | '#'..='[' | ']'..='~')).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_tokens_or_a_refusal_or_nothing() {
        let good = read(br#"{"access_token":"a","token_type":"Bearer","id_token":"i","scope":"x"}"#).unwrap();
        assert_eq!((good.access_token.expose(), good.id_token.unwrap().expose()), ("a", "i"));
        assert!(read(br#"{"access_token":"a","token_type":"bearer"}"#).unwrap().id_token.is_none());
        let refused = |text: &str| read(text.as_bytes()).unwrap_err();
        assert_eq!(refused(r#"{"error":"bad_verification_code"}"#), NotRedeemed::Refused("bad_verification_code".into()));
        // A refusal is one, whatever else is said.
        assert!(matches!(refused(r#"{"error":"x","access_token":"a","token_type":"Bearer"}"#), NotRedeemed::Refused(_)));
        for text in [
            "",
            "[]",
            "<html>",
            "access_token=a&token_type=bearer",
            r#"{"access_token":"a"}"#,
            r#"{"access_token":"","token_type":"Bearer"}"#,
            r#"{"access_token":"a","token_type":"DPoP"}"#,
            r#"{"access_token":5,"token_type":"Bearer"}"#,
        ] {
            assert_eq!(refused(text), NotRedeemed::Unreadable, "{text}");
        }
    }

    #[test]
    fn a_word_from_elsewhere_is_short_and_plain() {
        assert_eq!(word("access_denied"), "access_denied");
        assert_eq!(word("a\n\u{1b}[31m\"é\\b"), "a[31mb");
        assert_eq!(word(&"x".repeat(1_000)).len(), 64);
    }
}
