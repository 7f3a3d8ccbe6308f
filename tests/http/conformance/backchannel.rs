//! Logout that is told to apps behind the browser's back: what discovery says of it, and what an app hears.

use serde_json::json;

use super::discovery::{HTTPS, discovered};
use super::logout::{BYE, assert_signed_out, farewell, goodbye};
use super::registering::{INSIDE, OPEN, Registered, TOKEN, authorities, metadata, with};
use super::suite::long_state;
use crate::actors::{Form, decode};
use crate::signer::Signer;
use crate::site::{Page, Site};
use crate::world::ISSUER;
use crate::{forge, on_both};

on_both!(oidcc_backchannel_logout_discovery_endpoint_verification, [HTTPS], |world| {
    let said = discovered(&world).await;
    assert_eq!((&said["backchannel_logout_supported"], &said["backchannel_logout_session_supported"]), (&json!(true), &json!(true)));
    assert!(said["end_session_endpoint"].is_string());
});

const PATH: &str = "/backchannel_logout";

on_both!(oidcc_backchannel_rp_initiated_logout, [OPEN, INSIDE, authorities()], |world| {
    let home = Site::open();
    home.put(PATH, Page::of("text/plain", "").with("cache-control", "no-store"));
    let wished =
        with(with(metadata(), "backchannel_logout_uri", json!(home.url(PATH))), "backchannel_logout_session_required", json!(true));
    let wished = with(wished, "post_logout_redirect_uris", json!([BYE]));
    let client = Registered::new(&world, wished, Signer::new("RS256", "one")).await;
    let suite = &client.suite;
    let tokens = client.sign_in(&client.request().with("state", &long_state()), TOKEN).await;
    let back = goodbye(suite, &farewell(&tokens)).await;
    assert!(back.location().starts_with(BYE), "{}", back.location());
    assert_eq!(back.redirect().encode(), Form::of(&[("state", &long_state())]).encode());

    // By https, which `Site` speaks from TLS 1.2 on.
    let heard = home.posted(PATH).await.remove(0);
    assert_eq!(heard.content_type, "application/x-www-form-urlencoded");
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(heard.body.as_bytes()).into_owned().collect();
    assert_eq!(fields.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["logout_token"], "and nothing else");
    let token = &fields[0].1;
    assert!(forge::verifies(&forge::jwks(&suite.browser).await, token));
    let (claims, id) = (decode(token).1, decode(&tokens.id).1);
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(ISSUER), &json!(client.id())));
    assert!(id["sid"].is_string(), "{id}");
    assert_eq!((&claims["sub"], &claims["sid"]), (&id["sub"], &id["sid"]));
    assert_eq!(claims["events"], json!({ "http://schemas.openid.net/event/backchannel-logout": {} }));
    assert!(claims["iat"].is_i64() && claims["jti"].as_str().is_some_and(|jti| !jti.is_empty()), "{claims}");
    assert!(claims.get("nonce").is_none(), "{claims}");
    assert_signed_out(suite).await;
});
