//! The decision over grants: its whole matrix, printed, and who owns what in it.

use std::fmt::Write;

use uuid::Uuid;

use super::*;
use crate::domain::{Address, AssetDid, GrantSource};

mod properties;

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
