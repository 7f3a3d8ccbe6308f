//! Assets: what they are, who owns them now, and how an owner passes one on.

use sqlx::FromRow;
use sqlx::types::Json;

use super::dialect::{on, read, sql};
use super::{Actor, Store, StoreError, grants};
use crate::domain::{AccountId, Address, Asset, AssetDid, ClientId, Owner, Standing, Timestamp};

/// Whether a row of `asset` belongs to an account: to the account itself, or to one of its wallets.
macro_rules! owned_by {
    ($account:literal) => {
        concat!(
            "(asset.owner_account = ",
            $account,
            "
               OR asset.owner_address IN (SELECT w.subject FROM identity w WHERE w.account_id = ",
            $account,
            " AND w.provider = 'web3'))"
        )
    };
}

pub(super) use owned_by;

sql! {
    ASSET = "
        SELECT did, owner_address, owner_account, epoch, make, model, year, powertrain, name, attributes, minted_at, created_at, updated_at
        FROM asset
        WHERE did = $1";
    /// Nothing alike for what is somebody else's and for what there is not.
    OWNED = concat!("
        SELECT did, owner_address, owner_account, epoch, make, model, year, powertrain, name, attributes, minted_at, created_at, updated_at
        FROM asset
        WHERE did = $1 AND ", owned_by!("$2"));
    STANDING = "
        SELECT did, owner_address, owner_account, epoch,
               COALESCE(owner_account, (SELECT i.account_id FROM identity i
                                        WHERE i.provider = 'web3' AND i.subject = asset.owner_address)) AS owner
        FROM asset
        WHERE did = $1";
    /// Only in the epoch that the giver knows of, and only by whoever owns it at this very moment.
    TRANSFER = concat!("
        UPDATE asset SET owner_address = $4, owner_account = $5, epoch = epoch + 1, updated_at = $6
        WHERE did = $1 AND epoch = $2 AND ", owned_by!("$3"), "
          AND EXISTS (SELECT 1 FROM account giver WHERE giver.id = $3 AND giver.disabled_at IS NULL)
          AND (EXISTS (SELECT 1 FROM account taker WHERE taker.id = $5 AND taker.disabled_at IS NULL) OR $5 IS NULL)
        RETURNING epoch");
}

/// A passing-on of an asset by its owner.
#[derive(Clone, Debug)]
pub struct Transfer {
    pub did: AssetDid,
    /// The ownership epoch that the owner was shown.
    pub epoch: i64,
    pub from: AccountId,
    /// The app that did it in the owner's name, if it was one.
    pub by: Option<ClientId>,
    pub to: Owner,
}

impl Store {
    pub async fn asset(&self, did: &AssetDid) -> Result<Option<Asset>, StoreError> {
        let row: Option<AssetRow> = read!(self, row(ASSET, did))?;
        Ok(row.map(Asset::from))
    }

    /// An asset, if it belongs to that account at this moment.
    pub async fn owned_asset(&self, did: &AssetDid, account: AccountId) -> Result<Option<Asset>, StoreError> {
        let row: Option<AssetRow> = read!(self, row(OWNED, did, account))?;
        Ok(row.map(Asset::from))
    }

    /// Whose an asset is at this moment.
    pub async fn asset_standing(&self, did: &AssetDid) -> Result<Option<Standing>, StoreError> {
        let row: Option<StandingRow> = read!(self, row(STANDING, did))?;
        Ok(row.map(|row| Standing {
            did: row.did,
            owner: owner(row.owner_address, row.owner_account),
            owner_account: row.owner,
            epoch: row.epoch,
        }))
    }

    /// Passes an asset on and ends the grants that are on it, in one transaction; its new epoch. Of many who try at once, one does.
    /// `None`, and nothing changed: there is no such asset, it is not theirs (any more), or there is no such new owner.
    pub async fn transfer_asset(&self, transfer: Transfer, now: Timestamp) -> Result<Option<i64>, StoreError> {
        self.transaction(move |mut conn| {
            Box::pin(async move {
                let Transfer { did, epoch, from, by, to } = transfer;
                let (address, account) = columns(Some(to));
                let risen: Option<i64> = on!(conn, value(TRANSFER, did, epoch, from, address, account, now))?;
                if risen.is_some() {
                    grants::end_for_transfer(&mut conn, &did, &Actor::Owner { account: from, by }, now).await?;
                }
                Ok(risen)
            })
        })
        .await
    }
}

/// How an owner lies in its two columns.
pub(super) const fn columns(owner: Option<Owner>) -> (Option<Address>, Option<AccountId>) {
    match owner {
        Some(Owner::Address(address)) => (Some(address), None),
        Some(Owner::Account(account)) => (None, Some(account)),
        None => (None, None),
    }
}

/// The same, the other way round.
pub(super) fn owner(address: Option<Address>, account: Option<AccountId>) -> Option<Owner> {
    address.map(Owner::Address).or(account.map(Owner::Account))
}

#[derive(FromRow)]
struct StandingRow {
    did: AssetDid,
    owner_address: Option<Address>,
    owner_account: Option<AccountId>,
    epoch: i64,
    owner: Option<AccountId>,
}

#[derive(FromRow)]
pub(super) struct AssetRow {
    did: AssetDid,
    owner_address: Option<Address>,
    owner_account: Option<AccountId>,
    epoch: i64,
    make: Option<String>,
    model: Option<String>,
    year: Option<i64>,
    powertrain: Option<String>,
    name: Option<String>,
    attributes: Json<serde_json::Map<String, serde_json::Value>>,
    minted_at: Timestamp,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<AssetRow> for Asset {
    fn from(row: AssetRow) -> Self {
        Self {
            did: row.did,
            owner: owner(row.owner_address, row.owner_account),
            epoch: row.epoch,
            make: row.make,
            model: row.model,
            year: row.year,
            powertrain: row.powertrain,
            name: row.name,
            attributes: row.attributes.0,
            minted_at: row.minted_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
