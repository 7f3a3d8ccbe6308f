//! What scopes and ways of signing in are called on pages.

use super::pages::ScopeLine;
use crate::domain::{Provider, Scope};
use crate::protocol::authorize::SCOPES;

/// Scopes in the words of a person who has never heard of them, the plainest first.
#[must_use]
pub fn scope_lines(scope: &Scope) -> Vec<ScopeLine> {
    let known = SCOPES.iter().copied().filter(|token| scope.contains(token));
    let others = scope.iter().filter(|token| !SCOPES.contains(token));
    known.chain(others).map(scope_line).collect()
}

fn scope_line(token: &str) -> ScopeLine {
    let (title, detail) = match token {
        Scope::OPENID => ("Know that it is you", "The app recognises you when you come back."),
        Scope::EMAIL => (
            "See your wallet address and email",
            "The address of the wallet you signed in with, and your email address if your account has one.",
        ),
        Scope::PROFILE => ("See your profile", "What you have written on your account page: your name, picture and language, for example."),
        Scope::OFFLINE_ACCESS => (
            "Keep this access while you are away",
            "The app can use it after you have left or signed out, until you withdraw it in your account.",
        ),
        _ => ("Use something this page has no words for", "The app's makers can say what it is."),
    };
    ScopeLine { token: token.to_owned(), title: title.to_owned(), detail: detail.to_owned() }
}

/// What people call a way to sign in.
#[must_use]
pub fn provider_name(provider: &Provider) -> &str {
    if provider.as_str() == Provider::WEB3 { "Wallet" } else { provider.as_str() }
}
