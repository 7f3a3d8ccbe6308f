//! What the plan for dynamic registration asks of clients with special metadata.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::discovery::{HTTPS, discovered};
use super::refresh::{check_refreshed, offline, refresh_token};
use super::registering::{INSIDE, OPEN, Registered, TOKEN, assert_refused, authorities, metadata, with};
use super::suite::{Mode, Suite, code_of};
use crate::actors::{Form, Tokens, decode};
use crate::logo::PNG;
use crate::signer::Signer;
use crate::site::{Page, Site};
use crate::world::{ISSUER, REDIRECT_URI, World};
use crate::{forge, on_both};

/// Registers a client with these redirect URIs alone.
async fn at<'w>(world: &'w World, redirect_uris: &[&str]) -> Registered<'w> {
    Registered::new(world, with(metadata(), "redirect_uris", json!(redirect_uris)), rs256()).await
}

fn asked(client: &Registered<'_>, redirect_uri: &str) -> Form {
    client.request().with("redirect_uri", redirect_uri)
}

on_both!(oidcc_idtoken_rs256, [OPEN], |world| {
    let client = Registered::new(&world, with(metadata(), "id_token_signed_response_alg", json!("RS256")), rs256()).await;
    let header = decode(&client.sign_in(&client.request(), TOKEN).await.id).0;
    assert_eq!(header["alg"], "RS256");
    assert!(header["kid"].is_string());
});

on_both!(oidcc_ensure_redirect_uri_in_authorization_request, [OPEN], |world| {
    let client = at(&world, &[REDIRECT_URI, "https://example.org/redirect"]).await;
    assert!(client.suite.browser.auth(&client.request().without("redirect_uri")).await.is_error_page(400));
});

// RFC 6749 §3.1.2: a registered query "MUST be retained when adding additional query parameters".
on_both!(oidcc_redirect_uri_query_ok, [OPEN], |world| {
    let uri = format!("{REDIRECT_URI}?bar=foo");
    let client = at(&world, &[&uri]).await;
    let form = asked(&client, &uri);
    let told = client.suite.told(&form).await;
    assert_eq!(told.get("bar"), "foo");
    client.redeem(&form, &code_of(&form, &told), TOKEN).await;
});

on_both!(oidcc_redirect_uri_query_mismatch, [OPEN], |world| {
    let client = at(&world, &[&format!("{REDIRECT_URI}?bar=foo")]).await;
    assert!(client.suite.browser.auth(&asked(&client, &format!("{REDIRECT_URI}?foo=bar"))).await.is_error_page(400));
});

on_both!(oidcc_redirect_uri_query_added, [OPEN], |world| {
    let client = at(&world, &[REDIRECT_URI]).await;
    assert!(client.suite.browser.auth(&asked(&client, &format!("{REDIRECT_URI}?foo=bar"))).await.is_error_page(400));
});

fn rs256() -> Signer {
    Signer::new("RS256", "one")
}

// Besides what every plan asks of discovery; that there is no implicit flow is said in docs/conformance.md.
on_both!(oidcc_discovery_endpoint_verification, [HTTPS, OPEN], |world| {
    let said = discovered(&world).await;
    assert_eq!(said["registration_endpoint"], json!("https://login.example/register"));
    let offers = |name: &str, word: &str| said[name].as_array().unwrap().contains(&json!(word));
    assert!(offers("token_endpoint_auth_methods_supported", "private_key_jwt"));
    assert!(offers("token_endpoint_auth_signing_alg_values_supported", "RS256"));
    assert!(offers("subject_types_supported", "pairwise"));
});

on_both!(oidcc_server, [OPEN], |world| {
    let client = Registered::new(&world, metadata(), rs256()).await;
    client.sign_in(&client.request(), TOKEN).await;
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

/// The set that these keys are published as.
fn published(signer: &Signer) -> Page {
    Page::json(&signer.jwks())
}

on_both!(oidcc_registration_jwks_uri, [OPEN, INSIDE, authorities()], |world| {
    let (site, signer) = (Site::open(), rs256());
    site.put("/keys", published(&signer));
    let client = Registered::new(&world, with(metadata(), "jwks_uri", json!(site.url("/keys"))), signer).await;
    client.sign_in(&client.request(), TOKEN).await;
    assert!(site.asked("/keys") > 0);
});

/// What a client registers whose `sub` is that of a sector.
fn of_a_sector(site: &Site) -> serde_json::Value {
    with(with(metadata(), "subject_type", json!("pairwise")), "sector_identifier_uri", json!(site.url("/sector")))
}

on_both!(oidcc_registration_sector_uri, [OPEN, INSIDE, authorities()], |world| {
    let site = Site::open();
    site.put("/sector", Page::json(&json!([REDIRECT_URI])));
    Registered::new(&world, of_a_sector(&site), rs256()).await;
    assert!(site.asked("/sector") > 0, "it was read");
});

on_both!(oidcc_registration_sector_bad, [OPEN, INSIDE, authorities()], |world| {
    let site = Site::open();
    site.put("/sector", Page::json(&json!(["https://other.example/callback"])));
    let metadata = with(of_a_sector(&site), "jwks", rs256().jwks());
    assert_refused(&Suite::new(&world, Mode::Query).await, &metadata, &["invalid_client_metadata"]).await;
    assert!(site.asked("/sector") > 0, "it was read");
});

on_both!(oidcc_registration_logo_uri, [OPEN, INSIDE, authorities()], |world| {
    let site = Site::open();
    site.put("/logo.png", Page::of("image/png", PNG));
    let client = Registered::new(&world, with(metadata(), "logo_uri", json!(site.url("/logo.png"))), rs256()).await;
    // From our own address: the app's site is not told who signs in. It is fetched at registration, and no page waits for it.
    let path = format!("/clients/{}/logo", client.id());
    let picture = client.suite.browser.get(&path).await;
    assert_eq!((picture.status, picture.header("content-type")), (200, "image/png"), "{}", picture.body);
    assert_shown(&client, &format!("<img class=\"app-logo\" alt=\"\" src=\"{path}?v=")).await;
    assert_eq!(site.asked("/logo.png"), 1);
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
    assert_eq!(one.token(stolen.clone(), TOKEN).await.error(), (400, "invalid_grant".into()));
    // It was not spent by the thief's attempt.
    assert_eq!(two.token(stolen, TOKEN).await.status, 200);
});

on_both!(oidcc_refresh_token_rp_key_rotation, [OPEN, INSIDE, authorities()], |world| {
    let (site, signer) = (Site::open(), rs256());
    site.put("/keys", published(&signer));
    let mut client = Registered::new(&world, with(lasting(), "jwks_uri", json!(site.url("/keys"))), signer).await;
    let first = client.sign_in(&offline(client.request()), TOKEN).await;
    client.signer = Signer::new("RS256", "two");
    site.put("/keys", published(&client.signer));
    world.clock.advance(Duration::from_mins(1));
    let form = Form::of(&[("grant_type", "refresh_token"), ("refresh_token", &refresh_token(&first))]);
    let second = Tokens::read(&client.token(form, TOKEN).await);
    check_refreshed(&client.suite, &first, &second).await;
});

on_both!(oidcc_ensure_client_assertion_with_iss_aud_succeeds, [OPEN], |world| {
    let client = Registered::new(&world, metadata(), rs256()).await;
    client.sign_in(&client.request(), ISSUER).await;
});
