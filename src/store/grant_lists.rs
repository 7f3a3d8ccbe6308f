//! Lists of grants, the latest first, page by page: for owners, for the apps that have them, and for the operator.

use uuid::Uuid;

use super::dialect::{Conn, on, read, sql};
use super::grant_rows::{GrantRow, grant_columns};
use super::{Store, StoreError};
use crate::domain::{AccountId, AssetDid, ClientId, Grant, GrantId, InteractionId, Timestamp};

/// The most grants and assets of a page; one more may be asked for, by which one knows whether there is a page after it.
pub const LONGEST_PAGE: u32 = 100;

/// Which grants of a list are meant, and from where on. The latest come first.
#[derive(Clone, Debug, Default)]
pub struct GrantPage {
    pub asset: Option<AssetDid>,
    pub grantee: Option<ClientId>,
    /// Only those that are neither ended nor expired at this moment.
    pub living_at: Option<Timestamp>,
    /// The last of the page before.
    pub after: Option<GrantId>,
    /// At most [`LONGEST_PAGE`], and one more.
    pub limit: u32,
}

/// What a page leaves out; its parameters are an asset, a grantee and a moment.
macro_rules! meant {
    ($asset:literal, $grantee:literal, $living:literal) => {
        concat!(
            "(g.asset = ",
            $asset,
            " OR ",
            $asset,
            " IS NULL) AND (g.grantee = ",
            $grantee,
            " OR ",
            $grantee,
            " IS NULL)
              AND (g.expires_at > ",
            $living,
            " AND g.ended_at IS NULL OR ",
            $living,
            " IS NULL)"
        )
    };
}

sql! {
    /// What the account granted, and what the operator did in the name of a wallet before that had an account.
    BY_OWNER = concat!("
        SELECT ", grant_columns!("g"), "
        FROM asset_grant g
        WHERE g.id IN (
            SELECT own.id FROM (
                SELECT g.id FROM asset_grant g
                WHERE g.grantor_account = $1 AND g.id < $2 AND ", meant!("$3", "$4", "$5"), "
                ORDER BY g.id DESC LIMIT $6) own
            UNION ALL
            SELECT wallets.id FROM (
                SELECT g.id FROM identity i JOIN asset_grant g ON g.grantor_address = i.subject
                WHERE i.account_id = $1 AND i.provider = 'web3' AND g.grantor_account IS NULL AND g.id < $2
                  AND ", meant!("$3", "$4", "$5"), "
                ORDER BY g.id DESC LIMIT $6) wallets)
        ORDER BY g.id DESC LIMIT $6");
    BY_GRANTEE = concat!("
        SELECT ", grant_columns!("g"), "
        FROM asset_grant g
        WHERE g.grantee = $1 AND g.id < $2 AND (g.expires_at > $3 AND g.ended_at IS NULL OR $3 IS NULL)
        ORDER BY g.id DESC LIMIT $4");
    ON_ASSET = concat!("
        SELECT ", grant_columns!("g"), "
        FROM asset_grant g
        WHERE g.asset = $1 AND g.id < $2 AND ", meant!("$1", "$3", "$4"), "
        ORDER BY g.id DESC LIMIT $5");
    ALL = concat!("
        SELECT ", grant_columns!("g"), "
        FROM asset_grant g
        WHERE g.id < $1 AND ", meant!("$2", "$3", "$4"), "
        ORDER BY g.id DESC LIMIT $5");
    /// The `asset_grant_grantor_grantee` index, but for what has ended, or belongs to an ownership that is over.
    LIVING = concat!("
        SELECT ", grant_columns!("g"), "
        FROM asset_grant g
        WHERE g.grantor_account = $1 AND g.grantee = $2 AND g.ended_at IS NULL AND g.expires_at > $3
          AND (g.asset IS NULL OR EXISTS (SELECT 1 FROM asset a WHERE a.did = g.asset AND a.epoch = g.epoch))
        ORDER BY g.id");
    OF_VISIT = concat!("
        SELECT ", grant_columns!("g"), "
        FROM asset_grant g
        WHERE g.interaction_id = $1 AND g.ended_at IS NULL
          AND (g.asset IS NULL OR EXISTS (SELECT 1 FROM asset a WHERE a.did = g.asset AND a.epoch = g.epoch))
        ORDER BY g.id");
    /// Of one visit and one person, as many as live.
    OF_VISIT_BY = "
        SELECT COUNT(*) FROM asset_grant g
        WHERE g.interaction_id = $1 AND g.grantor_account = $2 AND g.ended_at IS NULL
          AND (g.asset IS NULL OR EXISTS (SELECT 1 FROM asset a WHERE a.did = g.asset AND a.epoch = g.epoch))";
}

impl Store {
    /// What a person granted to apps.
    pub async fn grants_of_owner(&self, owner: AccountId, page: &GrantPage) -> Result<Vec<Grant>, StoreError> {
        let (before, limit) = (before(page.after), limit(page.limit));
        grants(read!(self, rows(BY_OWNER, owner, before, page.asset, &page.grantee, page.living_at, limit)))
    }

    /// What an app was granted; `page.grantee` is not looked at.
    pub async fn grants_of_grantee(&self, grantee: &ClientId, page: &GrantPage) -> Result<Vec<Grant>, StoreError> {
        let (before, limit) = (before(page.after), limit(page.limit));
        grants(match page.asset {
            Some(asset) => read!(self, rows(ON_ASSET, asset, before, Some(grantee), page.living_at, limit)),
            None => read!(self, rows(BY_GRANTEE, grantee, before, page.living_at, limit)),
        })
    }

    /// What was granted to anybody, for the operator and for whoever may see all that is on an asset.
    pub async fn grants(&self, page: &GrantPage) -> Result<Vec<Grant>, StoreError> {
        let (before, limit) = (before(page.after), limit(page.limit));
        grants(match page.asset {
            Some(asset) => read!(self, rows(ON_ASSET, asset, before, &page.grantee, page.living_at, limit)),
            None => read!(self, rows(ALL, before, page.asset, &page.grantee, page.living_at, limit)),
        })
    }

    /// All that a person has granted to an app and that is neither ended nor expired, the oldest first.
    pub async fn living_grants(&self, owner: AccountId, grantee: &ClientId, now: Timestamp) -> Result<Vec<Grant>, StoreError> {
        grants(read!(self, rows(LIVING, owner, grantee, now)))
    }

    /// What a person agreed to in a visit and what has not ended since, in the order in which it was made.
    pub async fn grants_of_visit(&self, visit: InteractionId) -> Result<Vec<Grant>, StoreError> {
        grants(read!(self, rows(OF_VISIT, visit)))
    }
}

/// How many grants a person has made in a visit that have not ended since, inside a transaction.
pub(super) async fn of_visit(conn: &mut Conn<'_>, visit: InteractionId, account: AccountId) -> Result<i64, StoreError> {
    let made: Option<i64> = on!(*conn, value(OF_VISIT_BY, visit, account))?;
    Ok(made.unwrap_or(0))
}

fn grants(rows: Result<Vec<GrantRow>, StoreError>) -> Result<Vec<Grant>, StoreError> {
    Ok(rows?.into_iter().map(Grant::from).collect())
}

// Ids grow with time: the first page begins behind the greatest of them.
fn before(after: Option<GrantId>) -> GrantId {
    after.unwrap_or(GrantId(Uuid::max()))
}

pub(super) fn limit(asked: u32) -> i64 {
    i64::from(asked.min(LONGEST_PAGE + 1))
}
