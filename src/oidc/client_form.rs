//! What the endpoints have in common to which clients send forms: each parameter comes once.

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
