//! What discovery must say, and that the key set holds what it says.

use serde_json::{Value, json};

use crate::actors::Browser;
use crate::world::World;
use crate::{forge, on_both, on_one};

/// As behind a proxy that ends TLS: every address must be https.
pub(super) const HTTPS: (&str, &str) = ("SERVER_ISSUER", "https://login.example");

/// What all of the modules about discovery check: it is there, it is JSON, and each endpoint is an https address of the issuer.
pub(super) async fn discovered(world: &World) -> Value {
    let answer = Browser::new(world).get("/.well-known/openid-configuration").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    let said = answer.json();
    assert_eq!(said["issuer"], HTTPS.1);
    for (name, url) in said.as_object().unwrap().iter().filter(|(name, _)| name.ends_with("_endpoint") || name.ends_with("_uri")) {
        let url = url::Url::parse(url.as_str().unwrap()).unwrap();
        assert_eq!((url.scheme(), url.host_str(), url.fragment()), ("https", Some("login.example"), None), "{name}");
    }
    said
}

fn texts<'a>(said: &'a Value, name: &str) -> Vec<&'a str> {
    let found = said[name].as_array().unwrap_or_else(|| panic!("{name} is no list: {}", said[name]));
    found.iter().map(|value| value.as_str().unwrap()).collect()
}

on_both!(oidcc_discovery_endpoint_verification, [HTTPS], |world| {
    let said = discovered(&world).await;
    for name in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"] {
        assert!(said[name].is_string(), "{name}");
    }
    for (name, wanted) in [
        ("response_types_supported", "code"),
        ("grant_types_supported", "authorization_code"),
        ("id_token_signing_alg_values_supported", "RS256"),
        ("scopes_supported", "openid"),
        ("claims_supported", "sub"),
        ("code_challenge_methods_supported", "S256"),
        ("response_modes_supported", "form_post"),
    ] {
        assert!(texts(&said, name).contains(&wanted), "{name}");
    }
    let subjects = texts(&said, "subject_types_supported");
    assert!(!subjects.is_empty() && subjects.iter().all(|subject| ["public", "pairwise"].contains(subject)), "{subjects:?}");
    // RFC 6749 §3.3 on the characters of a scope.
    assert!(texts(&said, "scopes_supported").iter().all(|scope| scope.chars().all(|c| matches!(c, '!' | '#'..='[' | ']'..='~'))));
    for name in ["claims_parameter_supported", "request_parameter_supported", "request_uri_parameter_supported"] {
        assert!(said[name].is_boolean(), "{name}: one of them is true where nothing is said");
    }
    assert!(texts(&said, "ui_locales_supported").iter().all(|tag| *tag == "en"), "a tag of BCP 47");
    let keys = forge::jwks(&Browser::new(&world)).await;
    let mut ids: Vec<&str> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), keys.len(), "each key has a kid of its own");
    assert!(keys.iter().all(|key| key["use"] == "sig" && key.get("d").is_none()));
});

on_both!(oidcc_rp_initiated_logout_discovery_endpoint_verification, [HTTPS], |world| {
    assert_eq!(discovered(&world).await["end_session_endpoint"], json!("https://login.example/logout"));
});

// Not asked of us: a server that does not say `none` is not tried with it.
on_one!(oidcc_idtoken_unsigned, [HTTPS], |world| {
    assert!(!texts(&discovered(&world).await, "id_token_signing_alg_values_supported").contains(&"none"));
});

// The plan has an operator rotate between two looks at the key set.
on_both!(oidcc_server_rotate_keys, |world| {
    let browser = Browser::new(&world);
    let kids = |keys: &[Value]| keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let before = kids(&forge::jwks(&browser).await);
    world.state.keys.rotate().await.unwrap();
    let after = kids(&forge::jwks(&browser).await);
    assert!(after.iter().any(|kid| !before.contains(kid)), "there is a new one");
    assert!(before.iter().all(|kid| after.contains(kid)), "and the old ones are still there");
});
