//! `latchkey license …`

use k256::ecdsa::SigningKey;
use latchkey::domain::Address;
use serde_json::{Value, json};

use super::operator::{Operator, text};

const OWNER: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
const OTHER: &str = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359";
const URI: &str = "https://app.example/cb";

fn create(operator: &Operator, alias: &str, more: &[&str]) -> Value {
    operator.json(&[&["license", "create", "--alias", alias, "--owner", OWNER, "--redirect-uri", URI], more].concat())
}

#[test]
fn a_license_is_a_public_client_whose_id_is_an_address() {
    let operator = Operator::new();
    let made = create(&operator, "first", &[]);
    let id = text(&made, "client_id");
    assert_eq!(id.parse::<Address>().unwrap().to_string(), id);
    assert_ne!(id, text(&create(&operator, "second", &[]), "client_id"));
    for (key, value) in [
        ("kind", "license"),
        ("alias", "first"),
        ("name", "first"),
        ("owner", OWNER),
        ("token_lifetime", "14d"),
        ("claims_profile", "compat"),
        ("pkce", "required"),
        ("access_token_lifetime", "1h"),
    ] {
        assert_eq!(text(&made, key), value);
    }
    assert_eq!(made["token_endpoint_auth_methods"], serde_json::json!(["none"]));
    assert!(made["client_secret"].is_null());
}

#[test]
fn the_operator_says_what_a_license_may_have_of_assets() {
    let operator = Operator::new();
    let made = create(&operator, "a", &["--audience", "dimo.zone", "--audience", "my-app", "--permission-limit", "privilege:GetLiveData"]);
    let id = text(&made, "client_id");
    assert_eq!((&made["audiences"], &made["permission_limit"]), (&json!(["dimo.zone", "my-app"]), &json!(["privilege:GetLiveData"])));
    assert!(made.get("first_party").is_none());
    // What is not named stays.
    let changed = operator.json(&["license", "update", id, "--first-party"]);
    assert_eq!([&changed["audiences"], &changed["first_party"]], [&made["audiences"], &json!(true)]);
    let free = operator.json(&["license", "update", id, "--audience", "server", "--permission-limit", "any", "--first-party=false"]);
    for key in ["audiences", "permission_limit", "first_party"] {
        assert!(free.get(key).is_none(), "{key}");
    }
    assert!(operator.misunderstood(&["license", "update", id, "--audience", "a b"]).contains("visible ASCII"));
    assert!(operator.misunderstood(&["license", "update", id, "--permission-limit", "a b"]).contains("name of a permission"));
}

#[test]
fn an_id_is_the_same_in_any_case() {
    let operator = Operator::new();
    let made = create(&operator, "a", &["--client-id", &OTHER.to_lowercase(), "--pkce", "optional", "--token-lifetime", "1d"]);
    assert_eq!((text(&made, "client_id"), text(&made, "pkce"), text(&made, "token_lifetime")), (OTHER, "optional", "1d"));
    let upper = format!("0x{}", OTHER[2..].to_uppercase());
    assert_eq!(text(&operator.json(&["license", "show", &upper]), "alias"), "a");
    let twice = ["license", "create", "--alias", "b", "--owner", OWNER, "--redirect-uri", URI, "--client-id", &upper];
    assert_eq!(operator.refused(&twice), "error: a client with this id exists already\n");
    let misspelt = OTHER.replace("0xfB", "0xFB");
    assert!(operator.misunderstood(&["license", "show", &misspelt]).contains("EIP-55"));
}

#[test]
fn what_cannot_be_a_license_is_refused() {
    let operator = Operator::new();
    create(&operator, "a", &[]);
    let again = ["license", "create", "--alias", "a", "--owner", OWNER, "--redirect-uri", URI];
    assert_eq!(operator.refused(&again), "error: another license has this alias\n");
    for (option, value) in
        [("--token-lifetime", "15d"), ("--token-lifetime", "30s"), ("--client-id", "app"), ("--owner", "me"), ("--alias", "")]
    {
        let args = ["license", "create", "--alias", "b", "--owner", OWNER, "--redirect-uri", URI];
        let args: Vec<&str> = match args.iter().position(|word| *word == option) {
            Some(place) => args.iter().enumerate().map(|(at, word)| if at == place + 1 { value } else { *word }).collect(),
            None => [&args[..], &[option, value]].concat(),
        };
        assert!(operator.misunderstood(&args).contains("invalid value"), "{option} {value}");
    }
    assert!(operator.misunderstood(&["license", "create", "--alias", "b", "--owner", OWNER]).contains("--redirect-uri"));
    assert_eq!(operator.json(&["license", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn licenses_and_clients_are_kept_apart() {
    let operator = Operator::new();
    create(&operator, "a", &["--client-id", OTHER]);
    operator.json(&["client", "create", "--name", "A", "--id", "app", "--redirect-uri", URI]);
    assert!(operator.refused(&["client", "show", OTHER]).contains("use `latchkey license`"));
    assert!(operator.refused(&["client", "delete", OTHER]).contains("use `latchkey license`"));
    assert_eq!(operator.refused(&["license", "show", OWNER]), format!("error: there is no license {OWNER}\n"));
    assert_eq!(operator.json(&["client", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn a_license_is_changed_disabled_and_enabled() {
    let operator = Operator::new();
    create(&operator, "a", &["--client-id", OTHER]);
    create(&operator, "taken", &[]);
    assert!(operator.refused(&["license", "update", OTHER]).contains("nothing to change"));
    assert!(operator.refused(&["license", "update", OTHER, "--alias", "taken"]).contains("another license has this alias"));
    let changed =
        operator.json(&["license", "update", OTHER, "--alias", "b", "--owner", OTHER, "--token-lifetime", "2d", "--pkce", "optional"]);
    assert_eq!((text(&changed, "alias"), text(&changed, "name"), text(&changed, "owner")), ("b", "b", OTHER));
    assert_eq!((text(&changed, "token_lifetime"), text(&changed, "pkce"), &changed["redirect_uris"]), ("2d", "optional", &json!([URI])));
    assert!(operator.json(&["license", "disable", OTHER])["disabled_at"].is_string());
    assert!(operator.json(&["license", "enable", OTHER])["disabled_at"].is_null());
}

#[test]
fn redirect_uris_come_and_go() {
    let operator = Operator::new();
    create(&operator, "a", &["--client-id", OTHER]);
    let add = |uri| ["license", "redirect-uri", "add", "--license", OTHER, uri];
    let remove = |uri| ["license", "redirect-uri", "remove", "--license", OTHER, uri];
    assert_eq!(operator.json(&add("https://b.example/cb"))["redirect_uris"], json!([URI, "https://b.example/cb"]));
    assert_eq!(operator.refused(&add(URI)), "error: the client has this URI already\n");
    assert_eq!(operator.json(&remove(URI))["redirect_uris"], json!(["https://b.example/cb"]));
    assert!(operator.refused(&remove(URI)).contains("has no redirect URI"));
    assert!(operator.misunderstood(&add("https://b.example/#")).contains("fragment"));
    assert!(operator.refused(&["license", "redirect-uri", "add", "--license", OWNER, URI]).contains("there is no license"));
}

#[test]
fn a_key_is_made_and_its_private_key_fits_its_address() {
    let operator = Operator::new();
    create(&operator, "a", &["--client-id", OTHER]);
    let ended = operator.run(&["license", "key", "add", "--license", OTHER]);
    let key = ended.json();
    let private = text(&key, "privateKey");
    assert!(!ended.err.contains(private) && !ended.err.contains(&private[2..]));
    let scalar: Vec<u8> = (2..66).step_by(2).map(|at| u8::from_str_radix(&private[at..at + 2], 16).unwrap()).collect();
    let point = SigningKey::from_slice(&scalar).unwrap().verifying_key().to_sec1_point(false);
    let address = Address::of_public_key(point.as_bytes()[1..].try_into().unwrap());
    assert_eq!(text(&key, "address"), address.to_string());
    assert_eq!((text(&key, "license"), &key["expires_at"], &key["disabled_at"]), (OTHER, &json!(null), &json!(null)));
    let listed = operator.run(&["license", "key", "list", "--license", OTHER]);
    assert_eq!(listed.json().as_array().unwrap().len(), 1);
    assert!(!listed.out.contains("privateKey"));
}

#[test]
fn keys_are_added_listed_and_disabled() {
    let operator = Operator::new();
    create(&operator, "a", &["--client-id", OTHER]);
    let add = ["license", "key", "add", "--license", OTHER, "--address", &OWNER.to_lowercase(), "--expires", "2999-01-01T00:00:00+01:00"];
    let key = operator.json(&add);
    assert!(key.get("privateKey").is_none());
    assert_eq!((text(&key, "address"), text(&key, "expires_at")), (OWNER, "2998-12-31T23:00:00Z"));
    assert_eq!(operator.refused(&add), "error: the license has a key with this address already\n");
    let shown = operator.json(&["license", "show", OTHER]);
    assert_eq!(shown["keys"][0]["address"], OWNER);
    let disable = ["license", "key", "disable", "--license", OTHER, "--address", OWNER];
    let disabled = operator.json(&disable);
    assert!(disabled["disabled_at"].is_string());
    assert_eq!(operator.json(&disable), disabled);
    assert_eq!(operator.json(&["license", "key", "list"])[0], disabled);
    let strange = ["license", "key", "disable", "--license", OTHER, "--address", OTHER];
    assert!(operator.refused(&strange).contains("has no key"));
    for (address, expires, code, words) in [
        (OTHER, "2001-01-01T00:00:00Z", 1, "in the past"),
        (OTHER, "tomorrow", 2, "RFC 3339"),
        ("0x1", "2999-01-01T00:00:00Z", 2, "40 hexadecimal"),
    ] {
        let told = operator.run(&["license", "key", "add", "--license", OTHER, "--address", address, "--expires", expires]).reason(code);
        assert!(told.contains(words), "{told}");
    }
    assert!(operator.refused(&["license", "key", "add", "--license", OWNER]).contains("there is no license"));
}
