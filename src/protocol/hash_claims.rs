//! `at_hash` and `c_hash`: what binds an access token and a code to the ID token that came with them (OpenID Connect Core §3.1.3.6, §3.3.2.11).

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::SigningAlg;

/// The claim `at_hash` of an ID token signed with `alg`, for the access token beside it (Core §3.1.3.6).
#[must_use]
pub fn at_hash(alg: SigningAlg, access_token: &str) -> String {
    half_hash(alg, access_token)
}

/// The claim `c_hash` of an ID token signed with `alg`, for the code that it was given for (Core §3.3.2.11).
#[must_use]
pub fn c_hash(alg: SigningAlg, code: &str) -> String {
    half_hash(alg, code)
}

/// Base64url of the left half of the hash.
fn half_hash(alg: SigningAlg, value: &str) -> String {
    let hash = match alg {
        // Core §3.1.3.6: the hash algorithm is the one used in the `alg` header of the ID token.
        SigningAlg::Rs256 | SigningAlg::Es256 | SigningAlg::Ps256 => digest(&SHA256, value.as_bytes()),
        // Ed25519 hashes with SHA-512 (RFC 8032 §5.1), and so do the clients that check this claim.
        SigningAlg::EdDsa => digest(&SHA512, value.as_bytes()),
    };
    let bytes = hash.as_ref();
    URL_SAFE_NO_PAD.encode(&bytes[..bytes.len() / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_openid_connect_core_hold() {
        // Core Appendix A.3 and A.4.
        assert_eq!(at_hash(SigningAlg::Rs256, "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"), "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!(c_hash(SigningAlg::Es256, "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk"), "LDktKdoQak3Pk0cnXxCltA");
    }

    #[test]
    fn ed25519_takes_half_of_sha_512() {
        // SHA-512("abc") begins with ddaf35a1…, FIPS 180-2 Appendix C.1; its left half has 32 bytes.
        let half = URL_SAFE_NO_PAD.decode(at_hash(SigningAlg::EdDsa, "abc")).unwrap();
        assert_eq!(half.len(), 32);
        assert_eq!(half[..8], [0xdd, 0xaf, 0x35, 0xa1, 0x93, 0x61, 0x7a, 0xba]);
    }
}
