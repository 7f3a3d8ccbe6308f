//! The text of a refresh token: it carries the id of its family and a secret, and a tag by which this server knows its own.
//!
//! Whoever reads the id of a family elsewhere (it is in the `jti` of access tokens) cannot make a text that counts as a spent token of
//! that family, and so cannot have it revoked. A text of somebody's own making is found out without asking the database.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::{FamilyId, Secret, TokenHash};

/// By it, secrets that were left lying about are recognised.
const PREFIX: &str = "lkr_";
const ID: usize = 16;
const SECRET: usize = 32;
const TAG: usize = 16;

/// A refresh token that this server made.
#[derive(Clone, Debug)]
pub struct RefreshToken {
    family: FamilyId,
    text: Secret,
}

impl RefreshToken {
    /// A token of that family with 256 random bits; `key` is the server's own secret, the same on every replica.
    #[must_use]
    pub fn new(family: FamilyId, secret: [u8; SECRET], key: &[u8; 32]) -> Self {
        let mut bytes = Vec::with_capacity(ID + SECRET + TAG);
        bytes.extend_from_slice(family.0.as_bytes());
        bytes.extend_from_slice(&secret);
        let tag = hmac::sign(&tag_key(key), &bytes);
        bytes.extend(tag.as_ref().iter().take(TAG));
        Self { family, text: Secret::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))) }
    }

    /// Reads a token as its holder presents it; `None` when this server did not make it. Whether it still works is the store's to say.
    #[must_use]
    pub fn parse(text: &str, key: &[u8; 32]) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok().filter(|bytes| bytes.len() == ID + SECRET + TAG)?;
        let (message, tag) = bytes.split_at_checked(ID + SECRET)?;
        let expected = hmac::sign(&tag_key(key), message);
        aws_lc_rs::constant_time::verify_slices_are_equal(expected.as_ref().get(..TAG)?, tag).ok()?;
        Some(Self { family: FamilyId(Uuid::from_slice(message.get(..ID)?).ok()?), text: Secret::new(text) })
    }

    /// Whether a text looks like one, whoever made it.
    #[must_use]
    pub fn looks_like(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    #[must_use]
    pub const fn family(&self) -> FamilyId {
        self.family
    }

    #[must_use]
    pub fn hash(&self) -> TokenHash {
        self.text.hash()
    }

    /// The text, for its holder alone.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose()
    }
}

// The server's secret makes other things too; its use here is one of its own.
fn tag_key(key: &[u8; 32]) -> hmac::Key {
    let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), b"refresh token");
    hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn token() -> RefreshToken {
        RefreshToken::new(FamilyId(Uuid::from_u128(5)), [9; 32], &KEY)
    }

    #[test]
    fn a_token_is_read_back_and_shows_nothing() {
        let token = token();
        let read = RefreshToken::parse(token.expose(), &KEY).unwrap();
        assert_eq!((read.family(), read.hash()), (token.family(), token.hash()));
        assert_eq!(read.hash(), TokenHash::of(token.expose()));
        assert!(!format!("{token:?}").contains(&token.expose()[4..]));
    }

    #[test]
    fn nobody_else_can_make_one_of_a_known_family() {
        let token = token();
        assert!(RefreshToken::parse(token.expose(), &[8; 32]).is_none(), "by another server");
        let other = RefreshToken::new(FamilyId(Uuid::from_u128(u128::MAX)), [9; 32], &KEY);
        let swapped = format!("{}{}", &other.expose()[..24], &token.expose()[24..]);
        assert!(RefreshToken::parse(&swapped, &KEY).is_none(), "the head of one, the tail of another");
        for place in 4..token.expose().len() {
            let mut text = token.expose().to_owned();
            let replaced = if text.as_bytes()[place] == b'A' { "B" } else { "A" };
            text.replace_range(place..=place, replaced);
            assert!(RefreshToken::parse(&text, &KEY).is_none(), "changed at {place}");
        }
    }

    #[test]
    fn what_is_no_token_is_none() {
        let good = token();
        let good = good.expose();
        for text in ["", "lkr_", "lkr_é", &good[4..], &good[..good.len() - 1], &format!("{good}A"), &format!("{good}=")] {
            assert!(RefreshToken::parse(text, &KEY).is_none(), "{text}");
        }
    }
}
