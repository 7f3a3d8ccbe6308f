//! What holds of the decision whatever the grants are.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;

fn any_set() -> impl Strategy<Value = PermissionSet> {
    subsequence(vec!["a", "b", "c", "d", "z"], 0..=5).prop_map(|names| set(&names.join(" ")))
}

fn any_events() -> impl Strategy<Value = Vec<EventFilter>> {
    let any_event = (select(vec!["x.y", "x.*", "w", "*"]), subsequence(vec!["1", "2", "*"], 1..=3));
    proptest::collection::vec(any_event.prop_map(|(event_type, ids)| event(event_type, &ids)), 0..3)
}

prop_compose! {
    // Of any kind and state, most of them to the app and about the asset.
    fn any_grant(id: u128)(
        permissions in any_set(),
        events in any_events(),
        about in 0..9,
        to in 0..9,
        epoch in prop_oneof![9 => Just(Some(2)), 1 => Just(Some(1)), 1 => Just(Some(3)), 1 => Just(None)],
        grantor in prop_oneof![6 => Just(Some(OWNER)), 1 => Just(Some(FORMER)), 1 => Just(None)],
        begins in -10..2_i64,
        lasts in 1..90_i64,
        created in -20..0_i64,
        end in prop_oneof![9 => Just(None), 3 => select(GrantEnd::ALL).prop_map(Some)],
    ) -> Grant {
        Grant {
            permissions,
            events,
            asset: match about { 0 => None, 1 => Some(did(8)), _ => Some(did(7)) },
            grantee: if to == 0 { "other".parse().unwrap() } else { app() },
            epoch,
            grantor_account: grantor,
            effective_at: later(begins),
            expires_at: later(begins + lasts),
            created_at: later(created),
            ended_at: end.map(|_| later(-1)),
            ended: end,
            ..grant(id)
        }
    }
}

prop_compose! {
    fn any_case()(
        grants in [any_grant(1), any_grant(2), any_grant(3), any_grant(4)],
        few in 0..=4_usize,
        acting in select(vec![Acting::Itself, Acting::For(OWNER), Acting::For(OTHER)]),
        first_party in proptest::bool::weighted(0.2),
        limit in proptest::option::of(any_set()),
        owner in 0..5,
    ) -> Case {
        let by_account = asset();
        let asset = match owner {
            0 => None,
            1 => Some(Standing { owner: None, owner_account: None, ..by_account }),
            2 => Some(Standing { owner: Some(Owner::Address(license())), owner_account: None, ..by_account }),
            _ => Some(by_account),
        };
        Case { acting, first_party, limit, asset, ..Case::of(grants.into_iter().take(few)) }
    }
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} house={} limit={:?} {:?} {:#?}", self.acting, self.first_party, self.limit, self.asset, self.grants)
    }
}

/// Whether the app has the authority of an owner, told in another way than `evaluate` does it.
fn owns(case: &Case) -> bool {
    let Some(asset) = case.asset else { return false };
    match (case.acting, asset.owner) {
        (Acting::Itself, Some(Owner::Address(address))) => case.client == ClientId::from(address),
        (Acting::For(person), Some(Owner::Account(owner))) => case.first_party && person == owner,
        _ => false,
    }
}

proptest! {
    #[test]
    fn the_result_is_within_request_grant_and_limit(case in any_case(), permissions in any_set(), events in any_events(), partial in any::<bool>()) {
        let ask = Ask { permissions: &permissions, events: &events, partial };
        let (given, named) = match case.evaluate(&ask) {
            Ok(granted) => {
                prop_assert!(!granted.permissions.is_empty() || !granted.events.is_empty());
                prop_assert!(partial || (granted.permissions == permissions && granted.events == events));
                prop_assert!(granted.events.iter().all(|filter| events.contains(filter)));
                prop_assert_eq!(&granted.missing, &permissions.difference(&granted.permissions));
                let needed: Vec<&Grant> = case.grants.iter().filter(|grant| granted.grants.contains(&grant.id)).collect();
                prop_assert!(owns(&case) == needed.is_empty());
                if !owns(&case) {
                    let all = needed.iter().fold(PermissionSet::new(), |all, grant| all.union(&grant.permissions));
                    prop_assert!(granted.permissions.is_subset(&all));
                    for filter in &granted.events {
                        prop_assert!(needed.iter().any(|grant| grant.events.iter().any(|agreed| agreed.concerns(filter))));
                    }
                    // It ends no later than any grant that it rests on, and each of them is good now.
                    prop_assert!(needed.iter().all(|grant| granted.until.is_some_and(|until| until <= grant.expires_at)));
                    prop_assert!(granted.until.is_some_and(|until| until > NOW));
                }
                (granted.permissions.clone(), granted.permissions)
            }
            Err(refused) => {
                prop_assert!(refused.reason == Reason::MissingPermissions || refused.granted.is_empty());
                (PermissionSet::new(), refused.granted)
            }
        };
        prop_assert!(given.is_subset(&permissions) && named.is_subset(&permissions) && named.is_subset(&set("a b c d")));
        prop_assert!(case.limit.as_ref().is_none_or(|limit| named.is_subset(limit)));
    }

    #[test]
    fn what_is_dead_or_elsewhere_never_gives_anything(case in any_case(), permissions in any_set(), events in any_events(), partial in any::<bool>()) {
        let ask = Ask { permissions: &permissions, events: &events, partial };
        let asset = case.asset;
        let mut without = case.with(case.grants.clone());
        without.grants.retain(|grant| {
            let here = match grant.asset {
                Some(asset_of) => asset_of == did(7) && asset.is_some_and(|asset| grant.epoch == Some(asset.epoch)),
                None => asset.and_then(|asset| asset.owner_account).is_some_and(|owner| grant.grantor_account == Some(owner)),
            };
            here && grant.grantee == app() && grant.ended.is_none() && grant.effective_at <= NOW && NOW < grant.expires_at
        });
        let with = case.evaluate(&ask);
        match (with, without.evaluate(&ask)) {
            // Only the reason may tell of them.
            (Err(with), Err(without)) => prop_assert_eq!((with.missing, with.granted), (without.missing, without.granted)),
            (with, without) => prop_assert_eq!(with, without),
        }
        if without.grants.is_empty() && !owns(&without) {
            prop_assert!(without.evaluate(&ask).is_err_and(|refused| refused.reason == Reason::NotShared));
        }
    }

    #[test]
    fn granting_more_never_gives_less(case in any_case(), more in any_grant(9), permissions in any_set(), events in any_events(), partial in any::<bool>()) {
        let ask = Ask { permissions: &permissions, events: &events, partial };
        let before = case.evaluate(&ask);
        let after = case.with(case.grants.iter().cloned().chain([more]).collect()).evaluate(&ask);
        if let Ok(before) = before {
            let after = after.expect("what was given is given still");
            prop_assert!(before.permissions.is_subset(&after.permissions));
            prop_assert!(before.events.iter().all(|filter| after.events.contains(filter)));
            // Of the same things no earlier end. With more in it, a part may end earlier than the rest did.
            if before.permissions == after.permissions && before.events == after.events {
                prop_assert!(before.until.zip(after.until).is_none_or(|(before, after)| before <= after));
            }
        }
    }

    #[test]
    fn order_never_matters(case in any_case(), turn in 0..4_usize, permissions in any_set(), events in any_events(), partial in any::<bool>()) {
        let ask = Ask { permissions: &permissions, events: &events, partial };
        let mut turned = case.grants.clone();
        turned.reverse();
        let places = turned.len().max(1);
        turned.rotate_left(turn % places);
        prop_assert_eq!(case.with(turned).evaluate(&ask), case.evaluate(&ask));
    }
}

impl Case {
    fn with(&self, grants: Vec<Grant>) -> Self {
        Self { client: self.client.clone(), limit: self.limit.clone(), grants, ..*self }
    }
}
