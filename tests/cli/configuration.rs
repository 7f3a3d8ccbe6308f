//! What the configuration says to an operator.

use serde_json::json;

use super::operator::Operator;

#[test]
fn every_problem_is_told_at_once_and_nothing_is_opened() {
    let operator = Operator::new()
        .with("LATCHKEY_SERVER_LISTEN", "localhost")
        .with("LATCHKEY_SERVER_LISTN", "x")
        .with("LATCHKEY_KEYS_SEALING_KEY", "hunter2")
        .with("LATCHKEY_KEYS_SEALING_KEY_FILE", "x");
    operator.file("c.toml", "colour = 'red'\n[tokens]\ncode_lifetime = '2m'\n[server]\nissur = 'x'\n");
    for command in [&["client", "list"][..], &["serve"], &["dev"], &["migrate"], &["keys", "list"], &["health"], &["config", "--effective"]]
    {
        let told = operator.refused(&[command, &["--config", "c.toml", "--database", "mysql://me:hunter2@db/x"]].concat());
        assert!(told.starts_with("error: the configuration has 7 problems:\n"), "{told}");
        for line in [
            "colour (file c.toml): is not a section",
            "server.issur (file c.toml): is not a setting: did you mean `server.issuer`?",
            "LATCHKEY_SERVER_LISTN (environment LATCHKEY_SERVER_LISTN): is not the name of a setting: did you mean `LATCHKEY_SERVER_LISTEN`?",
            "server.listen (environment LATCHKEY_SERVER_LISTEN): `localhost` is not an IP address with a port; expected an IP address and a port",
            "tokens.code_lifetime (file c.toml): `2m` is out of range; expected a span like 60s, 10m, 1h30m or 14d, from 1s to 60s",
            "database.url (flag --database): is neither sqlite:// nor postgres://",
            "keys.sealing_key (environment LATCHKEY_KEYS_SEALING_KEY): is no sealing key; expected 256 bits: 43 characters of base64url or 64",
        ] {
            assert!(told.contains(line), "{line}\n{told}");
        }
        assert!(!told.contains("hunter2"));
    }
    assert!(!operator.folder.join("data").exists());
}

#[test]
fn flags_of_a_server_are_settings_too() {
    let operator = Operator::new();
    let told = operator.refused(&["serve", "--listen", "here", "--issuer", "http://id.example/"]);
    assert!(
        told.contains("server.listen (flag --listen): `here` is not an IP address") && told.contains("server.issuer (flag --issuer): "),
        "{told}"
    );
}

#[test]
fn the_file_may_be_named_by_the_environment() {
    let operator = Operator::new().with("LATCHKEY_CONFIG", "c.toml").with("LATCHKEY_TEST_POSTGRES", "whatever");
    operator
        .file("c.toml", "[session]\nidle = '1d'\n[keys]\nsealing_key = '5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a'");
    let ended = operator.run(&["config", "--effective"]);
    let effective = ended.json();
    assert_eq!(effective["session.idle"], json!({ "value": "1d", "source": "file c.toml" }));
    assert_eq!(effective["session.lifetime"], json!({ "value": "30d", "source": "default" }));
    assert_eq!(effective["data.dir"], json!({ "value": "data", "source": "flag --data" }));
    assert_eq!(effective["keys.sealing_key"], json!({ "value": "…", "source": "file c.toml" }));
    assert!(!ended.out.contains("5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"));
    let missing = operator.refused(&["config", "--effective", "--config", "nowhere.toml"]);
    assert!(missing.contains("file nowhere.toml: cannot be read: No such file"), "{missing}");
}

#[test]
fn the_reference_is_a_file_that_can_be_used() {
    let operator = Operator::new();
    let reference = operator.run(&["config"]);
    assert_eq!((reference.code, reference.err.as_str()), (0, ""));
    operator.file("c.toml", &reference.out);
    let from_file = operator.json(&["config", "--effective", "--config", "c.toml"]);
    assert_eq!(from_file, operator.json(&["config", "--effective"]));
    let table = operator.run(&["config", "--markdown"]).out;
    assert!(table.contains("| `server.listen` | `127.0.0.1:8080` | The address and port on which it answers. |"), "{table}");
}

#[test]
fn the_manual_is_printed_and_nonsense_is_not_understood() {
    let operator = Operator::new();
    for args in [&["--help"][..], &["license", "key", "add", "-h"], &["client", "create", "--help"], &["--version"]] {
        let ended = operator.command(args).output().map(super::operator::Ended::from).unwrap();
        assert!(ended.code == 0 && !ended.out.is_empty(), "{ended:?}");
    }
    for args in [&[][..], &["fly"], &["client"], &["client", "show"], &["serve", "--port", "1"]] {
        assert!(!operator.misunderstood(args).is_empty());
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let operator = Operator::new();
    let mut child = operator.command(&["config"]).spawn().unwrap();
    drop(child.stdout.take());
    let ended = super::operator::Ended::from(child.wait_with_output().unwrap());
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
}
