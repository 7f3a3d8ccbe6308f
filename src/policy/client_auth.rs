//! Whether a client is who it says: the decision over what it presented and what is registered.

use crate::domain::{AuthMethod, Secret};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::store::ClientRecord;

/// What a request presented as its client's proof.
#[derive(Clone, Debug)]
pub enum Presented {
    /// A client id alone.
    Nothing,
    /// RFC 6749 §2.3.1, HTTP Basic.
    Basic(Secret),
    /// RFC 6749 §2.3.1, `client_secret` in the form.
    Post(Secret),
}

/// Decides whether `presented` is enough for `client`.
///
/// # Errors
/// `invalid_client`, the same whether the secret is wrong or the method is, except that a developer is told which method fits.
pub fn authenticate(client: &ClientRecord, presented: &Presented) -> Result<(), OAuthError> {
    let refuse = |description: &'static str| Err(OAuthError::new(ErrorCode::InvalidClient, description));
    let secret = match (client.auth_method, presented) {
        (AuthMethod::None, Presented::Nothing) => return Ok(()),
        (AuthMethod::None, _) => return refuse("this client is public: it has no secret and must send none"),
        (_, Presented::Nothing) => return refuse("this client must prove itself with its secret, by HTTP Basic or as client_secret"),
        (AuthMethod::ClientSecretBasic, Presented::Post(_)) => return refuse("this client must send its secret by HTTP Basic"),
        (AuthMethod::ClientSecretPost, Presented::Basic(_)) => {
            return refuse("this client must send its secret as client_secret in the form");
        }
        (_, Presented::Basic(secret) | Presented::Post(secret)) => secret,
    };
    match client.secret_hash {
        Some(hash) if hash.matches(secret.expose()) => Ok(()),
        _ => refuse("the client secret is wrong"),
    }
}
