//! What the plan for dynamic registration asks of clients with special metadata.

use std::time::Duration;

use latchkey::domain::SigningAlg;
use reqwest::Method;
use serde_json::json;

use super::refresh::{check_refreshed, offline, refresh_token};
use super::registering::{INSIDE, OPEN, Registered, assert_refused, metadata, with};
use super::suite::{Mode, Suite, client, code_of};
use crate::actors::{Form, Tokens, decode};
use crate::signer::{KeyServer, Signer};
use crate::world::{ISSUER, REDIRECT_URI, World};
use crate::{forge, on_both};

/// The audience that the plans' assertions name unless they say otherwise.
const TOKEN: &str = "http://localhost:8080/token";

/// A suite whose app is a client of its own, with that redirect URI.
async fn suite_at<'w>(world: &'w World, redirect_uri: &str) -> Suite<'w> {
    client(world, "registered", redirect_uri).await;
    Suite::new(world, Mode::Query).await.with_app("registered")
}

fn asked(suite: &Suite<'_>, redirect_uri: &str) -> Form {
    suite.request().with("redirect_uri", redirect_uri)
}

on_both!(oidcc_idtoken_rs256, |world| {
    let suite = suite_at(&world, REDIRECT_URI).await;
    let registered = world.state.store.client(&"registered".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(registered.signing_alg, SigningAlg::Rs256);
    let header = decode(&suite.tokens(&suite.request()).await.id).0;
    assert_eq!(header["alg"], "RS256");
    assert!(header["kid"].is_string());
});

on_both!(oidcc_ensure_redirect_uri_in_authorization_request, |world| {
    world.client("two", |client| client.redirect_uris.push("https://example.org/redirect".parse().unwrap())).await;
    let suite = Suite::new(&world, Mode::Query).await;
    let form = suite.request().with("client_id", "two").without("redirect_uri");
    assert!(suite.browser.auth(&form).await.is_error_page(400));
});

// RFC 6749 §3.1.2: a registered query "MUST be retained when adding additional query parameters".
on_both!(oidcc_redirect_uri_query_ok, |world| {
    let uri = format!("{REDIRECT_URI}?bar=foo");
    let suite = suite_at(&world, &uri).await;
    let form = asked(&suite, &uri);
    let told = suite.told(&form).await;
    assert_eq!(told.get("bar"), "foo");
    suite.redeem(&form, &code_of(&form, &told)).await;
});

on_both!(oidcc_redirect_uri_query_mismatch, |world| {
    let suite = suite_at(&world, &format!("{REDIRECT_URI}?bar=foo")).await;
    assert!(suite.browser.auth(&asked(&suite, &format!("{REDIRECT_URI}?foo=bar"))).await.is_error_page(400));
});

on_both!(oidcc_redirect_uri_query_added, |world| {
    let suite = suite_at(&world, REDIRECT_URI).await;
    assert!(suite.browser.auth(&asked(&suite, &format!("{REDIRECT_URI}?foo=bar"))).await.is_error_page(400));
});

fn rs256() -> Signer {
    Signer::new("RS256", "one")
}

on_both!(oidcc_server, [OPEN], |world| {
    let client = Registered::new(&world, metadata(), rs256()).await;
    let tokens = client.sign_in(&client.request(), TOKEN).await;
    assert_eq!(client.suite.app.userinfo(&tokens.access).await.status, 200);
    assert_eq!(client.manage(Method::DELETE).await.status, 204);
    assert!(client.suite.browser.auth(&client.request()).await.is_error_page(400), "it is gone");
});

on_both!(oidcc_redirect_uri_regfrag, [OPEN], |world| {
    let suite = Suite::new(&world, Mode::Query).await;
    let metadata = with(with(metadata(), "jwks", rs256().jwks()), "redirect_uris", json!([format!("{REDIRECT_URI}#foobar")]));
    assert_refused(&suite, &metadata, &["invalid_redirect_uri"]).await;
});

on_both!(oidcc_userinfo_rs256, [OPEN], |world| {
    let client = Registered::new(&world, with(metadata(), "userinfo_signed_response_alg", json!("RS256")), rs256()).await;
    let said = client.suite.browser.get("/.well-known/openid-configuration").await.json();
    assert!(said["userinfo_signing_alg_values_supported"].as_array().unwrap().contains(&json!("RS256")));
    let tokens = client.sign_in(&client.request(), TOKEN).await;
    let told = client.suite.app.userinfo(&tokens.access).await;
    assert_eq!((told.status, told.header("content-type")), (200, "application/jwt"), "{}", told.body);
    assert!(forge::verifies(&forge::jwks(&client.suite.browser).await, &told.body));
    let (header, claims) = decode(&told.body);
    assert_eq!(header["alg"], "RS256");
    assert_eq!((&claims["iss"], &claims["aud"], &claims["sub"]), (&json!(ISSUER), &json!(client.id()), &decode(&tokens.id).1["sub"]));
    assert!(claims.get("nonce").is_none());
});

on_both!(oidcc_registration_policy_uri, [OPEN], |world| {
    let client = Registered::new(&world, with(metadata(), "policy_uri", json!("https://app.example/policy")), rs256()).await;
    assert_shown(&client, "href=\"https://app.example/policy\"").await;
});

on_both!(oidcc_registration_tos_uri, [OPEN], |world| {
    let client = Registered::new(&world, with(metadata(), "tos_uri", json!("https://app.example/terms")), rs256()).await;
    assert_shown(&client, "href=\"https://app.example/terms\"").await;
});

/// Asserts that one of the pages which the person sees has that text.
async fn assert_shown(client: &Registered<'_>, text: &str) {
    let browser = &client.suite.browser;
    let interaction = browser.begin(&client.request()).await;
    let sign_in = browser.get(&interaction).await;
    browser.sign_in(&interaction, &client.suite.wallet).await;
    let consent = browser.get(&interaction).await;
    assert!(consent.is_consent());
    assert!(sign_in.body.contains(text) || consent.body.contains(text), "{text} is on neither page");
}

on_both!(oidcc_registration_jwks_uri, [OPEN, INSIDE], |world| {
    let (site, signer) = (KeyServer::new().await, rs256());
    site.publishes(&[&signer]);
    let client = Registered::new(&world, with(metadata(), "jwks_uri", json!(site.uri)), signer).await;
    client.sign_in(&client.request(), TOKEN).await;
    assert!(site.hits() > 0);
});

/// What a client registers whose `sub` is that of a sector.
fn of_a_sector(site: &KeyServer) -> serde_json::Value {
    with(with(metadata(), "subject_type", json!("pairwise")), "sector_identifier_uri", json!(site.uri))
}

on_both!(oidcc_registration_sector_uri, [OPEN, INSIDE], |world| {
    let site = KeyServer::new().await;
    site.says("200 OK", "", &json!([REDIRECT_URI]).to_string());
    Registered::new(&world, of_a_sector(&site), rs256()).await;
    assert!(site.hits() > 0, "it was read");
});

on_both!(oidcc_registration_sector_bad, [OPEN, INSIDE], |world| {
    let (suite, site) = (Suite::new(&world, Mode::Query).await, KeyServer::new().await);
    site.says("200 OK", "", &json!(["https://other.example/callback"]).to_string());
    let metadata = with(of_a_sector(&site), "jwks", rs256().jwks());
    assert_refused(&suite, &metadata, &["invalid_client_metadata"]).await;
});

/// What registers a client that may have refresh tokens.
fn lasting() -> serde_json::Value {
    with(metadata(), "grant_types", json!(["authorization_code", "refresh_token"]))
}

on_both!(oidcc_refresh_token, [OPEN], |world| {
    let (one, two) = (Registered::new(&world, lasting(), rs256()).await, Registered::new(&world, lasting(), rs256()).await);
    let mut unused = String::new();
    for client in [&one, &two] {
        let first = client.sign_in(&offline(client.request()), TOKEN).await;
        world.clock.advance(Duration::from_secs(1));
        let form = Form::of(&[("grant_type", "refresh_token"), ("refresh_token", &refresh_token(&first))]);
        let second = Tokens::read(&client.token(form, TOKEN).await);
        check_refreshed(&client.suite, &first, &second).await;
        unused = second.reply["refresh_token"].as_str().map_or_else(|| refresh_token(&first), str::to_owned);
    }
    let stolen = Form::of(&[("grant_type", "refresh_token"), ("refresh_token", &unused)]);
    assert_eq!(one.token(stolen, TOKEN).await.error(), (400, "invalid_grant".into()));
});

on_both!(oidcc_refresh_token_rp_key_rotation, [OPEN, INSIDE], |world| {
    let (site, signer) = (KeyServer::new().await, rs256());
    site.publishes(&[&signer]);
    let mut client = Registered::new(&world, with(lasting(), "jwks_uri", json!(site.uri)), signer).await;
    let first = client.sign_in(&offline(client.request()), TOKEN).await;
    client.signer = Signer::new("RS256", "two");
    site.publishes(&[&client.signer]);
    world.clock.advance(Duration::from_mins(1));
    let form = Form::of(&[("grant_type", "refresh_token"), ("refresh_token", &refresh_token(&first))]);
    let second = Tokens::read(&client.token(form, TOKEN).await);
    check_refreshed(&client.suite, &first, &second).await;
});

on_both!(oidcc_ensure_client_assertion_with_iss_aud_succeeds, [OPEN], |world| {
    let client = Registered::new(&world, metadata(), rs256()).await;
    client.sign_in(&client.request(), ISSUER).await;
});
