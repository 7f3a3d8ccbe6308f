//! The same commands on Postgres: the one of `LATCHKEY_TEST_POSTGRES`, the URL of its administrator.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::operator::{Operator, text};

const OWNER: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
const URI: &str = "https://app.example/cb";

fn administer(url: &str, statement: String) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = PgConnection::connect(url).await.unwrap();
        connection.execute(AssertSqlSafe(statement)).await.unwrap();
        connection.close().await.unwrap();
    });
}

#[test]
fn clients_licenses_and_keys_live_in_postgres_too() {
    let administrator = std::env::var("LATCHKEY_TEST_POSTGRES").unwrap_or_else(|_| panic!("LATCHKEY_TEST_POSTGRES names no Postgres"));
    let name = format!("latchkey_cli_{}", std::process::id());
    administer(&administrator, format!("CREATE DATABASE {name}"));
    let (server, _) = administrator.rsplit_once('/').unwrap();
    let operator =
        Operator::new().with("LATCHKEY_DATABASE_URL", &format!("{server}/{name}")).with("LATCHKEY_SERVER_OPERATIONS_LISTEN", "off");

    assert_eq!(operator.json(&["doctor", "--listen", "127.0.0.1:0"])["checks"][2]["ok"], true);
    operator.json(&["client", "create", "--name", "A", "--id", "a", "--redirect-uri", URI]);
    let license = operator.json(&["license", "create", "--alias", "l", "--owner", OWNER, "--redirect-uri", URI]);
    let again = ["license", "create", "--alias", "l", "--owner", OWNER, "--redirect-uri", URI];
    assert_eq!(operator.refused(&again), "error: another license has this alias\n");
    operator.json(&["license", "key", "add", "--license", text(&license, "client_id")]);
    assert_eq!(operator.json(&["license", "key", "list"]).as_array().unwrap().len(), 1);
    assert_eq!(operator.json(&["client", "list"]).as_array().unwrap().len(), 1);
    // Four algorithms for sign-in and RS256 for assets, each with its next key.
    assert_eq!(operator.json(&["keys", "list"]).as_array().unwrap().len(), 10);
    // The sealing key is in the data folder, and nothing else.
    let files: Vec<_> = std::fs::read_dir(operator.folder.join("data")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["sealing.key"]);

    administer(&administrator, format!("DROP DATABASE {name} WITH (FORCE)"));
}
