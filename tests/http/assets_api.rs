//! `/v1/assets`: what owners have and apps are let see; claimed, passed on, and brought in by the operator's own client.

use latchkey::domain::AssetDid;
use reqwest::Method;
use serde_json::{Value, json};

use crate::actors::{Answer, Browser, Wallet};
use crate::exchange::{Scene, did, person};
use crate::grants_api::{assert_problem, call, get, house, machine, own, persons};
use crate::on_both;

const LIVE: &str = "privilege:GetLiveData";
const SCOPES: &str = "openid assets:read assets:write grants:read grants:write";

fn dids(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["assets"].as_array().unwrap().iter().map(|asset| asset["did"].as_str().unwrap().to_owned()).collect()
}

on_both!(owners_see_theirs_and_apps_what_is_shared, |world| {
    let scene = Scene::new(&world).await;
    world.client("machine", machine("assets:read", false)).await;
    house(&world).await;
    let (owner, other) = (
        persons(&world, "app", &scene.owner, "openid assets:read").await,
        persons(&world, "app", &Wallet::new(2), "openid assets:read").await,
    );
    let app = own(&world, "machine").await;
    let all = dids(&get(&world, "/v1/assets", &owner).await);
    assert_eq!(all.len(), 4);
    assert_eq!((dids(&get(&world, "/v1/assets", &other).await).len(), dids(&get(&world, "/v1/assets", &app).await).len()), (0, 0));
    let grant = scene.grants_to("machine", &did(2), LIVE, &[]).await;
    assert_eq!(dids(&get(&world, "/v1/assets", &app).await), [did(2)]);
    // Of an asset an app sees what kind of thing it is and what it may do; its owner all of it.
    let shared = get(&world, &format!("/v1/assets/{}", did(2)), &app).await.json();
    let expected = json!({ "did": did(2), "make": null, "model": null, "year": null, "powertrain": null, "permissions": [LIVE] });
    assert_eq!(shared, expected);
    let whole = get(&world, &format!("/v1/assets/{}", did(2).to_lowercase()), &owner).await.json();
    assert_eq!((&whole["did"], &whole["owner"]), (&json!(did(2)), &json!(scene.owner.address.to_string())));
    // Not theirs, and not there: the same words.
    for token in [&app, &other] {
        let mut words = Vec::new();
        for asset in [did(1), did(999), did(1).replace("erc721:137", "erc721:1")] {
            let answer = get(&world, &format!("/v1/assets/{asset}"), token).await;
            assert_problem(&answer, 404, None);
            words.push(answer.json()["detail"].clone());
        }
        assert!(words.iter().all(|told| *told == words[0]), "{words:?}");
        for bad in ["x", "did:erc721:137:0x1:1", "did:erc721:137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF:-1"] {
            assert_problem(&get(&world, &format!("/v1/assets/{bad}"), token).await, 400, Some("did"));
        }
    }
    scene.ends(&grant).await;
    assert_problem(&get(&world, &format!("/v1/assets/{}", did(2)), &app).await, 404, None);
    // Page by page.
    let mut seen = Vec::new();
    let mut path = "/v1/assets?limit=3".to_owned();
    loop {
        let page = get(&world, &path, &owner).await;
        seen.extend(dids(&page));
        let Some(next) = page.json()["next"].as_str().map(str::to_owned) else { break };
        path = format!("/v1/assets?limit=3&cursor={next}");
    }
    assert_eq!(seen, all);
    assert_eq!(dids(&get(&world, "/v1/assets?method=ethr", &owner).await).len(), 1);
    for (query, member) in [("cursor=zzz", "cursor"), ("method=x", "method"), ("year=x", "year"), ("limit=1000", "limit")] {
        assert_problem(&get(&world, &format!("/v1/assets?{query}"), &owner).await, 400, Some(member));
    }
    // Without the scope there is nothing at all.
    let bare = persons(&world, "house", &scene.owner, "openid").await;
    assert_problem(&get(&world, "/v1/assets", &bare).await, 403, None);
});

on_both!(an_owner_passes_an_asset_on_by_an_app_of_the_house_alone, |world| {
    let scene = Scene::new(&world).await;
    house(&world).await;
    let (taker, license) = (Wallet::new(2), scene.license.clone());
    person(&world, &taker).await;
    scene.grants_to(&license, &did(1), LIVE, &[]).await;
    let path = format!("/v1/assets/{}/transfer", did(1));
    let body = json!({ "to": taker.address.to_string().to_lowercase() });
    let at_app = persons(&world, "app", &scene.owner, SCOPES).await;
    assert_problem(&call(&world, Method::POST, &path, &at_app, Some(&body)).await, 403, None);
    let others = persons(&world, "house", &taker, SCOPES).await;
    let mine = persons(&world, "house", &scene.owner, SCOPES).await;
    // Somebody else's, and one that is not there.
    for asset in [did(1), did(999)] {
        assert_problem(&call(&world, Method::POST, &format!("/v1/assets/{asset}/transfer"), &others, Some(&body)).await, 404, None);
    }
    for (wrong, member) in [
        (json!({ "to": "0x12" }), Some("to")),
        (json!({ "to": taker.address.to_string(), "asset": did(2) }), Some("asset")),
        (json!({ "to": format!("0x{}", "0".repeat(40)) }), Some("to")),
        (json!({ "to": taker.address.to_string(), "extra": 1 }), None),
    ] {
        assert_problem(&call(&world, Method::POST, &path, &mine, Some(&wrong)).await, 400, member);
    }
    let developer = scene.developer().await;
    let ask = json!({ "asset": did(1), "permissions": [LIVE] });
    assert_eq!(scene.exchange(&developer, &ask).await.status, 200);
    let given = call(&world, Method::POST, &path, &mine, Some(&body)).await;
    assert_eq!((given.status, given.json()), (200, json!({ "did": did(1), "owner": taker.address.to_string() })));
    assert_eq!(scene.exchange(&developer, &ask).await.json()["reason"], "owner_changed");
    // Once it is given it is theirs, and not one's own any more.
    assert_problem(&call(&world, Method::POST, &path, &mine, Some(&body)).await, 404, None);
    assert_eq!(dids(&get(&world, "/v1/assets", &others).await), [did(1)]);
    let again = json!({ "asset": did(1), "grantee": license, "permissions": [LIVE] });
    assert_problem(&call(&world, Method::POST, "/v1/grants", &mine, Some(&again)).await, 404, Some("asset"));
    assert_eq!(call(&world, Method::POST, "/v1/grants", &others, Some(&again)).await.status, 201);
    assert_eq!(scene.exchange(&developer, &ask).await.status, 200);
});

on_both!(the_operators_client_brings_assets_in_and_owners_claim_them, |world| {
    let scene = Scene::new(&world).await;
    world.client("importer", machine("assets:write", true)).await;
    world.client("stranger", machine("assets:write", false)).await;
    let entries = json!([
        { "did": did(10), "make": "Ford", "attributes": { "vin": "1" } },
        { "did": did(11), "owner": scene.owner.address.to_string() },
    ]);
    for token in [own(&world, "stranger").await, persons(&world, "app", &scene.owner, SCOPES).await] {
        assert_problem(&call(&world, Method::POST, "/v1/assets", &token, Some(&entries)).await, 403, None);
    }
    let importer = own(&world, "importer").await;
    let done = call(&world, Method::POST, "/v1/assets", &importer, Some(&entries)).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let told = done.json();
    assert_eq!((&told["assets"][0]["outcome"], &told["assets"][1]), (&json!("created"), &json!({ "did": did(11), "outcome": "created" })));
    let code = told["assets"][0]["claim_code"].as_str().unwrap().to_owned();
    // The same by lines; nothing at all where one of them is wrong or somebody else's.
    let lines = |text: String| {
        let browser = Browser::new(&world);
        let token = importer.clone();
        async move {
            let request = browser.bare(Method::POST, "/v1/assets").bearer_auth(token).header("content-type", "application/x-ndjson");
            browser.send(request.body(text)).await
        }
    };
    let good = lines(format!("{}\n{}\n", json!({ "did": did(12) }), json!({ "did": did(11), "model": "T" }))).await;
    assert_eq!((good.status, &good.json()["assets"][1]["outcome"]), (200, &json!("updated")), "{}", good.body);
    let bad = lines(format!("{}\n{}\n", json!({ "did": did(13) }), json!({ "did": did(14), "year": 0 }))).await;
    assert_problem(&bad, 400, None);
    assert!(bad.json()["detail"].as_str().unwrap().contains("line 2"), "{}", bad.body);
    let other = json!([{ "did": did(13) }, { "did": did(11), "owner": Wallet::new(3).address.to_string() }]);
    assert_problem(&call(&world, Method::POST, "/v1/assets", &importer, Some(&other)).await, 409, None);
    assert!(world.state.store.asset(&did(13).parse::<AssetDid>().unwrap()).await.unwrap().is_none());
    for wrong in
        [json!([]), json!({ "did": did(13) }), json!([1]), json!([{ "did": did(13), "owner": "0199aabb-0000-7000-8000-000000000001" }])]
    {
        assert_eq!(call(&world, Method::POST, "/v1/assets", &importer, Some(&wrong)).await.status, 400, "{wrong}");
    }
    // The code works once, for whoever has it.
    let taker = persons(&world, "app", &Wallet::new(2), SCOPES).await;
    for wrong in ["x", &code.to_uppercase()] {
        assert_problem(&call(&world, Method::POST, "/v1/assets/claim", &taker, Some(&json!({ "code": wrong }))).await, 404, Some("code"));
    }
    assert_problem(&call(&world, Method::POST, "/v1/assets/claim", &importer, Some(&json!({ "code": code }))).await, 403, None);
    let claimed = call(&world, Method::POST, "/v1/assets/claim", &taker, Some(&json!({ "code": code }))).await;
    let asset: Value = claimed.json();
    assert_eq!(
        (claimed.status, &asset["did"], &asset["attributes"], &asset["owner"]),
        (200, &json!(did(10)), &json!({ "vin": "1" }), &json!(null))
    );
    for token in [&taker, &persons(&world, "app", &Wallet::new(3), SCOPES).await] {
        assert_problem(&call(&world, Method::POST, "/v1/assets/claim", token, Some(&json!({ "code": code }))).await, 404, Some("code"));
    }
    assert_eq!(dids(&get(&world, "/v1/assets", &taker).await), [did(10)]);
});
