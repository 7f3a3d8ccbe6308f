//! What a provider is made of, and all the ways to get it wrong.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use super::super::{Config, ConfigErrors, Flags};
use super::*;

// Made for this test with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgapvyU3PshRCW9ph9\nl5hoY95sHGoK9cdozNIk0Go8Qh6hRANCAARNQFV2iX/d1LR9fV9d6tickC+LW41f\nvd8z/1VLfLi/njz/uIz2G8zgU/5G+20oWjjsXgGi9/DmDI4fvVuVOmUY\n-----END PRIVATE KEY-----\n";

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("latchkey-upstreams-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str, text: &str, mode: u32) -> String {
        let path = self.0.join(name);
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        path.display().to_string()
    }

    fn load(&self, text: &str) -> Result<Config, ConfigErrors> {
        Config::load(Some(self.file("latchkey.toml", text, 0o600).as_ref()), std::iter::empty(), &Flags::default())
    }

    fn problems(&self, text: &str) -> Vec<String> {
        let problems = self.load(text).expect_err(text).0;
        problems
            .into_iter()
            .map(|problem| format!("{}: {}", problem.path, problem.problem).replace(&self.0.display().to_string(), ""))
            .collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn each_kind_in_a_few_lines() {
    let folder = Folder::new("kinds");
    let key = folder.file("AuthKey.p8", KEY, 0o600);
    let secret = folder.file("secret", "of the file\n", 0o644);
    let config = folder
        .load(&format!(
            "[[upstreams]]\nid = 'google'\nkind = 'google'\nclient_id = 'g'\nclient_secret = 'of Google'\n\
             [[upstreams]]\nid = 'apple'\nkind = 'apple'\nclient_id = 'a'\nteam_id = 'TEAM123456'\nkey_id = 'KEY1234567'\nprivate_key_file = '{key}'\n\
             [[upstreams]]\nid = 'github'\nkind = 'github'\nclient_id = 'h'\nclient_secret_file = '{secret}'\n\
             [[upstreams]]\nid = 'our-house'\nkind = 'oidc'\nname = 'Our house'\nclient_id = 'o'\nclient_secret = 's'\nissuer = 'https://id.example/realms/x/'\nscopes = 'openid email'\n"
        ))
        .unwrap();
    let told: Vec<String> = config
        .upstreams
        .iter()
        .map(|one| format!("{} {} {} {} {} {}", one.id.as_str(), one.name, one.client_id, one.issuer, one.scopes, one.callback_path()))
        .collect();
    assert_eq!(
        told,
        [
            "google Google g https://accounts.google.com email openid profile /upstream/google/callback",
            "apple Apple a https://appleid.apple.com email name openid /upstream/apple/callback",
            "github GitHub h https://github.com read:user user:email /upstream/github/callback",
            "our-house Our house o https://id.example/realms/x/ email openid /upstream/our-house/callback",
        ]
    );
    assert!(matches!(&config.upstreams[2].credential, UpstreamCredential::Secret(secret) if secret.expose() == "of the file"));
    assert!(matches!(&config.upstreams[1].credential, UpstreamCredential::Key { team_id, .. } if team_id == "TEAM123456"));
    assert!(!format!("{:?}", config.upstreams).contains("of Google"));
}

#[test]
fn what_cannot_be_a_provider_is_told() {
    let folder = Folder::new("wrong");
    let (key, loose) = (folder.file("AuthKey.p8", KEY, 0o600), folder.file("loose.p8", KEY, 0o644));
    let no_key = folder.file("no.p8", "no key", 0o600);
    let entry = |id: &str, rest: &str| format!("[[upstreams]]\nid = '{id}'\nclient_id = 'c'\n{rest}\n");
    let google = |id: &str| entry(id, "kind = 'google'\nclient_secret = 's'");
    let oidc = |rest: &str| entry("x", &format!("kind = 'oidc'\nname = 'X'\nclient_secret = 's'\n{rest}"));
    let apple = |rest: &str| entry("x", &format!("kind = 'apple'\n{rest}"));
    for (text, wanted) in [
        (google("web3"), "upstreams[0].id: web3 is a way of this server itself"),
        (google("password"), "upstreams[0].id: password is a way of this server itself"),
        (google("Google"), "upstreams[0].id: must begin with a small letter"),
        (google("a/b"), "upstreams[0].id: must begin with a small letter"),
        (google(""), "upstreams[0].id: is empty"),
        (google(&"x".repeat(33)), "upstreams[0].id: must begin with a small letter"),
        (google("g") + &google("g"), "upstreams[1].id: g is declared twice"),
        (entry("x", "kind = 'facebook'\nclient_secret = 's'"), "upstreams[0].kind: `facebook` is no such word"),
        (entry("x", "kind = 'google'"), "upstreams[0].client_secret: is missing"),
        (entry("x", "kind = 'google'\nclient_secret = 's'\nclient_secret_file = '/x'"), "upstreams[0].client_secret: only one of"),
        (entry("x", "kind = 'github'\nclient_secret_file = '/not/there'"), "upstreams[0].client_secret_file: /not/there cannot be read"),
        (entry("x", "kind = 'github'\nclient_secret = 's'\nteam_id = 't'"), "upstreams[0].team_id: is for apple alone"),
        (
            entry("x", "kind = 'github'\nclient_secret = 's'\nissuer = 'https://github.example/api'"),
            "upstreams[0].issuer: `https://github.example/api` has a path",
        ),
        (entry("x", "kind = 'oidc'\nclient_secret = 's'\nissuer = 'https://id.example'"), "upstreams[0].name: is missing"),
        (oidc(""), "upstreams[0].issuer: is missing"),
        (oidc("issuer = 'id.example'"), "upstreams[0].issuer: `id.example` is not an absolute URL"),
        (oidc("issuer = 'http://id.example'"), "upstreams[0].issuer: `http://id.example` is not https"),
        (oidc("issuer = 'https://id.example?a=b'"), "upstreams[0].issuer: `https://id.example?a=b` holds"),
        (oidc("issuer = 'https://me@id.example'"), "upstreams[0].issuer: `https://me@id.example` holds"),
        (oidc("issuer = 'https://id.example'\nscopes = 'email'"), "upstreams[0].scopes: lack openid"),
        (apple("client_secret = 's'"), "upstreams[0].client_secret: is not for apple"),
        (apple("team_id = 't'"), "upstreams[0].key_id: is missing"),
        (
            apple(&format!("team_id = 't'\nkey_id = 'k'\nprivate_key_file = '{loose}'")),
            "upstreams[0].private_key_file: /loose.p8 can be used by others",
        ),
        (
            apple(&format!("team_id = 't'\nkey_id = 'k'\nprivate_key_file = '{no_key}'")),
            "upstreams[0].private_key_file: /no.p8 holds no private key",
        ),
        (
            apple(&format!("team_id = 't'\nkey_id = 'k'\nprivate_key_file = '{key}'\nsecret = 'x'")),
            "upstreams[0].secret: is not a setting of a provider",
        ),
    ] {
        let problems = folder.problems(&text);
        assert!(problems.len() == 1 && problems[0].starts_with(wanted), "{text}: {problems:?}");
    }
    assert!(!folder.problems(&entry("x", "kind = 'google'\nclient_secret = 'hidden'\nteam_id = 't'"))[0].contains("hidden"));
}
