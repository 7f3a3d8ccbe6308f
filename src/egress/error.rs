//! Why nothing was fetched, in words for whoever named the address.

use std::error::Error;

/// Why a fetch gave nothing. The words never hold an address that a name resolved to: whoever chose the name would learn of our network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// The address is not one to fetch from; trying again will not help.
    #[error("{0}")]
    Forbidden(String),
    /// No answer in time, or none at all; it may come another time.
    #[error("{0}")]
    Unreachable(String),
    /// The answer is longer than this many bytes.
    #[error("the answer is longer than {0} bytes")]
    TooLarge(usize),
    /// The answer is not a 200.
    #[error("the answer is {0}, not 200")]
    Status(u16),
    /// The client cannot be made; for the operator, at the start.
    #[error("{0}")]
    Setup(String),
}

impl EgressError {
    /// Whether the same fetch may do better another time: an outage, or a status that says as much (RFC 9110 §15.6, §15.5.9, RFC 6585 §4).
    #[must_use]
    pub const fn may_be_retried(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Status(status) => *status >= 500 || matches!(*status, 408 | 429),
            Self::Forbidden(_) | Self::TooLarge(_) | Self::Setup(_) => false,
        }
    }
}

/// A name led to an address that may not be spoken to: what the resolver says, found again in the client's error.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not at a public address")]
pub(super) struct NotPublic(pub(super) String);

impl From<reqwest::Error> for EgressError {
    fn from(error: reqwest::Error) -> Self {
        // The innermost cause says it best: "connection refused" rather than "error sending request".
        let mut cause: &dyn Error = &error;
        loop {
            if let Some(refused) = cause.downcast_ref::<NotPublic>() {
                return Self::Forbidden(refused.to_string());
            }
            let Some(deeper) = cause.source() else { break };
            cause = deeper;
        }
        Self::Unreachable(cause.to_string())
    }
}
