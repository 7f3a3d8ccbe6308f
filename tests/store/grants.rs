//! Grants: made by the owner of the moment, changed, ended once, listed, and never without their history.

use latchkey::domain::{AccountId, AssetDid, EventFilter, Grant, GrantEnd, GrantId, GrantSource, InteractionId, Owner, Provider};
use latchkey::store::{Actor, GrantChange, GrantOutcome, GrantPage, Granting, MOST_LIVING_GRANTS, NewGrant, Store, Transfer};

use super::harness::{Fresh, both};
use super::made::{address, asset, at, client, client_id, did, person, uuid};

both! {
    /// A grant comes back whole, with the first line of its history.
    a_grant_is_made
    /// Only the owner of the moment grants, in the epoch that was agreed to, to a client that is there.
    who_may_not_grant
    /// Several grants are made together or not at all.
    grants_are_all_or_nothing
    /// The operator grants in the name of whoever owns the asset.
    the_operator_grants_for_the_owner
    /// A grant takes the place of those by the same hand, where that is asked for.
    a_grant_replaces_those_of_the_same_hand
    /// There are never more living grants than the exchange reads.
    there_are_never_too_many
    /// A change is the owner's, while the grant lives.
    a_grant_is_changed
    /// Owner, grantee and operator end a grant, once, and nobody else.
    a_grant_is_ended_once
    /// Lists show an owner and a grantee what is theirs, page by page.
    grants_are_listed
    /// What was agreed to in a visit is found by it.
    a_visit_knows_its_grants
    /// A grant whose owner or client goes, goes with them.
    grants_go_with_their_client
}

pub(crate) fn granting(account: AccountId) -> Granting {
    Granting { by: Actor::Owner { account, by: None }, source: GrantSource::Consent, visit: None, replaces: true }
}

pub(crate) fn new_grant(number: u8, asset: Option<(AssetDid, i64)>, grantee: &str) -> NewGrant {
    NewGrant {
        id: grant_id(number),
        asset,
        grantee: client_id(grantee),
        permissions: "privilege:GetLiveData privilege:GetLocationHistory".parse().unwrap(),
        events: vec![EventFilter::any()],
        effective_at: at(0),
        expires_at: at(1_000),
        template: Some("1".to_owned()),
        purpose: Some("Insurance \"by the mile\"".to_owned()),
    }
}

pub(crate) fn grant_id(number: u8) -> GrantId {
    GrantId(uuid(8_000 + u128::from(number)))
}

/// Makes grants that must be made.
pub(crate) async fn made(store: &Store, granting: Granting, new: Vec<NewGrant>) -> Vec<Grant> {
    match store.create_grants(granting, new, at(0)).await.unwrap() {
        GrantOutcome::Made(grants) => grants,
        refused => panic!("{refused:?}"),
    }
}

/// An account with assets 1 to 3 by its wallet 1, and the app.
pub(crate) async fn owner(store: &Store) -> AccountId {
    let account = person(store, 1).await;
    store.create_client(&client("app")).await.unwrap();
    store.import_assets((1..=3).map(|number| asset(number, Some(Owner::Address(address(1))))).collect(), false, at(0)).await.unwrap();
    account
}

async fn a_grant_is_made(fresh: &Fresh) {
    let store = &fresh.store;
    let account = owner(store).await;
    let new = new_grant(1, Some((did(1), 0)), "app");
    let grants = made(store, granting(account), vec![new.clone()]).await;
    let expected = Grant {
        id: new.id,
        asset: Some(did(1)),
        grantor_account: Some(account),
        grantor_address: Some(address(1)),
        grantee: client_id("app"),
        permissions: new.permissions,
        events: new.events,
        effective_at: at(0),
        expires_at: at(1_000),
        epoch: Some(0),
        source: GrantSource::Consent,
        template: new.template,
        purpose: new.purpose,
        created_at: at(0),
        updated_at: at(0),
        ended_at: None,
        ended: None,
    };
    assert_eq!(grants, std::slice::from_ref(&expected));
    assert_eq!(store.grant(grant_id(1)).await.unwrap(), Some(expected.clone()));
    assert_eq!(store.grant(grant_id(2)).await.unwrap(), None);
    let history = store.grant_history(grant_id(1)).await.unwrap();
    assert_eq!(history.len(), 1);
    let line = &history[0];
    assert_eq!((line.number, line.at, line.what.as_str(), line.actor.as_str(), line.why.as_str()), (1, at(0), "made", "owner", "consent"));
    assert_eq!((line.actor_account, &line.actor_client), (Some(account), &None));
    assert_eq!((&line.permissions, &line.events, line.expires_at), (&expected.permissions, &expected.events, at(1_000)));

    let every = made(store, granting(account), vec![new_grant(2, None, "app")]).await.remove(0);
    assert_eq!((every.asset, every.epoch, every.grantor_account, every.grantor_address), (None, None, Some(account), None));
    assert_eq!(store.grant(grant_id(2)).await.unwrap(), Some(every));
}

async fn who_may_not_grant(fresh: &Fresh) {
    let store = &fresh.store;
    let account = owner(store).await;
    let other = person(store, 2).await;
    let refused = async |granting: Granting, new: NewGrant| store.create_grants(granting, vec![new], at(1)).await.unwrap();
    let of = |number: u64, epoch: i64| new_grant(1, Some((did(number), epoch)), "app");
    assert_eq!(refused(granting(other), of(1, 0)).await, GrantOutcome::NotTheirs(Some(did(1))));
    assert_eq!(refused(granting(account), of(9, 0)).await, GrantOutcome::NotTheirs(Some(did(9))), "there is none");
    assert_eq!(refused(granting(account), of(1, 1)).await, GrantOutcome::NotTheirs(Some(did(1))), "an epoch that is not");
    assert_eq!(refused(granting(AccountId(uuid(99))), new_grant(1, None, "app")).await, GrantOutcome::NotTheirs(None));
    let grantee = Granting { by: Actor::Grantee(client_id("app")), ..granting(account) };
    assert_eq!(refused(grantee, of(1, 0)).await, GrantOutcome::NotTheirs(None));
    let nobody = new_grant(1, Some((did(1), 0)), "nobody");
    assert_eq!(refused(granting(account), nobody).await, GrantOutcome::NoGrantee(client_id("nobody")));

    // Between the page and the click the asset changed hands, and came back: what was agreed to then is not agreed to now.
    let pass = |epoch, from, to| Transfer { did: did(1), epoch, from, by: None, to: Owner::Account(to) };
    store.transfer_asset(pass(0, account, other), at(1)).await.unwrap().unwrap();
    assert_eq!(refused(granting(account), of(1, 0)).await, GrantOutcome::NotTheirs(Some(did(1))));
    assert_eq!(refused(granting(account), of(1, 1)).await, GrantOutcome::NotTheirs(Some(did(1))));
    store.transfer_asset(pass(1, other, account), at(1)).await.unwrap().unwrap();
    assert_eq!(refused(granting(account), of(1, 0)).await, GrantOutcome::NotTheirs(Some(did(1))));

    store.set_client_disabled(&client_id("app"), Some(at(1)), at(1)).await.unwrap();
    assert_eq!(refused(granting(account), of(2, 0)).await, GrantOutcome::NoGrantee(client_id("app")));
    store.set_client_disabled(&client_id("app"), None, at(1)).await.unwrap();
    store.set_account_disabled(account, Some(at(1)), at(1)).await.unwrap();
    assert_eq!(refused(granting(account), of(2, 0)).await, GrantOutcome::NotTheirs(None));
    assert_eq!((fresh.count("asset_grant").await, fresh.count("grant_event").await), (0, 0));
}

async fn grants_are_all_or_nothing(fresh: &Fresh) {
    let store = &fresh.store;
    let account = owner(store).await;
    made(store, granting(account), vec![new_grant(9, Some((did(1), 0)), "app")]).await;
    let new = |second: i64| vec![new_grant(1, Some((did(3), 0)), "app"), new_grant(2, Some((did(1), second)), "app")];
    assert_eq!(store.create_grants(granting(account), new(5), at(1)).await.unwrap(), GrantOutcome::NotTheirs(Some(did(1))));
    assert_eq!(fresh.count("asset_grant").await, 1);
    assert!(store.grant(grant_id(9)).await.unwrap().unwrap().ended_at.is_none(), "nor is anything replaced");
    let grants = made(store, granting(account), new(0)).await;
    assert_eq!(grants.iter().map(|grant| grant.id).collect::<Vec<_>>(), [grant_id(1), grant_id(2)], "in the order in which they came");
}

async fn the_operator_grants_for_the_owner(fresh: &Fresh) {
    let store = &fresh.store;
    let account = owner(store).await;
    let more = vec![asset(4, Some(Owner::Address(address(9)))), asset(5, Some(Owner::Account(account))), asset(6, None)];
    store.import_assets(more, false, at(0)).await.unwrap();
    let operator = Granting { by: Actor::Operator, source: GrantSource::Operator, ..granting(account) };
    for (number, grantor) in
        [(1, (Some(account), Some(address(1)))), (4, (None, Some(address(9)))), (5, (Some(account), None)), (6, (None, None))]
    {
        let new = new_grant(number, Some((did(u64::from(number)), 0)), "app");
        let grant = made(store, operator.clone(), vec![new]).await.remove(0);
        assert_eq!((grant.grantor_account, grant.grantor_address, grant.source), (grantor.0, grantor.1, GrantSource::Operator));
        let line = store.grant_history(grant.id).await.unwrap().remove(0);
        assert_eq!((line.actor.as_str(), line.actor_account, line.why.as_str()), ("operator", None, "operator"));
    }
    let every = store.create_grants(operator, vec![new_grant(7, None, "app")], at(0)).await.unwrap();
    assert_eq!(every, GrantOutcome::NotTheirs(None), "in nobody's name");

    // The wallet's person comes later, sees it and can end it.
    let late = store.sign_in(&Provider::web3(), &address(9).to_string(), AccountId(uuid(9)), at(1)).await.unwrap().account_id;
    let page = GrantPage { limit: 100, ..GrantPage::default() };
    let seen: Vec<_> = store.grants_of_owner(late, &page).await.unwrap().into_iter().map(|grant| grant.id).collect();
    assert_eq!(seen, [grant_id(4)]);
    assert!(store.end_grant(grant_id(4), Actor::Owner { account: late, by: None }, at(2)).await.unwrap());
}

async fn ends(store: &Store, numbers: &[u8]) -> Vec<Option<GrantEnd>> {
    let mut ends = Vec::new();
    for number in numbers {
        ends.push(store.grant(grant_id(*number)).await.unwrap().unwrap().ended);
    }
    ends
}

async fn a_grant_replaces_those_of_the_same_hand(fresh: &Fresh) {
    let store = &fresh.store;
    let account = owner(store).await;
    store.create_client(&client("other")).await.unwrap();
    let operator = Granting { by: Actor::Operator, source: GrantSource::Operator, ..granting(account) };
    let on = |number: u8, asset: u64| new_grant(number, Some((did(asset), 0)), "app");
    made(store, granting(account), vec![on(1, 1), on(2, 2), new_grant(3, Some((did(1), 0)), "other"), new_grant(4, None, "app")]).await;
    made(store, operator.clone(), vec![on(5, 1)]).await;
    let adding = Granting { replaces: false, ..granting(account) };
    made(store, adding, vec![on(6, 1)]).await;
    assert_eq!(ends(store, &[1, 2, 3, 4, 5, 6]).await, [None; 6]);

    made(store, granting(account), vec![on(7, 1)]).await;
    let replaced = Some(GrantEnd::Replaced);
    assert_eq!(ends(store, &[1, 2, 3, 4, 5, 6]).await, [replaced, None, None, None, None, replaced]);
    let line = store.grant_history(grant_id(1)).await.unwrap().pop().unwrap();
    assert_eq!((line.number, line.what.as_str(), line.actor_account, line.why.as_str()), (2, "ended", Some(account), "replaced"));
    made(store, operator, vec![on(8, 1)]).await;
    assert_eq!(ends(store, &[5, 7]).await, [replaced, None]);
    made(store, granting(account), vec![new_grant(9, None, "app")]).await;
    assert_eq!(ends(store, &[2, 4, 7]).await, [None, replaced, None]);
}

async fn there_are_never_too_many(fresh: &Fresh) {
    let store = &fresh.store;
    let account = owner(store).await;
    let most = u8::try_from(MOST_LIVING_GRANTS).unwrap();
    let adding = Granting { replaces: false, ..granting(account) };
    for asset in [Some((did(1), 0)), None] {
        let number = |number: u8| if asset.is_some() { number } else { 100 + number };
        made(store, adding.clone(), (1..most).map(|n| new_grant(number(n), asset, "app")).collect()).await;
        let two = vec![new_grant(number(90), asset, "app"), new_grant(number(91), asset, "app")];
        let told = store.create_grants(adding.clone(), two.clone(), at(1)).await.unwrap();
        assert_eq!(told, GrantOutcome::TooMany(asset.map(|(did, _)| did)));
        made(store, adding.clone(), vec![new_grant(number(92), asset, "app")]).await;
        // What has ended does not count, nor what has expired.
        let full = store.create_grants(adding.clone(), two[..1].to_vec(), at(999)).await.unwrap();
        assert!(matches!(full, GrantOutcome::TooMany(_)));
        assert!(store.end_grant(grant_id(number(1)), Actor::Operator, at(2)).await.unwrap());
        assert!(matches!(store.create_grants(adding.clone(), two[..1].to_vec(), at(3)).await.unwrap(), GrantOutcome::Made(_)));
        let after = NewGrant { expires_at: at(3_000), ..two[1].clone() };
        assert!(matches!(store.create_grants(adding.clone(), vec![after], at(1_000)).await.unwrap(), GrantOutcome::Made(_)));
    }
    let many = (0..=most).map(|n| new_grant(200 + n % 50, Some((did(2), 0)), "app")).collect();
    assert!(matches!(store.create_grants(granting(account), many, at(1)).await.unwrap(), GrantOutcome::TooMany(_)));
}

async fn a_grant_is_changed(fresh: &Fresh) {
    let store = &fresh.store;
    let account = owner(store).await;
    let other = person(store, 2).await;
    let grant = made(store, granting(account), vec![new_grant(1, Some((did(1), 0)), "app")]).await.remove(0);
    let less =
        GrantChange { permissions: Some("privilege:GetLiveData".parse().unwrap()), events: Some(Vec::new()), ..GrantChange::default() };
    let longer = GrantChange { expires_at: Some(at(2_000)), ..GrantChange::default() };
    assert_eq!(store.change_grant(grant.id, other, None, less.clone(), at(5)).await.unwrap(), None);
    assert_eq!(store.change_grant(grant_id(9), account, None, less.clone(), at(5)).await.unwrap(), None);
    assert_eq!(store.change_grant(grant.id, account, None, less.clone(), at(1_000)).await.unwrap(), None, "it has expired");

    let narrowed = store.change_grant(grant.id, account, Some(client_id("app")), less.clone(), at(5)).await.unwrap().unwrap();
    let expected = Grant { permissions: "privilege:GetLiveData".parse().unwrap(), events: Vec::new(), updated_at: at(5), ..grant.clone() };
    assert_eq!(narrowed, expected);
    // Who saw it as it was before changes nothing.
    let late = GrantChange { seen: Some(grant.updated_at), ..longer.clone() };
    assert_eq!(store.change_grant(grant.id, account, None, late, at(6)).await.unwrap(), None);
    let longer = GrantChange { seen: Some(at(5)), ..longer };
    let extended = store.change_grant(grant.id, account, None, longer.clone(), at(6)).await.unwrap().unwrap();
    assert_eq!(extended, Grant { expires_at: at(2_000), updated_at: at(6), ..expected });
    assert_eq!(store.grant(grant.id).await.unwrap(), Some(extended));
    let history = store.grant_history(grant.id).await.unwrap();
    let told: Vec<_> =
        history.iter().map(|line| (line.number, line.what.as_str(), line.why.as_str(), line.expires_at, line.permissions.len())).collect();
    assert_eq!(told, [(1, "made", "consent", at(1_000), 2), (2, "changed", "api", at(1_000), 1), (3, "changed", "consent", at(2_000), 1)]);
    assert_eq!(history[1].actor_client, Some(client_id("app")));

    assert!(store.end_grant(grant.id, Actor::Owner { account, by: None }, at(7)).await.unwrap());
    let again = GrantChange { seen: None, ..longer };
    assert_eq!(store.change_grant(grant.id, account, None, again, at(8)).await.unwrap(), None, "it has ended");
    assert_eq!(store.grant_history(grant.id).await.unwrap().len(), 4);
}

async fn a_grant_is_ended_once(fresh: &Fresh) {
    let store = &fresh.store;
    let account = owner(store).await;
    let other = person(store, 2).await;
    store.create_client(&client("other")).await.unwrap();
    let on = |number: u8| new_grant(number, Some((did(u64::from(number)), 0)), "app");
    made(store, granting(account), vec![on(1), on(2), on(3)]).await;
    let by = |account| Actor::Owner { account, by: None };
    for stranger in [by(other), Actor::Grantee(client_id("other"))] {
        assert!(!store.end_grant(grant_id(1), stranger, at(1)).await.unwrap());
    }
    assert!(!store.end_grant(grant_id(1), by(account), at(1_000)).await.unwrap(), "it is over already");
    let ways = [(1, by(account), "owner"), (2, Actor::Grantee(client_id("app")), "grantee"), (3, Actor::Operator, "operator")];
    for (number, actor, word) in ways {
        assert!(store.end_grant(grant_id(number), actor.clone(), at(2)).await.unwrap());
        for again in [actor, by(account), Actor::Operator, Actor::Grantee(client_id("app"))] {
            assert!(!store.end_grant(grant_id(number), again, at(3)).await.unwrap());
        }
        let grant = store.grant(grant_id(number)).await.unwrap().unwrap();
        assert_eq!((grant.ended_at, grant.ended.map(GrantEnd::as_str), grant.updated_at), (Some(at(2)), Some(word), at(2)));
        let history = store.grant_history(grant.id).await.unwrap();
        assert_eq!((history.len(), history[1].actor.as_str(), history[1].why.as_str(), history[1].at), (2, word, word, at(2)));
    }
}

async fn grants_are_listed(fresh: &Fresh) {
    let store = &fresh.store;
    let account = owner(store).await;
    let other = person(store, 2).await;
    store.create_client(&client("other")).await.unwrap();
    store.import_assets(vec![asset(4, Some(Owner::Account(other)))], false, at(0)).await.unwrap();
    let on = |number: u8, asset: u64, app: &str| new_grant(number, Some((did(asset), 0)), app);
    let grants = vec![on(1, 1, "app"), on(2, 2, "app"), on(3, 3, "app"), on(4, 1, "other"), new_grant(5, None, "app")];
    made(store, granting(account), grants).await;
    made(store, granting(other), vec![on(6, 4, "app")]).await;
    store.end_grant(grant_id(2), Actor::Operator, at(1)).await.unwrap();

    let page = GrantPage { limit: 100, ..GrantPage::default() };
    let numbers = |grants: Vec<Grant>| {
        grants.into_iter().map(|grant| (1..=9).find(|number| grant_id(*number) == grant.id).unwrap()).collect::<Vec<u8>>()
    };
    let owners = async |page: GrantPage| numbers(store.grants_of_owner(account, &page).await.unwrap());
    assert_eq!(owners(page.clone()).await, [5, 4, 3, 2, 1]);
    assert_eq!(owners(GrantPage { limit: 2, ..page.clone() }).await, [5, 4]);
    assert_eq!(owners(GrantPage { limit: 2, after: Some(grant_id(4)), ..page.clone() }).await, [3, 2]);
    assert_eq!(owners(GrantPage { living_at: Some(at(2)), ..page.clone() }).await, [5, 4, 3, 1]);
    assert!(owners(GrantPage { living_at: Some(at(1_000)), ..page.clone() }).await.is_empty());
    assert_eq!(owners(GrantPage { asset: Some(did(1)), ..page.clone() }).await, [4, 1]);
    assert_eq!(owners(GrantPage { grantee: Some(client_id("other")), ..page.clone() }).await, [4]);
    let grantees = async |page: GrantPage| numbers(store.grants_of_grantee(&client_id("app"), &page).await.unwrap());
    assert_eq!(grantees(page.clone()).await, [6, 5, 3, 2, 1]);
    assert_eq!(grantees(GrantPage { asset: Some(did(1)), ..page.clone() }).await, [1], "not what others have there");
    assert_eq!(grantees(GrantPage { living_at: Some(at(2)), after: Some(grant_id(5)), limit: 2, ..page.clone() }).await, [3, 1]);
    let all = async |page: GrantPage| numbers(store.grants(&page).await.unwrap());
    assert_eq!(all(page.clone()).await, [6, 5, 4, 3, 2, 1]);
    assert_eq!(all(GrantPage { asset: Some(did(1)), ..page.clone() }).await, [4, 1]);
    assert_eq!(all(GrantPage { grantee: Some(client_id("other")), living_at: Some(at(2)), ..page.clone() }).await, [4]);

    assert_eq!(numbers(store.living_grants(account, &client_id("app"), at(2)).await.unwrap()), [1, 3, 5]);
    assert!(store.living_grants(account, &client_id("app"), at(1_000)).await.unwrap().is_empty());
    assert_eq!(numbers(store.living_grants(other, &client_id("app"), at(2)).await.unwrap()), [6]);
}

async fn a_visit_knows_its_grants(fresh: &Fresh) {
    let store = &fresh.store;
    let account = owner(store).await;
    let visit = InteractionId(uuid(1));
    let during = Granting { visit: Some(visit), ..granting(account) };
    let on = |number: u8, asset: u64| new_grant(number, Some((did(asset), 0)), "app");
    made(store, granting(account), vec![on(1, 1)]).await;
    made(store, during.clone(), vec![on(2, 1), on(3, 2)]).await;
    let ids = async || store.grants_of_visit(visit).await.unwrap().into_iter().map(|grant| grant.id).collect::<Vec<_>>();
    assert_eq!(ids().await, [grant_id(2), grant_id(3)]);
    // The form is sent once more: the same is granted once.
    made(store, during, vec![on(4, 1), on(5, 2)]).await;
    assert_eq!(ids().await, [grant_id(4), grant_id(5)]);
    assert!(store.grants_of_visit(InteractionId(uuid(2))).await.unwrap().is_empty());
}

async fn grants_go_with_their_client(fresh: &Fresh) {
    let store = &fresh.store;
    let account = owner(store).await;
    made(store, granting(account), vec![new_grant(1, Some((did(1), 0)), "app"), new_grant(2, None, "app")]).await;
    assert!(store.delete_client(&client_id("app")).await.unwrap());
    assert_eq!((fresh.count("asset_grant").await, fresh.count("grant_event").await, fresh.count("asset").await), (0, 0, 3));
}
