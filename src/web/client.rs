//! The credentials that a client sends with a form (RFC 6749 §2.3.1).

use std::sync::Arc;

use actix_web::http::header;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;

use super::ctx::Ctx;
use super::documents;
use super::fault::Fault;
use crate::domain::{ClientId, Secret};
use crate::policy::client_auth::{self, Presented};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::params::Params;
use crate::store::ClientRecord;

/// The client that a request names, proved to be it.
///
/// # Errors
/// `invalid_client`; too many tries, when wrong secrets came from this address for this client.
pub async fn authenticated(ctx: &Ctx, params: &Params) -> Result<Arc<ClientRecord>, Fault> {
    let (id, presented) = credentials(ctx, params)?;
    ctx.state.limits.admit(ctx.caller(), &id)?;
    let client = known(ctx, &id).await?;
    match client_auth::authenticate(&client, &presented) {
        Ok(()) => Ok(client),
        Err(error) => {
            // Only a secret can be guessed. A public client has none, and nobody may shut it out.
            if client.secret_hash.is_some() && !matches!(presented, Presented::Nothing) {
                ctx.state.limits.failed(ctx.caller(), &id);
            }
            Err(error.into())
        }
    }
}

/// The client that a request names, unproved.
pub async fn named(ctx: &Ctx, params: &Params) -> Result<Arc<ClientRecord>, Fault> {
    let (id, _) = credentials(ctx, params)?;
    known(ctx, &id).await
}

async fn known(ctx: &Ctx, id: &ClientId) -> Result<Arc<ClientRecord>, Fault> {
    documents::client(ctx, id)
        .await?
        .ok_or_else(|| Fault::new(ErrorCode::InvalidClient, format!("client_id {id} is not registered here, or is disabled")))
}

/// Who the client says it is, and what it presents for it.
///
/// # Errors
/// `invalid_request` when two methods are used at once (RFC 6749 §2.3: "The client MUST NOT use more than one authentication method in
/// each request"); `invalid_client` when the header cannot be read or no client is named.
fn credentials(ctx: &Ctx, params: &Params) -> Result<(ClientId, Presented), Fault> {
    let named = params.get("client_id")?;
    let posted = params.get("client_secret")?;
    let Some(authorization) = ctx.header(header::AUTHORIZATION) else {
        let id = named.ok_or_else(|| refuse("client_id is missing"))?;
        return Ok((parse(id)?, posted.map_or(Presented::Nothing, |secret| Presented::Post(Secret::new(secret)))));
    };
    let (id, secret) = basic(authorization)
        .ok_or_else(|| refuse("the Authorization header is not HTTP Basic with a form-encoded client id and secret"))?;
    if posted.is_some() {
        return Err(Fault::new(
            ErrorCode::InvalidRequest,
            "the client sent its secret twice, by HTTP Basic and as client_secret; send it once",
        ));
    }
    let id = parse(&id)?;
    if let Some(other) = named
        && parse(other)? != id
    {
        return Err(Fault::new(ErrorCode::InvalidRequest, "client_id in the form differs from that of the Authorization header"));
    }
    Ok((id, if secret.expose().is_empty() { Presented::Nothing } else { Presented::Basic(secret) }))
}

// RFC 6749 §2.3.1: "The client identifier is encoded using the "application/x-www-form-urlencoded" encoding algorithm …, and the
// encoded value is used as the username; the client password is encoded using the same algorithm and used as the password."
fn basic(header: &str) -> Option<(String, Secret)> {
    let (scheme, credentials) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((form_decoded(id), Secret::new(form_decoded(secret))))
}

fn form_decoded(text: &str) -> String {
    // `=` and `&` stand encoded in a value; as they are, they would split it.
    let text = text.replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

fn parse(id: &str) -> Result<ClientId, Fault> {
    id.parse().map_err(|_| refuse("client_id is not a client id"))
}

fn refuse(description: &'static str) -> Fault {
    Fault::OAuth(OAuthError::new(ErrorCode::InvalidClient, description))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, String)> {
        basic(&format!("Basic {}", STANDARD.encode(text))).map(|(id, secret)| (id, secret.expose().to_owned()))
    }

    #[test]
    fn both_halves_are_form_decoded() {
        assert_eq!(read("a%3Ab:p%2Bq+r"), Some(("a:b".into(), "p+q r".into())));
        assert_eq!(read("id:se=cr&et"), Some(("id".into(), "se=cr&et".into())));
        assert_eq!(read("id:"), Some(("id".into(), String::new())));
        assert_eq!(read("no colon"), None);
        assert!(basic("Bearer x").is_none());
        assert!(basic("Basic %%%").is_none());
    }
}
