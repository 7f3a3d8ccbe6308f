//! What the plan for dynamic registration asks of clients with special metadata.

use latchkey::domain::SigningAlg;

use super::suite::{Mode, Suite, client, code_of};
use crate::actors::{Form, decode};
use crate::on_both;
use crate::world::{REDIRECT_URI, World};

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
