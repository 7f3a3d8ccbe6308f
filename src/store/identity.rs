//! What the identity API reads of assets: many by their names at once, what is shared of each, and how many there are.
//!
//! A list of names is one text in which each has a slot of the same width, so that one statement takes as many as there are.

use sqlx::FromRow;

use super::asset_pages::{bounds, meant, one_of};
use super::assets::AssetRow;
use super::dialect::{read, sql};
use super::grant_lists::limit;
use super::grant_rows::{GrantRow, grant_columns};
use super::{AssetFilter, AssetPage, AssetsOf, Store, StoreError};
use crate::domain::{Address, Asset, AssetDid, ClientId, Grant, Timestamp};

/// Which part of what is shared is meant. Clients come in the order of their ids.
#[derive(Clone, Debug, Default)]
pub struct SharedPage {
    /// What this client was granted, and nobody else.
    pub only: Option<ClientId>,
    pub after: Option<ClientId>,
    /// Clients, of each asset or account: at most [`LONGEST_PAGE`](super::LONGEST_PAGE), and one more.
    pub limit: u32,
}

/// The names of the list `$1`, one in each slot.
macro_rules! named {
    () => {
        "WITH RECURSIVE named (place, name) AS (
            SELECT 0, RTRIM(SUBSTR($1, 1, 150))
            UNION ALL
            SELECT place + 1, RTRIM(SUBSTR($1, 150 * (place + 1) + 1, 150)) FROM named WHERE 150 * (place + 1) < LENGTH($1))"
    };
}

pub(super) use named;

/// The width of a slot, in characters: the longest DID has 149.
const SLOT: usize = 150;

/// The assets of the list; those of an owner whose account is disabled share nothing.
macro_rules! things {
    () => {
        "thing AS MATERIALIZED (
            SELECT of_account.did, of_account.epoch, of_account.owner
            FROM (SELECT asset.did, asset.epoch,
                         COALESCE(asset.owner_account, (SELECT i.account_id FROM identity i
                                                        WHERE i.provider = 'web3' AND i.subject = asset.owner_address)) AS owner
                  FROM named JOIN asset ON asset.did = named.name) of_account
            WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.id = of_account.owner AND a.disabled_at IS NOT NULL))"
    };
}

/// Grants that live at `$2`, of the client `$3` or of any.
macro_rules! living {
    () => {
        "g.ended_at IS NULL AND g.effective_at <= $2 AND g.expires_at > $2 AND (g.grantee = $3 OR $3 IS NULL)"
    };
}

/// What was granted on each asset: on itself, and on all assets of its owner. `CROSS JOIN`: SQLite begins on the left then, with the few.
macro_rules! near {
    () => {
        concat!(
            "near AS (
            SELECT thing.did AS thing, ",
            grant_columns!("g"),
            "
            FROM thing CROSS JOIN asset_grant g
            WHERE g.asset = thing.did AND g.epoch = thing.epoch AND ",
            living!(),
            "
            UNION ALL
            SELECT thing.did AS thing, ",
            grant_columns!("g"),
            "
            FROM thing CROSS JOIN asset_grant g
            WHERE g.grantor_account = thing.owner AND g.asset IS NULL AND ",
            living!(),
            ")"
        )
    };
}

/// What the account of the wallet `$1` granted on all its assets.
macro_rules! of_account {
    () => {
        concat!(
            "
            FROM identity i
            JOIN account a ON a.id = i.account_id
            JOIN asset_grant g ON g.grantor_account = i.account_id
            WHERE i.provider = 'web3' AND i.subject = $1 AND a.disabled_at IS NULL AND g.asset IS NULL AND ",
            living!()
        )
    };
}

sql! {
    NAMED = concat!(named!(), "
        SELECT a.did, a.owner_address, a.owner_account, a.epoch, a.make, a.model, a.year, a.powertrain, a.name, a.attributes, a.minted_at,
               a.created_at, a.updated_at
        FROM named JOIN asset a ON a.did = named.name");
    SHARED = concat!(named!(), ", ", things!(), ", ", near!(), ",
        ranked AS (
            SELECT near.*, DENSE_RANK() OVER (PARTITION BY near.thing ORDER BY near.grantee) AS place
            FROM near
            WHERE near.grantee > $4 OR $4 IS NULL)
        SELECT ranked.thing, ", grant_columns!("ranked"), "
        FROM ranked
        WHERE ranked.place <= $5
        ORDER BY ranked.thing, ranked.grantee, ranked.id");
    COUNT_SHARED = concat!(named!(), ", ", things!(), ", ", near!(), "
        SELECT near.thing, COUNT(DISTINCT near.grantee) FROM near GROUP BY near.thing");
    SHARED_BY_ACCOUNT = concat!("
        SELECT ", grant_columns!("ranked"), "
        FROM (SELECT ", grant_columns!("g"), ", DENSE_RANK() OVER (ORDER BY g.grantee) AS place", of_account!(), "
              AND (g.grantee > $4 OR $4 IS NULL)) ranked
        WHERE ranked.place <= $5
        ORDER BY ranked.grantee, ranked.id");
    COUNT_SHARED_BY_ACCOUNT = concat!("SELECT COUNT(DISTINCT g.grantee)", of_account!());
    COUNT_OF_ACCOUNT = concat!("
        SELECT COUNT(*) FROM (
            SELECT asset.did FROM asset WHERE asset.owner_account = $8 AND ", meant!(), "
            UNION ALL
            SELECT asset.did FROM identity i JOIN asset ON asset.owner_address = i.subject
            WHERE i.account_id = $8 AND i.provider = 'web3' AND ", meant!(), ") theirs");
    COUNT_OF_ADDRESS = concat!("SELECT COUNT(*) FROM asset WHERE asset.owner_address = $8 AND ", meant!());
    /// One line of `UNION` for each way to have access, as a page of them has.
    COUNT_SHARED_WITH = concat!("
        SELECT COUNT(*) FROM (
            SELECT g.asset AS did FROM asset_grant g JOIN asset ON asset.did = g.asset AND asset.epoch = g.epoch
            WHERE g.grantee = $8 AND g.asset > $1 AND g.asset < $2 AND g.ended_at IS NULL AND g.effective_at <= $9 AND g.expires_at > $9
              AND ", meant!(), "
            UNION
            SELECT asset.did FROM asset_grant g JOIN asset ON asset.owner_account = g.grantor_account
            WHERE g.grantee = $8 AND g.asset IS NULL AND g.ended_at IS NULL AND g.effective_at <= $9 AND g.expires_at > $9 AND ", meant!(), "
            UNION
            SELECT asset.did FROM asset_grant g
            JOIN identity i ON i.account_id = g.grantor_account AND i.provider = 'web3'
            JOIN asset ON asset.owner_address = i.subject
            WHERE g.grantee = $8 AND g.asset IS NULL AND g.ended_at IS NULL AND g.effective_at <= $9 AND g.expires_at > $9 AND ", meant!(), "
            UNION
            SELECT asset.did FROM asset WHERE asset.owner_address = $8 AND ", meant!(), ") shared");
    COUNT_ALL = concat!("SELECT COUNT(*) FROM asset WHERE ", meant!());
}

impl Store {
    /// Those of these assets that there are, in no order.
    pub async fn assets_named(&self, names: &[AssetDid]) -> Result<Vec<Asset>, StoreError> {
        let rows: Vec<AssetRow> = read!(self, rows(NAMED, slots(names)))?;
        Ok(rows.into_iter().map(Asset::from).collect())
    }

    /// What lives of the grants on each of these assets, those on all assets of its owner too: by asset, by client, the oldest first.
    pub async fn shared(&self, assets: &[AssetDid], page: &SharedPage, now: Timestamp) -> Result<Vec<(AssetDid, Grant)>, StoreError> {
        let (names, limit) = (slots(assets), limit(page.limit));
        let rows: Vec<SharedRow> = read!(self, rows(SHARED, names, now, &page.only, &page.after, limit))?;
        Ok(rows.into_iter().map(|row| (row.thing, Grant::from(row.grant))).collect())
    }

    /// With how many clients each of these assets is shared; one that is shared with nobody is left out.
    pub async fn count_shared(
        &self,
        assets: &[AssetDid],
        only: Option<&ClientId>,
        now: Timestamp,
    ) -> Result<Vec<(AssetDid, i64)>, StoreError> {
        read!(self, rows(COUNT_SHARED, slots(assets), now, only))
    }

    /// What lives of the grants that the account of a wallet made on all its assets: by client, the oldest first.
    pub async fn shared_by_account(&self, wallet: &Address, page: &SharedPage, now: Timestamp) -> Result<Vec<Grant>, StoreError> {
        let limit = limit(page.limit);
        let rows: Vec<GrantRow> = read!(self, rows(SHARED_BY_ACCOUNT, wallet, now, &page.only, &page.after, limit))?;
        Ok(rows.into_iter().map(Grant::from).collect())
    }

    /// With how many clients the account of a wallet shares all its assets.
    pub async fn count_shared_by_account(&self, wallet: &Address, only: Option<&ClientId>, now: Timestamp) -> Result<i64, StoreError> {
        let count: Option<i64> = read!(self, value(COUNT_SHARED_BY_ACCOUNT, wallet, now, only))?;
        Ok(count.unwrap_or_default())
    }

    /// How many assets a list has, over all its pages.
    pub async fn count_assets(&self, of: &AssetsOf, filter: &AssetFilter) -> Result<i64, StoreError> {
        let whole = AssetPage { after: None, before: None, last: false, limit: 0 };
        let (low, high) = bounds(filter.method, &whole);
        let (makes, models, powertrains) = (one_of(&filter.makes), one_of(&filter.models), one_of(&filter.powertrains));
        let (year, owner) = (filter.year, filter.owner);
        let count: Option<i64> = match of {
            AssetsOf::Account(account) => {
                read!(self, value(COUNT_OF_ACCOUNT, low, high, makes, models, powertrains, year, owner, account))
            }
            AssetsOf::Address(address) => {
                read!(self, value(COUNT_OF_ADDRESS, low, high, makes, models, powertrains, year, owner, address))
            }
            AssetsOf::SharedWith(client, now) => {
                read!(self, value(COUNT_SHARED_WITH, low, high, makes, models, powertrains, year, owner, client, now))
            }
            AssetsOf::All => read!(self, value(COUNT_ALL, low, high, makes, models, powertrains, year, owner)),
        }?;
        Ok(count.unwrap_or_default())
    }
}

#[derive(FromRow)]
struct SharedRow {
    thing: AssetDid,
    #[sqlx(flatten)]
    grant: GrantRow,
}

/// A list of names as one text.
pub(super) fn slots<T: std::fmt::Display>(names: &[T]) -> String {
    let list = String::with_capacity(names.len() * SLOT);
    names.iter().fold(list, |list, name| list + &format!("{:<SLOT$}", name.to_string()))
}
