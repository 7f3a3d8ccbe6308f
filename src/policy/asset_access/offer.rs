//! What an owner is offered to grant for one detail of a request, and what they have chosen of it. Whatever a form says, nothing comes out
//! that the request does not hold.

use std::time::Duration;

use crate::domain::{Asset, AssetDid, EventFilter, PermissionSet, Vocabulary};
use crate::protocol::authorization_details::{AssetAccess, Assets};

const DAY: u64 = 86_400;

/// One detail, with the assets of the owner that it is about as they are now.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    pub detail: &'a AssetAccess,
    /// Those that are named and theirs; those that fit the filter; or all of them, to be shown.
    pub assets: &'a [Asset],
    /// Whether they have any asset at all.
    pub has_any: bool,
    /// The longest that a grant may last here.
    pub longest: Duration,
}

/// Why there is nothing that the owner could agree to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// They have no assets.
    Nothing,
    /// These are not theirs, or there are no such assets: the two look alike.
    NotTheirs(Vec<AssetDid>),
    /// They have assets, but only so many that fit, and it takes more.
    TooFew { fitting: usize, min: usize },
}

/// What the owner has chosen, as their form says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Assets, and the ownership epoch in which each was shown to them.
    pub assets: Vec<(AssetDid, i64)>,
    /// Of the optional permissions.
    pub optional: PermissionSet,
    /// Seconds.
    pub span: Option<u64>,
}

/// Why a choice cannot be granted; the page asks again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Declined {
    Lack(Lack),
    /// So many were chosen, and it has to be from so many to so many.
    Count {
        chosen: usize,
        min: usize,
        max: usize,
    },
    /// An asset that is not among those that were offered, or that has had another owner since.
    Changed(AssetDid),
    /// A time that was not offered.
    Span,
    /// Nothing was left of what was asked.
    Nothing,
}

/// What is to be granted on one asset (`None`: on all of the owner's).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Giving {
    pub asset: Option<(AssetDid, i64)>,
    pub permissions: PermissionSet,
    pub events: Vec<EventFilter>,
    pub span: Duration,
    pub purpose: Option<String>,
}

impl Offer<'_> {
    /// What stands in the way of any agreement.
    #[must_use]
    pub fn lack(&self) -> Option<Lack> {
        match &self.detail.assets {
            Assets::All => None,
            _ if !self.has_any => Some(Lack::Nothing),
            Assets::These(dids) => {
                let missing: Vec<AssetDid> =
                    dids.iter().copied().filter(|did| !self.assets.iter().any(|asset| asset.did == *did)).collect();
                (!missing.is_empty()).then_some(Lack::NotTheirs(missing))
            }
            Assets::Pick(pick) => (self.assets.len() < pick.min).then_some(Lack::TooFew { fitting: self.assets.len(), min: pick.min }),
        }
    }

    /// For how long they may grant it, the longest first. That is as long as the app asks for, if grants may last that long here.
    #[must_use]
    pub fn spans(&self) -> Vec<u64> {
        span_choices(self.detail.expires_in, self.longest)
    }

    /// What is granted by a choice.
    ///
    /// # Errors
    /// Why it cannot be.
    pub fn grant(&self, chosen: &Chosen, vocabulary: &Vocabulary) -> Result<Vec<Giving>, Declined> {
        if let Some(lack) = self.lack() {
            return Err(Declined::Lack(lack));
        }
        let span = chosen.span.filter(|span| self.spans().contains(span)).ok_or(Declined::Span)?;
        let permissions = self.detail.actions.union(&self.detail.optional_actions.intersection(&chosen.optional));
        if permissions.is_empty() && self.detail.events.is_empty() {
            return Err(Declined::Nothing);
        }
        let giving = |asset: Option<(AssetDid, i64)>| Giving {
            asset,
            // What is for assets of another kind is not granted on this one.
            permissions: asset.map_or_else(|| permissions.clone(), |(did, _)| permissions.intersection(vocabulary.known(did.method()))),
            events: self.detail.events.clone(),
            span: Duration::from_secs(span),
            purpose: self.detail.purpose.clone(),
        };
        let mut assets: Vec<(AssetDid, i64)> = Vec::with_capacity(chosen.assets.len());
        for (did, epoch) in &chosen.assets {
            if !self.assets.iter().any(|asset| asset.did == *did && asset.epoch == *epoch) {
                return Err(Declined::Changed(*did));
            }
            if !assets.contains(&(*did, *epoch)) {
                assets.push((*did, *epoch));
            }
        }
        let chosen = assets.len();
        match &self.detail.assets {
            Assets::All => return Ok(vec![giving(None)]),
            Assets::These(dids) if chosen != dids.len() => {
                return Err(Declined::Count { chosen, min: dids.len(), max: dids.len() });
            }
            Assets::Pick(pick) if chosen < pick.min || chosen > pick.max => {
                return Err(Declined::Count { chosen, min: pick.min, max: pick.max });
            }
            Assets::These(_) | Assets::Pick(_) => {}
        }
        let grants: Vec<Giving> = assets.into_iter().map(|asset| giving(Some(asset))).collect();
        if grants.iter().any(|grant| grant.permissions.is_empty() && grant.events.is_empty()) {
            return Err(Declined::Nothing);
        }
        Ok(grants)
    }
}

/// Whether an asset is of a kind that all the app needs is for, and something of what it asks.
#[must_use]
pub fn fits(detail: &AssetAccess, did: &AssetDid, vocabulary: &Vocabulary) -> bool {
    let known = vocabulary.known(did.method());
    detail.actions.is_subset(known) && !(detail.wanted().intersection(known).is_empty() && detail.events.is_empty())
}

/// For how many seconds something may be granted, the longest first: as long as is asked for, or as may be, and some shorter times.
#[must_use]
pub fn span_choices(asked: Option<u32>, longest: Duration) -> Vec<u64> {
    let most = asked.map_or(longest.as_secs(), |asked| u64::from(asked).min(longest.as_secs())).max(1);
    let shorter = [365 * DAY, 90 * DAY, 30 * DAY, 7 * DAY, DAY].into_iter().filter(|span| *span < most);
    std::iter::once(most).chain(shorter).collect()
}
