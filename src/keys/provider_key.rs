//! A private key by which a provider elsewhere knows this server: Apple gives one in place of a client secret.
//!
//! In comes the provider's file, out go short JWTs. It never signs anything that is ours.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::KeysError;
use super::key::KeyPair;
use crate::domain::{Secret, SigningAlg};

const UNREADABLE: KeysError = KeysError::Crypto("read a private key");

/// A key of P-256.
pub struct ProviderKey(KeyPair);

impl ProviderKey {
    /// Reads the text of a file: PKCS#8 in PEM (RFC 7468 §10).
    ///
    /// # Errors
    /// When it is none, or a key of another kind.
    pub fn from_pem(pem: &str) -> Result<Self, KeysError> {
        let (_, rest) = pem.split_once("-----BEGIN PRIVATE KEY-----").ok_or(UNREADABLE)?;
        let (body, _) = rest.split_once("-----END PRIVATE KEY-----").ok_or(UNREADABLE)?;
        let dense: Zeroizing<String> = Zeroizing::new(body.chars().filter(|c| !c.is_ascii_whitespace()).collect());
        let pkcs8 = Zeroizing::new(STANDARD.decode(dense.as_bytes()).map_err(|_| UNREADABLE)?);
        KeyPair::from_pkcs8(SigningAlg::Es256, &pkcs8).map(Self)
    }

    /// A JWT of `claims`, signed as ES256 under the name that the provider has given the key.
    pub fn sign(&self, kid: &str, claims: &Value) -> Result<Secret, KeysError> {
        let header = json!({ "alg": SigningAlg::Es256.as_str(), "kid": kid });
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = self.0.sign_bytes(message.as_bytes())?;
        Ok(Secret::new(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}

impl std::fmt::Debug for ProviderKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProviderKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::super::ClientKeys;
    use super::*;

    fn pem(alg: SigningAlg) -> (KeyPair, String) {
        let (pair, pkcs8) = KeyPair::generate(alg).unwrap();
        let text = STANDARD.encode(pkcs8.as_slice());
        let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        (pair, format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n")))
    }

    #[test]
    fn what_it_signs_is_verified_by_its_public_half() {
        let (pair, pem) = pem(SigningAlg::Es256);
        let key = ProviderKey::from_pem(&pem).unwrap();
        let token = key.sign("ABC123DEFG", &json!({ "iss": "TEAM" })).unwrap();
        let (message, signature) = token.expose().rsplit_once('.').unwrap();
        let keys = ClientKeys::read(&json!({ "keys": [pair.public_jwk()] })).unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        assert_eq!(keys.verify(SigningAlg::Es256, None, message.as_bytes(), &signature), Ok(()));
        let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(message.split('.').next().unwrap()).unwrap()).unwrap();
        assert_eq!(header, json!({ "alg": "ES256", "kid": "ABC123DEFG" }));
        assert_eq!(format!("{key:?} {token:?}"), "ProviderKey(…) Secret(…)");
    }

    #[test]
    fn what_is_no_key_of_p_256_is_refused() {
        let (_, good) = pem(SigningAlg::Es256);
        for text in [
            String::new(),
            good.replace("BEGIN PRIVATE", "BEGIN EC PRIVATE"),
            good.replace("-----END PRIVATE KEY-----", ""),
            good.replacen('M', "*", 1),
            "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----".to_owned(),
            pem(SigningAlg::EdDsa).1,
            pem(SigningAlg::Rs256).1,
        ] {
            assert!(ProviderKey::from_pem(&text).is_err(), "{text}");
        }
    }
}
