//! SQLite: the file, and what a connection to it is told before its first statement.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{Migrate, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Executor, SqliteConnection};

use super::StoreError;
use super::tables::{NOTES, Tables, compare};

/// How long a connection waits for another process, such as the command line beside a running server.
const BUSY: Duration = Duration::from_secs(5);

/// The file that a `sqlite://` URL names.
pub(super) fn path(url: &str) -> Result<PathBuf, StoreError> {
    let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")).unwrap_or(url);
    if path.is_empty() || path.starts_with(":memory:") || path.contains('?') {
        return Err(StoreError::Unavailable(
            "the database URL names no file; it looks like sqlite://./data/latchkey.db, without options behind it".to_owned(),
        ));
    }
    Ok(PathBuf::from(path))
}

/// Makes the file when it is missing, readable by its owner only: it holds sealed keys and hashes of secrets.
pub(super) fn make_file(path: &Path) -> Result<(), StoreError> {
    let mut how = std::fs::OpenOptions::new();
    how.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut how, 0o600);
    match how.open(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(StoreError::Unavailable(format!("the database file {} cannot be opened for writing: {error}", path.display()))),
    }
}

/// The writer's connection. FULL: a power cut must not bring a spent code or a withdrawn consent back.
pub(super) fn writing(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        // Pages; 16 MiB. The pages that every write touches go back into the file less often than with the default of 1,000.
        .pragma("wal_autocheckpoint", "4000")
        // More texts than there are: some are kept several times over, for statements that are told together.
        .statement_cache_capacity(512)
        .thread_name(|_| "sqlite-writer".to_owned())
        .disable_statement_logging()
}

/// A migration's connection. A table that is made anew is dropped in between, and what refers to it must not go with it: references
/// are checked at the end instead, by [`check_references`].
pub(super) fn migrating(path: &Path) -> SqliteConnectOptions {
    writing(path).foreign_keys(false)
}

/// Whether every reference leads to a row.
pub(super) async fn check_references(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    match conn.fetch_optional("PRAGMA foreign_key_check").await? {
        None => Ok(()),
        Some(_) => Err(StoreError::Schema("the migration would leave references that lead nowhere; nothing was changed".to_owned())),
    }
}

/// A reader's connection: the same file, but nothing can be written through it.
pub(super) fn reading(path: &Path) -> SqliteConnectOptions {
    writing(path).pragma("query_only", "ON").thread_name(|_| "sqlite-reader".to_owned())
}

/// Reads the file's first page.
pub(super) async fn ping(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    conn.fetch_one("PRAGMA schema_version").await?;
    Ok(())
}

/// How the tables stand to this version.
pub(super) async fn tables(conn: &mut SqliteConnection, known: &Migrator) -> Result<Tables, StoreError> {
    let noted = sqlx::query("SELECT name FROM sqlite_master WHERE type = 'table' AND name = $1").bind(NOTES);
    if noted.fetch_optional(&mut *conn).await?.is_none() {
        return Ok(Tables::None);
    }
    compare(known, &conn.list_applied_migrations(NOTES).await?)
}
