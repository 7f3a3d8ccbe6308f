//! What can go wrong with the store, in the four kinds that callers tell apart.
//!
//! In comes a driver's error, out goes a [`StoreError`]. A named database constraint becomes a [`Conflict`] on both
//! engines, so that nobody needs to look before writing.

use std::fmt;

use sqlx::error::{DatabaseError, ErrorKind};

/// Why a verb of the store did not do its work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be used now: not reached, too slow, no room on its disk. The same call may go through later.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// What was to be written is already there, or breaks a rule of the schema.
    #[error("{0}")]
    Conflict(Conflict),
    /// The database is not set up for this program: its tables are of another version, or our user may not use them.
    #[error("{0}")]
    Schema(String),
    /// It is no database of ours, or a row holds what this program never writes, or a value does not fit into a row.
    #[error("{0}")]
    Corrupt(String),
}

impl StoreError {
    pub(super) fn tables(words: impl fmt::Display) -> Self {
        Self::Schema(format!("the database does not have the tables of this version (run `latchkey migrate`): {words}"))
    }

    pub(super) fn value(words: impl fmt::Display) -> Self {
        Self::Corrupt(format!("a value cannot be read from the database, or does not fit into it: {words}"))
    }

    fn right(words: &str) -> Self {
        Self::Schema(format!(
            "the database's user lacks a right ({words}): it needs CONNECT on the database, USAGE on the schema, SELECT, INSERT, UPDATE and DELETE on its \
             tables, and CREATE on the schema when the tables are made or brought to this version"
        ))
    }
}

/// Which rule of the schema a write would have broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// A client of this id is there already.
    ClientId,
    /// Another license has this alias.
    LicenseAlias,
    /// The license has this key already.
    LicenseKey,
    /// The client has this URI already.
    RedirectUri,
    /// A device has this user code already.
    UserCode,
    /// An asset of this DID is there already.
    Asset,
    /// The email address is another account's.
    Email,
    /// An account keeps one way to sign in.
    LastIdentity,
    /// Another constraint, by the engine's own words.
    Other(String),
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClientId => f.write_str("a client with this id exists already"),
            Self::LicenseAlias => f.write_str("another license has this alias"),
            Self::LicenseKey => f.write_str("the license has a key with this address already"),
            Self::RedirectUri => f.write_str("the client has this URI already"),
            Self::UserCode => f.write_str("a device has this user code already"),
            Self::Asset => f.write_str("an asset with this DID exists already"),
            Self::LastIdentity => f.write_str("nobody could sign in to the account any more"),
            Self::Email => f.write_str("the email address belongs to another account"),
            Self::Other(constraint) => write!(f, "the database refuses it: {constraint}"),
        }
    }
}

/// The constraints that have a meaning of their own: the name by which Postgres tells them, the columns by which SQLite does.
const CONSTRAINTS: &[(&str, &str, Conflict)] = &[
    ("client_pkey", "client.id", Conflict::ClientId),
    ("license_pkey", "license.client_id", Conflict::ClientId),
    ("license_alias_unique", "license.alias", Conflict::LicenseAlias),
    ("license_key_pkey", "license_key.client_id, license_key.address", Conflict::LicenseKey),
    ("asset_pkey", "asset.did", Conflict::Asset),
    (
        "client_redirect_uri_pkey",
        "client_redirect_uri.client_id, client_redirect_uri.purpose, client_redirect_uri.uri",
        Conflict::RedirectUri,
    ),
    ("device_authorization_user_code_unique", "device_authorization.user_code_hash", Conflict::UserCode),
];

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match error {
            E::Database(error) => from_database(error.as_ref()),
            E::ColumnDecode { .. } | E::Decode(_) | E::Encode(_) | E::RowNotFound => Self::value(error),
            E::ColumnNotFound(_) | E::ColumnIndexOutOfBounds { .. } | E::TypeNotFound { .. } => Self::tables(error),
            E::Migrate(error) => Self::from(*error),
            // Everything else is the way to the database: sockets, TLS, time limits, a driver's thread that is gone.
            _ => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        use sqlx::migrate::MigrateError as E;
        match error {
            E::Execute(error) => Self::from(error),
            E::ExecuteMigration(error, version) => match Self::from(error) {
                Self::Schema(words) => Self::Schema(format!("migration {version} failed: {words}")),
                Self::Conflict(conflict) => Self::tables(format_args!("migration {version} failed: {conflict}")),
                other => other,
            },
            other => Self::tables(other),
        }
    }
}

fn from_database(error: &dyn DatabaseError) -> StoreError {
    let words = || error.message().to_owned();
    if !matches!(error.kind(), ErrorKind::Other) {
        return StoreError::Conflict(conflict(error));
    }
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        // https://www.sqlite.org/rescode.html: the low byte is the primary result code.
        return match code.parse::<u32>().unwrap_or_default() & 0xff {
            // SQLITE_ERROR: no such table or column.
            1 => StoreError::tables(words()),
            // SQLITE_NOTADB.
            26 => StoreError::Corrupt("the database file is not a SQLite database".to_owned()),
            // SQLITE_CORRUPT, SQLITE_MISMATCH.
            11 | 20 => StoreError::value(words()),
            // SQLITE_CONSTRAINT of a kind that the driver has no word for, such as a type that STRICT refuses.
            19 => StoreError::Conflict(Conflict::Other(words())),
            _ => StoreError::Unavailable(words()),
        };
    }
    // PostgreSQL, appendix A: the first two characters are the class.
    match code.get(..2) {
        // Data that does not fit its type.
        Some("22") => StoreError::value(words()),
        // insufficient_privilege: nothing that waiting mends.
        Some("42") if code == "42501" => StoreError::right(error.message()),
        // Undefined tables and columns.
        Some("42") => StoreError::tables(words()),
        _ => StoreError::Unavailable(words()),
    }
}

fn conflict(error: &dyn DatabaseError) -> Conflict {
    // Postgres names the constraint; SQLite says `UNIQUE constraint failed: table.column, table.column`.
    let told = error.constraint().or_else(|| error.message().split_once("failed: ").map(|(_, columns)| columns));
    let Some(told) = told else { return Conflict::Other(error.message().to_owned()) };
    CONSTRAINTS
        .iter()
        .find(|(name, columns, _)| *name == told || *columns == told)
        .map_or_else(|| Conflict::Other(told.to_owned()), |(_, _, conflict)| conflict.clone())
}
