//! The one place where a page of the playground becomes a reply.

use actix_web::http::StatusCode;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use askama::Template;

use super::Playground;
use crate::web::observe::RequestId;
use crate::web::pages::Frame;
use crate::web::reply;

/// Renders the page that `fill` makes within a frame, with the headers of a page.
pub(super) fn html<P: Template>(
    request: &HttpRequest,
    playground: &Playground,
    status: StatusCode,
    title: &str,
    fill: impl FnOnce(Frame) -> P,
) -> HttpResponse {
    let request_id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let frame = Frame { nonce: playground.entropy.secret().expose().to_owned(), title: title.to_owned(), dev: true, request_id };
    reply::page(status, &frame, &fill(frame.clone()), None)
}
