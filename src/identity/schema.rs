//! What can be asked for: the fields of `Query`.

use async_graphql::{Context, InputObject, Object, Result};

use super::license::{self, DeveloperLicense, DeveloperLicenseBy, DeveloperLicenses, DeveloperLicensesFilter};
use super::page::{Slice, cost};
use super::sacd::{self, Sacds};
use super::scalars::{BigInt, Hex};
use super::scene::{Scene, bad_input, not_found};
use super::vehicle::{self, Vehicle, Vehicles, VehiclesFilter};
use super::viewer::Viewer;
use crate::domain::{AssetDid, Contract};

#[derive(Debug)]
pub(super) struct Query;

#[Object]
impl Query {
    /// One vehicle, by its DID, or by its token id alone: then the first of the server's contracts that has it is meant.
    #[graphql(complexity = "100 + child_complexity")]
    async fn vehicle(
        &self,
        ctx: &Context<'_>,
        token_id: Option<BigInt>,
        #[graphql(name = "tokenDID")] did: Option<String>,
    ) -> Result<Vehicle> {
        let scene = Scene::of(ctx)?;
        let names = match (token_id, did) {
            (Some(id), None) => {
                let named = |contract: &Contract| AssetDid::Erc721 { chain: contract.chain, contract: contract.address, token_id: id.0 };
                scene.state.config.assets.contracts.iter().map(named).collect()
            }
            (None, Some(did)) => vec![did.parse::<AssetDid>().map_err(|error| bad_input(&error.to_string()))?],
            (Some(_), Some(_)) | (None, None) => return Err(bad_input("a vehicle is named by tokenId or by tokenDID")),
        };
        vehicle::first_of(scene, &names).await?.ok_or_else(|| not_found("vehicle"))
    }

    /// Vehicles, in the order of their DIDs.
    #[graphql(complexity = "100 + cost(first.or(last), child_complexity)")]
    async fn vehicles(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        filter_by: Option<VehiclesFilter>,
    ) -> Result<Vehicles> {
        let slice = Slice::of(first, after, last, before)?;
        vehicle::page(Scene::of(ctx)?, &filter_by.unwrap_or_default(), &slice).await
    }

    /// One license.
    #[graphql(complexity = "100 + child_complexity")]
    async fn developer_license(&self, ctx: &Context<'_>, by: DeveloperLicenseBy) -> Result<DeveloperLicense> {
        license::one(Scene::of(ctx)?, &by).await?.ok_or_else(|| not_found("developer license"))
    }

    /// Licenses, in the order of their client ids.
    #[graphql(complexity = "100 + cost(first.or(last), child_complexity)")]
    async fn developer_licenses(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        filter_by: Option<DeveloperLicensesFilter>,
    ) -> Result<DeveloperLicenses> {
        let slice = Slice::of(first, after, last, before)?;
        license::page(Scene::of(ctx)?, &filter_by.unwrap_or_default(), &slice).await
    }

    /// Whoever has a wallet; nobody is told whether there is an account behind it.
    #[graphql(complexity = "100 + child_complexity")]
    async fn account(&self, by: AccountBy) -> Account {
        Account { address: by.address }
    }
}

#[derive(Debug, InputObject)]
struct AccountBy {
    address: Hex,
}

#[derive(Debug)]
struct Account {
    address: Hex,
}

#[Object]
impl Account {
    async fn address(&self) -> Hex {
        self.address
    }

    /// With whom all its assets are shared, those of now and those that come later.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn sacds(&self, ctx: &Context<'_>, first: Option<i32>, after: Option<String>) -> Result<Sacds> {
        let scene = Scene::of(ctx)?;
        let slice = Slice::first(first, after)?;
        match &scene.viewer {
            Viewer::Everybody => sacd::of_account(scene, self.address.0, None, &slice).await,
            Viewer::Client { client, .. } => sacd::of_account(scene, self.address.0, Some(client.clone()), &slice).await,
            Viewer::Nobody => Ok(sacd::none(scene, self.address.0, &slice)),
        }
    }
}
