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
/// How long the connecting may take: less than the patience, so that there is time for one of another thread.
const CONNECTING: Duration = Duration::from_secs(2);
/// So long after a connection was refused no other is tried while there are idle ones.
const REFUSED: Duration = Duration::from_secs(5);
/// An idle connection nobody needed for so long is closed.
const IDLE: Duration = Duration::from_mins(5);
/// A connection is replaced at this age, so that a server's memory for it, or an old address, does not stay for ever.
const AGE: Duration = Duration::from_mins(30);

/// A connection that a pool can lend.
pub(super) trait Lendable: Connection {
    /// Whether it is best used on the thread that opened it.
    const HAS_HOME: bool;
}

// The reactor that it was opened with hears when the database answers, and each thread that serves requests has one of its own: on another
// thread, it would have to wake the one that waits.
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
    held: Mutex<Held<C>>,
}

#[derive(Debug)]
struct Held<C> {
    idle: Vec<Idle<C>>,
    // When the server would have no more of them.
    refused: Option<Instant>,
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
        Self { shared: Arc::new(Shared { options, size, turns, held: Mutex::new(Held { idle: Vec::new(), refused: None }) }) }
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
        let idle = std::mem::take(&mut self.shared.held().idle);
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
        let refused = match timeout(CONNECTING, shared.options.connect()).await {
            Ok(Ok(conn)) => return Ok(Lease { conn, born: Instant::now(), home: thread::current().id(), shared, _turn: turn }),
            Ok(Err(refused)) => refused.into(),
            Err(_) => StoreError::Unavailable(format!("no connection was made within {} seconds", CONNECTING.as_secs())),
        };
        // There may be no room for one more; what is open may still be good.
        shared.held().refused = Some(Instant::now());
        while let Some(idle) = shared.pop() {
            if let Some(Idle { conn, born, home, .. }) = shared.living(idle).await {
                return Ok(Lease { conn, born, home, shared, _turn: turn });
            }
        }
        Err(refused)
    }
}

impl<C: Lendable> Shared<C> {
    fn held(&self) -> std::sync::MutexGuard<'_, Held<C>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.held().idle.clear();
        None
    }

    // The one that came back last: the rest may grow old and be closed. Where they have homes, one whose home is here; nothing, so that one
    // is opened here, while there may be more of them and none was refused a moment ago.
    fn pop(&self) -> Option<Idle<C>> {
        let mut held = self.held();
        if C::HAS_HOME {
            let here = thread::current().id();
            if let Some(at) = held.idle.iter().rposition(|one| one.home == here) {
                return Some(held.idle.remove(at));
            }
            // Everybody who has a turn, this piece of work too, has a connection or opens one.
            let lent = self.size.saturating_sub(self.turns.available_permits());
            let refused = held.refused.is_some_and(|when| when.elapsed() < REFUSED);
            if held.idle.len() + lent <= self.size && !refused {
                return None;
            }
        }
        held.idle.pop()
    }
}

impl<C: Lendable> Lease<C> {
    /// Ends the lease after `outcome`: the connection goes back to the pool, unless the outcome says that it is no good.
    pub(super) fn give_back<T>(self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        let Self { conn, born, home, shared, _turn } = self;
        let idle = &mut shared.held().idle;
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
