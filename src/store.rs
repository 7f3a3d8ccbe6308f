//! The store: everything that outlives a request, on SQLite or Postgres, behind verbs that are whole business moves.
//!
//! In come the domain's words and the moment (`now`); out go records, or a [`StoreError`]. Each verb is one statement or one
//! transaction; each single-use rule is one conditional statement. The store knows nothing of HTTP, keys or policy.
//!
//! The verbs are in the files below, by concern; `dialect.rs` has the rules by which one SQL text serves both engines.

use std::sync::Arc;

use sqlx::{ConnectOptions, Connection, PgConnection, SqliteConnection};

mod accounts;
mod agreements;
mod assertions;
mod asset_claims;
mod asset_imports;
mod asset_pages;
mod assets;
mod challenges;
mod clients;
mod codes;
mod columns;
mod consents;
mod developer_tokens;
mod devices;
mod dialect;
mod email_codes;
mod endings;
mod error;
mod exchange;
mod families;
mod grant_history;
mod grant_lists;
mod grant_rows;
mod grants;
mod health;
mod identities;
mod identity;
mod identity_licenses;
mod interactions;
mod licenses;
mod logos;
mod mails;
mod notices;
mod outbox;
mod passkeys;
mod passwords;
mod persons;
mod pool;
mod postgres;
mod pushed_requests;
mod registrations;
mod registry;
mod revocations;
mod sessions;
mod signing_keys;
mod sqlite;
mod sweep;
mod tables;
mod tries;
mod upstream_visits;
mod writer;

pub use accounts::{Account, Identity, PostalAddress, Profile};
pub use agreements::{Agreed, Agreeing};
pub use asset_imports::{AssetImport, AssetsImported, Imported};
pub use asset_pages::{AssetFilter, AssetPage, AssetsOf};
pub use assets::Transfer;
pub use challenges::{ApiChallenge, SigninChallenge, Taken, TakenChallenge, WalletChallenge};
pub use clients::{ClientRecord, ClientSource, License, UriPurpose};
pub use codes::{CodeState, NewCode, RedeemedCode};
pub use consents::{Agreement, Consent};
pub use developer_tokens::DeveloperToken;
pub use devices::{Device, DevicePoll, DeviceState, GrantedDevice, IssuedToDevice, NewDevice};
pub use email_codes::{EmailCodeState, EmailTry, MailState, NewEmailCode, TRIES as EMAIL_CODE_TRIES};
pub use error::{Conflict, StoreError};
pub use exchange::{Bearer, ExchangeFacts};
pub use families::{FamilyState, LivingRefreshToken, NewFamily, Refresh, RefreshedFamily};
pub use grant_history::{Actor, GrantEvent};
pub use grant_lists::{GrantPage, LONGEST_PAGE};
pub use grants::{GrantChange, GrantOutcome, Granting, MOST_LIVING_GRANTS, NewGrant};
pub use identities::{Linked, Proved, SignIn, SignedIn, Unlinked};
pub use identity::SharedPage;
pub use identity_licenses::{LicenseCard, LicenseFilter, LicensePage, LicenseUri};
pub use interactions::Interaction;
pub use licenses::LicenseKey;
pub use logos::ClientLogo;
pub use mails::{Mail, Subject as MailSubject};
pub use outbox::{Message, SessionEnd};
pub use passkeys::{KnownPasskey, Passkey, PasskeyChallenge, PasskeyUse};
pub use passwords::NewAccount;
pub use persons::PersonToken;
pub use registry::{Statement, statements};
pub use sessions::{Device as SessionDevice, Session};
pub use signing_keys::SigningKeyRecord;
pub use sweep::Swept;
pub use tables::Tables;
pub use tries::Tries;
pub use upstream_visits::{AnswerTaken, UpstreamVisit};

use dialect::{Conn, Work};
use health::Health;
use pool::{Lease, Pool};
use writer::Writer;

static SQLITE_MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/postgres");

/// At most so many readers of a SQLite file, however many cores there are: each is a thread with a cache of its own.
const SQLITE_READERS: usize = 8;

/// Where the database is.
#[derive(Clone)]
pub struct DatabaseSettings {
    /// `sqlite://path` or `postgres://user:password@host:port/name`.
    pub url: String,
    /// At most so many connections at a time.
    pub max_connections: u32,
}

// The URL may hold a password.
impl std::fmt::Debug for DatabaseSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseSettings").field("max_connections", &self.max_connections).finish_non_exhaustive()
    }
}

/// The store. Clones share one set of connections.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    db: Db,
    health: Health,
}

#[derive(Debug)]
enum Db {
    Sqlite { writer: Writer, readers: Pool<SqliteConnection>, path: std::path::PathBuf },
    Postgres { pool: Pool<PgConnection>, options: Box<sqlx::postgres::PgConnectOptions> },
}

impl Store {
    /// Connects to the database; a SQLite file that is missing is made. Does not migrate.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] with a sentence that names what is wrong: the URL, the file, the server.
    pub async fn open(database: &DatabaseSettings) -> Result<Self, StoreError> {
        let db = match database.url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => open_sqlite(&database.url, database.max_connections).await?,
            Some("postgres" | "postgresql") => open_postgres(&database.url, database.max_connections).await?,
            _ => return Err(StoreError::Unavailable("the database URL begins with neither sqlite:// nor postgres://".to_owned())),
        };
        Ok(Self { inner: Arc::new(Inner { db, health: Health::default() }) })
    }

    /// Brings the tables to this version. Several processes may do it at once: one does, the others wait.
    ///
    /// # Errors
    /// [`StoreError::Schema`] when the tables are those of a later version, or were changed by hand.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match &self.inner.db {
            Db::Sqlite { path, .. } => {
                let mut conn = sqlite::migrating(path).connect().await?;
                // The outer transaction is the lock that SQLite's migrator lacks; each migration is a savepoint inside it.
                let mut whole = conn.begin_with("BEGIN IMMEDIATE").await?;
                let current = matches!(sqlite::tables(&mut whole, &SQLITE_MIGRATIONS).await, Ok(Tables::Current));
                SQLITE_MIGRATIONS.run_direct(None, &mut *whole, false).await?;
                // It reads every row: a start that has nothing to migrate must not wait for it.
                if !current {
                    sqlite::check_references(&mut whole).await?;
                }
                whole.commit().await?;
                Ok(conn.close().await?)
            }
            Db::Postgres { options, .. } => {
                let mut conn = postgres::connect_for_migration(options).await?;
                POSTGRES_MIGRATIONS.run_direct(None, &mut conn, false).await?;
                Ok(conn.close().await?)
            }
        }
    }

    /// How the tables stand to this version. Changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Schema`] when they are those of a later version, or were changed by hand.
    pub async fn tables(&self) -> Result<Tables, StoreError> {
        let mut reader = self.reader().await?;
        let outcome = match reader.conn() {
            Conn::Sqlite(conn) => sqlite::tables(conn, &SQLITE_MIGRATIONS).await,
            Conn::Postgres(conn) => postgres::tables(conn, &POSTGRES_MIGRATIONS).await,
        };
        self.read_done(reader, outcome)
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut reader = self.reader().await?;
        let outcome = match reader.conn() {
            Conn::Sqlite(conn) => sqlite::ping(conn).await,
            Conn::Postgres(conn) => postgres::ping(conn).await,
        };
        self.read_done(reader, outcome)
    }

    /// Finishes the writes that wait and closes the connections. Every verb after it is [`StoreError::Unavailable`].
    pub async fn close(&self) {
        match &self.inner.db {
            Db::Sqlite { writer, readers, .. } => {
                // The writer last: the last connection that closes folds the write-ahead log into the file.
                readers.close().await;
                writer.close().await;
            }
            Db::Postgres { pool, .. } => pool.close().await,
        }
    }

    /// SQLite's writer.
    fn writer(&self) -> Option<&Writer> {
        match &self.inner.db {
            Db::Sqlite { writer, .. } => Some(writer),
            Db::Postgres { .. } => None,
        }
    }

    /// Notes whether the database answers.
    fn noted<T>(&self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        self.inner.health.note(outcome)
    }

    /// Writes with one statement, which is atomic by itself: on Postgres one round trip.
    async fn statement<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(Conn<'c>) -> Work<'c, T> + Send + 'static,
    {
        let outcome = match &self.inner.db {
            Db::Sqlite { writer, .. } => writer.statement(work).await,
            Db::Postgres { pool, .. } => match pool.lease().await {
                Ok(mut lease) => {
                    let outcome = work(Conn::Postgres(&mut lease)).await;
                    lease.give_back(outcome)
                }
                Err(error) => Err(error),
            },
        };
        self.inner.health.note(outcome)
    }

    /// Writes with several statements: all of them, or none when `work` fails.
    async fn transaction<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(Conn<'c>) -> Work<'c, T> + Send + 'static,
    {
        let outcome = match &self.inner.db {
            Db::Sqlite { writer, .. } => writer.transaction(work).await,
            Db::Postgres { pool, .. } => match pool.lease().await {
                Ok(mut lease) => {
                    let outcome = postgres_transaction(&mut lease, work).await;
                    lease.give_back(outcome)
                }
                Err(error) => Err(error),
            },
        };
        self.inner.health.note(outcome)
    }

    async fn reader(&self) -> Result<Reader, StoreError> {
        let lease = match &self.inner.db {
            Db::Sqlite { readers, .. } => readers.lease().await.map(|lease| Reader::Sqlite(Box::new(lease))),
            Db::Postgres { pool, .. } => pool.lease().await.map(|lease| Reader::Postgres(Box::new(lease))),
        };
        if lease.is_err() { self.inner.health.note(lease) } else { lease }
    }

    fn read_done<T>(&self, reader: Reader, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        self.inner.health.note(match reader {
            Reader::Sqlite(lease) => lease.give_back(outcome),
            Reader::Postgres(lease) => lease.give_back(outcome),
        })
    }
}

/// A connection lent for reading.
enum Reader {
    Sqlite(Box<Lease<SqliteConnection>>),
    Postgres(Box<Lease<PgConnection>>),
}

impl Reader {
    fn conn(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(lease) => Conn::Sqlite(lease),
            Self::Postgres(lease) => Conn::Postgres(lease),
        }
    }
}

async fn open_sqlite(url: &str, max_connections: u32) -> Result<Db, StoreError> {
    let path = sqlite::path(url)?;
    sqlite::make_file(&path)?;
    let options = sqlite::writing(&path);
    let conn = options.connect().await.map_err(|error| named(&path.display().to_string(), error))?;
    let useful = std::thread::available_parallelism().map_or(2, std::num::NonZero::get).clamp(2, SQLITE_READERS);
    let readers = Pool::new(sqlite::reading(&path), max_connections.min(u32::try_from(useful).unwrap_or(2)));
    let writer = Writer::start(options, conn).map_err(|error| StoreError::Unavailable(format!("no thread for the writer: {error}")))?;
    Ok(Db::Sqlite { writer, readers, path })
}

async fn open_postgres(url: &str, max_connections: u32) -> Result<Db, StoreError> {
    let options = postgres::options(url)?;
    let pool: Pool<PgConnection> = Pool::new(options.clone(), max_connections);
    let place = format!("{}:{}/{}", options.get_host(), options.get_port(), options.get_database().unwrap_or_default());
    match pool.lease().await {
        Ok(lease) => lease.give_back(Ok(()))?,
        Err(StoreError::Unavailable(words)) => return Err(StoreError::Unavailable(format!("{place}: {words}"))),
        Err(other) => return Err(other),
    }
    Ok(Db::Postgres { pool, options: Box::new(options) })
}

fn named(place: &str, error: sqlx::Error) -> StoreError {
    match StoreError::from(error) {
        StoreError::Unavailable(words) => StoreError::Unavailable(format!("{place}: {words}")),
        StoreError::Corrupt(words) => StoreError::Corrupt(format!("{place}: {words}")),
        StoreError::Schema(words) => StoreError::Schema(format!("{place}: {words}")),
        other @ StoreError::Conflict(_) => other,
    }
}

async fn postgres_transaction<T, F>(conn: &mut PgConnection, work: F) -> Result<T, StoreError>
where
    F: for<'c> FnOnce(Conn<'c>) -> Work<'c, T>,
{
    postgres::begin(conn).await?;
    let outcome = work(Conn::Postgres(&mut *conn)).await;
    match outcome {
        Ok(_) => postgres::commit(conn).await?,
        // A connection that cannot even roll back is closed by its pool.
        Err(_) => postgres::rollback(conn).await?,
    }
    outcome
}
