//! The token exchange at `/token` (RFC 8693), and what introspection and revocation say of asset tokens.

use std::time::Duration;

use latchkey::domain::{AuthMethod, EventFilter, GrantType, TokenHash};
use latchkey::store::ClientRecord;
use serde_json::{Value, json};

use crate::actors::{Answer, App, Browser, Form, Tokens, Wallet, decode};
use crate::exchange::{Scene, did, person};
use crate::world::{ISSUER, SECRET};
use crate::{on_both, on_one};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const LIVE: &str = "privilege:GetLiveData";
const BOTH: &str = "privilege:GetLiveData privilege:GetLocationHistory";

const FILE: &str = r#"
[[resources]]
uri = "https://api.example"
name = "The API"
scopes = { "api:use" = "Use the API for you" }
clients = ["api"]

[[resources]]
uri = "https://telemetry.example"
name = "Telemetry"
clients = ["telemetry"]
asset_audiences = ["dimo.zone"]
"#;

fn form(client: &str, token: &str, asset: &str, scope: &str) -> Form {
    Form::of(&[
        ("grant_type", GRANT),
        ("client_id", client),
        ("subject_token", token),
        ("subject_token_type", ACCESS_TOKEN),
        ("resource", asset),
        ("scope", scope),
    ])
}

fn may_exchange(client: &mut ClientRecord) {
    client.metadata.grant_types.insert(GrantType::TokenExchange);
}

fn server(client: &mut ClientRecord) {
    client.auth_method = AuthMethod::ClientSecret;
    client.secret_hash = Some(TokenHash::of(SECRET));
    client.metadata.grant_types = [GrantType::ClientCredentials, GrantType::TokenExchange].into();
}

async fn own_token(app: &App<'_>) -> String {
    Tokens::read(&app.token(&Form::of(&[("grant_type", "client_credentials")])).await).access
}

fn assert_error(answer: &Answer, error: &str) -> Value {
    let told = answer.json();
    assert_eq!((answer.status, &told["error"]), (400, &json!(error)), "{told}");
    told
}

on_both!(a_license_exchanges_its_token_at_the_token_endpoint, |world| {
    let scene = Scene::new(&world).await;
    scene.grants_to(&scene.license, &did(1), BOTH, &[EventFilter::any()]).await;
    let (token, license) = (scene.developer().await, App::public(&world, &scene.license));
    let answer = license.token(&form(&scene.license, &token, &did(1), BOTH)).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{}", answer.body);
    let reply = answer.json();
    let members: std::collections::BTreeSet<&str> = reply.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = ["access_token", "authorization_details", "expires_in", "issued_token_type", "scope", "token_type"];
    assert_eq!(members, expected.into(), "and no refresh token");
    assert_eq!(
        (&reply["issued_token_type"], &reply["token_type"], &reply["expires_in"], &reply["scope"]),
        (&json!(ACCESS_TOKEN), &json!("Bearer"), &json!(600), &json!(BOTH))
    );
    assert_eq!(
        reply["authorization_details"],
        json!([{ "type": "asset_access", "assets": [did(1)], "actions": BOTH.split(' ').collect::<Vec<_>>() }])
    );
    let claims = decode(reply["access_token"].as_str().unwrap()).1;
    assert_eq!(
        (&claims["iss"], &claims["sub"], &claims["aud"]),
        (&json!(format!("{ISSUER}/assets")), &json!(scene.license), &json!(["dimo.zone"]))
    );
    assert_eq!((&claims["asset"], claims.get("act")), (&json!(did(1)), None));

    let detail =
        json!([{ "type": "asset_access", "assets": [did(1)], "actions": [LIVE], "events": [{ "event_type": "dimo.attestation" }] }]);
    let by_details = form(&scene.license, &token, &did(1), "").without("scope").with("authorization_details", &detail.to_string());
    let reply = license.token(&by_details.with("requested_token_type", JWT)).await.json();
    assert_eq!((&reply["issued_token_type"], &reply["scope"]), (&json!(JWT), &json!(LIVE)));
    assert_eq!(reply["authorization_details"][0]["events"][0]["event_type"], json!("dimo.attestation"));
    let claims = decode(reply["access_token"].as_str().unwrap()).1;
    assert_eq!(claims["cloud_events"]["events"][0]["event_type"], json!("dimo.attestation"));

    // Nothing more than the grant, and each refusal says why.
    let told = assert_error(
        &license.token(&form(&scene.license, &token, &did(1), &format!("{LIVE} privilege:ExecuteCommands"))).await,
        "invalid_scope",
    );
    assert_eq!(
        (&told["reason"], &told["missing"], &told["granted"]),
        (&json!("missing_permissions"), &json!(["privilege:ExecuteCommands"]), &json!([LIVE]))
    );
    for asset in [did(2), did(99)] {
        let told = assert_error(&license.token(&form(&scene.license, &token, &asset, LIVE)).await, "invalid_target");
        assert_eq!((&told["reason"], &told["granted"]), (&json!("not_shared"), &json!([])));
    }
    let bank = form(&scene.license, &token, &did(1), LIVE).with("audience", "https://bank.example");
    assert_error(&license.token(&bank).await, "invalid_target");
});

on_both!(only_a_clients_own_living_token_is_exchanged, |world| {
    let scene = Scene::new(&world).await;
    let (browser, license) = (Browser::new(&world), App::public(&world, &scene.license));
    world.client("exchanging", may_exchange).await;
    let (app, plain) = (App::public(&world, "exchanging"), App::public(&world, "app"));
    for client in [scene.license.as_str(), "exchanging", "app"] {
        scene.grants_to(client, &did(1), BOTH, &[]).await;
    }
    let developer = scene.developer().await;
    let tokens = app.offline_tokens(&browser, &scene.owner).await;
    let asking = |token: &str| form("exchanging", token, &did(1), LIVE);
    assert_eq!(app.token(&asking(&tokens.access)).await.status, 200);
    let not_registered = plain.token(&form("app", &plain.tokens(&browser, &scene.owner).await.access, &did(1), LIVE)).await;
    assert_error(&not_registered, "unauthorized_client");
    // Another client's token gives neither what that client was granted nor what the caller was.
    assert_error(&app.token(&asking(&developer)).await, "invalid_request");
    assert_error(&license.token(&form(&scene.license, &tokens.access, &did(1), LIVE)).await, "invalid_request");
    // An asset token cannot be exchanged again, also not for less.
    let asset_token = Tokens::read(&app.token(&asking(&tokens.access)).await).access;
    let told = assert_error(&app.token(&asking(&asset_token)).await, "invalid_request");
    assert!(told["error_description"].as_str().unwrap().contains("cannot be exchanged again"), "{told}");
    for wrong in [tokens.id.as_str(), tokens.refresh.as_str(), "x"] {
        assert_error(&app.token(&asking(wrong)).await, "invalid_request");
    }
    app.revoke(&tokens.access).await;
    assert_error(&app.token(&asking(&tokens.access)).await, "invalid_request");
    let refreshed = Tokens::read(&app.refresh(&tokens.refresh).await).access;
    assert_eq!(app.token(&asking(&refreshed)).await.status, 200);
    world.clock.advance(Duration::from_hours(1));
    assert_error(&app.token(&asking(&refreshed)).await, "invalid_request");
    assert_eq!(license.token(&form(&scene.license, &developer, &did(1), LIVE)).await.json()["reason"], json!("expired"));
    // An owner that merely signed in gives nothing by this door either.
    let again = app.tokens(&browser, &scene.owner).await.access;
    assert_eq!(assert_error(&app.token(&form("exchanging", &again, &did(2), LIVE)).await, "invalid_target")["reason"], json!("not_shared"));
});

on_both!(who_acts_for_another_is_named_and_gets_what_was_granted_to_itself, [("FILE", FILE)], |world| {
    let scene = Scene::new(&world).await;
    world.client("api", server).await;
    world.client("other", server).await;
    let (app, api, other) = (App::public(&world, "app"), App::confidential(&world, "api"), App::confidential(&world, "other"));
    let browser = Browser::new(&world);
    let back = browser.authorize(&app.request().with("scope", "openid api:use").and("resource", "https://api.example"), &scene.owner).await;
    let tokens = Tokens::read(&app.redeem(&back.query("code").unwrap()).await);
    let (subject, actor, strange) = (tokens.access.as_str(), own_token(&api).await, own_token(&other).await);
    let asking = |actor: Option<&str>| {
        let form = form("api", subject, &did(1), LIVE);
        actor.map_or(form.clone(), |token| form.with("actor_token", token).with("actor_token_type", ACCESS_TOKEN))
    };
    // What was granted to the app is not the API's, and the owner's own authority is nobody's.
    scene.grants_to("app", &did(1), BOTH, &[]).await;
    assert_eq!(assert_error(&api.token(&asking(Some(&actor))).await, "invalid_target")["reason"], json!("not_shared"));
    scene.grants_to("api", &did(1), LIVE, &[]).await;
    let token = Tokens::read(&api.token(&asking(Some(&actor))).await).access;
    let claims = decode(&token).1;
    assert_eq!(
        (&claims["client_id"], &claims["sub"], &claims["act"]),
        (&json!("api"), &tokens.claims().0["sub"], &json!({ "sub": "api" }))
    );
    assert_eq!(claims["permissions"], json!([LIVE]));
    // Only with a token of its own, and only with what was sent to it.
    assert_error(&api.token(&asking(None)).await, "invalid_request");
    assert_error(&api.token(&asking(Some(&strange))).await, "invalid_request");
    assert_error(&api.token(&asking(Some(subject))).await, "invalid_request");
    assert_error(&api.token(&asking(Some(&token))).await, "invalid_request");
    scene.grants_to("other", &did(1), LIVE, &[]).await;
    let not_sent = asking(Some(&strange)).with("client_id", "other");
    assert_error(&other.token(&not_sent).await, "invalid_request");

    assert_eq!(api.introspect(&token).await.json()["act"], json!({ "sub": "api" }));
    app.revoke(subject).await;
    assert_eq!(api.introspect(&token).await.body, r#"{"active":false}"#, "it acts for nobody now");
    assert_error(&api.token(&asking(Some(&actor))).await, "invalid_request");
});

on_both!(introspection_answers_from_the_grant_as_it_is_now, [("FILE", FILE)], |world| {
    let scene = Scene::new(&world).await;
    for id in ["telemetry", "api", "web-license"] {
        world.client(id, server).await;
    }
    let (telemetry, api) = (App::confidential(&world, "telemetry"), App::confidential(&world, "api"));
    let client = App::confidential(&world, "web-license");
    let own = own_token(&client).await;
    let token = async |scope: &str| Tokens::read(&client.token(&form("web-license", &own, &did(1), scope)).await).access;
    let inactive = async |token: &str, why: &str| assert_eq!(telemetry.introspect(token).await.body, r#"{"active":false}"#, "{why}");
    let grant = scene.grants_to("web-license", &did(1), BOTH, &[]).await;
    let (both, live) = (token(BOTH).await, token(LIVE).await);
    let told = telemetry.introspect(&both).await.json();
    let claims = decode(&both).1;
    assert_eq!(
        told,
        json!({
            "active": true, "scope": BOTH, "client_id": "web-license", "sub": "web-license", "aud": ["dimo.zone"], "iss": format!("{ISSUER}/assets"),
            "exp": claims["exp"], "iat": claims["iat"], "nbf": claims["nbf"], "jti": claims["jti"], "token_type": "Bearer", "asset": did(1),
            "permissions": BOTH.split(' ').collect::<Vec<_>>(), "cloud_events": { "events": [] },
        })
    );
    assert_eq!(client.introspect(&both).await.json()["active"], true, "the client that it was given to");
    assert_eq!(api.introspect(&both).await.body, r#"{"active":false}"#, "no server of its audience");

    // Less than it says is not what it says; what it says less lives on.
    scene.ends(&grant).await;
    inactive(&both, "revoked").await;
    scene.grants_to("web-license", &did(1), LIVE, &[]).await;
    inactive(&both, "narrowed").await;
    assert_eq!(telemetry.introspect(&live).await.json()["active"], true);
    client.revoke(&live).await;
    inactive(&live, "revoked by its client").await;
    let next = token(LIVE).await;
    api.revoke(&next).await;
    assert_eq!(telemetry.introspect(&next).await.json()["active"], true, "not another's");
    client.revoke(&own).await;
    inactive(&next, "the token that it was got with was revoked").await;

    let own = own_token(&client).await;
    let token = async |asset: &str| Tokens::read(&client.token(&form("web-license", &own, asset, LIVE)).await).access;
    let of_first = token(&did(1)).await;
    scene.passes_on(&did(1), person(&world, &Wallet::new(2)).await).await;
    inactive(&of_first, "passed on").await;
    scene.grants_for("web-license", &did(2), LIVE, &[], Duration::from_mins(5)).await;
    let of_second = token(&did(2)).await;
    assert_eq!(telemetry.introspect(&of_second).await.json()["active"], true);
    world.state.store.set_account_disabled(scene.account, Some(world.clock.now()), world.clock.now()).await.unwrap();
    inactive(&of_second, "its owner is disabled").await;
    world.state.store.set_account_disabled(scene.account, None, world.clock.now()).await.unwrap();
    world.clock.advance(Duration::from_mins(5));
    inactive(&of_second, "its grant is over").await;
    scene.grants_to("web-license", &did(3), LIVE, &[]).await;
    let of_third = token(&did(3)).await;
    let now = world.clock.now();
    world.state.store.set_client_disabled(&"web-license".parse().unwrap(), Some(now), now).await.unwrap();
    inactive(&of_third, "its client is disabled").await;
});

on_one!(an_outage_is_no_answer_and_no_revocation, [("FILE", FILE)], |world| {
    let scene = Scene::new(&world).await;
    scene.grants_to(&scene.license, &did(1), LIVE, &[]).await;
    let (token, license) = (scene.developer().await, App::public(&world, &scene.license));
    let asset = Tokens::read(&license.token(&form(&scene.license, &token, &did(1), LIVE)).await).access;
    assert_eq!(license.revoke(&asset).await.status, 200);
    world.client("telemetry", server).await;
    let telemetry = App::confidential(&world, "telemetry");
    assert_eq!(telemetry.introspect(&asset).await.status, 200);
    world.state.store.close().await;
    assert_eq!(telemetry.introspect(&asset).await.error(), (503, "temporarily_unavailable".into()));
    assert_eq!(license.revoke(&asset).await.error(), (503, "temporarily_unavailable".into()));
    assert_eq!(
        scene.exchange(&token, &json!({ "asset": did(1), "permissions": [LIVE] })).await.error(),
        (503, "temporarily_unavailable".into())
    );
});
