//! A pool of connections: lends one for a piece of work, at most so many at a time.
//!
//! The driver's own pool asks the server for a sign of life each time a connection comes back, which doubles the round trips;
//! this one asks only for a connection that has been idle for a while, forgets all idle ones when one turns out dead,
//! and takes a connection back only when it is known to be clean.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use sqlx::{ConnectOptions, Connection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use super::StoreError;

/// How long a piece of work waits for a connection: its turn, and the connecting, together.
const PATIENCE: Duration = Duration::from_secs(3);
/// A connection that was idle for longer is asked for a sign of life before it is lent.
const FRESH: Duration = Duration::from_secs(1);
/// How long that sign of life may take.
const SIGN: Duration = Duration::from_secs(1);
/// An idle connection nobody needed for so long is closed.
const IDLE: Duration = Duration::from_mins(5);
/// A connection is replaced at this age, so that a server's memory for it, or an old address, does not stay for ever.
const AGE: Duration = Duration::from_mins(30);

#[derive(Debug)]
pub(super) struct Pool<C: Connection> {
    shared: Arc<Shared<C>>,
}

#[derive(Debug)]
struct Shared<C: Connection> {
    options: C::Options,
    turns: Arc<Semaphore>,
    idle: Mutex<Vec<Idle<C>>>,
}

#[derive(Debug)]
struct Idle<C> {
    conn: C,
    born: Instant,
    since: Instant,
    home: ThreadId,
}

/// A lent connection. Dropped without [`Lease::give_back`], it is closed: its work may have stopped halfway.
#[derive(Debug)]
pub(super) struct Lease<C: Connection> {
    conn: C,
    born: Instant,
    home: ThreadId,
    shared: Arc<Shared<C>>,
    _turn: OwnedSemaphorePermit,
}

impl<C: Connection> Pool<C> {
    pub(super) fn new(options: C::Options, size: u32) -> Self {
        let turns = Arc::new(Semaphore::new(usize::try_from(size.max(1)).unwrap_or(1)));
        Self { shared: Arc::new(Shared { options, turns, idle: Mutex::new(Vec::new()) }) }
    }

    pub(super) async fn lease(&self) -> Result<Lease<C>, StoreError> {
        let until = Instant::now() + PATIENCE;
        match timeout_at(until, self.take()).await {
            Ok(lease) => lease,
            Err(_) => Err(StoreError::Unavailable(format!("no connection was to be had within {} seconds", PATIENCE.as_secs()))),
        }
    }

    /// Lends no more connections, and closes those that are idle.
    pub(super) async fn close(&self) {
        self.shared.turns.close();
        let idle = std::mem::take(&mut *self.shared.idle());
        for Idle { conn, .. } in idle {
            if let Err(error) = conn.close().await {
                tracing::debug!(%error, "a database connection did not close cleanly");
            }
        }
    }

    async fn take(&self) -> Result<Lease<C>, StoreError> {
        let shared = Arc::clone(&self.shared);
        let closed = |_| StoreError::Unavailable("the store is closed".to_owned());
        let turn = Arc::clone(&shared.turns).acquire_owned().await.map_err(closed)?;
        while let Some(Idle { mut conn, born, since, home }) = shared.pop() {
            if born.elapsed() > AGE {
                continue;
            }
            if since.elapsed() < FRESH || matches!(timeout(SIGN, conn.ping()).await, Ok(Ok(()))) {
                return Ok(Lease { conn, born, home, shared, _turn: turn });
            }
            // It died while nobody looked, and so, most likely, did the others.
            shared.idle().clear();
        }
        let conn = shared.options.connect().await?;
        Ok(Lease { conn, born: Instant::now(), home: thread::current().id(), shared, _turn: turn })
    }
}

impl<C: Connection> Shared<C> {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Idle<C>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // The one that came back last: the rest may grow old and be closed. Better still one that was opened on this thread, whose reactor
    // hears when the database answers: no other thread is to be woken then.
    fn pop(&self) -> Option<Idle<C>> {
        let mut idle = self.idle();
        let here = thread::current().id();
        match idle.iter().rposition(|one| one.home == here) {
            Some(at) => Some(idle.remove(at)),
            None => idle.pop(),
        }
    }
}

impl<C: Connection> Lease<C> {
    /// Ends the lease after `outcome`: the connection goes back to the pool, unless the outcome says that it is no good.
    pub(super) fn give_back<T>(self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        let Self { conn, born, home, shared, _turn } = self;
        let mut idle = shared.idle();
        if matches!(outcome, Err(StoreError::Unavailable(_))) {
            idle.clear();
        } else if !shared.turns.is_closed() {
            if idle.first().is_some_and(|oldest| oldest.since.elapsed() > IDLE) {
                idle.remove(0);
            }
            idle.push(Idle { conn, born, since: Instant::now(), home });
        }
        outcome
    }
}

impl<C: Connection> Deref for Lease<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.conn
    }
}

impl<C: Connection> DerefMut for Lease<C> {
    fn deref_mut(&mut self) -> &mut C {
        &mut self.conn
    }
}
