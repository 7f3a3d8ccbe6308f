//! One key pair: made or opened once, kept parsed, signs and verifies.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;
use zeroize::Zeroizing;

use super::KeysError;
use super::jwk::PublicJwk;
use crate::domain::SigningAlg;

/// A private key with its public half. Parsing is dear (RSA above all), so it happens once.
pub(super) struct KeyPair {
    kid: String,
    alg: SigningAlg,
    private: Private,
    public: PublicJwk,
    decoding: DecodingKey,
}

enum Private {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl KeyPair {
    /// A new key and its PKCS#8, which is to be sealed. RSA takes about a tenth of a second: keep it off the async threads.
    ///
    /// Its chance comes from the cryptographic library, which takes none from outside.
    pub(super) fn generate(alg: SigningAlg) -> Result<(Self, Zeroizing<Vec<u8>>), KeysError> {
        let failed = |_| KeysError::Crypto("make a key");
        let pkcs8 = Zeroizing::new(match alg {
            SigningAlg::Rs256 | SigningAlg::Ps256 => {
                RsaKeyPair::generate(KeySize::Rsa2048).and_then(|key| key.as_der()).map_err(failed)?.as_ref().to_vec()
            }
            SigningAlg::Es256 => {
                let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?;
                key.to_pkcs8v1().map_err(failed)?.as_ref().to_vec()
            }
            SigningAlg::EdDsa => Ed25519KeyPair::generate().and_then(|key| key.to_pkcs8v1()).map_err(failed)?.as_ref().to_vec(),
        });
        Ok((Self::from_pkcs8(alg, &pkcs8)?, pkcs8))
    }

    /// Parses a private key; its public half and `kid` are derived from it, never taken on trust.
    pub(super) fn from_pkcs8(alg: SigningAlg, pkcs8: &[u8]) -> Result<Self, KeysError> {
        const UNREADABLE: KeysError = KeysError::Crypto("read a private key");
        let (private, public) = match alg {
            SigningAlg::Rs256 | SigningAlg::Ps256 => {
                let key = RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| UNREADABLE)?;
                let public = key.public_key();
                let jwk =
                    PublicJwk::rsa(public.modulus().big_endian_without_leading_zero(), public.exponent().big_endian_without_leading_zero());
                (Private::Rsa(key), jwk)
            }
            SigningAlg::Es256 => {
                let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(|_| UNREADABLE)?;
                let jwk = PublicJwk::p256(key.public_key().as_ref()).ok_or(UNREADABLE)?;
                (Private::P256(key), jwk)
            }
            SigningAlg::EdDsa => {
                let key = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| UNREADABLE)?;
                let jwk = PublicJwk::ed25519(key.public_key().as_ref());
                (Private::Ed25519(key), jwk)
            }
        };
        Ok(Self { kid: public.thumbprint(), alg, private, decoding: public.decoding_key()?, public })
    }

    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    pub(super) fn alg(&self) -> SigningAlg {
        self.alg
    }

    /// The public half as it is published.
    pub(super) fn public_jwk(&self) -> Value {
        self.public.to_json(self.alg)
    }

    /// A compact JWS (RFC 7515 §7.1) of `claims`, which are JSON, with the header `alg`, `kid` and `typ`.
    pub(super) fn sign(&self, typ: &str, claims: &[u8]) -> Result<String, KeysError> {
        // None of the three can hold a character that JSON escapes: words of ours, and base64url.
        let header = format!(r#"{{"alg":"{}","kid":"{}","typ":"{typ}"}}"#, self.alg, self.kid);
        // A third more than what is encoded, and a signature of RSA; it is made without growing.
        let mut token = String::with_capacity((header.len() + claims.len()) / 3 * 4 + 384);
        URL_SAFE_NO_PAD.encode_string(header, &mut token);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = self.sign_bytes(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    /// Whether `signature` (base64url) is this key's over `message`, by this key's algorithm and no other.
    pub(super) fn verifies(&self, message: &str, signature: &str) -> bool {
        let algorithm = match self.alg {
            SigningAlg::Rs256 => Algorithm::RS256,
            SigningAlg::Es256 => Algorithm::ES256,
            SigningAlg::EdDsa => Algorithm::EdDSA,
            SigningAlg::Ps256 => Algorithm::PS256,
        };
        jsonwebtoken::crypto::verify(signature, message.as_bytes(), &self.decoding, algorithm).unwrap_or(false)
    }

    pub(super) fn sign_bytes(&self, message: &[u8]) -> Result<Vec<u8>, KeysError> {
        let failed = |_| KeysError::Crypto("sign");
        Ok(match &self.private {
            Private::Rsa(key) => {
                // RFC 7518 §3.5: PS256 is RSASSA-PSS with SHA-256 and a salt as long as the hash.
                let encoding: &dyn RsaEncoding = if self.alg == SigningAlg::Ps256 { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(encoding, &SystemRandom::new(), message, &mut signature).map_err(failed)?;
                signature
            }
            // RFC 7518 §3.4: r and s of 32 bytes each, one after the other.
            Private::P256(key) => key.sign(&SystemRandom::new(), message).map_err(failed)?.as_ref().to_vec(),
            Private::Ed25519(key) => key.try_sign(message).map_err(failed)?.as_ref().to_vec(),
        })
    }
}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyPair").field("kid", &self.kid).field("alg", &self.alg).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_signs_what_it_verifies_in_every_algorithm() {
        for &alg in SigningAlg::ALL {
            let (key, pkcs8) = KeyPair::generate(alg).unwrap();
            let token = key.sign("JWT", b"{}").unwrap();
            let (message, signature) = token.rsplit_once('.').unwrap();
            assert!(key.verifies(message, signature));
            assert!(!key.verifies(&message[1..], signature));
            assert!(!key.verifies(message, &signature[..signature.len() - 4]));
            // The same key, parsed again, is the same key.
            let again = KeyPair::from_pkcs8(alg, &pkcs8).unwrap();
            assert_eq!(again.kid(), key.kid());
            assert!(again.verifies(message, signature));
            // Another key of the same algorithm does not verify it.
            assert!(!KeyPair::generate(alg).unwrap().0.verifies(message, signature));
        }
    }

    #[test]
    fn a_private_key_of_another_algorithm_is_refused() {
        // The two of RSA have the same form; what keeps them apart is that a record is sealed together with its algorithm.
        let is_rsa = |alg| matches!(alg, SigningAlg::Rs256 | SigningAlg::Ps256);
        for (&made, &read) in SigningAlg::ALL.iter().zip(SigningAlg::ALL.iter().cycle().skip(1)) {
            let (_, pkcs8) = KeyPair::generate(made).unwrap();
            if is_rsa(made) && is_rsa(read) {
                continue;
            }
            assert!(KeyPair::from_pkcs8(read, &pkcs8).is_err(), "{made} as {read}");
        }
    }

    #[test]
    fn rsa_keys_have_2048_bits_and_publish_no_private_member() {
        for &alg in SigningAlg::ALL {
            let (key, _) = KeyPair::generate(alg).unwrap();
            let jwk = key.public_jwk();
            let names: Vec<&str> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
            let expected: &[&str] = match alg {
                SigningAlg::Rs256 | SigningAlg::Ps256 => &["alg", "e", "kid", "kty", "n", "use"],
                SigningAlg::Es256 => &["alg", "crv", "kid", "kty", "use", "x", "y"],
                SigningAlg::EdDsa => &["alg", "crv", "kid", "kty", "use", "x"],
            };
            assert_eq!(names, expected);
            if let Some(n) = jwk["n"].as_str() {
                assert_eq!(URL_SAFE_NO_PAD.decode(n).unwrap().len(), 256);
            }
            assert_eq!(format!("{key:?}"), format!("KeyPair {{ kid: {:?}, alg: {alg:?}, .. }}", key.kid()));
        }
    }
}
