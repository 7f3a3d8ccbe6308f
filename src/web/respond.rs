//! The authorization response: the code or the error, on its way back to the app (RFC 6749 §4.1.2, Form Post Response Mode).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use url::form_urlencoded;

use super::ctx::Ctx;
use super::pages::FormPostPage;
use super::reply;
use crate::domain::Secret;
use crate::protocol::authorize::{ResponseMode, ReturnPath};
use crate::protocol::error::OAuthError;

/// What the app is told.
#[derive(Debug)]
pub enum Outcome {
    Code(Secret),
    Error(OAuthError),
}

/// Sends the browser back to the app.
#[must_use]
pub fn to_app(ctx: &Ctx, path: &ReturnPath, outcome: &Outcome) -> HttpResponse {
    let mut fields: Vec<(String, String)> = match outcome {
        Outcome::Code(code) => vec![("code".into(), code.expose().to_owned())],
        Outcome::Error(error) => {
            vec![("error".into(), error.code.as_str().to_owned()), ("error_description".into(), error.description.clone().into_owned())]
        }
    };
    // RFC 6749 §4.1.2: state is "REQUIRED if the "state" parameter was present in the client authorization request. The exact value
    // received from the client."
    fields.extend(path.state.clone().map(|state| ("state".into(), state)));
    // RFC 9207 §2: "an authorization server … MUST indicate its identity by including the iss parameter in the authorization response."
    fields.push(("iss".into(), ctx.state.issuer().to_owned()));
    match path.response_mode {
        ResponseMode::Query => reply::see_other(&with_query(path.redirect_uri.as_str(), &fields)),
        ResponseMode::FormPost => {
            let frame = reply::frame(&ctx.state, &ctx.request_id(), "Back to the app");
            let page = FormPostPage { frame: frame.clone(), action: path.redirect_uri.as_str().to_owned(), fields };
            reply::page(StatusCode::OK, &frame, &page, Some(&path.redirect_uri))
        }
    }
}

/// RFC 6749 §3.1.2: a query that the URI has already "MUST be retained when adding additional query parameters".
#[must_use]
pub fn with_query(uri: &str, fields: &[(String, String)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let joint = match uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some((_, query)) if query.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{uri}{joint}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_that_is_there_stays() {
        let fields = [("code".to_owned(), "a b&".to_owned())];
        assert_eq!(with_query("https://a.example/", &fields), "https://a.example/?code=a+b%26");
        assert_eq!(with_query("https://a.example/?x=1", &fields), "https://a.example/?x=1&code=a+b%26");
        assert_eq!(with_query("https://a.example/?", &fields), "https://a.example/?code=a+b%26");
        assert_eq!(with_query("com.example.app:/cb", &fields), "com.example.app:/cb?code=a+b%26");
    }
}
