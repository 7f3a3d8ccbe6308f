//! The published keys and the discovery document: what they say is true, and rotation breaks no token.

use std::time::Duration;

use latchkey::domain::SigningAlg;
use reqwest::Method;
use serde_json::json;

use crate::actors::{App, Browser, Form, Wallet, decode};
use crate::world::ISSUER;
use crate::{forge, on_both, on_one};

on_both!(discovery_tells_the_truth, |world| {
    let browser = Browser::new(&world);
    let discovery = browser.get("/.well-known/openid-configuration").await;
    assert_eq!(
        (discovery.status, discovery.header("content-type"), discovery.header("cache-control")),
        (200, "application/json", "public, max-age=300")
    );
    let said = discovery.json();
    assert_eq!(browser.get("/.well-known/oauth-authorization-server").await.json(), said);
    assert_eq!(said["issuer"], ISSUER);
    // Every address answers, and none with "nothing here".
    let urls: Vec<(&String, &str)> = said
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| name.ends_with("_endpoint") || name.ends_with("_uri"))
        .map(|(name, url)| (name, url.as_str().unwrap()))
        .collect();
    assert!(urls.len() >= 5, "{urls:?}");
    for (name, url) in urls {
        let path = url.strip_prefix(ISSUER).unwrap_or_else(|| panic!("{name} is elsewhere: {url}"));
        let only_post = [
            "token_endpoint",
            "revocation_endpoint",
            "introspection_endpoint",
            "pushed_authorization_request_endpoint",
            "device_authorization_endpoint",
        ];
        let method = if only_post.contains(&name.as_str()) { Method::POST } else { Method::GET };
        let answer = browser.send(browser.bare(method, path)).await;
        assert!(![404, 405, 500].contains(&answer.status), "{name}: {}", answer.status);
    }
    // Each algorithm has a key, and each key an algorithm that is named.
    let algorithms: Vec<&str> =
        said["id_token_signing_alg_values_supported"].as_array().unwrap().iter().map(|alg| alg.as_str().unwrap()).collect();
    let keys = forge::jwks(&browser).await;
    for alg in &algorithms {
        assert!(keys.iter().any(|key| key["alg"] == *alg), "{alg} has no key");
    }
    assert!(keys.iter().all(|key| algorithms.contains(&key["alg"].as_str().unwrap())));
    assert!(algorithms.contains(&"RS256") && !algorithms.contains(&"none") && !algorithms.contains(&"HS256"));
    assert_eq!(
        [
            &said["response_types_supported"],
            &said["grant_types_supported"],
            &said["code_challenge_methods_supported"],
            &said["response_modes_supported"]
        ],
        [
            &json!(["code"]),
            &json!([
                "authorization_code",
                "refresh_token",
                "client_credentials",
                "urn:ietf:params:oauth:grant-type:device_code",
                "urn:ietf:params:oauth:grant-type:token-exchange"
            ]),
            &json!(["S256"]),
            &json!(["query", "form_post"])
        ]
    );
    assert_eq!(said["authorization_response_iss_parameter_supported"], json!(true));
    assert_eq!(
        [&said["request_parameter_supported"], &said["request_uri_parameter_supported"], &said["claims_parameter_supported"]],
        [&json!(false), &json!(false), &json!(true)]
    );
    assert_eq!(said["userinfo_signing_alg_values_supported"], said["id_token_signing_alg_values_supported"]);
    assert_eq!(said["protected_resources"], json!([said["userinfo_endpoint"]]));
    assert!(said.get("service_documentation").is_none() && said.get("op_tos_uri").is_none() && said.get("op_policy_uri").is_none());
    // What is promised of scopes, prompts and response modes is taken.
    let (app, wallet) = (App::public(&world, "app"), Wallet::new(1));
    for scope in said["scopes_supported"].as_array().unwrap() {
        assert!(
            browser.auth(&app.request().with("scope", scope.as_str().unwrap())).await.location().starts_with("/interaction/"),
            "{scope}"
        );
    }
    for prompt in said["prompt_values_supported"].as_array().unwrap() {
        let answer = browser.auth(&app.request().with("prompt", prompt.as_str().unwrap())).await;
        assert_ne!(answer.query("error").as_deref(), Some("invalid_request"), "{prompt}");
    }
    let page = browser.sign_in_to_account(&wallet).await;
    browser.post_form("/account/profile", &Form::of(&[("csrf", &page.csrf()), ("name", "Ada")])).await;
    let tokens = app.tokens(&browser, &wallet).await;
    let (access, id) = tokens.claims();
    let told = app.userinfo(&tokens.access).await.json();
    let supported = said["claims_supported"].as_array().unwrap();
    for claim in [&id, &told].into_iter().flat_map(|claims| claims.as_object().unwrap().keys()) {
        assert!(supported.contains(&json!(claim)), "{claim} is not in claims_supported");
    }
    assert_eq!(access["iss"], said["issuer"]);
    assert!(said["acr_values_supported"].as_array().unwrap().contains(&id["acr"]));
});

on_one!(
    the_operators_own_pages_are_named,
    [
        ("SERVER_SERVICE_DOCUMENTATION", "https://id.example/docs"),
        ("SERVER_POLICY_URI", "https://id.example/policy"),
        ("SERVER_TOS_URI", "https://id.example/terms")
    ],
    |world| {
        let said = Browser::new(&world).get("/.well-known/openid-configuration").await.json();
        assert_eq!(
            [&said["service_documentation"], &said["op_policy_uri"], &said["op_tos_uri"]],
            [&json!("https://id.example/docs"), &json!("https://id.example/policy"), &json!("https://id.example/terms")]
        );
    }
);

on_both!(the_published_keys_are_public_parts_only, |world| {
    let browser = Browser::new(&world);
    let answer = browser.get("/keys").await;
    assert_eq!((answer.header("content-type"), answer.header("cache-control")), ("application/json", "public, max-age=300"));
    assert_eq!(browser.get("/.well-known/jwks.json").await.body, answer.body);
    let unchanged = browser.send(browser.bare(Method::GET, "/keys").header("if-none-match", answer.header("etag"))).await;
    assert_eq!((unchanged.status, unchanged.body.as_str(), unchanged.header("etag")), (304, "", answer.header("etag")));
    let keys = forge::jwks(&browser).await;
    assert_eq!(keys.len(), 8, "for each of four algorithms one that signs and one that waits");
    for key in &keys {
        let members: Vec<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
        let thumbprint_of = match key["kty"].as_str().unwrap() {
            "RSA" => {
                assert_eq!(members, ["alg", "e", "kid", "kty", "n", "use"]);
                let bytes = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, key["n"].as_str().unwrap()).unwrap();
                assert!(bytes.len() * 8 >= 2_048 && bytes[0] != 0);
                format!(r#"{{"e":{},"kty":"RSA","n":{}}}"#, key["e"], key["n"])
            }
            "EC" => {
                assert_eq!((members, &key["crv"]), (vec!["alg", "crv", "kid", "kty", "use", "x", "y"], &json!("P-256")));
                format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, key["x"], key["y"])
            }
            "OKP" => {
                assert_eq!((members, &key["crv"]), (vec!["alg", "crv", "kid", "kty", "use", "x"], &json!("Ed25519")));
                format!(r#"{{"crv":"Ed25519","kty":"OKP","x":{}}}"#, key["x"])
            }
            other => panic!("{other}"),
        };
        // RFC 7638 §3.
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, thumbprint_of.as_bytes());
        assert_eq!(key["kid"], json!(base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, digest.as_ref())));
    }
});

on_both!(rotation_breaks_no_token_and_publishes_before_it_signs, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let kid = |token: &str| decode(token).0["kid"].clone();
    let published = async || forge::jwks(&browser).await.iter().map(|key| key["kid"].clone()).collect::<Vec<_>>();
    world.clock.advance(Duration::from_hours(1));
    let before = published().await;
    let old = app.tokens(&browser, &wallet).await;
    let rotated = world.state.keys.rotate().await.unwrap();
    assert_eq!(rotated.len(), SigningAlg::ALL.len() + 1, "and the key of assets");
    let after = published().await;
    assert_eq!((before.len(), after.len()), (8, 12), "old, active and next");
    assert!(before.iter().all(|kid| after.contains(kid)), "none went away");
    let new = app.tokens(&browser, &wallet).await;
    assert_ne!(kid(&new.access), kid(&old.access));
    assert!(before.contains(&kid(&new.access)), "it was published before it signed");
    let keys = forge::jwks(&browser).await;
    for tokens in [&old, &new] {
        assert_eq!(app.userinfo(&tokens.access).await.status, 200);
        assert!(forge::verifies(&keys, &tokens.id));
    }
    // Rotated again at once, the key just made has not been published for long enough, and does not sign yet.
    world.state.keys.rotate().await.unwrap();
    let soon = app.tokens(&browser, &wallet).await;
    assert_eq!(kid(&soon.access), kid(&new.access));
    world.clock.advance(Duration::from_mins(10));
    let later = app.tokens(&browser, &wallet).await;
    assert_ne!(kid(&later.access), kid(&new.access));
    assert!(after.contains(&kid(&later.access)));
    // An old key goes when the last token that it signed, a developer's of a fortnight, is dead.
    world.clock.advance(Duration::from_hours(312));
    world.state.keys.reload().await.unwrap();
    assert!(published().await.contains(&kid(&old.access)));
    world.clock.advance(Duration::from_hours(48));
    world.state.keys.reload().await.unwrap();
    assert!(!published().await.contains(&kid(&old.access)));
});

on_one!(a_token_of_another_replicas_new_key_is_taken, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    world.clock.advance(Duration::from_hours(1));
    let (_, claims) = decode(&app.tokens(&browser, &wallet).await.access);
    // Another process on the same database rotates twice, so that it signs with a key that this one has never seen.
    let config = &world.state.config;
    let sealing = config.sealing_key(false, &world.state.entropy).unwrap();
    let replica =
        latchkey::keys::Keyring::open(&world.state.store, sealing, config.key_settings(), world.clock.clone(), world.state.entropy.clone())
            .await
            .unwrap();
    let known = forge::jwks(&browser).await;
    for _ in 0..2 {
        replica.rotate().await.unwrap();
        world.clock.advance(Duration::from_secs(601));
    }
    let token = replica.sign(latchkey::keys::TokenKind::AccessToken, SigningAlg::Rs256, &claims).unwrap();
    assert!(known.iter().all(|key| key["kid"] != decode(&token).0["kid"]), "it is unknown here");
    assert_eq!(app.userinfo(&token).await.status, 200);
});
