//! Proof Key for Code Exchange (RFC 7636), `S256` only: `plain` does not exist here.
//!
//! In come the parameters `code_challenge` and `code_verifier`, out go values of the right shape and whether they belong together.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zeroize::Zeroizing;

/// The only `code_challenge_method` (RFC 7636 §4.3).
pub const METHOD: &str = "S256";

/// A code challenge of method `S256`: the SHA-256 of a verifier. Its text is 43 characters of base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeChallenge([u8; 32]);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code challenge of method S256 is 43 characters of base64url without padding (RFC 7636 section 4.2)")]
pub struct CodeChallengeError;

/// A code verifier: 43 to 128 unreserved characters.
pub struct CodeVerifier(Zeroizing<String>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code verifier is 43 to 128 of the characters A-Z a-z 0-9 - . _ ~ (RFC 7636 section 4.1)")]
pub struct CodeVerifierError;

impl CodeChallenge {
    /// Whether this is the challenge of `verifier`, compared in constant time.
    #[must_use]
    pub fn matches(&self, verifier: &CodeVerifier) -> bool {
        verify_slices_are_equal(&self.0, &verifier.challenge().0).is_ok()
    }
}

impl CodeVerifier {
    /// RFC 7636 §4.2: `code_challenge = BASE64URL-ENCODE(SHA256(ASCII(code_verifier)))`.
    #[must_use]
    pub fn challenge(&self) -> CodeChallenge {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, self.0.as_bytes()).as_ref());
        CodeChallenge(bytes)
    }
}

impl Serialize for CodeChallenge {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CodeChallenge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl FromStr for CodeChallenge {
    type Err = CodeChallengeError;

    fn from_str(text: &str) -> Result<Self, CodeChallengeError> {
        // Length first: nothing longer is worth decoding.
        if text.len() != 43 {
            return Err(CodeChallengeError);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CodeChallengeError)?;
        bytes.try_into().map(Self).map_err(|_| CodeChallengeError)
    }
}

impl fmt::Display for CodeChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl FromStr for CodeVerifier {
    type Err = CodeVerifierError;

    fn from_str(text: &str) -> Result<Self, CodeVerifierError> {
        // RFC 7636 §4.1: code-verifier = 43*128unreserved
        let fits = (43..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
        if fits { Ok(Self(Zeroizing::new(text.to_owned()))) } else { Err(CodeVerifierError) }
    }
}

impl fmt::Debug for CodeVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeVerifier(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 7636 Appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_rfc_7636_appendix_b_holds() {
        let verifier: CodeVerifier = VERIFIER.parse().unwrap();
        let challenge: CodeChallenge = CHALLENGE.parse().unwrap();
        assert_eq!(verifier.challenge().to_string(), CHALLENGE);
        assert!(challenge.matches(&verifier));
        assert!(!challenge.matches(&"x".repeat(43).parse().unwrap()));
        // The verifier itself as the challenge is method `plain`: it never matches.
        assert!(!VERIFIER.parse::<CodeChallenge>().unwrap().matches(&verifier));
    }

    #[test]
    fn verifiers_of_another_shape_are_refused() {
        for text in ["a".repeat(43), "a".repeat(128), format!("{}-._~", "Z9".repeat(20))] {
            assert!(text.parse::<CodeVerifier>().is_ok(), "{text}");
        }
        for text in [
            String::new(),
            "a".repeat(42),
            "a".repeat(129),
            format!("{} ", "a".repeat(43)),
            "é".repeat(30),
            format!("{}+", "a".repeat(43)),
            format!("{}=", "a".repeat(43)),
        ] {
            assert_eq!(text.parse::<CodeVerifier>().err(), Some(CodeVerifierError), "{text}");
        }
    }

    #[test]
    fn challenges_of_another_shape_are_refused() {
        let (short, padded, plus) = (&CHALLENGE[1..], format!("{CHALLENGE}="), CHALLENGE.replace('-', "+"));
        // The last character carries four bits: another one that decodes alike is not the same challenge.
        let loose_end = format!("{}N", &CHALLENGE[..42]);
        for text in ["", short, &padded, &plus, &loose_end, &"a".repeat(128), &"é".repeat(21)] {
            assert_eq!(text.parse::<CodeChallenge>(), Err(CodeChallengeError), "{text}");
        }
    }

    #[test]
    fn a_verifier_never_prints_itself() {
        assert_eq!(format!("{:?}", VERIFIER.parse::<CodeVerifier>()), "Ok(CodeVerifier(…))");
    }

    proptest! {
        #[test]
        fn every_verifier_matches_its_challenge_alone(one in "[A-Za-z0-9._~-]{43,128}", other in "[A-Za-z0-9._~-]{43,128}") {
            let challenge: CodeChallenge = one.parse::<CodeVerifier>().unwrap().challenge().to_string().parse().unwrap();
            prop_assert!(challenge.matches(&one.parse().unwrap()));
            prop_assert_eq!(challenge.matches(&other.parse().unwrap()), one == other);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,140}") {
            let _ = (text.parse::<CodeVerifier>(), text.parse::<CodeChallenge>());
        }
    }
}
