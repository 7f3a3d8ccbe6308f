//! What an app may say about how it would like things, and what nobody has heard of: none of it is ever an error.

use std::time::Duration;

use super::suite::{Suite, code_of};
use crate::module;

/// Signs in with one more parameter in the request, and sees that the sign-in page is there for whoever is not signed in.
async fn sign_in_with(suite: &Suite<'_>, name: &str, value: &str) {
    let asked = suite.request().with(name, value);
    let interaction = suite.browser.begin(&asked).await;
    assert!(suite.browser.get(&interaction).await.is_sign_in());
    let answer = suite.browser.go_on(&interaction, &suite.wallet).await;
    suite.redeem(&asked, &code_of(&asked, &suite.read(&asked, &answer))).await;
}

module!(oidcc_display_page, |suite| {
    sign_in_with(suite, "display", "page").await;
});

module!(oidcc_display_popup, |suite| {
    sign_in_with(suite, "display", "popup").await;
});

module!(oidcc_ui_locales, |suite| {
    sign_in_with(suite, "ui_locales", "se").await;
});

module!(oidcc_claims_locales, |suite| {
    sign_in_with(suite, "claims_locales", "se").await;
});

module!(oidcc_login_hint, |suite| {
    sign_in_with(suite, "login_hint", "buffy@localhost").await;
});

module!(oidcc_ensure_request_with_unknown_parameter_succeeds, |suite| {
    sign_in_with(suite, "extra", "foobar").await;
});

module!(oidcc_ensure_request_with_acr_values_succeeds, |suite| {
    let discovered = suite.browser.get("/.well-known/openid-configuration").await.json();
    let supported: Vec<&str> =
        discovered["acr_values_supported"].as_array().into_iter().flatten().map(|value| value.as_str().unwrap()).collect();
    let wanted = if supported.is_empty() { "1 2".to_owned() } else { supported.join(" ") };
    let tokens = suite.tokens(&suite.request().with("acr_values", &wanted)).await;
    // One of those that discovery offers is told; one that it does not offer never is.
    let told = Suite::id_claim(&tokens, "acr");
    assert_eq!(told.as_str().is_some_and(|acr| supported.contains(&acr)), !supported.is_empty(), "{told}");
});

module!(oidcc_id_token_hint, |suite| {
    let first = suite.tokens(&suite.request()).await;
    suite.world.clock.advance(Duration::from_secs(5));
    let second = suite.tokens_without_a_page(&suite.request().with("prompt", "none").with("id_token_hint", &first.id)).await;
    for claim in ["auth_time", "sub"] {
        assert_eq!(Suite::id_claim(&second, claim), Suite::id_claim(&first, claim), "{claim}");
    }
});
