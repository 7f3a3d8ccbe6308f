//! What apps send, good and bad.

use serde_json::json;

use super::*;

fn read(value: &Value) -> Result<Registration, OAuthError> {
    Registration::read(&object(value.to_string().as_bytes())?)
}

// The refusal of these members beside a good redirect URI: its code and its description.
fn refusal(members: &Value) -> (&'static str, String) {
    let mut whole = json!({ "redirect_uris": ["https://app.example/cb"] });
    whole.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let error = read(&whole).expect_err(&members.to_string());
    (error.code.as_str(), error.description.into_owned())
}

// The key of RFC 7638 §3.1.
const N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

#[test]
fn all_that_is_registered_is_kept() {
    let registration = read(&json!({
        "redirect_uris": ["https://app.example/cb", "https://app.example/cb", "http://localhost:3000/cb"],
        "post_logout_redirect_uris": ["https://app.example/bye"],
        "response_types": ["code"],
        "grant_types": ["authorization_code", "implicit", "refresh_token"],
        "application_type": "web",
        "contacts": ["ada@app.example"],
        "client_name": "Ada’s app",
        "client_name#de": "Adas App",
        "tos_uri#pt-BR": "https://app.example/termos",
        "logo_uri": "https://app.example/logo.png",
        "client_uri": "https://app.example/#start",
        "policy_uri": "https://app.example/privacy",
        "tos_uri": "https://app.example/terms",
        "jwks_uri": "https://app.example/jwks",
        "sector_identifier_uri": "https://app.example/sector",
        "subject_type": "pairwise",
        "id_token_signed_response_alg": "EdDSA",
        "userinfo_signed_response_alg": "PS256",
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "default_max_age": 3600,
        "require_auth_time": true,
        "default_acr_values": ["urn:a"],
        "initiate_login_uri": "https://app.example/login",
        "backchannel_logout_uri": "https://app.example/ended",
        "backchannel_logout_session_required": true,
        "require_pushed_authorization_requests": true,
        "scope": "openid profile",
        "software_id": "4NRB1-0XZABZI9E6-5SM3R",
        "software_version": "2.0",
        "request_uris": ["https://app.example/object"],
        "request_object_signing_alg": "none",
        "frontchannel_logout_uri": "https://app.example/frame",
        "example_extension": { "anything": [1, 2] },
        "tls_client_auth_san_dns": null,
    }))
    .unwrap();
    assert_eq!(
        registration.redirect_uris.iter().map(RedirectUri::as_str).collect::<Vec<_>>(),
        ["https://app.example/cb", "http://localhost:3000/cb"]
    );
    assert_eq!(registration.grant_types.unwrap().len(), 2);
    assert_eq!((registration.response_types, registration.pairwise), (Some(true), Some(true)));
    assert_eq!((registration.auth_method, registration.signing_alg), (Some(AuthMethod::PrivateKeyJwt), SigningAlg::EdDsa));
    insta::assert_json_snapshot!(registration.metadata);
}

#[test]
fn little_is_enough() {
    let registration = read(&json!({ "redirect_uris": ["com.example.app:/cb"], "client_name": "", "logo_uri": null })).unwrap();
    assert_eq!(registration.metadata, ClientMetadata::default());
    assert_eq!((registration.client_name, registration.auth_method, registration.signing_alg), (None, None, SigningAlg::Rs256));
}

#[test]
fn what_only_the_operator_may_say_is_left_out() {
    let registration = read(&json!({
        "redirect_uris": ["https://app.example/cb"],
        "audiences": ["my-app"],
        "permissions": ["privilege:GetLiveData"],
        "first_party": true,
    }))
    .unwrap();
    assert_eq!(registration.metadata, ClientMetadata::default());
}

#[test]
fn each_redirect_uri_is_checked() {
    for (uri, why) in [
        (json!("http://app.example/cb"), "http is for localhost"),
        (json!("https://app.example/cb#x"), "fragment"),
        (json!("https://*.app.example/cb"), "wildcard"),
        (json!("https://u:p@app.example/cb"), "user name"),
        (json!("javascript:alert(1)"), "scheme"),
        (json!("data:text/html,x"), "scheme"),
        (json!("/cb"), "absolute"),
        (json!("https://app.example/ cb"), "printable"),
        (json!("^https://app.example/.*$"), "absolute"),
        (json!(7), "a text"),
    ] {
        for member in ["redirect_uris", "post_logout_redirect_uris"] {
            let (code, told) = refusal(&json!({ member: ["https://app.example/good", uri] }));
            assert_eq!(code, "invalid_redirect_uri", "{uri}");
            assert!(told.starts_with(&format!("{member}[1]")) && told.contains(why), "{uri}: {told}");
        }
    }
    assert_eq!(refusal(&json!({ "redirect_uris": "https://app.example/cb" })).0, "invalid_redirect_uri");
    let many: Vec<String> = (0..51).map(|number| format!("https://app.example/{number}")).collect();
    assert_eq!(refusal(&json!({ "redirect_uris": many })).0, "invalid_redirect_uri");
    let own = json!({ "redirect_uris": ["com.example.app:/cb"], "application_type": "web" });
    assert_eq!(read(&own).unwrap_err().code, ErrorCode::InvalidRedirectUri);
}

#[test]
fn what_is_wrong_is_named() {
    for (member, value) in [
        ("response_types", json!(["code", "id_token"])),
        ("response_types", json!(["token"])),
        ("response_types", json!("code")),
        ("grant_types", json!("authorization_code")),
        ("grant_types", json!([1])),
        ("application_type", json!("desktop")),
        ("contacts", json!("ada@app.example")),
        ("contacts", json!(vec!["a"; 11])),
        ("client_name", json!(["a"])),
        ("client_name", json!("a".repeat(201))),
        ("client_name", json!("a\u{0}b")),
        ("client_name", json!("a\u{202e}b")),
        ("client_name#de", json!("a\nb")),
        ("client_uri", json!("http://app.example/")),
        ("client_uri", json!("javascript:alert(1)")),
        ("policy_uri", json!("/privacy")),
        ("tos_uri", json!("https://user@app.example/")),
        ("tos_uri", json!("data:text/html,x")),
        ("logo_uri", json!("ftp://app.example/logo.png")),
        ("logo_uri", json!("https://app.example/#x")),
        ("logo_uri", json!("https://app.example\\@evil.example/")),
        ("jwks_uri", json!("http://app.example/jwks")),
        ("initiate_login_uri", json!("http://app.example/login")),
        ("backchannel_logout_uri", json!("http://app.example/ended")),
        ("sector_identifier_uri", json!("http://app.example/sector")),
        ("subject_type", json!("secret")),
        ("id_token_signed_response_alg", json!("none")),
        ("id_token_signed_response_alg", json!("HS256")),
        ("id_token_encrypted_response_alg", json!("RSA-OAEP")),
        ("userinfo_encrypted_response_enc", json!("A128GCM")),
        ("userinfo_signed_response_alg", json!("none")),
        ("token_endpoint_auth_method", json!("client_secret_jwt")),
        ("token_endpoint_auth_method", json!("client_secret")),
        ("token_endpoint_auth_signing_alg", json!("HS256")),
        ("default_max_age", json!("3600")),
        ("default_max_age", json!(-1)),
        ("default_max_age", json!(1.5)),
        ("require_auth_time", json!("true")),
        ("scope", json!("openid \"quoted\"")),
        ("software_version", json!(2)),
        ("require_signed_request_object", json!(true)),
        ("dpop_bound_access_tokens", json!(true)),
        ("jwks", json!([])),
    ] {
        let (code, told) = refusal(&json!({ member: value }));
        assert_eq!(code, "invalid_client_metadata", "{member}: {value}: {told}");
        assert!(told.starts_with(member.split('#').next().unwrap()), "{member}: {told}");
    }
    assert_eq!(refusal(&json!({ "software_statement": "eyJ" })).0, "unapproved_software_statement");
    assert!(refusal(&json!({ "client_name#<script>": "x" })).1.contains("language tag"));
    let both = json!({ "jwks": { "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": X }] }, "jwks_uri": "https://app.example/jwks" });
    assert!(refusal(&both).1.starts_with("jwks and jwks_uri"));
}

#[test]
fn keys_are_public_and_strong() {
    let keys = |key: Value| refusal(&json!({ "jwks": { "keys": [key] } })).1;
    let short = "A".repeat(100);
    for (key, why) in [
        (json!({ "kty": "RSA", "n": N, "e": "AQAB", "d": "AQAB" }), "private part"),
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": X, "d": X }), "private part"),
        (json!({ "kty": "oct", "k": "AAAA" }), "private part"),
        (json!({ "kty": "oct" }), "symmetric"),
        (json!({ "kty": "RSA", "n": short, "e": "AQAB" }), "2048"),
        // The first byte is zero: longer as text than as a number.
        (json!({ "kty": "RSA", "n": format!("{}{}", "A".repeat(300), &N[..44]), "e": "AQAB" }), "2048"),
        (json!({ "kty": "RSA", "n": N, "e": "AQ" }), "no RSA key has"),
        (json!({ "kty": "RSA", "n": N, "e": "AAAC" }), "no RSA key has"),
        (json!({ "kty": "RSA", "n": N }), "lacks `e`"),
        (json!({ "kty": "EC", "crv": "P-256", "x": X, "y": "AAAA" }), "32 bytes"),
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": "AAAA" }), "32 bytes"),
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": X, "kid": 7 }), "`kid`"),
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": X, "kid": "a\u{0}" }), "`kid`"),
        (json!({ "kty": "EC", "crv": "secp256k1", "x": X, "y": X }), "no key that can verify"),
        (json!({ "n": N }), "lacks `kty`"),
        (json!("key"), "not an object"),
    ] {
        let told = keys(key.clone());
        assert!(told.starts_with("jwks") && told.contains(why), "{key}: {told}");
    }
    let set = json!({ "keys": [
        { "kty": "RSA", "n": N, "e": "AQAB", "kid": "a", "x5c": ["MIIB"], "note": "\u{0}" },
        { "kty": "EC", "crv": "P-384", "x": X, "y": X },
        { "kty": "OKP", "crv": "Ed25519", "x": X },
    ] });
    let kept = read(&json!({ "jwks": set })).unwrap().metadata.jwks.unwrap();
    assert_eq!(kept, json!({ "keys": [{ "kty": "RSA", "n": N, "e": "AQAB", "kid": "a" }, { "kty": "OKP", "crv": "Ed25519", "x": X }] }));
}

#[test]
fn the_text_has_limits() {
    let told = |text: &str| object(text.as_bytes()).expect_err(&text[..text.len().min(60)]).description.into_owned();
    assert!(told("[]").contains("not one JSON object"));
    assert!(told("{").contains("not one JSON object"));
    assert!(told("{} {}").contains("not one JSON object"));
    assert!(told("{\"a\": 1, \"a\": 2}").contains("named twice"));
    assert!(told(&format!("{{\"a\": {}1{}}}", "[".repeat(9), "]".repeat(9))).contains("levels deep"));
    assert!(told(&format!("{{\"a\": {}", "[".repeat(30_000))).contains("not one JSON object"));
    assert!(told(&format!("{{\"a\": \"{}\"}}", "x".repeat(LONGEST_DOCUMENT))).contains("longer than"));
    let many: Vec<String> = (0..201).map(|number| format!("\"{number}\": 1")).collect();
    assert!(told(&format!("{{{}}}", many.join(","))).contains("more than 200"));
    assert!(object(b"{\"a\": [[[[[[[1]]]]]]]}").is_ok());
}

proptest::proptest! {
    #[test]
    fn nothing_random_panics(text in "\\PC*", name in "[a-z_]{3,12}(#[a-z-]{0,5})?") {
        let _ = object(text.as_bytes());
        for name in [name.as_str(), "redirect_uris", "logo_uri", "jwks", "scope", "client_name#x"] {
            let _ = read(&json!({ name: text }));
            let _ = read(&json!({ name: [text] }));
            let _ = read(&json!({ name: { "keys": [{ "kty": "RSA", "n": text, "e": text }] } }));
        }
    }
}
