//! `latchkey asset …`: what owners share something of.

mod claim;
mod import;
mod list;
mod show;

use clap::Subcommand;
use serde::Serialize;

use super::desk::Desk;
use super::out::Done;
use crate::domain::{Asset as Record, AssetDid, Owner};
use crate::web::asset_import::owner_of;

/// Assets: vehicles and other things whose owners grant apps permissions on them
#[derive(Debug, Subcommand)]
pub(super) enum Asset {
    Import(import::Import),
    List(list::List),
    Show(show::Show),
    Claim(claim::Claim),
}

impl Asset {
    pub(super) async fn run(self, desk: &Desk) -> Done {
        match self {
            Self::Import(import) => import.run(desk).await,
            Self::List(list) => list.run(desk).await,
            Self::Show(show) => show.run(desk).await,
            Self::Claim(claim) => claim.run(desk).await,
        }
    }
}

/// An asset as it is printed.
#[derive(Serialize)]
struct View<'a> {
    did: AssetDid,
    /// An address, or the id of an account; `null`: nobody has claimed it yet.
    owner: Option<OwnerText>,
    epoch: i64,
    make: Option<&'a str>,
    model: Option<&'a str>,
    year: Option<i64>,
    powertrain: Option<&'a str>,
    name: Option<&'a str>,
    attributes: &'a serde_json::Map<String, serde_json::Value>,
    minted_at: String,
    created_at: String,
    updated_at: String,
}

impl<'a> From<&'a Record> for View<'a> {
    fn from(asset: &'a Record) -> Self {
        Self {
            did: asset.did,
            owner: asset.owner.map(OwnerText),
            epoch: asset.epoch,
            make: asset.make.as_deref(),
            model: asset.model.as_deref(),
            year: asset.year,
            powertrain: asset.powertrain.as_deref(),
            name: asset.name.as_deref(),
            attributes: &asset.attributes,
            minted_at: asset.minted_at.rfc3339(),
            created_at: asset.created_at.rfc3339(),
            updated_at: asset.updated_at.rfc3339(),
        }
    }
}

/// An owner as an operator writes and reads it: an address, or the id of an account.
#[derive(Clone, Copy, Debug)]
struct OwnerText(Owner);

impl std::str::FromStr for OwnerText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        owner_of(text).map(Self)
    }
}

impl Serialize for OwnerText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Owner::Address(address) => serializer.collect_str(&address),
            Owner::Account(account) => serializer.collect_str(&account),
        }
    }
}
