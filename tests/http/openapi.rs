//! `/openapi.json`: what it says of bodies and answers is what is taken and answered.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::actors::Browser;
use crate::exchange::{Scene, did};
use crate::grants_api::{call, get, house, machine, own, persons};
use crate::on_one;
use crate::world::ISSUER;

const LIVE: &str = "privilege:GetLiveData";

fn properties(document: &Value, name: &str) -> BTreeSet<String> {
    let properties = document["components"]["schemas"][name]["properties"].as_object();
    properties.unwrap_or_else(|| panic!("no schema {name}")).keys().cloned().collect()
}

// An answer has all that is required, and nothing that the document does not know.
#[track_caller]
fn assert_fits(document: &Value, name: &str, answer: &Value) {
    let (known, members) = (properties(document, name), answer.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>());
    assert!(members.is_subset(&known), "{name}: {:?} are not in the document", members.difference(&known));
    for required in document["components"]["schemas"][name]["required"].as_array().unwrap() {
        assert!(members.contains(required.as_str().unwrap()), "{name} has no {required}: {answer}");
    }
}

on_one!(the_document_says_what_is_taken_and_answered, |world| {
    let answer = Browser::new(&world).get("/openapi.json").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    let document = answer.json();
    assert_eq!((&document["openapi"], &document["servers"][0]["url"]), (&json!("3.1.0"), &json!(ISSUER)));

    let scene = Scene::new(&world).await;
    house(&world).await;
    world.client("importer", machine("assets:write", true)).await;
    let scopes = "openid grants:read grants:write assets:read assets:write";
    let token = persons(&world, "house", &scene.owner, scopes).await;
    // Every member that the document has for a body is taken, and no other.
    let new = json!({
        "asset": did(1), "grantee": scene.license, "permissions": [LIVE], "events": [{ "event_type": "*", "source": "*", "ids": ["*"], "tags": ["*"] }],
        "effective_at": "2026-01-01T00:00:00Z", "expires_at": "2026-02-01T00:00:00Z", "template": null,
    });
    assert_eq!(properties(&document, "NewGrant"), new.as_object().unwrap().keys().cloned().collect());
    let made = call(&world, Method::POST, "/v1/grants", &token, Some(&new)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let grant = made.json();
    assert_eq!(properties(&document, "Grant"), grant.as_object().unwrap().keys().cloned().collect());
    assert_eq!(properties(&document, "EventFilter"), grant["events"][0].as_object().unwrap().keys().cloned().collect());
    let path = format!("/v1/grants/{}", grant["id"].as_str().unwrap());
    let change = json!({ "permissions": [LIVE], "events": [], "expires_at": "2026-02-01T00:00:00Z" });
    assert_eq!(properties(&document, "GrantChange"), change.as_object().unwrap().keys().cloned().collect());
    assert_eq!(call(&world, Method::PATCH, &path, &token, Some(&change)).await.status, 200);
    let history = get(&world, &format!("{path}/history"), &token).await.json();
    assert_fits(&document, "GrantHistory", &history);
    assert_eq!(properties(&document, "GrantEvent"), history["history"][0].as_object().unwrap().keys().cloned().collect());
    assert_fits(&document, "Grants", &get(&world, "/v1/grants?limit=1", &token).await.json());
    let assets = get(&world, "/v1/assets?limit=1", &token).await.json();
    assert_fits(&document, "Assets", &assets);
    assert_fits(&document, "Asset", &assets["assets"][0]);
    assert_fits(&document, "Problem", &get(&world, "/v1/grants?limit=0", &token).await.json());

    let developer = scene.developer().await;
    let exchanged = scene.exchange(&developer, &json!({ "asset": did(1), "permissions": [LIVE], "partial": true })).await;
    assert_fits(&document, "ExchangedToken", &exchanged.json());
    assert_fits(&document, "Error", &scene.exchange(&developer, &json!({ "asset": did(2), "permissions": [LIVE] })).await.json());
    let question = |asset: &str| {
        json!({
            "subject": { "type": "client", "id": scene.license }, "resource": { "type": "asset", "id": asset }, "action": { "name": LIVE },
        })
    };
    for asset in [did(1), did(2)] {
        let decision = call(&world, Method::POST, "/access/v1/evaluation", &developer, Some(&question(&asset))).await.json();
        assert_fits(&document, "Decision", &decision);
        let context = document["components"]["schemas"]["Decision"]["properties"]["context"]["properties"].as_object().unwrap();
        assert!(decision["context"].as_object().unwrap().keys().all(|name| context.contains_key(name)), "{decision}");
    }
    let import = json!({
        "did": did(20), "owner": null, "make": "Ford", "model": null, "year": 2020, "powertrain": null, "name": null, "attributes": {},
        "minted_at": "2026-01-01T00:00:00Z",
    });
    assert_eq!(properties(&document, "AssetImport"), import.as_object().unwrap().keys().cloned().collect());
    let done = call(&world, Method::POST, "/v1/assets", &own(&world, "importer").await, Some(&json!([import]))).await.json();
    assert_fits(&document, "ImportedAssets", &done);
    assert_eq!(properties(&document, "ImportedAsset"), done["assets"][0].as_object().unwrap().keys().cloned().collect());
    let code = json!({ "code": done["assets"][0]["claim_code"] });
    assert_fits(&document, "Asset", &call(&world, Method::POST, "/v1/assets/claim", &token, Some(&code)).await.json());
    let to = json!({ "to": format!("0x{}", "1".repeat(40)), "asset": did(1) });
    assert_eq!(properties(&document, "Transfer"), to.as_object().unwrap().keys().cloned().collect());
    let given = call(&world, Method::POST, &format!("/v1/assets/{}/transfer", did(1)), &token, Some(&to)).await;
    assert_fits(&document, "Transferred", &given.json());
});
