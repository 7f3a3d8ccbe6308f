//! Providers at which people sign in, on this machine: one by OpenID Connect, one that is like Apple, and a GitHub. What they answer with
//! is what a test puts there.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::actors::{Answer, Browser, Form};
use crate::forge::part;
use crate::site::{Page, Site, authority};
use crate::world::{BEGINNING, Engine as Database, World};

/// Makes a test of each engine out of a function of a world and its providers.
#[macro_export]
macro_rules! with_providers {
    ($($name:ident)*) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                $crate::provider::run($crate::world::Engine::Sqlite, async |world, there| super::$name(world, there).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                $crate::provider::run($crate::world::Engine::Postgres, async |world, there| super::$name(world, there).await).await;
            }
        }
    )*};
}

pub(crate) async fn run(engine: Database, body: impl AsyncFnOnce(&World, &Providers)) {
    let there = Providers::open();
    let (file, ca) = (there.file(), authority());
    let world = World::new(engine, &[("FILE", file.as_str()), ("EGRESS_EXTRA_CA_FILE", ca)]).await;
    body(&world, &there).await;
}

/// What the providers call this server.
pub(crate) const CLIENT_ID: &str = "us & co";
pub(crate) const CLIENT_SECRET: &str = "a secret: of ours?";
pub(crate) const ACCESS_TOKEN: &str = "the-access-token";

/// A key of a provider's.
pub(crate) struct Key {
    pair: EcdsaKeyPair,
    pub(crate) kid: String,
}

impl Key {
    pub(crate) fn new(kid: &str) -> Self {
        Self { pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(), kid: kid.to_owned() }
    }

    /// Its public half as a JWK.
    pub(crate) fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        json!({ "kty": "EC", "crv": "P-256", "use": "sig", "kid": self.kid, "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..]) })
    }

    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", part(header), part(claims));
        let signed = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signed.as_ref()))
    }

    /// An ID token as a provider makes it.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.sign(&json!({ "alg": "ES256", "kid": self.kid }), claims)
    }

    fn pem(&self) -> String {
        let der = self.pair.to_pkcs8v1().unwrap();
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()))
    }
}

/// The providers of one test: `house` (OpenID Connect), `apple`, `git` (GitHub), and `annex`, another one of OpenID Connect.
pub(crate) struct Providers {
    pub(crate) site: Site,
    pub(crate) key: Key,
    /// The one that Apple gave us.
    pub(crate) ours: Key,
    key_file: std::path::PathBuf,
}

/// A browser that was sent to a provider.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) upstream: &'static str,
    /// The address that it was sent to, without the query.
    pub(crate) endpoint: String,
    pub(crate) query: Form,
}

impl Providers {
    fn open() -> Self {
        let (site, key, ours) = (Site::open(), Key::new("k1"), Key::new("KEY1234567"));
        let key_file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("AuthKey-{}.p8", site.port()));
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&key_file).unwrap();
        file.write_all(ours.pem().as_bytes()).unwrap();
        let there = Self { site, key, ours, key_file };
        for place in ["", "/apple", "/annex"] {
            there.describes_itself(place, |_| {});
            there.publishes(place, &[&there.key]);
        }
        there
    }

    /// The configuration file that knows them.
    fn file(&self) -> String {
        let oidc = |id: &str, name: &str, place: &str| {
            format!(
                "[[upstreams]]\nid = '{id}'\nkind = 'oidc'\nname = '{name}'\nclient_id = '{CLIENT_ID}'\nclient_secret = '{CLIENT_SECRET}'\nissuer = '{}'\n",
                self.issuer(place)
            )
        };
        format!(
            "{}{}[[upstreams]]\nid = 'apple'\nkind = 'apple'\nclient_id = '{CLIENT_ID}'\nteam_id = 'TEAM123456'\nkey_id = 'KEY1234567'\nprivate_key_file = '{}'\nissuer = '{}'\n\
             [[upstreams]]\nid = 'git'\nkind = 'github'\nclient_id = '{CLIENT_ID}'\nclient_secret = '{CLIENT_SECRET}'\nissuer = '{}'\n",
            oidc("house", "The House", ""),
            oidc("annex", "The Annex", "/annex"),
            self.key_file.display(),
            self.issuer("/apple"),
            self.issuer(""),
        )
    }

    pub(crate) fn issuer(&self, place: &str) -> String {
        self.site.url(place)
    }

    /// Puts its discovery document there, as `change` wants it.
    pub(crate) fn describes_itself(&self, place: &str, change: impl FnOnce(&mut Value)) {
        let url = |path: &str| self.site.url(&format!("{place}{path}"));
        let mut document = json!({
            "issuer": self.issuer(place), "authorization_endpoint": url("/authorize"), "token_endpoint": url("/token"), "jwks_uri": url("/keys"),
        });
        change(&mut document);
        self.site.put(&format!("{place}/.well-known/openid-configuration"), Page::json(&document));
    }

    pub(crate) fn publishes(&self, place: &str, keys: &[&Key]) {
        let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
        self.site.put(&format!("{place}/keys"), Page::json(&json!({ "keys": keys })));
    }

    /// What it gives for a code from now on.
    pub(crate) fn gives(&self, place: &str, id_token: &str) {
        let body = json!({ "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 60, "id_token": id_token });
        self.site.put(&format!("{place}/token"), Page::json(&body));
    }

    /// The claims about Ada, in answer to what was sent.
    pub(crate) fn ada(&self, place: &str, sent: &Sent) -> Value {
        json!({
            "iss": self.issuer(place), "sub": "ada-1", "aud": CLIENT_ID, "exp": BEGINNING + 86_400, "iat": BEGINNING, "nonce": sent.query.get("nonce"),
            "name": "Ada Lovelace", "email": "Ada@Example.com", "email_verified": true, "amr": ["pwd", "otp"],
        })
    }

    /// Signs in at `house` as who the claims say, on the page of an interaction; the answer to what came back.
    pub(crate) async fn sign_in(&self, browser: &Browser<'_>, interaction: &str, change: impl FnOnce(&mut Value)) -> Answer {
        let sent = send(browser, interaction, "house").await;
        let mut claims = self.ada("", &sent);
        change(&mut claims);
        self.gives("", &self.key.token(&claims));
        come_back(browser, &sent, &sent.good()).await
    }
}

impl Drop for Providers {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.key_file);
    }
}

impl Sent {
    /// What the provider sends it back with.
    pub(crate) fn good(&self) -> Form {
        Form::of(&[("code", "the-code"), ("state", self.query.get("state"))])
    }
}

/// Presses a provider's button on the page of an interaction.
pub(crate) async fn send(browser: &Browser<'_>, interaction: &str, upstream: &'static str) -> Sent {
    let page = browser.get(interaction).await;
    assert!(page.is_sign_in(), "{} {}", page.status, page.body);
    let path = format!("{interaction}/upstream/{upstream}");
    let leave = browser.post_form(&path, &page.form(&format!("/upstream/{upstream}"))).await;
    assert_eq!((leave.status, leave.header("cache-control")), (200, "no-store"), "{}", leave.body);
    let refresh =
        leave.body.split("http-equiv=\"refresh\" content=\"0; url=").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
    assert!(leave.body.contains(&format!("href=\"{}\"", refresh.replace('&', "&#38;"))), "the link leads there too");
    let url = url::Url::parse(&refresh).unwrap();
    let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let query = Form::of(&query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>());
    Sent { upstream, endpoint: format!("{}{}", url.origin().ascii_serialization(), url.path()), query }
}

/// Comes back to a provider's callback.
pub(crate) async fn come_back(browser: &Browser<'_>, sent: &Sent, answer: &Form) -> Answer {
    browser.get(&format!("/upstream/{}/callback?{}", sent.upstream, answer.encode())).await
}

/// Asserts that it is the sign-in page once more, with this title, and that nobody is signed in.
pub(crate) fn refused(browser: &Browser<'_>, answer: &Answer, status: u16, title: &str, what: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.body);
    assert!(answer.body.contains("id=\"signin\""), "{what}: it is no sign-in page: {}", answer.body);
    assert!(answer.body.contains(&format!("role=\"alert\" tabindex=\"-1\"><h2>{title}</h2><p>")), "{what}: {}", answer.body);
    assert_eq!(browser.cookie("latchkey_session"), None, "{what}");
}
