//! Chance, passed in: the system's generator, or a seeded one whose values a test can foresee.

use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use super::{Secret, Timestamp};

/// Where random bytes come from.
#[derive(Clone, Default)]
pub enum Entropy {
    /// The operating system's generator; the only one that `serve` and `dev` ever use.
    #[default]
    System,
    /// Reproducible, for tests; clones share one stream.
    Seeded(Arc<Mutex<StdRng>>),
}

impl Entropy {
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// `N` random bytes.
    ///
    /// # Panics
    /// When the operating system has no randomness to give: nothing can be done safely without it.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match self {
            #[expect(clippy::expect_used, reason = "a server without randomness must stop, not go on")]
            Self::System => aws_lc_rs::rand::fill(&mut bytes).expect("the operating system gives random bytes"),
            Self::Seeded(stream) => {
                stream.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
            }
        }
        bytes
    }

    /// A secret of 256 bits: a code, a cookie, a token, a client secret.
    #[must_use]
    pub fn secret(&self) -> Secret {
        Secret::from_bytes(&self.bytes::<32>())
    }

    /// A secret of 256 bits that says when it was drawn, so that many of them are quickly stored and found (see [`TokenHash::of`]).
    ///
    /// [`TokenHash::of`]: super::TokenHash::of
    #[must_use]
    pub fn secret_at(&self, now: Timestamp) -> Secret {
        Secret::of_moment(millis(now), &self.bytes())
    }

    /// A UUID of version 7 (RFC 9562 §5.7): its order follows `now`, so that an index grows at one end.
    #[must_use]
    pub fn uuid(&self, now: Timestamp) -> Uuid {
        uuid::Builder::from_unix_timestamp_millis(millis(now), &self.bytes()).into_uuid()
    }
}

fn millis(now: Timestamp) -> u64 {
    u64::try_from(now.micros().div_euclid(1_000)).unwrap_or(0)
}

impl std::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::System => "Entropy::System",
            Self::Seeded(_) => "Entropy::Seeded",
        })
    }
}
