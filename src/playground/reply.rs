//! The one place where a page of the playground becomes a reply.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::Playground;
use crate::web::pages::Frame;

/// Renders the page that `fill` makes within a frame, with the headers of a page.
pub(super) fn html<P: Template>(
    _request: &HttpRequest,
    playground: &Playground,
    status: StatusCode,
    title: &str,
    fill: impl FnOnce(Frame) -> P,
) -> HttpResponse {
    let nonce = playground.entropy.secret().expose().to_owned();
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; \
         base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    );
    let page = fill(Frame { nonce, title: title.to_owned(), dev: true, request_id: String::new() });
    match page.render() {
        Ok(text) => HttpResponse::build(status)
            .insert_header((header::CONTENT_SECURITY_POLICY, policy))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::REFERRER_POLICY, "same-origin"))
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .content_type("text/html; charset=utf-8")
            .body(text),
        Err(error) => HttpResponse::InternalServerError().body(format!("The page cannot be written: {error}")),
    }
}
