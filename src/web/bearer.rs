//! Bearer tokens at our own APIs (RFC 6750): where one may stand in a request, and what a refusal says in `WWW-Authenticate`. A token in a
//! query is never looked at.

use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderValue};
use serde::Serialize;

use super::body::Body;
use super::ctx::Ctx;
use super::exchange::client_of;
use super::fault::Fault;
use super::posted;
use crate::domain::ClientId;
use crate::endpoints::Endpoint;
use crate::keys::{TokenKind, VerifiedClaims};
use crate::protocol::error::ErrorCode;
use crate::protocol::params::Params;

/// Why a request with a token, or without, is refused (RFC 6750 §3).
#[derive(Debug)]
pub enum Refusal {
    /// RFC 6750 §3.1: without any token, "the resource server SHOULD NOT include an error code or other error information".
    NoToken,
    Fault(Fault),
}

impl<E: Into<Fault>> From<E> for Refusal {
    fn from(fault: E) -> Self {
        Self::Fault(fault.into())
    }
}

/// The token of the `Authorization` header (RFC 6750 §2.1).
///
/// # Errors
/// [`Refusal::NoToken`] when there is none, or a header of another scheme.
pub fn in_header(ctx: &Ctx) -> Result<&str, Refusal> {
    let value = ctx.header(header::AUTHORIZATION).ok_or(Refusal::NoToken)?;
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(Refusal::NoToken),
    }
}

/// The token of the header, or of the form's `access_token` (RFC 6750 §2.2).
// RFC 6750 §2: "Clients MUST NOT use more than one method to transmit the token in each request."
pub fn in_header_or_form(ctx: &Ctx, body: &Body) -> Result<String, Refusal> {
    let header = if ctx.header(header::AUTHORIZATION).is_some() { Some(in_header(ctx)?.to_owned()) } else { None };
    let form = if body.is_empty() { None } else { Params::decode(posted::form_text(ctx, body)?).get("access_token")?.map(str::to_owned) };
    match (header, form) {
        (Some(_), Some(_)) => {
            Err(Fault::new(ErrorCode::InvalidRequest, "the access token was sent twice, in the header and in the form; send it once")
                .into())
        }
        (Some(token), None) | (None, Some(token)) => Ok(token),
        (None, None) => Err(Refusal::NoToken),
    }
}

/// The client that an access token of ours was given to, and what the token says. Whether it is for whoever is asked, and whether it still
/// holds, is not said by that.
///
/// # Errors
/// `invalid_token`.
pub async fn verified(ctx: &Ctx, token: &str) -> Result<(ClientId, VerifiedClaims), Refusal> {
    let claims = ctx.state.keys.verify(TokenKind::AccessToken, token).await.map_err(|reason| {
        tracing::debug!(?reason, "an access token was refused");
        invalid("the access token is not one of ours, has expired, or was changed")
    })?;
    let client = client_of(&claims).ok_or_else(|| invalid("the access token names no client"))?;
    Ok((client, claims))
}

/// The refusal of a token that is for somebody else to receive.
#[must_use]
pub fn for_another() -> Fault {
    invalid("the access token is for another resource; get one for the client itself")
}

/// The refusal of a token whose record, client, key or account has ended.
#[must_use]
pub fn ended() -> Fault {
    invalid("the access token was revoked, or its account, its client or its API key is disabled")
}

/// A refusal of a token.
#[must_use]
pub fn invalid(description: &'static str) -> Fault {
    Fault::new(ErrorCode::InvalidToken, description)
}

/// What an API of ours, which takes tokens in the header alone, says of itself as a protected resource (RFC 9728 §2).
#[must_use]
pub fn resource_metadata(ctx: &Ctx, resource: Endpoint, name: &str, scopes: &[&str]) -> HttpResponse {
    #[derive(Serialize)]
    struct Metadata<'a> {
        resource: String,
        authorization_servers: [&'a str; 1],
        // RFC 9728 §2: "Parameters with zero elements MUST be omitted".
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        scopes_supported: &'a [&'a str],
        bearer_methods_supported: [&'a str; 1],
        resource_name: &'a str,
    }
    let metadata = Metadata {
        resource: format!("{}{}", ctx.state.issuer(), resource.path()),
        authorization_servers: [ctx.state.issuer()],
        scopes_supported: scopes,
        bearer_methods_supported: ["header"],
        resource_name: name,
    };
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "public, max-age=300")).json(metadata)
}

/// Adds the challenge to a refusal's response. `metadata` is where the protected resource is described.
// RFC 6750 §3: the header says which scheme is wanted and, once a token was sent, what is wrong with it. RFC 9728 §5.1: resource_metadata is
// "the URL of the protected resource metadata".
#[must_use]
pub fn challenged(ctx: &Ctx, mut response: HttpResponse, refusal: &Refusal, metadata: Endpoint) -> HttpResponse {
    let metadata = format!("resource_metadata=\"{}{}\"", ctx.state.issuer(), metadata.path());
    let value = match refusal {
        Refusal::NoToken => Some(format!("Bearer {metadata}")),
        Refusal::Fault(Fault::OAuth(error)) => {
            Some(format!("Bearer error=\"{}\", error_description=\"{}\", {metadata}", error.code.as_str(), error.description))
        }
        Refusal::Fault(
            Fault::NotGranted(_) | Fault::TooMany(_) | Fault::Unavailable | Fault::ClientKeys { .. } | Fault::Broken(_) | Fault::Visit(_),
        ) => None,
    };
    if let Some(value) = value.and_then(|text| HeaderValue::from_str(&text).ok()) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    response
}
