//! What is wrong with a request to one of our own APIs, and with which member of it (RFC 9457).

use std::borrow::Cow;

use super::error::{ErrorCode, OAuthError};

/// A problem, in words for the developer who reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub error: OAuthError,
    /// The member of the body, or the parameter, that is wrong.
    pub member: Option<&'static str>,
}

impl Problem {
    pub fn new(code: ErrorCode, words: impl Into<Cow<'static, str>>) -> Self {
        Self { error: OAuthError::new(code, words), member: None }
    }

    /// A member that cannot be taken as it is.
    pub fn of(member: &'static str, words: impl std::fmt::Display) -> Self {
        Self { error: OAuthError::new(ErrorCode::InvalidRequest, format!("{member}: {words}")), member: Some(member) }
    }

    /// The same problem, told of a member.
    #[must_use]
    pub fn at(self, member: &'static str) -> Self {
        Self { member: Some(member), ..self }
    }

    /// There is no such thing, or it is none of theirs: the two look alike.
    #[must_use]
    pub fn not_found(words: &'static str) -> Self {
        Self::new(ErrorCode::NotFound, words)
    }
}

impl From<OAuthError> for Problem {
    fn from(error: OAuthError) -> Self {
        Self { error, member: None }
    }
}
