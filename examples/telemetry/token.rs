//! Asset tokens, as a resource server checks them: without asking anybody.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use crate::keys::{Keys, Unavailable};

/// What a token must say of where it comes from, and whom it is for.
pub(crate) struct Expected {
    pub(crate) issuer: String,
    pub(crate) audience: String,
}

/// What it says besides.
#[derive(Debug, Deserialize)]
pub(crate) struct AssetToken {
    /// The DID of the vehicle.
    pub(crate) asset: String,
    pub(crate) permissions: Vec<String>,
}

/// Why a request gets nothing.
#[derive(Debug)]
pub(crate) enum Refusal {
    NoToken,
    Invalid(&'static str),
    /// It is a good token, for something else.
    NotCovered {
        permission: &'static str,
    },
    NoKeys,
}

impl AssetToken {
    /// RFC 9068 §4: `typ`, signature, `iss`, `aud`, `exp`.
    pub(crate) async fn verify(text: &str, expected: &Expected, keys: &Keys) -> Result<Self, Refusal> {
        let header = decode_header(text).map_err(|_| Refusal::Invalid("this is no token"))?;
        // Otherwise a receipt of the same issuer, which has its signature too, would pass.
        if header.typ.as_deref() != Some("at+jwt") {
            return Err(Refusal::Invalid("this is no access token"));
        }
        let kid = header.kid.ok_or(Refusal::Invalid("the token names no key"))?;
        let key = match keys.find(&kid).await {
            Ok(key) => key.ok_or(Refusal::Invalid("the token is signed with a key that its issuer does not have"))?,
            Err(Unavailable) => return Err(Refusal::NoKeys),
        };
        let key = DecodingKey::from_jwk(&key).map_err(|_| Refusal::Invalid("the token names a key that cannot be used"))?;
        // The algorithm is ours to say, never the token's.
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[&expected.issuer]);
        validation.set_audience(&[&expected.audience]);
        validation.set_required_spec_claims(&["iss", "aud", "exp"]);
        validation.validate_nbf = true;
        // Clocks of two machines differ by seconds.
        validation.leeway = 5;
        let claims = decode(text, &key, &validation)
            .map_err(|_| Refusal::Invalid("the token has expired, was changed, or is for another service"))?;
        Ok(claims.claims)
    }
}
