//! Who is asked again, and who is not: `prompt`, `max_age`, and the `auth_time` that must be true.

use std::time::Duration;

use super::suite::{Suite, assert_refused, code_of, long_state};
use crate::module;

const NEEDS_A_PAGE: &[&str] = &["login_required", "interaction_required", "account_selection_required", "consent_required"];

fn auth_time(tokens: &crate::actors::Tokens) -> i64 {
    Suite::id_claim(tokens, "auth_time").as_i64().unwrap()
}

module!(oidcc_prompt_login, |suite| {
    let first = suite.tokens(&suite.request()).await;
    suite.world.clock.advance(Duration::from_secs(1));
    let asked = suite.request().with("prompt", "login");
    let interaction = suite.browser.begin(&asked).await;
    assert!(suite.browser.get(&interaction).await.is_sign_in(), "the person is asked once more");
    let answer = suite.browser.go_on(&interaction, &suite.wallet).await;
    let second = suite.redeem(&asked, &code_of(&asked, &suite.read(&asked, &answer))).await;
    assert!(auth_time(&second) > auth_time(&first));
});

module!(oidcc_prompt_none_not_logged_in, |suite| {
    let asked = suite.request().with("state", &long_state()).with("prompt", "none");
    let answer = suite.browser.auth(&asked).await;
    assert_refused(&asked, &suite.read(&asked, &answer), NEEDS_A_PAGE);
});

module!(oidcc_prompt_none_logged_in, |suite| {
    let first = suite.tokens(&suite.request()).await;
    suite.world.clock.advance(Duration::from_secs(5));
    let second = suite.tokens_without_a_page(&suite.request().with("prompt", "none")).await;
    for claim in ["auth_time", "sub"] {
        assert_eq!(Suite::id_claim(&second, claim), Suite::id_claim(&first, claim), "{claim}");
    }
});

module!(oidcc_max_age_1, |suite| {
    let first = suite.tokens(&suite.request()).await;
    suite.world.clock.advance(Duration::from_secs(2));
    let asked = suite.request().with("max_age", "1");
    let interaction = suite.browser.begin(&asked).await;
    assert!(suite.browser.get(&interaction).await.is_sign_in(), "the person is asked once more");
    let answer = suite.browser.go_on(&interaction, &suite.wallet).await;
    let second = suite.redeem(&asked, &code_of(&asked, &suite.read(&asked, &answer))).await;
    assert!(auth_time(&second) > auth_time(&first));
    assert_eq!(auth_time(&second), suite.world.clock.now().seconds());
});

module!(oidcc_max_age_10000, |suite| {
    let first = suite.tokens(&suite.request().with("max_age", "15000")).await;
    suite.world.clock.advance(Duration::from_secs(5));
    let second = suite.tokens_without_a_page(&suite.request().with("max_age", "10000")).await;
    assert_eq!(auth_time(&second), auth_time(&first));
    assert_eq!(Suite::id_claim(&second, "sub"), Suite::id_claim(&first, "sub"));
});
