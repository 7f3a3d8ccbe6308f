//! What can go wrong in a handler, and how it is told: as a page, as OAuth's JSON, or as the JSON of the wallet endpoints.
//! Logged once, here, where the request ends.

mod not_granted;
mod words;

pub use not_granted::NotGranted;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use serde::Serialize;

use super::ctx::Ctx;
use super::pages::ErrorPage;
use super::reply;
use super::visit::VisitFault;
use crate::keys::KeysError;
use crate::limits::TooMany;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::store::StoreError;
use not_granted::Why;

/// A failed request.
#[derive(Debug)]
pub enum Fault {
    /// The caller's fault, in the standards' words.
    OAuth(OAuthError),
    /// An app gets nothing of an asset, or not all that it wants.
    NotGranted(Box<NotGranted>),
    /// Too many tries.
    TooMany(TooMany),
    /// A part that we need does not answer; it is worth trying again.
    Unavailable,
    /// A client's keys cannot be fetched, so nobody can say whether it is the client; seconds after which it is worth trying again.
    ClientKeys { retry_after: u64 },
    /// Our fault.
    Broken(String),
    /// A sign-in that cannot go on.
    Visit(VisitFault),
}

/// Seconds after which a broken part may be back.
const RETRY_AFTER: u64 = 2;

impl From<OAuthError> for Fault {
    fn from(error: OAuthError) -> Self {
        Self::OAuth(error)
    }
}

impl From<TooMany> for Fault {
    fn from(too_many: TooMany) -> Self {
        Self::TooMany(too_many)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            // The store logs an outage once, when it begins.
            StoreError::Unavailable(_) => Self::Unavailable,
            StoreError::Conflict(_) | StoreError::Schema(_) | StoreError::Corrupt(_) => Self::Broken(error.to_string()),
        }
    }
}

impl From<KeysError> for Fault {
    fn from(error: KeysError) -> Self {
        Self::Broken(error.to_string())
    }
}

impl Fault {
    pub fn new(code: ErrorCode, description: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self::OAuth(OAuthError::new(code, description))
    }

    // The words of OAuth for this fault, its status, and how long to wait.
    fn parts(&self) -> (OAuthError, StatusCode, Option<u64>) {
        let words = |code: ErrorCode, description: &'static str| {
            (OAuthError::new(code, description), StatusCode::from_u16(code.status()).unwrap_or(StatusCode::BAD_REQUEST))
        };
        match self {
            Self::OAuth(error) => {
                // What the caller is told is all there is to know; descriptions never hold a secret.
                tracing::info!(error = error.code.as_str(), description = %error.description, "refused");
                (error.clone(), StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::BAD_REQUEST), None)
            }
            Self::NotGranted(refusal) => {
                let error = OAuthError::new(ErrorCode::AccessDenied, refusal.words());
                tracing::info!(reason = refusal.refused.reason.as_str(), description = %error.description, "refused");
                (error, StatusCode::FORBIDDEN, None)
            }
            Self::TooMany(TooMany { retry_after }) => {
                let (error, status) = words(ErrorCode::TooManyRequests, "too many tries; wait as long as Retry-After says");
                (error, status, Some(*retry_after))
            }
            Self::Unavailable => {
                let (error, status) =
                    words(ErrorCode::TemporarilyUnavailable, "the server cannot reach its database; try again in a moment");
                (error, status, Some(RETRY_AFTER))
            }
            Self::ClientKeys { retry_after } => {
                let (error, status) = words(
                    ErrorCode::TemporarilyUnavailable,
                    "the keys of this client cannot be fetched from its jwks_uri, so its assertion cannot be checked; the server's log says why",
                );
                (error, status, Some(*retry_after))
            }
            Self::Broken(reason) => {
                tracing::error!(reason, "a request failed by our own fault");
                let (error, status) =
                    words(ErrorCode::ServerError, "something went wrong in the server; its log has more under the request id");
                (error, status, None)
            }
            Self::Visit(fault) => {
                let (error, _) = words(ErrorCode::InvalidRequest, "this sign-in cannot go on in this browser");
                (error, if *fault == VisitFault::Over { StatusCode::GONE } else { StatusCode::FORBIDDEN }, None)
            }
        }
    }

    /// RFC 6749 §5.2: `{"error", "error_description"}`.
    #[must_use]
    pub fn as_json(&self) -> HttpResponse {
        #[derive(Serialize)]
        struct Body<'a> {
            error: &'a str,
            error_description: &'a str,
            #[serde(flatten)]
            why: Option<Why<'a>>,
        }
        let (error, mut status, retry_after) = self.parts();
        let (mut code, why) = (error.code, self.why());
        if let Self::NotGranted(refusal) = self {
            // RFC 6749 §5.2: a refusal is "an HTTP 400 (Bad Request) status code (unless specified otherwise)".
            code = refusal.code();
            status = StatusCode::BAD_REQUEST;
        }
        retry(reply::json(status, &Body { error: code.as_str(), error_description: &error.description, why }), retry_after)
    }

    /// The five keys that clients of the wallet endpoints read.
    #[must_use]
    pub fn as_wire_json(&self) -> HttpResponse {
        #[derive(Serialize)]
        struct Body<'a> {
            error: &'a str,
            error_description: &'a str,
            status: u16,
            code: u16,
            message: &'a str,
            #[serde(flatten)]
            why: Option<Why<'a>>,
        }
        let (error, status, retry_after) = self.parts();
        let code = status.as_u16();
        let body = Body {
            error: error.code.as_str(),
            error_description: &error.description,
            status: code,
            code,
            message: &error.description,
            why: self.why(),
        };
        retry(reply::json(status, &body), retry_after)
    }

    /// RFC 9457: a problem at one of our own APIs, and with which member of the request.
    #[must_use]
    pub fn as_problem(&self, ctx: &Ctx, member: Option<&str>) -> HttpResponse {
        #[derive(Serialize)]
        struct Body<'a> {
            // RFC 9457 §4.2.1: "the problem has no additional semantics beyond that of the HTTP status code"; `code` says more.
            r#type: &'a str,
            title: &'a str,
            status: u16,
            detail: &'a str,
            instance: String,
            code: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            member: Option<&'a str>,
        }
        let (error, status, retry_after) = self.parts();
        let body = Body {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail: &error.description,
            instance: ctx.request_id(),
            code: error.code.as_str(),
            member,
        };
        let mut response = reply::json(status, &body);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        retry(response, retry_after)
    }

    // What an app is told beside the words where it gets nothing of an asset.
    fn why(&self) -> Option<Why<'_>> {
        if let Self::NotGranted(refusal) = self { Some(refusal.why()) } else { None }
    }

    /// What the sign-in script reads.
    #[must_use]
    pub fn as_step_json(&self) -> HttpResponse {
        #[derive(Serialize)]
        struct Body<'a> {
            error: &'a str,
            title: &'a str,
            message: &'a str,
        }
        let (error, status, retry_after) = self.parts();
        let words = words::for_person(self, status, &error);
        let code = match self {
            Self::Visit(VisitFault::Over) => "interaction_gone",
            Self::Visit(VisitFault::NoCookie | VisitFault::Forged) => "wrong_browser",
            Self::OAuth(_) | Self::NotGranted(_) | Self::TooMany(_) | Self::Unavailable | Self::ClientKeys { .. } | Self::Broken(_) => {
                error.code.as_str()
            }
        };
        retry(reply::json(status, &Body { error: code, title: words.title, message: &words.what }), retry_after)
    }

    /// A page for the person in front of it.
    #[must_use]
    pub fn as_page(&self, ctx: &Ctx) -> HttpResponse {
        let (error, status, retry_after) = self.parts();
        // RFC 9110 §15.5.2: a 401 "MUST send a WWW-Authenticate header field containing at least one challenge": a person has none to meet.
        let status = if status == StatusCode::UNAUTHORIZED { StatusCode::BAD_REQUEST } else { status };
        let words = words::for_person(self, status, &error);
        let frame = reply::frame(&ctx.state, &ctx.request_id(), words.title);
        let page = ErrorPage {
            frame: frame.clone(),
            status: status.as_u16(),
            title: words.title.to_owned(),
            what: words.what,
            whose: words.whose,
            todo: words.todo,
            detail: words.detail,
            back: words.back,
        };
        retry(reply::page(status, &frame, &page, None), retry_after)
    }
}

// RFC 9110 §10.2.3.
fn retry(mut response: HttpResponse, after: Option<u64>) -> HttpResponse {
    const RETRY: HeaderName = header::RETRY_AFTER;
    if let Some(seconds) = after {
        response.headers_mut().insert(RETRY, seconds.into());
    }
    response
}
