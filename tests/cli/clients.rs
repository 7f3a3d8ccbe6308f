//! `latchkey client …`

use std::time::Duration;

use latchkey::domain::{Timestamp, TokenHash};
use latchkey::store::{ClientRecord, ClientSource};
use serde_json::json;

use super::operator::{Operator, text};

const URI: &str = "https://app.example/cb";

#[test]
fn a_client_is_made_with_a_secret_that_is_shown_once() {
    let operator = Operator::new();
    let ended = operator.run(&["client", "create", "--name", "My app", "--redirect-uri", URI]);
    let mut client = ended.json();
    let secret = text(&client, "client_secret").to_owned();
    assert_eq!(secret.len(), 43);
    assert!(!ended.err.contains(&secret));
    let id = text(&client, "client_id").to_owned();
    assert!(client["created_at"] == client["updated_at"] && text(&client, "created_at").ends_with('Z'));
    for key in ["client_secret", "client_id", "created_at", "updated_at"] {
        client.as_object_mut().unwrap().remove(key);
    }
    assert_eq!(
        client,
        json!({
            "kind": "oauth", "name": "My app", "token_endpoint_auth_methods": ["client_secret_basic", "client_secret_post"],
            "grant_types": ["authorization_code", "refresh_token"], "pkce": "required", "claims_profile": "oidc",
            "subject": null, "signing_alg": "RS256", "access_token_lifetime": "1h", "redirect_uris": [URI], "post_logout_redirect_uris": [],
            "backchannel_logout_uri": null,             "source": "command", "disabled_at": null,
        })
    );
    let shown = operator.run(&["client", "show", &id]);
    assert_eq!(text(&shown.json(), "name"), "My app");
    // Only the hash is kept, here and in the database's file.
    assert!(!shown.out.contains("\"client_secret\":"));
    for file in std::fs::read_dir(operator.folder.join("data")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
}

#[test]
fn every_option_of_a_client_is_kept() {
    let operator = Operator::new();
    let made = operator.json(&[
        "client",
        "create",
        "--name",
        "Full",
        "--id",
        "full",
        "--secret",
        &"s".repeat(32),
        "--redirect-uri",
        URI,
        "com.example.app:/cb",
        URI,
        "--post-logout-redirect-uri",
        "https://app.example/bye",
        "--backchannel-logout-uri",
        "https://app.example/ended?a=b",
        "--pkce",
        "optional",
        "--claims-profile",
        "compat",
        "--subject",
        "pairwise",
        "--signing-alg",
        "EdDSA",
        "--access-token-lifetime",
        "10m",
    ]);
    assert_eq!(made["client_secret"], json!(null));
    let shown = operator.json(&["client", "show", "full"]);
    assert_eq!(made, shown);
    for (key, value) in [
        ("pkce", json!("optional")),
        ("claims_profile", json!("compat")),
        ("subject", json!("pairwise")),
        ("signing_alg", json!("EdDSA")),
        ("access_token_lifetime", json!("10m")),
        ("redirect_uris", json!([URI, "com.example.app:/cb"])),
        ("post_logout_redirect_uris", json!(["https://app.example/bye"])),
        ("backchannel_logout_uri", json!("https://app.example/ended?a=b")),
    ] {
        assert_eq!(shown[key], value, "{key}");
    }
}

#[test]
fn a_chosen_secret_has_32_characters_and_is_never_repeated() {
    let operator = Operator::new();
    let create = |id| ["client", "create", "--name", "A", "--redirect-uri", URI, "--id", id];
    let short = operator.refused(&[&create("a")[..], &["--secret", "hunter2hunter2"]].concat());
    assert!(short.contains("the secret has 14 characters; it needs at least 32"), "{short}");
    assert!(!short.contains("hunter2"));
    let by_input = operator.tell("hunter2\n", &[&create("a")[..], &["--secret-stdin"]].concat()).reason(1);
    assert!(by_input.contains("7 characters") && !by_input.contains("hunter2"), "{by_input}");
    let secret = "a long secret that came by a pipe";
    let made = operator.tell(&format!("{secret}\r\n"), &[&create("b")[..], &["--secret-stdin"]].concat());
    assert!(made.json()["client_secret"].is_null() && !made.out.contains(secret) && !made.err.contains(secret));
    let store = operator.store();
    let hash = store.runtime.block_on(store.store.client(&"b".parse().unwrap())).unwrap().unwrap().secret_hash;
    assert_eq!(hash, Some(TokenHash::of(secret)));
    let both = operator.misunderstood(&[&create("c")[..], &["--secret", secret, "--public"]].concat());
    assert!(both.contains("cannot be used with") && !both.contains(secret), "{both}");
}

#[test]
fn a_public_client_has_no_secret_and_always_pkce() {
    let operator = Operator::new();
    let public = ["client", "create", "--name", "P", "--public", "--redirect-uri", "http://127.0.0.1/cb", "--id", "p"];
    let made = operator.json(&public);
    assert_eq!(made["token_endpoint_auth_methods"], json!(["none"]));
    assert!(made["client_secret"].is_null());
    let optional = ["client", "create", "--name", "Q", "--public", "--redirect-uri", URI, "--pkce", "optional"];
    assert!(operator.refused(&optional).contains("a public client always uses PKCE"));
    assert!(operator.refused(&["client", "update", "p", "--pkce", "optional"]).contains("a public client always uses PKCE"));
    assert!(operator.refused(&["client", "update", "p", "--new-secret"]).contains("it has no secret"));
}

#[test]
fn what_cannot_be_a_client_is_refused() {
    let operator = Operator::new();
    let create = ["client", "create", "--name", "A", "--redirect-uri"];
    for uri in ["https://a.example/#", "https://*.example/", "javascript:alert(1)", "/cb", "https://a.example/ b"] {
        assert!(operator.misunderstood(&[&create[..], &[uri]].concat()).contains("invalid value"), "{uri}");
    }
    for (option, value) in [
        ("--id", "a b"),
        ("--pkce", "maybe"),
        ("--access-token-lifetime", "2h"),
        ("--access-token-lifetime", "60"),
        ("--subject", "x"),
        ("--name", " "),
        ("--backchannel-logout-uri", "http://app.example/ended"),
        ("--backchannel-logout-uri", "https://app.example/ended#x"),
        ("--backchannel-logout-uri", "https://a:b@app.example/ended"),
        ("--backchannel-logout-uri", "https://app.example/en ded"),
        ("--backchannel-logout-uri", "com.example.app:/ended"),
        ("--backchannel-logout-uri", "/ended"),
    ] {
        let told = operator.misunderstood(&[&create[..], &[URI, option, value]].concat());
        assert!(told.contains("error"), "{told}");
    }
    assert!(operator.refused(&["client", "create", "--name", "A"]).contains("there is no redirect URI"));
    let address = [&create[..], &[URI, "--id", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"]].concat();
    assert!(operator.refused(&address).contains("ids of licenses"));
    operator.json(&[&create[..], &[URI, "--id", "taken"]].concat());
    let again = operator.refused(&[&create[..], &[URI, "--id", "taken"]].concat());
    assert_eq!(again, "error: a client with this id exists already\n");
}

#[test]
fn a_client_is_changed_disabled_enabled_and_deleted() {
    let operator = Operator::new();
    let made = operator.json(&["client", "create", "--name", "A", "--id", "a", "--redirect-uri", URI]);
    let old = text(&made, "client_secret").to_owned();
    assert!(operator.refused(&["client", "update", "a"]).contains("nothing to change"));
    let changed = operator.json(&[
        "client",
        "update",
        "a",
        "--name",
        "B",
        "--redirect-uri",
        "https://b.example/1",
        "--redirect-uri",
        "https://b.example/2",
        "--subject",
        "connector",
        "--new-secret",
    ]);
    assert_eq!((text(&changed, "name"), &changed["redirect_uris"]), ("B", &json!(["https://b.example/1", "https://b.example/2"])));
    assert_ne!(text(&changed, "client_secret"), old);
    let changed = operator.json(&["client", "update", "a", "--subject", "server", "--pkce", "optional"]);
    assert_eq!((&changed["subject"], text(&changed, "pkce"), text(&changed, "name")), (&json!(null), "optional", "B"));
    let inside = operator.refused(&["client", "update", "a", "--backchannel-logout-uri", "http://localhost:3000/ended"]);
    assert!(inside.contains("egress.allow_private_networks"), "{inside}");
    for (uri, shown) in [("https://a.example/ended", json!("https://a.example/ended")), ("off", json!(null))] {
        let changed = operator.json(&["client", "update", "a", "--backchannel-logout-uri", uri]);
        assert_eq!((&changed["backchannel_logout_uri"], text(&changed, "name")), (&shown, "B"));
    }
    assert!(operator.json(&["client", "disable", "a"])["disabled_at"].is_string());
    assert!(operator.json(&["client", "enable", "a"])["disabled_at"].is_null());
    assert_eq!(operator.json(&["client", "list"]).as_array().unwrap().len(), 1);
    assert_eq!(operator.json(&["client", "delete", "a"]), json!({ "client_id": "a", "deleted": true }));
    assert_eq!(operator.json(&["client", "list"]), json!([]));
    for verb in ["show", "disable", "enable", "delete"] {
        assert_eq!(operator.refused(&["client", verb, "a"]), "error: there is no client a\n");
    }
    assert_eq!(operator.refused(&["client", "update", "a", "--name", "C"]), "error: there is no client a\n");
}

#[test]
fn a_client_of_the_file_is_changed_in_the_file() {
    let operator = Operator::new();
    operator.json(&["migrate"]);
    let file = format!("[[clients]]\nid = 'f'\nname = 'F'\nsecret = '{}'\nredirect_uris = ['{URI}']\n", "s".repeat(32));
    let config =
        latchkey::config::Config::load(Some(&operator.file("c.toml", &file)), std::iter::empty(), &latchkey::config::Flags::default())
            .unwrap();
    let store = operator.store();
    let now = latchkey::domain::Clock::System.now();
    store.runtime.block_on(store.store.replace_config_clients(&config.client_records(now), now)).unwrap();
    assert_eq!(text(&operator.json(&["client", "show", "f"]), "source"), "config");
    for args in [&["client", "update", "f", "--name", "G"][..], &["client", "delete", "f"]] {
        assert!(operator.refused(args).contains("declared in the configuration file"));
    }
    assert!(operator.json(&["client", "disable", "f"])["disabled_at"].is_string());
    assert_eq!(operator.json(&["client", "delete", "f"])["deleted"], true, "what is out of use may go");
}

#[test]
fn an_app_that_registered_itself_is_shown_disabled_and_deleted_like_any_other() {
    let operator = Operator::new();
    operator.run(&["migrate"]);
    let store = operator.store();
    let id = "https://app.example/client";
    let mut record = ClientRecord {
        redirect_uris: vec![URI.parse().unwrap()],
        source: ClientSource::Document,
        document_until: Some(Timestamp::from_seconds(1_800_000_000)),
        ..ClientRecord::new(id.parse().unwrap(), "Doc".to_owned(), Duration::from_hours(1), Timestamp::from_seconds(1_700_000_000))
    };
    record.metadata.contacts = vec!["ada@app.example".to_owned()];
    assert!(store.runtime.block_on(store.store.put_document_client(&record)).unwrap());
    let shown = operator.json(&["client", "show", id]);
    assert_eq!((text(&shown, "source"), text(&shown, "document_until")), ("document", "2027-01-15T08:00:00Z"));
    assert_eq!(shown["metadata"]["contacts"], json!(["ada@app.example"]));
    assert_eq!(operator.json(&["client", "list"])[0]["source"], "document");
    assert!(operator.json(&["client", "disable", id])["disabled_at"].is_string());
    assert_eq!(operator.json(&["client", "delete", id])["deleted"], true);
    assert!(operator.refused(&["client", "show", id]).contains(id));
}

// RFC 8037 Appendix A.2, and a point of RFC 7517 Appendix A.1.
const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"one"},
    {"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#;

#[test]
fn a_client_may_have_keys_and_grants_of_its_own() {
    let operator = Operator::new();
    operator.file("keys.json", KEYS);
    let machine = ["client", "create", "--name", "Night job", "--id", "job", "--grant-type", "client_credentials"];
    let machine = [&machine[..], &["--scope", "write read", "--jwks-file", "keys.json", "--auth-signing-alg", "ES256"]].concat();
    let made = operator.json(&machine);
    assert_eq!(made, operator.json(&["client", "show", "job"]));
    for (key, value) in [
        ("client_secret", json!(null)),
        ("token_endpoint_auth_methods", json!(["private_key_jwt"])),
        ("token_endpoint_auth_signing_alg", json!("ES256")),
        ("jwks", serde_json::from_str(KEYS).unwrap()),
        ("jwks_uri", json!(null)),
        ("grant_types", json!(["client_credentials"])),
        ("scope", json!("read write")),
        ("require_pushed_authorization_requests", json!(null)),
        ("redirect_uris", json!([])),
    ] {
        assert_eq!(made[key], value, "{key}");
    }
    // Each way to prove itself takes the place of the other, and the rest stays.
    let changed = operator.json(&["client", "update", "job", "--jwks-uri", "https://app.example/jwks"]);
    assert_eq!((&changed["jwks"], &changed["jwks_uri"]), (&json!(null), &json!("https://app.example/jwks")));
    let changed = operator.json(&["client", "update", "job", "--new-secret", "--auth-method", "client_secret_post"]);
    assert_eq!((&changed["jwks_uri"], &changed["token_endpoint_auth_methods"]), (&json!(null), &json!(["client_secret_post"])));
    assert_eq!(text(&changed, "client_secret").len(), 43);
    let changed = operator.json(&["client", "update", "job", "--name", "Day job", "--require-pushed-authorization-requests"]);
    assert_eq!((&changed["token_endpoint_auth_methods"], &changed["scope"]), (&json!(["client_secret_post"]), &json!("read write")));
    assert_eq!(changed["require_pushed_authorization_requests"], true);
    let changed = operator.json(&["client", "update", "job", "--jwks-file", "keys.json", "--require-pushed-authorization-requests=false"]);
    assert_eq!((&changed["token_endpoint_auth_methods"], &changed["scope"]), (&json!(["private_key_jwt"]), &json!("read write")));
    let store = operator.store();
    assert_eq!(store.runtime.block_on(store.store.client(&"job".parse().unwrap())).unwrap().unwrap().secret_hash, None);
}

#[test]
fn what_does_not_fit_a_client_is_refused() {
    let operator = Operator::new();
    operator.file("keys.json", KEYS);
    operator.file("private.json", &KEYS.replace("\"kid\"", "\"d\":\"AA\",\"kid\""));
    operator.file("weak.json", r#"{"keys":[{"kty":"RSA","n":"u7-7","e":"AQAB"}]}"#);
    operator.file("text.json", "hello");
    let create = ["client", "create", "--name", "A", "--redirect-uri", URI];
    for (options, why) in [
        (&["--jwks-file", "nowhere.json"][..], "nowhere.json cannot be read"),
        (&["--jwks-file", "text.json"], "text.json is no JSON"),
        (&["--jwks-file", "weak.json"], "2048"),
        (&["--jwks-file", "private.json"], "holds a private key"),
        (&["--jwks-uri", "http://app.example/jwks"], "is not https"),
        (&["--jwks-uri", "https://127.0.0.1/jwks"], "is not at a public address"),
        (&["--jwks-uri", "https://app.example/jwks", "--auth-method", "client_secret"], "it can be private_key_jwt"),
        (&["--auth-method", "private_key_jwt"], "it can be client_secret or client_secret_basic or client_secret_post"),
        (&["--public", "--auth-method", "client_secret_basic"], "it can be none"),
        (&["--public", "--grant-type", "client_credentials"], "a public client cannot use client_credentials"),
        (&["--scope", " "], "names no scope"),
    ] {
        let told = operator.refused(&[&create[..], options].concat());
        assert!(told.contains(why), "{options:?}: {told}");
    }
    for options in [&["--jwks-file", "keys.json", "--public"][..], &["--jwks-file", "keys.json", "--jwks-uri", "https://a.example/"]] {
        assert!(operator.misunderstood(&[&create[..], options].concat()).contains("cannot be used with"), "{options:?}");
    }
    for options in [["--grant-type", "password"], ["--auth-signing-alg", "HS256"], ["--auth-method", "client_secret_jwt"]] {
        assert!(operator.misunderstood(&[&create[..], &options].concat()).contains("invalid value"), "{options:?}");
    }
    operator.json(&[&create[..], &["--public", "--id", "p"]].concat());
    assert!(operator.refused(&["client", "update", "p", "--jwks-file", "keys.json"]).contains("it has no keys"));
}

#[test]
fn what_a_command_sets_of_an_app_that_registered_itself_is_held() {
    let operator = Operator::new();
    operator.run(&["migrate"]);
    let store = operator.store();
    let record = ClientRecord {
        redirect_uris: vec![URI.parse().unwrap()],
        source: ClientSource::Registration,
        ..ClientRecord::new("self".parse().unwrap(), "Self".to_owned(), Duration::from_hours(1), Timestamp::from_seconds(1_700_000_000))
    };
    store.runtime.block_on(store.store.create_client(&record)).unwrap();
    assert_eq!(operator.json(&["client", "show", "self"]).get("operator"), None);
    let narrowed = operator.json(&["client", "update", "self", "--scope", "openid", "--access-token-lifetime", "5m"]);
    assert_eq!(narrowed["operator"], json!({ "held": ["scope", "access_token_lifetime"] }));
    let more = operator.json(&["client", "update", "self", "--name", "Ours"]);
    assert_eq!(more["operator"], json!({ "held": ["client_name", "scope", "access_token_lifetime"] }));
    let released = operator.json(&["client", "update", "self", "--release", "--pkce", "required"]);
    assert_eq!((&released["operator"], &released["scope"]), (&json!({ "held": ["pkce"] }), &json!("openid")));
    operator.json(&["client", "create", "--name", "Made", "--id", "made", "--redirect-uri", URI]);
    assert_eq!(operator.json(&["client", "update", "made", "--name", "Other"]).get("operator"), None);
    assert!(operator.refused(&["client", "update", "made", "--release"]).contains("did not register itself"));
}
