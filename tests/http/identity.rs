//! The identity API: what there is, whose it is and with whom it is shared, by GraphQL.

use std::time::Duration;

use latchkey::domain::{Entropy, GrantId, GrantSource, Owner};
use latchkey::store::{Actor, AssetImport, GrantOutcome, Granting, LicenseKey, NewGrant};
use reqwest::Method;
use serde_json::{Value, json};

use crate::actors::{Answer, App, Browser, Form, Tokens, Wallet};
use crate::exchange::{Scene, did, person};
use crate::world::{ISSUER, SECRET, World};
use crate::{api_challenge, on_both, on_one};

const QUERY: &str = "/query";
const PUBLIC: (&str, &str) = ("IDENTITY_REGISTRY_PUBLIC", "true");
const OTHER_CONTRACT: &str = "0x45fbCD3ef7361d156e8b16F5538AE36DEdf61Da8";

async fn send(world: &World, token: Option<&str>, body: &Value) -> Answer {
    let browser = Browser::new(world);
    let request = browser.bare(Method::POST, QUERY).header("content-type", "application/json").body(body.to_string());
    browser.send(if let Some(token) = token { request.bearer_auth(token) } else { request }).await
}

async fn answer(world: &World, token: Option<&str>, query: &str) -> Value {
    let answer = send(world, token, &json!({ "query": query })).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{}", answer.body);
    answer.json()
}

/// What it is answered with, without an error.
async fn data(world: &World, token: Option<&str>, query: &str) -> Value {
    let mut answer = answer(world, token, query).await;
    assert_eq!(answer.get("errors"), None, "{query}: {answer}");
    answer["data"].take()
}

/// The code of the one error.
async fn code(world: &World, token: Option<&str>, query: &str) -> String {
    let answer = answer(world, token, query).await;
    assert_eq!(answer["errors"].as_array().map(Vec::len), Some(1), "{answer}");
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
}

fn vehicle(name: &str, owner: Owner, (make, model, year): (&str, &str, i64)) -> AssetImport {
    AssetImport {
        did: name.parse().unwrap(),
        owner: Some(owner),
        make: Some(make.to_owned()),
        model: Some(model.to_owned()),
        year: Some(year),
        powertrain: None,
        name: None,
        attributes: None,
        minted_at: None,
        claim: None,
    }
}

async fn import(world: &World, vehicles: Vec<AssetImport>) {
    world.state.store.import_assets(vehicles, false, world.clock.now()).await.unwrap();
}

/// Grants all assets of the owner, those that come later too.
async fn grants_all(scene: &Scene<'_>, client: &str, permissions: &str) {
    let (store, now) = (&scene.world.state.store, scene.world.clock.now());
    let new = NewGrant {
        id: GrantId(Entropy::System.uuid(now)),
        asset: None,
        grantee: client.parse().unwrap(),
        permissions: permissions.parse().unwrap(),
        events: Vec::new(),
        effective_at: now,
        expires_at: now.plus(Duration::from_hours(2)),
        template: None,
        purpose: None,
    };
    let by = Actor::Owner { account: scene.account, by: None };
    let outcome =
        store.create_grants(Granting { by, source: GrantSource::Api, visit: None, replaces: false }, vec![new], now).await.unwrap();
    assert!(matches!(outcome, GrantOutcome::Made(_)), "{outcome:?}");
}

fn token_ids(list: &Value) -> Vec<u64> {
    list["nodes"].as_array().unwrap().iter().map(|node| node["tokenId"].as_u64().unwrap()).collect()
}

async fn listed(world: &World, token: Option<&str>, filter: &str) -> Vec<u64> {
    let query = format!("{{ vehicles(first: 100, filterBy: {{{filter}}}) {{ totalCount nodes {{ tokenId }} }} }}");
    let data = data(world, token, &query).await;
    let ids = token_ids(&data["vehicles"]);
    assert_eq!(data["vehicles"]["totalCount"], json!(ids.len()), "{filter}");
    ids
}

on_both!(a_vehicle_is_told_whole, [PUBLIC], |world| {
    let scene = Scene::new(&world).await;
    import(&world, vec![vehicle(&did(1), Owner::Address(scene.owner.address), ("Ford", "Bronco", 2022))]).await;
    scene.grants_to(&scene.license, &did(1), "privilege:GetLiveData privilege:GetLocationHistory", &[]).await;
    let whole = "id tokenId tokenDID owner mintedAt definition { make model year } aftermarketDevice { tokenId address }
                 syntheticDevice { tokenId address } sacd(grantee: \"LICENSE\") { permissions }
                 sacds(first: 10) { totalCount nodes { permissions source createdAt expiresAt grantee } edges { cursor node { grantee } }
                                    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }"
        .replace("LICENSE", &scene.license.to_lowercase());
    let answer = data(&world, None, &format!("{{ vehicle(tokenId: 1) {{ {whole} }} }}")).await;
    let (told, sacds) = (&answer["vehicle"], &answer["vehicle"]["sacds"]);
    let cursor = &sacds["edges"][0]["cursor"];
    assert!(cursor.as_str().is_some_and(|cursor| !cursor.contains(&scene.license)), "{cursor}");
    let expected = json!({
        "id": told["id"], "tokenId": 1, "tokenDID": did(1), "owner": scene.owner.address.to_string(), "mintedAt": "2026-01-01T00:00:00Z",
        "definition": { "make": "Ford", "model": "Bronco", "year": 2022 }, "aftermarketDevice": null, "syntheticDevice": null,
        // 4 and 6: bits 8, 9, 12 and 13.
        "sacd": { "permissions": "0x3300" },
        "sacds": {
            "totalCount": 1,
            "nodes": [{ "permissions": "0x3300", "source": "operator", "createdAt": "2026-01-01T00:00:00Z",
                        "expiresAt": "2026-01-01T01:00:00Z", "grantee": scene.license }],
            "edges": [{ "cursor": cursor, "node": { "grantee": scene.license } }],
            "pageInfo": { "hasNextPage": false, "hasPreviousPage": false, "startCursor": cursor, "endCursor": cursor },
        },
    });
    assert_eq!(*told, expected);
    // By a text and by its whole name it is the same, in any case of the letters.
    for by in ["tokenId: \"1\"".to_owned(), format!("tokenDID: \"{}\"", did(1)), format!("tokenDID: \"{}\"", did(1).to_lowercase())] {
        assert_eq!(data(&world, None, &format!("{{ vehicle({by}) {{ {whole} }} }}")).await, answer, "{by}");
    }
    assert_eq!(
        data(&world, None, &format!("{{ vehicle(tokenId: 1) {{ sacd(grantee: \"{}\") {{ source }} }} }}", scene.owner.address)).await,
        json!({ "vehicle": { "sacd": null } })
    );

    // What cannot be exact as a number is a text.
    let greatest = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    let other = |id: &str| vehicle(&format!("did:erc721:80002:{OTHER_CONTRACT}:{id}"), Owner::Address(scene.owner.address), ("a", "b", 1));
    import(&world, ["9007199254740991", "9007199254740992", greatest].map(other).into()).await;
    for (asked, told) in [
        ("9007199254740991", json!(9_007_199_254_740_991_u64)),
        ("\"9007199254740992\"", json!("9007199254740992")),
        (&format!("\"{greatest}\""), json!(greatest)),
    ] {
        let told_of = data(&world, None, &format!("{{ vehicle(tokenId: {asked}) {{ tokenId tokenDID }} }}")).await;
        assert_eq!(told_of["vehicle"]["tokenId"], told);
        assert!(told_of["vehicle"]["tokenDID"].as_str().unwrap().contains(OTHER_CONTRACT));
    }
});

on_both!(the_order_of_the_contracts_says_which_vehicle_is_meant, [PUBLIC], |world| {
    let scene = Scene::new(&world).await;
    let other = format!("did:erc721:80002:{OTHER_CONTRACT}:1");
    import(&world, vec![vehicle(&other, Owner::Address(scene.owner.address), ("Kia", "EV6", 2023))]).await;
    assert_eq!(data(&world, None, "{ vehicle(tokenId: 1) { tokenDID } }").await["vehicle"]["tokenDID"], json!(did(1)));
    let by_name = data(&world, None, &format!("{{ vehicle(tokenDID: \"{other}\") {{ tokenDID definition {{ make }} }} }}")).await;
    assert_eq!(by_name, json!({ "vehicle": { "tokenDID": other, "definition": { "make": "Kia" } } }));
});

// As the published SDKs ask, word for word.
on_both!(the_published_sdks_are_answered, [PUBLIC], |world| {
    let scene = Scene::new(&world).await;
    import(&world, vec![vehicle(&did(1), Owner::Address(scene.owner.address), ("Ford", "Bronco", 2022))]).await;
    scene.grants_to(&scene.license, &did(1), "privilege:GetLiveData", &[]).await;
    let inlined = "\n            { \n              vehicle(tokenId: 1) {\n                sacds(first: 100, after: null) {
                  nodes {\n                    permissions\n                    grantee\n                  }
                  totalCount\n                  pageInfo {\n                    startCursor\n                    endCursor
                  }\n                }\n              }\n            }\n            ";
    let sacds = data(&world, None, inlined).await["vehicle"]["sacds"].clone();
    assert_eq!((&sacds["totalCount"], &sacds["nodes"]), (&json!(1), &json!([{ "permissions": "0x3000", "grantee": scene.license }])));
    let variables = |query: &str, variables: Value| json!({ "query": query, "variables": variables });
    let check =
        "query CheckPrivileges($tokenId: Int!) { vehicle(tokenId: $tokenId) { sacds(first:100) { nodes { permissions grantee } } } }";
    let granted = "query ListTokenIdsGrantedToDevByOwner($privileged: Address!, $owner: Address!, $first: Int!) {
                   vehicles(filterBy: {privileged: $privileged, owner: $owner}, first: $first) { nodes { tokenId definition { make } aftermarketDevice { manufacturer { name } } } } }";
    let owner = scene.owner.address.to_string();
    for (body, path, expected) in [
        (variables(check, json!({ "tokenId": 1 })), "/vehicle/sacds/nodes/0/permissions", json!("0x3000")),
        (variables(&check.replace("Int!", "String!"), json!({ "tokenId": "1" })), "/vehicle/sacds/nodes/0/permissions", json!("0x3000")),
        (variables(&check.replace("Int!", "BigInt!"), json!({ "tokenId": 1 })), "/vehicle/sacds/nodes/0/permissions", json!("0x3000")),
        (
            variables(granted, json!({ "privileged": scene.license, "owner": owner, "first": 5 })),
            "/vehicles/nodes",
            json!([{ "tokenId": 1, "definition": { "make": "Ford" }, "aftermarketDevice": null }]),
        ),
        (variables(granted, json!({ "privileged": owner, "owner": scene.license, "first": 5 })), "/vehicles/nodes", json!([])),
        (variables("{ vehicles (first:10) { totalCount, } }", json!({})), "/vehicles/totalCount", json!(3)),
    ] {
        let answer = send(&world, None, &body).await.json();
        assert_eq!(answer["data"].pointer(path), Some(&expected), "{body}: {answer}");
    }
});

on_both!(pages_lead_through_the_list_from_both_ends, [PUBLIC], |world| {
    let scene = Scene::new(&world).await;
    let page = async |args: &str| {
        let query = format!(
            "{{ vehicles({args}) {{ totalCount nodes {{ tokenId }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
        );
        let list = data(&world, None, &query).await["vehicles"].clone();
        assert_eq!(list["totalCount"], json!(3));
        let info = &list["pageInfo"];
        let cursor = |name: &str| info[name].as_str().unwrap_or_default().to_owned();
        (token_ids(&list), info["hasPreviousPage"] == true, info["hasNextPage"] == true, cursor("startCursor"), cursor("endCursor"))
    };
    let (ids, previous, next, _, end) = page("first: 2").await;
    assert_eq!((ids, previous, next), (vec![1, 2], false, true));
    let (ids, previous, next, start, _) = page(&format!("first: 2, after: \"{end}\"")).await;
    assert_eq!((ids, previous, next), (vec![3], true, false));
    let (ids, previous, next, start, _) = page(&format!("last: 1, before: \"{start}\"")).await;
    assert_eq!((ids, previous, next), (vec![2], true, true));
    let (ids, previous, next, ..) = page(&format!("last: 5, before: \"{start}\"")).await;
    assert_eq!((ids, previous, next), (vec![1], false, true));
    let (ids, previous, next, ..) = page("last: 2").await;
    assert_eq!((ids, previous, next), (vec![2, 3], true, false));
    assert_eq!(page("first: 0").await.0, Vec::<u64>::new());
    for args in ["first: 101", "first: -1", "last: 101", "first: 1, last: 1", "first: 1, after: \"x\"", "last: 1, before: \"eA\""] {
        assert_eq!(code(&world, None, &format!("{{ vehicles({args}) {{ totalCount }} }}")).await, "BAD_USER_INPUT", "{args}");
    }

    // What is shared has pages of its own, in which each client stands once.
    for client in [scene.license.as_str(), "app", "web"] {
        scene.grants_to(client, &did(1), "privilege:GetLiveData", &[]).await;
        scene.grants_to(client, &did(1), "privilege:GetLocationHistory", &[]).await;
    }
    let mut after = "null".to_owned();
    let mut met = Vec::new();
    for place in 0..3 {
        let query = format!(
            "{{ vehicle(tokenId: 1) {{ sacds(first: 1, after: {after}) {{ totalCount nodes {{ grantee permissions }} pageInfo {{ hasNextPage hasPreviousPage endCursor }} }} }} }}"
        );
        let sacds = data(&world, None, &query).await["vehicle"]["sacds"].clone();
        let info = &sacds["pageInfo"];
        assert_eq!(
            (&sacds["totalCount"], &info["hasNextPage"], &info["hasPreviousPage"]),
            (&json!(3), &json!(place < 2), &json!(place > 0))
        );
        assert_eq!(sacds["nodes"][0]["permissions"], json!("0x3300"));
        after = info["endCursor"].to_string();
        met.push(sacds["nodes"][0]["grantee"].as_str().unwrap().to_owned());
    }
    met.sort();
    let mut all = [scene.license.clone(), "app".to_owned(), "web".to_owned()];
    all.sort();
    assert_eq!(met, all);
});

on_both!(privileged_is_who_owns_or_was_granted_something_that_lives, [PUBLIC], |world| {
    let scene = Scene::new(&world).await;
    let license = format!("privileged: \"{}\"", scene.license);
    let owner = format!("privileged: \"{}\"", scene.owner.address);
    assert_eq!((listed(&world, None, &license).await, listed(&world, None, &owner).await), (vec![], vec![1, 2, 3]));
    let revoked = scene.grants_to(&scene.license, &did(1), "privilege:GetLiveData", &[]).await;
    scene.grants_for(&scene.license, &did(2), "privilege:GetLiveData", &[], Duration::from_mins(5)).await;
    scene.grants_to(&scene.license, &did(3), "privilege:GetLiveData", &[]).await;
    assert_eq!(listed(&world, None, &license).await, [1, 2, 3]);
    scene.ends(&revoked).await;
    assert_eq!(listed(&world, None, &license).await, [2, 3]);
    world.clock.advance(Duration::from_mins(5));
    assert_eq!(listed(&world, None, &license).await, [3]);
    let other = person(&world, &Wallet::new(2)).await;
    scene.passes_on(&did(3), other).await;
    assert_eq!(listed(&world, None, &license).await, [0; 0]);
    assert_eq!(listed(&world, None, &owner).await, [1, 2], "it is not theirs any more");
    let shared = "{ vehicles { nodes { sacds { totalCount nodes { grantee } } } } }";
    for vehicle in data(&world, None, shared).await["vehicles"]["nodes"].as_array().unwrap() {
        assert_eq!(vehicle["sacds"], json!({ "totalCount": 0, "nodes": [] }), "what has ended is not told");
    }

    // What was granted on all assets counts for each of them, and adds up with what was granted on one.
    grants_all(&scene, &scene.license, "privilege:GetLocationHistory").await;
    world.clock.advance(Duration::from_secs(1));
    scene.grants_to(&scene.license, &did(1), "privilege:GetLiveData", &[]).await;
    assert_eq!(listed(&world, None, &license).await, [1, 2]);
    let shared = data(&world, None, "{ vehicles { nodes { sacds { nodes { permissions source expiresAt } } } } }").await;
    let told: Vec<&Value> = shared["vehicles"]["nodes"].as_array().unwrap().iter().map(|node| &node["sacds"]["nodes"]).collect();
    assert_eq!(told[0], &json!([{ "permissions": "0x3300", "source": "operator", "expiresAt": "2026-01-01T01:05:01Z" }]));
    assert_eq!(told[1], &json!([{ "permissions": "0x300", "source": "api", "expiresAt": "2026-01-01T02:05:00Z" }]));
    assert_eq!(told[2], &json!([]));
    let account = format!(
        "{{ account(by: {{address: \"{}\"}}) {{ address sacds {{ totalCount nodes {{ grantee permissions }} }} }} }}",
        scene.owner.address
    );
    let sacds = json!({ "totalCount": 1, "nodes": [{ "grantee": scene.license, "permissions": "0x300" }] });
    assert_eq!(data(&world, None, &account).await["account"], json!({ "address": scene.owner.address.to_string(), "sacds": sacds }));
    // A wallet without an account looks like one that shares nothing.
    let nobody = account.replace(&scene.owner.address.to_string(), &Wallet::new(77).address.to_string());
    assert_eq!(data(&world, None, &nobody).await["account"]["sacds"], json!({ "totalCount": 0, "nodes": [] }));
    // Whose account is disabled shares nothing.
    world.state.store.set_account_disabled(scene.account, Some(world.clock.now()), world.clock.now()).await.unwrap();
    assert_eq!(data(&world, None, &account).await["account"]["sacds"]["totalCount"], json!(0));
    assert_eq!(data(&world, None, "{ vehicle(tokenId: 1) { sacds { totalCount } } }").await["vehicle"]["sacds"]["totalCount"], json!(0));
});

on_both!(filters_leave_out, [PUBLIC], |world| {
    let scene = Scene::new(&world).await;
    let (owner, other) = (Owner::Address(scene.owner.address), Owner::Address(Wallet::new(2).address));
    import(
        &world,
        vec![
            vehicle(&did(1), owner, ("Ford", "Bronco", 2022)),
            vehicle(&did(2), owner, ("Ford", "Mustang Mach-E", 2023)),
            vehicle(&did(4), other, ("Tesla", "Model 3", 2023)),
        ],
    )
    .await;
    scene.grants_to(&scene.license, &did(2), "privilege:GetLiveData", &[]).await;
    scene.grants_to(&scene.license, &did(4), "privilege:GetLiveData", &[]).await;
    let (mine, license) = (format!("owner: \"{}\"", scene.owner.address), format!("privileged: \"{}\"", scene.license));
    for (filter, expected) in [
        (String::new(), vec![1, 2, 3, 4]),
        (mine.clone(), vec![1, 2, 3]),
        (format!("{mine}, make: \"FORD\""), vec![1, 2]),
        ("make: \"ford\", model: \"mustang mach-e\"".to_owned(), vec![2]),
        ("year: 2023".to_owned(), vec![2, 4]),
        ("make: \"Fo\"".to_owned(), vec![]),
        (format!("{license}, {mine}"), vec![2]),
        (format!("{license}, year: 2023, make: \"tesla\""), vec![4]),
    ] {
        assert_eq!(listed(&world, None, &filter).await, expected, "{filter}");
    }
    // An asset that is no token is no vehicle, by no name.
    let manufacturer = format!("did:ethr:137:{}", Wallet::new(50).address);
    assert_eq!(code(&world, None, &format!("{{ vehicle(tokenDID: \"{manufacturer}\") {{ id }} }}")).await, "NOT_FOUND");
});

on_both!(what_is_not_there_is_told_as_clients_expect, [PUBLIC], |world| {
    let scene = Scene::new(&world).await;
    let missing = answer(&world, None, "{ vehicle(tokenId: 99) { id } }").await;
    assert_eq!(
        (&missing["data"], &missing["errors"][0]["path"], &missing["errors"][0]["extensions"]),
        (&json!(null), &json!(["vehicle"]), &json!({ "code": "NOT_FOUND" }))
    );
    assert!(missing["errors"][0]["message"].is_string());
    for (query, expected) in [
        ("{ vehicle(tokenDID: \"did:erc721:1:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF:1\") { id } }", "NOT_FOUND"),
        ("{ vehicle(tokenDID: \"7\") { id } }", "BAD_USER_INPUT"),
        ("{ vehicle { id } }", "BAD_USER_INPUT"),
        ("{ vehicle(tokenId: 1, tokenDID: \"x\") { id } }", "BAD_USER_INPUT"),
        ("{ developerLicense(by: {alias: \"nobody\"}) { alias } }", "NOT_FOUND"),
        ("{ developerLicense(by: {tokenId: 1}) { alias } }", "NOT_FOUND"),
    ] {
        assert_eq!(code(&world, None, query).await, expected, "{query}");
    }
    for query in [
        "{ vehicle(tokenId: -1) { id } }",
        "{ vehicle(tokenId: 1e3) { id } }",
        "{ vehicle(tokenId: \"1e3\") { id } }",
        "{ vehicle(tokenId: \"115792089237316195423570985008687907853269984665640564039457584007913129639936\") { id } }",
        "{ vehicles(filterBy: {owner: \"0x1\"}) { totalCount } }",
        "{ vehicles(filterBy: {colour: \"red\"}) { totalCount } }",
        "{ developerLicense(by: {alias: \"a\", clientId: \"b\"}) { alias } }",
        "{ rewards(user: \"x\") { totalTokens } }",
        "mutation { vehicle(tokenId: 1) { id } }",
        "subscription { vehicle(tokenId: 1) { id } }",
        "{",
    ] {
        let answer = answer(&world, None, query).await;
        assert!(answer["errors"][0]["message"].is_string() && answer["data"].is_null(), "{query}: {answer}");
    }
    drop(scene);
});

on_both!(licenses_are_told, [PUBLIC], |world| {
    let scene = Scene::new(&world).await;
    let second = world.license(scene.key.address).await;
    let third = world.license(Wallet::new(3).address).await;
    let record = world.state.store.client(&scene.license.parse().unwrap()).await.unwrap().unwrap();
    let alias = record.license.unwrap().alias;
    let expired = LicenseKey {
        license: record.id.clone(),
        address: Wallet::new(4).address,
        created_at: world.clock.now(),
        expires_at: Some(world.clock.now()),
        disabled_at: None,
    };
    world.state.store.add_license_key(&expired).await.unwrap();
    let fields = "tokenId tokenDID owner clientId alias mintedAt signers { totalCount nodes { address enabledAt } } redirectURIs { nodes { uri enabledAt } }";
    let now = "2026-01-01T00:00:00Z";
    let expected = json!({
        "tokenId": null, "tokenDID": null, "owner": scene.key.address.to_string(), "clientId": scene.license, "alias": alias, "mintedAt": now,
        "signers": { "totalCount": 1, "nodes": [{ "address": scene.key.address.to_string(), "enabledAt": now }] },
        "redirectURIs": { "nodes": [{ "uri": "https://app.example/callback", "enabledAt": now }] },
    });
    for by in [format!("clientId: \"{}\"", scene.license), format!("alias: \"{alias}\"")] {
        assert_eq!(data(&world, None, &format!("{{ developerLicense(by: {{{by}}}) {{ {fields} }} }}")).await["developerLicense"], expected);
    }
    let ids = async |args: &str| {
        let list =
            data(&world, None, &format!("{{ developerLicenses{args} {{ totalCount nodes {{ clientId signers {{ totalCount }} }} }} }}"))
                .await["developerLicenses"]
                .clone();
        let ids: Vec<String> = list["nodes"].as_array().unwrap().iter().map(|node| node["clientId"].as_str().unwrap().to_owned()).collect();
        assert!(list["nodes"].as_array().unwrap().iter().all(|node| node["signers"]["totalCount"] == 1));
        (list["totalCount"].as_u64().unwrap(), ids)
    };
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    let (total, all) = ids("").await;
    assert_eq!((total, sorted(all.clone())), (3, sorted(vec![scene.license.clone(), second.id.to_string(), third.id.to_string()])));
    assert_eq!(ids("(first: 2)").await, (3, all[..2].to_vec()));
    assert_eq!(ids("(last: 2)").await, (3, all[1..].to_vec()));
    let (of_owner, of_other) = (format!("owner: \"{}\"", scene.key.address), format!("owner: \"{}\"", Wallet::new(3).address));
    let two = sorted(vec![scene.license.clone(), second.id.to_string()]);
    let (total, found) = ids(&format!("(filterBy: {{{of_owner}}})")).await;
    assert_eq!((total, sorted(found)), (2, two.clone()));
    let signer = format!("signer: \"{}\"", scene.key.address);
    let (total, found) = ids(&format!("(filterBy: {{{signer}}})")).await;
    assert_eq!((total, sorted(found)), (2, two));
    assert_eq!(ids(&format!("(filterBy: {{{signer}, {of_other}}})")).await, (0, vec![]));
    // Who may not sign any more is no signer, and a license that is disabled is not there.
    let now = world.clock.now();
    world.state.store.disable_license_key(&second.id, &scene.key.address, now).await.unwrap();
    assert_eq!(ids(&format!("(filterBy: {{{signer}}})")).await, (1, vec![scene.license.clone()]));
    assert_eq!(ids(&format!("(filterBy: {{signer: \"{}\"}})", Wallet::new(4).address)).await, (0, vec![]));
    world.state.store.set_client_disabled(&third.id, Some(now), now).await.unwrap();
    assert_eq!(ids(&format!("(filterBy: {{{of_other}}})")).await, (0, vec![]));
    assert_eq!(code(&world, None, &format!("{{ developerLicense(by: {{clientId: \"{}\"}}) {{ alias }} }}", third.id)).await, "NOT_FOUND");
});

const ALL: &str = "{ vehicles(first: 100) { totalCount nodes { tokenId sacds { totalCount nodes { grantee } } } } developerLicenses { totalCount nodes { clientId } } }";

on_both!(a_registry_that_is_not_public_shows_each_its_own, |world| {
    let scene = Scene::new(&world).await;
    let (browser, app) = (Browser::new(&world), App::public(&world, "app"));
    scene.grants_to(&scene.license, &did(1), "privilege:GetLiveData", &[]).await;
    scene.grants_to("app", &did(1), "privilege:GetLiveData", &[]).await;
    scene.grants_to("app", &did(2), "privilege:GetLiveData", &[]).await;
    let of_license = vehicle(&did(4), Owner::Address(scene.license.parse().unwrap()), ("Kia", "EV6", 2023));
    import(&world, vec![of_license]).await;
    scene.grants_to("web", &did(4), "privilege:GetLiveData", &[]).await;
    let nothing = json!({ "vehicles": { "totalCount": 0, "nodes": [] }, "developerLicenses": { "totalCount": 0, "nodes": [] } });
    let missing = answer(&world, None, "{ vehicle(tokenId: 99) { id } }").await;
    let vehicle_of = async |token: Option<&str>, id: u64| {
        let mut told = answer(&world, token, &format!("{{ vehicle(tokenId: {id}) {{ id }} }}")).await;
        let found = told["data"].take();
        // What is not theirs looks like what is not there, to the letter.
        assert!(found.is_object() || told["errors"] == missing["errors"], "{told}");
        found.is_object()
    };
    let which = async |token: Option<&str>| {
        let mut seen = Vec::new();
        for id in 1..=5 {
            if vehicle_of(token, id).await {
                seen.push(id);
            }
        }
        seen
    };
    assert_eq!(data(&world, None, ALL).await, nothing, "nobody");
    assert_eq!(which(None).await, [0_u64; 0]);
    let account = format!("{{ account(by: {{address: \"{}\"}}) {{ sacds {{ totalCount nodes {{ grantee }} }} }} }}", scene.owner.address);
    grants_all(&scene, "web", "privilege:GetLiveData").await;
    assert_eq!(data(&world, None, &account).await["account"]["sacds"], json!({ "totalCount": 0, "nodes": [] }));

    let nodes = |list: &[(u64, &[&str])]| -> Value {
        let node = |(id, grantees): &(u64, &[&str])| {
            let shared: Vec<Value> = grantees.iter().map(|grantee| json!({ "grantee": grantee })).collect();
            json!({ "tokenId": id, "sacds": { "totalCount": shared.len(), "nodes": shared } })
        };
        json!({ "totalCount": list.len(), "nodes": list.iter().map(node).collect::<Vec<_>>() })
    };
    let developer = scene.developer().await;
    let told = data(&world, Some(&developer), ALL).await;
    assert_eq!(
        told["vehicles"],
        nodes(&[(1, &[&scene.license]), (4, &["web"])]),
        "its own part of what is shared with it, and all of what it owns"
    );
    assert_eq!(told["developerLicenses"], json!({ "totalCount": 1, "nodes": [{ "clientId": scene.license }] }));
    assert_eq!(which(Some(&developer)).await, [1, 4]);
    let other = data(
        &world,
        Some(&developer),
        &format!("{{ vehicle(tokenId: 1) {{ sacd(grantee: \"{}\") {{ source }} }} }}", Wallet::new(5).address),
    )
    .await;
    assert_eq!(other["vehicle"]["sacd"], json!(null));
    for (filter, expected) in [
        (format!("privileged: \"{}\"", scene.license), vec![1, 4]),
        (format!("privileged: \"{}\"", scene.owner.address), vec![1]),
        (format!("owner: \"{}\"", scene.owner.address), vec![1]),
        (format!("privileged: \"{}\", owner: \"{}\"", scene.owner.address, scene.license), vec![]),
    ] {
        assert_eq!(listed(&world, Some(&developer), &filter).await, expected, "{filter}");
    }

    // A person's token is the app's: nothing of what the person owns.
    let mine = app.tokens(&browser, &scene.owner).await.access;
    let told = data(&world, Some(&mine), ALL).await;
    assert_eq!(told, json!({ "vehicles": nodes(&[(1, &["app"]), (2, &["app"])]), "developerLicenses": { "totalCount": 0, "nodes": [] } }));
    assert_eq!(which(Some(&mine)).await, [1, 2]);
    assert_eq!(data(&world, Some(&mine), &account).await["account"]["sacds"]["totalCount"], json!(0), "granted to somebody else");
    // A part of the house sees with its person's eyes.
    world.client("house", |client| client.metadata.first_party = true).await;
    let house = App::public(&world, "house").tokens(&Browser::new(&world), &scene.owner).await.access;
    let all_of_web: &[&str] = &["web"];
    let told = data(&world, Some(&house), ALL).await["vehicles"].clone();
    assert_eq!(token_ids(&told), [1, 2, 3]);
    assert_eq!(told["nodes"][2]["sacds"]["nodes"], json!([{ "grantee": all_of_web[0] }]));
    assert_eq!(which(Some(&house)).await, [1, 2, 3]);
    // What was granted on all assets is seen by whom it was granted to.
    let form = Form::of(&[("grant_type", "client_credentials")]);
    world
        .client("service", |client| {
            client.auth_method = latchkey::domain::AuthMethod::ClientSecret;
            client.secret_hash = Some(latchkey::domain::TokenHash::of(SECRET));
            client.metadata.grant_types = [latchkey::domain::GrantType::ClientCredentials].into();
        })
        .await;
    let service = Tokens::read(&App::confidential(&world, "service").token(&form).await).access;
    assert_eq!(data(&world, Some(&service), ALL).await, nothing);
    grants_all(&scene, "service", "privilege:GetLiveData").await;
    assert_eq!(which(Some(&service)).await, [1, 2, 3]);
    let sacds = json!({ "totalCount": 1, "nodes": [{ "grantee": "service" }] });
    assert_eq!(data(&world, Some(&service), &account).await["account"]["sacds"], sacds);
});

on_both!(a_token_that_is_not_good_is_refused_and_not_ignored, |world| {
    let scene = Scene::new(&world).await;
    let (browser, app) = (Browser::new(&world), App::public(&world, "app"));
    let developer = scene.developer().await;
    let mine = app.tokens(&browser, &scene.owner).await.access;
    for token in [&developer, &mine] {
        assert_eq!(data(&world, Some(token), "{ vehicles { totalCount } }").await["vehicles"]["totalCount"], json!(0));
    }
    let metadata = format!("resource_metadata=\"{ISSUER}/.well-known/oauth-protected-resource{QUERY}\"");
    let refuse = async |token: &str, why: &str| {
        let answer = send(&world, Some(token), &json!({ "query": ALL })).await;
        api_challenge::assert_wire_error(&answer, 401, "invalid_token", None);
        let challenge = answer.header("www-authenticate");
        assert!(challenge.starts_with("Bearer error=\"invalid_token\"") && challenge.ends_with(&metadata), "{why}: {challenge}");
    };
    refuse("x", "no token").await;
    refuse(&app.tokens(&browser, &scene.owner).await.id, "an ID Token").await;
    app.revoke(&mine).await;
    refuse(&mine, "revoked").await;
    world.state.store.disable_license_key(&scene.license.parse().unwrap(), &scene.key.address, world.clock.now()).await.unwrap();
    refuse(&developer, "its API key is disabled").await;
    let said = browser.get(&format!("/.well-known/oauth-protected-resource{QUERY}")).await.json();
    assert_eq!((&said["resource"], &said["authorization_servers"]), (&json!(format!("{ISSUER}{QUERY}")), &json!([ISSUER])));
});

on_one!(a_public_registry_looks_at_no_token, [PUBLIC], |world| {
    let scene = Scene::new(&world).await;
    assert_eq!(data(&world, Some("x"), "{ vehicles { totalCount } }").await["vehicles"]["totalCount"], json!(3));
    drop(scene);
});

// A request may come to a hundred statements. Each vehicle of a full page asks for five things here: did each read for itself, it would
// be refused.
on_both!(what_a_page_asks_for_is_read_at_once, [PUBLIC], |world| {
    let scene = Scene::new(&world).await;
    let owner = Owner::Address(scene.owner.address);
    import(&world, (1..=120).map(|number| vehicle(&did(number), owner, ("Ford", "Bronco", 2022))).collect()).await;
    for number in 1..=120 {
        scene.grants_to(&scene.license, &did(number), "privilege:GetLiveData", &[]).await;
    }
    let query = format!(
        "{{ vehicles(first: 100, filterBy: {{privileged: \"{0}\"}}) {{ totalCount nodes {{ tokenId definition {{ make model year }}
           sacds(first: 2) {{ totalCount nodes {{ grantee permissions }} }} more: sacds(first: 3) {{ nodes {{ grantee }} }}
           sacd(grantee: \"{0}\") {{ expiresAt }} }} pageInfo {{ hasNextPage }} }} }}",
        scene.license
    );
    let list = data(&world, None, &query).await["vehicles"].clone();
    assert_eq!((&list["totalCount"], &list["pageInfo"]["hasNextPage"]), (&json!(120), &json!(true)));
    let nodes = list["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 100);
    for node in nodes {
        assert_eq!(node["sacds"]["nodes"], json!([{ "grantee": scene.license, "permissions": "0x3000" }]), "{node}");
        assert_eq!((&node["sacds"]["totalCount"], &node["sacd"]["expiresAt"]), (&json!(1), &json!("2026-01-01T01:00:00Z")));
    }
});

on_one!(what_asks_for_too_much_is_refused, [PUBLIC], |world| {
    let scene = Scene::new(&world).await;
    let browser = Browser::new(&world);
    // Eleven counts are more than a hundred statements; ten are not.
    let counts = |many: usize| (0..many).map(|n| format!("a{n}: vehicles(first: 1) {{ totalCount }}")).collect::<Vec<_>>().join(" ");
    let refused = answer(&world, None, &format!("{{ {} }}", counts(20))).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], json!("TOO_COMPLEX"), "{refused}");
    assert_eq!(data(&world, None, &format!("{{ {} }}", counts(8))).await["a7"]["totalCount"], json!(3));
    for (query, why) in [
        ("{ vehicles(first: 100) { nodes { sacds(first: 100) { nodes { grantee permissions source } } } } }".to_owned(), "too complex"),
        (
            format!("{{ {} }}", (0..120).map(|n| format!("a{n}: vehicle(tokenId: {n}) {{ id }}")).collect::<Vec<_>>().join(" ")),
            "too complex",
        ),
        (format!("{{ __schema {{ types {{ {} name {} }} }} }}", "fields { type { ".repeat(8), "} }".repeat(8)), "nested too deep"),
        (format!("{{ {} }}", "vehicles { totalCount } ".repeat(1_500)), "longer than"),
        ("{a".repeat(4_000), "deeper than"),
        (format!("{{ vehicle(tokenId: {}1{}) {{ id }} }}", "[".repeat(2_000), "]".repeat(2_000)), "deeper than"),
        (
            (0..60).fold("{ ...f0 }".to_owned(), |query, n| format!("{query} fragment f{n} on Query {{ ...f{0} ...f{0} }}", n + 1))
                + "fragment f60 on Query { __typename }",
            "fields",
        ),
    ] {
        let told = answer(&world, None, &query).await;
        let said = told["errors"][0]["message"].as_str().unwrap_or_default().to_lowercase();
        assert!(told["data"].is_null() && said.contains(why), "{query:.80}: {told}");
    }
    // Tools may ask what there is.
    let schema = data(&world, None, INTROSPECTION).await;
    let types: Vec<&str> = schema["__schema"]["types"].as_array().unwrap().iter().map(|kind| kind["name"].as_str().unwrap()).collect();
    for kind in ["Vehicle", "VehicleConnection", "Sacd", "DeveloperLicense", "Address", "Time", "BigInt"] {
        assert!(types.contains(&kind), "{kind}: {types:?}");
    }
    // What is no GraphQL request is told in the form of all APIs.
    for (kind, body) in [
        ("application/json", "{".to_owned()),
        ("application/json", "[]".to_owned()),
        ("application/json", "{}".to_owned()),
        ("application/json", format!("{{\"query\": \"{{a}}\", \"variables\": {}1{}}}", "[".repeat(5_000), "]".repeat(5_000))),
        ("application/json", format!("{{\"query\": \"{}\"}}", "x".repeat(70_000))),
        ("text/plain", json!({ "query": ALL }).to_string()),
        ("application/graphql", ALL.to_owned()),
    ] {
        let request = browser.bare(Method::POST, QUERY).header("content-type", kind).body(body);
        api_challenge::assert_wire_error(&browser.send(request).await, 400, "invalid_request", None);
    }
    let by_get = browser.send(browser.bare(Method::GET, &format!("{QUERY}?query={{__typename}}"))).await;
    assert_eq!((by_get.status, by_get.header("allow")), (405, "POST"));
    drop(scene);
});

/// What the tools of others send, as deep as they go.
const INTROSPECTION: &str = "query IntrospectionQuery { __schema { queryType { name } mutationType { name } subscriptionType { name } types { ...FullType }
    directives { name description locations args { ...InputValue } } } }
    fragment FullType on __Type { kind name description fields(includeDeprecated: true) { name description args { ...InputValue } type { ...TypeRef }
      isDeprecated deprecationReason } inputFields { ...InputValue } interfaces { ...TypeRef }
      enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
    fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
    fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
      ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";

// A list that cannot be read is no empty list.
on_one!(an_outage_is_no_answer, [PUBLIC], |world| {
    let scene = Scene::new(&world).await;
    world.state.store.close().await;
    let answer = send(&world, None, &json!({ "query": ALL })).await;
    assert_eq!((answer.status, answer.header("retry-after").is_empty()), (503, false), "{}", answer.body);
    drop(scene);
});
