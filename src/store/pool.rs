//! A pool of connections: lends one for a piece of work, at most so many at a time.
//!
//! The driver's own pool asks the server for a sign of life each time a connection comes back, which doubles the round trips;
//! this one asks only for a connection that has been idle for a while, forgets all idle ones when one turns out dead,
//! and takes a connection back only when it is known to be clean.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use sqlx::{ConnectOptions, Connection, PgConnection, SqliteConnection};
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

/// A connection that a pool can lend.
pub(super) trait Lendable: Connection {
    /// Whether it is best used on the thread that opened it.
    const HAS_HOME: bool;
}

// The reactor of the thread that opened it hears when the database answers: elsewhere, that thread would have to wake the one that waits.
impl Lendable for PgConnection {
    const HAS_HOME: bool = true;
}

// Its work is done by a thread of its own anyway.
impl Lendable for SqliteConnection {
    const HAS_HOME: bool = false;
}

#[derive(Debug)]
pub(super) struct Pool<C: Lendable> {
    shared: Arc<Shared<C>>,
}

#[derive(Debug)]
struct Shared<C: Lendable> {
    options: C::Options,
    size: usize,
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
pub(super) struct Lease<C: Lendable> {
    conn: C,
    born: Instant,
    home: ThreadId,
    shared: Arc<Shared<C>>,
    _turn: OwnedSemaphorePermit,
}

impl<C: Lendable> Pool<C> {
    pub(super) fn new(options: C::Options, size: u32) -> Self {
        let size = usize::try_from(size.max(1)).unwrap_or(1);
        let turns = Arc::new(Semaphore::new(size));
        Self { shared: Arc::new(Shared { options, size, turns, idle: Mutex::new(Vec::new()) }) }
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
        while let Some(idle) = shared.pop() {
            if let Some(Idle { conn, born, home, .. }) = shared.living(idle).await {
                return Ok(Lease { conn, born, home, shared, _turn: turn });
            }
        }
        match shared.options.connect().await {
            Ok(conn) => Ok(Lease { conn, born: Instant::now(), home: thread::current().id(), shared, _turn: turn }),
            Err(refused) => {
                // The server may have no room for one more.
                let Some(idle) = shared.any() else { return Err(refused.into()) };
                let Idle { conn, born, home, .. } = shared.living(idle).await.ok_or(refused)?;
                Ok(Lease { conn, born, home, shared, _turn: turn })
            }
        }
    }
}

impl<C: Lendable> Shared<C> {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Idle<C>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn any(&self) -> Option<Idle<C>> {
        self.idle().pop()
    }

    // An idle connection, if it is to be used again: it is young, and alive.
    async fn living(&self, mut idle: Idle<C>) -> Option<Idle<C>> {
        if idle.born.elapsed() > AGE {
            return None;
        }
        if idle.since.elapsed() < FRESH || matches!(timeout(SIGN, idle.conn.ping()).await, Ok(Ok(()))) {
            return Some(idle);
        }
        // It died while nobody looked, and so, most likely, did the others.
        self.idle().clear();
        None
    }

    // The one that came back last: the rest may grow old and be closed. Where they have homes, one whose home is here; nothing, so that one
    // is opened here, while there may be more of them or one of the others has long been idle.
    fn pop(&self) -> Option<Idle<C>> {
        let mut idle = self.idle();
        if !C::HAS_HOME {
            return idle.pop();
        }
        let here = thread::current().id();
        if let Some(at) = idle.iter().rposition(|one| one.home == here) {
            return Some(idle.remove(at));
        }
        // Everybody who has a turn, this piece of work too, has a connection or opens one.
        let lent = self.size.saturating_sub(self.turns.available_permits());
        if idle.len() + lent <= self.size {
            return None;
        }
        match idle.iter().position(|one| one.since.elapsed() > FRESH) {
            Some(at) => {
                idle.remove(at);
                None
            }
            None => idle.pop(),
        }
    }
}

impl<C: Lendable> Lease<C> {
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

impl<C: Lendable> Deref for Lease<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.conn
    }
}

impl<C: Lendable> DerefMut for Lease<C> {
    fn deref_mut(&mut self) -> &mut C {
        &mut self.conn
    }
}
