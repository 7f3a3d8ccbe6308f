//! `asset_access` (RFC 9396): what an app may ask of the owner of assets, whether that is settled already, what the owner is offered to
//! grant, and what is told of the grants. Pure functions of what was loaded.

mod offer;
mod told;

pub use offer::{Chosen, Declined, Giving, Lack, Offer, fits, span_choices};
pub use told::{GrantedAccess, of_living, to_stored};

use std::collections::HashSet;

use crate::domain::{AssetDid, EventFilter, Grant, GrantId, PermissionSet, Vocabulary};
use crate::protocol::authorization_details::{AssetAccess, Assets};
use crate::protocol::error::{ErrorCode, OAuthError};

/// The most assets that all details of one request name together.
const MOST_ASSETS: usize = 100;

/// What a client may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    pub vocabulary: &'a Vocabulary,
    /// The most that the operator lets the client have (`ClientMetadata::permissions`).
    pub limit: Option<&'a PermissionSet>,
}

/// Whether a client may ask for this: for permissions that there are for assets of the kind, and that it may have.
///
/// # Errors
/// `invalid_authorization_details`, with what it may not ask for (RFC 9396 §5).
pub fn admit(details: &[AssetAccess], terms: Terms<'_>) -> Result<(), OAuthError> {
    let refuse = |place: usize, what: String| {
        Err(OAuthError::new(ErrorCode::InvalidAuthorizationDetails, format!("authorization_details[{place}] {what}")))
    };
    let mut named = 0;
    for (place, detail) in details.iter().enumerate() {
        let wanted = detail.wanted();
        let unknown = match &detail.assets {
            Assets::These(dids) => {
                named += dids.len();
                dids.iter().map(|did| wanted.difference(terms.vocabulary.known(did.method()))).find(|unknown| !unknown.is_empty())
            }
            Assets::All | Assets::Pick(_) => Some(wanted.difference(terms.vocabulary.all())),
        };
        if let Some(unknown) = unknown.filter(|unknown| !unknown.is_empty()) {
            return refuse(place, format!("asks for what there is not for its assets: {unknown}"));
        }
        let beyond = terms.limit.map(|limit| wanted.difference(limit)).unwrap_or_default();
        if !beyond.is_empty() {
            return refuse(place, format!("asks for what this client may not have: {beyond}"));
        }
    }
    if named > MOST_ASSETS {
        return refuse(details.len().saturating_sub(1), format!("makes it more than {MOST_ASSETS} assets that are named in all"));
    }
    Ok(())
}

/// What a person has granted to a client on assets, and what of it counts now.
#[derive(Clone, Copy, Debug, Default)]
pub struct Held<'a> {
    /// All of it.
    pub living: &'a [Grant],
    /// What was granted in this visit.
    pub of_visit: &'a [Grant],
}

/// The grants by which all that is asked for is settled; `None`: the person has to be asked. What was granted in this visit is the
/// answer to what was asked, though it may be less than that; what was granted before has to be all of it.
#[must_use]
pub fn settled(details: &[AssetAccess], held: Held<'_>, ask_again: bool) -> Option<Vec<GrantId>> {
    if details.is_empty() {
        return Some(Vec::new());
    }
    if details.iter().all(|detail| is_answered(detail, held.of_visit)) {
        return Some(held.of_visit.iter().map(|grant| grant.id).collect());
    }
    if ask_again || !details.iter().all(|detail| is_held(detail, held.living)) {
        return None;
    }
    let concerned = |grant: &&Grant| {
        details.iter().any(|detail| match &detail.assets {
            Assets::These(dids) => grant.asset.is_some_and(|did| dids.contains(&did)),
            Assets::All => grant.asset.is_none(),
            Assets::Pick(_) => false,
        })
    };
    Some(held.living.iter().filter(concerned).map(|grant| grant.id).collect())
}

// Whether the grants of a visit give at least what the app cannot do without. What a transfer has ended meanwhile is no answer.
fn is_answered(detail: &AssetAccess, grants: &[Grant]) -> bool {
    let gives = |asset: Option<AssetDid>| covers(grants, asset, &detail.actions, &detail.events);
    match &detail.assets {
        Assets::These(dids) => dids.iter().all(|did| gives(Some(*did))),
        Assets::All => gives(None),
        Assets::Pick(pick) => {
            let picked: HashSet<AssetDid> = grants.iter().filter_map(|grant| grant.asset).filter(|did| gives(Some(*did))).collect();
            picked.len() >= pick.min
        }
    }
}

// Whether it is all there. A choice is the owner's each time.
fn is_held(detail: &AssetAccess, grants: &[Grant]) -> bool {
    let gives = |asset: Option<AssetDid>| covers(grants, asset, &detail.wanted(), &detail.events);
    match &detail.assets {
        Assets::These(dids) => dids.iter().all(|did| gives(Some(*did))),
        Assets::All => gives(None),
        Assets::Pick(_) => false,
    }
}

// Grants on one and the same thing add up. At least one has to be there, also where there is nothing to cover.
fn covers(grants: &[Grant], asset: Option<AssetDid>, permissions: &PermissionSet, events: &[EventFilter]) -> bool {
    let on_it: Vec<&Grant> = grants.iter().filter(|grant| grant.asset == asset).collect();
    let given = on_it.iter().fold(PermissionSet::new(), |given, grant| given.union(&grant.permissions));
    let agreed = |asked: &EventFilter| on_it.iter().any(|grant| grant.events.iter().any(|agreement| agreement.covers(asked)));
    !on_it.is_empty() && permissions.is_subset(&given) && events.iter().all(agreed)
}

#[cfg(test)]
mod tests;
