//! `/register` (RFC 7591, OpenID Connect Dynamic Client Registration): an app makes itself known. Off unless the operator wants it.

mod access;
pub mod management;
mod view;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use serde_json::{Map, Value};

use crate::domain::{ClientId, Secret};
use crate::endpoints::Endpoint;
use crate::limits::Try;
use crate::policy::registration::has_secret;
use crate::protocol::client_registration;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::store::{ClientRecord, ClientSource};
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::{logo, registration, reply};
use access::Refusal;
use view::Issued;

/// `POST /register` (RFC 7591 §3.1).
pub async fn post(ctx: Ctx, body: Body) -> HttpResponse {
    register(&ctx, &body).await.unwrap_or_else(|refusal| refusal.answer())
}

async fn register(ctx: &Ctx, body: &Body) -> Result<HttpResponse, Refusal> {
    is_on(ctx)?;
    ctx.charge(Try::Registration)?;
    let vouched = access::initial(ctx)?;
    let members = members(ctx, body)?;
    // RFC 7591 §3.2.1: client_id is "not currently valid for any other registered client".
    let id: ClientId = ctx.state.entropy.uuid(ctx.now).to_string().parse().map_err(|reason| Fault::Broken(format!("{reason}")))?;
    let terms = registration::terms(ctx, vouched);
    let record = registration::accept(ctx, id, ClientSource::Registration, &members, terms).await?;
    let secret = has_secret(record.auth_method).then(|| ctx.state.entropy.secret());
    let token = ctx.state.entropy.secret();
    let record = ClientRecord { secret_hash: secret.as_ref().map(Secret::hash), registration_hash: Some(token.hash()), ..record };
    ctx.state.store.create_client(&record).await?;
    logo::prepare(ctx, &record).await;
    tracing::info!(client = %record.id, "an app registered itself");
    // RFC 7591 §3.2.1: "an HTTP 201 Created status code and a body of type "application/json"".
    Ok(reply::json(StatusCode::CREATED, &view::of(ctx, &record, &Issued { secret: secret.as_ref(), token: &token })))
}

fn is_on(ctx: &Ctx) -> Result<(), Fault> {
    if ctx.state.config.registration.enabled {
        return Ok(());
    }
    Err(Fault::new(ErrorCode::NotFound, "apps cannot register themselves at this server: ask its operator"))
}

// RFC 7591 §3.1: "with a content type of "application/json"".
fn members(ctx: &Ctx, body: &Body) -> Result<Map<String, Value>, Fault> {
    let content_type = ctx.header(header::CONTENT_TYPE).unwrap_or_default();
    if !content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(OAuthError::new(ErrorCode::InvalidClientMetadata, "the content type must be application/json").into());
    }
    Ok(client_registration::object(body.bytes()?)?)
}

/// Where a client manages its registration.
fn address(ctx: &Ctx, id: &ClientId) -> String {
    format!("{}{}/{id}", ctx.state.issuer(), Endpoint::Registration.path())
}
