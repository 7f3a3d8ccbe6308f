//! What is shared of an asset, or of all assets of an account: one entry for each client, with its permissions as contracts keep them.

use std::sync::Arc;

use async_graphql::connection::Connection;
use async_graphql::{Context, Object, Result};

use super::company::Assets;
use super::page::{Cursor, Slice};
use super::scalars::Time;
use super::scene::{COUNT, Scene};
use crate::domain::{Address, AssetDid, AssetMethod, ClientId};
use crate::policy::grants::{Shared, together};
use crate::store::SharedPage;

/// What one client was granted, all its grants together.
#[derive(Debug)]
pub(super) struct Sacd {
    shared: Shared,
    permissions: String,
}

impl Sacd {
    fn new(scene: &Scene, method: AssetMethod, shared: Shared) -> Self {
        Self { permissions: scene.state.config.vocabulary.bits(method, &shared.permissions).to_string(), shared }
    }
}

#[Object]
impl Sacd {
    /// The permissions, in hex: id p is granted when bits 2p and 2p + 1 are both set.
    async fn permissions(&self) -> &str {
        &self.permissions
    }

    /// How the latest grant came to be: `consent`, `api` or `operator`.
    async fn source(&self) -> &'static str {
        self.shared.source.as_str()
    }

    async fn created_at(&self) -> Time {
        Time(self.shared.created_at)
    }

    /// When the first of the grants ends: from then on the permissions are fewer, or none.
    async fn expires_at(&self) -> Time {
        Time(self.shared.expires_at)
    }

    /// The address of a license, or the id of another client.
    async fn grantee(&self) -> &str {
        self.shared.grantee.as_str()
    }
}

/// Of what the entries tell.
#[derive(Clone, Debug)]
enum Of {
    Asset(AssetDid, Arc<Assets>),
    Account(Address),
}

/// How many clients it is shared with.
#[derive(Debug)]
pub(super) struct SacdTotal {
    of: Of,
    only: Option<ClientId>,
}

#[Object]
impl SacdTotal {
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i64> {
        let scene = Scene::of(ctx)?;
        match &self.of {
            Of::Asset(did, company) => company.count_shared(scene, did, self.only.clone()).await,
            Of::Account(wallet) => scene.read(COUNT, scene.store().count_shared_by_account(wallet, self.only.as_ref(), scene.now)).await,
        }
    }
}

pub(super) type Sacds = Connection<Cursor, Sacd, SacdTotal>;

/// What is shared of an asset; with `only`, as far as that client may know.
pub(super) async fn of_asset(scene: &Scene, did: AssetDid, company: &Arc<Assets>, only: Option<ClientId>, slice: &Slice) -> Result<Sacds> {
    let page = SharedPage { only: only.clone(), after: slice.after()?, limit: slice.limit() };
    let shared = company.shared(scene, &did, page).await?;
    Ok(connection(scene, shared, did.method(), SacdTotal { of: Of::Asset(did, Arc::clone(company)), only }, slice))
}

/// What one client was granted on an asset.
pub(super) async fn to_one(scene: &Scene, did: AssetDid, company: &Assets, grantee: ClientId) -> Result<Option<Sacd>> {
    let page = SharedPage { only: Some(grantee), after: None, limit: 1 };
    let shared = company.shared(scene, &did, page).await?.into_iter().next();
    Ok(shared.map(|shared| Sacd::new(scene, did.method(), shared)))
}

/// What the account of a wallet shares of all its assets.
pub(super) async fn of_account(scene: &Scene, wallet: Address, only: Option<ClientId>, slice: &Slice) -> Result<Sacds> {
    let page = SharedPage { only: only.clone(), after: slice.after()?, limit: slice.limit() };
    let shared = together(scene.read(1, scene.store().shared_by_account(&wallet, &page, scene.now)).await?);
    Ok(connection(scene, shared, AssetMethod::Erc721, SacdTotal { of: Of::Account(wallet), only }, slice))
}

/// None at all, and without asking.
pub(super) fn none(scene: &Scene, wallet: Address, slice: &Slice) -> Sacds {
    connection(scene, Vec::new(), AssetMethod::Erc721, SacdTotal { of: Of::Account(wallet), only: Some(ClientId::from(wallet)) }, slice)
}

fn connection(scene: &Scene, shared: Vec<Shared>, method: AssetMethod, total: SacdTotal, slice: &Slice) -> Sacds {
    let sacds = shared.into_iter().map(|shared| Sacd::new(scene, method, shared)).collect();
    slice.connection(sacds, total, |sacd: &Sacd| sacd.shared.grantee.to_string())
}
