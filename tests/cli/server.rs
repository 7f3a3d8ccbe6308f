//! `latchkey doctor`, `latchkey health`, and starts that cannot succeed.

use std::io::{BufRead, Read, Write};
use std::net::TcpListener;

use serde_json::Value;

use super::operator::Operator;

// Ports that were free a moment ago.
fn free_ports() -> (u16, u16) {
    let (a, b) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    (a.local_addr().unwrap().port(), b.local_addr().unwrap().port())
}

fn on(operator: Operator, ports: (u16, u16)) -> Operator {
    operator
        .with("LATCHKEY_SERVER_LISTEN", &format!("127.0.0.1:{}", ports.0))
        .with("LATCHKEY_SERVER_OPERATIONS_LISTEN", &format!("127.0.0.1:{}", ports.1))
}

// The checks that are bad, by name, and what was said of them.
fn bad(operator: &Operator, args: &[&str]) -> Vec<(String, String)> {
    let ended = operator.run(&[&["doctor"], args].concat());
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let bad: Vec<_> = checks
        .iter()
        .filter(|check| check["ok"] == false)
        .map(|check| (check["check"].as_str().unwrap().to_owned(), check["detail"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!((ended.code == 0, report["ok"] == true), (bad.is_empty(), bad.is_empty()), "{ended:?}");
    assert!(bad.iter().all(|(name, detail)| ended.err.contains(&format!(" BAD  {name}: {detail}"))), "{ended:?}");
    bad
}

#[test]
fn a_healthy_place_is_told_so() {
    let operator = on(Operator::new(), free_ports());
    assert_eq!(bad(&operator, &[]), []);
    assert!(!operator.folder.join("data").exists(), "to look is not to make");
}

// What the doctor says of a check.
fn said(operator: &Operator, check: &str) -> String {
    let report = operator.json(&["doctor"]);
    let found = report["checks"].as_array().unwrap().iter().find(|found| found["check"] == check).cloned();
    found.map(|found| found["detail"].as_str().unwrap().to_owned()).unwrap_or_default()
}

#[test]
fn the_doctor_changes_nothing() {
    let operator = on(Operator::new(), free_ports());
    assert!(said(&operator, "database").ends_with("does not exist yet; the first start makes it"));
    // An empty file is a database without tables.
    std::fs::create_dir(operator.folder.join("data")).unwrap();
    operator.file("data/latchkey.db", "");
    for _ in 0..2 {
        assert_eq!(said(&operator, "tables"), "the database has no tables yet; the first start makes them");
    }
    operator.json(&["migrate"]);
    for _ in 0..2 {
        assert_eq!(said(&operator, "tables"), "those of this version");
        assert_eq!(said(&operator, "keys"), "there are none yet; the first start makes them, and the sealing key");
    }
    assert!(!operator.folder.join("data/sealing.key").exists());
    operator.json(&["keys", "list"]);
    assert_eq!(said(&operator, "keys"), "the sealing key opens all 10 signing keys");
    let url = format!("sqlite://{}", operator.folder.join("data/latchkey.db").display());
    let undo = "DELETE FROM _sqlx_migrations WHERE version = 2; ALTER TABLE client DROP COLUMN undeclared_at";
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        use sqlx::{Connection, Executor};
        let mut conn = sqlx::SqliteConnection::connect(&url).await.unwrap();
        conn.execute(undo).await.unwrap();
        conn.close().await.unwrap();
    });
    for _ in 0..2 {
        assert_eq!(said(&operator, "tables"), "the database is one migration behind; the next start brings it up to date");
    }
    operator.json(&["migrate"]);
    assert_eq!(said(&operator, "tables"), "those of this version");
}

// Speaks as a mail server does, to one caller, and sends nothing on.
fn mail_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"220 mail.test\r\n").unwrap();
        let mut lines = std::io::BufReader::new(stream.try_clone().unwrap()).lines();
        while let Some(Ok(line)) = lines.next() {
            assert!(line.starts_with("EHLO") || line == "QUIT", "{line}");
            stream.write_all(b"250 mail.test\r\n").unwrap();
        }
    });
    port
}

#[test]
fn the_mail_server_is_tried() {
    let mail = |port: u16| {
        let operator = on(Operator::new(), free_ports()).with("LATCHKEY_MAIL_FROM", "id@garage.example");
        operator.with("LATCHKEY_MAIL_SMTP_URL", &format!("smtp://127.0.0.1:{port}?tls=off"))
    };
    let port = mail_server();
    assert_eq!(said(&mail(port), "mail"), format!("smtp://127.0.0.1:{port} lets us in"));
    let [(name, detail)] = &bad(&mail(free_ports().0), &[])[..] else { panic!("one ill") };
    assert!(name == "mail" && detail.contains(": the mail server cannot be used: "), "{name}: {detail}");
}

#[test]
fn each_ill_has_its_own_words() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let operator = on(Operator::new(), (port, free_ports().1));
    let [(name, detail)] = &bad(&operator, &[])[..] else { panic!("one ill") };
    assert_eq!((name.as_str(), detail.contains("cannot be listened on: Address already in use")), ("port", true), "{detail}");
    drop(taken);

    let operator = on(Operator::new(), free_ports());
    let [(name, detail)] = &bad(&operator, &["--database", "postgres://me:hunter2@127.0.0.1:1/latchkey"])[..] else { panic!("one ill") };
    assert_eq!(name, "database");
    assert!(
        detail.starts_with("postgres://127.0.0.1:1/latchkey: the database is not available") && !detail.contains("hunter2"),
        "{detail}"
    );

    let [(name, detail)] = &bad(&operator, &["--issuer", "http://id.example"])[..] else { panic!("one ill") };
    assert!(name == "configuration" && detail.contains("server.issuer (flag --issuer)"), "{detail}");

    let operator = on(Operator::new(), free_ports());
    operator.file("data", "a file where the folder should be");
    let ills = bad(&operator, &[]);
    let names: Vec<&str> = ills.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["data folder"]);
    assert!(ills[0].1.starts_with("the data folder data is a file: "), "{ills:?}");

    let operator = on(Operator::new(), free_ports());
    let [(name, detail)] = &bad(&operator, &["--database", "sqlite:///nowhere/latchkey.db"])[..] else { panic!("one ill") };
    assert_eq!((name.as_str(), detail.as_str()), ("database", "sqlite:///nowhere/latchkey.db: its folder does not exist"));

    operator.json(&["keys", "list"]);
    std::fs::write(operator.folder.join("data/sealing.key"), "ab".repeat(32)).unwrap();
    let [(name, detail)] = &bad(&operator, &[])[..] else { panic!("one ill") };
    assert!(name == "keys" && detail.contains("sealed with another key"), "{detail}");
}

#[test]
fn a_folder_or_database_that_cannot_be_used_is_a_clear_sentence() {
    let operator = Operator::new();
    operator.file("data", "a file where the folder should be");
    for command in [&["client", "list"][..], &["serve"], &["dev"]] {
        let told = operator.refused(command);
        assert!(told.starts_with("error: the data folder data is a file: name a folder with --data or data.dir"), "{told}");
    }
    let operator = Operator::new();
    let told = operator.refused(&["client", "list", "--database", "postgres://me:hunter2@127.0.0.1:1/x"]);
    assert!(told.starts_with("error: the database is not available: ") && !told.contains("hunter2"), "{told}");
    let told = operator.refused(&["client", "list", "--database", "sqlite:///nowhere/latchkey.db"]);
    assert!(told.contains("/nowhere/latchkey.db"), "{told}");
    operator.file("text.db", &"this is no database\n".repeat(100));
    let told = operator.refused(&["client", "list", "--database", "sqlite://text.db"]);
    assert_eq!(told, "error: text.db: the database file is not a SQLite database\n");
}

#[test]
fn health_asks_the_operations_port() {
    for (status, ready) in [("200 OK", true), ("503 Service Unavailable", false)] {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = server.local_addr().unwrap().port();
        let operator = on(Operator::new(), (free_ports().0, port));
        let answered = std::thread::spawn(move || {
            let (mut asked, _) = server.accept().unwrap();
            let mut request = [0; 512];
            let length = asked.read(&mut request).unwrap();
            asked.write_all(format!("HTTP/1.1 {status}\r\nConnection: close\r\n\r\n{{}}").as_bytes()).unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        let ended = operator.run(&["health"]);
        assert!(answered.join().unwrap().starts_with("GET /readyz HTTP/1.1\r\n"));
        assert_eq!(ended.code == 0, ready, "{ended:?}");
        assert_eq!(serde_json::from_str::<Value>(&ended.out).unwrap()["ready"], ready);
    }
    let operator = on(Operator::new(), free_ports());
    assert!(operator.refused(&["health"]).contains("/readyz does not answer: Connection refused"));
}
