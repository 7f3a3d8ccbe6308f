//! Request objects are not offered: whoever sends one is told so in the standards' words, and nothing in it is believed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::suite::{Suite, assert_refused};
use crate::actors::Form;
use crate::module;
use crate::world::REDIRECT_URI;

/// A request as an unsigned request object (OpenID Connect Core §6.1).
fn unsigned(suite: &Suite<'_>) -> String {
    let asked = suite.request();
    let names = ["client_id", "redirect_uri", "scope", "state", "nonce", "response_type", "response_mode"];
    let claims: Map<String, Value> =
        names.into_iter().filter(|name| !asked.get(name).is_empty()).map(|name| (name.to_owned(), json!(asked.get(name)))).collect();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(&json!({ "alg": "none" })), part(&Value::Object(claims)))
}

/// What stays outside of an object.
fn outside(suite: &Suite<'_>) -> Form {
    ["state", "nonce"].into_iter().fold(suite.request(), Form::without)
}

module!(oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported, |suite| {
    let asked = outside(suite).with("request", &unsigned(suite));
    let answer = suite.browser.auth(&asked).await;
    assert_refused(&asked, &suite.read(&asked, &answer), &["request_not_supported"]);
});

module!(oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported, |suite| {
    let asked = outside(suite).with("request_uri", "https://app.example/requests/kX3pQ9vLw2#Z8sT");
    let answer = suite.browser.auth(&asked).await;
    assert_refused(&asked, &suite.read(&asked, &answer), &["request_uri_not_supported"]);
});

// The address outside is not registered; the one inside is, and must not be made use of by a server that does not read the object.
module!(oidcc_ensure_request_object_with_redirect_uri, |suite| {
    let asked = outside(suite).with("request", &unsigned(suite)).with("redirect_uri", &format!("{REDIRECT_URI}_invalid"));
    assert!(suite.browser.auth(&asked).await.is_error_page(400));
});
