//! SQLite's one writer: takes the writes that wait and commits them as a group.
//!
//! A commit with `synchronous=FULL` costs a wait for the disk. Whatever arrives during that wait shares the next one, so that many
//! writers pay for few waits. A job's answer is sent after the commit that holds it, never before. In comes a piece of work, out
//! goes its outcome; what the work writes is none of this file's affair.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::StoreError;
use super::dialect::{Conn, Work};

/// At most so many jobs share a commit: the first of them must not wait for an endless stream of others.
const GROUP: usize = 128;
/// At most so many jobs wait; then those who bring more wait themselves.
const QUEUE: usize = 1_024;

/// The way to the writer. Cheap to clone; when the last one is dropped, the writer stops.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Box<dyn Job>>,
    // Held by the writer's task while it lives; `close` waits for it.
    alive: Arc<tokio::sync::Mutex<()>>,
}

impl Writer {
    /// Starts the writer on an open connection; `options` serve to open another when that one is lost.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub(super) fn start(options: SqliteConnectOptions, conn: SqliteConnection) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let alive = Arc::new(tokio::sync::Mutex::new(()));
        let held = Arc::clone(&alive).try_lock_owned();
        // A thread of its own: between two statements it waits for the driver's thread, and no other task must be looked for meanwhile.
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        std::thread::Builder::new().name("writer".to_owned()).spawn(move || {
            let _held = held;
            runtime.block_on(Task { options, conn: Some(conn), queue }.run());
        })?;
        Ok(Self { jobs, alive })
    }

    /// One statement: it is atomic by itself.
    pub(super) async fn statement<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(Conn<'c>) -> Work<'c, T> + Send + 'static,
    {
        self.run(false, work).await
    }

    /// Several statements: all of them, or none when the work fails.
    pub(super) async fn transaction<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(Conn<'c>) -> Work<'c, T> + Send + 'static,
    {
        self.run(true, work).await
    }

    /// Takes no more jobs, finishes those that wait, and closes the connection.
    pub(super) async fn close(&self) {
        if self.jobs.send(Box::new(Stop)).await.is_ok() {
            self.jobs.closed().await;
        }
        drop(self.alive.lock().await);
    }

    async fn run<T, F>(&self, savepoint: bool, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(Conn<'c>) -> Work<'c, T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Write { work: Some(work), savepoint, outcome: None, reply };
        let gone = || StoreError::Unavailable("the store is closed".to_owned());
        self.jobs.send(Box::new(job)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// How the group fares after a job.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    /// The job did what it could; the group goes on.
    GoOn,
    /// The database failed under the job; nothing of the group can be kept.
    GiveUp,
}

trait Job: Send {
    fn run<'j>(&'j mut self, conn: &'j mut SqliteConnection) -> BoxFuture<'j, After>;
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
    /// Whether it is no job at all, but the wish to end.
    fn stops(&self) -> bool {
        false
    }
}

struct Write<T, F> {
    work: Option<F>,
    savepoint: bool,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Write<T, F>
where
    T: Send + 'static,
    F: for<'c> FnOnce(Conn<'c>) -> Work<'c, T> + Send + 'static,
{
    fn run<'j>(&'j mut self, conn: &'j mut SqliteConnection) -> BoxFuture<'j, After> {
        Box::pin(async move {
            // Nobody waits any more: the request was given up before its turn came.
            let Some(work) = self.work.take().filter(|_| !self.reply.is_closed()) else { return After::GoOn };
            let outcome = if self.savepoint { in_savepoint(conn, work).await } else { caught(Conn::Sqlite(conn), work).await };
            let after = if matches!(outcome, Err(StoreError::Unavailable(_))) { After::GiveUp } else { After::GoOn };
            self.outcome = Some(outcome);
            after
        })
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let outcome = match (committed, self.outcome) {
            (Ok(()), Some(outcome)) => outcome,
            // A refusal stays one whatever became of the group: it wrote nothing.
            (Err(_), Some(Err(refused))) => Err(refused),
            (Err(error), _) => Err(error),
            (Ok(()), None) => Err(StoreError::Unavailable("the write was not begun".to_owned())),
        };
        // Nobody is there to hear it when the request was given up meanwhile.
        let _ = self.reply.send(outcome);
    }
}

struct Stop;

impl Job for Stop {
    fn run<'j>(&'j mut self, _: &'j mut SqliteConnection) -> BoxFuture<'j, After> {
        Box::pin(std::future::ready(After::GoOn))
    }

    fn answer(self: Box<Self>, _: Result<(), StoreError>) {}

    fn stops(&self) -> bool {
        true
    }
}

struct Task {
    options: SqliteConnectOptions,
    conn: Option<SqliteConnection>,
    queue: mpsc::Receiver<Box<dyn Job>>,
}

impl Task {
    async fn run(mut self) {
        while let Some(first) = self.queue.recv().await {
            let mut group = vec![first];
            let committed = self.commit(&mut group).await;
            for job in group {
                if job.stops() {
                    self.queue.close();
                }
                job.answer(committed.clone());
            }
        }
        if let Some(conn) = self.conn.take()
            && let Err(error) = conn.close().await
        {
            tracing::warn!(%error, "the database file did not close cleanly");
        }
    }

    // Runs the first job and what else waits in one transaction; every job taken ends up in `group`.
    async fn commit(&mut self, group: &mut Vec<Box<dyn Job>>) -> Result<(), StoreError> {
        let mut conn = match self.begin().await {
            Ok(conn) => conn,
            Err(error) => {
                // Those who came meanwhile waited as long: they must not wait once more, one after the other.
                while let Ok(job) = self.queue.try_recv() {
                    group.push(job);
                }
                return Err(error);
            }
        };
        let mut kept = Ok(());
        let mut next = group.pop();
        while let Some(mut job) = next.take() {
            let after = job.run(&mut conn).await;
            group.push(job);
            match after {
                After::GoOn if group.len() < GROUP => next = self.queue.try_recv().ok(),
                After::GoOn => {}
                After::GiveUp => kept = Err(StoreError::Unavailable("the database failed while writing".to_owned())),
            }
        }
        if kept.is_ok() {
            kept = prepared(&mut conn, "COMMIT").await.map_err(failed);
        }
        if kept.is_ok() || rolled_back(&mut conn).await {
            self.conn = Some(conn);
        }
        kept
    }

    // A connection inside a transaction that holds the file's only write lock.
    async fn begin(&mut self) -> Result<SqliteConnection, StoreError> {
        let mut conn = match self.conn.take() {
            Some(conn) => conn,
            None => self.options.connect().await?,
        };
        match prepared(&mut conn, "BEGIN IMMEDIATE").await {
            Ok(()) => Ok(conn),
            Err(error) => {
                if rolled_back(&mut conn).await {
                    self.conn = Some(conn);
                }
                Err(failed(error))
            }
        }
    }
}

// Parsed once for each connection; a text that is executed as it is would be parsed each time.
async fn prepared(conn: &mut SqliteConnection, text: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(text).execute(conn).await.map(drop)
}

// What goes wrong with the transaction itself is never about the tables.
fn failed(error: sqlx::Error) -> StoreError {
    match StoreError::from(error) {
        StoreError::Schema(words) => StoreError::Unavailable(words),
        other => other,
    }
}

// Whether the connection is outside of any transaction now. After some errors SQLite has rolled back by itself, and says so.
async fn rolled_back(conn: &mut SqliteConnection) -> bool {
    match conn.execute("ROLLBACK").await {
        Ok(_) => true,
        Err(sqlx::Error::Database(error)) => error.message().contains("no transaction is active"),
        Err(_) => false,
    }
}

async fn in_savepoint<T, F>(conn: &mut SqliteConnection, work: F) -> Result<T, StoreError>
where
    F: for<'c> FnOnce(Conn<'c>) -> Work<'c, T>,
{
    prepared(conn, "SAVEPOINT job").await.map_err(failed)?;
    let outcome = caught(Conn::Sqlite(&mut *conn), work).await;
    if outcome.is_err() {
        prepared(conn, "ROLLBACK TO job").await.map_err(failed)?;
    }
    prepared(conn, "RELEASE job").await.map_err(failed)?;
    outcome
}

// A panic is the fault of one job's code (a row that it did not expect): it ends the job, not the writer.
async fn caught<'c, T, F>(conn: Conn<'c>, work: F) -> Result<T, StoreError>
where
    F: FnOnce(Conn<'c>) -> Work<'c, T>,
{
    let guarded = AssertUnwindSafe(async move { work(conn).await }).catch_unwind();
    guarded.await.unwrap_or_else(|_| {
        tracing::error!("a write to the database panicked");
        Err(StoreError::Corrupt("the write panicked".to_owned()))
    })
}

#[cfg(test)]
mod tests;
