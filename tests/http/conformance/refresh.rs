//! Refresh tokens: they are given with consent to `offline_access`, they work, and only for the client that they were given to.

use std::time::Duration;

use super::suite::{Suite, code_of, redemption};
use crate::actors::{App, Form, Tokens, decode};
use crate::module;

/// What asks for a refresh token (OpenID Connect Core §11: with `prompt=consent`).
pub(super) fn offline(asked: Form) -> Form {
    asked.with("scope", "openid offline_access").with("prompt", "consent")
}

/// The refresh token of a reply.
pub(super) fn refresh_token(tokens: &Tokens) -> String {
    let token = tokens.reply["refresh_token"].as_str().unwrap_or_else(|| panic!("no refresh token: {}", tokens.reply));
    // RFC 6749 appendix A.17.
    assert!(!token.is_empty() && token.chars().all(|c| matches!(c, ' '..='~')), "{token}");
    token.to_owned()
}

/// What every module asks of a refresh: another access token that works, and an ID token that is about the same sign-in.
pub(super) async fn check_refreshed(suite: &Suite<'_>, first: &Tokens, second: &Tokens) {
    assert_ne!(second.access, first.access);
    assert_eq!(suite.app.userinfo(&second.access).await.status, 200);
    if !second.id.is_empty() {
        let (before, after) = (decode(&first.id).1, decode(&second.id).1);
        for claim in ["iss", "sub", "aud", "auth_time", "azp"] {
            assert_eq!(after.get(claim), before.get(claim), "{claim}");
        }
        assert!(after["iat"].as_i64() > before["iat"].as_i64());
    }
}

async fn sign_in(suite: &Suite<'_>, id: &str) -> Tokens {
    let app = App::confidential(suite.world, id);
    let asked = offline(suite.request()).with("client_id", id);
    let code = code_of(&asked, &suite.told(&asked).await);
    Tokens::read(&app.token(&redemption(&asked, &code)).await)
}

module!(oidcc_refresh_token, |suite| {
    let discovered = suite.browser.get("/.well-known/openid-configuration").await.json();
    let offers = |name: &str, word: &str| discovered[name].as_array().unwrap().iter().any(|value| value == word);
    assert!(offers("scopes_supported", "offline_access") && offers("grant_types_supported", "refresh_token"));
    let mut unused = String::new();
    for id in ["suite", "suite2"] {
        let app = App::confidential(suite.world, id);
        let first = sign_in(suite, id).await;
        suite.world.clock.advance(Duration::from_secs(1));
        let form = Form::of(&[("grant_type", "refresh_token"), ("refresh_token", &refresh_token(&first))]);
        // The second client names no scope.
        let answer = app.token(&if id == "suite" { form.with("scope", "openid offline_access") } else { form }).await;
        assert_eq!((answer.header("content-type"), answer.header("cache-control")), ("application/json", "no-store"));
        let second = Tokens::read(&answer);
        assert!(second.reply["token_type"].as_str().unwrap().eq_ignore_ascii_case("bearer"));
        check_refreshed(suite, &first, &second).await;
        unused = second.reply["refresh_token"].as_str().map_or_else(|| refresh_token(&first), str::to_owned);
    }
    let stolen = Form::of(&[("grant_type", "refresh_token"), ("refresh_token", &unused)]);
    assert_eq!(suite.app.token(&stolen).await.error(), (400, "invalid_grant".into()));
    // It was not spent by the thief's attempt.
    assert_eq!(App::confidential(suite.world, "suite2").token(&stolen).await.status, 200);
});
