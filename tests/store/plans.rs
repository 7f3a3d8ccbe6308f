//! No statement that a request waits for reads a whole table: each finds its rows by an index, on both engines.

use latchkey::store::{Statement, statements};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row, SqliteConnection};

use super::harness::{Engine, Fresh};

/// Texts that may read a whole table: lists for the command line, and tables that have a handful of rows.
const MAY_SCAN: &[(&str, &str)] = &[
    ("accounts", "ACCOUNTS"),
    ("clients::read", "CLIENTS"),
    ("clients::write", "CONFIG_IDS"),
    // A deletion looks through the API's challenges of the last hour: an index would cost each sign-in more.
    ("clients::write", "DELETE"),
    ("licenses", "KEYS"),
    ("registrations", "DELETE"),
    ("signing_keys", "KEYS"),
    // As the deletions above, a few at a time.
    ("sweep", "CLIENTS"),
    ("sweep", "SIGNING_KEYS"),
];

fn hot() -> impl Iterator<Item = &'static Statement> {
    statements().filter(|statement| {
        !MAY_SCAN.iter().any(|(place, name)| statement.place.ends_with(&format!("store::{place}")) && statement.name == *name)
    })
}

#[test]
fn every_exception_exists() {
    assert_eq!(statements().count() - hot().count(), MAY_SCAN.len());
}

#[tokio::test]
async fn sqlite_scans_no_table() {
    let fresh = Fresh::new(Engine::Sqlite).await;
    let mut conn = SqliteConnection::connect(&fresh.url).await.unwrap();
    for statement in hot() {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", statement.text));
        let plan: Vec<String> = conn.fetch_all(explain).await.unwrap().iter().map(|row| row.get("detail")).collect();
        // What the statement has put together itself, a handful of rows, is read to its end.
        let own: Vec<&str> =
            plan.iter().filter_map(|step| step.strip_prefix("MATERIALIZE ").or_else(|| step.strip_prefix("CO-ROUTINE "))).collect();
        let scans = plan.iter().any(|step| match step.strip_prefix("SCAN ") {
            Some(what) => what != "CONSTANT ROW" && !own.contains(&what.split(' ').next().unwrap_or_default()),
            None => step.contains("AUTOMATIC"),
        });
        assert!(!scans, "{}::{}: {plan:#?}", statement.place, statement.name);
    }
    conn.close().await.unwrap();
    fresh.end().await;
}

/// Once a database was analysed, SQLite would prepare a statement anew for each value that it is given, because the value may change the
/// plan: that costs more than the exchange's read itself. `.cargo/config.toml` has it keep its plans.
#[tokio::test]
async fn sqlite_keeps_its_plans_whatever_the_values() {
    let fresh = Fresh::new(Engine::Sqlite).await;
    let mut conn = SqliteConnection::connect(&fresh.url).await.unwrap();
    let kept: bool = sqlx::query_scalar("SELECT sqlite_compileoption_used('ENABLE_QPSG')").fetch_one(&mut conn).await.unwrap();
    assert!(kept, "built without .cargo/config.toml, or before it changed: `cargo clean --package libsqlite3-sys`");
    conn.close().await.unwrap();
    fresh.end().await;
}

#[tokio::test]
async fn postgres_scans_no_table() {
    let fresh = Fresh::new(Engine::Postgres).await;
    let mut conn = PgConnection::connect(&fresh.url).await.unwrap();
    // The tables are empty, so a scan is always cheapest: forbidden, it is chosen only where there is no other way.
    // A plan that does not look at the parameters is the one that a server makes of a statement it has seen often.
    conn.execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan").await.unwrap();
    for statement in hot() {
        let parameters = (1..40).take_while(|number| statement.text.contains(&format!("${number}"))).count();
        conn.execute(AssertSqlSafe(format!("PREPARE hot AS {}", statement.text))).await.unwrap();
        let arguments = vec!["NULL"; parameters].join(", ");
        let call = if parameters == 0 { String::new() } else { format!("({arguments})") };
        let plan: Vec<String> = conn
            .fetch_all(AssertSqlSafe(format!("EXPLAIN EXECUTE hot{call}")))
            .await
            .unwrap()
            .iter()
            .map(|row| row.get::<String, _>(0))
            .collect();
        assert!(!plan.iter().any(|step| step.contains("Seq Scan")), "{}::{}: {plan:#?}", statement.place, statement.name);
        conn.execute("DEALLOCATE hot").await.unwrap();
    }
    conn.close().await.unwrap();
    fresh.end().await;
}
