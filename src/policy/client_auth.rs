//! Whether a client is who it says: the decision over what it presented and what is registered.

use crate::domain::{AuthMethod, Secret};
use crate::protocol::client_assertion::ClientAssertion;
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
    /// RFC 7523 §2.2, `client_assertion` in the form.
    Assertion(Box<ClientAssertion>),
}

/// How far the decision came.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub enum Verdict<'a> {
    /// The client is who it says.
    Proved,
    /// It may prove itself by assertions, and this one is still to be looked at.
    Look(&'a ClientAssertion),
}

/// Decides whether `presented` is enough for `client`.
///
/// # Errors
/// `invalid_client`, the same whether the secret is wrong or the method is, except that a developer is told which method fits.
pub fn authenticate<'a>(client: &ClientRecord, presented: &'a Presented) -> Result<Verdict<'a>, OAuthError> {
    let refuse = |description: &'static str| Err(OAuthError::new(ErrorCode::InvalidClient, description));
    let secret = match (client.auth_method, presented) {
        (AuthMethod::None, Presented::Nothing) => return Ok(Verdict::Proved),
        (AuthMethod::None, Presented::Assertion(_)) => {
            return refuse("this client is public (token_endpoint_auth_method none): it must send its client_id alone");
        }
        (AuthMethod::None, _) => return refuse("this client is public: it has no secret and must send none"),
        (AuthMethod::PrivateKeyJwt, Presented::Assertion(assertion)) => return Ok(Verdict::Look(assertion)),
        (AuthMethod::PrivateKeyJwt, _) => {
            return refuse("this client must prove itself by private_key_jwt: client_assertion_type and client_assertion (RFC 7523)");
        }
        (_, Presented::Nothing) => return refuse("this client must prove itself with its secret, by HTTP Basic or as client_secret"),
        (AuthMethod::ClientSecretBasic, Presented::Post(_) | Presented::Assertion(_)) => {
            return refuse("this client must send its secret by HTTP Basic");
        }
        (AuthMethod::ClientSecretPost, Presented::Basic(_) | Presented::Assertion(_)) => {
            return refuse("this client must send its secret as client_secret in the form");
        }
        (AuthMethod::ClientSecret, Presented::Assertion(_)) => {
            return refuse("this client must prove itself with its secret, by HTTP Basic or as client_secret");
        }
        (_, Presented::Basic(secret) | Presented::Post(secret)) => secret,
    };
    match client.secret_hash {
        Some(hash) if hash.matches(secret.expose()) => Ok(Verdict::Proved),
        _ => refuse("the client secret is wrong"),
    }
}
