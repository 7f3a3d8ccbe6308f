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

    /// Random bytes behind the moment at which they were drawn, in milliseconds since 1970.
    #[must_use]
    pub(super) fn of_moment(millis: u64, bytes: &[u8; 32]) -> Self {
        let [_, _, moment @ ..] = millis.to_be_bytes();
        Self::new(format!("{}.{}", URL_SAFE_NO_PAD.encode(moment), URL_SAFE_NO_PAD.encode(bytes)))
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
    /// The hash of a secret as its holder presents it. Of one that says when it was drawn, the first six bytes are that moment in place of
    /// the hash's own: what is stored one after the other lies side by side, and an index of hashes grows at its end. The 208 bits that
    /// are left of the hash are more than anybody can search.
    #[must_use]
    pub fn of(presented: &str) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, presented.as_bytes()).as_ref());
        if let Some(moment) = moment_of(presented) {
            bytes[..6].copy_from_slice(&moment);
        }
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

// What stands before the last dot, if it has the length of a moment and the rest has that of 256 bits.
fn moment_of(presented: &str) -> Option<[u8; 6]> {
    let (head, random) = presented.rsplit_once('.')?;
    let moment = head.rsplit_once('.').map_or(head, |(_, moment)| moment);
    if (moment.len(), random.len()) != (8, 43) {
        return None;
    }
    let mut bytes = [0; 6];
    let decoded = URL_SAFE_NO_PAD.decode_slice(moment, &mut bytes).ok()?;
    (decoded == bytes.len()).then_some(bytes)
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
    fn hashes_of_secrets_with_a_moment_are_in_its_order() {
        let of = |millis, byte| Secret::of_moment(millis, &[byte; 32]);
        let hashes: Vec<_> =
            [(1, 9), (2, 3), (255, 200), (256, 0), (1_790_000_000_000, 7)].map(|(millis, byte)| of(millis, byte).hash()).into();
        assert!(hashes.is_sorted_by_key(TokenHash::as_bytes));
        let text = of(5, 1);
        assert_eq!(text.expose().len(), 52);
        for changed in [of(5, 2), of(6, 1), Secret::new(format!("r.{}", text.expose())), Secret::new(text.expose().to_lowercase())] {
            assert!(!text.hash().matches(changed.expose()), "{changed:?}");
        }
        assert_eq!(Secret::new(format!("r.{}", text.expose())).hash().as_bytes()[..6], [0, 0, 0, 0, 0, 5]);
        for plain in
            ["AAAAAAAA", "AAAAAAA!.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "é.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "."]
        {
            assert_eq!(TokenHash::of(plain).as_bytes(), digest(&SHA256, plain.as_bytes()).as_ref(), "{plain}");
        }
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
