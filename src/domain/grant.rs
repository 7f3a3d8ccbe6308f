//! Grants: what the owner of an asset lets an app do with it, and until when.

use super::words::words;
use super::{AccountId, Address, AssetDid, ClientId, EventFilter, GrantId, PermissionSet, Timestamp};

words! {
    /// How a grant came to be.
    GrantSource {
        /// The owner agreed on a page of ours.
        Consent = "consent",
        /// The owner, or an app with leave to, by the interface for programs.
        Api = "api",
        /// The operator, by the command line, in the owner's place.
        Operator = "operator",
    }

    /// How a grant ended before its time.
    GrantEnd {
        /// The one who gave it, or who owns the asset now.
        Owner = "owner",
        /// The app gave it back.
        Grantee = "grantee",
        Operator = "operator",
        /// The asset has another owner.
        Transfer = "transfer",
        /// A later grant took its place.
        Replaced = "replaced",
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub id: GrantId,
    /// `None`: all assets of the grantor's account, those of now and those that come later.
    pub asset: Option<AssetDid>,
    pub grantor_account: Option<AccountId>,
    pub grantor_address: Option<Address>,
    /// The client that it was given to.
    pub grantee: ClientId,
    pub permissions: PermissionSet,
    pub events: Vec<EventFilter>,
    pub effective_at: Timestamp,
    /// From then on it gives nothing.
    pub expires_at: Timestamp,
    /// The asset's ownership epoch when it was given; `None` where it is for no asset of its own.
    pub epoch: Option<i64>,
    pub source: GrantSource,
    /// The template of permissions by which it was given.
    pub template: Option<String>,
    /// What the app said that it is for.
    pub purpose: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub ended: Option<GrantEnd>,
}

impl Grant {
    /// Whether `now` is within its time and nobody has ended it. Whether its asset still has the same owner is not said by that.
    #[must_use]
    pub fn is_living(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && self.effective_at <= now && now < self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn a_grant_lives_from_its_first_moment_until_its_last() {
        let grant = Grant {
            id: GrantId(Uuid::from_u128(1)),
            asset: None,
            grantor_account: None,
            grantor_address: None,
            grantee: "app".parse().unwrap(),
            permissions: PermissionSet::new(),
            events: Vec::new(),
            effective_at: at(10),
            expires_at: at(20),
            epoch: None,
            source: GrantSource::Consent,
            template: None,
            purpose: None,
            created_at: at(0),
            updated_at: at(0),
            ended_at: None,
            ended: None,
        };
        for (now, lives) in [(9, false), (10, true), (19, true), (20, false)] {
            assert_eq!(grant.is_living(at(now)), lives, "{now}");
        }
        let ended = Grant { ended_at: Some(at(15)), ended: Some(GrantEnd::Owner), ..grant };
        assert!(!ended.is_living(at(16)));
    }
}
