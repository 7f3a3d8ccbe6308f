//! Vehicles: the assets that are tokens of a contract. One by its name, or a list.

use std::sync::Arc;

use async_graphql::connection::Connection;
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::company::Assets;
use super::page::{Cursor, Slice, cost};
use super::sacd::{self, Sacd, Sacds};
use super::scalars::{BigInt, Hex, Time};
use super::scene::{COUNT, Scene};
use super::viewer::Viewer;
use crate::domain::{Address, Asset, AssetDid, AssetMethod, ClientId, Owner, PermissionSet};
use crate::policy::grants::{Acting, Facts, Sight, sight};
use crate::store::{AssetFilter, AssetPage, AssetsOf, Bearer};

#[derive(Debug)]
pub(super) struct Vehicle {
    asset: Asset,
    sight: Sight,
    company: Arc<Assets>,
}

#[Object]
impl Vehicle {
    async fn id(&self) -> ID {
        BASE64_URL_SAFE_NO_PAD.encode(self.asset.did.to_string()).into()
    }

    async fn token_id(&self) -> Option<BigInt> {
        self.asset.did.token_id().map(BigInt)
    }

    #[graphql(name = "tokenDID")]
    async fn token_did(&self) -> String {
        self.asset.did.to_string()
    }

    /// Null where its owner has no address, and where it has no owner yet.
    async fn owner(&self) -> Option<Hex> {
        match self.asset.owner {
            Some(Owner::Address(address)) => Some(Hex(address)),
            Some(Owner::Account(_)) | None => None,
        }
    }

    async fn minted_at(&self) -> Time {
        Time(self.asset.minted_at)
    }

    async fn definition(&self) -> Definition {
        let asset = &self.asset;
        Definition { make: asset.make.clone(), model: asset.model.clone(), year: asset.year }
    }

    /// With whom it is shared: an entry for each client.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn sacds(&self, ctx: &Context<'_>, first: Option<i32>, after: Option<String>) -> Result<Sacds> {
        let scene = Scene::of(ctx)?;
        let slice = Slice::first(first, after)?;
        sacd::of_asset(scene, self.asset.did, &self.company, scene.viewer.only(self.sight), &slice).await
    }

    /// What one client was granted on it.
    async fn sacd(&self, ctx: &Context<'_>, grantee: Hex) -> Result<Option<Sacd>> {
        let scene = Scene::of(ctx)?;
        let grantee = ClientId::from(grantee.0);
        if scene.viewer.only(self.sight).is_some_and(|only| only != grantee) {
            return Ok(None);
        }
        sacd::to_one(scene, self.asset.did, &self.company, grantee).await
    }

    /// None is known here.
    async fn aftermarket_device(&self) -> Option<Device> {
        None
    }

    /// None is known here.
    async fn synthetic_device(&self) -> Option<Device> {
        None
    }
}

#[derive(Debug, SimpleObject)]
struct Definition {
    make: Option<String>,
    model: Option<String>,
    year: Option<i64>,
}

/// A device that is paired with a vehicle.
#[derive(Debug, SimpleObject)]
struct Device {
    token_id: BigInt,
    address: Hex,
    manufacturer: Manufacturer,
}

#[derive(Debug, SimpleObject)]
struct Manufacturer {
    name: String,
}

/// Which vehicles of a list are meant; letters of make and model may be lower or upper case.
#[derive(Debug, Default, InputObject)]
pub(super) struct VehiclesFilter {
    /// Who may do something with them: who owns them, or was granted something that has not ended.
    privileged: Option<Hex>,
    owner: Option<Hex>,
    make: Option<String>,
    model: Option<String>,
    year: Option<i64>,
}

/// How many there are on all pages together.
#[derive(Debug)]
pub(super) struct VehicleTotal(Option<(AssetsOf, AssetFilter)>);

#[Object]
impl VehicleTotal {
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i64> {
        let scene = Scene::of(ctx)?;
        match &self.0 {
            Some((of, filter)) => scene.read(COUNT, scene.store().count_assets(of, filter)).await,
            None => Ok(0),
        }
    }
}

pub(super) type Vehicles = Connection<Cursor, Vehicle, VehicleTotal>;

/// The first of these vehicles that there is, as far as the one who reads can tell.
pub(super) async fn first_of(scene: &Scene, names: &[AssetDid]) -> Result<Option<Vehicle>> {
    let names: Vec<AssetDid> = names.iter().filter(|did| did.method() == AssetMethod::Erc721).copied().collect();
    let (names, sight) = match &scene.viewer {
        Viewer::Everybody => (names, Sight::Whole),
        Viewer::Nobody => return Ok(None),
        Viewer::Client { client, acting, first_party } => match seen(scene, &names, client, *acting, *first_party).await? {
            Some((did, sight)) => (vec![did], sight),
            None => return Ok(None),
        },
    };
    let mut found = scene.read(1, scene.store().assets_named(&names)).await?;
    found.sort_by_key(|asset| names.iter().position(|did| *did == asset.did));
    Ok(found.into_iter().next().map(|asset| Vehicle { company: Arc::new(Assets::new(vec![asset.did])), asset, sight }))
}

/// A page of vehicles.
pub(super) async fn page(scene: &Scene, filter: &VehiclesFilter, slice: &Slice) -> Result<Vehicles> {
    let page = AssetPage { after: slice.after()?, before: slice.before()?, last: slice.last, limit: slice.limit() };
    let list = list(scene, filter);
    let assets = match &list {
        Some((of, filter)) => {
            let filtered = !filter.makes.is_empty() || !filter.models.is_empty() || filter.year.is_some();
            scene.read(if filtered { COUNT } else { 1 }, scene.store().assets(of, filter, &page)).await?
        }
        None => Vec::new(),
    };
    let seen: Vec<_> = assets.into_iter().filter_map(|asset| Some((scene.viewer.sight_of_listed(&asset)?, asset))).collect();
    let company = Arc::new(Assets::new(seen.iter().map(|(_, asset)| asset.did).collect()));
    let vehicles = seen.into_iter().map(|(sight, asset)| Vehicle { asset, sight, company: Arc::clone(&company) }).collect();
    Ok(slice.connection(vehicles, VehicleTotal(list), |vehicle: &Vehicle| vehicle.asset.did.to_string()))
}

// Which of these a client sees first, and how much of it.
async fn seen(
    scene: &Scene,
    names: &[AssetDid],
    client: &ClientId,
    acting: Acting,
    first_party: bool,
) -> Result<Option<(AssetDid, Sight)>> {
    for did in names {
        let bearer = Bearer::Named(client.clone());
        let Some(found) = scene.read(1, scene.store().exchange_facts(&bearer, did, scene.now)).await? else { continue };
        let (asset, grants, known) = (found.asset.as_ref(), &found.grants, &PermissionSet::EMPTY);
        let facts = Facts { client, acting, first_party, limit: None, asset, grants, known };
        if let Some(sight) = sight(&facts, scene.now) {
            return Ok(Some((*did, sight)));
        }
    }
    Ok(None)
}

// The list that a filter means; `None`: an empty one. Of what is granted to others a client knows nothing, so that in a registry which is not
// public somebody else is privileged by what they own alone.
fn list(scene: &Scene, filter: &VehiclesFilter) -> Option<(AssetsOf, AssetFilter)> {
    let address = |hex: &Option<Hex>| hex.as_ref().map(|hex| hex.0);
    let (privileged, owner) = (address(&filter.privileged), address(&filter.owner));
    let shared_with = |client: ClientId| AssetsOf::SharedWith(client, scene.now);
    let (of, owner) = match &scene.viewer {
        Viewer::Nobody => return None,
        Viewer::Everybody => match (privileged, owner) {
            (Some(privileged), owner) => (shared_with(privileged.into()), owner),
            (None, Some(owner)) => (AssetsOf::Address(owner), None),
            (None, None) => (AssetsOf::All, None),
        },
        Viewer::Client { client, acting, first_party } => {
            let of = match acting {
                Acting::For(person) if *first_party => AssetsOf::Account(*person),
                Acting::For(_) | Acting::Itself => shared_with(client.clone()),
            };
            let other = privileged.filter(|privileged| client.as_address() != Some(*privileged));
            (of, agreed(other, owner).ok()?)
        }
    };
    let of_each = |word: &Option<String>| word.iter().cloned().collect();
    let filter = AssetFilter {
        method: Some(AssetMethod::Erc721),
        makes: of_each(&filter.make),
        models: of_each(&filter.model),
        year: filter.year,
        owner,
        ..AssetFilter::default()
    };
    Some((of, filter))
}

/// Two addresses where one can be meant.
struct Two;

// The one address that both mean.
fn agreed(one: Option<Address>, other: Option<Address>) -> Result<Option<Address>, Two> {
    match (one, other) {
        (Some(one), Some(other)) if one != other => Err(Two),
        (one, other) => Ok(one.or(other)),
    }
}
