//! Assets and grants as the interfaces show them. No account's id is shown: at each app a person has another name.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::{Address, Asset, AssetDid, ClientId, EventFilter, Grant, GrantId, Owner, PermissionSet, Timestamp};
use crate::protocol::grant_request::ALL_ASSETS;
use crate::store::GrantEvent;

#[derive(Debug, Serialize)]
pub(super) struct GrantView<'a> {
    id: GrantId,
    /// Its DID, or `all`.
    asset: String,
    /// The grantor's wallet, where it has one.
    grantor: Option<Address>,
    grantee: &'a ClientId,
    permissions: &'a PermissionSet,
    events: &'a [EventFilter],
    effective_at: String,
    expires_at: String,
    status: &'static str,
    source: &'static str,
    template: Option<&'a str>,
    purpose: Option<&'a str>,
    created_at: String,
    updated_at: String,
    ended_at: Option<String>,
    ended: Option<&'static str>,
}

impl<'a> GrantView<'a> {
    pub(super) fn of(grant: &'a Grant, now: Timestamp) -> Self {
        let status = match grant.ended_at {
            Some(_) => "ended",
            None if grant.expires_at <= now => "expired",
            None if grant.effective_at > now => "pending",
            None => "active",
        };
        Self {
            id: grant.id,
            asset: grant.asset.map_or_else(|| ALL_ASSETS.to_owned(), |did| did.to_string()),
            grantor: grant.grantor_address,
            grantee: &grant.grantee,
            permissions: &grant.permissions,
            events: &grant.events,
            effective_at: grant.effective_at.rfc3339(),
            expires_at: grant.expires_at.rfc3339(),
            status,
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

/// One line of a grant's history.
#[derive(Debug, Serialize)]
pub(super) struct EventView<'a> {
    at: String,
    what: &'a str,
    actor: &'a str,
    client: Option<&'a ClientId>,
    why: &'a str,
    permissions: &'a PermissionSet,
    events: &'a [EventFilter],
    expires_at: String,
}

impl<'a> From<&'a GrantEvent> for EventView<'a> {
    fn from(event: &'a GrantEvent) -> Self {
        Self {
            at: event.at.rfc3339(),
            what: &event.what,
            actor: &event.actor,
            client: event.actor_client.as_ref(),
            why: &event.why,
            permissions: &event.permissions,
            events: &event.events,
            expires_at: event.expires_at.rfc3339(),
        }
    }
}

/// An asset: all of it for its owner, for an app only what kind of thing it is.
#[derive(Debug, Serialize)]
pub(super) struct AssetView<'a> {
    did: AssetDid,
    make: Option<&'a str>,
    model: Option<&'a str>,
    year: Option<i64>,
    powertrain: Option<&'a str>,
    #[serde(flatten)]
    owned: Option<OwnedView<'a>>,
    /// What the app that asks may do with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<PermissionSet>,
}

#[derive(Debug, Serialize)]
struct OwnedView<'a> {
    name: Option<&'a str>,
    attributes: &'a Map<String, Value>,
    /// The wallet that has it; `null`: the account itself.
    owner: Option<Address>,
    minted_at: String,
    updated_at: String,
}

impl<'a> AssetView<'a> {
    /// As its owner sees it.
    pub(super) fn owned(asset: &'a Asset) -> Self {
        let wallet = match asset.owner {
            Some(Owner::Address(address)) => Some(address),
            Some(Owner::Account(_)) | None => None,
        };
        let owned = OwnedView {
            name: asset.name.as_deref(),
            attributes: &asset.attributes,
            owner: wallet,
            minted_at: asset.minted_at.rfc3339(),
            updated_at: asset.updated_at.rfc3339(),
        };
        Self { owned: Some(owned), ..Self::shared(asset, None) }
    }

    /// As an app sees it that something of it is shared with.
    pub(super) fn shared(asset: &'a Asset, permissions: Option<PermissionSet>) -> Self {
        Self {
            did: asset.did,
            make: asset.make.as_deref(),
            model: asset.model.as_deref(),
            year: asset.year,
            powertrain: asset.powertrain.as_deref(),
            owned: None,
            permissions,
        }
    }
}

/// A page of a list.
#[derive(Debug, Serialize)]
pub(super) struct GrantsView<'a> {
    pub grants: Vec<GrantView<'a>>,
    /// What to send as `cursor` for the next page, while there may be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct AssetsView<'a> {
    pub assets: Vec<AssetView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
