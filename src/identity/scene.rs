//! What all parts of one request share: the store, who reads, the moment, and how much may still be read.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::web::Data;
use async_graphql::{Context, Error, ErrorExtensions as _, Result};
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

use super::viewer::Viewer;
use crate::domain::Timestamp;
use crate::state::State;
use crate::store::{Store, StoreError};
use crate::web::fault::Fault;

/// How many statements one request may come to. What is asked of a whole page is one, so a query has to try to get there.
const MOST_STATEMENTS: u32 = 100;
/// A count reads all that it counts, a filter what it leaves out too: each weighs as many statements.
pub(super) const COUNT: u32 = 10;

#[derive(Debug)]
pub(super) struct Scene {
    pub(super) state: Data<State>,
    pub(super) viewer: Viewer,
    pub(super) now: Timestamp,
    left: AtomicU32,
    // One at a time: a request never has more than one of the store's connections.
    turn: Semaphore,
    fault: Mutex<Option<Fault>>,
}

impl Scene {
    pub(super) const fn new(state: Data<State>, viewer: Viewer, now: Timestamp) -> Self {
        Self { state, viewer, now, left: AtomicU32::new(MOST_STATEMENTS), turn: Semaphore::const_new(1), fault: Mutex::new(None) }
    }

    /// The scene of the request that is being answered.
    pub(super) fn of<'c>(ctx: &Context<'c>) -> Result<&'c Arc<Self>> {
        ctx.data::<Arc<Self>>()
    }

    pub(super) fn store(&self) -> &Store {
        &self.state.store
    }

    /// Reads from the store, for as many statements as it weighs.
    pub(super) fn read<'s, T: 's>(
        &'s self,
        weight: u32,
        reading: impl Future<Output = Result<T, StoreError>> + Send + 's,
    ) -> BoxFuture<'s, Result<T>> {
        let reading = Box::pin(reading);
        Box::pin(async move {
            let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(weight));
            if taken.is_err() {
                return Err(coded("the query asks for too much at once", "TOO_COMPLEX"));
            }
            let _turn = self.turn.acquire().await;
            reading.await.map_err(|error| {
                *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.into());
                coded("the server cannot answer", "INTERNAL_SERVER_ERROR")
            })
        })
    }

    /// What went wrong on our side; the whole answer is that then.
    pub(super) fn take_fault(&self) -> Option<Fault> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

pub(super) fn not_found(what: &str) -> Error {
    coded(&format!("no {what} found"), "NOT_FOUND")
}

pub(super) fn bad_input(words: &str) -> Error {
    coded(words, "BAD_USER_INPUT")
}

fn coded(words: &str, code: &'static str) -> Error {
    Error::new(words).extend_with(|_, extensions| extensions.set("code", code))
}
