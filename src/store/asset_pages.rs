//! Pages of assets, in the order of their DIDs: those of an owner, those that a client was granted something on, or all.

use super::assets::AssetRow;
use super::dialect::{read, sql};
use super::grant_lists::limit;
use super::{Store, StoreError};
use crate::domain::{AccountId, Address, Asset, AssetDid, AssetMethod, ClientId, Timestamp};

/// Whose assets a page is of.
#[derive(Clone, Debug)]
pub enum AssetsOf {
    /// Those of an account: its own, and those of its wallets.
    Account(AccountId),
    Address(Address),
    /// Those that are shared with a client at this moment, and those that it owns by its address.
    SharedWith(ClientId, Timestamp),
    All,
}

/// Which assets of a list are meant. Letters of ASCII may be lower or upper case.
#[derive(Clone, Debug, Default)]
pub struct AssetFilter {
    pub method: Option<AssetMethod>,
    /// One of these; none: any.
    pub makes: Vec<String>,
    pub models: Vec<String>,
    pub powertrains: Vec<String>,
    pub year: Option<i64>,
    pub owner: Option<Address>,
}

/// Which part of a list a page is.
#[derive(Clone, Copy, Debug)]
pub struct AssetPage {
    pub after: Option<AssetDid>,
    pub before: Option<AssetDid>,
    /// The last ones before `before`, in the same order; else the first ones after `after`.
    pub last: bool,
    /// At most [`LONGEST_PAGE`](super::LONGEST_PAGE), and one more.
    pub limit: u32,
}

/// What a filter leaves out. A list of words is one text, each word between line feeds, which no word has.
macro_rules! meant {
    () => {
        "asset.did > $1 AND asset.did < $2
              AND (REPLACE($3, '\n' || LOWER(asset.make) || '\n', '') <> $3 OR $3 IS NULL)
              AND (REPLACE($4, '\n' || LOWER(asset.model) || '\n', '') <> $4 OR $4 IS NULL)
              AND (REPLACE($5, '\n' || LOWER(asset.powertrain) || '\n', '') <> $5 OR $5 IS NULL)
              AND (asset.year = $6 OR $6 IS NULL)
              AND (asset.owner_address = $7 OR $7 IS NULL)"
    };
}

pub(super) use meant;

/// A page of the assets whose DIDs `$dids` gives, `$order` says from which end.
macro_rules! page {
    ($dids:expr, $order:literal, $limit:literal) => {
        concat!(
            "
        SELECT a.did, a.owner_address, a.owner_account, a.epoch, a.make, a.model, a.year, a.powertrain, a.name, a.attributes, a.minted_at,
               a.created_at, a.updated_at
        FROM asset a
        WHERE a.did IN (", $dids, ")
        ORDER BY a.did ", $order, " LIMIT ", $limit
        )
    };
}

macro_rules! of_account {
    ($order:literal, $limit:literal) => {
        concat!(
            "
            SELECT own.did FROM (
                SELECT asset.did FROM asset WHERE asset.owner_account = $8 AND ",
            meant!(),
            "
                ORDER BY asset.did ",
            $order,
            " LIMIT ",
            $limit,
            ") own
            UNION ALL
            SELECT wallets.did FROM (
                SELECT asset.did FROM identity i JOIN asset ON asset.owner_address = i.subject
                WHERE i.account_id = $8 AND i.provider = 'web3' AND ",
            meant!(),
            "
                ORDER BY asset.did ",
            $order,
            " LIMIT ",
            $limit,
            ") wallets"
        )
    };
}

macro_rules! of_address {
    ($order:literal, $limit:literal) => {
        concat!(
            "
            SELECT own.did FROM (
                SELECT asset.did FROM asset WHERE asset.owner_address = $8 AND ",
            meant!(),
            "
                ORDER BY asset.did ",
            $order,
            " LIMIT ",
            $limit,
            ") own"
        )
    };
}

/// One line of `UNION` for each way to have access: a grant on the asset, one on all assets of its owner (an account, or a wallet of
/// one), the asset's own address.
macro_rules! shared {
    ($order:literal) => {
        concat!(
            "
            SELECT one.did FROM (
                SELECT DISTINCT g.asset AS did FROM asset_grant g JOIN asset ON asset.did = g.asset AND asset.epoch = g.epoch
                WHERE g.grantee = $8 AND g.asset > $1 AND g.asset < $2 AND g.ended_at IS NULL AND g.effective_at <= $9 AND g.expires_at > $9
                  AND ", meant!(), "
                ORDER BY g.asset ", $order, " LIMIT $10) one
            UNION
            SELECT of_accounts.did FROM (
                SELECT asset.did FROM asset_grant g JOIN asset ON asset.owner_account = g.grantor_account
                WHERE g.grantee = $8 AND g.asset IS NULL AND g.ended_at IS NULL AND g.effective_at <= $9 AND g.expires_at > $9 AND ", meant!(), "
                ORDER BY asset.did ", $order, " LIMIT $10) of_accounts
            UNION
            SELECT of_wallets.did FROM (
                SELECT asset.did FROM asset_grant g
                JOIN identity i ON i.account_id = g.grantor_account AND i.provider = 'web3'
                JOIN asset ON asset.owner_address = i.subject
                WHERE g.grantee = $8 AND g.asset IS NULL AND g.ended_at IS NULL AND g.effective_at <= $9 AND g.expires_at > $9 AND ", meant!(), "
                ORDER BY asset.did ", $order, " LIMIT $10) of_wallets
            UNION", of_address!($order, "$10")
        )
    };
}

macro_rules! all {
    ($order:literal) => {
        concat!(
            "
        SELECT did, owner_address, owner_account, epoch, make, model, year, powertrain, name, attributes, minted_at, created_at, updated_at
        FROM asset
        WHERE ", meant!(), "
        ORDER BY did ", $order, " LIMIT $8"
        )
    };
}

sql! {
    FIRST_OF_ACCOUNT = page!(of_account!("ASC", "$9"), "ASC", "$9");
    LAST_OF_ACCOUNT = page!(of_account!("DESC", "$9"), "DESC", "$9");
    FIRST_OF_ADDRESS = page!(of_address!("ASC", "$9"), "ASC", "$9");
    LAST_OF_ADDRESS = page!(of_address!("DESC", "$9"), "DESC", "$9");
    FIRST_SHARED = page!(shared!("ASC"), "ASC", "$10");
    LAST_SHARED = page!(shared!("DESC"), "DESC", "$10");
    FIRST = all!("ASC");
    LAST = all!("DESC");
}

impl Store {
    /// A page of assets, in the order of their DIDs.
    pub async fn assets(&self, of: &AssetsOf, filter: &AssetFilter, page: &AssetPage) -> Result<Vec<Asset>, StoreError> {
        let (low, high) = bounds(filter.method, page);
        let (makes, models, powertrains) = (one_of(&filter.makes), one_of(&filter.models), one_of(&filter.powertrains));
        let (year, owner, limit) = (filter.year, filter.owner, limit(page.limit));
        let rows: Vec<AssetRow> = match of {
            AssetsOf::Account(account) => {
                let text = if page.last { LAST_OF_ACCOUNT } else { FIRST_OF_ACCOUNT };
                read!(self, rows(text, low, high, makes, models, powertrains, year, owner, account, limit))
            }
            AssetsOf::Address(address) => {
                let text = if page.last { LAST_OF_ADDRESS } else { FIRST_OF_ADDRESS };
                read!(self, rows(text, low, high, makes, models, powertrains, year, owner, address, limit))
            }
            AssetsOf::SharedWith(client, now) => {
                let text = if page.last { LAST_SHARED } else { FIRST_SHARED };
                read!(self, rows(text, low, high, makes, models, powertrains, year, owner, client, now, limit))
            }
            AssetsOf::All => {
                let text = if page.last { LAST } else { FIRST };
                read!(self, rows(text, low, high, makes, models, powertrains, year, owner, limit))
            }
        }?;
        let mut assets: Vec<Asset> = rows.into_iter().map(Asset::from).collect();
        if page.last {
            assets.reverse();
        }
        Ok(assets)
    }
}

// The texts between which the DIDs of a page lie. `;` comes right after `:`.
pub(super) fn bounds(method: Option<AssetMethod>, page: &AssetPage) -> (String, String) {
    let (low, high) =
        method.map_or_else(|| ("did:".to_owned(), "did;".to_owned()), |method| (format!("did:{method}:"), format!("did:{method};")));
    let low = page.after.map_or(low.clone(), |after| after.to_string().max(low));
    let high = page.before.map_or(high.clone(), |before| before.to_string().min(high));
    (low, high)
}

pub(super) fn one_of(given: &[String]) -> Option<String> {
    // A word with a line feed in it is none that an asset has.
    let words = given.iter().filter(|word| !word.contains('\n')).map(|word| word.to_ascii_lowercase());
    (!given.is_empty()).then(|| words.fold(String::from("\n"), |list, word| list + &word + "\n"))
}
