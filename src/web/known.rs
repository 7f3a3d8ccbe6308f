//! Which accounts a browser was used with before. A device is new to an account when its browser does not say so: it never was there, its
//! cookies were cleared, or it was there longer ago than they last.
//!
//! The cookie holds a tag for each account, which only this server can make. It lets nobody in: all that it does is that nobody is told.

use std::time::Duration;

use actix_web::cookie::Cookie;

use super::cookies::Jar;
use super::ctx::Ctx;
use crate::domain::{AccountId, Secret, TokenHash};

/// As long as browsers keep any cookie (RFC 6265bis §5.6.1: "at most 400 days").
const KEPT: Duration = Duration::from_hours(400 * 24);
/// So many accounts are remembered, those used last.
const MOST: usize = 8;
/// Bytes of a tag: as hard to guess as a key.
const LENGTH: usize = 16;

/// Whether that account was used in this browser before.
#[must_use]
pub fn knows(ctx: &Ctx, account: AccountId) -> bool {
    let own = tag(&ctx.state.keys.pairwise_secret(), account);
    tags(&sent(ctx)).any(|tag| tag == own)
}

/// The cookie that says so from now on.
#[must_use]
pub fn mark(ctx: &Ctx, account: AccountId) -> Cookie<'static> {
    let text = with(&sent(ctx), &tag(&ctx.state.keys.pairwise_secret(), account));
    Jar::Known.set(&Secret::new(text), Some(KEPT), ctx.secure())
}

fn sent(ctx: &Ctx) -> String {
    Jar::Known.text(&ctx.request, ctx.secure()).unwrap_or_default()
}

fn tags(text: &str) -> impl Iterator<Item = &str> {
    text.split('.')
        .filter(|tag| tag.len() == LENGTH.div_ceil(3) * 4 - 2 && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)))
}

fn with(text: &str, own: &str) -> String {
    let others = tags(text).filter(|tag| *tag != own).take(MOST - 1);
    std::iter::once(own).chain(others).collect::<Vec<_>>().join(".")
}

fn tag(key: &[u8; 32], account: AccountId) -> String {
    let hash = TokenHash::keyed(key, "known browser", account.0.as_bytes());
    let (head, _) = hash.as_bytes().split_at(LENGTH);
    Secret::from_bytes(head).expose().to_owned()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_accounts_used_last_are_remembered() {
        let own = |number| tag(&[7; 32], AccountId(Uuid::from_u128(number)));
        assert_ne!(own(1), own(2));
        assert_ne!(own(1), tag(&[8; 32], AccountId(Uuid::from_u128(1))), "only this server makes it");
        let text = (1..=10).fold(String::new(), |text, number| with(&text, &own(number)));
        assert_eq!(tags(&text).collect::<Vec<_>>(), (3..=10).rev().map(own).collect::<Vec<_>>());
        assert_eq!(with(&text, &own(5)).split('.').next(), Some(own(5).as_str()));
        assert_eq!(tags(&with(&text, &own(5))).count(), 8, "each once");
        assert_eq!(with("a; b.\u{e9}.,.", &own(1)), own(1), "what is no tag is left out");
    }
}
