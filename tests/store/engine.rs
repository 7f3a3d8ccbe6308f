//! The engines under the verbs: opening, migrating, outages, and what the log says of them.

use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use latchkey::store::{DatabaseSettings, Store, StoreError, UriPurpose};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use super::harness::{Engine, Fresh, admin, both, open};
use super::made::{at, client, client_id, hash};

both! {
    /// Migrating again, or from several replicas at once, changes nothing.
    migrations_run_once
    /// A verb before the migration says what to do.
    a_verb_without_tables_says_so
    /// A store that is closed answers, and says so.
    a_closed_store_answers
    /// What was answered is there after closing and opening.
    what_was_answered_stays
    /// A row that this program never writes is told as such.
    a_strange_row_is_told
    /// Tables of a later version are not touched.
    a_later_version_is_refused
}

async fn run(fresh: &Fresh, text: &str) {
    match fresh.engine {
        Engine::Sqlite => {
            let mut conn = SqliteConnection::connect(&fresh.url).await.unwrap();
            conn.execute(AssertSqlSafe(text)).await.unwrap();
            conn.close().await.unwrap();
        }
        Engine::Postgres => {
            let mut conn = PgConnection::connect(&fresh.url).await.unwrap();
            conn.execute(AssertSqlSafe(text)).await.unwrap();
            conn.close().await.unwrap();
        }
    }
}

async fn migrations_run_once(fresh: &Fresh) {
    fresh.store.create_client(&client("app")).await.unwrap();
    let empty = Fresh::empty(fresh.engine).await;
    let replicas: Vec<_> = futures_util::future::join_all((0..4).map(|_| open(&empty.url))).await;
    for migrated in futures_util::future::join_all(replicas.iter().map(Store::migrate)).await {
        migrated.unwrap();
    }
    replicas[0].create_client(&client("app")).await.unwrap();
    for replica in &replicas {
        assert!(replica.client(&client_id("app")).await.unwrap().is_some());
        replica.close().await;
    }
    empty.end().await;
    fresh.store.migrate().await.unwrap();
    assert!(fresh.store.client(&client_id("app")).await.unwrap().is_some());
}

async fn a_verb_without_tables_says_so(fresh: &Fresh) {
    let empty = Fresh::empty(fresh.engine).await;
    let told = empty.store.clients(None).await.unwrap_err();
    assert!(matches!(told, StoreError::Schema(_)), "{told:?}");
    assert!(told.to_string().contains("latchkey migrate"), "{told}");
    empty.store.ping().await.unwrap();
    empty.end().await;
}

async fn a_closed_store_answers(fresh: &Fresh) {
    let store = open(&fresh.url).await;
    store.close().await;
    store.close().await;
    assert!(matches!(store.client(&client_id("app")).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.create_client(&client("app")).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
}

async fn what_was_answered_stays(fresh: &Fresh) {
    let store = open(&fresh.url).await;
    store.create_client(&client("app")).await.unwrap();
    assert!(fresh.store.client(&client_id("app")).await.unwrap().is_some(), "another replica sees it at once");
    store.close().await;
    let store = open(&fresh.url).await;
    assert!(store.client(&client_id("app")).await.unwrap().is_some());
    store.close().await;
}

async fn a_strange_row_is_told(fresh: &Fresh) {
    fresh.store.create_client(&client("app")).await.unwrap();
    run(fresh, "UPDATE client_redirect_uri SET uri = 'not a URI' WHERE purpose = 'post_logout'").await;
    let told = fresh.store.client(&client_id("app")).await;
    assert!(matches!(told, Err(StoreError::Corrupt(_))), "{told:?}");
}

async fn a_later_version_is_refused(fresh: &Fresh) {
    let later = match fresh.engine {
        Engine::Sqlite => "INSERT INTO _sqlx_migrations VALUES (9999, 'later', 0, 1, x'00', 0)",
        Engine::Postgres => "INSERT INTO _sqlx_migrations VALUES (9999, 'later', now(), true, '\\x00', 0)",
    };
    run(fresh, later).await;
    let told = fresh.store.migrate().await;
    assert!(matches!(told, Err(StoreError::Schema(_))), "{told:?}");
}

#[tokio::test]
async fn a_wrong_url_is_told_in_a_sentence() {
    for (url, words) in [
        ("mysql://localhost/x", "neither sqlite:// nor postgres://"),
        ("nonsense", "neither sqlite:// nor postgres://"),
        ("sqlite://", "names no file"),
        ("sqlite::memory:", "names no file"),
        ("sqlite:///nowhere/at/all.db", "/nowhere/at/all.db cannot be opened"),
        ("postgres://user:hunter2@localhost:notaport/x", "cannot be read"),
        ("postgres://user:hunter2@127.0.0.1:1/x", "127.0.0.1:1/x"),
    ] {
        let told = Store::open(&DatabaseSettings { url: url.to_owned(), max_connections: 2 }).await.unwrap_err().to_string();
        assert!(told.contains(words), "{url}: {told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt;

    let fresh = Fresh::new(Engine::Sqlite).await;
    fresh.store.create_client(&client("app")).await.unwrap();
    let file = fresh.url.strip_prefix("sqlite://").unwrap();
    for file in [file.to_owned(), format!("{file}-wal")] {
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{file}");
    }
    fresh.end().await;
}

/// What the store has told the log, by thread and level. One for the whole process: whether a place in the code logs at all is
/// remembered by the process, so that tests which come and go with subscribers of their own could silence one another.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<(ThreadId, String)>>>);

impl Told {
    fn listen() -> &'static Self {
        static TOLD: OnceLock<Told> = OnceLock::new();
        TOLD.get_or_init(|| {
            let told = Self::default();
            tracing::subscriber::set_global_default(tracing_subscriber::registry().with(told.clone())).unwrap();
            told
        })
    }

    /// The levels of what was told on this thread, which is one test's own.
    fn here(&self) -> Vec<String> {
        let here = thread::current().id();
        self.0.lock().unwrap().iter().filter(|(thread, _)| *thread == here).map(|(_, level)| level.clone()).collect()
    }
}

impl<S: tracing::Subscriber> Layer<S> for Told {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target().starts_with("latchkey::store") {
            self.0.lock().unwrap().push((thread::current().id(), event.metadata().level().to_string()));
        }
    }
}

/// The server goes away and comes back: every call in between is `Unavailable`, the log has one line for each turn.
#[tokio::test]
async fn postgres_goes_away_and_comes_back() {
    let told = Told::listen();
    let fresh = Fresh::new(Engine::Postgres).await;
    let store = &fresh.store;
    store.create_client(&client("app")).await.unwrap();
    let mut admin = admin().await;
    for _ in 0..2 {
        admin.execute(AssertSqlSafe(format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", fresh.name()))).await.unwrap();
        let kill = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1";
        sqlx::query(kill).bind(fresh.name()).execute(&mut admin).await.unwrap();
        let away = Instant::now();
        for number in 0..5 {
            assert!(matches!(store.client(&client_id("app")).await, Err(StoreError::Unavailable(_))));
            let written = store.put_form(&hash(&number.to_string()), "/", "", at(1)).await;
            assert!(matches!(written, Err(StoreError::Unavailable(_))), "{written:?}");
            assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
        }
        assert!(away.elapsed() < Duration::from_secs(3), "an outage is told at once");
        admin.execute(AssertSqlSafe(format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", fresh.name()))).await.unwrap();
        assert!(store.client(&client_id("app")).await.unwrap().is_some(), "the first call after it goes through");
        store.create_client(&client("other")).await.unwrap();
        store.delete_client(&client_id("other")).await.unwrap();
    }
    assert_eq!(told.here(), ["ERROR", "INFO", "ERROR", "INFO"]);
    fresh.end().await;
}

/// A connection that died while it was idle is replaced before anybody is given it.
#[tokio::test]
async fn a_connection_that_died_idle_is_replaced() {
    let fresh = Fresh::new(Engine::Postgres).await;
    fresh.store.create_client(&client("app")).await.unwrap();
    let mut admin = admin().await;
    let kill = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1";
    sqlx::query(kill).bind(fresh.name()).execute(&mut admin).await.unwrap();
    // It counts as idle after a second; waiting is what this test is about.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert!(fresh.store.client(&client_id("app")).await.unwrap().is_some());
    fresh.end().await;
}

/// With every connection taken, a call waits three seconds and is told so; a statement that waits for a row is given up too.
#[tokio::test]
async fn a_full_pool_and_a_locked_row_end_in_time() {
    let fresh = Fresh::new(Engine::Postgres).await;
    fresh.store.create_client(&client("app")).await.unwrap();
    let one = Store::open(&DatabaseSettings { url: fresh.url.clone(), max_connections: 1 }).await.unwrap();
    let mut holder = PgConnection::connect(&fresh.url).await.unwrap();
    holder.execute("BEGIN; UPDATE client SET name = 'held'").await.unwrap();
    let start = Instant::now();
    let (id, other) = (client_id("app"), client_id("other"));
    let (locked, full) = tokio::join!(async { (one.set_client_disabled(&id, None, at(1)).await, start.elapsed()) }, async {
        (one.client(&other).await, start.elapsed())
    },);
    assert!(matches!(locked.0, Err(StoreError::Unavailable(_))), "{locked:?}");
    assert!(locked.1 < Duration::from_secs(6), "{locked:?}");
    assert!(matches!(full.0, Err(StoreError::Unavailable(_))), "{full:?}");
    assert!(full.1 < Duration::from_millis(3_500), "{full:?}");
    holder.execute("ROLLBACK").await.unwrap();
    assert!(one.set_client_disabled(&id, None, at(1)).await.unwrap());
    one.close().await;
    fresh.end().await;
}

/// Each thread would rather have a connection of its own; where the server has no room for another, it is lent what there is.
#[tokio::test]
async fn a_server_without_room_is_used_by_what_is_open() {
    let fresh = Fresh::new(Engine::Postgres).await;
    fresh.store.create_client(&client("app")).await.unwrap();
    let user = format!("{}_one", fresh.name());
    let mut conn = PgConnection::connect(&fresh.url).await.unwrap();
    conn.execute(AssertSqlSafe(format!(
        "CREATE ROLE {user} LOGIN PASSWORD 'x' CONNECTION LIMIT 1; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}"
    )))
    .await
    .unwrap();
    let mut url = url::Url::parse(&fresh.url).unwrap();
    url.set_username(&user).unwrap();
    url.set_password(Some("x")).unwrap();
    let store = Store::open(&DatabaseSettings { url: url.to_string(), max_connections: 4 }).await.unwrap();
    assert!(store.client(&client_id("app")).await.unwrap().is_some());
    let elsewhere = store.clone();
    let found = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { elsewhere.client(&client_id("app")).await })
    });
    assert!(found.await.unwrap().unwrap().is_some());
    store.close().await;
    conn.execute(AssertSqlSafe(format!("DROP OWNED BY {user}; DROP ROLE {user}"))).await.unwrap();
    conn.close().await.unwrap();
    fresh.end().await;
}

/// A user without rights hears which, not that the database is away.
#[tokio::test]
async fn a_missing_right_is_named() {
    let fresh = Fresh::new(Engine::Postgres).await;
    let user = format!("{}_reader", fresh.name());
    let mut conn = PgConnection::connect(&fresh.url).await.unwrap();
    conn.execute(AssertSqlSafe(format!("CREATE ROLE {user} LOGIN PASSWORD 'x'"))).await.unwrap();
    let mut url = url::Url::parse(&fresh.url).unwrap();
    url.set_username(&user).unwrap();
    url.set_password(Some("x")).unwrap();
    let store = open(url.as_str()).await;
    let told = store.clients(None).await.unwrap_err();
    assert!(matches!(told, StoreError::Schema(_)), "{told:?}");
    assert!(told.to_string().starts_with("the database's user lacks a right (permission denied for "), "{told}");
    assert!(!told.to_string().contains("not available"), "{told}");
    store.close().await;
    conn.execute(AssertSqlSafe(format!("DROP ROLE {user}"))).await.unwrap();
    conn.close().await.unwrap();
    fresh.end().await;
}

/// A request that is given up in the middle of a transaction leaves nothing behind, and its connection is not used again.
#[tokio::test]
async fn a_call_given_up_leaves_nothing_behind() {
    let fresh = Fresh::new(Engine::Postgres).await;
    fresh.store.create_client(&client("app")).await.unwrap();
    let one = Store::open(&DatabaseSettings { url: fresh.url.clone(), max_connections: 1 }).await.unwrap();
    let mut holder = PgConnection::connect(&fresh.url).await.unwrap();
    holder.execute("BEGIN; DELETE FROM client_redirect_uri").await.unwrap();
    let mut changed = client("app");
    changed.name = "Changed".to_owned();
    changed.redirect_uris.truncate(1);
    let uris = [UriPurpose::Redirect];
    let given_up = tokio::time::timeout(Duration::from_millis(500), one.update_client(&changed, &uris)).await;
    assert!(given_up.is_err(), "it waits for the rows that the other deletes");
    holder.execute("ROLLBACK").await.unwrap();
    assert_eq!(one.client(&client_id("app")).await.unwrap(), Some(client("app")));
    changed.updated_at = at(1);
    assert!(one.update_client(&changed, &uris).await.unwrap());
    assert_eq!(fresh.store.client(&client_id("app")).await.unwrap(), Some(changed));
    one.close().await;
    fresh.end().await;
}

/// Another process holds SQLite's write lock for too long: all who wait are told together, readers are not disturbed,
/// and afterwards everything goes on.
#[tokio::test]
async fn a_locked_file_ends_in_time() {
    let fresh = Fresh::new(Engine::Sqlite).await;
    let store = &fresh.store;
    store.create_client(&client("app")).await.unwrap();
    let mut holder = SqliteConnection::connect(&fresh.url).await.unwrap();
    holder.execute("BEGIN IMMEDIATE").await.unwrap();
    let start = Instant::now();
    let writes = futures_util::future::join_all(
        (0..20).map(|number| async move { store.put_form(&hash(&number.to_string()), "/", "", at(1)).await }),
    );
    let id = client_id("app");
    let (written, read) = tokio::join!(writes, store.client(&id));
    assert!(written.iter().all(|told| matches!(told, Err(StoreError::Unavailable(_)))), "{written:?}");
    assert!(start.elapsed() < Duration::from_secs(9), "{:?}", start.elapsed());
    assert!(read.unwrap().is_some());
    holder.execute("ROLLBACK").await.unwrap();
    store.put_form(&hash("after"), "/", "", at(1)).await.unwrap();
    holder.close().await.unwrap();
    fresh.end().await;
}

#[tokio::test]
async fn connections_to_postgres_say_who_they_are() {
    let fresh = Fresh::new(Engine::Postgres).await;
    fresh.store.ping().await.unwrap();
    let mut admin = admin().await;
    let text = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND application_name = 'latchkey'";
    let connections: i64 = sqlx::query_scalar(text).bind(fresh.name()).fetch_one(&mut admin).await.unwrap();
    assert!(connections >= 1);
    fresh.end().await;
}
