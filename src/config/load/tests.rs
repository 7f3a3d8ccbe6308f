//! What a configuration is made of, and all the ways to get it wrong.

use std::io::Write;
use std::time::Duration;

use super::super::Credential;
use super::*;
use crate::domain::TokenHash;

mod tables;

const SEALING_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

fn env(pairs: &[(&str, &str)]) -> std::vec::IntoIter<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>().into_iter()
}

fn from_env(pairs: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    Config::load(None, env(pairs), &Flags::default())
}

// A file of its own for each test, gone when the test ends.
struct File(std::path::PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("latchkey-config-{}-{name}.toml", std::process::id()));
        std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        Self(path)
    }

    fn load(&self) -> Result<Config, ConfigErrors> {
        Config::load(Some(&self.0), env(&[]), &Flags::default())
    }

    // The problems without the file's own name.
    fn problems(&self) -> Vec<String> {
        let place = format!("file {}", self.0.display());
        self.load().unwrap_err().0.iter().map(|problem| problem.to_string().replace(&place, "file")).collect()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn every_default_can_be_read() {
    let config = Config::untouched().unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.server.issuer.as_str(), "http://localhost:8080");
    assert_eq!(config.wallet.chains, [137, 80_002, 1]);
    assert_eq!(config.tokens.developer_token, Duration::from_hours(14 * 24));
    assert_eq!(config.database_url().as_str(), "sqlite://./data/latchkey.db");
    assert_eq!(config.sealing_key_file(), std::path::Path::new("./data/sealing.key"));
    assert_eq!(config.effective().len(), all().count());
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let file = File::new("order", "[server]\nlisten = '127.0.0.1:1'\nworkers = 1\n[data]\ndir = '/a'");
    let variables =
        [("LATCHKEY_SERVER_LISTEN", "127.0.0.1:2"), ("LATCHKEY_DATA_DIR", "/b"), ("LATCHKEY_SERVER_WORKERS", ""), ("HOME", "/x")];
    let flags = Flags { listen: Some("127.0.0.1:3".to_owned()), ..Flags::default() };
    let config = Config::load(Some(&file.0), env(&variables), &flags).unwrap();
    assert_eq!(config.server.listen.port(), 3);
    assert_eq!(config.server.issuer.as_str(), "http://localhost:3");
    assert_eq!(config.server.workers, 1);
    assert_eq!(config.database_url().as_str(), "sqlite:///b/latchkey.db");
    let source = |path: &str| config.effective().iter().find(|row| row.path == path).map(|row| row.source.to_string());
    assert_eq!(source("server.listen").as_deref(), Some("flag --listen"));
    assert_eq!(source("data.dir").as_deref(), Some("environment LATCHKEY_DATA_DIR"));
    assert_eq!(source("log.format").as_deref(), Some("default"));
}

#[test]
fn the_operations_port_can_be_off_and_lists_are_read() {
    let config = from_env(&[
        ("LATCHKEY_SERVER_OPERATIONS_LISTEN", "off"),
        ("LATCHKEY_SERVER_TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
        ("LATCHKEY_WALLET_CHAINS", "1,31337"),
        ("LATCHKEY_TEST_ANYTHING", "1"),
        ("LATCHKEY_CONFIG", "elsewhere"),
    ])
    .unwrap();
    assert_eq!(config.server.operations_listen, None);
    assert_eq!(config.server.trusted_proxies.len(), 2);
    assert_eq!(config.wallet.chains, [1, 31_337]);
}

#[test]
fn all_problems_are_told_at_once() {
    let file = File::new(
        "all",
        "colour = 1\n[server]\nlisten = 'localhost'\nissuer = 'http://id.example'\nworkers = 'many'\nlisen = 1\n[data]\nlisten = ''\n\
         [tokens]\ncode_lifetime = '61s'\naccess_token = 3600\nsubject = 'wallet'\n[log]\nfilter = 'latchkey=loud'\nformat = true\n\
         [sesion]\nidle = '1h'\n[session]\nidle = '31d'\n[keys]\nsealing_key = 5\n[wallet]\nchains = [1, 1]\n[interaction]\nlifetime = []\n[limits]\nsignins_per_minute = 0",
    );
    let variables = [("LATCHKEY_SERVER_OPERATIONS_LISTEN", "8080"), ("LATCHKEY_SERVER_LISTN", "x"), ("LATCHKEY_PORT", "tcp://10.0.0.1:80")];
    let flags = Flags { database: Some("mysql://me:hunter2@host/db".to_owned()), ..Flags::default() };
    let told = Config::load(Some(&file.0), env(&variables), &flags).unwrap_err();
    let place = format!("file {}", file.0.display());
    insta::assert_snapshot!(told.to_string().replace(&place, "file"));
    assert!(!told.to_string().contains("hunter2"));
}

#[test]
fn what_must_fit_together() {
    for (pairs, path) in [
        (&[("LATCHKEY_SERVER_OPERATIONS_LISTEN", "127.0.0.1:8080")][..], "server.operations_listen"),
        (&[("LATCHKEY_KEYS_SEALING_KEY", SEALING_KEY), ("LATCHKEY_KEYS_SEALING_KEY_FILE", "y")], "keys.sealing_key"),
        (&[("LATCHKEY_KEYS_SEALING_KEY", "hunter2")], "keys.sealing_key"),
        (&[("LATCHKEY_KEYS_ROTATE_EVERY", "10m")], "keys.publish_ahead"),
        (&[("LATCHKEY_SESSION_LIFETIME", "1d")], "session.idle"),
        (&[("LATCHKEY_WALLET_CHAINS", ",")], "wallet.chains"),
        (&[("LATCHKEY_DATABASE_URL", "postgres://me:a/b@host/db")], "database.url"),
        (&[("LATCHKEY_DATABASE_URL", "sqlite://")], "database.url"),
        (&[("LATCHKEY_DATABASE_URL", "latchkey.db")], "database.url"),
    ] {
        let told = from_env(pairs).unwrap_err();
        assert_eq!(told.0.iter().map(|problem| problem.path.as_str()).collect::<Vec<_>>(), [path]);
    }
}

#[test]
fn a_file_that_cannot_be_read_says_so_and_quotes_nothing() {
    let broken = File::new("broken", "[server]\nlisten = '127.0.0.1:1'\n[keys]\nsealing_key = \"hunter2\n");
    let [problem] = &broken.problems()[..] else { panic!("one problem") };
    assert!(problem.starts_with("file: is not TOML: line 4: "), "{problem}");
    assert!(!problem.contains("hunter2"));
    let missing = Config::load(Some(Path::new("/nowhere/latchkey.toml")), env(&[]), &Flags::default()).unwrap_err();
    assert!(missing.to_string().contains("file /nowhere/latchkey.toml: cannot be read: No such file"), "{missing}");
}

#[test]
fn a_password_shows_nowhere() {
    let config = from_env(&[
        ("LATCHKEY_DATABASE_URL", "postgres://me:hunter2@db.example:5432/latchkey?sslmode=require"),
        ("LATCHKEY_KEYS_SEALING_KEY", SEALING_KEY),
    ])
    .unwrap();
    assert!(!format!("{config:?}").contains(SEALING_KEY));
    assert!(config.effective().iter().all(|row| row.value.as_deref() != Some(SEALING_KEY)));
    assert_eq!(config.database_url().to_string(), "postgres://db.example:5432/latchkey");
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn the_reference_reads_back_as_the_defaults() {
    let uncommented = |line: &str| match line.strip_prefix('#') {
        // What stands there empty is to be filled in.
        Some(setting) if !setting.starts_with(' ') && !setting.ends_with("\"\"") => setting.to_owned(),
        _ => line.to_owned(),
    };
    let text = super::super::example_file();
    let text: Vec<String> = text.lines().take_while(|line| *line != "#[[clients]]").map(uncommented).collect();
    let read = File::new("reference", &text.join("\n")).load().unwrap();
    let untouched = Config::untouched().unwrap();
    // An empty list and no list are one, and texts in a list have quotes.
    let plain = |text: &String| Some(text.replace(['[', ']', '"'], "")).filter(|text| !text.is_empty());
    let values =
        |config: &Config| config.effective().iter().map(|row| (row.path.clone(), row.value.as_ref().and_then(plain))).collect::<Vec<_>>();
    assert_eq!(values(&read), values(&untouched));
}

#[test]
fn assets_have_an_issuer_of_their_own() {
    let untouched = from_env(&[("LATCHKEY_SERVER_LISTEN", "127.0.0.1:9000")]).unwrap();
    assert_eq!(untouched.asset_issuer(), "http://localhost:9000/assets");
    assert_eq!(
        (untouched.assets.audiences, untouched.assets.longest_grant),
        (vec!["dimo.zone".to_owned()], Duration::from_hours(365 * 24))
    );
    let set = from_env(&[("LATCHKEY_ASSETS_ISSUER", "https://assets.example"), ("LATCHKEY_ASSETS_AUDIENCES", "a, b")]).unwrap();
    assert_eq!((set.asset_issuer().as_str(), set.assets.audiences.len()), ("https://assets.example", 2));
    for (name, value, problem) in [
        ("ISSUER", "http://localhost:8080", "http://localhost:8080 is also server.issuer"),
        ("ISSUER", "http://id.example/assets", "is not an https URL"),
        ("AUDIENCES", ",", "names no audience"),
        ("AUDIENCES", "a b", "`a b` is no audience"),
        ("TOKEN_LIFETIME", "11m", "`11m` is out of range"),
    ] {
        let told = from_env(&[(&format!("LATCHKEY_ASSETS_{name}"), value)]).unwrap_err().to_string();
        assert!(told.contains(problem), "{name}={value}: {told}");
    }
}
