//! The wall that every request passes first: it gives the request its id, and counts, times and logs it.
//!
//! Only the path's pattern is logged, never a query, a header or a body: they carry codes, tokens and hints.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage};
use tracing::Instrument;

use crate::domain::Secret;
use crate::state::State;

/// The id of a request: in the log, in `X-Request-Id`, and on every error page.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Where the id of a request stands.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Wraps a request.
pub async fn observe(request: ServiceRequest, next: Next<impl MessageBody>) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let began = Instant::now();
    let id = match request.app_data::<Data<State>>() {
        Some(state) => Secret::from_bytes(&state.entropy.bytes::<9>()).expose().to_owned(),
        None => String::new(),
    };
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = known(request.method());
    let span = tracing::info_span!("request", id);
    let result = next.call(request).instrument(span.clone()).await;
    let seconds = began.elapsed().as_secs_f64();
    let (status, route) = match &result {
        Ok(response) => (response.status().as_u16(), response.request().match_pattern()),
        Err(error) => (error.as_response_error().status_code().as_u16(), None),
    };
    let route = route.unwrap_or_else(|| "other".to_owned());
    span.in_scope(|| tracing::info!(method, route, status, ms = (seconds * 1e5).round() / 1e2, "answered"));
    count(method, &route, status, seconds);
    result.map(|mut response| {
        // A handler may have answered under the caller's own id, where a standard wants that.
        if !response.headers().contains_key(HEADER)
            && let Ok(value) = HeaderValue::from_str(&id)
        {
            response.headers_mut().insert(HEADER, value);
        }
        response
    })
}

// One kind of answer, as this thread counts it: to find the numbers by their labels each time costs more than to count.
struct Answers {
    method: &'static str,
    status: u16,
    requests: metrics::Counter,
    seconds: metrics::Histogram,
}

fn count(method: &'static str, route: &str, status: u16, seconds: f64) {
    thread_local! {
        static ANSWERS: RefCell<HashMap<String, Vec<Answers>>> = RefCell::default();
    }
    ANSWERS.with_borrow_mut(|routes| {
        let answers = match routes.get_mut(route) {
            Some(known) => known,
            None => routes.entry(route.to_owned()).or_default(),
        };
        let place = answers.iter().position(|known| known.method == method && known.status == status).unwrap_or_else(|| {
            let labels = [("method", method.to_owned()), ("route", route.to_owned()), ("status", status.to_string())];
            let requests = metrics::counter!("latchkey_requests_total", &labels);
            let seconds = metrics::histogram!("latchkey_request_seconds", &labels[..2]);
            answers.push(Answers { method, status, requests, seconds });
            answers.len() - 1
        });
        answers[place].requests.increment(1);
        answers[place].seconds.record(seconds);
    });
}

// A method is any word that somebody sends; as a label, each new one would be kept for ever.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invented_methods_are_one() {
        assert_eq!(known(&Method::POST), "POST");
        assert_eq!(known(&Method::from_bytes(b"MADE-UP").unwrap()), "other");
    }
}
