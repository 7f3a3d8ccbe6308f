//! One SQL text for two engines: the rules that make it possible, and the macros that run it.
//!
//! # The dialect
//! 1. Parameters are `$1`, `$2`, …. The moment is a parameter (`now`), never the engine's clock.
//! 2. A time is an integer of microseconds, a span an integer of seconds, a word is TEXT with a `CHECK`; bytes are BYTEA or BLOB,
//!    a UUID is UUID or BLOB, JSON is JSONB or TEXT and is never looked into by SQL.
//! 3. No arrays, no `::cast`, no `ILIKE`, no `now()`, no sequences, no booleans in tables. `IS NULL` gives a boolean that both drivers read.
//! 4. Single use is one `UPDATE … WHERE … IS NULL … RETURNING`. Scalar subqueries in `RETURNING` work on both, and name the outer
//!    table in full; a write inside a CTE and the columns of `UPDATE … FROM` in `RETURNING` do not work on SQLite.
//! 5. `INSERT … SELECT … ON CONFLICT` needs a `WHERE` before `ON` (SQLite would read `ON` as part of a join).
//! 6. A batch is `WHERE key IN (SELECT key … ORDER BY … LIMIT n)`: `DELETE … LIMIT` is not in Postgres.
//! 7. A parameter's first use shows its type: `kind = $1 OR $1 IS NULL`, not the other way round (Postgres reads from the left).
//! 8. A transaction takes rows in one order, so that no two wait for each other (Postgres would end one of them): account, asset,
//!    client, session, device, visit, consent, code, family of refresh tokens, what a session has told to apps, grant, code that was mailed, mail.
//! 9. Every text is declared by [`sql!`], so that the registry holds it and a test prepares it on both engines.
//!
//! Words that only one engine knows (`PRAGMA`, `SET`) stay in `sqlite.rs` and `postgres.rs`.

use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::{PgConnection, SqliteConnection};

use super::StoreError;

/// A connection to either engine, lent for one piece of work.
#[derive(Debug)]
pub(super) enum Conn<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

/// What a piece of work on a lent connection comes to.
pub(super) type Work<'c, T> = BoxFuture<'c, Result<T, StoreError>>;

/// How long a statement on Postgres may take before the connection is given up. The server's own `statement_timeout` comes
/// first; this one is for a server that does not answer at all.
const DEADLINE: Duration = Duration::from_secs(6);

/// A statement's outcome, or an error when the server stays silent.
pub(super) async fn in_time<T>(statement: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    match tokio::time::timeout(DEADLINE, statement).await {
        Ok(outcome) => outcome,
        Err(_) => Err(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "the database server does not answer"))),
    }
}

/// Runs a text on whichever engine the connection belongs to, with its parameters in order:
/// `execute` gives the number of rows changed, `row` an `Option` of a record, `rows` all records, `value` and `values` the same
/// of a single column.
macro_rules! on {
    ($conn:expr, execute($text:expr $(, $bind:expr)* $(,)?)) => {
        match &mut $conn {
            $crate::store::dialect::Conn::Sqlite(conn) => {
                sqlx::query($text)$(.bind($bind))*.execute(&mut **conn).await.map(|done| done.rows_affected())
            }
            $crate::store::dialect::Conn::Postgres(conn) => {
                $crate::store::dialect::in_time(sqlx::query($text)$(.bind($bind))*.execute(&mut **conn))
                    .await
                    .map(|done| done.rows_affected())
            }
        }
        .map_err($crate::store::StoreError::from)
    };
    ($conn:expr, row($text:expr $(, $bind:expr)* $(,)?)) => {
        $crate::store::dialect::on!(@ $conn, sqlx::query_as($text)$(.bind($bind))*, fetch_optional)
    };
    ($conn:expr, rows($text:expr $(, $bind:expr)* $(,)?)) => {
        $crate::store::dialect::on!(@ $conn, sqlx::query_as($text)$(.bind($bind))*, fetch_all)
    };
    ($conn:expr, value($text:expr $(, $bind:expr)* $(,)?)) => {
        $crate::store::dialect::on!(@ $conn, sqlx::query_scalar($text)$(.bind($bind))*, fetch_optional)
    };
    ($conn:expr, values($text:expr $(, $bind:expr)* $(,)?)) => {
        $crate::store::dialect::on!(@ $conn, sqlx::query_scalar($text)$(.bind($bind))*, fetch_all)
    };
    (@ $conn:expr, $query:expr, $fetch:ident) => {
        match &mut $conn {
            $crate::store::dialect::Conn::Sqlite(conn) => $query.$fetch(&mut **conn).await,
            $crate::store::dialect::Conn::Postgres(conn) => $crate::store::dialect::in_time($query.$fetch(&mut **conn)).await,
        }
        .map_err($crate::store::StoreError::from)
    };
}

/// Reads with one statement: borrows a connection, runs the text as [`on!`] does, gives the connection back.
macro_rules! read {
    ($store:expr, $how:ident($($part:expr),* $(,)?)) => {
        async {
            let mut reader = $store.reader().await?;
            let outcome = {
                let mut conn = reader.conn();
                $crate::store::dialect::on!(conn, $how($($part),*))
            };
            $store.read_done(reader, outcome)
        }
        .await
    };
}

/// Writes with one statement that owns its parameters, as [`on!`] does. On SQLite it may be told together with others like it.
macro_rules! write_one {
    ($store:expr, $how:ident($text:expr $(, $bind:expr)* $(,)?)) => {
        match $store.writer() {
            Some(writer) => {
                let answer = writer.single($text, $crate::store::dialect::binds!($($bind,)*)).await;
                $store.noted(answer).and_then($crate::store::writer::single::Answer::$how)
            }
            None => {
                $store
                    .statement(move |mut conn| Box::pin(async move { $crate::store::dialect::on!(conn, $how($text $(, $bind)*)) }))
                    .await
            }
        }
    };
}

/// Parameters as [`Binds`](super::writer::single::Binds): a pair of the first and the others.
macro_rules! binds {
    () => { () };
    ($first:expr, $($other:expr,)*) => { ($first, $crate::store::dialect::binds!($($other,)*)) };
}

/// Declares a module's SQL texts, and the list by which the registry knows them.
macro_rules! sql {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)*) => {
        $($(#[$doc])* const $name: &str = $text;)*
        pub(in crate::store) const STATEMENTS: &[$crate::store::registry::Statement] =
            &[$($crate::store::registry::Statement { place: module_path!(), name: stringify!($name), text: $name }),*];
    };
}

pub(super) use {binds, on, read, sql, write_one};
