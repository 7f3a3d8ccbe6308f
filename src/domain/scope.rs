//! Scopes: what an app asks to know or to do.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A set of scope tokens (RFC 6749 §3.3). Its text is sorted and separated by single spaces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope(BTreeSet<String>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    #[error("scope holds a character that RFC 6749 section 3.3 does not allow")]
    Character,
    #[error("scope is too long")]
    TooLong,
}

/// The longest text of a scope that was agreed to in several steps; one request's is shorter ([`Scope::LONGEST_ASKED`]).
const LONGEST: usize = 20_000;

impl Scope {
    /// The scope that makes an authorization request one of OpenID Connect (Core §3.1.2.1).
    pub const OPENID: &'static str = "openid";
    pub const EMAIL: &'static str = "email";
    pub const PROFILE: &'static str = "profile";
    pub const ADDRESS: &'static str = "address";
    pub const PHONE: &'static str = "phone";
    /// Access while the person is away: a refresh token that outlives the session (OpenID Connect Core §11).
    pub const OFFLINE_ACCESS: &'static str = "offline_access";
    pub const GRANTS_READ: &'static str = "grants:read";
    pub const GRANTS_WRITE: &'static str = "grants:write";
    pub const ASSETS_READ: &'static str = "assets:read";
    pub const ASSETS_WRITE: &'static str = "assets:write";
    /// Those of our own APIs over assets and grants. Persons and clients may hold them, each over what is theirs.
    pub const OF_APIS: &'static [&'static str] = &[Self::GRANTS_READ, Self::GRANTS_WRITE, Self::ASSETS_READ, Self::ASSETS_WRITE];

    /// The longest `scope` parameter, in bytes.
    pub const LONGEST_ASKED: usize = 2_000;

    /// The set of these tokens; what is no scope token is left out.
    #[must_use]
    pub fn of<'a>(tokens: impl IntoIterator<Item = &'a str>) -> Self {
        Self(tokens.into_iter().filter(|token| is_token(token)).map(str::to_owned).collect())
    }

    #[must_use]
    pub fn contains(&self, token: &str) -> bool {
        self.0.contains(token)
    }

    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).cloned().collect())
    }

    /// What is both in this set and among `known`.
    #[must_use]
    pub fn only(&self, known: &[&str]) -> Self {
        Self(self.0.iter().filter(|token| known.contains(&token.as_str())).cloned().collect())
    }

    /// What is in this set and not among `unwanted`.
    #[must_use]
    pub fn without(&self, unwanted: &[&str]) -> Self {
        Self(self.0.iter().filter(|token| !unwanted.contains(&token.as_str())).cloned().collect())
    }

    /// What is in both sets.
    #[must_use]
    pub fn common(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        if text.len() > LONGEST {
            return Err(ScopeError::TooLong);
        }
        let tokens: BTreeSet<String> = text.split(' ').filter(|token| !token.is_empty()).map(str::to_owned).collect();
        if tokens.iter().all(|token| is_token(token)) { Ok(Self(tokens)) } else { Err(ScopeError::Character) }
    }
}

// RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, token) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str(" ")?;
            }
            f.write_str(token)?;
        }
        Ok(())
    }
}

impl TryFrom<String> for Scope {
    type Error = ScopeError;

    fn try_from(text: String) -> Result<Self, ScopeError> {
        text.parse()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_repeats_do_not_matter() {
        let scope: Scope = "profile  openid openid".parse().unwrap();
        assert_eq!(scope.to_string(), "openid profile");
        assert_eq!(scope.only(&["openid", "email"]).to_string(), "openid");
        assert!("openid".parse::<Scope>().unwrap().is_subset(&scope));
        assert_eq!("a\"b".parse::<Scope>(), Err(ScopeError::Character));
        assert_eq!(Scope::of(["b", "a b", "", "a", "b"]).to_string(), "a b");
    }
}
