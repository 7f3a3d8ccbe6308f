//! Those that stand on one page together: what is asked of one of them is read for all, in one statement.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::Result;
use tokio::sync::OnceCell;

use super::scene::{COUNT, Scene};
use crate::domain::{AssetDid, ClientId};
use crate::policy::grants::{Shared, together};
use crate::store::{LicenseKey, LicenseUri, SharedPage};

/// What of the page's shares was asked for: whose, after whom, and how many.
type Part = (Option<ClientId>, Option<ClientId>, u32);
type ByAsset<T> = HashMap<AssetDid, T>;

/// The assets of one page.
#[derive(Debug)]
pub(super) struct Assets {
    all: Vec<AssetDid>,
    shared: Once<Part, ByAsset<Vec<Shared>>>,
    counts: Once<Option<ClientId>, ByAsset<i64>>,
}

impl Assets {
    pub(super) fn new(all: Vec<AssetDid>) -> Self {
        Self { all, shared: Once::default(), counts: Once::default() }
    }

    /// What is shared of an asset; `page.only` is the one client that is told of, if it is not all.
    pub(super) async fn shared(&self, scene: &Scene, did: &AssetDid, page: SharedPage) -> Result<Vec<Shared>> {
        let key = (page.only.clone(), page.after.clone(), page.limit);
        let all = self.shared.get(key, async {
            let mut rows = ByAsset::<Vec<_>>::new();
            for (did, grant) in scene.read(1, scene.store().shared(&self.all, &page, scene.now)).await? {
                rows.entry(did).or_default().push(grant);
            }
            Ok(rows.into_iter().map(|(did, grants)| (did, together(grants))).collect())
        });
        Ok(all.await?.get(did).cloned().unwrap_or_default())
    }

    /// With how many clients an asset is shared.
    pub(super) async fn count_shared(&self, scene: &Scene, did: &AssetDid, only: Option<ClientId>) -> Result<i64> {
        let all = self.counts.get(only.clone(), async {
            let counts = scene.read(COUNT, scene.store().count_shared(&self.all, only.as_ref(), scene.now)).await?;
            Ok(counts.into_iter().collect())
        });
        Ok(all.await?.get(did).copied().unwrap_or_default())
    }
}

/// The licenses of one page.
#[derive(Debug)]
pub(super) struct Licenses {
    all: Vec<ClientId>,
    signers: Once<(), Vec<LicenseKey>>,
    uris: Once<(), Vec<LicenseUri>>,
}

impl Licenses {
    pub(super) fn new(all: Vec<ClientId>) -> Self {
        Self { all, signers: Once::default(), uris: Once::default() }
    }

    /// The API keys that may sign for a license, the oldest first.
    pub(super) async fn signers(&self, scene: &Scene, license: &ClientId) -> Result<Vec<LicenseKey>> {
        let all = self.signers.get((), scene.read(1, scene.store().license_signers(&self.all, scene.now))).await?;
        Ok(all.iter().filter(|key| key.license == *license).cloned().collect())
    }

    /// The redirect URIs of a license, the oldest first.
    pub(super) async fn uris(&self, scene: &Scene, license: &ClientId) -> Result<Vec<LicenseUri>> {
        let all = self.uris.get((), scene.read(1, scene.store().license_uris(&self.all))).await?;
        Ok(all.iter().filter(|uri| uri.license == *license).cloned().collect())
    }
}

/// What was read once, by what it was asked with. Of many who ask at the same time one reads.
#[derive(Debug)]
struct Once<K, V>(Mutex<HashMap<K, Arc<OnceCell<Arc<V>>>>>);

impl<K, V> Default for Once<K, V> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<K: Eq + Hash, V> Once<K, V> {
    async fn get(&self, key: K, reading: impl Future<Output = Result<V>>) -> Result<Arc<V>> {
        let cell = Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        cell.get_or_try_init(async || Ok(Arc::new(reading.await?))).await.map(Arc::clone)
    }
}
