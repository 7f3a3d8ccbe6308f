//! Forms that other sites post to us. A cross-site POST carries none of our `SameSite=Lax` cookies, so its content is kept for a few
//! minutes and the browser is sent on to fetch it from our own page, where the cookies are there again.

use std::time::Duration;

use actix_web::HttpResponse;

use super::body::Body;
use super::ctx::Ctx;
use super::fault::Fault;
use super::reply;
use super::visit::VisitFault;
use crate::domain::TokenHash;
use crate::limits::Try;
use crate::protocol::error::ErrorCode;
use crate::protocol::params::Params;

const KEPT: Duration = Duration::from_mins(5);
/// Bytes: what is kept before anybody has proved anything is kept small.
const LONGEST: usize = 16 * 1024;

/// Keeps the form and answers 303 to `path?form=…`.
pub async fn keep(ctx: &Ctx, path: &str, body: &Body) -> Result<HttpResponse, Fault> {
    ctx.charge(Try::Visit)?;
    let form = form_text(ctx, body)?;
    if form.len() > LONGEST {
        return Err(Fault::new(ErrorCode::InvalidRequest, "the form is longer than 16384 bytes"));
    }
    let key = ctx.state.entropy.secret();
    ctx.state.store.put_form(&key.hash(), path, form, ctx.now.plus(KEPT)).await?;
    Ok(reply::see_other(&format!("{path}?form={}", key.expose())))
}

/// The parameters of a GET: its query, or the form that it refers to.
pub async fn params(ctx: &Ctx, path: &str) -> Result<Params, Fault> {
    let query = Params::decode(ctx.request.query_string());
    let Some(key) = query.get("form")?.filter(|_| !query.has("client_id")) else { return Ok(query) };
    match ctx.state.store.form(&TokenHash::of(key), path, ctx.now).await? {
        Some(form) => Ok(Params::decode(&form)),
        None => Err(Fault::new(ErrorCode::InvalidRequest, "the form that was sent has expired; go back to the app and begin again")),
    }
}

/// The parameters of a form of ours: its token must be this browser's, and the browser must not say that it comes from elsewhere.
pub fn own(ctx: &Ctx, body: &Body) -> Result<Params, Fault> {
    let form = Params::decode(form_text(ctx, body)?);
    check_token(ctx, form.get("csrf")?)?;
    Ok(form)
}

/// The check alone, for what is no form.
///
/// # Errors
/// [`VisitFault::NoCookie`], [`VisitFault::Forged`].
pub fn check_token(ctx: &Ctx, token: Option<&str>) -> Result<(), Fault> {
    let browser = ctx.known_browser().ok_or(Fault::Visit(VisitFault::NoCookie))?;
    let ours = ctx.same_origin() && token.is_some_and(|token| browser.owns(token));
    if ours { Ok(()) } else { Err(Fault::Visit(VisitFault::Forged)) }
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
    let text = std::str::from_utf8(body.bytes()?).ok().filter(|text| !text.contains('\0'));
    text.ok_or_else(|| Fault::new(ErrorCode::InvalidRequest, "the form is not UTF-8 text, or holds a NUL character"))
}
