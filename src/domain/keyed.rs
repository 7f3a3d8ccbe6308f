//! What follows from the server's own secret: keys for one use each, and hashes of what could be guessed.

use aws_lc_rs::hmac;

use super::{Secret, TokenHash};

// The server's secret makes many things; each use here is one of its own.
pub(super) fn derived(key: &[u8; 32], what: &[u8]) -> hmac::Key {
    let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), what);
    hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref())
}

// A number that follows from a text, as large as 128 bits.
pub(super) fn number(key: &hmac::Key, of: &[u8]) -> u128 {
    hmac::sign(key, of).as_ref().iter().take(16).fold(0_u128, |number, byte| number << 8 | u128::from(*byte))
}

impl TokenHash {
    /// The hash of a text that could be guessed, like a short code or an address: by the server's own secret, so that whoever has the
    /// database cannot try them all. The same text is another hash for another use (`what`).
    #[must_use]
    pub fn keyed(key: &[u8; 32], what: &str, text: &[u8]) -> Self {
        Secret::from_bytes(hmac::sign(&derived(key, what.as_bytes()), text).as_ref()).hash()
    }
}
