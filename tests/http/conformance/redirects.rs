//! Where the answer may go: to the registered address and to no other, and what is missing is said.

use super::suite::assert_refused;
use crate::module;
use crate::world::REDIRECT_URI;

module!(oidcc_response_type_missing, |suite| {
    let asked = suite.request().without("response_type");
    let answer = suite.browser.auth(&asked).await;
    assert_refused(&asked, &suite.read(&asked, &answer), &["invalid_request", "unsupported_response_type"]);
});

module!(oidcc_ensure_registered_redirect_uri, |suite| {
    // Also for somebody who is signed in and has agreed, whose answer would go at once.
    suite.tokens(&suite.request()).await;
    let asked = suite.request().with("redirect_uri", &format!("{REDIRECT_URI}/kX3pQ9vLw2"));
    assert!(suite.browser.auth(&asked).await.is_error_page(400));
});
