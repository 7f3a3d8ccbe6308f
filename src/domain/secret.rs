//! Secrets that do not show themselves, and the only form of them that the store accepts.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

/// A secret text: redacted in `Debug`, wiped when dropped, never `Display`ed.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// Random bytes as base64url without padding.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self::new(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The text itself. Call it where the secret leaves for its holder, nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(self.expose())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The SHA-256 of a secret that has 256 random bits (or at least 32 characters): what the store keeps in its place.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of a secret as its holder presents it.
    #[must_use]
    pub fn of(presented: &str) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, presented.as_bytes()).as_ref());
        Self(bytes)
    }

    /// A hash as it was stored; `None` when it has not 32 bytes.
    #[must_use]
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether `presented` is the secret behind this hash, compared in constant time.
    #[must_use]
    pub fn matches(&self, presented: &str) -> bool {
        verify_slices_are_equal(&self.0, &Self::of(presented).0).is_ok()
    }
}

impl std::fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints_itself() {
        let secret = Secret::new("hunter2-hunter2");
        assert_eq!(format!("{secret:?} {:?}", secret.hash()), "Secret(…) TokenHash(…)");
    }

    #[test]
    fn a_hash_matches_its_secret_alone() {
        let hash = Secret::new("a").hash();
        assert!(hash.matches("a"));
        assert!(!hash.matches("b"));
        assert_eq!(TokenHash::from_stored(hash.as_bytes()), Some(hash));
        assert_eq!(TokenHash::from_stored(b"short"), None);
    }
}
