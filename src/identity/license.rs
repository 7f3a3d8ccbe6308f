//! Developer licenses: one by its id or name, or a list; who may sign for it, and where it sends people back to.

use std::sync::Arc;

use async_graphql::connection::Connection;
use async_graphql::{Context, InputObject, Object, OneofObject, Result, SimpleObject};

use super::company::Licenses;
use super::page::{Cursor, Slice, Total, cost};
use super::scalars::{BigInt, Hex, Time};
use super::scene::{COUNT, Scene};
use super::viewer::Viewer;
use crate::domain::{Address, ClientId};
use crate::store::{LicenseCard, LicenseFilter, LicensePage};

#[derive(Debug)]
pub(super) struct DeveloperLicense {
    card: LicenseCard,
    company: Arc<Licenses>,
}

#[Object]
impl DeveloperLicense {
    /// Null: a license of this registry is no token of a contract.
    async fn token_id(&self) -> Option<BigInt> {
        None
    }

    #[graphql(name = "tokenDID")]
    async fn token_did(&self) -> Option<String> {
        None
    }

    async fn owner(&self) -> Hex {
        Hex(self.card.owner)
    }

    /// The id of its client, which is an address.
    async fn client_id(&self) -> Option<Hex> {
        self.card.license.as_address().map(Hex)
    }

    async fn alias(&self) -> &str {
        &self.card.alias
    }

    async fn minted_at(&self) -> Time {
        Time(self.card.created_at)
    }

    /// The API keys that may sign for it now.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn signers(&self, ctx: &Context<'_>, first: Option<i32>, after: Option<String>) -> Result<Connection<Cursor, Signer, Total>> {
        let slice = Slice::first(first, after)?;
        let keys = self.company.signers(Scene::of(ctx)?, &self.card.license).await?;
        let signers = keys.into_iter().map(|key| Signer { address: Hex(key.address), enabled_at: Time(key.created_at) }).collect();
        slice.of_whole(signers, |signer: &Signer| signer.address.0.to_string())
    }

    /// Where it may send people back to.
    #[graphql(name = "redirectURIs", complexity = "cost(first, child_complexity)")]
    async fn redirect_uris(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<Cursor, LicenseRedirectUri, Total>> {
        let slice = Slice::first(first, after)?;
        let uris = self.company.uris(Scene::of(ctx)?, &self.card.license).await?;
        let uris = uris.into_iter().map(|uri| LicenseRedirectUri { uri: uri.uri.as_str().to_owned(), enabled_at: Time(uri.created_at) });
        slice.of_whole(uris.collect(), |uri: &LicenseRedirectUri| uri.uri.clone())
    }
}

#[derive(Debug, SimpleObject)]
struct Signer {
    address: Hex,
    enabled_at: Time,
}

#[derive(Debug, SimpleObject)]
#[graphql(name = "RedirectURI")]
struct LicenseRedirectUri {
    uri: String,
    enabled_at: Time,
}

/// One license.
#[derive(Debug, OneofObject)]
pub(super) enum DeveloperLicenseBy {
    ClientId(Hex),
    Alias(String),
    TokenId(BigInt),
    #[graphql(name = "tokenDID")]
    TokenDid(String),
}

/// Which licenses of a list are meant.
#[derive(Debug, Default, InputObject)]
pub(super) struct DeveloperLicensesFilter {
    /// The address of an API key that may sign for them now.
    signer: Option<Hex>,
    owner: Option<Hex>,
}

/// How many there are on all pages together.
#[derive(Debug)]
pub(super) struct LicenseTotal {
    filter: LicenseFilter,
    /// What is there without a look.
    known: Option<i64>,
}

#[Object]
impl LicenseTotal {
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i64> {
        let scene = Scene::of(ctx)?;
        match self.known {
            Some(known) => Ok(known),
            None => scene.read(COUNT, scene.store().count_license_cards(&self.filter, scene.now)).await,
        }
    }
}

pub(super) type DeveloperLicenses = Connection<Cursor, DeveloperLicense, LicenseTotal>;

/// The license, as far as the one who reads can tell: where the registry is not public, a license sees itself alone.
pub(super) async fn one(scene: &Scene, by: &DeveloperLicenseBy) -> Result<Option<DeveloperLicense>> {
    let store = scene.store();
    let card = match by {
        DeveloperLicenseBy::ClientId(id) => scene.read(1, store.license_card(&id.0.into())).await?,
        DeveloperLicenseBy::Alias(alias) => scene.read(1, store.license_card_by_alias(alias)).await?,
        DeveloperLicenseBy::TokenId(_) | DeveloperLicenseBy::TokenDid(_) => None,
    };
    Ok(card.filter(|card| sees(&scene.viewer, &card.license)).map(alone))
}

/// A page of licenses.
pub(super) async fn page(scene: &Scene, filter: &DeveloperLicensesFilter, slice: &Slice) -> Result<DeveloperLicenses> {
    let address = |hex: &Option<Hex>| hex.as_ref().map(|hex| hex.0);
    let filter = LicenseFilter { owner: address(&filter.owner), signer: address(&filter.signer) };
    let page = LicensePage { after: slice.after()?, before: slice.before()?, last: slice.last, limit: slice.limit() };
    let id = |license: &DeveloperLicense| license.card.license.to_string();
    match &scene.viewer {
        Viewer::Everybody => {
            let cards = scene.read(1, scene.store().license_cards(&filter, &page, scene.now)).await?;
            let company = Arc::new(Licenses::new(cards.iter().map(|card| card.license.clone()).collect()));
            let licenses = cards.into_iter().map(|card| DeveloperLicense { card, company: Arc::clone(&company) }).collect();
            Ok(slice.connection(licenses, LicenseTotal { filter, known: None }, id))
        }
        Viewer::Nobody | Viewer::Client { .. } => {
            let own = match scene.viewer.license() {
                Some(license) => matching(scene, license, &filter).await?,
                None => None,
            };
            let known = Some(i64::from(own.is_some()));
            let on_this_page = |own: &DeveloperLicense| page.after.as_ref().is_none_or(|after| *after < own.card.license);
            Ok(slice.connection(own.into_iter().filter(on_this_page).collect(), LicenseTotal { filter, known }, id))
        }
    }
}

// A license, if it is one of those that a filter means.
async fn matching(scene: &Scene, license: Address, filter: &LicenseFilter) -> Result<Option<DeveloperLicense>> {
    let card = scene.read(1, scene.store().license_card(&license.into())).await?;
    let Some(license) = card.filter(|card| filter.owner.is_none_or(|owner| owner == card.owner)).map(alone) else { return Ok(None) };
    let Some(signer) = filter.signer else { return Ok(Some(license)) };
    let signers = license.company.signers(scene, &license.card.license).await?;
    Ok(signers.iter().any(|key| key.address == signer).then_some(license))
}

fn sees(viewer: &Viewer, license: &ClientId) -> bool {
    match viewer {
        Viewer::Everybody => true,
        Viewer::Nobody | Viewer::Client { .. } => viewer.license().is_some_and(|own| ClientId::from(own) == *license),
    }
}

fn alone(card: LicenseCard) -> DeveloperLicense {
    DeveloperLicense { company: Arc::new(Licenses::new(vec![card.license.clone()])), card }
}
