//! What an app asks, what an owner is offered and chooses, and the grant that comes of it.

use std::time::Duration;

use serde_json::{Map, json};
use uuid::Uuid;

use super::*;
use crate::domain::{AccountId, Asset, AssetMethod, GrantSource, PermissionIcon, PermissionTerm, Risk, Timestamp};

const CONTRACT: &str = "0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF";

fn did(number: u8) -> AssetDid {
    format!("did:erc721:137:{CONTRACT}:{number}").parse().unwrap()
}

fn set(text: &str) -> PermissionSet {
    text.parse().unwrap()
}

fn vocabulary() -> Vocabulary {
    let mut vocabulary = Vocabulary::default();
    for (id, name, method) in [(1, "see", AssetMethod::Erc721), (2, "drive", AssetMethod::Erc721), (1, "mint", AssetMethod::Ethr)] {
        let term = PermissionTerm {
            name: name.parse().unwrap(),
            id: u64::try_into(id).unwrap(),
            method,
            title: String::new(),
            sentence: String::new(),
            risk: Risk::Low,
            icon: PermissionIcon::Document,
        };
        vocabulary.add(term).unwrap();
    }
    vocabulary
}

fn details(text: &serde_json::Value) -> Vec<AssetAccess> {
    AssetAccess::parse(Some(&text.to_string())).unwrap()
}

fn detail(more: &serde_json::Value) -> AssetAccess {
    let mut detail = json!({ "type": "asset_access" });
    detail.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    details(&json!([detail])).remove(0)
}

fn asset(number: u8, epoch: i64) -> Asset {
    let at = Timestamp::from_seconds(0);
    Asset {
        did: did(number),
        owner: None,
        epoch,
        make: None,
        model: None,
        year: None,
        powertrain: None,
        name: None,
        attributes: Map::new(),
        minted_at: at,
        created_at: at,
        updated_at: at,
    }
}

fn grant(id: u128, asset: Option<u8>, permissions: &str, events: Vec<EventFilter>) -> Grant {
    let at = Timestamp::from_seconds(0);
    Grant {
        id: GrantId(Uuid::from_u128(id)),
        asset: asset.map(did),
        grantor_account: Some(AccountId(Uuid::nil())),
        grantor_address: None,
        grantee: "app".parse().unwrap(),
        permissions: set(permissions),
        events,
        effective_at: at,
        expires_at: Timestamp::from_seconds(1_000),
        epoch: asset.map(|_| 0),
        source: GrantSource::Consent,
        template: None,
        purpose: None,
        created_at: at,
        updated_at: at,
        ended_at: None,
        ended: None,
    }
}

#[test]
fn an_app_asks_for_what_there_is_and_what_it_may_have() {
    let vocabulary = vocabulary();
    let limit = set("see");
    let admit = |details: &serde_json::Value, limit| super::admit(&self::details(details), Terms { vocabulary: &vocabulary, limit });
    let ask = |assets: serde_json::Value, actions: &[&str]| json!([{ "type": "asset_access", "assets": assets, "actions": actions }]);
    assert!(admit(&ask(json!([did(1)]), &["see", "drive"]), None).is_ok());
    assert!(admit(&ask(json!("all"), &["see", "mint"]), None).is_ok());
    for (details, limit) in [
        // Of another kind of asset, of none, beyond the client's own limit.
        (ask(json!([did(1)]), &["mint"]), None),
        (ask(json!("all"), &["fly"]), None),
        (ask(json!({ "pick": {} }), &["fly"]), None),
        (ask(json!([did(1)]), &["see", "drive"]), Some(&limit)),
        (json!([{ "type": "asset_access", "assets": "all", "actions": ["see"], "optional_actions": ["drive"] }]), Some(&limit)),
    ] {
        let refusal = admit(&details, limit).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::InvalidAuthorizationDetails, "{details}");
    }
}

#[test]
fn what_was_granted_in_this_visit_answers_and_what_was_before_must_be_all() {
    let asked = |assets: serde_json::Value| detail(&json!({ "assets": assets, "actions": ["see"], "optional_actions": ["drive"] }));
    let one = [asked(json!([did(1)]))];
    let (some, all) = (grant(1, Some(1), "see", vec![]), grant(2, Some(1), "see drive", vec![]));
    let settled = |details: &[AssetAccess], living: &[Grant], of_visit: &[Grant], again| {
        super::settled(details, Held { living, of_visit }, again).map(|ids| ids.iter().map(|id| id.0.as_u128()).collect::<Vec<_>>())
    };
    let some = std::slice::from_ref(&some);
    let all = std::slice::from_ref(&all);
    // Nothing is asked.
    assert_eq!(settled(&[], some, &[], true), Some(vec![]));
    // Before: the needed alone is not all that is asked for.
    assert_eq!(settled(&one, some, &[], false), None);
    assert_eq!(settled(&one, all, &[], false), Some(vec![2]));
    assert_eq!(settled(&one, all, &[], true), None);
    // In this visit: what they left out was optional.
    assert_eq!(settled(&one, some, some, true), Some(vec![1]));
    assert_eq!(settled(&one, &[], &[grant(3, Some(2), "see drive", vec![])], false), None, "of another asset");
    assert_eq!(settled(&one, &[], &[grant(3, Some(1), "drive", vec![])], false), None, "not what is needed");
    // A choice is asked for each time; all is not each.
    let (pick, every) = ([asked(json!({ "pick": { "min": 2 } }))], [asked(json!("all"))]);
    assert_eq!(settled(&pick, all, &[], false), None);
    assert_eq!(settled(&pick, &[], &[grant(4, Some(1), "see", vec![]), grant(5, Some(2), "see", vec![])], false), Some(vec![4, 5]));
    assert_eq!(settled(&pick, &[], &[grant(4, Some(1), "see", vec![]), grant(5, Some(1), "see", vec![])], false), None);
    assert_eq!(settled(&every, all, &[], false), None);
    assert_eq!(settled(&every, &[grant(6, None, "see drive", vec![])], &[], false), Some(vec![6]));
    // Events have to be there too.
    let events = [detail(&json!({ "assets": [did(1)], "events": [EventFilter::any()] }))];
    assert_eq!(settled(&events, all, &[], false), None);
    assert_eq!(settled(&events, &[grant(7, Some(1), "", vec![EventFilter::any()])], &[], false), Some(vec![7]));
}

#[test]
fn nothing_is_granted_that_was_not_asked_for_and_offered() {
    let vocabulary = vocabulary();
    let (day, year) = (Duration::from_hours(24), Duration::from_hours(24 * 365));
    let assets = [asset(1, 0), asset(2, 3)];
    let chosen = |assets: &[(u8, i64)], optional: &str, span| Chosen {
        assets: assets.iter().map(|(number, epoch)| (did(*number), *epoch)).collect(),
        optional: set(optional),
        span: Some(span),
    };
    let pick = detail(&json!({ "assets": { "pick": { "min": 1, "max": 1 } }, "actions": ["see"], "optional_actions": ["drive"] }));
    let offer = Offer { detail: &pick, assets: &assets, has_any: true, longest: year };
    let give = |chosen: &Chosen| {
        offer.grant(chosen, &vocabulary).map(|givings| {
            givings.into_iter().map(|giving| (giving.asset, giving.permissions.names().join(" "), giving.span)).collect::<Vec<_>>()
        })
    };
    let seconds = day.as_secs();
    assert_eq!(give(&chosen(&[(2, 3)], "", seconds)), Ok(vec![(Some((did(2), 3)), "see".to_owned(), day)]));
    assert_eq!(give(&chosen(&[(2, 3)], "drive", year.as_secs())), Ok(vec![(Some((did(2), 3)), "drive see".to_owned(), year)]));
    // What is not asked for is not given, whatever a form says.
    assert_eq!(give(&chosen(&[(2, 3)], "mint", seconds)), Ok(vec![(Some((did(2), 3)), "see".to_owned(), day)]));
    assert_eq!(give(&chosen(&[(3, 0)], "", seconds)), Err(Declined::Changed(did(3))), "nobody's, or somebody else's");
    assert_eq!(give(&chosen(&[(2, 2)], "", seconds)), Err(Declined::Changed(did(2))), "it has had another owner since");
    assert_eq!(give(&chosen(&[], "", seconds)), Err(Declined::Count { chosen: 0, min: 1, max: 1 }));
    assert_eq!(give(&chosen(&[(1, 0), (2, 3)], "", seconds)), Err(Declined::Count { chosen: 2, min: 1, max: 1 }));
    assert_eq!(give(&chosen(&[(1, 0), (1, 0)], "", seconds)).unwrap().len(), 1, "one thing twice is one thing");
    assert_eq!(give(&chosen(&[(1, 0)], "", year.as_secs() + 1)), Err(Declined::Span));
    assert_eq!(give(&Chosen { span: None, ..chosen(&[(1, 0)], "", 0) }), Err(Declined::Span));

    let both = detail(&json!({ "assets": [did(1), did(2)], "actions": ["see"], "expires_in": 3_600 }));
    let offer = Offer { detail: &both, assets: &assets, has_any: true, longest: year };
    assert_eq!(offer.spans(), [3_600]);
    assert_eq!(offer.grant(&chosen(&[(1, 0)], "", 3_600), &vocabulary), Err(Declined::Count { chosen: 1, min: 2, max: 2 }));
    assert_eq!(offer.grant(&chosen(&[(1, 0), (2, 3)], "", 3_600), &vocabulary).unwrap().len(), 2);
    let without = Offer { assets: &assets[..1], ..offer };
    assert_eq!(without.lack(), Some(Lack::NotTheirs(vec![did(2)])));
    assert_eq!(without.grant(&chosen(&[(1, 0), (2, 3)], "", 3_600), &vocabulary), Err(Declined::Lack(Lack::NotTheirs(vec![did(2)]))));
    assert_eq!(Offer { assets: &[], has_any: false, ..offer }.lack(), Some(Lack::Nothing));
    let three = detail(&json!({ "assets": { "pick": { "min": 3 } }, "actions": ["see"] }));
    assert_eq!(Offer { detail: &three, ..offer }.lack(), Some(Lack::TooFew { fitting: 2, min: 3 }));

    let all = detail(&json!({ "assets": "all", "optional_actions": ["see"] }));
    let offer = Offer { detail: &all, assets: &[], has_any: false, longest: year };
    assert_eq!(offer.lack(), None, "also for what they get later");
    assert_eq!(offer.grant(&chosen(&[], "", seconds), &vocabulary), Err(Declined::Nothing));
    assert_eq!(offer.grant(&chosen(&[], "see", seconds), &vocabulary).unwrap()[0].asset, None);
}

#[test]
fn what_is_told_is_what_lives_of_what_was_recorded() {
    let asked = [detail(&json!({ "assets": [did(1)], "actions": ["see"] }))];
    let stored = to_stored(&asked, &[GrantId(Uuid::from_u128(1)), GrantId(Uuid::from_u128(2))]).unwrap();
    assert_eq!(to_stored(&[], &[]), None);
    let living = [grant(1, Some(1), "see", vec![]), grant(3, Some(2), "see", vec![])];
    let told = serde_json::to_value(of_living(&stored, &living, Timestamp::from_seconds(10))).unwrap();
    assert_eq!(
        told,
        json!([{ "type": "asset_access", "assets": [did(1)], "actions": ["see"], "grant_id": Uuid::from_u128(1), "expires_at": 1_000 }])
    );
    assert!(of_living(&stored, &living, Timestamp::from_seconds(1_000)).is_empty(), "its time is over");
}

#[test]
fn what_is_for_another_kind_of_thing_is_not_offered() {
    let vocabulary = vocabulary();
    let maker: AssetDid = format!("did:ethr:137:{CONTRACT}").parse().unwrap();
    let fits = |more: &serde_json::Value, did: AssetDid| super::fits(&detail(more), &did, &vocabulary);
    for (more, car, other) in [
        (json!({ "assets": { "pick": {} }, "actions": ["see"] }), true, false),
        (json!({ "assets": { "pick": {} }, "actions": ["mint"] }), false, true),
        (json!({ "assets": { "pick": {} }, "actions": ["see", "mint"] }), false, false),
        (json!({ "assets": { "pick": {} }, "optional_actions": ["see", "mint"] }), true, true),
        (json!({ "assets": { "pick": {} }, "optional_actions": ["see"] }), true, false),
        (json!({ "assets": { "pick": {} }, "events": [EventFilter::any()] }), true, true),
    ] {
        assert_eq!((fits(&more, did(1)), fits(&more, maker)), (car, other), "{more}");
    }
}
