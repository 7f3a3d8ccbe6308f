//! One server of its own for each test: the same `Application` as in production, on port 0, with a fresh database and a fixed clock.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use latchkey::app::{Application, Mode};
use latchkey::config::{Config, Flags};
use latchkey::domain::{Address, AuthMethod, ClaimsProfile, ClientId, ClientKind, Clock, Entropy, Pkce, Timestamp};
use latchkey::keys::Keyring;
use latchkey::state::State;
use latchkey::store::{ClientRecord, License, LicenseKey, SigningKeyRecord, Store};
use sqlx::{Connection, Executor};
use tokio::sync::{OnceCell, oneshot};

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// Makes a test of each engine out of one body; in brackets, settings as in the environment, without `LATCHKEY_`; `FILE` is the text
/// of a configuration file.
#[macro_export]
macro_rules! on_both {
    ($name:ident, |$world:ident| $body:block) => {
        $crate::on_both!($name, [], |$world| $body);
    };
    ($name:ident, [$($setting:expr),*], |$world:ident| $body:block) => {
        mod $name {
            use super::*;

            async fn body($world: $crate::world::World) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                body($crate::world::World::new($crate::world::Engine::Sqlite, &[$($setting),*]).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                body($crate::world::World::new($crate::world::Engine::Postgres, &[$($setting),*]).await).await;
            }
        }
    };
}

/// A test that no database can change: on SQLite only.
#[macro_export]
macro_rules! on_one {
    ($name:ident, |$world:ident| $body:block) => {
        $crate::on_one!($name, [], |$world| $body);
    };
    ($name:ident, [$($setting:expr),*], |$world:ident| $body:block) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let $world = $crate::world::World::new($crate::world::Engine::Sqlite, &[$($setting),*]).await;
            $body
        }
    };
}

/// A running server and all that a test may reach behind it.
pub(crate) struct World {
    /// `http://127.0.0.1:PORT`: where it really is. The issuer is another text, as behind a proxy.
    pub(crate) base: String,
    pub(crate) state: Arc<State>,
    pub(crate) clock: Clock,
    pub(crate) folder: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    database: Option<(String, String)>,
}

/// Another server of a world.
pub(crate) struct Replica {
    pub(crate) base: String,
    _stop: oneshot::Sender<()>,
}

pub(crate) const ISSUER: &str = "http://localhost:8080";
pub(crate) const REDIRECT_URI: &str = "https://app.example/callback";
pub(crate) const SECRET: &str = "a-secret-of-more-than-32-characters!";
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
/// 2026-01-01T00:00:00Z.
pub(crate) const BEGINNING: i64 = 1_767_225_600;

impl World {
    /// `settings` are as in the environment, without `LATCHKEY_`.
    pub(crate) async fn new(engine: Engine, settings: &[(&str, &str)]) -> Self {
        let name = format!("latchkey_http_{}", uuid::Builder::from_random_bytes(Entropy::System.bytes()).into_uuid().simple());
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(&name);
        std::fs::create_dir_all(&folder).unwrap();
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some((admin_url(), name.clone())),
        };
        let mut env: Vec<(String, String)> = vec![
            ("LATCHKEY_DATA_DIR".into(), folder.display().to_string()),
            ("LATCHKEY_SERVER_LISTEN".into(), "127.0.0.1:0".into()),
            ("LATCHKEY_SERVER_OPERATIONS_LISTEN".into(), "off".into()),
            ("LATCHKEY_SERVER_ISSUER".into(), ISSUER.into()),
            ("LATCHKEY_SERVER_WORKERS".into(), "1".into()),
            ("LATCHKEY_KEYS_SEALING_KEY".into(), SEALING_KEY.into()),
        ];
        if let Some((admin, name)) = &database {
            let mut connection = sqlx::PgConnection::connect(admin).await.unwrap();
            connection.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
            let mut url = url::Url::parse(admin).unwrap();
            url.set_path(name);
            env.push(("LATCHKEY_DATABASE_URL".into(), url.to_string()));
            env.push(("LATCHKEY_DATABASE_MAX_CONNECTIONS".into(), "4".into()));
        }
        let file = settings.iter().find(|(name, _)| *name == "FILE").map(|(_, text)| {
            let path = folder.join("latchkey.toml");
            std::fs::write(&path, text).unwrap();
            path
        });
        env.extend(
            settings.iter().filter(|(name, _)| *name != "FILE").map(|(name, value)| (format!("LATCHKEY_{name}"), (*value).to_owned())),
        );
        let config = Config::load(file.as_deref(), env.into_iter(), &Flags::default()).unwrap();
        let clock = Clock::fixed(Timestamp::from_seconds(BEGINNING));
        lend_keys(&config).await;
        let application = Application::build(config, Mode::Serve, clock.clone(), Entropy::System).await.unwrap();
        let base = format!("http://{}", application.address());
        let state = Arc::clone(application.state());
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(application.run_until(async move {
            let _ = stopped.await;
        }));
        let world = Self { base, state, clock, folder, stop: Some(stop), database };
        world.seed().await;
        world
    }

    /// A server of the same settings on the same database: a replica. It ends with the test.
    pub(crate) async fn replica(&self) -> Replica {
        let application = Application::build(self.state.config.clone(), Mode::Serve, self.clock.clone(), Entropy::System).await.unwrap();
        let base = format!("http://{}", application.address());
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(application.run_until(async move {
            let _ = stopped.await;
        }));
        Replica { base, _stop: stop }
    }

    /// The clients that most tests need: `app` (public) and `web` (confidential).
    async fn seed(&self) {
        self.client("app", |_| {}).await;
        self.client("web", |client| {
            client.auth_method = AuthMethod::ClientSecret;
            client.secret_hash = Some(latchkey::domain::TokenHash::of(SECRET));
        })
        .await;
    }

    /// Registers a client that `change` makes special.
    pub(crate) async fn client(&self, id: &str, change: impl FnOnce(&mut ClientRecord)) -> ClientRecord {
        let now = self.clock.now();
        let mut client = ClientRecord {
            redirect_uris: vec![REDIRECT_URI.parse().unwrap()],
            post_logout_redirect_uris: vec!["https://app.example/bye".parse().unwrap()],
            ..ClientRecord::new(id.parse().unwrap(), format!("The {id} client"), Duration::from_hours(1), now)
        };
        change(&mut client);
        self.state.store.create_client(&client).await.unwrap();
        client
    }

    /// Waits until this process has forgotten the settings of clients that were changed behind its back: two seconds at most.
    pub(crate) async fn forget_clients(&self, ids: &[&str]) {
        let stored = async |id: &str| {
            self.state
                .store
                .client(&id.parse().unwrap())
                .await
                .unwrap()
                .filter(|client| client.disabled_at.is_none())
                .map(|client| format!("{client:?}"))
        };
        let known = async |id: &str| self.state.client(&id.parse().unwrap()).await.unwrap().map(|client| format!("{client:?}"));
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        for id in ids {
            while stored(id).await != known(id).await {
                assert!(std::time::Instant::now() < deadline, "{id} is remembered for too long");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// All bytes of the database: the files of SQLite, or every row of Postgres as text and its binary columns as they are.
    pub(crate) async fn dump(&self) -> Dump {
        let Some((admin, name)) = &self.database else {
            let files = std::fs::read_dir(&self.folder).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
            return Dump(files.collect::<Vec<_>>().concat());
        };
        let mut url = url::Url::parse(admin).unwrap();
        url.set_path(name);
        let mut connection = sqlx::PgConnection::connect(url.as_str()).await.unwrap();
        let tables: Vec<String> =
            sqlx::query_scalar("SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'")
                .fetch_all(&mut connection)
                .await
                .unwrap();
        assert!(tables.len() > 10, "{tables:?}");
        let mut bytes = Vec::new();
        for table in tables {
            let rows: Vec<(String, Vec<u8>)> =
                sqlx::query_as(sqlx::AssertSqlSafe(format!("SELECT t::text, convert_to(t::text, 'UTF8') FROM {table} t")))
                    .fetch_all(&mut connection)
                    .await
                    .unwrap();
            for (text, raw) in rows {
                bytes.extend(raw);
                // A binary column is `\x` and hex in a row's text.
                bytes.extend(text.split("\\x").skip(1).flat_map(unhex));
            }
        }
        Dump(bytes)
    }

    /// Registers a license whose API key is `key`.
    pub(crate) async fn license(&self, key: Address) -> ClientRecord {
        let address = Address::from_bytes(Entropy::System.bytes());
        let record = self
            .client(&address.to_string(), |client| {
                client.kind = ClientKind::License;
                client.claims_profile = ClaimsProfile::Compat;
                client.pkce = Pkce::Optional;
                client.license =
                    Some(License { alias: format!("license {address}"), owner: key, developer_token: Duration::from_hours(336) });
            })
            .await;
        let license_key = LicenseKey {
            license: ClientId::from(address),
            address: key,
            created_at: self.clock.now(),
            expires_at: None,
            disabled_at: None,
        };
        self.state.store.add_license_key(&license_key).await.unwrap();
        record
    }
}

const SEALING_KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Signing keys that were made by the first server of this process, for all the others: making RSA keys takes longer than most tests.
static KEYS: OnceCell<(Vec<SigningKeyRecord>, Vec<u8>)> = OnceCell::const_new();

async fn lend_keys(config: &Config) {
    let now = Timestamp::from_seconds(BEGINNING);
    let store = Store::open(&config.database_settings()).await.unwrap();
    store.migrate().await.unwrap();
    let made = KEYS
        .get_or_init(async || {
            let sealing = config.sealing_key(true, &Entropy::System).unwrap();
            Keyring::open(&store, sealing, config.key_settings(), Clock::fixed(now), Entropy::System).await.unwrap();
            (store.signing_keys().await.unwrap(), store.server_secret("pairwise").await.unwrap().unwrap())
        })
        .await;
    for key in &made.0 {
        store.put_signing_key(key).await.unwrap();
    }
    store.put_server_secret("pairwise", &made.1, now).await.unwrap();
    store.close().await;
}

/// The bytes of a database, to be searched.
pub(crate) struct Dump(Vec<u8>);

impl Dump {
    pub(crate) fn contains(&self, bytes: &[u8]) -> bool {
        self.0.windows(bytes.len()).any(|window| window == bytes)
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map_while(|c| c.to_digit(16)).map(|digit| u8::try_from(digit).unwrap()).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn admin_url() -> String {
    std::env::var("LATCHKEY_TEST_POSTGRES")
        .unwrap_or_else(|_| panic!("LATCHKEY_TEST_POSTGRES names no Postgres server: run the tests by scripts/test, which starts one"))
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = std::fs::remove_dir_all(&self.folder);
        if let Some((admin, name)) = self.database.take() {
            // A thread of its own, because a drop cannot wait in this runtime.
            let _ = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    if let Ok(mut connection) = sqlx::PgConnection::connect(&admin).await {
                        let _ = connection.execute(sqlx::AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))).await;
                    }
                });
            })
            .join();
        }
    }
}
