//! `/v1/grants`: what owners share and apps are given, by the interface for programs.

use std::time::Duration;

use latchkey::domain::{AuthMethod, Entropy, GrantId, GrantType, TokenHash};
use latchkey::keys::TokenKind;
use latchkey::store::ClientRecord;
use reqwest::Method;
use serde_json::{Value, json};

use crate::actors::{Answer, App, Browser, Form, Tokens, Wallet, decode};
use crate::exchange::{Scene, did};
use crate::forge::{jwks_at, verifies};
use crate::on_both;
use crate::world::{ISSUER, SECRET, World};

const LIVE: &str = "privilege:GetLiveData";
const BOTH: &str = "privilege:GetLiveData privilege:GetLocationHistory";
const SCOPES: &str = "openid grants:read grants:write assets:read assets:write";

/// One request to an interface of ours with a token.
pub(crate) async fn call(world: &World, method: Method, path: &str, token: &str, body: Option<&Value>) -> Answer {
    let browser = Browser::new(world);
    let request = browser.bare(method, path).bearer_auth(token);
    let request = match body {
        Some(body) => request.header("content-type", "application/json").body(body.to_string()),
        None => request,
    };
    browser.send(request).await
}

pub(crate) async fn get(world: &World, path: &str, token: &str) -> Answer {
    call(world, Method::GET, path, token, None).await
}

/// The token of a person at an app, with that scope.
pub(crate) async fn persons(world: &World, app: &str, wallet: &Wallet, scope: &str) -> String {
    let app = App::public(world, app);
    let back = Browser::new(world).authorize(&app.request().with("scope", scope), wallet).await;
    Tokens::read(&app.redeem(&back.query("code").unwrap()).await).access
}

/// A public app that is a part of the house.
pub(crate) async fn house(world: &World) {
    world.client("house", |client| client.metadata.first_party = true).await;
}

/// A client that proves itself, with a scope of its own.
pub(crate) fn machine(scope: &str, first_party: bool) -> impl FnOnce(&mut ClientRecord) {
    move |client| {
        client.auth_method = AuthMethod::ClientSecret;
        client.secret_hash = Some(TokenHash::of(SECRET));
        client.metadata.grant_types = [GrantType::ClientCredentials].into();
        client.metadata.scope = Some(scope.parse().unwrap());
        client.metadata.first_party = first_party;
    }
}

pub(crate) async fn own(world: &World, id: &str) -> String {
    Tokens::read(&App::confidential(world, id).token(&Form::of(&[("grant_type", "client_credentials")])).await).access
}

/// Asserts that an answer is a problem of that status (RFC 9457), about that member.
#[track_caller]
pub(crate) fn assert_problem(answer: &Answer, status: u16, member: Option<&str>) {
    let told = answer.json();
    assert_eq!((answer.status, answer.header("content-type")), (status, "application/problem+json"), "{told}");
    assert_eq!((&told["status"], &told["type"], told["member"].as_str()), (&json!(status), &json!("about:blank"), member), "{told}");
    assert_eq!(told["instance"], json!(answer.header("x-request-id")));
    assert!(!told["title"].as_str().unwrap().is_empty() && !told["detail"].as_str().unwrap().is_empty(), "{told}");
    assert_eq!(answer.header("cache-control"), "no-store");
}

fn wish(grantee: &str, asset: &str) -> Value {
    json!({ "asset": asset, "grantee": grantee, "permissions": [LIVE], "expires_at": "2026-02-01T00:00:00Z" })
}

fn ids(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["grants"].as_array().unwrap().iter().map(|grant| grant["id"].as_str().unwrap().to_owned()).collect()
}

on_both!(an_owner_shares_changes_and_ends_by_an_app_of_the_house, |world| {
    let scene = Scene::new(&world).await;
    house(&world).await;
    let token = persons(&world, "house", &scene.owner, SCOPES).await;
    let made = call(&world, Method::POST, "/v1/grants", &token, Some(&wish(&scene.license, &did(1)))).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let grant = made.json();
    let path = format!("/v1/grants/{}", grant["id"].as_str().unwrap());
    assert_eq!(made.location(), path);
    let expected = json!({
        "id": grant["id"], "asset": did(1), "grantor": scene.owner.address.to_string(), "grantee": scene.license, "permissions": [LIVE],
        "events": [], "effective_at": "2026-01-01T00:00:00Z", "expires_at": "2026-02-01T00:00:00Z", "status": "active", "source": "api",
        "template": null, "purpose": null, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "ended_at": null,
        "ended": null,
    });
    assert_eq!(grant, expected);
    let developer = scene.developer().await;
    let ask = json!({ "asset": did(1), "permissions": [LIVE] });
    assert_eq!(scene.exchange(&developer, &ask).await.status, 200);
    let more = json!({ "asset": did(1), "permissions": [LIVE, "privilege:GetLocationHistory"] });
    assert_eq!(scene.exchange(&developer, &more).await.status, 403);

    world.clock.advance(Duration::from_mins(1));
    let wider = json!({ "permissions": [LIVE, "privilege:GetLocationHistory"] });
    let changed = call(&world, Method::PATCH, &path, &token, Some(&wider)).await;
    assert_eq!((changed.status, &changed.json()["permissions"]), (200, &wider["permissions"]), "{}", changed.body);
    assert_eq!(scene.exchange(&developer, &more).await.status, 200);
    assert_ne!(changed.header("etag"), made.header("etag"));
    let seen = get(&world, &path, &token).await;
    assert_eq!((seen.header("etag"), &seen.json()), (changed.header("etag"), &changed.json()));

    let browser = Browser::new(&world);
    let with = |tag: &str| {
        let request = browser.bare(Method::PATCH, &path).bearer_auth(&token).header("if-match", tag);
        request.header("content-type", "application/json").body(json!({ "permissions": [LIVE] }).to_string())
    };
    assert_problem(&browser.send(with(made.header("etag"))).await, 412, None);
    assert_eq!(browser.send(with(seen.header("etag"))).await.status, 200);

    for _ in 0..2 {
        let ended = call(&world, Method::DELETE, &path, &token, None).await;
        assert_eq!((ended.status, ended.body.as_str()), (204, ""));
    }
    assert_eq!(scene.exchange(&developer, &ask).await.json()["reason"], "revoked");
    assert_problem(&call(&world, Method::PATCH, &path, &token, Some(&json!({ "permissions": [LIVE] }))).await, 409, None);
    assert_problem(&get(&world, &format!("{path}/receipt"), &token).await, 409, None);
    let past = get(&world, &format!("{path}/history"), &token).await.json();
    let lines: Vec<_> = past["history"].as_array().unwrap().iter().map(|line| (&line["what"], &line["actor"], &line["client"])).collect();
    let owner = json!("owner");
    let house = json!("house");
    assert_eq!(
        lines,
        [
            (&json!("made"), &owner, &house),
            (&json!("changed"), &owner, &house),
            (&json!("changed"), &owner, &house),
            (&json!("ended"), &owner, &house)
        ]
    );
    assert_eq!(ids(&get(&world, "/v1/grants", &token).await).len(), 0);
    assert_eq!(ids(&get(&world, "/v1/grants?status=all", &token).await).len(), 1);
});

on_both!(an_app_with_leave_takes_back_and_never_shares, |world| {
    let scene = Scene::new(&world).await;
    let token = persons(&world, "app", &scene.owner, SCOPES).await;
    let grant = scene.grants_to("app", &did(1), BOTH, &[]).await;
    // Neither to itself nor to an accomplice, neither by a new grant nor by an old one.
    for grantee in ["app", "web", &scene.license] {
        for asset in [did(1), did(2), "all".to_owned()] {
            assert_problem(&call(&world, Method::POST, "/v1/grants", &token, Some(&wish(grantee, &asset))).await, 403, None);
        }
    }
    let path = format!("/v1/grants/{}", grant.id);
    for wider in [
        json!({ "permissions": [LIVE, "privilege:ExecuteCommands"] }),
        json!({ "expires_at": "2026-01-01T01:00:01Z" }),
        json!({ "permissions": [LIVE], "events": [{}] }),
    ] {
        assert_problem(&call(&world, Method::PATCH, &path, &token, Some(&wider)).await, 403, None);
    }
    assert_eq!(get(&world, &path, &token).await.json()["permissions"].as_array().unwrap().len(), 2);
    let narrower = json!({ "permissions": [LIVE], "expires_at": "2026-01-01T00:30:00Z" });
    let told = call(&world, Method::PATCH, &path, &token, Some(&narrower)).await;
    assert_eq!((told.status, &told.json()["permissions"], &told.json()["expires_at"]), (200, &json!([LIVE]), &narrower["expires_at"]));
    assert_eq!(call(&world, Method::DELETE, &path, &token, None).await.status, 204);
    // An app that its user merely signed in to has none of it.
    let bare = persons(&world, "app", &Wallet::new(1), "openid email").await;
    for (method, path) in [(Method::GET, "/v1/grants"), (Method::POST, "/v1/grants"), (Method::GET, &path), (Method::DELETE, &path)] {
        let refused = call(&world, method, path, &bare, None).await;
        assert_problem(&refused, 403, None);
        assert!(refused.header("www-authenticate").starts_with("Bearer error=\"insufficient_scope\""));
    }
});

on_both!(nobody_elses_grant_looks_like_none, |world| {
    let scene = Scene::new(&world).await;
    house(&world).await;
    world.client("machine", machine(SCOPES, false)).await;
    let grant = scene.grants_to(&scene.license, &did(1), LIVE, &[]).await;
    let other = persons(&world, "house", &Wallet::new(2), SCOPES).await;
    let machine = own(&world, "machine").await;
    let nothing = GrantId(Entropy::System.uuid(world.clock.now())).to_string();
    let change = json!({ "permissions": [LIVE] });
    for token in [&other, &machine] {
        let mut words = Vec::new();
        for id in [grant.id.to_string(), nothing.clone(), "x".to_owned(), "%27%20OR%201=1".to_owned()] {
            for (method, end, body) in
                [(Method::GET, "", None), (Method::GET, "/history", None), (Method::GET, "/receipt", None), (Method::DELETE, "", None)]
            {
                let answer = call(&world, method, &format!("/v1/grants/{id}{end}"), token, body).await;
                assert_problem(&answer, 404, None);
                let mut told = answer.json();
                told["instance"] = json!(null);
                words.push(told);
            }
        }
        assert!(words.iter().all(|told| *told == words[0]), "{words:?}");
        assert_eq!(ids(&get(&world, "/v1/grants?status=all", token).await).len(), 0);
        assert_eq!(ids(&get(&world, &format!("/v1/grants?status=all&asset={}", did(1)), token).await).len(), 0);
        assert_eq!(ids(&get(&world, &format!("/v1/grants?grantee={}", scene.license), token).await).len(), 0);
    }
    assert_problem(&call(&world, Method::PATCH, &format!("/v1/grants/{}", grant.id), &other, Some(&change)).await, 404, None);
    // Somebody else's asset, and one that nobody has: neither is shared, and both look alike.
    let refused: Vec<Answer> = vec![
        call(&world, Method::POST, "/v1/grants", &other, Some(&wish("app", &did(1)))).await,
        call(&world, Method::POST, "/v1/grants", &other, Some(&wish("app", &did(999)))).await,
    ];
    for answer in &refused {
        assert_problem(answer, 404, Some("asset"));
    }
    assert_eq!(refused[0].json()["detail"], refused[1].json()["detail"]);
    assert_eq!(world.state.store.grant(grant.id).await.unwrap().unwrap(), grant);
});

on_both!(a_client_sees_and_gives_back_what_it_was_given, |world| {
    let scene = Scene::new(&world).await;
    world.client("machine", machine("grants:read grants:write", false)).await;
    let before = scene.grants_to("machine", &did(1), BOTH, &[]).await;
    // Ids are in the order of time, to the millisecond.
    world.clock.advance(Duration::from_secs(1));
    let grants = [before, scene.grants_to("machine", &did(2), LIVE, &[]).await, scene.grants_to("app", &did(1), LIVE, &[]).await];
    let token = own(&world, "machine").await;
    let expected: Vec<String> = [&grants[1], &grants[0]].map(|grant| grant.id.to_string()).into();
    assert_eq!(ids(&get(&world, "/v1/grants", &token).await), expected);
    assert_eq!(ids(&get(&world, &format!("/v1/grants?asset={}", did(1)), &token).await), expected[1..]);
    // A page at a time; no cursor leads out of what is theirs.
    let first = get(&world, "/v1/grants?limit=1", &token).await;
    assert_eq!(ids(&first), expected[..1]);
    let next = first.json()["next"].as_str().unwrap().to_owned();
    let second = get(&world, &format!("/v1/grants?limit=1&cursor={next}"), &token).await;
    assert_eq!(ids(&second), expected[1..]);
    for (query, member) in
        [("cursor=e30", "cursor"), ("limit=0", "limit"), ("limit=101", "limit"), ("status=x", "status"), ("asset=x", "asset")]
    {
        assert_problem(&get(&world, &format!("/v1/grants?{query}"), &token).await, 400, Some(member));
    }
    // It shares nothing and changes nothing in an owner's name.
    let path = format!("/v1/grants/{}", grants[0].id);
    assert_problem(&call(&world, Method::POST, "/v1/grants", &token, Some(&wish("machine", &did(1)))).await, 403, None);
    assert_problem(&call(&world, Method::PATCH, &path, &token, Some(&json!({ "permissions": [LIVE] }))).await, 403, None);
    // The receipt stands for itself.
    let receipt = get(&world, &format!("{path}/receipt"), &token).await;
    assert_eq!((receipt.status, receipt.header("content-type")), (200, "application/jwt"));
    assert!(verifies(&jwks_at(&Browser::new(&world), "/assets/keys").await, &receipt.body));
    let (header, claims) = decode(&receipt.body);
    assert_eq!((&header["typ"], &claims["iss"]), (&json!("grant-receipt+jwt"), &json!(format!("{ISSUER}/assets"))));
    assert_eq!((&claims["jti"], &claims["aud"], &claims["asset"]), (&json!(grants[0].id), &json!("machine"), &json!(did(1))));
    assert!(world.state.keys.verify(TokenKind::GrantReceipt, &receipt.body).await.is_ok());
    assert_eq!(call(&world, Method::DELETE, &path, &token, None).await.status, 204);
    let ended = world.state.store.grant(grants[0].id).await.unwrap().unwrap();
    assert_eq!(ended.ended.unwrap().as_str(), "grantee");
    // A license's own token reads what was given to the license, with the scope for it alone.
    assert_problem(&get(&world, "/v1/grants", &scene.developer().await).await, 403, None);
});

on_both!(what_cannot_be_shared_is_named, |world| {
    let scene = Scene::new(&world).await;
    house(&world).await;
    let token = persons(&world, "house", &scene.owner, SCOPES).await;
    let with = |name: &str, value: Value| {
        let mut body = wish("app", &did(1));
        body[name] = value;
        body
    };
    for (name, value, member) in [
        ("asset", json!(format!("{}-1", did(1))), Some("asset")),
        ("asset", json!(did(1).replace("137", "0")), Some("asset")),
        ("grantee", json!("nobody"), Some("grantee")),
        ("grantee", json!(""), Some("grantee")),
        ("permissions", json!(["privilege:Fly"]), Some("permissions")),
        ("permissions", json!(["privilege:ManufacturerMintDevice"]), Some("permissions")),
        ("permissions", json!([]), Some("permissions")),
        ("permissions", json!(vec![LIVE; 1_000]), Some("permissions")),
        ("expires_at", json!("2025-12-31T00:00:00Z"), Some("expires_at")),
        ("expires_at", json!("2036-01-01T00:00:00Z"), Some("expires_at")),
        ("effective_at", json!("2026-03-01T00:00:00Z"), Some("expires_at")),
        ("template", json!("99"), Some("template")),
        ("template", json!("1"), Some("template")),
        ("source", json!("operator"), None),
    ] {
        let answer = call(&world, Method::POST, "/v1/grants", &token, Some(&with(name, value.clone()))).await;
        assert_problem(&answer, 400, member);
    }
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let browser = Browser::new(&world);
    for body in ["", "[]", "{", &deep, &"x".repeat(70_000)] {
        let request = browser.bare(Method::POST, "/v1/grants").bearer_auth(&token).header("content-type", "application/json");
        assert_problem(&browser.send(request.body(body.to_owned())).await, 400, None);
    }
    let text = browser.bare(Method::POST, "/v1/grants").bearer_auth(&token).header("content-type", "text/plain").body("{}");
    assert_problem(&browser.send(text).await, 400, None);
    // By a template, and for all that one has, now and later.
    let all = json!({ "asset": "all", "grantee": "app", "template": "1" });
    let made = call(&world, Method::POST, "/v1/grants", &token, Some(&all)).await.json();
    assert_eq!((&made["asset"], &made["template"], made["permissions"].as_array().unwrap().len()), (&json!("all"), &json!("1"), 6));
    assert_eq!(made["expires_at"], "2027-01-01T00:00:00Z");
});

on_both!(only_a_living_token_for_its_own_client_is_taken, |world| {
    let scene = Scene::new(&world).await;
    let token = persons(&world, "app", &scene.owner, SCOPES).await;
    let browser = Browser::new(&world);
    let challenge = format!("Bearer resource_metadata=\"{ISSUER}/.well-known/oauth-protected-resource/v1/grants\"");
    for request in [
        browser.bare(Method::GET, "/v1/grants"),
        browser.bare(Method::GET, &format!("/v1/grants?access_token={token}")),
        browser.bare(Method::GET, "/v1/grants").header("authorization", format!("Basic {token}")),
    ] {
        let answer = browser.send(request).await;
        assert_problem(&answer, 401, None);
        assert_eq!(answer.header("www-authenticate"), challenge);
    }
    let (_, claims) = decode(&token);
    let alg = latchkey::domain::SigningAlg::Rs256;
    for aud in [json!("web"), json!(["app", "https://api.example"]), json!("https://api.example")] {
        let mut other = claims.clone();
        other["aud"] = aud;
        let other = world.state.keys.sign(TokenKind::AccessToken, alg, &other).unwrap();
        let refused = get(&world, "/v1/grants", &other).await;
        assert_problem(&refused, 401, None);
        assert!(refused.header("www-authenticate").starts_with("Bearer error=\"invalid_token\""));
    }
    assert_eq!(get(&world, "/v1/grants", &token).await.status, 200);
    let described = browser.get("/.well-known/oauth-protected-resource/v1/grants").await.json();
    assert_eq!(
        (&described["resource"], &described["scopes_supported"]),
        (&json!(format!("{ISSUER}/v1/grants")), &json!(["grants:read", "grants:write"]))
    );
    // 405 says what there is.
    let wrong = call(&world, Method::PUT, "/v1/grants/x", &token, None).await;
    assert_eq!((wrong.status, wrong.header("allow")), (405, "GET, HEAD, PATCH, DELETE"));
    world.state.store.set_account_disabled(scene.account, Some(world.clock.now()), world.clock.now()).await.unwrap();
    assert_problem(&get(&world, "/v1/grants", &token).await, 401, None);
});
