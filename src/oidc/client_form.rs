//! What the endpoints have in common to which clients send forms: each parameter once, and refusals in the words of RFC 6749 §5.2.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};

use crate::protocol::error::ErrorCode;
use crate::protocol::params::Params;
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::posted;

/// The form of a client.
///
/// # Errors
/// `invalid_request` when it is no form, or when a parameter came twice (RFC 6749 §3.2).
pub(super) fn read(ctx: &Ctx, body: &Body) -> Result<Params, Fault> {
    let params = Params::decode(posted::form_text(ctx, body)?);
    match params.doubled() {
        Some(name) => Err(Fault::new(ErrorCode::InvalidRequest, format!("{name} was sent more than once; send it once"))),
        None => Ok(params),
    }
}

// RFC 6749 §5.2: "If the client attempted to authenticate via the "Authorization" request header field, the authorization server MUST
// respond with an HTTP 401 (Unauthorized) status code and include the "WWW-Authenticate" response header field".
/// A fault as such an endpoint tells it.
pub(super) fn refusal(ctx: &Ctx, fault: &Fault) -> HttpResponse {
    let mut response = fault.as_json();
    if response.status() == StatusCode::UNAUTHORIZED && ctx.header(header::AUTHORIZATION).is_some() {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"token endpoint\""));
    }
    response
}
