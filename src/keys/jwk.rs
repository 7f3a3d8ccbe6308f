//! Public keys as JSON Web Keys (RFC 7517, RFC 7518 §6, RFC 8037 §2), and their thumbprints (RFC 7638).
//!
//! The type has no place for a private member, so that none can be published.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde_json::{Value, json};

use super::KeysError;
use crate::domain::SigningAlg;

/// A public key; each member is base64url without padding, as in its JWK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PublicJwk {
    Rsa { n: String, e: String },
    P256 { x: String, y: String },
    Ed25519 { x: String },
}

impl PublicJwk {
    pub(super) fn rsa(n: &[u8], e: &[u8]) -> Self {
        Self::Rsa { n: URL_SAFE_NO_PAD.encode(n), e: URL_SAFE_NO_PAD.encode(e) }
    }

    /// From an uncompressed point (SEC 1 §2.3.3): 4, 32 bytes of x, 32 of y. `None` for anything else.
    pub(super) fn p256(point: &[u8]) -> Option<Self> {
        let (x, y) = point.strip_prefix(&[4]).filter(|rest| rest.len() == 64)?.split_at(32);
        Some(Self::P256 { x: URL_SAFE_NO_PAD.encode(x), y: URL_SAFE_NO_PAD.encode(y) })
    }

    pub(super) fn ed25519(x: &[u8]) -> Self {
        Self::Ed25519 { x: URL_SAFE_NO_PAD.encode(x) }
    }

    /// The `kid`: RFC 7638 §3, SHA-256 over the required members alone, in lexicographic order, without white space.
    pub(super) fn thumbprint(&self) -> String {
        let canonical = match self {
            Self::Rsa { n, e } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
            Self::P256 { x, y } => format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#),
            // RFC 8037 §2: for an OKP the members are crv, kty and x.
            Self::Ed25519 { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#),
        };
        URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()))
    }

    /// The JWK as it is published.
    pub(super) fn to_json(&self, alg: SigningAlg) -> Value {
        let (alg, kid) = (alg.as_str(), self.thumbprint());
        match self {
            Self::Rsa { n, e } => json!({"kty": "RSA", "use": "sig", "alg": alg, "kid": kid, "n": n, "e": e}),
            Self::P256 { x, y } => json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": alg, "kid": kid, "x": x, "y": y}),
            Self::Ed25519 { x } => json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": alg, "kid": kid, "x": x}),
        }
    }

    pub(super) fn decoding_key(&self) -> Result<DecodingKey, KeysError> {
        match self {
            Self::Rsa { n, e } => DecodingKey::from_rsa_components(n, e),
            Self::P256 { x, y } => DecodingKey::from_ec_components(x, y),
            Self::Ed25519 { x } => DecodingKey::from_ed_components(x),
        }
        .map_err(|_| KeysError::Crypto("read a public key"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7638_holds() {
        // RFC 7638 §3.1.
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs\
            tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbIS\
            D08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let key = PublicJwk::Rsa { n: n.to_owned(), e: "AQAB".to_owned() };
        assert_eq!(key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn the_example_of_rfc_8037_holds() {
        // RFC 8037 Appendix A.3.
        let key = PublicJwk::Ed25519 { x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".to_owned() };
        assert_eq!(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn only_an_uncompressed_point_of_p_256_is_one() {
        let mut point = [7; 65];
        point[0] = 4;
        assert!(PublicJwk::p256(&point).is_some());
        for wrong in [&point[..64], &point[1..], &[], &[4]] {
            assert_eq!(PublicJwk::p256(wrong), None);
        }
    }
}
