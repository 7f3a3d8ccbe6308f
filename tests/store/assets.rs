//! Assets: imported, listed, passed on and claimed.

use latchkey::domain::{AccountId, AssetDid, AssetMethod, Owner, Provider};
use latchkey::store::{
    Actor, AssetFilter, AssetImport, AssetPage, AssetsImported, AssetsOf, Conflict, GrantOutcome, Granting, Imported, StoreError, Transfer,
};

use super::grants::{granting, made, new_grant};
use super::harness::{Fresh, both};
use super::made::{address, asset, at, client, client_id, did, hash, person, uuid};

both! {
    /// An asset comes back whole, and a later import changes what it names and leaves the rest.
    an_import_makes_and_updates
    /// An import never takes an asset from its owner, unless that is asked for; then its epoch rises.
    an_import_changes_owners_only_when_asked
    /// A batch is imported whole or not at all.
    a_batch_is_all_or_nothing
    /// Whose an asset is follows its wallet to the account that has it.
    an_asset_stands_with_its_owner
    /// The owner of the moment passes it on, and nobody else.
    an_owner_passes_an_asset_on
    /// A claim code makes its holder the owner, once and in time.
    a_claim_code_gives_an_asset
    /// Pages follow one another in the order of the DIDs, from both ends.
    pages_follow_one_another
    /// What a filter leaves out.
    filters_leave_out
    /// What is shared with a client: by a grant, by one on all assets, by its own address.
    shared_assets_are_listed
}

async fn an_import_makes_and_updates(fresh: &Fresh) {
    let store = &fresh.store;
    let full = AssetImport {
        name: Some("My \"ünïcode\" car".to_owned()),
        attributes: Some(serde_json::json!({"a": [1, {"b": null}]}).as_object().unwrap().clone()),
        minted_at: Some(at(-5)),
        ..asset(7, Some(Owner::Address(address(1))))
    };
    assert_eq!(store.import_assets(vec![full.clone()], false, at(0)).await.unwrap(), AssetsImported::All(vec![Imported::Created]));
    let stored = store.asset(&did(7)).await.unwrap().unwrap();
    assert_eq!((stored.did, stored.owner, stored.epoch), (did(7), full.owner, 0));
    assert_eq!((&stored.make, &stored.model, stored.year, &stored.powertrain), (&full.make, &full.model, full.year, &full.powertrain));
    assert_eq!((&stored.name, Some(&stored.attributes)), (&full.name, full.attributes.as_ref()));
    assert_eq!((stored.minted_at, stored.created_at, stored.updated_at), (at(-5), at(0), at(0)));
    assert_eq!(store.asset(&did(8)).await.unwrap(), None);

    let some = AssetImport { model: Some("Bolt EUV".to_owned()), make: None, year: None, powertrain: None, ..asset(7, None) };
    assert_eq!(store.import_assets(vec![some], false, at(9)).await.unwrap(), AssetsImported::All(vec![Imported::Updated]));
    let expected = latchkey::domain::Asset { model: Some("Bolt EUV".to_owned()), updated_at: at(9), ..stored };
    assert_eq!(store.asset(&did(7)).await.unwrap().unwrap(), expected);
}

async fn an_import_changes_owners_only_when_asked(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    store.create_client(&client("app")).await.unwrap();
    store.import_assets(vec![asset(1, Some(Owner::Address(address(1)))), asset(2, None)], false, at(0)).await.unwrap();
    let grant = made(store, granting(account), vec![new_grant(1, Some((did(1), 0)), "app")]).await.remove(0);

    let again = vec![asset(1, Some(Owner::Address(address(1)))), asset(2, None)];
    assert_eq!(store.import_assets(again, true, at(1)).await.unwrap(), AssetsImported::All(vec![Imported::Updated; 2]));
    let other = vec![asset(2, Some(Owner::Account(account))), asset(3, None), asset(1, Some(Owner::Address(address(2))))];
    assert_eq!(store.import_assets(other.clone(), false, at(2)).await.unwrap(), AssetsImported::OtherOwners(vec![did(2), did(1)]));
    assert_eq!(store.asset(&did(3)).await.unwrap(), None, "nothing of that batch is stored");
    assert_eq!(store.asset(&did(1)).await.unwrap().unwrap().owner, Some(Owner::Address(address(1))));
    assert!(store.grant(grant.id).await.unwrap().unwrap().ended_at.is_none());

    let outcome = store.import_assets(other, true, at(3)).await.unwrap();
    assert_eq!(outcome, AssetsImported::All(vec![Imported::Transferred, Imported::Created, Imported::Transferred]));
    let (first, second) = (store.asset(&did(1)).await.unwrap().unwrap(), store.asset(&did(2)).await.unwrap().unwrap());
    assert_eq!((first.owner, first.epoch), (Some(Owner::Address(address(2))), 1));
    assert_eq!((second.owner, second.epoch), (Some(Owner::Account(account)), 1));
    let history = store.grant_history(grant.id).await.unwrap();
    assert_eq!(history.len(), 2);
    assert_eq!((history[1].what.as_str(), history[1].actor.as_str(), history[1].why.as_str()), ("ended", "operator", "transfer"));
}

async fn a_batch_is_all_or_nothing(fresh: &Fresh) {
    let store = &fresh.store;
    let twice = store.import_assets(vec![asset(1, None), asset(2, None), asset(1, None)], false, at(0)).await;
    assert_eq!(twice, Err(StoreError::Conflict(Conflict::Asset)));
    let nobody = Some(Owner::Account(AccountId(uuid(99))));
    assert!(matches!(store.import_assets(vec![asset(1, None), asset(2, nobody)], false, at(0)).await, Err(StoreError::Conflict(_))));
    assert_eq!(fresh.count("asset").await, 0);
}

async fn an_asset_stands_with_its_owner(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    let owners = [Some(Owner::Address(address(1))), Some(Owner::Address(address(9))), Some(Owner::Account(account)), None];
    let batch = owners.iter().zip(1..).map(|(owner, number)| asset(number, *owner)).collect();
    store.import_assets(batch, false, at(0)).await.unwrap();
    for (owner, number) in owners.into_iter().zip(1..) {
        let standing = store.asset_standing(&did(number)).await.unwrap().unwrap();
        let belongs = [1, 3].contains(&number).then_some(account);
        assert_eq!((standing.did, standing.owner, standing.owner_account, standing.epoch), (did(number), owner, belongs, 0));
    }
    assert_eq!(store.asset_standing(&did(9)).await.unwrap(), None);
    // Its person signs in for the first time.
    let late = store.sign_in(&Provider::web3(), &address(9).to_string(), AccountId(uuid(9)), at(1)).await.unwrap().account_id;
    assert_eq!(store.asset_standing(&did(2)).await.unwrap().unwrap().owner_account, Some(late));
}

fn pass(number: u64, epoch: i64, from: AccountId, to: Owner) -> Transfer {
    Transfer { did: did(number), epoch, from, by: None, to }
}

async fn an_owner_passes_an_asset_on(fresh: &Fresh) {
    let store = &fresh.store;
    let (account, other) = (person(store, 1).await, person(store, 2).await);
    store.create_client(&client("app")).await.unwrap();
    store
        .import_assets(vec![asset(1, Some(Owner::Address(address(1)))), asset(2, Some(Owner::Account(account)))], false, at(0))
        .await
        .unwrap();
    let grant = made(store, granting(account), vec![new_grant(1, Some((did(1), 0)), "app")]).await.remove(0);
    let to_other = Owner::Address(address(2));

    for (why, refused) in [
        ("not theirs", pass(1, 0, other, to_other)),
        ("another epoch", pass(1, 1, account, to_other)),
        ("no such asset", pass(9, 0, account, to_other)),
        ("nobody", pass(1, 0, account, Owner::Account(AccountId(uuid(99))))),
    ] {
        assert_eq!(store.transfer_asset(refused, at(1)).await.unwrap(), None, "{why}");
    }
    assert!(store.grant(grant.id).await.unwrap().unwrap().ended_at.is_none());

    assert_eq!(store.transfer_asset(pass(1, 0, account, to_other), at(2)).await.unwrap(), Some(1));
    let standing = store.asset_standing(&did(1)).await.unwrap().unwrap();
    assert_eq!((standing.owner, standing.owner_account, standing.epoch), (Some(to_other), Some(other), 1));
    let ended = store.grant(grant.id).await.unwrap().unwrap();
    assert_eq!((ended.ended_at, ended.ended.map(latchkey::domain::GrantEnd::as_str)), (Some(at(2)), Some("transfer")));
    assert_eq!(store.transfer_asset(pass(1, 0, account, to_other), at(3)).await.unwrap(), None, "the former owner has nothing to give");

    // To an account, and back to it: the former owner's grant does not come back.
    assert_eq!(store.transfer_asset(pass(1, 1, other, Owner::Account(account)), at(4)).await.unwrap(), Some(2));
    assert!(store.grant(grant.id).await.unwrap().unwrap().ended_at.is_some());
    assert_eq!(store.transfer_asset(pass(2, 0, account, to_other), at(5)).await.unwrap(), Some(1));
    store.set_account_disabled(account, Some(at(6)), at(6)).await.unwrap();
    assert_eq!(store.transfer_asset(pass(1, 2, account, to_other), at(7)).await.unwrap(), None, "a disabled account gives nothing away");
    assert_eq!(store.transfer_asset(pass(2, 1, other, Owner::Account(account)), at(7)).await.unwrap(), None, "nor does it get anything");
}

async fn a_claim_code_gives_an_asset(fresh: &Fresh) {
    let store = &fresh.store;
    let (account, other) = (person(store, 1).await, person(store, 2).await);
    store.create_client(&client("app")).await.unwrap();
    let claimed = |number, word: &str| AssetImport { claim: Some((hash(word), at(100))), ..asset(number, None) };
    store.import_assets(vec![claimed(1, "one"), claimed(2, "two"), claimed(3, "three")], false, at(0)).await.unwrap();
    let operators = Granting { by: Actor::Operator, ..granting(account) };
    let early = made(store, operators, vec![new_grant(1, Some((did(1), 0)), "app")]).await.remove(0);

    assert_eq!(store.take_asset_claim(&hash("no code"), account, at(1)).await.unwrap(), None);
    assert_eq!(store.take_asset_claim(&hash("one"), account, at(100)).await.unwrap(), None, "at its end it is over");
    assert_eq!(store.take_asset_claim(&hash("one"), AccountId(uuid(99)), at(1)).await.unwrap(), None, "nobody");
    store.set_account_disabled(other, Some(at(1)), at(1)).await.unwrap();
    assert_eq!(store.take_asset_claim(&hash("one"), other, at(1)).await.unwrap(), None, "a disabled account");
    assert_eq!(store.take_asset_claim(&hash("one"), account, at(2)).await.unwrap(), Some(did(1)));
    assert_eq!(store.take_asset_claim(&hash("one"), account, at(3)).await.unwrap(), None);
    let own = store.asset(&did(1)).await.unwrap().unwrap();
    assert_eq!((own.owner, own.epoch), (Some(Owner::Account(account)), 1));
    assert!(store.grant(early.id).await.unwrap().unwrap().ended_at.is_some(), "what was granted before somebody owned it has ended");

    // Another import does not make the codes that people have worthless; an operator who lost one makes another.
    store.import_assets(vec![AssetImport { claim: Some((hash("other"), at(100))), ..asset(2, None) }], false, at(4)).await.unwrap();
    assert_eq!(store.take_asset_claim(&hash("other"), account, at(5)).await.unwrap(), None);
    assert!(store.put_asset_claim(&did(2), hash("new"), at(200), at(5)).await.unwrap());
    assert_eq!(store.take_asset_claim(&hash("two"), account, at(6)).await.unwrap(), None, "the new code is the only one");
    assert_eq!(store.take_asset_claim(&hash("new"), account, at(150)).await.unwrap(), Some(did(2)));
    assert!(!store.put_asset_claim(&did(2), hash("late"), at(200), at(6)).await.unwrap(), "it has an owner");
    assert!(!store.put_asset_claim(&did(9), hash("late"), at(200), at(6)).await.unwrap(), "there is none");

    // The operator gave it to somebody meanwhile.
    store.import_assets(vec![asset(3, Some(Owner::Address(address(9))))], true, at(7)).await.unwrap();
    assert_eq!(store.take_asset_claim(&hash("three"), account, at(8)).await.unwrap(), None);
    assert_eq!(store.asset(&did(3)).await.unwrap().unwrap().owner, Some(Owner::Address(address(9))));
}

const PAGE: AssetPage = AssetPage { after: None, before: None, last: false, limit: 3 };

async fn names(fresh: &Fresh, of: &AssetsOf, filter: &AssetFilter, page: AssetPage) -> Vec<AssetDid> {
    fresh.store.assets(of, filter, &page).await.unwrap().into_iter().map(|asset| asset.did).collect()
}

async fn pages_follow_one_another(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    fresh.link(account, &address(2), at(0)).await;
    let owners = [Owner::Address(address(1)), Owner::Account(account), Owner::Address(address(2))];
    // 1 to 9: one digit each, so that the order of texts is that of the numbers.
    let batch = (1..=9).map(|number| asset(number, Some(owners[usize::try_from(number).unwrap() % 3]))).collect();
    store.import_assets(batch, false, at(0)).await.unwrap();
    let mut strange = asset(1, Some(Owner::Address(address(8))));
    strange.did = format!("did:ethr:137:{}", address(7)).parse().unwrap();
    store.import_assets(vec![strange.clone()], false, at(0)).await.unwrap();

    let everything = AssetFilter::default();
    let dids = |numbers: &[u64]| numbers.iter().map(|number| did(*number)).collect::<Vec<_>>();
    let of = AssetsOf::Account(account);
    assert_eq!(names(fresh, &of, &everything, PAGE).await, dids(&[1, 2, 3]));
    assert_eq!(names(fresh, &of, &everything, AssetPage { after: Some(did(3)), ..PAGE }).await, dids(&[4, 5, 6]));
    assert_eq!(names(fresh, &of, &everything, AssetPage { after: Some(did(8)), ..PAGE }).await, dids(&[9]));
    assert_eq!(names(fresh, &of, &everything, AssetPage { last: true, ..PAGE }).await, dids(&[7, 8, 9]));
    assert_eq!(names(fresh, &of, &everything, AssetPage { before: Some(did(7)), last: true, ..PAGE }).await, dids(&[4, 5, 6]));
    assert_eq!(names(fresh, &of, &everything, AssetPage { after: Some(did(2)), before: Some(did(4)), ..PAGE }).await, dids(&[3]));
    let one = AssetsOf::Address(address(2));
    assert_eq!(names(fresh, &one, &everything, PAGE).await, dids(&[2, 5, 8]));
    assert_eq!(names(fresh, &one, &everything, AssetPage { last: true, limit: 1, ..PAGE }).await, dids(&[8]));
    let all = names(fresh, &AssetsOf::All, &everything, AssetPage { limit: 100, ..PAGE }).await;
    assert_eq!((all.len(), all[9]), (10, strange.did));
    assert_eq!(names(fresh, &AssetsOf::All, &everything, AssetPage { last: true, limit: 2, ..PAGE }).await, [did(9), strange.did]);
    assert!(names(fresh, &AssetsOf::Address(address(99)), &everything, PAGE).await.is_empty());
}

async fn filters_leave_out(fresh: &Fresh) {
    let store = &fresh.store;
    let car = |number, make: &str, model: &str, year, powertrain: &str| AssetImport {
        make: Some(make.to_owned()),
        model: Some(model.to_owned()),
        year: Some(year),
        powertrain: Some(powertrain.to_owned()),
        ..asset(number, Some(Owner::Address(address(1))))
    };
    let bare = AssetImport { make: None, model: None, year: None, powertrain: None, ..asset(5, Some(Owner::Address(address(1)))) };
    let maker = AssetImport { did: format!("did:ethr:137:{}", address(7)).parse().unwrap(), ..car(1, "Ford", "Maker", 1903, "ICE") };
    let batch = vec![
        car(1, "Ford", "Bronco", 2022, "ICE"),
        car(2, "Tesla", "Model 3", 2023, "BEV"),
        car(3, "Škoda", "Enyaq", 2023, "BEV"),
        car(4, "For", "d_", 2022, "B%"),
        bare,
        maker,
    ];
    store.import_assets(batch, false, at(0)).await.unwrap();
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let any = AssetFilter { method: Some(AssetMethod::Erc721), ..AssetFilter::default() };
    for (filter, expected) in [
        (any.clone(), &[1, 2, 3, 4, 5][..]),
        (AssetFilter { makes: words(&["ford"]), ..any.clone() }, &[1]),
        (AssetFilter { makes: words(&["FORD", "tesla"]), ..any.clone() }, &[1, 2]),
        (AssetFilter { makes: words(&["%", "_ord", "Ford\nTesla", ""]), ..any.clone() }, &[]),
        (AssetFilter { makes: words(&["Škoda"]), ..any.clone() }, &[3]),
        (AssetFilter { models: words(&["model 3", "D_"]), ..any.clone() }, &[2, 4]),
        (AssetFilter { powertrains: words(&["bev"]), year: Some(2023), ..any.clone() }, &[2, 3]),
        (AssetFilter { powertrains: words(&["b%"]), ..any.clone() }, &[4]),
        (AssetFilter { year: Some(1999), ..any.clone() }, &[]),
    ] {
        for of in [AssetsOf::All, AssetsOf::Address(address(1))] {
            let found = names(fresh, &of, &filter, AssetPage { limit: 100, ..PAGE }).await;
            assert_eq!(found, expected.iter().map(|number| did(*number)).collect::<Vec<_>>(), "{filter:?} {of:?}");
        }
    }
    let makers = AssetFilter { method: Some(AssetMethod::Ethr), makes: words(&["ford"]), ..AssetFilter::default() };
    assert_eq!(names(fresh, &AssetsOf::All, &makers, PAGE).await.len(), 1);
}

async fn shared_assets_are_listed(fresh: &Fresh) {
    let store = &fresh.store;
    let (account, other) = (person(store, 1).await, person(store, 2).await);
    store.create_client(&super::made::license(9, "one")).await.unwrap();
    store.create_client(&client("app")).await.unwrap();
    let license: latchkey::domain::ClientId = address(9).into();
    let owners = [(1, address(1)), (2, address(1)), (3, address(1)), (4, address(2)), (6, address(9)), (7, address(8))];
    let mut batch: Vec<_> = owners.iter().map(|(number, owner)| asset(*number, Some(Owner::Address(*owner)))).collect();
    batch.push(asset(5, Some(Owner::Account(other))));
    store.import_assets(batch, false, at(0)).await.unwrap();
    let to = |number: u8, asset: Option<(AssetDid, i64)>| latchkey::store::NewGrant {
        grantee: license.clone(),
        ..new_grant(number, asset, "app")
    };
    let later = latchkey::store::NewGrant { effective_at: at(50), ..to(4, Some((did(3), 0))) };
    let adding = |account| Granting { replaces: false, ..granting(account) };
    made(store, adding(account), vec![to(1, Some((did(1), 0))), to(2, Some((did(1), 0))), to(3, Some((did(2), 0))), later]).await;
    let every = made(store, adding(other), vec![to(5, None)]).await.remove(0);

    let shared = async |now: i64| {
        let of = AssetsOf::SharedWith(license.clone(), at(now));
        names(fresh, &of, &AssetFilter::default(), AssetPage { limit: 100, ..PAGE }).await
    };
    let dids = |numbers: &[u64]| numbers.iter().map(|number| did(*number)).collect::<Vec<_>>();
    assert_eq!(shared(10).await, dids(&[1, 2, 4, 5, 6]));
    assert_eq!(shared(60).await, dids(&[1, 2, 3, 4, 5, 6]));
    assert_eq!(shared(1_000).await, dids(&[6]), "the grants have expired");
    let of = AssetsOf::SharedWith(license.clone(), at(60));
    assert_eq!(names(fresh, &of, &AssetFilter::default(), AssetPage { after: Some(did(1)), limit: 2, ..PAGE }).await, dids(&[2, 3]));
    assert_eq!(names(fresh, &of, &AssetFilter::default(), AssetPage { last: true, limit: 2, ..PAGE }).await, dids(&[5, 6]));
    assert!(store.end_grant(every.id, Actor::Grantee(license.clone()), at(11)).await.unwrap());
    assert_eq!(shared(12).await, dids(&[1, 2, 6]));
    store.transfer_asset(pass(2, 0, account, Owner::Address(address(2))), at(13)).await.unwrap().unwrap();
    assert_eq!(shared(14).await, dids(&[1, 6]));
    let app = AssetsOf::SharedWith(client_id("app"), at(10));
    assert!(names(fresh, &app, &AssetFilter::default(), PAGE).await.is_empty());
    assert!(matches!(store.create_grants(adding(account), vec![to(9, Some((did(2), 0)))], at(15)).await, Ok(GrantOutcome::NotTheirs(_))));
}
