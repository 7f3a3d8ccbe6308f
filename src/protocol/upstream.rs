//! What providers elsewhere say when this server is their client (OpenID Connect Core, GitHub's OAuth): requests written, answers parsed.
//! Nothing of it is believed here; what it proves is for the policy.

pub mod apple;
pub mod discovery;
pub mod github;
pub mod id_token;
pub mod request;
pub mod token_response;

/// The longest answer of a provider that is read, in bytes: discovery documents have a few thousand.
pub const LONGEST_ANSWER: usize = 128 * 1024;
