//! A client's own tokens (RFC 6749 §4.4): what is in them, and where they are good for nothing.

use latchkey::domain::{AuthMethod, GrantType, TokenHash};
use latchkey::store::ClientRecord;
use serde_json::{Value, json};

use crate::actors::{Answer, App, Form, Tokens};
use crate::forge::{jwks, verifies};
use crate::on_both;
use crate::signer::{Signer, own_token};
use crate::world::{BEGINNING, ISSUER, SECRET, World};

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
