//! Forms that other sites post to us. A cross-site POST carries none of our `SameSite=Lax` cookies, so its content is kept for a few
//! minutes and the browser is sent on to fetch it from our own page, where the cookies are there again.

use std::time::Duration;

use actix_web::HttpResponse;

use super::body::Body;
use super::ctx::Ctx;
use super::fault::Fault;
use super::reply;
use crate::domain::TokenHash;
use crate::limits::Try;
use crate::protocol::error::ErrorCode;
use crate::protocol::params::Params;

const KEPT: Duration = Duration::from_mins(5);

/// Keeps the form and answers 303 to `path?form=…`.
pub async fn keep(ctx: &Ctx, path: &'static str, body: &Body) -> Result<HttpResponse, Fault> {
    ctx.charge(Try::SignIn)?;
    let form = form_text(ctx, body)?;
    let key = ctx.state.entropy.secret();
    ctx.state.store.put_form(&key.hash(), path, form, ctx.now.plus(KEPT)).await?;
    Ok(reply::see_other(&format!("{path}?form={}", key.expose())))
}

/// The parameters of a GET: its query, or the form that it refers to.
pub async fn params(ctx: &Ctx, path: &'static str) -> Result<Params, Fault> {
    let query = Params::decode(ctx.request.query_string());
    let Some(key) = query.get("form")?.filter(|_| !query.has("client_id")) else { return Ok(query) };
    match ctx.state.store.form(&TokenHash::of(key), path, ctx.now).await? {
        Some(form) => Ok(Params::decode(&form)),
        None => Err(Fault::new(ErrorCode::InvalidRequest, "the form that was sent has expired; go back to the app and begin again")),
    }
}

/// A body as form text.
///
/// # Errors
/// `invalid_request` when its type is another, or it is not text.
pub fn form_text<'a>(ctx: &Ctx, body: &'a Body) -> Result<&'a str, Fault> {
    let content_type = ctx.header(actix_web::http::header::CONTENT_TYPE).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let nothing = essence.is_empty() && body.is_empty();
    if !nothing && !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Fault::new(ErrorCode::InvalidRequest, "the content type must be application/x-www-form-urlencoded"));
    }
    std::str::from_utf8(body.bytes()?).map_err(|_| Fault::new(ErrorCode::InvalidRequest, "the form is not UTF-8 text"))
}
