//! The exchange's one read: whose token it is and whether it holds, the asset, and what was granted, whatever else is in the store.

use latchkey::domain::{AccountId, ClientId, ClientKind, FamilyId, GrantEnd, Owner, Timestamp};
use latchkey::store::{Actor, Bearer, DeveloperToken, ExchangeFacts, Granting, NewGrant, Store, Transfer, statements};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row, SqliteConnection};

use super::grants::{grant_id, granting, made, new_grant, owner};
use super::harness::{Engine, Fresh, both};
use super::made::{address, api_challenge, asset, at, client, client_id, code, did, hash, key, license, person, uuid};
use super::refresh::{FAMILY, begun};

both! {
    /// Every kind of token brings its client and its person, and the same of asset and grants.
    each_kind_of_bearer_brings_the_facts
    /// A token brings nothing as soon as what it depends on has ended.
    a_dead_token_brings_nothing
    /// The asset stands as it does at this moment, and one that does not exist is nothing.
    the_asset_stands_as_it_is
    /// Grants are those of this client on this asset, or on all of its owner's; the living, and of the dead the latest.
    the_grants_are_the_clients_own
    /// Nothing that a disabled account granted counts, until it is enabled again.
    a_disabled_owner_grants_nothing
    /// However many grants there were, a bounded number is read, and the living ones are among them.
    a_bounded_number_is_read
}

const NAMED: fn() -> Bearer = || Bearer::Named(client_id("app"));

async fn read(store: &Store, bearer: &Bearer, asset: u64, now: Timestamp) -> Option<ExchangeFacts> {
    store.exchange_facts(bearer, &did(asset), now).await.unwrap()
}

/// The bearers of a license (address 9, key 5) and of the app, whose person has account 1; each lives.
async fn bearers(store: &Store) -> (AccountId, [(Bearer, ClientId, Option<AccountId>); 5]) {
    begun(store, None).await;
    let account = store.accounts().await.unwrap()[0].id;
    let given = code(2, "app", account);
    assert!(store.put_redeemed_code(&given, &hash("given"), at(0)).await.unwrap());
    store.create_client(&license(9, "one")).await.unwrap();
    store.add_license_key(&key(9, 5)).await.unwrap();
    let token = DeveloperToken {
        id: uuid(1),
        client_id: address(9).into(),
        key_address: address(5),
        scope: "openid".parse().unwrap(),
        issued_at: at(0),
        expires_at: at(500),
    };
    assert!(store.put_developer_token(&token, at(0)).await.unwrap());
    let challenge = api_challenge(1, "app");
    assert!(store.put_api_challenge(&challenge, &hash("state")).await.unwrap());
    store.take_api_challenge(&hash("state"), at(0), at(3_600)).await.unwrap();
    let app = || client_id("app");
    let bearers = [
        (Bearer::Code(given.id), app(), Some(account)),
        (Bearer::Refresh { family: FamilyId(uuid(FAMILY)), token: uuid(7), seen_since: at(0) }, app(), Some(account)),
        (Bearer::Developer(token.id), address(9).into(), None),
        (Bearer::Client { client: app(), token: uuid(8), issued_at: at(0) }, app(), None),
        (Bearer::Wallet(challenge.id), app(), Some(account)),
    ];
    (account, bearers)
}

async fn each_kind_of_bearer_brings_the_facts(fresh: &Fresh) {
    let store = &fresh.store;
    let (account, bearers) = bearers(store).await;
    store.import_assets(vec![asset(1, Some(Owner::Address(address(1))))], false, at(0)).await.unwrap();
    let mut changed = store.client(&client_id("app")).await.unwrap().unwrap();
    changed.metadata.first_party = true;
    changed.metadata.permissions = Some("privilege:GetLiveData".parse().unwrap());
    store.update_client(&changed, &[]).await.unwrap();
    let to_license = NewGrant { grantee: address(9).into(), ..new_grant(2, Some((did(1), 0)), "app") };
    let grants = made(store, granting(account), vec![new_grant(1, Some((did(1), 0)), "app"), to_license]).await;
    for (bearer, client, person) in &bearers {
        let facts = read(store, bearer, 1, at(1)).await.unwrap();
        let record = store.client(client).await.unwrap().unwrap();
        assert_eq!((&facts.client, facts.kind, &facts.metadata, facts.account), (client, record.kind, &record.metadata, *person));
        let own: Vec<_> = grants.iter().filter(|grant| grant.grantee == *client).cloned().collect();
        assert_eq!((facts.asset.unwrap().owner_account, facts.grants), (Some(account), own), "{bearer:?}");
        let none = read(store, bearer, 9, at(1)).await.unwrap();
        assert_eq!((none.client, none.asset, none.grants), (client.clone(), None, Vec::new()), "{bearer:?}");
    }
    let named = read(store, &NAMED(), 1, at(1)).await.unwrap();
    assert_eq!((named.kind, named.account, named.grants.len()), (ClientKind::Oauth, None, 1));
}

async fn a_dead_token_brings_nothing(fresh: &Fresh) {
    let store = &fresh.store;
    let (account, bearers) = bearers(store).await;
    let alive = async |now: i64| {
        let mut alive = [false; 5];
        for (place, (bearer, ..)) in bearers.iter().enumerate() {
            alive[place] = read(store, bearer, 1, at(now)).await.is_some();
        }
        alive
    };
    assert_eq!(alive(1).await, [true; 5]);
    for unknown in [
        Bearer::Code(latchkey::domain::CodeId(uuid(99))),
        Bearer::Developer(uuid(99)),
        Bearer::Wallet(latchkey::domain::ChallengeId(uuid(99))),
        Bearer::Refresh { family: FamilyId(uuid(99)), token: uuid(7), seen_since: at(0) },
        Bearer::Client { client: client_id("nobody"), token: uuid(8), issued_at: at(0) },
        Bearer::Named(client_id("nobody")),
    ] {
        assert!(read(store, &unknown, 1, at(1)).await.is_none(), "{unknown:?}");
    }
    // A code that nobody redeemed.
    let waiting = code(3, "app", account);
    store.put_code(&waiting, &hash("waiting")).await.unwrap();
    assert!(read(store, &Bearer::Code(waiting.id), 1, at(1)).await.is_none());
    // Its time is over.
    assert_eq!(alive(500).await, [true, true, false, true, true]);

    let revoked = Bearer::Client { client: client_id("app"), token: uuid(20), issued_at: at(0) };
    assert!(read(store, &revoked, 1, at(1)).await.is_some());
    store.revoke_token(uuid(20), &client_id("app"), at(500)).await.unwrap();
    assert!(read(store, &revoked, 1, at(1)).await.is_none());

    store.disable_license_key(&address(9).into(), &address(5), at(2)).await.unwrap();
    assert_eq!(alive(2).await, [true, true, false, true, true]);
    store.revoke_token(uuid(7), &client_id("app"), at(500)).await.unwrap();
    assert_eq!(alive(2).await, [true, false, false, true, true]);
    store.revoke_code(&hash("given"), at(2)).await.unwrap();
    assert_eq!(alive(2).await, [false, false, false, true, true]);
    store.revoke_wallet_token(api_challenge(1, "app").id, &client_id("app"), at(2)).await.unwrap();
    assert_eq!(alive(2).await, [false, false, false, true, false]);
    assert!(read(store, &NAMED(), 1, at(2)).await.is_some());
    store.set_client_disabled(&client_id("app"), Some(at(3)), at(3)).await.unwrap();
    assert_eq!(alive(3).await, [false; 5]);
    assert!(read(store, &NAMED(), 1, at(3)).await.is_none());
    store.set_client_disabled(&client_id("app"), None, at(3)).await.unwrap();
    assert_eq!(alive(4).await, [false; 5], "what was issued before stays dead");
    assert!(read(store, &NAMED(), 1, at(4)).await.is_some());

    let later = async |number: u8, seconds: i64| {
        let mut later = code(number, "app", account);
        (later.issued_at, later.expires_at) = (at(seconds), at(seconds + 60));
        assert!(store.put_redeemed_code(&later, &hash(&number.to_string()), at(seconds)).await.unwrap());
        Bearer::Code(later.id)
    };
    let second = later(4, 5).await;
    assert!(read(store, &second, 1, at(5)).await.is_some());
    store.withdraw_consent(account, &client_id("app"), at(6)).await.unwrap();
    assert!(read(store, &second, 1, at(6)).await.is_none());
    agree_again(store, account, 7).await;
    let third = later(5, 8).await;
    assert!(read(store, &third, 1, at(8)).await.is_some());
    store.set_account_disabled(account, Some(at(9)), at(9)).await.unwrap();
    assert!(read(store, &third, 1, at(9)).await.is_none());
}

async fn agree_again(store: &Store, account: AccountId, seconds: i64) {
    store.save_consent(account, &client_id("app"), &"email openid".parse().unwrap(), at(seconds)).await.unwrap();
}

async fn the_asset_stands_as_it_is(fresh: &Fresh) {
    let store = &fresh.store;
    let account = owner(store).await;
    let other = person(store, 2).await;
    store.import_assets(vec![asset(4, None), asset(5, Some(Owner::Account(other)))], false, at(0)).await.unwrap();
    for number in [1, 4, 5] {
        let facts = read(store, &NAMED(), number, at(1)).await.unwrap();
        assert_eq!(facts.asset, store.asset_standing(&did(number)).await.unwrap());
    }
    let grant = made(store, granting(account), vec![new_grant(1, Some((did(1), 0)), "app")]).await.remove(0);
    store
        .transfer_asset(Transfer { did: did(1), epoch: 0, from: account, by: None, to: Owner::Account(other) }, at(2))
        .await
        .unwrap()
        .unwrap();
    let facts = read(store, &NAMED(), 1, at(2)).await.unwrap();
    let standing = facts.asset.unwrap();
    assert_eq!((standing.owner_account, standing.epoch), (Some(other), 1));
    assert_eq!(facts.grants.iter().map(|grant| (grant.id, grant.ended)).collect::<Vec<_>>(), [(grant.id, Some(GrantEnd::Transfer))]);
}

async fn the_grants_are_the_clients_own(fresh: &Fresh) {
    let store = &fresh.store;
    let account = owner(store).await;
    let other = person(store, 2).await;
    store.create_client(&client("other")).await.unwrap();
    store.import_assets(vec![asset(4, Some(Owner::Account(other)))], false, at(0)).await.unwrap();
    let adding = |account| Granting { replaces: false, ..granting(account) };
    let on = |number: u8, asset: u64| new_grant(number, Some((did(asset), 0)), "app");
    let to_other = |number: u8, asset| new_grant(number, asset, "other");
    let expired = NewGrant { expires_at: at(5), ..on(3, 1) };
    let scheduled = NewGrant { effective_at: at(50), ..on(4, 1) };
    let of_one = vec![on(1, 1), on(2, 2), expired, scheduled, to_other(5, Some((did(1), 0))), to_other(6, None)];
    made(store, adding(account), of_one).await;
    let ids = async |asset: u64| {
        let mut ids: Vec<_> = read(store, &NAMED(), asset, at(10)).await.unwrap().grants.iter().map(|grant| grant.id).collect();
        ids.sort();
        ids
    };
    let of = |numbers: &[u8]| numbers.iter().map(|number| grant_id(*number)).collect::<Vec<_>>();
    assert_eq!(ids(1).await, of(&[1, 3, 4]), "the expired too: it is the reason that the app is told");
    assert_eq!(ids(2).await, of(&[2]));
    assert!(ids(3).await.is_empty() && ids(9).await.is_empty());

    made(store, adding(account), vec![new_grant(7, None, "app")]).await;
    made(store, adding(other), vec![new_grant(8, None, "app")]).await;
    assert_eq!(ids(1).await, of(&[1, 3, 4, 7]));
    assert_eq!(ids(3).await, of(&[7]));
    assert_eq!(ids(4).await, of(&[8]), "those of its owner, and of no other");
    assert!(ids(9).await.is_empty());
    let facts = read(store, &NAMED(), 1, at(10)).await.unwrap();
    for grant in facts.grants {
        assert_eq!(store.grant(grant.id).await.unwrap(), Some(grant));
    }

    // Of what has ended the latest, one on the asset and one on all.
    for (number, seconds) in [(1, 11), (4, 12), (7, 13)] {
        store.end_grant(grant_id(number), Actor::Grantee(client_id("app")), at(seconds)).await.unwrap();
    }
    assert_eq!(ids(1).await, of(&[3, 4, 7]));
    // It goes with its owner: whoever has it then granted nothing.
    store
        .transfer_asset(Transfer { did: did(3), epoch: 0, from: account, by: None, to: Owner::Account(other) }, at(14))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(ids(3).await, of(&[8]));
}

async fn a_disabled_owner_grants_nothing(fresh: &Fresh) {
    let store = &fresh.store;
    let account = owner(store).await;
    made(store, granting(account), vec![new_grant(1, Some((did(1), 0)), "app"), new_grant(2, None, "app")]).await;
    let count = async || read(store, &NAMED(), 1, at(10)).await.unwrap().grants.len();
    assert_eq!(count().await, 2);
    store.set_account_disabled(account, Some(at(5)), at(5)).await.unwrap();
    assert_eq!(count().await, 0);
    store.set_account_disabled(account, None, at(6)).await.unwrap();
    assert_eq!(count().await, 2);
}

async fn a_bounded_number_is_read(fresh: &Fresh) {
    let store = &fresh.store;
    let account = owner(store).await;
    for asset in [Some((did(1), 0)), None] {
        for number in 0..50 {
            let place = if asset.is_some() { 0 } else { 100 };
            let new =
                NewGrant { effective_at: at(0), expires_at: at(1_000 + i64::from(number)), ..new_grant(place + number, asset, "app") };
            store.create_grants(granting(account), vec![new], at(i64::from(number))).await.unwrap();
        }
    }
    let facts = read(store, &NAMED(), 1, at(60)).await.unwrap();
    let mut found: Vec<_> = facts.grants.iter().map(|grant| grant.id).collect();
    found.sort();
    assert_eq!(found, [48, 49, 148, 149].map(grant_id), "the one that lives, and the one that ended last; twice");
}

/// Fills the store with as many grants, and as many assets, of other clients and of this one.
pub(crate) async fn fill(fresh: &Fresh, count: u64) {
    let blob = |prefix: &str| match fresh.engine {
        Engine::Sqlite => format!("CAST('{prefix}' || printf('%015d', n) AS BLOB)"),
        Engine::Postgres => format!("CAST(md5('{prefix}' || n) AS UUID)"),
    };
    let series = format!("WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count})");
    let contract = address(0xdd);
    let texts = [
        format!(
            "{series} INSERT INTO asset (did, owner_address, epoch, make, year, attributes, minted_at, created_at, updated_at)
             SELECT 'did:erc721:137:{contract}:' || n, '{}', 0, 'Ford', 2020, '{{}}', 0, 0, 0 FROM s",
            address(0xee)
        ),
        format!(
            "{series} INSERT INTO asset_grant (id, asset, grantee, permissions, events, effective_at, expires_at, epoch, source, created_at,
                                              updated_at, sweep_at)
             SELECT {}, 'did:erc721:137:{contract}:' || n, CASE WHEN n % 2 = 0 THEN 'app' ELSE 'other' END, 'p', '[]', 0, {}, 0,
                    'operator', 0, 0, {} FROM s",
            blob("g"),
            at(1_000).micros(),
            at(9_000).micros()
        ),
        match fresh.engine {
            Engine::Sqlite => "ANALYZE".to_owned(),
            Engine::Postgres => "VACUUM ANALYZE".to_owned(),
        },
    ];
    match fresh.engine {
        Engine::Sqlite => {
            let mut conn = SqliteConnection::connect(&fresh.url).await.unwrap();
            for text in texts {
                conn.execute(AssertSqlSafe(text)).await.unwrap();
            }
            conn.close().await.unwrap();
        }
        Engine::Postgres => {
            let mut conn = PgConnection::connect(&fresh.url).await.unwrap();
            for text in texts {
                conn.execute(AssertSqlSafe(text)).await.unwrap();
            }
            conn.close().await.unwrap();
        }
    }
}

fn texts() -> Vec<&'static str> {
    let texts: Vec<_> =
        statements().filter(|statement| statement.place.ends_with("store::exchange")).map(|statement| statement.text).collect();
    assert_eq!(texts.len(), 6, "each kind of bearer has its own");
    texts
}

/// Where there is much to read, Postgres finds its way by indexes alone, by its own choice.
#[tokio::test]
async fn postgres_reads_by_index_in_a_large_store() {
    let fresh = Fresh::new(Engine::Postgres).await;
    fresh.store.create_client(&client("app")).await.unwrap();
    fresh.store.create_client(&client("other")).await.unwrap();
    fill(&fresh, 20_000).await;
    let mut conn = PgConnection::connect(&fresh.url).await.unwrap();
    conn.execute("SET plan_cache_mode = force_generic_plan").await.unwrap();
    for text in texts() {
        conn.execute(AssertSqlSafe(format!("PREPARE exchange AS {text}"))).await.unwrap();
        let arguments = vec!["NULL"; (1..9).take_while(|number| text.contains(&format!("${number}"))).count()].join(", ");
        let explain = AssertSqlSafe(format!("EXPLAIN EXECUTE exchange({arguments})"));
        let plan: Vec<String> = conn.fetch_all(explain).await.unwrap().iter().map(|row| row.get::<String, _>(0)).collect();
        for large in ["asset", "asset_grant"] {
            let scanned = plan.iter().any(|step| step.contains(&format!("Seq Scan on {large} ")));
            assert!(!scanned, "{plan:#?}");
        }
        let by = |index: &str| plan.iter().filter(|step| step.contains(&format!("using {index} on "))).count();
        assert_eq!(by("asset_pkey"), 1, "{plan:#?}");
        assert_eq!(by("asset_grant_grantee_asset") + by("asset_grant_asset"), 2, "{plan:#?}");
        assert_eq!(by("asset_grant_grantee_grantor"), 2, "{plan:#?}");
        conn.execute("DEALLOCATE exchange").await.unwrap();
    }
    conn.close().await.unwrap();
    assert_eq!(read_shared(&fresh).await, 101, "a page, and one more");
    fresh.end().await;
}

/// SQLite does too, also once it knows how much there is.
#[tokio::test]
async fn sqlite_reads_by_index_in_a_large_store() {
    let fresh = Fresh::new(Engine::Sqlite).await;
    fresh.store.create_client(&client("app")).await.unwrap();
    fresh.store.create_client(&client("other")).await.unwrap();
    fill(&fresh, 20_000).await;
    let mut conn = SqliteConnection::connect(&fresh.url).await.unwrap();
    for text in texts() {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
        let plan: Vec<String> = conn.fetch_all(explain).await.unwrap().iter().map(|row| row.get("detail")).collect();
        let steps = |words: &str| plan.iter().filter(|step| step.contains(words)).count();
        let (on_asset, on_all) = (
            steps("asset_grant_grantee_asset (grantee=? AND asset=? AND ended_at"),
            steps("asset_grant_grantee_grantor (grantee=? AND grantor_account=? AND ended_at"),
        );
        assert_eq!((on_asset, on_all), (2, 2), "{plan:#?}");
        assert_eq!(
            (steps("MATERIALIZE record"), steps("TEMP B-TREE")),
            (1, 0),
            "the token is looked at once, and nothing sorted: {plan:#?}"
        );
    }
    conn.close().await.unwrap();
    assert_eq!(read_shared(&fresh).await, 101, "a page, and one more");
    fresh.end().await;
}

async fn read_shared(fresh: &Fresh) -> usize {
    let of = latchkey::store::AssetsOf::SharedWith(client_id("app"), at(1));
    let page = latchkey::store::AssetPage { after: None, before: None, last: false, limit: 1_000 };
    fresh.store.assets(&of, &latchkey::store::AssetFilter::default(), &page).await.unwrap().len()
}
