//! What every handler can reach: the configuration, the store, the keys, time, chance and limits. Built once, shared by all workers.

mod client_keys;
mod place;
mod upstreams;

pub use client_keys::NoKeys;
pub use upstreams::Unavailable;

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use tokio::sync::{Notify, mpsc};
use url::Url;

use crate::config::{Config, Upstream};
use crate::domain::{Address, ClientId, Clock, Entropy, SessionId, Timestamp};
use crate::egress::Egress;
use crate::endpoints::Endpoint;
use crate::keys::{ClientKeys, Keyring};
use crate::limits::Limits;
use crate::mail::Mailer;
use crate::passwords::Passwords;
use crate::policy::passkey::RelyingParty;
use crate::protocol::upstream::discovery::ProviderMetadata;
use crate::store::{ClientLogo, ClientRecord, ClientSource, Store, StoreError};

/// How the program was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `latchkey dev`: with the playground, a demo license and a throw-away wallet.
    Dev,
    /// `latchkey serve`.
    Serve,
}

/// The server's parts. Handlers get it as `web::Data<State>`.
#[derive(Debug)]
pub struct State {
    pub config: Config,
    pub mode: Mode,
    pub store: Store,
    pub keys: Keyring,
    pub clock: Clock,
    pub entropy: Entropy,
    pub limits: Limits,
    /// For every fetch from an address that somebody else chose.
    pub egress: Egress,
    /// What passkeys know this server by; `None`: there are none here.
    pub passkeys: Option<RelyingParty>,
    /// Hashes passwords, where people may sign in by them. Set once, before anything is served.
    pub passwords: Option<Passwords>,
    /// How mail leaves; `None`: it does not. Set once, before anything is served.
    pub mail: Option<Mailer>,
    /// Wakes the worker that delivers messages, so that it need not find out by itself that there are some.
    pub messages: Notify,
    clients: Cache<ClientId, Arc<ClientRecord>>,
    logos: Cache<(ClientId, String), Option<Arc<ClientLogo>>>,
    client_keys: client_keys::Known,
    upstreams: upstreams::Known,
    notes: mpsc::Sender<Note>,
}

/// A fact that nobody waits for. The worker writes such facts in batches; a crash loses seconds of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A session was used.
    SessionSeen(SessionId, Timestamp),
    /// A wallet was proved, by a sign-in that did not note it itself.
    WalletUsed(Address, Timestamp),
}

/// How many notes may wait; more are dropped, because no request may wait for them.
const NOTES: usize = 4_096;

/// How long a client's settings may be remembered. What decides access is never read from here: redemption, userinfo and the
/// wallet endpoints read whether a client, an account or a key is disabled in the same statement that does their work.
const CLIENT_CACHE: Duration = Duration::from_secs(2);

/// How long a client's picture is remembered, or that it has none: nobody can make us fetch one more often than that.
const LOGO_CACHE: Duration = Duration::from_mins(10);
/// How many bytes of pictures are remembered.
const LOGO_BYTES: u64 = 16 * 1024 * 1024;

impl State {
    /// The parts, and the end at which the worker takes notes.
    #[must_use]
    pub fn new(
        config: Config,
        mode: Mode,
        store: Store,
        keys: Keyring,
        egress: Egress,
        clock: Clock,
        entropy: Entropy,
    ) -> (Self, mpsc::Receiver<Note>) {
        let limits = Limits::new(&config.limits);
        let clients = Cache::builder().max_capacity(10_000).time_to_live(CLIENT_CACHE).build();
        let logos = Cache::builder()
            .max_capacity(LOGO_BYTES)
            .weigher(|_, logo: &Option<Arc<ClientLogo>>| {
                256 + logo.as_ref().map_or(0, |logo| u32::try_from(logo.body.len()).unwrap_or(u32::MAX / 2))
            })
            .time_to_live(LOGO_CACHE)
            .build();
        let (notes, taken) = mpsc::channel(NOTES);
        let client_keys = client_keys::Known::new();
        let upstreams = upstreams::Known::new(&config.upstreams);
        let messages = Notify::new();
        let passkeys = config.signin.passkey.then(|| RelyingParty::of(config.server.issuer.as_str())).flatten();
        (
            Self {
                config,
                mode,
                store,
                keys,
                clock,
                entropy,
                limits,
                egress,
                passkeys,
                passwords: None,
                mail: None,
                messages,
                clients,
                logos,
                client_keys,
                upstreams,
                notes,
            },
            taken,
        )
    }

    /// The client of that id, as it was at most two seconds ago; `None` when there is none, or when it is disabled.
    pub async fn client(&self, id: &ClientId) -> Result<Option<Arc<ClientRecord>>, StoreError> {
        if let Some(client) = self.clients.get(id).await {
            return Ok(Some(client));
        }
        let Some(client) = self.store.client(id).await?.filter(|client| self.admits(client)) else { return Ok(None) };
        let client = Arc::new(client);
        self.clients.insert(id.clone(), Arc::clone(&client)).await;
        Ok(Some(client))
    }

    // Where documents are switched off, the clients that they made are off too.
    fn admits(&self, client: &ClientRecord) -> bool {
        client.disabled_at.is_none() && (client.source != ClientSource::Document || self.config.registration.client_id_documents)
    }

    /// The client of that id as it is remembered, or as `load` finds it: of many who ask at once, one loads.
    ///
    /// # Errors
    /// Those of `load`; they are not remembered.
    pub async fn client_by<E: Clone + Send + Sync + 'static>(
        &self,
        id: &ClientId,
        load: impl Future<Output = Result<Arc<ClientRecord>, E>>,
    ) -> Result<Arc<ClientRecord>, E> {
        self.clients.try_get_with(id.clone(), load).await.map_err(|error| (*error).clone())
    }

    /// Forgets what is remembered of a client, because it was changed here.
    pub async fn forget_client(&self, id: &ClientId) {
        self.clients.invalidate(id).await;
    }

    /// A client's picture at that address as it is remembered, if anything is: `Some(None)` is that there is none.
    pub async fn remembered_logo(&self, id: &ClientId, uri: &str) -> Option<Option<Arc<ClientLogo>>> {
        self.logos.get(&(id.clone(), uri.to_owned())).await
    }

    /// The same, or as `load` finds it: of many who ask at once, one loads.
    pub async fn logo_by(&self, id: &ClientId, uri: &str, load: impl Future<Output = Option<Arc<ClientLogo>>>) -> Option<Arc<ClientLogo>> {
        self.logos.get_with((id.clone(), uri.to_owned()), load).await
    }

    /// The keys of a client's assertions, as registered by value or fetched from its `jwks_uri`. `unlike`: keys in which the one that is
    /// looked for is not; newer ones are fetched if it is time for that.
    ///
    /// # Errors
    /// When it has none that can be used, or none can be had now.
    pub async fn client_keys(
        &self,
        client: &ClientRecord,
        unlike: Option<&Arc<ClientKeys>>,
        now: Timestamp,
    ) -> Result<Arc<ClientKeys>, NoKeys> {
        match (&client.metadata.jwks, &client.metadata.jwks_uri) {
            (None, Some(uri)) => self.client_keys.fetched(&self.egress, (&client.id, uri), unlike, now).await,
            (set, _) => self.client_keys.given(&client.id, set.as_ref().unwrap_or_default()).await,
        }
    }

    /// The provider of that id, if the operator declared it.
    #[must_use]
    pub fn upstream(&self, id: &str) -> Option<&Upstream> {
        self.config.upstreams.iter().find(|upstream| upstream.id.as_str() == id)
    }

    /// What a provider says of itself, as it was at most an hour ago.
    ///
    /// # Errors
    /// When it does not say it, or not as it should; the log has why.
    pub async fn upstream_metadata(&self, upstream: &Upstream, now: Timestamp) -> Result<Arc<ProviderMetadata>, Unavailable> {
        self.upstreams.metadata(&self.egress, upstream, now).await
    }

    /// A provider's keys; `unlike` as with [`Self::client_keys`].
    ///
    /// # Errors
    /// When there are none to be had; the log has why.
    pub async fn upstream_keys(
        &self,
        upstream: &Upstream,
        metadata: &ProviderMetadata,
        unlike: Option<&Arc<ClientKeys>>,
        now: Timestamp,
    ) -> Result<Arc<ClientKeys>, Unavailable> {
        self.upstreams.keys(&self.egress, upstream, metadata, unlike, now).await
    }

    /// The client for an address that a provider is spoken to at.
    #[must_use]
    pub fn upstream_egress(&self, upstream: &Upstream, url: &Url) -> Egress {
        upstreams::door(&self.egress, &upstream.issuer, url)
    }

    /// Leaves a note for the worker, if there is room for it.
    pub fn note(&self, note: Note) {
        if self.notes.try_send(note).is_err() {
            metrics::counter!("latchkey_notes_dropped_total").increment(1);
        }
    }

    /// The address of userinfo, which is its resource identifier too (RFC 9728 §1.2).
    pub fn userinfo(&self) -> String {
        format!("{}{}", self.issuer(), Endpoint::UserInfo.path())
    }

    /// The issuer identifier (RFC 8414 §2), which is also where everything is served.
    pub fn issuer(&self) -> &str {
        self.config.server.issuer.as_str()
    }
}
