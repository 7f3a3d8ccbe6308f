//! `/token` (RFC 6749 §3.2): the endpoint owns the phases — read, authenticate the client, redeem, mint — and a grant fills one of them.

mod authorization_code;
mod client_credentials;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use crate::protocol::error::ErrorCode;
use crate::protocol::params::Params;
use crate::tokens::TokenResponse;
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::{client, posted, reply};

/// The grants that `/token` knows, as discovery lists them.
pub const GRANT_TYPES: &[&str] = &["authorization_code", "client_credentials"];

/// `POST /token`.
pub async fn post(ctx: Ctx, body: Body) -> HttpResponse {
    match token(&ctx, &body).await {
        Ok(response) => reply::json(StatusCode::OK, &response),
        Err(fault) => client::refusal(&ctx, &fault),
    }
}

async fn token(ctx: &Ctx, body: &Body) -> Result<TokenResponse, Fault> {
    let params = Params::decode(posted::form_text(ctx, body)?);
    if let Some(name) = params.doubled() {
        return Err(Fault::new(ErrorCode::InvalidRequest, format!("{name} was sent more than once; send it once")));
    }
    let grant_type = params.need("grant_type")?;
    if !GRANT_TYPES.contains(&grant_type) {
        return Err(Fault::new(ErrorCode::UnsupportedGrantType, format!("grant_type must be one of: {}", GRANT_TYPES.join(", "))));
    }
    let client = client::authenticated(ctx, &params).await?;
    match grant_type {
        "client_credentials" => client_credentials::grant(ctx, &client, &params).await,
        _ => authorization_code::redeem(ctx, &client, &params).await,
    }
}
