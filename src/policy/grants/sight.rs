//! How much of an asset a client may know, where the registry is not for everybody; and what of grants is told together.

use super::evaluate::{Facts, concerns, counts, is_own};
use crate::domain::{ClientId, Grant, GrantSource, PermissionSet, Timestamp};

/// What is seen of an asset that is seen at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sight {
    /// All of it, with what is shared with anybody.
    Whole,
    /// What it is and whose, and what is shared with oneself.
    Own,
}

/// What the client sees: all of what it has an owner's authority over, its own part of what is shared with it, and of anything else not
/// even that it is there.
#[must_use]
pub fn sight(facts: &Facts<'_>, now: Timestamp) -> Option<Sight> {
    let asset = facts.asset?;
    if is_own(facts, asset) {
        return Some(Sight::Whole);
    }
    facts.grants.iter().any(|grant| concerns(grant, facts.client, asset) && counts(grant, asset, now)).then_some(Sight::Own)
}

/// All that one client was granted on one asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    pub grantee: ClientId,
    pub permissions: PermissionSet,
    /// Of the latest grant.
    pub source: GrantSource,
    pub created_at: Timestamp,
    /// When the first of the grants ends: from then on it is less.
    pub expires_at: Timestamp,
}

/// Grants that add up are told as one: each client once. Those of a client stand together, the oldest first.
#[must_use]
pub fn together(grants: impl IntoIterator<Item = Grant>) -> Vec<Shared> {
    let mut all: Vec<Shared> = Vec::new();
    for grant in grants {
        match all.last_mut() {
            Some(shared) if shared.grantee == grant.grantee => {
                shared.permissions = shared.permissions.union(&grant.permissions);
                shared.source = grant.source;
                shared.expires_at = shared.expires_at.min(grant.expires_at);
            }
            _ => all.push(Shared {
                grantee: grant.grantee,
                permissions: grant.permissions,
                source: grant.source,
                created_at: grant.created_at,
                expires_at: grant.expires_at,
            }),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{AccountId, Address, AssetDid, GrantId, Owner, Standing};
    use crate::policy::grants::Acting;

    const DID: &str = "did:erc721:137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF:7";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn grant(grantee: &str, permissions: &str, until: i64) -> Grant {
        Grant {
            id: GrantId(Uuid::from_u128(1)),
            asset: Some(DID.parse().unwrap()),
            grantor_account: None,
            grantor_address: None,
            grantee: grantee.parse().unwrap(),
            permissions: permissions.parse().unwrap(),
            events: Vec::new(),
            effective_at: at(0),
            expires_at: at(until),
            epoch: Some(3),
            source: GrantSource::Consent,
            template: None,
            purpose: None,
            created_at: at(until - 10),
            updated_at: at(0),
            ended_at: None,
            ended: None,
        }
    }

    #[test]
    fn who_sees_how_much() {
        let did: AssetDid = DID.parse().unwrap();
        let (license, person, stranger) = (Address::from_bytes([1; 20]), AccountId(Uuid::from_u128(1)), AccountId(Uuid::from_u128(2)));
        let of = |owner, owner_account, epoch| Some(Standing { did, owner, owner_account, epoch });
        let persons = of(Some(Owner::Account(person)), Some(person), 3);
        let passed_on = of(Some(Owner::Account(stranger)), Some(stranger), 4);
        let licenses = of(Some(Owner::Address(license)), None, 3);
        let (app, own): (ClientId, ClientId) = ("app".parse().unwrap(), license.into());
        let (one, none, other) = (vec![grant("app", "p", 20)], Vec::new(), vec![grant("other", "p", 20)]);
        let (whole, part) = (Some(Sight::Whole), Some(Sight::Own));
        for (client, acting, first_party, asset, grants, now, seen) in [
            (&app, Acting::Itself, false, &persons, &one, 5, part),
            (&app, Acting::For(person), false, &persons, &one, 5, part),
            (&app, Acting::For(person), false, &persons, &none, 5, None),
            (&app, Acting::For(person), true, &persons, &none, 5, whole),
            (&app, Acting::For(stranger), true, &persons, &none, 5, None),
            (&app, Acting::Itself, true, &persons, &none, 5, None),
            (&app, Acting::Itself, false, &persons, &other, 5, None),
            (&app, Acting::Itself, false, &persons, &one, 20, None),
            (&app, Acting::Itself, false, &passed_on, &one, 5, None),
            (&app, Acting::Itself, false, &None, &one, 5, None),
            (&own, Acting::Itself, false, &licenses, &none, 5, whole),
            (&own, Acting::For(person), false, &licenses, &none, 5, None),
            (&app, Acting::Itself, false, &licenses, &none, 5, None),
        ] {
            let known = PermissionSet::EMPTY;
            let facts = Facts { client, acting, first_party, limit: None, asset: asset.as_ref(), grants, known: &known };
            assert_eq!(sight(&facts, at(now)), seen, "{client} {acting:?} {first_party} {asset:?} {now}");
        }
    }

    #[test]
    fn grants_of_one_client_are_told_as_one() {
        let told = together([grant("a", "p", 20), Grant { source: GrantSource::Api, ..grant("a", "q", 15) }, grant("b", "p", 30)]);
        let expected = |grantee: &str, permissions: &str, source, created, until| Shared {
            grantee: grantee.parse().unwrap(),
            permissions: permissions.parse().unwrap(),
            source,
            created_at: at(created),
            expires_at: at(until),
        };
        assert_eq!(told, [expected("a", "p q", GrantSource::Api, 10, 15), expected("b", "p", GrantSource::Consent, 20, 30)]);
    }
}
