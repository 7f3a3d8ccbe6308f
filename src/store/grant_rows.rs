//! A grant as it lies in the table, and the columns that make one.

use sqlx::FromRow;

use crate::domain::{AccountId, Address, AssetDid, ClientId, EventFilter, Grant, GrantEnd, GrantId, GrantSource, PermissionSet, Timestamp};

/// The columns of a [`GrantRow`], of the table that is called `$t` in the text.
macro_rules! grant_columns {
    ($t:literal) => {
        concat!(
            $t,
            ".id, ",
            $t,
            ".asset, ",
            $t,
            ".grantor_account, ",
            $t,
            ".grantor_address, ",
            $t,
            ".grantee, ",
            $t,
            ".permissions, ",
            $t,
            ".events, ",
            $t,
            ".effective_at, ",
            $t,
            ".expires_at, ",
            $t,
            ".epoch, ",
            $t,
            ".source, ",
            $t,
            ".template, ",
            $t,
            ".purpose, ",
            $t,
            ".created_at, ",
            $t,
            ".updated_at, ",
            $t,
            ".ended_at, ",
            $t,
            ".ended"
        )
    };
}

pub(super) use grant_columns;

#[derive(FromRow)]
pub(super) struct GrantRow {
    id: GrantId,
    asset: Option<AssetDid>,
    grantor_account: Option<AccountId>,
    grantor_address: Option<Address>,
    grantee: ClientId,
    permissions: PermissionSet,
    #[sqlx(json)]
    events: Vec<EventFilter>,
    effective_at: Timestamp,
    expires_at: Timestamp,
    epoch: Option<i64>,
    source: GrantSource,
    template: Option<String>,
    purpose: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
    ended_at: Option<Timestamp>,
    ended: Option<GrantEnd>,
}

impl From<GrantRow> for Grant {
    fn from(row: GrantRow) -> Self {
        Self {
            id: row.id,
            asset: row.asset,
            grantor_account: row.grantor_account,
            grantor_address: row.grantor_address,
            grantee: row.grantee,
            permissions: row.permissions,
            events: row.events,
            effective_at: row.effective_at,
            expires_at: row.expires_at,
            epoch: row.epoch,
            source: row.source,
            template: row.template,
            purpose: row.purpose,
            created_at: row.created_at,
            updated_at: row.updated_at,
            ended_at: row.ended_at,
            ended: row.ended,
        }
    }
}
