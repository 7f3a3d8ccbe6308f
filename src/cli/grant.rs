//! `latchkey grant …`: what owners let apps do. What is made or ended here is the operator's doing, and recorded as such.

mod create;
mod list;
mod revoke;
mod show;

use clap::Subcommand;
use serde::Serialize;

use super::desk::Desk;
use super::out::{Done, Failure};
use crate::domain::{AccountId, Address, AssetDid, ClientId, EventFilter, Grant as Record, GrantId, PermissionSet, Timestamp};
use crate::store::{GrantPage, LONGEST_PAGE};

/// Grants: the permissions that apps have on assets
#[derive(Debug, Subcommand)]
pub(super) enum Grant {
    Create(create::Create),
    List(list::List),
    Show(show::Show),
    Revoke(revoke::Revoke),
}

impl Grant {
    pub(super) async fn run(self, desk: &Desk) -> Done {
        match self {
            Self::Create(create) => create.run(desk).await,
            Self::List(list) => list.run(desk).await,
            Self::Show(show) => show.run(desk).await,
            Self::Revoke(revoke) => revoke.run(desk).await,
        }
    }
}

/// A grant as it is printed.
#[derive(Serialize)]
pub(super) struct View<'a> {
    id: GrantId,
    /// `null`: all assets of the account.
    asset: Option<AssetDid>,
    grantor_account: Option<AccountId>,
    grantor_address: Option<Address>,
    grantee: &'a ClientId,
    permissions: &'a PermissionSet,
    events: &'a [EventFilter],
    effective_at: String,
    expires_at: String,
    epoch: Option<i64>,
    source: &'static str,
    template: Option<&'a str>,
    purpose: Option<&'a str>,
    created_at: String,
    updated_at: String,
    ended_at: Option<String>,
    ended: Option<&'static str>,
}

impl<'a> From<&'a Record> for View<'a> {
    fn from(grant: &'a Record) -> Self {
        Self {
            id: grant.id,
            asset: grant.asset,
            grantor_account: grant.grantor_account,
            grantor_address: grant.grantor_address,
            grantee: &grant.grantee,
            permissions: &grant.permissions,
            events: &grant.events,
            effective_at: grant.effective_at.rfc3339(),
            expires_at: grant.expires_at.rfc3339(),
            epoch: grant.epoch,
            source: grant.source.as_str(),
            template: grant.template.as_deref(),
            purpose: grant.purpose.as_deref(),
            created_at: grant.created_at.rfc3339(),
            updated_at: grant.updated_at.rfc3339(),
            ended_at: grant.ended_at.map(Timestamp::rfc3339),
            ended: grant.ended.map(crate::domain::GrantEnd::as_str),
        }
    }
}

/// Every grant that a page's conditions mean, the latest first.
pub(super) async fn all(desk: &Desk, page: GrantPage) -> Result<Vec<Record>, Failure> {
    let mut page = GrantPage { after: None, limit: LONGEST_PAGE, ..page };
    let mut grants = Vec::new();
    loop {
        let found = desk.store.grants(&page).await?;
        page.after = found.last().map(|grant| grant.id);
        grants.extend(found);
        if page.after.is_none() {
            return Ok(grants);
        }
    }
}

async fn known(desk: &Desk, id: GrantId) -> Result<Record, Failure> {
    desk.store.grant(id).await?.ok_or_else(|| Failure(format!("there is no grant {id}")))
}
