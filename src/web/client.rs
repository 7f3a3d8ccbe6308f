//! The credentials that a client sends with a form (RFC 6749 §2.3.1, RFC 7523 §2.2).

mod assertion;

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;

use super::ctx::Ctx;
use super::documents;
use super::fault::Fault;
use crate::domain::{AuthMethod, ClientId, Secret};
use crate::limits::Proof;
use crate::policy::client_auth::{self, Presented, Verdict};
use crate::protocol::client_assertion::{ASSERTION_TYPE, ClientAssertion};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::params::Params;
use crate::store::ClientRecord;

/// The client that a request names, proved to be it.
///
/// # Errors
/// `invalid_client`; too many tries, when wrong proofs came from this address for this client; an outage, when a client's keys cannot
/// be fetched.
pub async fn authenticated(ctx: &Ctx, params: &Params) -> Result<Arc<ClientRecord>, Fault> {
    let (id, presented) = credentials(ctx, params)?;
    ctx.admit(&id, Proof::Client)?;
    let client = known(ctx, &id).await?;
    let proved = match client_auth::authenticate(&client, &presented) {
        Ok(Verdict::Proved) => Ok(()),
        Ok(Verdict::Look(assertion)) => assertion::prove(ctx, &client, assertion).await,
        Err(error) => Err(error.into()),
    };
    if let Err(Fault::OAuth(_)) = &proved {
        // Only a proof can be guessed. A public client has none, and nobody may shut it out.
        if client.auth_method != AuthMethod::None && !matches!(presented, Presented::Nothing) {
            ctx.failed(&id, Proof::Client).await;
        }
    }
    proved.map(|()| client)
}

/// The client that a request names, unproved.
pub async fn named(ctx: &Ctx, params: &Params) -> Result<Arc<ClientRecord>, Fault> {
    let (id, _) = credentials(ctx, params)?;
    known(ctx, &id).await
}

/// A refusal where a client has to prove itself.
// RFC 6749 §5.2: "If the client attempted to authenticate via the "Authorization" request header field, the authorization server MUST
// respond with an HTTP 401 (Unauthorized) status code and include the "WWW-Authenticate" response header field".
#[must_use]
pub fn refusal(ctx: &Ctx, fault: &Fault) -> HttpResponse {
    let mut response = fault.as_json();
    if response.status() == StatusCode::UNAUTHORIZED && ctx.header(header::AUTHORIZATION).is_some() {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"token endpoint\""));
    }
    response
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
/// each request"); `invalid_client` when the header or the assertion cannot be read or no client is named.
fn credentials(ctx: &Ctx, params: &Params) -> Result<(ClientId, Presented), Fault> {
    let named = params.get("client_id")?.map(parse).transpose()?;
    let posted = params.get("client_secret")?;
    let authorization = ctx.header(header::AUTHORIZATION);
    if let Some(text) = asserted(params)? {
        if posted.is_some() || authorization.is_some() {
            let why = "the client proved itself twice, by client_assertion and by a secret or an Authorization header; send one of them";
            return Err(Fault::new(ErrorCode::InvalidRequest, why));
        }
        let assertion = ClientAssertion::parse(text)?;
        // RFC 7521 §4.2: client_id is "unnecessary for client assertion authentication because the client is identified by the subject
        // within the assertion. If present, the value of the "client_id" parameter MUST identify the same client".
        let id = parse(&assertion.claims.sub)?;
        if named.is_some_and(|named| named != id) {
            return Err(Fault::new(ErrorCode::InvalidRequest, "client_id in the form differs from sub of client_assertion"));
        }
        return Ok((id, Presented::Assertion(Box::new(assertion))));
    }
    let Some(authorization) = authorization else {
        let id = named.ok_or_else(|| refuse("client_id is missing"))?;
        return Ok((id, posted.map_or(Presented::Nothing, |secret| Presented::Post(Secret::new(secret)))));
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
    if named.is_some_and(|named| named != id) {
        return Err(Fault::new(ErrorCode::InvalidRequest, "client_id in the form differs from that of the Authorization header"));
    }
    Ok((id, if secret.expose().is_empty() { Presented::Nothing } else { Presented::Basic(secret) }))
}

// RFC 7521 §4.2: both parameters are REQUIRED when a client proves itself by an assertion.
fn asserted(params: &Params) -> Result<Option<&str>, Fault> {
    let refuse = |description: &'static str| Err(Fault::new(ErrorCode::InvalidRequest, description));
    match (params.get("client_assertion_type")?, params.get("client_assertion")?) {
        (None, None) => Ok(None),
        (Some(ASSERTION_TYPE), Some(text)) => Ok(Some(text)),
        (Some(ASSERTION_TYPE), None) => refuse("client_assertion is missing beside client_assertion_type"),
        (None, Some(_)) => refuse("client_assertion_type is missing beside client_assertion"),
        (Some(_), _) => refuse("client_assertion_type must be urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
    }
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
