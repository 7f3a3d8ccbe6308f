//! What a configuration is made of, and all the ways to get it wrong.

use std::io::Write;
use std::time::Duration;

use super::super::Credential;
use super::*;
use crate::domain::TokenHash;

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
fn clients_of_the_file() {
    let secret_file = File::new("secret", &format!("{}\n", "s".repeat(32)));
    let file = File::new(
        "clients",
        &format!(
            "[[clients]]\nid = 'web'\nname = 'Web'\nsecret = '{}'\nredirect_uris = ['https://web.example/cb']\npkce = 'optional'\naccess_token = '10m'\n\
             [[clients]]\nid = 'app'\nname = 'App'\npublic = true\nredirect_uris = ['com.example.app:/cb']\nsubject = 'pairwise'\n\
             [[clients]]\nid = 'api'\nname = 'API'\nsecret_file = '{}'\nredirect_uris = ['https://api.example/cb']\npost_logout_redirect_uris = ['https://api.example/']\nbackchannel_logout_uri = 'https://api.example/ended'",
            "x".repeat(32),
            secret_file.0.display()
        ),
    );
    let clients = file.load().unwrap().clients;
    assert_eq!(clients.len(), 3);
    assert_eq!(clients[0].credential, Credential::Secret(TokenHash::of(&"x".repeat(32))));
    assert_eq!(clients[0].access_token, Some(Duration::from_mins(10)));
    assert_eq!(clients[1].credential, Credential::Public);
    assert_eq!(clients[2].credential, Credential::Secret(TokenHash::of(&"s".repeat(32))));
    assert_eq!(clients[2].backchannel_logout_uri.as_deref(), Some("https://api.example/ended"));
    assert_eq!(clients[0].backchannel_logout_uri, None);
}

#[test]
fn clients_of_the_file_with_keys() {
    let keys = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"one"}]}"#;
    let (good, bad) = (File::new("keys", keys), File::new("bad-keys", &keys.replace("\"kid\"", "\"d\":\"AA\",\"kid\"")));
    let entry = |rest: &str| format!("[[clients]]\nid = 'job'\nname = 'Job'\n{rest}\n");
    let machine = "grant_types = ['client_credentials']\nscope = 'write read'";
    let file = File::new("key-clients", &entry(&format!("{machine}\njwks_file = '{}'\nauth_signing_alg = 'EdDSA'", good.0.display())));
    let clients = file.load().unwrap().client_records(crate::domain::Timestamp::from_seconds(0));
    let client = &clients[0];
    assert_eq!((client.auth_method, client.secret_hash), (crate::domain::AuthMethod::PrivateKeyJwt, None));
    assert_eq!(client.metadata.jwks, Some(serde_json::from_str(keys).unwrap()));
    assert_eq!(client.metadata.scope.as_ref().unwrap().to_string(), "read write");
    assert_eq!(client.metadata.grant_types, [crate::domain::GrantType::ClientCredentials].into());
    let secret = format!("secret = '{}'", "x".repeat(32));
    let uri = "redirect_uris = ['https://a.example/cb']";
    for (rest, line) in [
        (format!("{uri}\njwks_file = '{}'", bad.0.display()), "jwks_file (file): "),
        (format!("{uri}\njwks_uri = 'https://a.example/jwks'\n{secret}"), "secret (file): only one of"),
        (format!("{uri}\n{secret}\nauth_method = 'private_key_jwt'"), "auth_method (file): private_key_jwt does not fit"),
        (format!("{uri}\npublic = true\ngrant_types = ['client_credentials']"), "grant_types (file): a public client"),
        (format!("{uri}\n{secret}\ngrant_types = []"), "grant_types (file): there is no grant"),
        (format!("{uri}\n{secret}\ngrant_types = ['password']"), "grant_types (file): `password` is no such word"),
        (secret, "redirect_uris (file): there is no redirect URI"),
    ] {
        let told = File::new("wrong-key-client", &entry(&rest)).problems().join("\n");
        assert!(told.contains(line), "{rest}: {told}");
    }
}

#[test]
fn every_problem_of_every_client_is_told() {
    let file = File::new(
        "bad-clients",
        "[[clients]]\nid = 'a b'\nsecret = 'hunter2'\n[[clients]]\nid = '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed'\nname = 'L'\npublic = true\npkce = 'optional'\n\
         [[clients]]\nid = 'c'\nname = 'C'\nredirect_uri = 'x'\nredirect_uris = ['https://c.example/#']\n[[clients]]\nid = 'd'\nname = 'D'\nredirect_uris = ['https://d.example/']\n\
         [[clients]]\nid = 'd'\nname = 'D'\nredirect_uris = ['https://d.example/']\nsecret = 'hunter2'\naccess_token = '2h'\n\
         [[clients]]\nid = 'e'\nname = 'E'\nredirect_uris = ['https://d.example/']\nsecret = 'hunter2'\n\
         [[clients]]\nid = 'f'\nname = 'F'\nredirect_uris = ['https://d.example/']\npublic = true\nsecret_file = '/nowhere'\nbackchannel_logout_uri = 'http://d.example/'",
    );
    let told = file.problems().join("\n");
    assert!(!told.contains("hunter2"));
    insta::assert_snapshot!(told);
    for line in [
        "clients[0].secret (file): the secret has 7",
        "clients[4].id (file): d is the id of clients[3] too",
        "clients[4].secret (file): the secret",
        "clients[6].backchannel_logout_uri (file): it uses https",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    let plain = "[[clients]]\nid = 'g'\nname = 'G'\nredirect_uris = ['https://g.example/']\npublic = true\nbackchannel_logout_uri = 'http://localhost:1/'";
    let opened = format!("[egress]\nallow_private_networks = true\n{plain}");
    assert!(File::new("plain", plain).problems().join("\n").contains("clients[0].backchannel_logout_uri"));
    assert!(File::new("opened", &opened).load().is_ok());
    let single = File::new("single", "[clients]\nid = 'a'");
    assert_eq!(single.problems(), ["clients (file): is not a list of clients; expected [[clients]], once for each client"]);
}

#[test]
fn resources_of_the_file() {
    let file = File::new(
        "resources",
        r#"
        [[resources]]
        uri = "https://garage.example/api"
        name = "The Garage"
        scopes = { "garage:read" = "See the vehicles in your garage" }
        clients = ["garage-server"]
        [[resources]]
        uri = "urn:example:bare"
        name = "Bare"
        "#,
    );
    let resources = file.load().unwrap().resources;
    assert_eq!((resources.len(), resources[0].uri.as_str(), resources[0].clients.len()), (2, "https://garage.example/api", 1));
    assert_eq!(resources[0].scopes["garage:read"], "See the vehicles in your garage");
    assert!(resources[1].scopes.is_empty());
}

#[test]
fn every_problem_of_every_resource_is_told() {
    let file = File::new(
        "bad-resources",
        r#"
        [[resources]]
        uri = "https://garage.example/api"
        name = "The Garage"
        scopes = { "garage:read" = "See it", "openid" = "Mine", "a b" = "Two", "empty" = " " }
        [[resources]]
        uri = "https://garage.example/api"
        name = "Again"
        scopes = { "garage:read" = "See it too" }
        [[resources]]
        uri = "garage"
        nam = "x"
        scopes = { "garage:write" = 1 }
        "#,
    );
    let problems = file.problems();
    for part in [
        "resources[0].scopes (file): `openid` is a scope of this server itself",
        "resources[0].scopes (file): `a b` is no scope",
        "resources[0].scopes (file): `empty` needs a sentence",
        "resources[1].uri (file): https://garage.example/api is declared twice",
        "resources[1].scopes (file): `garage:read` belongs to another resource",
        "resources[2].uri (file):",
        "resources[2].nam (file): is not a setting of a resource: did you mean `name`?",
        "resources[2].name (file): is missing",
        "resources[2].scopes (file): holds a scope whose sentence is not text",
    ] {
        assert!(problems.iter().any(|problem| problem.starts_with(part)), "{part}: {problems:#?}");
    }
    assert_eq!(problems.len(), 9, "{problems:#?}");
    assert!(File::new("no-list", "resources = 1").problems()[0].contains("[[resources]]"));
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

#[test]
fn permissions_of_the_file_take_the_place_of_the_usual_ones() {
    let file = File::new(
        "permissions",
        r#"
        [[permissions]]
        name = "garage:open"
        id = 9
        title = "Open the garage"
        sentence = "Open the door of the garage"
        risk = "high"
        icon = "command"
        [[permissions]]
        name = "fleet:list"
        id = 9
        method = "ethr"
        title = "List"
        sentence = "See which cars there are"
        [[permission_templates]]
        id = "door"
        title = "The door"
        permissions = ["garage:open"]
        [[clients]]
        id = "app"
        name = "App"
        public = true
        redirect_uris = ["https://app.example/cb"]
        audiences = ["my-app"]
        permissions = ["garage:open"]
        first_party = true
        "#,
    );
    let config = file.load().unwrap();
    let shown: Vec<String> =
        config.vocabulary.terms().iter().map(|term| format!("{} {} {} {}", term.name, term.id, term.method, term.risk)).collect();
    assert_eq!(shown, ["garage:open 9 erc721 high", "fleet:list 9 ethr medium"]);
    assert_eq!(config.vocabulary.templates().len(), 1);
    let metadata = &config.clients[0].metadata;
    assert_eq!(metadata.audiences.as_deref(), Some(&["my-app".to_owned()][..]));
    assert_eq!((metadata.permissions.as_ref().map(ToString::to_string).as_deref(), metadata.first_party), (Some("garage:open"), true));
    assert_eq!(config.client_records(crate::domain::Timestamp::from_seconds(0))[0].metadata, *metadata);
    // Without any, there are the usual ones, and a client has no limits.
    let usual = Config::untouched().unwrap().vocabulary;
    assert_eq!((usual.terms().len(), usual.templates().len()), (14, 2));
}

#[test]
fn what_is_wrong_with_permissions_is_told_at_once() {
    let file = File::new(
        "bad-permissions",
        r#"
        [[permissions]]
        name = "garage open"
        id = 0
        method = "erc20"
        title = " "
        sentence = "x"
        risk = "none"
        icon = "smile"
        [[permissions]]
        name = "a"
        id = 1
        title = "A"
        sentence = "A"
        [[permissions]]
        name = "a"
        id = 2
        title = "A"
        sentence = "A"
        [[permissions]]
        name = "b"
        id = 1
        title = "1234567890123456789012345678901234567890123456789012345678901"
        sentence = "B"
        [[permission_templates]]
        id = "1"
        title = "One"
        permissions = []
        [[permission_templates]]
        id = "2"
        titel = "Two"
        permissions = ["a"]
        [[clients]]
        id = "app"
        name = "App"
        public = true
        redirect_uris = ["https://app.example/cb"]
        audiences = ["my app"]
        permissions = ["a", "c"]
        "#,
    );
    insta::assert_snapshot!(file.problems().join("\n"));
    let one = File::new("one-permission", "[permissions]\nname = 'a'");
    assert_eq!(one.problems(), ["permissions (file): is not a list of permissions; expected [[permissions]], once for each permission"]);
    let template = "[[permission_templates]]\nid = 'x'\ntitle = 'X'\npermissions = ['privilege:GetLiveData', 'privilege:No']";
    let unknown = File::new("unknown-permission", template);
    assert_eq!(unknown.problems(), ["permission_templates[0].permissions (file): there are no such permissions: privilege:No"]);
}
