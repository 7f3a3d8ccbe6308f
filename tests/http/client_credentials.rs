//! A client's own tokens (RFC 6749 §4.4): what is in them, and where they are good for nothing.

use latchkey::domain::{AuthMethod, GrantType, TokenHash};
use latchkey::store::{ClientRecord, ClientSource};
use serde_json::{Value, json};

use crate::actors::{Answer, App, Form, Tokens, basic, decode};
use crate::forge::{jwks, verifies};
use crate::on_both;
use crate::registration::register;
use crate::registration_management::manage;
use crate::signer::{Signer, own_token};
use crate::world::{BEGINNING, FORM, ISSUER, REDIRECT_URI, SECRET, World};

fn machine(client: &mut ClientRecord) {
    client.auth_method = AuthMethod::ClientSecret;
    client.secret_hash = Some(TokenHash::of(SECRET));
    client.metadata.grant_types = [GrantType::ClientCredentials].into();
    client.metadata.scope = Some("openid profile email offline_access read write".parse().unwrap());
}

async fn ask(world: &World, id: &str, scope: Option<&str>) -> Answer {
    let form = Form::of(&[("grant_type", "client_credentials")]);
    App::confidential(world, id).token(&scope.into_iter().fold(form, |form, scope| form.with("scope", scope))).await
}

on_both!(a_client_has_a_token_of_its_own, |world| {
    let record = world.client("machine", machine).await;
    let answer = ask(&world, "machine", Some("read")).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{}", answer.body);
    let reply = answer.json();
    // RFC 6749 §4.4.3: "A refresh token SHOULD NOT be included."
    let mut members: Vec<&str> = reply.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["access_token", "expires_in", "scope", "token_type"]);
    assert_eq!((&reply["scope"], &reply["expires_in"], &reply["token_type"]), (&json!("read"), &json!(3_600), &json!("Bearer")));
    let token = reply["access_token"].as_str().unwrap();
    let (header, claims) = crate::actors::decode(token);
    assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!(record.signing_alg.as_str())));
    assert!(verifies(&jwks(&crate::actors::Browser::new(&world)).await, token));
    for (name, value) in [
        ("iss", json!(ISSUER)),
        ("sub", json!("machine")),
        ("aud", json!("machine")),
        ("client_id", json!("machine")),
        ("scope", json!("read")),
        ("iat", json!(BEGINNING)),
        ("exp", json!(BEGINNING + 3_600)),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    assert!(claims["jti"].as_str().unwrap().starts_with("k_"), "{claims}");
    for of_person in ["auth_time", "amr", "sid", "nonce", "ethereum_address"] {
        assert_eq!(claims[of_person], Value::Null);
    }
    // Each has a name of its own; without a scope it is all that is registered, but nothing of a person's.
    let next = ask(&world, "machine", None).await.json();
    assert_eq!(next["scope"], "read write");
    assert_ne!(crate::actors::decode(next["access_token"].as_str().unwrap()).1["jti"], claims["jti"]);
});

on_both!(no_scope_is_given_that_is_not_the_clients, |world| {
    world.client("machine", machine).await;
    for scope in ["openid", "read openid", "profile", "email", "offline_access", "admin", "read admin", "re\"ad"] {
        let answer = ask(&world, "machine", Some(scope)).await;
        assert_eq!(answer.error(), (400, "invalid_scope".into()), "{scope}: {}", answer.body);
    }
    world
        .client("bare", |client| {
            machine(client);
            client.metadata.scope = None;
        })
        .await;
    assert_eq!(ask(&world, "bare", Some("read")).await.error(), (400, "invalid_scope".into()));
    let bare = ask(&world, "bare", None).await;
    assert_eq!((bare.status, &bare.json()["scope"]), (200, &Value::Null));
});

on_both!(only_a_registered_client_that_proves_itself_gets_one, |world| {
    // `web` has the usual grants, which this is not; `app` is public.
    assert_eq!(ask(&world, "web", None).await.error(), (400, "unauthorized_client".into()));
    world.client("open", |client| client.metadata.grant_types.extend([GrantType::ClientCredentials])).await;
    let form = Form::of(&[("grant_type", "client_credentials"), ("client_id", "open")]);
    assert_eq!(App::public(&world, "open").token(&form).await.error(), (400, "unauthorized_client".into()));
    world.client("machine", machine).await;
    for form in [form.clone().with("client_id", "machine"), form.with("client_id", "machine").with("client_secret", "wrong")] {
        assert_eq!(App::public(&world, "machine").token(&form).await.error(), (401, "invalid_client".into()));
    }
    assert_eq!(ask(&world, "machine", None).await.status, 200);
});

on_both!(a_disabled_client_gets_nothing_from_that_moment_on, |world| {
    let signer = Signer::new("ES256", "one");
    world.client("machine", machine).await;
    world.client("signer", |client| signer.register(client)).await;
    let public = App::public(&world, "signer");
    assert_eq!(ask(&world, "machine", None).await.status, 200);
    assert_eq!(public.token(&own_token(&signer.assertion("signer"))).await.status, 200);
    let now = world.clock.now();
    for id in ["machine", "signer"] {
        world.state.store.set_client_disabled(&id.parse().unwrap(), Some(now), now).await.unwrap();
    }
    // This process still remembers them as they were.
    assert_eq!(ask(&world, "machine", None).await.error(), (401, "invalid_client".into()));
    assert_eq!(public.token(&own_token(&signer.assertion("signer"))).await.error(), (401, "invalid_client".into()));
});

on_both!(a_clients_own_token_opens_nothing_of_a_persons, |world| {
    world.client("machine", machine).await;
    let tokens = Tokens::read(&ask(&world, "machine", None).await);
    let answer = App::public(&world, "machine").userinfo(&tokens.access).await;
    assert_eq!(answer.error(), (403, "insufficient_scope".into()));
    assert!(answer.header("www-authenticate").starts_with("Bearer error=\"insufficient_scope\""));
});

const GARAGE: &str = "https://garage.example/api";
const SHOP: &str = "https://shop.example";
const FILE: &str = r#"
[registration]
enabled = true
initial_access_token = "an-initial-access-token-of-the-operator"
client_credentials_scope = "garage:read admin"

[[resources]]
uri = "https://garage.example/api"
name = "The Garage"
scopes = { "garage:read" = "See the vehicles in your garage", "garage:open" = "Open it" }

[[resources]]
uri = "https://shop.example"
name = "The Shop"
scopes = { "shop:buy" = "Buy things for you" }
"#;

// RFC 8707 §2.2, of a client's own token.
on_both!(a_clients_own_token_is_for_the_resources_it_names, [("FILE", FILE)], |world| {
    world
        .client("machine", |client| {
            machine(client);
            client.metadata.scope = Some("read garage:read shop:buy".parse().unwrap());
        })
        .await;
    let form = |scope: Option<&str>, resources: &[&str]| {
        let form = Form::of(&[("grant_type", "client_credentials")]);
        let form = scope.into_iter().fold(form, |form, scope| form.with("scope", scope));
        resources.iter().fold(form, |form, uri| form.and("resource", uri))
    };
    let app = App::confidential(&world, "machine");
    for (scope, resources, aud, given) in [
        (None, vec![], json!("machine"), "read"),
        (None, vec![GARAGE], json!(GARAGE), "garage:read read"),
        (Some("garage:read"), vec![GARAGE], json!(GARAGE), "garage:read"),
        (None, vec![GARAGE, SHOP], json!([GARAGE, SHOP]), "garage:read read shop:buy"),
    ] {
        let tokens = Tokens::read(&app.token(&form(scope, &resources)).await);
        let claims = decode(&tokens.access).1;
        assert_eq!((&claims["aud"], &claims["scope"], &tokens.reply["scope"]), (&aud, &json!(given), &json!(given)), "{resources:?}");
    }
    let userinfo = format!("{ISSUER}/userinfo");
    for (scope, resources, error) in [
        (None, vec!["https://unknown.example"], "invalid_target"),
        (None, vec![GARAGE, "https://garage.example/api/"], "invalid_target"),
        (None, vec![userinfo.as_str()], "invalid_target"),
        (Some("garage:read"), vec![], "invalid_scope"),
        (Some("garage:read"), vec![SHOP], "invalid_scope"),
    ] {
        let answer = app.token(&form(scope, &resources)).await;
        assert_eq!(answer.error(), (400, error.into()), "{scope:?} {resources:?}: {}", answer.body);
    }
});

on_both!(a_registered_app_has_no_scope_but_those_that_the_operator_lets_it_have, [("FILE", FILE)], |world| {
    let wished = json!({ "grant_types": ["client_credentials"], "scope": "garage:read garage:open shop:buy" });
    let got = register(&world, &wished, Some("an-initial-access-token-of-the-operator")).await.json();
    let (id, secret) = (got["client_id"].as_str().unwrap(), got["client_secret"].as_str().unwrap());
    let browser = crate::actors::Browser::new(&world);
    let ask = async |scope: Option<&str>, resource: &str| {
        let form = Form::of(&[("grant_type", "client_credentials"), ("resource", resource)]);
        let form = scope.into_iter().fold(form, |form, scope| form.with("scope", scope));
        let request = browser.bare(reqwest::Method::POST, "/token").header("authorization", basic(id, secret)).header("content-type", FORM);
        browser.send(request.body(form.encode())).await
    };
    let tokens = Tokens::read(&ask(None, GARAGE).await);
    assert_eq!((&tokens.reply["scope"], &decode(&tokens.access).1["aud"]), (&json!("garage:read"), &json!(GARAGE)));
    assert_eq!(ask(Some("garage:open"), GARAGE).await.error(), (400, "invalid_scope".into()));
    assert_eq!(ask(None, SHOP).await.error(), (400, "invalid_target".into()), "of the shop it may have nothing");
});

on_both!(an_app_of_before_the_initial_access_token_gains_nothing_by_itself, [("FILE", FILE)], |world| {
    // It registered when anybody could, and now replaces its registration.
    let record = world
        .client("early", |client| {
            client.auth_method = AuthMethod::ClientSecret;
            client.secret_hash = Some(TokenHash::of(SECRET));
            client.source = ClientSource::Registration;
            client.registration_hash = Some(TokenHash::of("token-of-early"));
        })
        .await;
    let wished = json!({
        "client_id": record.id, "redirect_uris": [REDIRECT_URI], "scope": "garage:read",
        "grant_types": ["authorization_code", "client_credentials"],
    });
    let put = manage(&world, reqwest::Method::PUT, "early", Some("token-of-early"), Some(&wished)).await;
    assert_eq!((put.status, &put.json()["grant_types"]), (200, &json!(["authorization_code"])), "{}", put.body);
    assert_eq!(ask(&world, "early", None).await.error(), (400, "unauthorized_client".into()));
    // Nor does it help to have come by the grant before: what counts is who let it in.
    world
        .client("lucky", |client| {
            machine(client);
            client.metadata.scope = Some("garage:read".parse().unwrap());
            client.source = ClientSource::Registration;
        })
        .await;
    let form = Form::of(&[("grant_type", "client_credentials"), ("resource", GARAGE)]);
    let answer = App::confidential(&world, "lucky").token(&form).await;
    assert_eq!(answer.error(), (400, "unauthorized_client".into()));
});
