//! Whether the database answers, told once when it stops and once when it is back.

use std::sync::atomic::{AtomicBool, Ordering};

use super::StoreError;

/// The last thing known of the database.
#[derive(Debug, Default)]
pub(super) struct Health {
    down: AtomicBool,
}

impl Health {
    /// Takes note of an outcome and hands it on. An outage fills the log with one line, not with one for each request.
    pub(super) fn note<T>(&self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        match &outcome {
            Err(StoreError::Unavailable(words)) => {
                if !self.down.swap(true, Ordering::Relaxed) {
                    tracing::error!(reason = %words, "the database is not available; requests that need it are answered with 503");
                }
            }
            // A refused or unreadable row came from a database that answers.
            _ => {
                if self.down.load(Ordering::Relaxed) && self.down.swap(false, Ordering::Relaxed) {
                    tracing::info!("the database is back again");
                }
            }
        }
        outcome
    }
}
