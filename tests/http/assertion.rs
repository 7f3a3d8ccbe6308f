//! Clients that prove themselves by `private_key_jwt` (RFC 7523, OpenID Connect Core §9), and the forgeries that are tried on it.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};

use crate::actors::{Answer, App, Browser, Form, Wallet, basic};
use crate::forge::{assemble, hmac_signed, part};
use crate::signer::{ASSERTION_TYPE, KeyServer, Signer, by_assertion, claims, own_token, proved};
use crate::world::{BEGINNING, FORM, ISSUER, SECRET, World};
use crate::{on_both, on_one};

/// For tests that fail on purpose, again and again.
const MANY_FAILURES: (&str, &str) = ("LIMITS_FAILURES_PER_MINUTE", "1000");

async fn send(world: &World, form: &Form) -> Answer {
    Browser::new(world).post_form("/token", form).await
}

async fn ask(world: &World, assertion: &str) -> Answer {
    send(world, &own_token(assertion)).await
}

async fn assert_refused(world: &World, assertion: &str, why: &str) {
    let answer = ask(world, assertion).await;
    assert_eq!(answer.error(), (401, "invalid_client".into()), "{why}: {}", answer.body);
    assert_eq!(answer.header("cache-control"), "no-store", "{why}");
}

fn with(mut value: Value, name: &str, member: Value) -> Value {
    value[name] = member;
    value
}

on_both!(every_algorithm_and_every_name_of_this_server_is_taken, |world| {
    for alg in ["RS256", "PS256", "ES256", "EdDSA"] {
        let signer = Signer::new(alg, "one");
        let id = format!("machine-{alg}");
        world.client(&id, |client| signer.register(client)).await;
        for aud in [json!(ISSUER), json!(format!("{ISSUER}/token")), json!(["https://other.example", ISSUER])] {
            let answer = ask(&world, &signer.sign(&signer.header(), &with(claims(&id), "aud", aud))).await;
            assert_eq!(answer.status, 200, "{alg}: {}", answer.body);
        }
        // No kid: there is one key that fits. The client_id may stand beside it.
        let nameless = signer.sign(&json!({ "alg": alg }), &claims(&id));
        assert_eq!(send(&world, &own_token(&nameless).with("client_id", &id)).await.status, 200, "{alg}");
    }
    // A person's code is redeemed in the same way.
    let signer = Signer::new("ES256", "one");
    world.client("site", |client| signer.register(client)).await;
    let app = App::public(&world, "site");
    let code = app.code(&Browser::new(&world), &Wallet::new(1)).await;
    let form = proved(app.redemption(&code), &signer.assertion("site"));
    assert_eq!(send(&world, &form).await.status, 200);
});

on_both!(an_assertion_works_once, |world| {
    let signer = Signer::new("ES256", "one");
    world.client("machine", |client| signer.register(client)).await;
    world.client("other", |client| signer.register(client)).await;
    let fixed = with(claims("machine"), "jti", json!("the same"));
    let assertion = signer.sign(&signer.header(), &fixed);
    assert_eq!(ask(&world, &assertion).await.status, 200);
    let again = ask(&world, &assertion).await;
    assert_eq!(again.error(), (401, "invalid_client".into()));
    assert!(again.body.contains("used before"), "{}", again.body);
    // The id counts, not the text: another assertion with it is refused too, at every endpoint and however long it lives.
    assert_refused(&world, &signer.sign(&signer.header(), &with(fixed, "exp", json!(BEGINNING + 120))), "the same jti").await;
    let pushed = proved(App::public(&world, "machine").request(), &assertion);
    assert_eq!(Browser::new(&world).post_form("/par", &pushed).await.error(), (401, "invalid_client".into()));
    // Each client has ids of its own.
    let others = signer.sign(&signer.header(), &with(claims("other"), "jti", json!("the same")));
    assert_eq!(ask(&world, &others).await.status, 200);
    // Sent fifty times at once, it gives one token.
    let assertion = signer.assertion("machine");
    let statuses = futures_util::future::join_all((0..50).map(|_| ask(&world, &assertion))).await;
    assert_eq!(statuses.iter().filter(|answer| answer.status == 200).count(), 1);
});

on_both!(a_forged_assertion_is_refused_and_uses_up_nothing, [MANY_FAILURES], |world| {
    let (signer, stranger) = (Signer::new("ES256", "one"), Signer::new("ES256", "one"));
    let rsa = Signer::new("RS256", "rsa");
    world
        .client("machine", |client| {
            signer.register(client);
            client.metadata.jwks = Some(json!({ "keys": [signer.jwk(), rsa.jwk()] }));
        })
        .await;
    let good = with(claims("machine"), "jti", json!("fixed"));
    let header = signer.header();
    let public = serde_json::to_vec(&signer.jwk()).unwrap();
    let spki = rsa.jwk()["n"].as_str().unwrap().as_bytes().to_vec();
    let whole = signer.sign(&header, &good);
    let parts: Vec<&str> = whole.split('.').collect();
    for (why, assertion) in [
        ("no signature", assemble(&json!({ "alg": "none" }), &good, b"")),
        ("no signature, with a kid", assemble(&json!({ "alg": "none", "kid": "one" }), &good, b"")),
        ("an empty signature", assemble(&header, &good, b"")),
        ("an HMAC with the public key", hmac_signed(&json!({ "alg": "HS256", "kid": "one" }), &good, &public)),
        ("an HMAC with the RSA key", hmac_signed(&json!({ "alg": "HS256", "kid": "rsa" }), &good, &spki)),
        ("an HMAC that says ES256", hmac_signed(&header, &good, &public)),
        ("another key of that name", stranger.sign(&header, &good)),
        ("a key in the header", stranger.sign(&with(header.clone(), "jwk", stranger.jwk()), &good)),
        ("an address in the header", stranger.sign(&with(header.clone(), "jku", json!("https://evil.example/jwks")), &good)),
        ("a certificate's address in the header", stranger.sign(&with(header.clone(), "x5u", json!("https://evil.example/c")), &good)),
        ("a critical extension", signer.sign(&with(header.clone(), "crit", json!(["exp"])), &good)),
        ("the algorithm of another key", signer.sign(&json!({ "alg": "RS256", "kid": "one" }), &good)),
        ("a key of another kind", signer.sign(&json!({ "alg": "ES256", "kid": "rsa" }), &good)),
        ("another key's name", signer.sign(&json!({ "alg": "ES256", "kid": "two" }), &good)),
        ("changed claims", format!("{}.{}.{}", parts[0], part(&with(good.clone(), "exp", json!(BEGINNING + 61))), parts[2])),
        ("a changed header", format!("{}.{}.{}", part(&with(header.clone(), "typ", json!("JWT"))), parts[1], parts[2])),
        ("cut short", whole[..whole.len() - 2].to_owned()),
        ("white space", format!("{whole} ")),
        ("two tokens", format!("{whole}.{whole}")),
        ("too long", signer.sign(&header, &with(good.clone(), "x", json!("x".repeat(9_000))))),
    ] {
        assert_refused(&world, &assertion, why).await;
    }
    // All had one jti, and it is still there for the client itself.
    assert_eq!(ask(&world, &whole).await.status, 200);
});

on_both!(each_claim_of_an_assertion_is_checked, [MANY_FAILURES], |world| {
    let signer = Signer::new("EdDSA", "one");
    world.client("machine", |client| signer.register(client)).await;
    world.client("another", |client| signer.register(client)).await;
    for (name, bad) in [
        ("iss", json!("another")),
        ("sub", json!("another")),
        ("sub", json!("nobody")),
        ("aud", json!("https://id.example")),
        ("aud", json!(format!("{ISSUER}/"))),
        ("aud", json!(format!("{ISSUER}/par"))),
        ("aud", json!([])),
        ("exp", json!(BEGINNING - 60)),
        ("exp", json!(BEGINNING + 86_400)),
        ("exp", json!((BEGINNING + 60).to_string())),
        ("iat", json!(BEGINNING + 3_000)),
        ("iat", json!("now")),
        ("nbf", json!(BEGINNING + 3_000)),
        ("nbf", json!(null)),
        ("jti", json!("")),
        ("jti", json!(5)),
    ] {
        assert_refused(&world, &signer.sign(&signer.header(), &with(claims("machine"), name, bad.clone())), &format!("{name} {bad}")).await;
    }
    for name in ["iss", "sub", "aud", "exp", "jti"] {
        let mut lacking = claims("machine");
        lacking.as_object_mut().unwrap().remove(name);
        assert_refused(&world, &signer.sign(&signer.header(), &lacking), &format!("without {name}")).await;
    }
    // In time it is good, a minute later it is not.
    let late = signer.assertion("machine");
    world.clock.advance(Duration::from_mins(2));
    assert_refused(&world, &late, "expired").await;
});

on_both!(one_method_at_a_time_and_the_registered_one, |world| {
    let signer = Signer::new("ES256", "one");
    world.client("machine", |client| signer.register(client)).await;
    let twice = own_token(&signer.assertion("machine")).with("client_secret", SECRET);
    assert_eq!(send(&world, &twice).await.error(), (400, "invalid_request".into()));
    let browser = Browser::new(&world);
    let by_header = browser.bare(Method::POST, "/token").header("content-type", FORM).header(AUTHORIZATION, basic("machine", SECRET));
    let answer = browser.send(by_header.body(own_token(&signer.assertion("machine")).encode())).await;
    assert_eq!(answer.error(), (400, "invalid_request".into()));
    for (form, why) in [
        (own_token(&signer.assertion("machine")).without("client_assertion_type"), "client_assertion_type"),
        (own_token(&signer.assertion("machine")).without("client_assertion"), "client_assertion"),
        (own_token(&signer.assertion("machine")).with("client_assertion_type", "urn:x"), ASSERTION_TYPE),
        (own_token(&signer.assertion("machine")).with("client_id", "web"), "client_id"),
        (own_token(&signer.assertion("machine")).and("client_assertion", "x"), "client_assertion"),
    ] {
        let answer = send(&world, &form).await;
        assert_eq!(answer.error(), (400, "invalid_request".into()), "{why}");
        assert!(answer.body.contains(why), "{why}: {}", answer.body);
    }
    // A client with another method is told which one it has.
    for (id, method) in [("web", "client_secret"), ("app", "public")] {
        let answer = ask(&world, &signer.assertion(id)).await;
        assert_eq!(answer.error(), (401, "invalid_client".into()), "{id}");
        assert!(answer.body.contains(method), "{id}: {}", answer.body);
    }
    for form in [own_token("x").without("client_assertion").without("client_assertion_type").with("client_id", "machine")] {
        for form in [form.clone(), form.with("client_secret", SECRET)] {
            let answer = send(&world, &form).await;
            assert_eq!(answer.error(), (401, "invalid_client".into()));
            assert!(answer.body.contains("private_key_jwt"), "{}", answer.body);
        }
    }
    // The registered algorithm is the only one.
    let rsa = Signer::new("RS256", "one");
    world
        .client("strict", |client| {
            rsa.register(client);
            client.metadata.token_endpoint_auth_signing_alg = Some(latchkey::domain::SigningAlg::Ps256);
        })
        .await;
    let answer = ask(&world, &rsa.assertion("strict")).await;
    assert!(answer.status == 401 && answer.body.contains("PS256"), "{}", answer.body);
});

on_one!(failed_assertions_count_as_wrong_secrets_do, [("LIMITS_FAILURES_PER_MINUTE", "3")], |world| {
    let (signer, stranger) = (Signer::new("ES256", "one"), Signer::new("ES256", "one"));
    world.client("machine", |client| signer.register(client)).await;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(ask(&world, &stranger.assertion("machine")).await.status);
    }
    assert_eq!(statuses, [401, 401, 401, 401, 429]);
    assert_eq!(ask(&world, &signer.assertion("machine")).await.error(), (429, "too_many_requests".into()));
});

const INSIDE: (&str, &str) = ("EGRESS_ALLOW_PRIVATE_NETWORKS", "true");

async fn keeps_its_keys_at(world: &World, id: &str, uri: &str) {
    world
        .client(id, |client| {
            by_assertion(client);
            client.metadata.jwks_uri = Some(uri.to_owned());
        })
        .await;
}

on_both!(keys_are_fetched_kept_and_fetched_again_for_a_new_one, [INSIDE], |world| {
    let (first, second, stranger) = (Signer::new("ES256", "first"), Signer::new("ES256", "second"), Signer::new("ES256", "third"));
    let server = KeyServer::new().await;
    server.publishes(&[&first]);
    keeps_its_keys_at(&world, "machine", &server.uri).await;
    for _ in 0..3 {
        assert_eq!(ask(&world, &first.assertion("machine")).await.status, 200);
    }
    assert_eq!(server.hits(), 1);
    // A name that nobody knows makes us look again, once a minute, whoever asks and however often.
    server.publishes(&[&first, &second]);
    for _ in 0..3 {
        assert_refused(&world, &stranger.assertion("machine"), "an unknown key").await;
    }
    assert_eq!(server.hits(), 1, "a minute has not passed");
    world.clock.advance(Duration::from_secs(61));
    let later = |signer: &Signer| {
        let now = BEGINNING + 61;
        signer.sign(&signer.header(), &with(with(claims("machine"), "iat", json!(now)), "exp", json!(now + 60)))
    };
    assert_eq!(ask(&world, &later(&second)).await.status, 200, "a key that is new there");
    assert_eq!(server.hits(), 2);
    for _ in 0..3 {
        assert_refused(&world, &later(&stranger), "an unknown key").await;
    }
    assert_eq!(server.hits(), 2);
});

on_one!(the_time_of_keys_is_what_their_server_says, [INSIDE], |world| {
    let (old, new) = (Signer::new("ES256", "key"), Signer::new("ES256", "key"));
    let server = KeyServer::new().await;
    server.says("200 OK", "cache-control: max-age=600\r\n", &old.jwks().to_string());
    keeps_its_keys_at(&world, "machine", &server.uri).await;
    let at = |signer: &Signer, now: i64| {
        signer.sign(&signer.header(), &with(with(claims("machine"), "iat", json!(now)), "exp", json!(now + 60)))
    };
    assert_eq!(ask(&world, &at(&old, BEGINNING)).await.status, 200);
    server.publishes(&[&new]);
    world.clock.advance(Duration::from_secs(599));
    assert_eq!(ask(&world, &at(&old, BEGINNING + 599)).await.status, 200);
    world.clock.advance(Duration::from_secs(2));
    assert_refused(&world, &at(&old, BEGINNING + 601), "a key that the client took away").await;
    assert_eq!(ask(&world, &at(&new, BEGINNING + 601)).await.status, 200);
    assert_eq!(server.hits(), 2);
});

on_both!(keys_that_cannot_be_had_are_an_outage_and_old_ones_go_on, [INSIDE, ("LIMITS_FAILURES_PER_MINUTE", "1")], |world| {
    let signer = Signer::new("ES256", "one");
    let server = KeyServer::new().await;
    keeps_its_keys_at(&world, "machine", &server.uri).await;
    let at = |now: i64| signer.sign(&signer.header(), &with(with(claims("machine"), "iat", json!(now)), "exp", json!(now + 60)));
    let mut now = BEGINNING;
    let big = format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(200_000));
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let private = with(signer.jwks(), "keys", json!([with(signer.jwk(), "d", json!("AA"))])).to_string();
    let good = signer.jwks().to_string();
    for (status, body) in [
        ("500 Internal Server Error", good.as_str()),
        ("404 Not Found", &good),
        ("200 OK", "<html>"),
        ("200 OK", "{\"keys\":[]}"),
        ("200 OK", &big),
        ("200 OK", &deep),
        ("200 OK", &private),
    ] {
        server.says(status, "", body);
        let hits = server.hits();
        for _ in 0..3 {
            let answer = ask(&world, &at(now)).await;
            assert_eq!(answer.error(), (503, "temporarily_unavailable".into()), "{status}: {}", answer.body);
            assert_eq!(answer.header("retry-after"), "10");
            assert!(!answer.body.contains("127.0.0.1"), "{}", answer.body);
        }
        assert_eq!(server.hits(), hits + 1, "who asks again at once makes us knock once");
        world.clock.advance(Duration::from_secs(11));
        now += 11;
    }
    server.publishes(&[&signer]);
    assert_eq!(ask(&world, &at(now)).await.status, 200);
    // An hour later they are gone there: the old ones are used for a day, and no longer.
    server.says("500 Internal Server Error", "", "");
    for (hours, status) in [(2, 200), (20, 200), (4, 503)] {
        world.clock.advance(Duration::from_hours(hours));
        now += i64::try_from(hours).unwrap() * 3_600;
        assert_eq!(ask(&world, &at(now)).await.status, status, "{hours} hours later");
    }
});

// CVE-2020-10770 and its like: the address of keys is chosen by whoever registers a client.
on_both!(keys_are_not_fetched_from_the_inside, |world| {
    let signer = Signer::new("ES256", "one");
    let server = KeyServer::new().await;
    server.publishes(&[&signer]);
    let port = server.uri.trim_start_matches("http://127.0.0.1:");
    for (number, uri) in [
        server.uri.clone(),
        format!("https://127.0.0.1:{port}"),
        format!("https://localhost:{port}"),
        format!("https://[::1]:{port}"),
        format!("https://2130706433:{port}"),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "file:///etc/passwd".to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("machine-{number}");
        keeps_its_keys_at(&world, &id, &uri).await;
        assert_eq!(ask(&world, &signer.assertion(&id)).await.error(), (503, "temporarily_unavailable".into()), "{uri}");
    }
    assert_eq!(server.hits(), 0);
});

on_one!(discovery_says_how_clients_prove_themselves, |world| {
    let told = Browser::new(&world).get("/.well-known/openid-configuration").await.json();
    assert_eq!(
        told["token_endpoint_auth_methods_supported"],
        json!(["client_secret_basic", "client_secret_post", "private_key_jwt", "none"])
    );
    assert_eq!(told["token_endpoint_auth_signing_alg_values_supported"], json!(["RS256", "ES256", "EdDSA", "PS256"]));
    assert!(told["grant_types_supported"].as_array().unwrap().contains(&json!("client_credentials")));
});
