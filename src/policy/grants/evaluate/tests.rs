use std::fmt::Write;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use uuid::Uuid;

use super::*;
use crate::domain::{Address, AssetDid, GrantSource};

const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);
/// The account that owns the asset, the one that owned it before, and another one that merely uses the app.
const OWNER: AccountId = AccountId(Uuid::from_u128(1));
const FORMER: AccountId = AccountId(Uuid::from_u128(2));
const OTHER: AccountId = AccountId(Uuid::from_u128(3));

fn later(minutes: i64) -> Timestamp {
    Timestamp::from_seconds(NOW.seconds() + 60 * minutes)
}

fn set(text: &str) -> PermissionSet {
    text.parse().unwrap()
}

fn did(token_id: u64) -> AssetDid {
    format!("did:erc721:137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF:{token_id}").parse().unwrap()
}

fn license() -> Address {
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed".parse().unwrap()
}

fn app() -> ClientId {
    license().into()
}

fn asset() -> Standing {
    Standing { did: did(7), owner: Some(Owner::Account(OWNER)), owner_account: Some(OWNER), epoch: 2 }
}

/// A grant of `a` and `b` on the asset by its owner, for an hour.
fn grant(id: u128) -> Grant {
    Grant {
        id: GrantId(Uuid::from_u128(id)),
        asset: Some(did(7)),
        grantor_account: Some(OWNER),
        grantor_address: None,
        grantee: app(),
        permissions: set("a b"),
        events: Vec::new(),
        effective_at: later(-10),
        expires_at: later(60),
        epoch: Some(2),
        source: GrantSource::Consent,
        template: None,
        purpose: None,
        created_at: later(-10),
        updated_at: later(-10),
        ended_at: None,
        ended: None,
    }
}

fn ended(id: u128, by: GrantEnd) -> Grant {
    Grant { ended_at: Some(later(-1)), ended: Some(by), ..grant(id) }
}

fn expired(id: u128) -> Grant {
    Grant { expires_at: NOW, ..grant(id) }
}

fn event(event_type: &str, ids: &[&str]) -> EventFilter {
    let ids = ids.iter().map(|id| (*id).to_owned()).collect();
    EventFilter::new(event_type.to_owned(), "*".to_owned(), ids, vec!["*".to_owned()]).unwrap()
}

/// What a case of the matrix starts from.
struct Case {
    client: ClientId,
    acting: Acting,
    first_party: bool,
    limit: Option<PermissionSet>,
    asset: Option<Standing>,
    grants: Vec<Grant>,
}

impl Case {
    fn of(grants: impl IntoIterator<Item = Grant>) -> Self {
        Self {
            client: app(),
            acting: Acting::Itself,
            first_party: false,
            limit: None,
            asset: Some(asset()),
            grants: grants.into_iter().collect(),
        }
    }

    fn evaluate(&self, ask: &Ask<'_>) -> Result<Granted, Refused> {
        let facts = Facts {
            client: &self.client,
            acting: self.acting,
            first_party: self.first_party,
            limit: self.limit.as_ref(),
            asset: self.asset.as_ref(),
            grants: &self.grants,
            known: &set("a b c d"),
        };
        evaluate(&facts, ask, NOW)
    }
}

fn cases() -> Vec<(&'static str, Case)> {
    let person = |case: Case| Case { acting: Acting::For(OWNER), ..case };
    let house = |case: Case| Case { first_party: true, ..person(case) };
    let on_account = |grantor| Grant { asset: None, epoch: None, grantor_account: Some(grantor), ..grant(1) };
    let by_license = Standing { owner: Some(Owner::Address(license())), owner_account: None, ..asset() };
    vec![
        ("no such asset", Case { asset: None, ..Case::of([]) }),
        ("no such asset, a grant left over", Case { asset: None, ..Case::of([grant(1)]) }),
        ("no grant", Case::of([])),
        (
            "an asset that nobody claimed yet",
            Case { asset: Some(Standing { owner: None, owner_account: None, ..asset() }), ..Case::of([]) },
        ),
        ("a b", Case::of([grant(1)])),
        ("a b to another app", Case::of([Grant { grantee: "other".parse().unwrap(), ..grant(1) }])),
        ("a b on another asset", Case::of([Grant { asset: Some(did(8)), ..grant(1) }])),
        ("a b, c for longer", Case::of([grant(1), Grant { permissions: set("c"), expires_at: later(90), ..grant(2) }])),
        ("a b, a b for longer", Case::of([grant(1), Grant { expires_at: later(90), ..grant(2) }])),
        ("a b by a limit of b c", Case { limit: Some(set("b c")), ..Case::of([grant(1)]) }),
        ("a b by a limit of nothing", Case { limit: Some(set("")), ..Case::of([grant(1)]) }),
        ("a b z, z not in the vocabulary", Case::of([Grant { permissions: set("a b z"), ..grant(1) }])),
        ("all of the account", Case::of([on_account(OWNER)])),
        ("all of the account that owned it", Case::of([on_account(FORMER)])),
        ("all of no account, asset of none", {
            let nobodys = Standing { owner: None, owner_account: None, ..asset() };
            Case { asset: Some(nobodys), ..Case::of([Grant { grantor_account: None, ..on_account(OWNER) }]) }
        }),
        ("not begun", Case::of([Grant { effective_at: later(1), ..grant(1) }])),
        ("expired", Case::of([expired(1)])),
        ("ended by the owner", Case::of([ended(1, GrantEnd::Owner)])),
        ("ended by the app", Case::of([ended(1, GrantEnd::Grantee)])),
        ("ended by the operator", Case::of([ended(1, GrantEnd::Operator)])),
        ("ended by a transfer", Case::of([ended(1, GrantEnd::Transfer)])),
        ("replaced by one that is alive", Case::of([ended(1, GrantEnd::Replaced), grant(2)])),
        ("replaced by one that expired", Case::of([expired(2), ended(1, GrantEnd::Replaced)])),
        ("replaced, and nothing after it", Case::of([ended(1, GrantEnd::Replaced)])),
        ("of the epoch before", Case::of([Grant { epoch: Some(1), ..grant(1) }])),
        ("of no epoch", Case::of([Grant { epoch: None, ..grant(1) }])),
        ("of a later epoch", Case::of([Grant { epoch: Some(3), ..grant(1) }])),
        ("of the epoch before, and expired", Case::of([Grant { epoch: Some(1), ..expired(1) }])),
        ("expired, later one revoked", Case::of([Grant { created_at: later(-5), ..ended(2, GrantEnd::Owner) }, expired(1)])),
        ("revoked, later one expired", Case::of([ended(1, GrantEnd::Owner), Grant { created_at: later(-5), ..expired(2) }])),
        ("a b, and c revoked", Case::of([grant(1), Grant { permissions: set("c"), ..ended(2, GrantEnd::Owner) }])),
        ("events x.* only", Case::of([Grant { permissions: set(""), events: vec![event("x.*", &["*"])], ..grant(1) }])),
        ("a b, events x.*", Case::of([Grant { events: vec![event("x.*", &["*"])], ..grant(1) }])),
        ("a b, events x.y of id 1", Case::of([Grant { events: vec![event("x.y", &["1"])], ..grant(1) }])),
        ("a b, events x.y of id 1 and of id 2", {
            let second = Grant { events: vec![event("x.y", &["2"])], permissions: set(""), expires_at: later(30), ..grant(2) };
            Case::of([Grant { events: vec![event("x.y", &["1"])], ..grant(1) }, second])
        }),
        ("the owner at the app, no grant", person(Case::of([]))),
        ("the owner at the app, a b", person(Case::of([grant(1)]))),
        ("the owner at an app of the house", house(Case::of([]))),
        ("the owner at an app of the house, limit a b", Case { limit: Some(set("a b")), ..house(Case::of([])) }),
        ("another person at an app of the house", Case { acting: Acting::For(OTHER), ..house(Case::of([])) }),
        ("another person at an app of the house, a b", Case { acting: Acting::For(OTHER), ..house(Case::of([grant(1)])) }),
        ("an app of the house for itself", Case { first_party: true, ..Case::of([]) }),
        ("the owner at an app of the house, asset of none", {
            let nobodys = Standing { owner: None, owner_account: None, ..asset() };
            Case { asset: Some(nobodys), ..house(Case::of([])) }
        }),
        ("the license's own asset", Case { asset: Some(by_license), ..Case::of([]) }),
        ("the license's own asset, limit a b", Case { asset: Some(by_license), limit: Some(set("a b")), ..Case::of([]) }),
        ("the license's own asset, by a person's token", Case { asset: Some(by_license), ..person(Case::of([])) }),
        ("another license's own asset", Case { asset: Some(by_license), client: "other".parse().unwrap(), ..Case::of([]) }),
    ]
}

fn names(grants: &BTreeSet<GrantId>) -> String {
    grants.iter().map(|id| format!("#{}", id.0.as_u128())).collect::<Vec<_>>().join(" ")
}

// `a b x.y(1,2)`: permissions, then filters with their ids.
fn things(permissions: &PermissionSet, events: &[EventFilter]) -> String {
    let filters = events.iter().map(|filter| format!("{}({})", filter.event_type(), filter.ids().join(",")));
    permissions.names().into_iter().map(str::to_owned).chain(filters).collect::<Vec<_>>().join(" ")
}

fn words(outcome: &Result<Granted, Refused>) -> String {
    let some = |what: &str, things: String| if things.is_empty() { things } else { format!(", {what}: {things}") };
    match outcome {
        Ok(Granted { permissions, events, until, grants, missing, missing_events }) => {
            let why = until.map_or("its own".to_owned(), |until| format!("{} min {}", until.since(NOW).as_secs() / 60, names(grants)));
            format!("[{}] {why}{}", things(permissions, events), some("missing", things(missing, missing_events)))
        }
        Err(Refused { reason, missing, missing_events, granted }) => {
            let (missing, granted) = (some("missing", things(missing, missing_events)), some("granted", things(granted, &[])));
            format!("{}{missing}{granted}", reason.as_str())
        }
    }
}

#[test]
fn the_whole_matrix() {
    let (ab, abc, z, none) = (set("a b"), set("a b c"), set("z"), set(""));
    let (narrow, wide, all) = ([event("x.y", &["1", "2"])], [event("x.y", &["1"]), event("w", &["1"])], [EventFilter::any()]);
    let asks = [
        ("a b", Ask { permissions: &ab, events: &[], partial: false }),
        ("a b c", Ask { permissions: &abc, events: &[], partial: false }),
        ("a b c, what is there", Ask { permissions: &abc, events: &[], partial: true }),
        ("z", Ask { permissions: &z, events: &[], partial: true }),
        ("x.y of 1 2", Ask { permissions: &none, events: &narrow, partial: false }),
        ("a b, x.y of 1, w, what is there", Ask { permissions: &ab, events: &wide, partial: true }),
        ("all events", Ask { permissions: &none, events: &all, partial: true }),
        ("nothing", Ask { permissions: &none, events: &[], partial: true }),
    ];
    let mut table = String::new();
    for (facts, case) in cases() {
        let outcomes: Vec<_> = asks.iter().map(|(_, ask)| case.evaluate(ask)).collect();
        // Where nothing is given whatever is asked for, one line says so, and all that was asked for is missing.
        if let Some(reason) = nothing_at_all(&asks, &outcomes) {
            writeln!(table, "{facts:52} => {}", reason.as_str()).unwrap();
            continue;
        }
        writeln!(table, "{facts}").unwrap();
        for ((asked, _), outcome) in asks.iter().zip(&outcomes) {
            writeln!(table, "    {asked:32} => {}", words(outcome)).unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

fn nothing_at_all(asks: &[(&str, Ask<'_>)], outcomes: &[Result<Granted, Refused>]) -> Option<Reason> {
    let reason = outcomes.first()?.as_ref().err()?.reason;
    let nothing = |ask: &Ask<'_>| Refused {
        reason,
        missing: ask.permissions.clone(),
        missing_events: ask.events.to_vec(),
        granted: PermissionSet::new(),
    };
    let all = asks.iter().zip(outcomes).all(|((_, ask), outcome)| *outcome == Err(nothing(ask)));
    (all && reason != Reason::MissingPermissions).then_some(reason)
}

#[test]
fn an_asset_that_is_not_there_looks_like_one_that_is_not_shared() {
    let (permissions, events) = (set("a b"), [EventFilter::any()]);
    let ask = Ask { permissions: &permissions, events: &events, partial: false };
    let unknown = Case { asset: None, ..Case::of([]) }.evaluate(&ask);
    let elsewhere = Case::of([Grant { grantee: "other".parse().unwrap(), ..grant(1) }]);
    for not_shared in [Case::of([]), elsewhere] {
        assert_eq!(not_shared.evaluate(&ask), unknown);
    }
}

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
