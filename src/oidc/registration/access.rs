//! The bearer tokens of registration: the operator's, to register at all, and a client's own, to manage what it registered.

use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderValue};

use crate::domain::{ClientId, Secret};
use crate::limits::{Proof, Try};
use crate::protocol::error::ErrorCode;
use crate::store::{ClientRecord, ClientSource};
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;

/// Why nothing was done.
pub(super) enum Refusal {
    Fault(Fault),
    /// No token, or one that is not good for this (RFC 6750 §3).
    Token {
        presented: bool,
    },
}

impl<E: Into<Fault>> From<E> for Refusal {
    fn from(fault: E) -> Self {
        Self::Fault(fault.into())
    }
}

impl Refusal {
    pub(super) fn answer(&self) -> HttpResponse {
        let presented = match self {
            Self::Fault(fault) => return fault.as_json(),
            Self::Token { presented } => *presented,
        };
        let fault =
            Fault::new(ErrorCode::InvalidToken, "the Authorization header must hold the right token, as `Bearer` and a space before it");
        let mut response = fault.as_json();
        // RFC 6750 §3.1: without a token, "the resource server SHOULD NOT include an error code".
        let challenge = if presented { "Bearer error='invalid_token'" } else { "Bearer" };
        let challenge = challenge.replace('\'', "\"");
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// Lets an app through that may register, and says whether the operator vouched for it.
pub(super) fn initial(ctx: &Ctx) -> Result<bool, Refusal> {
    let Some(wanted) = &ctx.state.config.registration.initial_access_token else { return Ok(false) };
    let presented = bearer(ctx)?;
    // The hash makes the comparison one of constant time, whatever the lengths.
    if wanted.hash().matches(presented.expose()) { Ok(true) } else { Err(Refusal::Token { presented: true }) }
}

/// The registered client of that id, proved by its token; who has no right to it is not told whether it exists (RFC 7592 §2.1: "If
/// the client does not exist on this server, the server MUST respond with HTTP 401").
pub(super) async fn own(ctx: &Ctx, id: &str) -> Result<(ClientRecord, Secret), Refusal> {
    let presented = bearer(ctx)?;
    let Ok(id) = id.parse::<ClientId>() else { return Err(Refusal::Token { presented: true }) };
    ctx.admit(&id, Proof::Registration)?;
    let client = ctx.state.store.client(&id).await?;
    let client = client.filter(|client| client.source == ClientSource::Registration && client.disabled_at.is_none());
    let owned = client.filter(|client| client.registration_hash.is_some_and(|hash| hash.matches(presented.expose())));
    let Some(client) = owned else {
        // Anybody may make up ids: who does is held here before anything is written.
        ctx.charge(Try::Registration)?;
        ctx.failed(&id, Proof::Registration).await;
        return Err(Refusal::Token { presented: true });
    };
    Ok((client, presented))
}

// RFC 6750 §2.1.
fn bearer(ctx: &Ctx) -> Result<Secret, Refusal> {
    let header = ctx.header(header::AUTHORIZATION).and_then(|header| header.split_once(' '));
    match header {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() => Ok(Secret::new(token.trim())),
        _ => Err(Refusal::Token { presented: false }),
    }
}
