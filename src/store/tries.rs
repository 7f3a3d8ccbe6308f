//! Tries that are counted for all replicas together. What was tried, and whose it is, is known by a keyed hash alone.

use std::time::Duration;

use sqlx::FromRow;

use super::dialect::{sql, write_one};
use super::{Store, StoreError};
use crate::domain::{Timestamp, TokenHash};

/// How often something was tried in its window, this time included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct Tries {
    pub tries: i64,
    /// When the window ends. It began with its first try.
    pub expires_at: Timestamp,
}

sql! {
    /// Of tries at once, each gets a number of its own. What is refused does not make the window longer.
    COUNT = "
        INSERT INTO try_count (key_hash, tries, expires_at) VALUES ($1, 1, $3)
        ON CONFLICT (key_hash) DO UPDATE
        SET tries = CASE WHEN try_count.expires_at <= $2 THEN 1 ELSE try_count.tries + 1 END,
            expires_at = CASE WHEN try_count.expires_at <= $2 THEN excluded.expires_at ELSE try_count.expires_at END
        RETURNING tries, expires_at";
}

impl Store {
    /// Counts one try in windows of that length.
    pub async fn count_try(&self, key: &TokenHash, window: Duration, now: Timestamp) -> Result<Tries, StoreError> {
        let (key, expires_at) = (*key, now.plus(window));
        let counted: Option<Tries> = write_one!(self, row(COUNT, key, now, expires_at))?;
        counted.ok_or_else(|| StoreError::Corrupt("a try was not counted".to_owned()))
    }
}
