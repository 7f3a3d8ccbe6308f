//! The keys room: the only place that signs, and that says whether a token is one of ours.
//!
//! In come claims and tokens, out go compact JWSs, verified claims and the published key set. Private keys are sealed at rest,
//! parsed once, and never leave. One table ([`TokenKind`]) says what each kind of token must carry: every check
//! goes through it, and every mint in a build with debug assertions, which is what the tests are run with. It knows nothing of HTTP.

mod claims;
mod client_keys;
mod info;
mod jwk;
mod key;
mod key_set;
mod kinds;
mod provider_key;
mod record;
mod ring;
mod rotation;
mod sealing;
mod token;

pub use claims::VerifiedClaims;
pub use client_keys::{ClientKeys, KeySetError, NotTheirs};
pub use info::{KeyInfo, RotatedKey};
pub use key_set::Jwks;
pub use kinds::TokenKind;
pub use provider_key::ProviderKey;
pub use ring::{KeySettings, Keyring};
pub use rotation::KeyState;
pub use sealing::SealingKey;
pub use token::{TokenRefusal, UnverifiedToken};

use std::path::PathBuf;

use crate::domain::SigningAlg;
use crate::store::StoreError;

/// Why keys cannot be had or used. Each is a sentence for the operator; none holds key material.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("the sealing key is 32 bytes in base64url or hexadecimal (43 or 64 characters)")]
    MalformedSealingKey,
    #[error("the sealing key file {} holds no key: it should have 32 bytes in base64url or hexadecimal (43 or 64 characters)", .0.display())]
    MalformedSealingKeyFile(PathBuf),
    #[error("the sealing key file {0} can be used by others than its owner (mode {mode:04o}): run `chmod 600 {0}`", path.display())]
    LooseSealingKeyFile { path: PathBuf, mode: u32 },
    #[error("the sealing key file {} is missing: restore it; this database was sealed with it", .0.display())]
    LostSealingKeyFile(PathBuf),
    #[error("the sealing key file {} cannot be used: {reason}", path.display())]
    SealingKeyFile { path: PathBuf, reason: std::io::Error },
    /// What was sealed does not open.
    #[error(
        "the sealing key does not open {what} in the database: it was sealed with another key. \
         Start with the sealing key that this database was first used with"
    )]
    WrongSealingKey { what: String },
    #[error("{what} in the database is damaged: {why}")]
    Damaged { what: String, why: &'static str },
    #[error("there is no {0} key to sign with now")]
    NoActiveKey(SigningAlg),
    /// A mistake of ours: the table demands a claim that the mint left out or wrote wrongly.
    #[error("a token without a right `{0}` was to be signed")]
    Claims(&'static str),
    #[error("the cryptographic library failed to {0}")]
    Crypto(&'static str),
    #[error(transparent)]
    Store(#[from] StoreError),
}
