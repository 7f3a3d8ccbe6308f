//! How a database's tables stand to this version of the program: what was done of what is to be done.

use sqlx::migrate::{AppliedMigration, Migrator};

use super::StoreError;

/// How the tables stand to this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tables {
    /// There are none yet.
    None,
    /// So many migrations are still to be run.
    Behind(usize),
    Current,
}

/// The table in which the library notes what was done.
pub(super) const NOTES: &str = "_sqlx_migrations";

pub(super) fn compare(known: &Migrator, applied: &[AppliedMigration]) -> Result<Tables, StoreError> {
    if applied.is_empty() {
        return Ok(Tables::None);
    }
    for done in applied {
        match known.iter().find(|migration| migration.version == done.version) {
            None => return Err(StoreError::Schema(format!("the tables are those of a later version: it has migration {}", done.version))),
            Some(migration) if migration.checksum != done.checksum => {
                return Err(StoreError::Schema(format!("migration {} was another one when it made these tables", done.version)));
            }
            Some(_) => {}
        }
    }
    match known.iter().filter(|migration| applied.iter().all(|done| done.version != migration.version)).count() {
        0 => Ok(Tables::Current),
        lacking => Ok(Tables::Behind(lacking)),
    }
}
