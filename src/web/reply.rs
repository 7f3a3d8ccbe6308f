//! Replies: pages with their headers, JSON, redirects. Whatever is sent to a person or an app is made here.

use actix_web::HttpResponse;
use actix_web::HttpResponseBuilder;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use askama::Template;
use serde::Serialize;

use super::ctx::Ctx;
use super::pages::Frame;
use crate::domain::{KeyPurpose, RedirectUri};
use crate::state::{Mode, State};

/// What a page's head needs, with a nonce of its own.
#[must_use]
pub fn frame(state: &State, request_id: &str, title: impl Into<String>) -> Frame {
    let nonce = crate::domain::Secret::from_bytes(&state.entropy.bytes::<16>());
    Frame { nonce: nonce.expose().to_owned(), title: title.into(), dev: state.mode == Mode::Dev, request_id: request_id.to_owned() }
}

/// A page. `form_target` is the redirect URI that a form on it may end at: Chromium applies `form-action` to redirects too.
pub fn page(status: StatusCode, frame: &Frame, template: &impl Template, form_target: Option<&RedirectUri>) -> HttpResponse {
    let Ok(html) = template.render() else {
        tracing::error!("a page could not be rendered");
        return HttpResponse::InternalServerError().finish();
    };
    let target = form_target.map(|uri| format!(" {}", uri.csp_source())).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; \
         base-uri 'none'; frame-ancestors 'none'; form-action 'self'{target}",
        nonce = frame.nonce
    );
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        // With `no-referrer` our own forms would send `Origin: null`.
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(html)
}

/// Whether the caller has what this entity tag names (RFC 9110 §13.1.2), so that 304 is enough.
#[must_use]
pub fn is_known(ctx: &Ctx, etag: &str) -> bool {
    ctx.header(header::IF_NONE_MATCH).is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == etag))
}

/// A JWK set (RFC 7517 §5). It may be kept for five minutes, or less where a new key signs sooner than that.
#[must_use]
pub fn jwks(ctx: &Ctx, purpose: KeyPurpose) -> HttpResponse {
    let jwks = ctx.state.keys.jwks(purpose);
    let known = is_known(ctx, &jwks.etag);
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    let max_age = ctx.state.config.keys.publish_ahead.as_secs().min(300);
    response.insert_header((header::CACHE_CONTROL, format!("public, max-age={max_age}"))).insert_header((header::ETAG, jwks.etag.clone()));
    if known { response.finish() } else { response.content_type("application/json").body(jwks.body.clone()) }
}

/// JSON that nobody may keep: tokens, challenges, errors.
pub fn json(status: StatusCode, body: &impl Serialize) -> HttpResponse {
    // As long as two tokens of RSA: it is written without growing.
    let mut text = Vec::with_capacity(2048);
    match serde_json::to_writer(&mut text, body) {
        Ok(()) => no_store(status).insert_header((header::CONTENT_TYPE, HeaderValue::from_static("application/json"))).body(text),
        Err(reason) => {
            tracing::error!(%reason, "an answer could not be written as JSON");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// A signed answer that nobody may keep (OpenID Connect Core §5.3.2: "its Content-Type MUST be application/jwt").
pub fn jwt(token: String) -> HttpResponse {
    no_store(StatusCode::OK).content_type("application/jwt").body(token)
}

/// RFC 9700 §4.12: 303, so that a browser never repeats a form's content at the next address.
pub fn see_other(location: &str) -> HttpResponse {
    match HeaderValue::from_str(location) {
        Ok(location) => no_store(StatusCode::SEE_OTHER)
            .insert_header((header::LOCATION, location))
            .insert_header((header::REFERRER_POLICY, "same-origin"))
            .finish(),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

// RFC 6749 §5.1: "Cache-Control: no-store … in any response containing tokens, credentials, or other sensitive information".
fn no_store(status: StatusCode) -> HttpResponseBuilder {
    let mut builder = HttpResponse::build(status);
    builder.insert_header((header::CACHE_CONTROL, "no-store")).insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    builder
}
