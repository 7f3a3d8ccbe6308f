//! `/token` (RFC 6749 §3.2): the endpoint owns the phases — read, authenticate the client, ask its grant — and each grant fills the last.

mod authorization_code;
mod client_credentials;
mod device_code;
mod refresh_token;
mod token_exchange;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::client_form;
use crate::domain::GrantType;
use crate::protocol::error::ErrorCode;
use crate::protocol::params::Params;
use crate::store::ClientRecord;
use crate::tokens::TokenResponse;
use crate::web::body::Body;
use crate::web::client;
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::reply;

macro_rules! grants {
    ($($grant:ident = $module:ident,)*) => {
        /// The grants that `/token` has, as discovery lists them.
        pub const GRANT_TYPES: &[GrantType] = &[$(GrantType::$grant),*];

        async fn tokens(ctx: &Ctx, grant: GrantType, client: &ClientRecord, params: &Params) -> Result<TokenResponse, Fault> {
            match grant {
                $(GrantType::$grant => $module::grant(ctx, client, params).await,)*
            }
        }
    };
}

// The one table of grants: a line for each file beside this one.
grants! {
    AuthorizationCode = authorization_code,
    RefreshToken = refresh_token,
    ClientCredentials = client_credentials,
    DeviceCode = device_code,
    TokenExchange = token_exchange,
}

/// `POST /token`.
pub async fn post(ctx: Ctx, body: Body) -> HttpResponse {
    match token(&ctx, &body).await {
        Ok(response) => reply::json(StatusCode::OK, &response),
        Err(fault) => client::refusal(&ctx, &fault),
    }
}

async fn token(ctx: &Ctx, body: &Body) -> Result<TokenResponse, Fault> {
    let params = client_form::read(ctx, body)?;
    let word = params.need("grant_type")?;
    let grant = GRANT_TYPES.iter().copied().find(|grant| grant.as_str() == word).ok_or_else(unsupported)?;
    let client = client::authenticated(ctx, &params).await?;
    // RFC 6749 §5.2: "The authenticated client is not authorized to use this authorization grant type."
    if !client.may(grant) {
        let words = format!("this client is not registered for the grant {grant}; add it to its grant_types");
        return Err(Fault::new(ErrorCode::UnauthorizedClient, words));
    }
    tokens(ctx, grant, &client, &params).await
}

fn unsupported() -> Fault {
    let known: Vec<&str> = GRANT_TYPES.iter().map(|grant| grant.as_str()).collect();
    Fault::new(ErrorCode::UnsupportedGrantType, format!("grant_type must be one of: {}", known.join(", ")))
}
