//! Decisions for services (AuthZEN Authorization API 1.0): the decision of the exchange, for whoever may ask.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::actors::{Answer, Browser, basic};
use crate::exchange::{Scene, did};
use crate::grants_api::{assert_problem, call, machine, own, persons};
use crate::world::{ISSUER, SECRET, World};
use crate::{on_both, on_one};

const ONE: &str = "/access/v1/evaluation";
const MANY: &str = "/access/v1/evaluations";
const LIVE: &str = "privilege:GetLiveData";
const DRIVE: &str = "privilege:ExecuteCommands";

const FILE: &str = r#"
[[resources]]
uri = "https://telemetry.example"
name = "Telemetry"
clients = ["telemetry"]
"#;

fn question(client: &str, asset: &str, action: &str) -> Value {
    json!({
        "subject": { "type": "client", "id": client },
        "resource": { "type": "asset", "id": asset },
        "action": { "name": action },
        "context": { "ip": "192.0.2.1" },
    })
}

async fn ask(world: &World, token: &str, body: &Value) -> Value {
    let answer = call(world, Method::POST, ONE, token, Some(body)).await;
    assert_eq!(
        (answer.status, answer.header("content-type"), answer.header("cache-control")),
        (200, "application/json", "no-store"),
        "{}",
        answer.body
    );
    answer.json()
}

on_both!(a_decision_is_that_of_the_exchange_at_this_moment, [("FILE", FILE)], |world| {
    let scene = Scene::new(&world).await;
    world.client("telemetry", machine("grants:read", false)).await;
    let (server, developer) = (own(&world, "telemetry").await, scene.developer().await);
    let asked = question(&scene.license, &did(1), LIVE);
    let refused = |reason: &str| json!({ "decision": false, "context": { "reason": reason } });
    for token in [&server, &developer] {
        assert_eq!(ask(&world, token, &asked).await, refused("not_shared"));
        assert_eq!(ask(&world, token, &question(&scene.license, &did(999), LIVE)).await, refused("not_shared"));
    }
    assert_eq!(ask(&world, &server, &question("nobody", &did(1), LIVE)).await, refused("not_shared"));
    let grant = scene.grants_to(&scene.license, &did(1), LIVE, &[]).await;
    for token in [&server, &developer] {
        assert_eq!(ask(&world, token, &asked).await, json!({ "decision": true, "context": { "expires_at": "2026-01-01T01:00:00Z" } }));
        for action in [DRIVE, "privilege:Unheard"] {
            assert_eq!(ask(&world, token, &question(&scene.license, &did(1), action)).await, refused("missing_permissions"));
        }
    }
    scene.ends(&grant).await;
    assert_eq!(ask(&world, &server, &asked).await, refused("revoked"));
    scene.grants_for(&scene.license, &did(2), LIVE, &[], Duration::from_mins(5)).await;
    world.clock.advance(Duration::from_mins(5));
    assert_eq!(ask(&world, &server, &question(&scene.license, &did(2), LIVE)).await, refused("expired"));
});

on_both!(a_client_learns_of_itself_and_servers_of_resources_of_all, [("FILE", FILE)], |world| {
    let scene = Scene::new(&world).await;
    world.client("telemetry", machine("grants:read", false)).await;
    world.client("machine", machine("grants:read", false)).await;
    scene.grants_to(&scene.license, &did(1), LIVE, &[]).await;
    let (server, machine_token) = (own(&world, "telemetry").await, own(&world, "machine").await);
    let asked = question(&scene.license, &did(1), LIVE);
    assert_eq!(ask(&world, &server, &asked).await["decision"], json!(true));
    assert_problem(&call(&world, Method::POST, ONE, &machine_token, Some(&asked)).await, 403, Some("subject"));
    assert_eq!(ask(&world, &machine_token, &question("machine", &did(1), LIVE)).await["decision"], json!(false));
    let browser = Browser::new(&world);
    let by = |authorization: Option<String>| {
        let request = browser.bare(Method::POST, ONE).header("content-type", "application/json").body(asked.to_string());
        if let Some(value) = authorization { request.header("authorization", value) } else { request }
    };
    let good = browser.send(by(Some(basic("telemetry", SECRET))).header("x-request-id", "their own")).await;
    assert_eq!((good.status, &good.json()["decision"], good.header("x-request-id")), (200, &json!(true), "their own"));
    assert_ne!(browser.send(by(Some(basic("telemetry", SECRET)))).await.header("x-request-id"), "");
    // Who proves nothing, or is a person, or is public, learns nothing.
    let person = persons(&world, "app", &scene.owner, "openid grants:read").await;
    for authorization in [
        None,
        Some(basic("telemetry", "wrong")),
        Some(basic("app", "")),
        Some(basic(&scene.license, "")),
        Some(format!("Bearer {person}")),
        Some("Bearer x".to_owned()),
    ] {
        assert_problem(&browser.send(by(authorization)).await, 401, None);
    }
    world.state.store.set_client_disabled(&"telemetry".parse().unwrap(), Some(world.clock.now()), world.clock.now()).await.unwrap();
    assert_problem(&call(&world, Method::POST, ONE, &server, Some(&asked)).await, 401, None);
});

on_both!(a_batch_ends_where_it_is_told_to, [("FILE", FILE)], |world| {
    let scene = Scene::new(&world).await;
    scene.grants_to(&scene.license, &did(1), LIVE, &[]).await;
    let developer = scene.developer().await;
    let batch = |semantic: Option<&str>| {
        let mut body = question(&scene.license, &did(1), LIVE);
        body["evaluations"] = json!([
            {},
            { "action": { "name": DRIVE } },
            { "resource": { "type": "asset", "id": did(2) } },
            { "subject": { "type": "client", "id": "app" } },
            { "resource": { "type": "asset", "id": "x" } },
            {},
        ]);
        if let Some(semantic) = semantic {
            body["options"] = json!({ "evaluations_semantic": semantic });
        }
        body
    };
    let decide = async |semantic| {
        let answer: Answer = call(&world, Method::POST, MANY, &developer, Some(&batch(semantic))).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["evaluations"].as_array().unwrap().clone()
    };
    let all = decide(None).await;
    let decisions: Vec<bool> = all.iter().map(|one| one["decision"].as_bool().unwrap()).collect();
    assert_eq!(decisions, [true, false, false, false, false, true]);
    let errors: Vec<&Value> = all.iter().map(|one| &one["context"]["error"]["status"]).collect();
    assert_eq!(errors[3..5], [&json!(403), &json!(400)]);
    assert_eq!(decide(Some("execute_all")).await, all);
    assert_eq!(decide(Some("deny_on_first_deny")).await, all[..2]);
    assert_eq!(decide(Some("permit_on_first_permit")).await, all[..1]);
    // Without a list it is one question.
    let one = call(&world, Method::POST, MANY, &developer, Some(&question(&scene.license, &did(1), LIVE))).await;
    assert_eq!(one.json()["decision"], json!(true));
    for (member, value) in [("evaluations", json!(vec![json!({}); 51])), ("subject", json!(null))] {
        let mut body = question(&scene.license, &did(1), LIVE);
        body[member] = value;
        assert_problem(&call(&world, Method::POST, MANY, &developer, Some(&body)).await, 400, Some(member));
    }
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let browser = Browser::new(&world);
    for path in [ONE, MANY] {
        let request = browser.bare(Method::POST, path).bearer_auth(&developer).header("content-type", "application/json");
        assert_problem(&browser.send(request.body(deep.clone())).await, 400, None);
    }
});

on_one!(services_find_the_decisions, |world| {
    let said = Browser::new(&world).get("/.well-known/authzen-configuration").await;
    assert_eq!(
        (said.status, said.json()),
        (
            200,
            json!({
                "policy_decision_point": ISSUER,
                "access_evaluation_endpoint": format!("{ISSUER}{ONE}"),
                "access_evaluations_endpoint": format!("{ISSUER}{MANY}"),
            })
        )
    );
});
