//! The keyring: the published keys of one process, kept in step with the database, which all replicas share.
//!
//! It loads and commits; what to make and promote is decided in `rotation.rs`, what a token must be in `kinds.rs`.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::key_set::{Jwks, KeySet};
use super::rotation::{self, Make};
use super::token::{TokenRefusal, UnverifiedToken};
use super::{KeyInfo, KeysError, RotatedKey, SealingKey, TokenKind, VerifiedClaims, record};
use crate::domain::{Clock, Entropy, SigningAlg, Timestamp};
use crate::store::{SigningKeyRecord, Store};

/// A token that names a key we do not know makes us look into the database, but not more often than this.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// What the keyring needs to know of the configuration.
#[derive(Clone, Debug)]
pub struct KeySettings {
    /// The `iss` of every token.
    pub issuer: String,
    /// How long a key is published before it signs: at least as long as consumers may keep the key set.
    pub publish_ahead: Duration,
    /// The longest life of any token: so long a key stays published after it last signed.
    pub token_lifetime_max: Duration,
}

/// The keys of sign-in tokens. Clones share one state.
#[derive(Clone)]
pub struct Keyring(Arc<Inner>);

struct Inner {
    store: Store,
    sealing: SealingKey,
    settings: KeySettings,
    clock: Clock,
    pairwise: Zeroizing<[u8; 32]>,
    set: RwLock<Arc<KeySet>>,
    /// Held while the set is loaded, so that an older answer never replaces a newer one; when that last was.
    loading: Mutex<Option<Timestamp>>,
}

impl Keyring {
    /// Opens the keys in the database, and makes those that are lacking: at a first start all of them.
    ///
    /// # Errors
    /// [`KeysError::WrongSealingKey`] when the database was first used with another sealing key; nothing is written then.
    pub async fn open(
        store: &Store,
        sealing: SealingKey,
        settings: KeySettings,
        clock: Clock,
        entropy: Entropy,
    ) -> Result<Self, KeysError> {
        // Otherwise the library chooses by the features of the whole build, and panics where they name two. Err: it is chosen already.
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        // First of all: it is the one write that a process with another sealing key cannot get past, also when two start at once.
        let pairwise = pairwise_secret(store, &sealing, &entropy, clock.now()).await?;
        let set = RwLock::new(Arc::new(KeySet::new(Vec::new())));
        let ring = Self(Arc::new(Inner { store: store.clone(), sealing, settings, clock, pairwise, set, loading: Mutex::new(None) }));
        ring.make_missing().await?;
        Ok(ring)
    }

    /// Whether `sealing` opens everything that is sealed in the database; the number of signing keys. Changes nothing.
    ///
    /// # Errors
    /// [`KeysError::WrongSealingKey`] when it does not, [`KeysError::Damaged`] when what it opens is no key.
    pub async fn check(store: &Store, sealing: &SealingKey) -> Result<usize, KeysError> {
        if let Some(sealed) = store.server_secret(record::PAIRWISE).await? {
            record::open_pairwise(&sealed, sealing)?;
        }
        let stored = store.signing_keys().await?;
        stored.iter().try_for_each(|key| record::open(key, sealing).map(drop))?;
        Ok(stored.len())
    }

    /// Takes over what has changed in the database. Keys that are parsed already are kept.
    pub async fn reload(&self) -> Result<(), KeysError> {
        let mut loaded_at = self.0.loading.lock().await;
        self.load(&mut loaded_at).await
    }

    /// Lets the next key of each algorithm take over, as soon as it has been published for long enough, and makes a new next one.
    ///
    /// What this process knows decides, and one conditional statement commits: of two replicas that rotate at once one does, and
    /// the other reports nothing. Nor is an algorithm rotated whose last rotation has not taken effect yet.
    pub async fn rotate(&self) -> Result<Vec<RotatedKey>, KeysError> {
        self.rotate_those(|_| true).await
    }

    /// Rotates the algorithms whose key has signed for `every` or longer, and makes what a rotation that was cut short left undone.
    pub async fn rotate_if_due(&self, every: Duration) -> Result<Vec<RotatedKey>, KeysError> {
        let (set, now) = (self.set(), self.now());
        self.rotate_those(|alg| rotation::is_due(set.times(), alg, now, every)).await
    }

    /// Every published key, by algorithm and age.
    pub fn list(&self) -> Vec<KeyInfo> {
        self.set().list(self.now())
    }

    /// Signs claims as a compact JWS with the active key of `alg`; `typ` comes from the table of kinds.
    ///
    /// # Errors
    /// [`KeysError::Claims`] when a claim is lacking or wrongly typed, so that [`Self::verify`] would refuse the token.
    pub fn sign(&self, kind: TokenKind, alg: SigningAlg, claims: &impl Serialize) -> Result<String, KeysError> {
        self.set().sign(kind, alg, claims, &self.0.settings.issuer, self.now())
    }

    /// Checks a token against the table of kinds. It says nothing of revocation, nor of whom the token is for.
    ///
    /// A token that names an unknown key makes the keyring look into the database, at most once in 10 seconds.
    pub async fn verify(&self, kind: TokenKind, token: &str) -> Result<VerifiedClaims, TokenRefusal> {
        let token = UnverifiedToken::parse(token)?;
        let now = self.now();
        if token.kid().is_some_and(|kid| self.set().published(kid, now).is_none()) {
            self.look_again(now).await;
        }
        self.set().verify(kind, &token, &self.0.settings.issuer, now)
    }

    /// The published key set.
    pub fn jwks(&self) -> Arc<Jwks> {
        self.set().jwks()
    }

    /// The secret that pairwise subjects are made with (OpenID Connect Core §8.1); the same on every replica, for ever.
    pub fn pairwise_secret(&self) -> [u8; 32] {
        *self.0.pairwise
    }

    async fn rotate_those(&self, chosen: impl Fn(SigningAlg) -> bool) -> Result<Vec<RotatedKey>, KeysError> {
        let KeySettings { publish_ahead, token_lifetime_max, .. } = self.0.settings;
        let steps = rotation::promotions(self.set().times(), self.now(), publish_ahead, token_lifetime_max);
        let mut rotated = Vec::new();
        for step in steps.into_iter().filter(|step| chosen(step.alg)) {
            if self.0.store.promote_signing_key(&step.next, step.active_from, &step.old, step.retire_at).await? {
                rotated.push(RotatedKey::from(step));
            }
        }
        self.make_missing().await?;
        Ok(rotated)
    }

    /// Makes the keys that are lacking. Where another replica makes the same generation, its key stands and ours is forgotten.
    async fn make_missing(&self) -> Result<(), KeysError> {
        self.reload().await?;
        let lacking = rotation::missing(self.set().times(), self.now());
        if lacking.is_empty() {
            return Ok(());
        }
        for make in lacking {
            let record = self.new_record(make).await?;
            self.0.store.put_signing_key(&record).await?;
        }
        self.reload().await
    }

    async fn new_record(&self, make: Make) -> Result<SigningKeyRecord, KeysError> {
        let (sealing, now) = (self.0.sealing.clone(), self.now());
        let task = tokio::task::spawn_blocking(move || record::seal_new(make, &sealing, now));
        task.await.map_err(|_| KeysError::Crypto("make a key"))?
    }

    async fn look_again(&self, now: Timestamp) {
        let mut loaded_at = self.0.loading.lock().await;
        if loaded_at.is_none_or(|last| now.since(last) >= LOOK_AGAIN) {
            // The token is judged by the keys we have, as if there were no others; the worker's next reload will tell more.
            if let Err(error) = self.load(&mut loaded_at).await {
                tracing::warn!(%error, "the signing keys could not be loaded for a token with an unknown key");
            }
        }
    }

    async fn load(&self, loaded_at: &mut Option<Timestamp>) -> Result<(), KeysError> {
        let now = self.now();
        // An attempt that fails counts too: a database in trouble is not asked by every token.
        *loaded_at = Some(now);
        let before = self.set();
        let mut keys = Vec::new();
        for stored in self.0.store.signing_keys().await? {
            if stored.retire_at.is_some_and(|end| end <= now) {
                continue;
            }
            let pair = match before.pair(&stored.kid) {
                Some(pair) => Arc::clone(pair),
                None => Arc::new(record::open(&stored, &self.0.sealing)?),
            };
            keys.push((record::times(&stored), pair));
        }
        *self.0.set.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(KeySet::new(keys));
        Ok(())
    }

    fn set(&self) -> Arc<KeySet> {
        Arc::clone(&self.0.set.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Keyring").field(&self.set().times()).finish()
    }
}

async fn pairwise_secret(store: &Store, sealing: &SealingKey, entropy: &Entropy, now: Timestamp) -> Result<Zeroizing<[u8; 32]>, KeysError> {
    let sealed = if let Some(stored) = store.server_secret(record::PAIRWISE).await? {
        stored
    } else {
        let ours = record::seal_pairwise(&Zeroizing::new(entropy.bytes()), sealing)?;
        store.put_server_secret(record::PAIRWISE, &ours, now).await?
    };
    record::open_pairwise(&sealed, sealing)
}

#[cfg(test)]
mod tests;
