//! The one decision about access: what an app gets of what it asks for on one asset, and until when, or why it gets nothing.
//!
//! Every door asks it: the exchange, introspection, decisions for services. What comes out is never more than what was asked for, what
//! the owner granted to this very client, and what the operator lets the client have.

use std::collections::BTreeSet;

use crate::domain::{AccountId, ClientId, EventFilter, Grant, GrantEnd, GrantId, Owner, Permission, PermissionSet, Standing, Timestamp};

/// All that is known when an app asks; one read brings it. What does not concern the client or the asset counts for nothing.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub client: &'a ClientId,
    pub acting: Acting,
    /// Whether the operator lets it act with its user's authority (`ClientMetadata::first_party`).
    pub first_party: bool,
    /// The most that the operator lets it have (`ClientMetadata::permissions`); `None`: no such limit.
    pub limit: Option<&'a PermissionSet>,
    /// `None`: there is no such asset.
    pub asset: Option<&'a Standing>,
    /// Those to the client on this asset, and on all assets of the account that owns it; ended ones too.
    pub grants: &'a [Grant],
    /// The permissions that the vocabulary has for assets of this method.
    pub known: &'a PermissionSet,
}

/// In whose name the token of the request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acting {
    /// The client's own: a developer token, or one by `client_credentials`.
    Itself,
    /// A person's, at the client.
    For(AccountId),
}

#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    pub permissions: &'a PermissionSet,
    pub events: &'a [EventFilter],
    /// What is there is wanted; otherwise it is all or nothing.
    pub partial: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    pub permissions: PermissionSet,
    pub events: Vec<EventFilter>,
    /// The earliest end among the grants that it needs; `None` where it needs none, because the asset is the asker's own.
    pub until: Option<Timestamp>,
    /// The grants that it needs.
    pub grants: BTreeSet<GrantId>,
    /// What was asked for and is not there; only where a part was wanted.
    pub missing: PermissionSet,
    pub missing_events: Vec<EventFilter>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub reason: Reason,
    pub missing: PermissionSet,
    pub missing_events: Vec<EventFilter>,
    /// What of the permissions asked for is there.
    pub granted: PermissionSet,
}

/// Why nothing is given. Only of its own grants an app learns anything here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// There never was a grant, or there is no such asset: the two look alike.
    NotShared,
    Expired,
    Revoked,
    OwnerChanged,
    MissingPermissions,
}

impl Reason {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotShared => "not_shared",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::OwnerChanged => "owner_changed",
            Self::MissingPermissions => "missing_permissions",
        }
    }
}

/// What the client gets.
///
/// # Errors
/// Why it gets nothing, or not all where it wanted all.
pub fn evaluate(facts: &Facts<'_>, ask: &Ask<'_>, now: Timestamp) -> Result<Granted, Refused> {
    let nothing =
        |reason| Refused { reason, missing: ask.permissions.clone(), missing_events: ask.events.to_vec(), granted: PermissionSet::new() };
    let Some(asset) = facts.asset else { return Err(nothing(Reason::NotShared)) };
    let authority = if is_own(facts, asset) {
        Authority::Own
    } else {
        let concerning: Vec<&Grant> = facts.grants.iter().filter(|grant| concerns(grant, facts.client, asset)).collect();
        let living: Vec<&Grant> = concerning.iter().copied().filter(|grant| counts(grant, asset, now)).collect();
        if living.is_empty() {
            return Err(nothing(why_dead(&concerning, asset, now)));
        }
        Authority::Grants(living)
    };
    let given = authority.give(facts, ask);
    let complete = given.missing.is_empty() && given.missing_events.is_empty();
    let something = !given.permissions.is_empty() || !given.events.is_empty();
    if something && (complete || ask.partial) {
        return Ok(given);
    }
    Err(Refused {
        reason: Reason::MissingPermissions,
        missing: given.missing,
        missing_events: given.missing_events,
        granted: given.permissions,
    })
}

// An owner has every permission on what it owns, but an app has not its user's: only a license in its own name, and what the operator
// calls a part of the house.
pub(super) fn is_own(facts: &Facts<'_>, asset: &Standing) -> bool {
    match facts.acting {
        Acting::Itself => facts.client.as_address().is_some_and(|license| asset.owner == Some(Owner::Address(license))),
        Acting::For(person) => facts.first_party && asset.owner_account == Some(person),
    }
}

// Whether a grant is to this client and about this asset, in whatever state it is.
pub(super) fn concerns(grant: &Grant, client: &ClientId, asset: &Standing) -> bool {
    let about = match grant.asset {
        Some(did) => did == asset.did,
        None => grant.grantor_account.is_some() && grant.grantor_account == asset.owner_account,
    };
    grant.grantee == *client && about
}

// Whether a grant that concerns the asset gives anything now.
pub(super) fn counts(grant: &Grant, asset: &Standing, now: Timestamp) -> bool {
    grant.is_living(now) && is_of_this_epoch(grant, asset)
}

// A grant on one asset is good for the ownership in which it was given; one on all assets of an account follows that account.
fn is_of_this_epoch(grant: &Grant, asset: &Standing) -> bool {
    grant.asset.is_none() || grant.epoch == Some(asset.epoch)
}

// Of several dead grants the one that was given last tells why: it is what the app has in mind.
fn why_dead(concerning: &[&Grant], asset: &Standing, now: Timestamp) -> Reason {
    let reason = |grant: &Grant| match grant.ended {
        // The grant that took its place tells.
        Some(GrantEnd::Replaced) => None,
        Some(GrantEnd::Transfer) => Some(Reason::OwnerChanged),
        _ if !is_of_this_epoch(grant, asset) => Some(Reason::OwnerChanged),
        Some(GrantEnd::Owner | GrantEnd::Grantee | GrantEnd::Operator) => Some(Reason::Revoked),
        None if grant.ended_at.is_some() => Some(Reason::Revoked),
        None if grant.expires_at <= now => Some(Reason::Expired),
        // It has not begun.
        None => None,
    };
    let told = concerning.iter().filter_map(|grant| Some(((grant.created_at, grant.id), reason(grant)?)));
    told.max_by_key(|(order, _)| *order).map_or(Reason::NotShared, |(_, reason)| reason)
}

/// What the client's access rests on.
enum Authority<'a> {
    /// The asset is the asker's own.
    Own,
    /// Grants that count now, at least one.
    Grants(Vec<&'a Grant>),
}

impl Authority<'_> {
    fn give(&self, facts: &Facts<'_>, ask: &Ask<'_>) -> Granted {
        let mut needed: BTreeSet<(Timestamp, GrantId)> = BTreeSet::new();
        let allowed =
            |permission: &&Permission| facts.known.contains(permission) && facts.limit.is_none_or(|limit| limit.contains(permission));
        let permissions: PermissionSet = ask
            .permissions
            .iter()
            .filter(allowed)
            .filter(|permission| self.covers(&mut needed, |grant| grant.permissions.contains(permission)))
            .cloned()
            .collect();
        let mut events = Vec::new();
        let mut missing_events = Vec::new();
        for filter in ask.events {
            if self.covers_events(&mut needed, filter) { events.push(filter.clone()) } else { missing_events.push(filter.clone()) }
        }
        Granted {
            missing: ask.permissions.difference(&permissions),
            permissions,
            events,
            missing_events,
            until: needed.first().map(|(until, _)| *until),
            grants: needed.into_iter().map(|(_, id)| id).collect(),
        }
    }

    // Of the grants that give a thing the one that lasts longest is needed: so a further grant never shortens anything.
    fn covers(&self, needed: &mut BTreeSet<(Timestamp, GrantId)>, gives: impl Fn(&Grant) -> bool) -> bool {
        match self {
            Self::Own => true,
            Self::Grants(grants) => {
                let longest = grants.iter().filter(|grant| gives(grant)).map(|grant| (grant.expires_at, grant.id)).max();
                needed.extend(longest);
                longest.is_some()
            }
        }
    }

    // Grants add up: one may hold one id of the filter, and another one the next.
    fn covers_events(&self, needed: &mut BTreeSet<(Timestamp, GrantId)>, asked: &EventFilter) -> bool {
        let mut used = BTreeSet::new();
        let mut pairs = asked.ids().iter().flat_map(|id| asked.tags().iter().map(move |tag| (id, tag)));
        let covered = pairs.all(|(id, tag)| {
            let agrees = |agreement: &EventFilter| agreement.concerns(asked) && agreement.admits(id, tag);
            self.covers(&mut used, |grant| grant.events.iter().any(agrees))
        });
        if covered {
            needed.extend(used);
        }
        covered
    }
}

#[cfg(test)]
mod tests;
