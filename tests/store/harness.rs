//! A fresh, migrated database for each test, on either engine, gone when the test ends.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use latchkey::domain::{AccountId, Address, Provider, Timestamp};
use latchkey::store::{DatabaseSettings, Linked, Proved, Store};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

static COUNT: AtomicU32 = AtomicU32::new(0);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// A database of one test.
pub(crate) struct Fresh {
    pub(crate) engine: Engine,
    pub(crate) url: String,
    pub(crate) store: Store,
    folder: PathBuf,
    name: String,
}

impl Fresh {
    /// An empty database without tables.
    pub(crate) async fn empty(engine: Engine) -> Self {
        let name = format!("latchkey_test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(&name);
        let url = match engine {
            Engine::Sqlite => {
                std::fs::create_dir_all(&folder).expect("a temporary folder");
                format!("sqlite://{}/latchkey.db", folder.display())
            }
            Engine::Postgres => {
                let mut admin = admin().await;
                admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.expect("a database of the test's own");
                let (server, _) = admin_url().rsplit_once('/').map(|(a, b)| (a.to_owned(), b.to_owned())).expect("a URL with a database");
                format!("{server}/{name}")
            }
        };
        let store = open(&url).await;
        Self { engine, url, store, folder, name }
    }

    /// A database with its tables.
    pub(crate) async fn new(engine: Engine) -> Self {
        let fresh = Self::empty(engine).await;
        fresh.store.migrate().await.expect("migrations run");
        fresh
    }

    /// Links one more wallet to an account.
    pub(crate) async fn link(&self, account: AccountId, wallet: &Address, at: Timestamp) {
        let proved = Proved { provider: Provider::web3(), subject: wallet.to_string(), label: String::new(), email: None };
        assert_eq!(self.store.link_identity(account, &proved, at).await.unwrap(), Linked::Now);
    }

    /// How many rows a table has.
    pub(crate) async fn count(&self, table: &str) -> i64 {
        let text = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        match self.engine {
            Engine::Sqlite => {
                let mut conn = SqliteConnection::connect(&self.url).await.unwrap();
                sqlx::query_scalar(text).fetch_one(&mut conn).await.unwrap()
            }
            Engine::Postgres => {
                let mut conn = PgConnection::connect(&self.url).await.unwrap();
                sqlx::query_scalar(text).fetch_one(&mut conn).await.unwrap()
            }
        }
    }

    /// The database's name on the Postgres server.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) async fn end(self) {
        self.store.close().await;
        match self.engine {
            Engine::Sqlite => std::fs::remove_dir_all(&self.folder).expect("the temporary folder goes"),
            Engine::Postgres => {
                let drop = AssertSqlSafe(format!("DROP DATABASE {} WITH (FORCE)", self.name));
                admin().await.execute(drop).await.expect("the test's database goes");
            }
        }
    }
}

pub(crate) async fn open(url: &str) -> Store {
    Store::open(&DatabaseSettings { url: url.to_owned(), max_connections: 16 }).await.expect("the store opens")
}

/// A connection to the server's own database.
pub(crate) async fn admin() -> PgConnection {
    PgConnection::connect(&admin_url()).await.expect("the Postgres of LATCHKEY_TEST_POSTGRES answers")
}

fn admin_url() -> String {
    std::env::var("LATCHKEY_TEST_POSTGRES")
        .unwrap_or_else(|_| panic!("LATCHKEY_TEST_POSTGRES is not set: run scripts/test, which starts a Postgres and names it there"))
}

/// Makes two tests of an async function from `&Fresh`: one on each engine.
macro_rules! both {
    ($(#[doc = $doc:literal] $name:ident)*) => {$(
        #[doc = $doc]
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let fresh = crate::store::harness::Fresh::new(crate::store::harness::Engine::Sqlite).await;
                super::$name(&fresh).await;
                fresh.end().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let fresh = crate::store::harness::Fresh::new(crate::store::harness::Engine::Postgres).await;
                super::$name(&fresh).await;
                fresh.end().await;
            }
        }
    )*};
}

pub(crate) use both;
