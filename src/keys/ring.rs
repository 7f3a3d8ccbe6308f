//! The keyring: the published keys of one process, for each purpose a set, kept in step with the database, which all replicas share.
//!
//! It loads and commits; what to make and promote is decided in `rotation.rs`, what a token must be in `kinds.rs`.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::key::KeyPair;
use super::key_set::{Jwks, KeySet};
use super::kinds::algorithms;
use super::rotation::{self, KeyTimes, Make};
use super::token::{TokenRefusal, UnverifiedToken};
use super::{KeyInfo, KeysError, RotatedKey, SealingKey, TokenKind, VerifiedClaims, record};
use crate::domain::{Clock, Entropy, KeyPurpose, SigningAlg, Timestamp};
use crate::store::{SigningKeyRecord, Store};

/// A token that names a key we do not know makes us look into the database, but not more often than this.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// What the keyring needs to know of the configuration.
#[derive(Clone, Debug)]
pub struct KeySettings {
    /// The `iss` of every token about signing in.
    pub issuer: String,
    /// The `iss` of asset tokens and receipts.
    pub asset_issuer: String,
    /// How long a key is published before it signs: at least as long as consumers may keep the key set.
    pub publish_ahead: Duration,
    /// The longest life of any token about signing in: so long a key stays published after it last signed.
    pub token_lifetime_max: Duration,
    /// The longest that a grant may last: so long its receipt can be verified by the published keys.
    pub receipt_lifetime_max: Duration,
}

impl KeySettings {
    fn issuer(&self, purpose: KeyPurpose) -> &str {
        match purpose {
            KeyPurpose::Signin => &self.issuer,
            KeyPurpose::Assets => &self.asset_issuer,
        }
    }

    const fn lifetime_max(&self, purpose: KeyPurpose) -> Duration {
        match purpose {
            KeyPurpose::Signin => self.token_lifetime_max,
            KeyPurpose::Assets => self.receipt_lifetime_max,
        }
    }
}

/// The keys of all tokens. Clones share one state.
#[derive(Clone)]
pub struct Keyring(Arc<Inner>);

struct Inner {
    store: Store,
    sealing: SealingKey,
    settings: KeySettings,
    clock: Clock,
    pairwise: Zeroizing<[u8; 32]>,
    sets: RwLock<Sets>,
    /// Held while the sets are loaded, so that an older answer never replaces a newer one; when that last was.
    loading: Mutex<Option<Timestamp>>,
}

/// One set for each purpose.
#[derive(Clone)]
struct Sets {
    signin: Arc<KeySet>,
    assets: Arc<KeySet>,
}

impl Sets {
    /// `keys` gives those of a purpose.
    fn of(mut keys: impl FnMut(KeyPurpose) -> Vec<(KeyTimes, Arc<KeyPair>)>) -> Self {
        let mut set = |purpose| Arc::new(KeySet::new(keys(purpose)));
        Self { signin: set(KeyPurpose::Signin), assets: set(KeyPurpose::Assets) }
    }

    const fn get(&self, purpose: KeyPurpose) -> &Arc<KeySet> {
        match purpose {
            KeyPurpose::Signin => &self.signin,
            KeyPurpose::Assets => &self.assets,
        }
    }
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
        let sets = RwLock::new(Sets::of(|_| Vec::new()));
        let ring = Self(Arc::new(Inner { store: store.clone(), sealing, settings, clock, pairwise, sets, loading: Mutex::new(None) }));
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

    /// Lets the next key of each purpose and algorithm take over, as soon as it has been published for long enough, and makes a new next one.
    ///
    /// What this process knows decides, and one conditional statement commits: of two replicas that rotate at once one does, and
    /// the other reports nothing. Nor is an algorithm rotated whose last rotation has not taken effect yet.
    pub async fn rotate(&self) -> Result<Vec<RotatedKey>, KeysError> {
        self.rotate_those(|_, _| true).await
    }

    /// Rotates the algorithms whose key has signed for `every` or longer, and makes what a rotation that was cut short left undone.
    pub async fn rotate_if_due(&self, every: Duration) -> Result<Vec<RotatedKey>, KeysError> {
        let (sets, now) = (self.sets(), self.now());
        self.rotate_those(|purpose, alg| rotation::is_due(sets.get(purpose).times(), alg, now, every)).await
    }

    /// Every published key, by purpose, algorithm and age.
    pub fn list(&self) -> Vec<KeyInfo> {
        let (sets, now) = (self.sets(), self.now());
        KeyPurpose::ALL.iter().flat_map(|purpose| sets.get(*purpose).list(*purpose, now)).collect()
    }

    /// Signs claims as a compact JWS with the active key of `alg`; whose key it is and `typ` come from the table of kinds.
    ///
    /// # Errors
    /// [`KeysError::Claims`], in a build with debug assertions, when a claim is lacking, told twice or wrongly typed, so that
    /// [`Self::verify`] would refuse the token;
    /// [`KeysError::NoActiveKey`] for an algorithm that the kind's purpose does not have.
    pub fn sign(&self, kind: TokenKind, alg: SigningAlg, claims: &impl Serialize) -> Result<String, KeysError> {
        let purpose = kind.rules().purpose;
        self.set(purpose).sign(kind, alg, claims, self.0.settings.issuer(purpose), self.now())
    }

    /// Checks a token against the table of kinds. It says nothing of revocation, nor of whom the token is for.
    ///
    /// A token that names an unknown key makes the keyring look into the database, at most once in 10 seconds.
    pub async fn verify(&self, kind: TokenKind, token: &str) -> Result<VerifiedClaims, TokenRefusal> {
        let token = UnverifiedToken::parse(token)?;
        let (purpose, now) = (kind.rules().purpose, self.now());
        if token.kid().is_some_and(|kid| self.set(purpose).published(kid, now).is_none()) {
            self.look_again(now).await;
        }
        self.set(purpose).verify(kind, &token, self.0.settings.issuer(purpose), now)
    }

    /// The published key set of a purpose.
    pub fn jwks(&self, purpose: KeyPurpose) -> Arc<Jwks> {
        self.set(purpose).jwks()
    }

    /// The `iss` of tokens of a purpose.
    pub fn issuer(&self, purpose: KeyPurpose) -> &str {
        self.0.settings.issuer(purpose)
    }

    /// The secret that pairwise subjects are made with (OpenID Connect Core §8.1); the same on every replica, for ever.
    pub fn pairwise_secret(&self) -> [u8; 32] {
        *self.0.pairwise
    }

    async fn rotate_those(&self, chosen: impl Fn(KeyPurpose, SigningAlg) -> bool) -> Result<Vec<RotatedKey>, KeysError> {
        let (sets, settings) = (self.sets(), &self.0.settings);
        let mut rotated = Vec::new();
        for &purpose in KeyPurpose::ALL {
            let (times, algs, lifetime) = (sets.get(purpose).times(), algorithms(purpose), settings.lifetime_max(purpose));
            let steps = rotation::promotions(times, algs, self.now(), settings.publish_ahead, lifetime);
            for step in steps.into_iter().filter(|step| chosen(purpose, step.alg)) {
                if self.0.store.promote_signing_key(&step.next, step.active_from, &step.old, step.retire_at).await? {
                    rotated.push(RotatedKey::of(purpose, step));
                }
            }
        }
        self.make_missing().await?;
        Ok(rotated)
    }

    /// Makes the keys that are lacking. Where another replica makes the same generation, its key stands and ours is forgotten.
    async fn make_missing(&self) -> Result<(), KeysError> {
        self.reload().await?;
        let (sets, now) = (self.sets(), self.now());
        let of = |purpose: &KeyPurpose| {
            let purpose = *purpose;
            rotation::missing(sets.get(purpose).times(), algorithms(purpose), now).into_iter().map(move |make| (purpose, make))
        };
        let lacking: Vec<(KeyPurpose, Make)> = KeyPurpose::ALL.iter().flat_map(of).collect();
        if lacking.is_empty() {
            return Ok(());
        }
        for (purpose, make) in lacking {
            let record = self.new_record(purpose, make).await?;
            self.0.store.put_signing_key(&record).await?;
        }
        self.reload().await
    }

    async fn new_record(&self, purpose: KeyPurpose, make: Make) -> Result<SigningKeyRecord, KeysError> {
        let (sealing, now) = (self.0.sealing.clone(), self.now());
        let task = tokio::task::spawn_blocking(move || record::seal_new(purpose, make, &sealing, now));
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
        let before = self.sets();
        let mut keys = Vec::new();
        for stored in self.0.store.signing_keys().await? {
            if stored.retire_at.is_some_and(|end| end <= now) {
                continue;
            }
            let pair = match before.get(stored.purpose).pair(&stored.kid) {
                Some(pair) => Arc::clone(pair),
                None => Arc::new(record::open(&stored, &self.0.sealing)?),
            };
            keys.push((stored.purpose, (record::times(&stored), pair)));
        }
        let sets = Sets::of(|purpose| keys.iter().filter(|(of, _)| *of == purpose).map(|(_, key)| key.clone()).collect());
        *self.0.sets.write().unwrap_or_else(PoisonError::into_inner) = sets;
        Ok(())
    }

    fn sets(&self) -> Sets {
        self.0.sets.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, purpose: KeyPurpose) -> Arc<KeySet> {
        Arc::clone(self.0.sets.read().unwrap_or_else(PoisonError::into_inner).get(purpose))
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sets = self.sets();
        f.debug_tuple("Keyring").field(&sets.signin.times()).field(&sets.assets.times()).finish()
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
