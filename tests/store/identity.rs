//! What the identity API reads: assets by their names, what is shared of each, and licenses.

use latchkey::domain::{AccountId, AssetDid, Grant, Owner, Provider};
use latchkey::store::{Actor, AssetFilter, AssetsOf, LicenseFilter, LicensePage, NewGrant, SharedPage, Store, Transfer, statements};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row, SqliteConnection};

use super::exchange::fill;
use super::grants::{grant_id, granting, made, new_grant};
use super::harness::{Engine, Fresh, both};
use super::made::{address, asset, at, client, client_id, did, key, license, person, uuid};

both! {
    /// Assets are found by their names, however many are asked for.
    assets_are_found_by_name
    /// What is shared of each asset: by client, page by page, and what lives alone.
    what_is_shared_is_told_by_client
    /// What an account shares of all it has.
    an_account_shares_all_it_has
    /// A list has as many assets as its pages.
    a_count_is_that_of_all_pages
    /// Licenses, their keys and their addresses.
    licenses_are_listed
}

async fn assets_are_found_by_name(fresh: &Fresh) {
    let store = &fresh.store;
    let longest: AssetDid = format!("did:erc721:9007199254740991:{}:{}", address(0xcc), "1".repeat(78)).parse().unwrap();
    let mut batch: Vec<_> = (1..=150).map(|number| asset(number, None)).collect();
    batch.push(latchkey::store::AssetImport { did: longest, ..asset(0, None) });
    store.import_assets(batch, false, at(0)).await.unwrap();
    let names: Vec<AssetDid> = (1..=150).chain([999]).map(did).chain([longest]).collect();
    let mut found: Vec<AssetDid> = store.assets_named(&names).await.unwrap().into_iter().map(|asset| asset.did).collect();
    found.sort();
    let mut expected: Vec<AssetDid> = (1..=150).map(did).chain([longest]).collect();
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(store.assets_named(&[did(7)]).await.unwrap(), [store.asset(&did(7)).await.unwrap().unwrap()]);
    assert_eq!(store.assets_named(&[]).await.unwrap(), []);
}

/// Assets 1 and 2 belong to a wallet of person 1, 3 to the person's account.
async fn owner(store: &Store) -> AccountId {
    let account = person(store, 1).await;
    let wallet = Some(Owner::Address(address(1)));
    store.import_assets(vec![asset(1, wallet), asset(2, wallet), asset(3, Some(Owner::Account(account)))], false, at(0)).await.unwrap();
    for name in ["a", "b", "c"] {
        store.create_client(&client(name)).await.unwrap();
    }
    account
}

type Told = (u64, String, u8);

fn number_of(grant: &Grant) -> u8 {
    (0..=u8::MAX).find(|number| grant_id(*number) == grant.id).unwrap()
}

async fn told(store: &Store, page: &SharedPage, seconds: i64) -> Vec<Told> {
    let names: Vec<AssetDid> = (1..=4).map(did).collect();
    let number = |did: &AssetDid| did.token_id().and_then(|id| id.as_u64()).unwrap();
    let rows = store.shared(&names, page, at(seconds)).await.unwrap();
    let told: Vec<Told> = rows.iter().map(|(did, grant)| (number(did), grant.grantee.to_string(), number_of(grant))).collect();
    if page.after.is_none() && page.limit == 100 {
        let mut counted = std::collections::BTreeMap::new();
        for (asset, client) in told.iter().map(|(asset, client, _)| (*asset, client)).collect::<std::collections::BTreeSet<_>>() {
            let _ = client;
            *counted.entry(asset).or_insert(0) += 1;
        }
        let counts = store.count_shared(&names, page.only.as_ref(), at(seconds)).await.unwrap();
        assert_eq!(counts.iter().map(|(did, count)| (number(did), *count)).collect::<std::collections::BTreeMap<_, _>>(), counted);
    }
    told
}

fn some(list: &[(u64, &str, u8)]) -> Vec<Told> {
    list.iter().map(|(asset, client, grant)| (*asset, (*client).to_owned(), *grant)).collect()
}

async fn what_is_shared_is_told_by_client(fresh: &Fresh) {
    let store = &fresh.store;
    let account = owner(store).await;
    let all = SharedPage { limit: 100, ..SharedPage::default() };
    let asset = |number: u64| Some((did(number), 0));
    let later = NewGrant { effective_at: at(50), ..new_grant(6, asset(1), "c") };
    let short = NewGrant { expires_at: at(20), ..new_grant(5, asset(2), "a") };
    let adding = latchkey::store::Granting { replaces: false, ..granting(account) };
    made(store, adding.clone(), vec![new_grant(1, asset(1), "b"), new_grant(2, asset(1), "a"), new_grant(3, asset(1), "a")]).await;
    made(store, adding.clone(), vec![new_grant(4, asset(3), "c"), short, later, new_grant(7, None, "b")]).await;
    assert_eq!(
        told(store, &all, 10).await,
        some(&[(1, "a", 2), (1, "a", 3), (1, "b", 1), (1, "b", 7), (2, "a", 5), (2, "b", 7), (3, "b", 7), (3, "c", 4)])
    );
    let only = SharedPage { only: Some(client_id("a")), ..all.clone() };
    assert_eq!(told(store, &only, 10).await, some(&[(1, "a", 2), (1, "a", 3), (2, "a", 5)]));
    let first = SharedPage { limit: 1, ..all.clone() };
    assert_eq!(told(store, &first, 10).await, some(&[(1, "a", 2), (1, "a", 3), (2, "a", 5), (3, "b", 7)]), "one client of each");
    let second = SharedPage { after: Some(client_id("a")), limit: 1, ..all.clone() };
    assert_eq!(told(store, &second, 10).await, some(&[(1, "b", 1), (1, "b", 7), (2, "b", 7), (3, "b", 7)]));
    // What begins later, what is over, what was ended, what a former owner granted.
    assert_eq!(told(store, &only, 20).await, some(&[(1, "a", 2), (1, "a", 3)]));
    assert!(told(store, &all, 50).await.contains(&(1, "c".to_owned(), 6)));
    store.end_grant(grant_id(2), Actor::Grantee(client_id("a")), at(11)).await.unwrap();
    assert_eq!(told(store, &only, 12).await, some(&[(1, "a", 3), (2, "a", 5)]));
    let other = store.sign_in(&Provider::web3(), &address(9).to_string(), AccountId(uuid(9)), at(1)).await.unwrap().account_id;
    store
        .transfer_asset(Transfer { did: did(1), epoch: 0, from: account, by: None, to: Owner::Account(other) }, at(13))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(told(store, &all, 14).await, some(&[(2, "a", 5), (2, "b", 7), (3, "b", 7), (3, "c", 4)]));
    store.set_account_disabled(account, Some(at(15)), at(15)).await.unwrap();
    assert_eq!(told(store, &all, 16).await, []);
}

async fn an_account_shares_all_it_has(fresh: &Fresh) {
    let store = &fresh.store;
    let account = owner(store).await;
    let adding = latchkey::store::Granting { replaces: false, ..granting(account) };
    made(
        store,
        adding,
        vec![new_grant(1, None, "b"), new_grant(2, None, "a"), new_grant(3, None, "a"), new_grant(4, Some((did(1), 0)), "c")],
    )
    .await;
    let all = SharedPage { limit: 100, ..SharedPage::default() };
    let ids = async |wallet: u8, page: &SharedPage, seconds: i64| -> Vec<u8> {
        let grants = store.shared_by_account(&address(wallet), page, at(seconds)).await.unwrap();
        grants.iter().map(number_of).collect()
    };
    let count = async |wallet: u8, only: Option<&str>| {
        store.count_shared_by_account(&address(wallet), only.map(client_id).as_ref(), at(10)).await.unwrap()
    };
    assert_eq!((ids(1, &all, 10).await, count(1, None).await), (vec![2, 3, 1], 2));
    assert_eq!(ids(1, &SharedPage { limit: 1, ..all.clone() }, 10).await, [2, 3]);
    assert_eq!(ids(1, &SharedPage { after: Some(client_id("a")), ..all.clone() }, 10).await, [1]);
    assert_eq!((ids(1, &SharedPage { only: Some(client_id("b")), ..all.clone() }, 10).await, count(1, Some("b")).await), (vec![1], 1));
    assert_eq!((ids(9, &all, 10).await, count(9, None).await), (vec![], 0));
    store.set_account_disabled(account, Some(at(5)), at(5)).await.unwrap();
    assert_eq!((ids(1, &all, 10).await, count(1, None).await), (vec![], 0));
}

async fn a_count_is_that_of_all_pages(fresh: &Fresh) {
    let store = &fresh.store;
    let account = owner(store).await;
    store.create_client(&license(0x55, "one")).await.unwrap();
    store.import_assets(vec![asset(4, Some(Owner::Address(address(0x55)))), asset(5, None)], false, at(0)).await.unwrap();
    let one = address(0x55).to_string();
    made(store, granting(account), vec![new_grant(1, Some((did(1), 0)), &one), new_grant(2, Some((did(3), 0)), &one)]).await;
    let any = AssetFilter::default();
    let count = async |of: AssetsOf, filter: &AssetFilter| store.count_assets(&of, filter).await.unwrap();
    let shared = || AssetsOf::SharedWith(address(0x55).into(), at(10));
    assert_eq!(count(AssetsOf::All, &any).await, 5);
    assert_eq!(count(AssetsOf::Account(account), &any).await, 3);
    assert_eq!(count(AssetsOf::Address(address(1)), &any).await, 2);
    assert_eq!(count(shared(), &any).await, 3);
    assert_eq!(count(AssetsOf::SharedWith(address(0x55).into(), at(10_000)), &any).await, 1, "what it owns");
    made(store, granting(account), vec![new_grant(3, None, &one)]).await;
    assert_eq!(count(shared(), &any).await, 4, "each once");
    for (filter, all, with_it) in [
        (AssetFilter { owner: Some(address(1)), ..any.clone() }, 2, 2),
        (AssetFilter { makes: vec!["chevrolet".to_owned()], ..any.clone() }, 5, 4),
        (AssetFilter { year: Some(1999), ..any.clone() }, 0, 0),
    ] {
        assert_eq!((count(AssetsOf::All, &filter).await, count(shared(), &filter).await), (all, with_it), "{filter:?}");
    }
}

async fn licenses_are_listed(fresh: &Fresh) {
    let store = &fresh.store;
    let license = |byte: u8, alias: &str, owner: u8| {
        let mut record = license(byte, alias);
        record.license.as_mut().unwrap().owner = address(owner);
        record
    };
    for record in [license(1, "one", 0xee), license(2, "two", 0xee), license(3, "three", 0xff)] {
        store.create_client(&record).await.unwrap();
    }
    for (of, byte) in [(1, 0x11), (1, 0x12), (2, 0x11), (3, 0x11)] {
        store.add_license_key(&key(of, byte)).await.unwrap();
    }
    let expiring = latchkey::store::LicenseKey { expires_at: Some(at(20)), created_at: at(-1), ..key(2, 0x12) };
    store.add_license_key(&expiring).await.unwrap();
    store.disable_license_key(&address(3).into(), &address(0x11), at(1)).await.unwrap();
    let page = |after: Option<u8>, before: Option<u8>, last: bool, limit: u32| LicensePage {
        after: after.map(|byte| address(byte).into()),
        before: before.map(|byte| address(byte).into()),
        last,
        limit,
    };
    let list = async |owner: Option<u8>, signer: Option<u8>, page: LicensePage, seconds: i64| -> Vec<String> {
        let filter = LicenseFilter { owner: owner.map(address), signer: signer.map(address) };
        let cards = store.license_cards(&filter, &page, at(seconds)).await.unwrap();
        if page.limit == 9 && page.after.is_none() {
            assert_eq!(store.count_license_cards(&filter, at(seconds)).await.unwrap(), i64::try_from(cards.len()).unwrap());
        }
        cards.into_iter().map(|card| card.alias).collect()
    };
    let all = || page(None, None, false, 9);
    assert_eq!(list(None, None, all(), 10).await, ["one", "two", "three"]);
    assert_eq!(list(None, None, page(Some(1), None, false, 1), 10).await, ["two"]);
    assert_eq!(list(None, None, page(None, Some(3), true, 1), 10).await, ["two"]);
    assert_eq!(list(Some(0xee), None, all(), 10).await, ["one", "two"]);
    assert_eq!(list(Some(0xee), None, page(None, None, true, 1), 10).await, ["two"]);
    assert_eq!(list(None, Some(0x11), all(), 10).await, ["one", "two"], "a disabled key signs for nobody");
    assert_eq!(list(None, Some(0x12), all(), 10).await, ["one", "two"]);
    assert_eq!(list(None, Some(0x12), all(), 20).await, ["one"], "nor one that has expired");
    assert_eq!(list(Some(0xff), Some(0x11), all(), 10).await, Vec::<String>::new());
    assert_eq!(list(Some(0xee), Some(0x11), page(None, None, true, 1), 10).await, ["two"]);

    let ids = [1, 2, 3].map(|byte| address(byte).into());
    let keys: Vec<_> = store.license_signers(&ids, at(10)).await.unwrap().iter().map(|key| (key.license.clone(), key.address)).collect();
    let expected = [(1, 0x11), (1, 0x12), (2, 0x12), (2, 0x11)].map(|(of, key)| (address(of).into(), address(key)));
    assert_eq!(keys, expected, "of each the oldest first");
    let uris = store.license_uris(&ids[..2]).await.unwrap();
    let told: Vec<_> = uris.iter().map(|uri| (uri.license.clone(), uri.uri.as_str())).collect();
    let uri = |of: u8, uri: &'static str| (address(of).into(), uri);
    let (a, b) = ("https://app.example/a", "https://app.example/b");
    assert_eq!(told, [uri(1, a), uri(1, b), uri(2, a), uri(2, b)]);
    let card = store.license_card(&address(2).into()).await.unwrap().unwrap();
    assert_eq!((card.alias.as_str(), card.owner, card.created_at), ("two", address(0xee), at(0)));
    assert_eq!(store.license_card_by_alias("two").await.unwrap(), Some(card));
    store.set_client_disabled(&address(2).into(), Some(at(30)), at(30)).await.unwrap();
    assert_eq!(store.license_card(&address(2).into()).await.unwrap(), None);
    assert_eq!(store.license_card_by_alias("two").await.unwrap(), None);
    assert_eq!(list(None, None, all(), 10).await, ["one", "three"]);
}

fn texts() -> impl Iterator<Item = (&'static str, &'static str)> {
    let mine = statements().filter(|statement| statement.place.ends_with("store::identity"));
    mine.filter(|statement| ["NAMED", "SHARED", "COUNT_SHARED"].contains(&statement.name)).map(|one| (one.name, one.text))
}

/// As many grants as that, by as many accounts, and the engine knows it.
const MUCH: &[&str] = &[
    "INSERT INTO account (id, profile, created_at, updated_at) SELECT id, '{}', 0, 0 FROM asset_grant",
    "UPDATE asset_grant SET grantor_account = id",
    "ANALYZE",
];

/// Where there is much, what is asked of a page is found by indexes alone, by the engine's own choice.
#[tokio::test]
async fn postgres_reads_a_page_by_index_in_a_large_store() {
    let fresh = Fresh::new(Engine::Postgres).await;
    fresh.store.create_client(&client("app")).await.unwrap();
    fresh.store.create_client(&client("other")).await.unwrap();
    fill(&fresh, 20_000).await;
    let mut conn = PgConnection::connect(&fresh.url).await.unwrap();
    for text in MUCH {
        conn.execute(*text).await.unwrap();
    }
    conn.execute("SET plan_cache_mode = force_generic_plan").await.unwrap();
    assert_eq!(texts().count(), 3);
    for (name, text) in texts() {
        conn.execute(AssertSqlSafe(format!("PREPARE page AS {text}"))).await.unwrap();
        let arguments = vec!["NULL"; (1..9).take_while(|number| text.contains(&format!("${number}"))).count()].join(", ");
        let explain = AssertSqlSafe(format!("EXPLAIN EXECUTE page({arguments})"));
        let plan: Vec<String> = conn.fetch_all(explain).await.unwrap().iter().map(|row| row.get::<String, _>(0)).collect();
        for large in ["asset", "asset_grant"] {
            assert!(!plan.iter().any(|step| step.contains(&format!("Seq Scan on {large} "))), "{name}: {plan:#?}");
        }
        conn.execute("DEALLOCATE page").await.unwrap();
    }
    conn.close().await.unwrap();
    fresh.end().await;
}

/// SQLite does too, also once it knows how much there is.
#[tokio::test]
async fn sqlite_reads_a_page_by_index_in_a_large_store() {
    let fresh = Fresh::new(Engine::Sqlite).await;
    fresh.store.create_client(&client("app")).await.unwrap();
    fresh.store.create_client(&client("other")).await.unwrap();
    fill(&fresh, 20_000).await;
    let mut conn = SqliteConnection::connect(&fresh.url).await.unwrap();
    for text in MUCH {
        conn.execute(*text).await.unwrap();
    }
    for (name, text) in texts() {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
        let plan: Vec<String> = conn.fetch_all(explain).await.unwrap().iter().map(|row| row.get("detail")).collect();
        let scans = plan.iter().any(|step| step.starts_with("SCAN asset") || step.starts_with("SCAN g"));
        let by_name = plan.iter().any(|step| step.contains("USING INDEX sqlite_autoindex_asset_1 (did=?)"));
        let by_asset = name == "NAMED" || plan.iter().any(|step| step.contains("asset_grant_asset (asset=?)"));
        assert!(!scans && by_name && by_asset, "{name}: {plan:#?}");
    }
    conn.close().await.unwrap();
    fresh.end().await;
}
