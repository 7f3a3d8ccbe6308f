//! SQLite's one writer: takes the writes that wait and commits them as a group.
//!
//! A commit with `synchronous=FULL` costs a wait for the disk. Whatever arrives during that wait shares the next one, so that many
//! writers pay for few waits. A job's answer is sent after the commit that holds it, never before. In comes a piece of work, out
//! goes its outcome; what the work writes is none of this file's affair.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::StoreError;
use super::dialect::{Conn, Work};
use single::{Answer, Binds, Single, Texts};

pub(super) mod single;

/// At most so many jobs share a commit: the first of them must not wait for an endless stream of others.
const GROUP: usize = 128;
/// At most so many jobs wait to be looked at; then those who bring more wait themselves.
const QUEUE: usize = 1_024;

/// The way to the writer. Cheap to clone; when the last one is dropped, the writer stops.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
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
            runtime.block_on(Task { options, conn: Some(conn), queue, waiting: VecDeque::new(), texts: Texts::default() }.run());
        })?;
        Ok(Self { jobs, alive })
    }

    /// One statement with its parameters: it is atomic by itself, and may be told to the database together with others like it.
    pub(super) async fn single(&self, text: &'static str, binds: impl Binds) -> Result<Answer, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Single(Single { text, binds: Box::new(binds), outcome: None, reply }), answer).await
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
        if self.jobs.send(Job::Stop).await.is_ok() {
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
        self.send(Job::Write(Box::new(Write { work: Some(work), savepoint, outcome: None, reply })), answer).await
    }

    async fn send<T>(&self, job: Job, answer: oneshot::Receiver<Result<T, StoreError>>) -> Result<T, StoreError> {
        let gone = || StoreError::Unavailable("the store is closed".to_owned());
        self.jobs.send(job).await.map_err(|_| gone())?;
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

enum Job {
    /// Work that is not known from outside.
    Write(Box<dyn Run>),
    /// One statement that can be told together with others like it.
    Single(Single),
    /// No job at all, but the wish to end.
    Stop,
}

impl Job {
    fn answer(self, committed: Result<(), StoreError>) {
        match self {
            Self::Write(write) => write.answer(committed),
            Self::Single(single) => reply(single.reply, single.outcome, committed),
            Self::Stop => {}
        }
    }
}

trait Run: Send {
    fn run<'j>(&'j mut self, conn: &'j mut SqliteConnection) -> BoxFuture<'j, After>;
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Write<T, F> {
    work: Option<F>,
    savepoint: bool,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Run for Write<T, F>
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
        reply(self.reply, self.outcome, committed);
    }
}

// Tells who waits what came of the job, now that it is known what came of its group.
fn reply<T>(to: oneshot::Sender<Result<T, StoreError>>, outcome: Option<Result<T, StoreError>>, committed: Result<(), StoreError>) {
    let outcome = match (committed, outcome) {
        (Ok(()), Some(outcome)) => outcome,
        // A refusal stays one whatever became of the group: it wrote nothing.
        (Err(_), Some(Err(refused))) => Err(refused),
        (Err(error), _) => Err(error),
        (Ok(()), None) => Err(StoreError::Unavailable("the write was not begun".to_owned())),
    };
    // Nobody is there to hear it when the request was given up meanwhile.
    let _ = to.send(outcome);
}

struct Task {
    options: SqliteConnectOptions,
    conn: Option<SqliteConnection>,
    queue: mpsc::Receiver<Job>,
    /// Taken from the queue and not run yet.
    waiting: VecDeque<Job>,
    texts: Texts,
}

impl Task {
    async fn run(mut self) {
        loop {
            if self.waiting.is_empty() {
                match self.queue.recv().await {
                    Some(first) => self.waiting.push_back(first),
                    None => break,
                }
            }
            let mut group = Vec::new();
            let committed = self.commit(&mut group).await;
            for job in group {
                if matches!(job, Job::Stop) {
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

    // Takes what waits, as long as the group has room for it.
    fn look(&mut self, room: usize) {
        while self.waiting.len() < room
            && let Ok(job) = self.queue.try_recv()
        {
            self.waiting.push_back(job);
        }
    }

    // Runs what waits in one transaction; every job whose answer is known with it ends up in `group`.
    async fn commit(&mut self, group: &mut Vec<Job>) -> Result<(), StoreError> {
        let mut conn = match self.begin().await {
            Ok(conn) => conn,
            Err(error) => {
                // Those who came meanwhile waited as long: they must not wait once more, one after the other.
                self.look(usize::MAX);
                group.extend(self.waiting.drain(..));
                return Err(error);
            }
        };
        let mut kept = Ok(());
        self.look(GROUP);
        while kept.is_ok()
            && let Some(next) = self.waiting.pop_front()
        {
            let after = match next {
                Job::Single(first) => {
                    let mut alike = self.alike(first);
                    let after = single::run(&mut conn, &mut self.texts, &mut alike).await;
                    let (run, not_run): (Vec<_>, Vec<_>) = alike.into_iter().partition(|single| single.outcome.is_some());
                    group.extend(run.into_iter().map(Job::Single));
                    match after {
                        After::GoOn => group.extend(not_run.into_iter().map(Job::Single)),
                        // Their turn is in the next transaction.
                        After::GiveUp => not_run.into_iter().rev().for_each(|single| self.waiting.push_front(Job::Single(single))),
                    }
                    after
                }
                Job::Write(mut write) => {
                    let after = write.run(&mut conn).await;
                    group.push(Job::Write(write));
                    after
                }
                Job::Stop => {
                    group.push(Job::Stop);
                    After::GoOn
                }
            };
            if after == After::GiveUp {
                kept = Err(StoreError::Unavailable("the database failed while writing".to_owned()));
            }
            self.look(GROUP.saturating_sub(group.len()));
        }
        if kept.is_ok() {
            kept = prepared(&mut conn, "COMMIT").await.map_err(failed);
        }
        if kept.is_ok() || rolled_back(&mut conn).await {
            self.conn = Some(conn);
        }
        kept
    }

    // The statement and all that wait and are like it; not those whose request was given up before its turn came.
    fn alike(&mut self, first: Single) -> Vec<Single> {
        let mut alike = vec![first];
        for job in std::mem::take(&mut self.waiting) {
            match job {
                Job::Single(single) if single.is_like(&alike[0]) => alike.push(single),
                other => self.waiting.push_back(other),
            }
        }
        alike.retain(|single| !single.reply.is_closed());
        alike
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

// What goes wrong with the transaction itself is about no table, and no rule that one of its statements broke.
fn failed(error: sqlx::Error) -> StoreError {
    match StoreError::from(error) {
        StoreError::Schema(words) => StoreError::Unavailable(words),
        StoreError::Conflict(rule) => StoreError::Unavailable(rule.to_string()),
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
