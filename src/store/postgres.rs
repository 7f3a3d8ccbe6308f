//! Postgres: what a connection to it is told before its first statement.

use sqlx::migrate::{Migrate, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, Executor};

use super::StoreError;
use super::dialect::in_time;
use super::tables::{NOTES, Tables, compare};

/// Makes the options of the pool's connections from the operator's URL.
pub(super) fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    // The driver's error can quote the URL, and the URL holds a password.
    let wrong =
        |_| StoreError::Unavailable("the database URL cannot be read; it looks like postgres://user:password@host:5432/name".to_owned());
    let options: PgConnectOptions = url.parse().map_err(wrong)?;
    let options = if options.get_application_name().is_none() { options.application_name("latchkey") } else { options };
    Ok(options.statement_cache_capacity(256).disable_statement_logging().options([
        // A statement is answered or given up; no request waits for ever.
        ("statement_timeout", "5s"),
        ("lock_timeout", "4s"),
        ("idle_in_transaction_session_timeout", "10s"),
        // Each single-use rule is one statement that looks again after waiting for a row; that is what READ COMMITTED does.
        ("default_transaction_isolation", "read committed"),
        // A crash must not bring a spent code back.
        ("synchronous_commit", "on"),
    ]))
}

/// A connection for migrations: building an index may take longer than a request may wait.
pub(super) async fn connect_for_migration(options: &PgConnectOptions) -> Result<PgConnection, StoreError> {
    let options = options.clone().options([("statement_timeout", "0"), ("lock_timeout", "0")]);
    Ok(in_time(options.connect()).await?)
}

pub(super) async fn begin(conn: &mut PgConnection) -> Result<(), StoreError> {
    in_time(conn.execute("BEGIN")).await?;
    Ok(())
}

pub(super) async fn commit(conn: &mut PgConnection) -> Result<(), StoreError> {
    in_time(conn.execute("COMMIT")).await?;
    Ok(())
}

pub(super) async fn rollback(conn: &mut PgConnection) -> Result<(), StoreError> {
    in_time(conn.execute("ROLLBACK")).await?;
    Ok(())
}

/// Asks the server for a sign of life.
pub(super) async fn ping(conn: &mut PgConnection) -> Result<(), StoreError> {
    Ok(in_time(conn.ping()).await?)
}

/// How the tables stand to this version.
pub(super) async fn tables(conn: &mut PgConnection, known: &Migrator) -> Result<Tables, StoreError> {
    let noted = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(NOTES);
    if !in_time(noted.fetch_one(&mut *conn)).await? {
        return Ok(Tables::None);
    }
    compare(known, &conn.list_applied_migrations(NOTES).await?)
}
