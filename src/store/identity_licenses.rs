//! What the identity API reads of developer licenses: pages of them, their API keys and their redirect URIs.

use sqlx::FromRow;

use super::dialect::{read, sql};
use super::grant_lists::limit;
use super::identity::{named, slots};
use super::{LicenseKey, Store, StoreError};
use crate::domain::{Address, ClientId, RedirectUri, Timestamp};

/// What everybody may know of a license.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct LicenseCard {
    #[sqlx(rename = "client_id")]
    pub license: ClientId,
    pub alias: String,
    pub owner: Address,
    pub created_at: Timestamp,
}

/// An address that a license sends people back to.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct LicenseUri {
    #[sqlx(rename = "client_id")]
    pub license: ClientId,
    pub uri: RedirectUri,
    pub created_at: Timestamp,
}

/// Which licenses of a list are meant.
#[derive(Clone, Copy, Debug, Default)]
pub struct LicenseFilter {
    pub owner: Option<Address>,
    /// The address of an API key that may sign for it.
    pub signer: Option<Address>,
}

/// Which part of a list of licenses a page is. They come in the order of their ids.
#[derive(Clone, Debug)]
pub struct LicensePage {
    pub after: Option<ClientId>,
    pub before: Option<ClientId>,
    /// The last ones before `before`, in the same order; else the first ones after `after`.
    pub last: bool,
    /// At most [`LONGEST_PAGE`](super::LONGEST_PAGE), and one more.
    pub limit: u32,
}

macro_rules! page {
    ($from:literal, $condition:literal, $order:literal, $limit:literal) => {
        concat!(
            "
        SELECT l.client_id, l.alias, l.owner, c.created_at
        FROM ",
            $from,
            " JOIN client c ON c.id = l.client_id
        WHERE l.client_id > $1 AND l.client_id < $2 AND c.disabled_at IS NULL",
            $condition,
            "
        ORDER BY l.client_id ",
            $order,
            " LIMIT ",
            $limit
        )
    };
}

sql! {
    BY_ID = "
        SELECT l.client_id, l.alias, l.owner, c.created_at
        FROM license l JOIN client c ON c.id = l.client_id
        WHERE l.client_id = $1 AND c.disabled_at IS NULL";
    BY_ALIAS = "
        SELECT l.client_id, l.alias, l.owner, c.created_at
        FROM license l JOIN client c ON c.id = l.client_id
        WHERE l.alias = $1 AND c.disabled_at IS NULL";
    FIRST = page!("license l", "", "ASC", "$3");
    LAST = page!("license l", "", "DESC", "$3");
    FIRST_OF_OWNER = page!("license l", " AND l.owner = $3", "ASC", "$4");
    LAST_OF_OWNER = page!("license l", " AND l.owner = $3", "DESC", "$4");
    FIRST_OF_SIGNER = page!("license_key k JOIN license l ON l.client_id = k.client_id", "
          AND k.address = $3 AND k.disabled_at IS NULL AND (k.expires_at > $4 OR k.expires_at IS NULL) AND (l.owner = $5 OR $5 IS NULL)",
        "ASC", "$6");
    LAST_OF_SIGNER = page!("license_key k JOIN license l ON l.client_id = k.client_id", "
          AND k.address = $3 AND k.disabled_at IS NULL AND (k.expires_at > $4 OR k.expires_at IS NULL) AND (l.owner = $5 OR $5 IS NULL)",
        "DESC", "$6");
    COUNT = "SELECT COUNT(*) FROM license l JOIN client c ON c.id = l.client_id WHERE l.client_id > $1 AND c.disabled_at IS NULL";
    COUNT_OF_OWNER = "
        SELECT COUNT(*) FROM license l JOIN client c ON c.id = l.client_id WHERE l.owner = $1 AND c.disabled_at IS NULL";
    COUNT_OF_SIGNER = "
        SELECT COUNT(*)
        FROM license_key k JOIN license l ON l.client_id = k.client_id JOIN client c ON c.id = l.client_id
        WHERE k.address = $1 AND k.disabled_at IS NULL AND (k.expires_at > $2 OR k.expires_at IS NULL)
          AND (l.owner = $3 OR $3 IS NULL) AND c.disabled_at IS NULL";
    SIGNERS = concat!(named!(), "
        SELECT k.client_id, k.address, k.created_at, k.expires_at, k.disabled_at
        FROM named JOIN license_key k ON k.client_id = named.name
        WHERE k.disabled_at IS NULL AND (k.expires_at > $2 OR k.expires_at IS NULL)
        ORDER BY k.client_id, k.created_at, k.address");
    URIS = concat!(named!(), "
        SELECT u.client_id, u.uri, u.created_at
        FROM named JOIN client_redirect_uri u ON u.client_id = named.name AND u.purpose = 'redirect'
        ORDER BY u.client_id, u.created_at, u.uri");
}

/// The texts between which the ids of all licenses lie: each is an address.
const BEFORE_ALL: &str = "0x";
const AFTER_ALL: &str = "0y";

impl Store {
    /// A license that is not disabled, by its id.
    pub async fn license_card(&self, id: &ClientId) -> Result<Option<LicenseCard>, StoreError> {
        read!(self, row(BY_ID, id))
    }

    /// The same, by its name.
    pub async fn license_card_by_alias(&self, alias: &str) -> Result<Option<LicenseCard>, StoreError> {
        read!(self, row(BY_ALIAS, alias))
    }

    /// A page of licenses that are not disabled.
    pub async fn license_cards(&self, filter: &LicenseFilter, page: &LicensePage, now: Timestamp) -> Result<Vec<LicenseCard>, StoreError> {
        let after = page.after.as_ref().map_or(BEFORE_ALL, ClientId::as_str);
        let before = page.before.as_ref().map_or(AFTER_ALL, ClientId::as_str);
        let limit = limit(page.limit);
        let mut cards: Vec<LicenseCard> = match (filter.signer, filter.owner) {
            (Some(signer), owner) => {
                let text = if page.last { LAST_OF_SIGNER } else { FIRST_OF_SIGNER };
                read!(self, rows(text, after, before, signer, now, owner, limit))
            }
            (None, Some(owner)) => {
                let text = if page.last { LAST_OF_OWNER } else { FIRST_OF_OWNER };
                read!(self, rows(text, after, before, owner, limit))
            }
            (None, None) => read!(self, rows(if page.last { LAST } else { FIRST }, after, before, limit)),
        }?;
        if page.last {
            cards.reverse();
        }
        Ok(cards)
    }

    /// How many of them there are, over all pages.
    pub async fn count_license_cards(&self, filter: &LicenseFilter, now: Timestamp) -> Result<i64, StoreError> {
        let count: Option<i64> = match (filter.signer, filter.owner) {
            (Some(signer), owner) => read!(self, value(COUNT_OF_SIGNER, signer, now, owner)),
            (None, Some(owner)) => read!(self, value(COUNT_OF_OWNER, owner)),
            (None, None) => read!(self, value(COUNT, BEFORE_ALL)),
        }?;
        Ok(count.unwrap_or_default())
    }

    /// The API keys of these licenses that may sign at this moment: by license, the oldest first.
    pub async fn license_signers(&self, licenses: &[ClientId], now: Timestamp) -> Result<Vec<LicenseKey>, StoreError> {
        read!(self, rows(SIGNERS, slots(licenses), now))
    }

    /// The redirect URIs of these licenses: by license, the oldest first.
    pub async fn license_uris(&self, licenses: &[ClientId]) -> Result<Vec<LicenseUri>, StoreError> {
        read!(self, rows(URIS, slots(licenses)))
    }
}
