//! The two schemas are one: every statement is understood by both engines, and the tables differ in types only.

use std::collections::BTreeMap;

use latchkey::store::statements;
use sqlx::{Connection, Executor, PgConnection, Row, SqlSafeStr, SqliteConnection};

use super::harness::{Engine, Fresh};

#[tokio::test]
async fn sqlite_prepares_every_statement() {
    let fresh = Fresh::new(Engine::Sqlite).await;
    let mut conn = SqliteConnection::connect(&fresh.url).await.unwrap();
    let mut count = 0;
    for statement in statements() {
        let prepared = (&mut conn).prepare(statement.text.into_sql_str()).await;
        assert!(prepared.is_ok(), "{}::{}: {:?}", statement.place, statement.name, prepared.err());
        count += 1;
    }
    assert!(count > 60, "only {count} statements are registered");
    conn.close().await.unwrap();
    fresh.end().await;
}

#[tokio::test]
async fn postgres_prepares_every_statement() {
    let fresh = Fresh::new(Engine::Postgres).await;
    let mut conn = PgConnection::connect(&fresh.url).await.unwrap();
    for statement in statements() {
        let prepared = (&mut conn).prepare(statement.text.into_sql_str()).await;
        assert!(prepared.is_ok(), "{}::{}: {:?}", statement.place, statement.name, prepared.err());
    }
    conn.close().await.unwrap();
    fresh.end().await;
}

/// Every text given to a query is one of those that the registry knows.
#[test]
fn no_statement_is_hidden_from_the_registry() {
    let mut declared = 0;
    for file in walk(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/store"))) {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if ["dialect.rs", "sqlite.rs", "postgres.rs", "writer.rs", "single.rs", "tests.rs"].contains(&name.as_str()) {
            continue;
        }
        assert!(!text.contains("sqlx::query"), "{name} runs a query without the macros of dialect.rs");
        declared += text.matches("sql! {").count();
    }
    let places: std::collections::BTreeSet<&str> = statements().map(|statement| statement.place).collect();
    assert_eq!(declared, places.len(), "a module's statements are not in the registry");
}

/// Statements are put one behind the other, with other numbers at their parameters: what is no parameter must not look like one, and
/// none may hide what comes after it.
#[test]
fn every_statement_can_stand_beside_another() {
    for statement in statements() {
        let text = statement.text;
        let quoted = text.split('\'').skip(1).step_by(2);
        assert!(quoted.clone().all(|words| !words.contains('$')), "{} has a `$` that is no parameter", statement.name);
        assert!(!["--", "/*", ";", "?"].iter().any(|mark| text.contains(mark)), "{} has a comment, an end or a bare `?`", statement.name);
    }
}

/// The history of a grant is added to, and goes with its grant; nothing else happens to it.
#[test]
fn history_is_only_added_to() {
    let of_history: Vec<_> = statements().filter(|statement| statement.text.contains("grant_event")).collect();
    assert!(of_history.len() >= 2, "{of_history:?}");
    for statement in of_history {
        let text = statement.text;
        let changes =
            ["UPDATE grant_event", "DELETE FROM grant_event", "REPLACE INTO", "ON CONFLICT"].iter().any(|words| text.contains(words));
        assert!(!changes, "{text}");
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}

/// Table and column, with the kind of value and whether it may be missing; in the table's order.
type Columns = BTreeMap<String, Vec<(String, String, bool)>>;

#[tokio::test]
async fn tables_and_columns_are_the_same() {
    let (sqlite, postgres) = (Fresh::new(Engine::Sqlite).await, Fresh::new(Engine::Postgres).await);
    let mut conn = SqliteConnection::connect(&sqlite.url).await.unwrap();
    let of_sqlite = sqlite_columns(&mut conn).await;
    conn.close().await.unwrap();
    let mut conn = PgConnection::connect(&postgres.url).await.unwrap();
    let of_postgres = postgres_columns(&mut conn).await;
    conn.close().await.unwrap();
    assert_eq!(of_sqlite.len(), 36, "{:?}", of_sqlite.keys());
    for (table, columns) in &of_postgres {
        // What SQLite may keep in the place of a Postgres type.
        let expected: Vec<_> = columns
            .iter()
            .map(|(name, kind, null)| {
                let kind = match kind.as_str() {
                    "bigint" => "INTEGER",
                    "text" | "jsonb" => "TEXT",
                    "bytea" | "uuid" => "BLOB",
                    other => panic!("{table}.{name} has the type {other}, which the dialect does not know"),
                };
                (name.clone(), kind.to_owned(), *null)
            })
            .collect();
        assert_eq!(of_sqlite.get(table), Some(&expected), "{table}");
    }
    assert_eq!(of_sqlite.keys().collect::<Vec<_>>(), of_postgres.keys().collect::<Vec<_>>());
    sqlite.end().await;
    postgres.end().await;
}

async fn sqlite_columns(conn: &mut SqliteConnection) -> Columns {
    let text = "SELECT t.name, c.name, c.type, c.\"notnull\", t.strict FROM pragma_table_list t JOIN pragma_table_info(t.name) c
                WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%' AND t.name <> '_sqlx_migrations' ORDER BY t.name, c.cid";
    let mut tables = Columns::new();
    for row in sqlx::query(text).fetch_all(conn).await.unwrap() {
        assert!(row.get::<bool, _>(4), "{} is not STRICT", row.get::<String, _>(0));
        // In a STRICT table a primary key of one column is not null whatever it says, except for INTEGER.
        tables.entry(row.get(0)).or_default().push((row.get(1), row.get(2), !row.get::<bool, _>(3)));
    }
    tables
}

async fn postgres_columns(conn: &mut PgConnection) -> Columns {
    let text = "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'YES' FROM information_schema.columns
                WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations' ORDER BY table_name, ordinal_position";
    let mut tables = Columns::new();
    for row in sqlx::query(text).fetch_all(conn).await.unwrap() {
        tables.entry(row.get(0)).or_default().push((row.get(1), row.get(2), row.get(3)));
    }
    tables
}

#[tokio::test]
async fn indexes_are_the_same() {
    let (sqlite, postgres) = (Fresh::new(Engine::Sqlite).await, Fresh::new(Engine::Postgres).await);
    let mut conn = SqliteConnection::connect(&sqlite.url).await.unwrap();
    // SQLite names no index of a UNIQUE or PRIMARY KEY constraint: those are compared by their columns.
    let text = "SELECT t.name || ' ' || CASE WHEN i.origin = 'c' THEN i.name ELSE '' END || ' (' ||
                       (SELECT group_concat(c.name, ',') FROM pragma_index_info(i.name) c) || ')'
                FROM pragma_table_list t JOIN pragma_index_list(t.name) i
                WHERE t.schema = 'main' AND t.name <> '_sqlx_migrations'";
    let mut of_sqlite: Vec<String> = sqlx::query_scalar(text).fetch_all(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    let mut conn = PgConnection::connect(&postgres.url).await.unwrap();
    let text = "SELECT t.relname || ' ' || CASE WHEN x.indisunique THEN '' ELSE i.relname END || ' (' ||
                       (SELECT string_agg(a.attname, ',' ORDER BY k.place)
                        FROM unnest(x.indkey) WITH ORDINALITY k(number, place)
                        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number) || ')'
                FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
                JOIN pg_namespace n ON n.oid = t.relnamespace
                WHERE n.nspname = 'public' AND t.relname <> '_sqlx_migrations'";
    let mut of_postgres: Vec<String> = sqlx::query_scalar(text).fetch_all(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    of_sqlite.sort();
    of_postgres.sort();
    assert_eq!(of_sqlite, of_postgres);
    assert!(of_sqlite.contains(&"authorization_code authorization_code_sweep (sweep_at)".to_owned()));
    sqlite.end().await;
    postgres.end().await;
}

#[tokio::test]
async fn migrations_have_the_same_names() {
    let names = |engine: &str| {
        let folder = format!("{}/migrations/{engine}", env!("CARGO_MANIFEST_DIR"));
        let mut names: Vec<_> = walk(std::path::Path::new(&folder)).into_iter().map(|path| path.file_name().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
    assert!(!names("sqlite").is_empty());
}
