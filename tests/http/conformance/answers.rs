//! Userinfo, by each of the ways that a token may come, and what may stand in its answer.

use reqwest::Method;
use serde_json::Value;

use super::suite::Suite;
use crate::actors::{Answer, Form, Tokens};
use crate::module;
use crate::world::FORM;

/// What every module asks of a userinfo response (OpenID Connect Core §5.1 and §5.3.2).
pub(super) fn check(answer: &Answer, tokens: &Tokens) -> Value {
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{}", answer.body);
    let told = answer.json();
    assert_eq!(told["sub"], Suite::id_claim(tokens, "sub"));
    for (name, value) in told.as_object().unwrap() {
        let right = match name.as_str() {
            "email_verified" | "phone_number_verified" => value.is_boolean(),
            "updated_at" => value.is_i64(),
            "address" => {
                value.as_object().is_some_and(|parts| parts.values().all(|part| part.as_str().is_some_and(|text| !text.is_empty())))
            }
            _ => value.as_str().is_some_and(|text| !text.is_empty()),
        };
        assert!(right, "{name}: {value}");
    }
    told
}

const ASKED: &str = "openid profile email";

module!(oidcc_userinfo_get, |suite| {
    let tokens = suite.tokens(&suite.request().with("scope", ASKED)).await;
    check(&suite.app.userinfo(&tokens.access).await, &tokens);
});

module!(oidcc_userinfo_post_header, |suite| {
    let tokens = suite.tokens(&suite.request().with("scope", ASKED)).await;
    let request = suite.browser.bare(Method::POST, "/userinfo").bearer_auth(&tokens.access);
    check(&suite.browser.send(request).await, &tokens);
});

module!(oidcc_userinfo_post_body, |suite| {
    let tokens = suite.tokens(&suite.request().with("scope", ASKED)).await;
    let body = Form::of(&[("access_token", &tokens.access)]).encode();
    let request = suite.browser.bare(Method::POST, "/userinfo").header("content-type", FORM).body(body);
    check(&suite.browser.send(request).await, &tokens);
});
