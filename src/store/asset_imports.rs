//! The operator's import: assets are made or brought up to date by their DID, all of a batch or none.

use sqlx::FromRow;
use sqlx::types::Json;

use super::assets::{columns, owner};
use super::dialect::{Conn, on, sql};
use super::{Actor, Conflict, Store, StoreError, asset_claims, grants};
use crate::domain::{AccountId, Address, AssetDid, Owner, Timestamp, TokenHash};

/// One asset of an import. What is `None` stays as it is where the asset is there already.
#[derive(Clone, Debug)]
pub struct AssetImport {
    pub did: AssetDid,
    pub owner: Option<Owner>,
    pub make: Option<String>,
    pub model: Option<String>,
    pub year: Option<i64>,
    pub powertrain: Option<String>,
    pub name: Option<String>,
    pub attributes: Option<serde_json::Map<String, serde_json::Value>>,
    /// Of a new asset: `None` is the moment of the import.
    pub minted_at: Option<Timestamp>,
    /// The hash of its claim code, and how long that works; stored with a new asset that has no owner, else forgotten.
    pub claim: Option<(TokenHash, Timestamp)>,
}

/// What became of an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imported {
    Created,
    /// It was there, and its owner is the one that it had.
    Updated,
    /// It was there, and has another owner now: its epoch rose, and the grants that were on it have ended.
    Transferred,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AssetsImported {
    /// Each, in the order in which they came.
    All(Vec<Imported>),
    /// Nothing was changed: these have another owner, and a change of owners was not asked for.
    OtherOwners(Vec<AssetDid>),
}

sql! {
    /// Holds the row until the end of the transaction.
    HOLD = "UPDATE asset SET updated_at = updated_at WHERE did = $1 RETURNING owner_address, owner_account";
    CREATE = "
        INSERT INTO asset (did, owner_address, owner_account, epoch, make, model, year, powertrain, name, attributes, minted_at,
                           created_at, updated_at)
        VALUES ($1, $2, $3, 0, $4, $5, $6, $7, $8, $9, $10, $11, $11)";
    /// What this transaction made; its claim code goes with it.
    UNMAKE = "DELETE FROM asset WHERE did = $1";
    UPDATE = "
        UPDATE asset
        SET make = COALESCE($2, make), model = COALESCE($3, model), year = COALESCE($4, year), powertrain = COALESCE($5, powertrain),
            name = COALESCE($6, name), attributes = COALESCE($7, attributes), minted_at = COALESCE($8, minted_at), updated_at = $9
        WHERE did = $1";
    GIVE = "UPDATE asset SET owner_address = $2, owner_account = $3, epoch = epoch + 1 WHERE did = $1";
}

impl Store {
    /// Imports a batch in one transaction. An asset that is there keeps its owner, unless `transfer` says that it may change hands.
    ///
    /// # Errors
    /// [`Conflict::Asset`] when a DID is named twice, or somebody else imported it at this very moment;
    /// [`Conflict::Other`] when an owner is an account that does not exist.
    pub async fn import_assets(&self, batch: Vec<AssetImport>, transfer: bool, now: Timestamp) -> Result<AssetsImported, StoreError> {
        self.transaction(move |mut conn| {
            Box::pin(async move {
                // One order for all, so that two imports never wait for each other. What is not there is made at once: who came to it later,
                // with the rest in hand already, would wait for somebody who waits for that rest.
                let mut order: Vec<usize> = (0..batch.len()).collect();
                order.sort_by_key(|place| batch[*place].did);
                if order.windows(2).any(|pair| batch[pair[0]].did == batch[pair[1]].did) {
                    return Err(StoreError::Conflict(Conflict::Asset));
                }
                let mut held = Vec::with_capacity(batch.len());
                for place in &order {
                    let found: Option<Held> = on!(conn, row(HOLD, batch[*place].did))?;
                    if found.is_none() {
                        create(&mut conn, &batch[*place], now).await?;
                    }
                    held.push((*place, found.map(|found| owner(found.owner_address, found.owner_account))));
                }
                let changes = |place: usize, former: Option<Owner>| batch[place].owner.is_some_and(|owner| former != Some(owner));
                if !transfer {
                    let mut other: Vec<_> =
                        held.iter().filter(|(place, former)| former.is_some_and(|former| changes(*place, former))).collect();
                    other.sort_by_key(|(place, _)| *place);
                    if !other.is_empty() {
                        let other = other.into_iter().map(|(place, _)| batch[*place].did).collect();
                        for (place, _) in held.iter().filter(|(_, former)| former.is_none()) {
                            on!(conn, execute(UNMAKE, batch[*place].did))?;
                        }
                        return Ok(AssetsImported::OtherOwners(other));
                    }
                }
                let mut outcomes = vec![Imported::Created; batch.len()];
                for (place, former) in held {
                    if let Some(former) = former {
                        outcomes[place] = update(&mut conn, &batch[place], changes(place, former), now).await?;
                    }
                }
                Ok(AssetsImported::All(outcomes))
            })
        })
        .await
    }
}

#[derive(FromRow)]
struct Held {
    owner_address: Option<Address>,
    owner_account: Option<AccountId>,
}

async fn create(conn: &mut Conn<'_>, asset: &AssetImport, now: Timestamp) -> Result<(), StoreError> {
    let (address, account) = columns(asset.owner);
    let attributes = Json(asset.attributes.clone().unwrap_or_default());
    let minted_at = asset.minted_at.unwrap_or(now);
    let (make, model, powertrain, name) = (&asset.make, &asset.model, &asset.powertrain, &asset.name);
    on!(*conn, execute(CREATE, asset.did, address, account, make, model, asset.year, powertrain, name, attributes, minted_at, now))?;
    if let (None, Some((code, expires_at))) = (asset.owner, asset.claim) {
        asset_claims::put(conn, &asset.did, code, expires_at, now).await?;
    }
    Ok(())
}

async fn update(conn: &mut Conn<'_>, asset: &AssetImport, changes: bool, now: Timestamp) -> Result<Imported, StoreError> {
    let attributes = asset.attributes.clone().map(Json);
    let (make, model, powertrain, name) = (&asset.make, &asset.model, &asset.powertrain, &asset.name);
    on!(*conn, execute(UPDATE, asset.did, make, model, asset.year, powertrain, name, attributes, asset.minted_at, now))?;
    if !changes {
        return Ok(Imported::Updated);
    }
    let (address, account) = columns(asset.owner);
    on!(*conn, execute(GIVE, asset.did, address, account))?;
    grants::end_for_transfer(conn, &asset.did, &Actor::Operator, now).await?;
    Ok(Imported::Transferred)
}
