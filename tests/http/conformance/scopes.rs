//! Scopes of claims: they are told at userinfo, not in the ID token, and only to whoever asked.

use serde_json::{Value, json};

use super::answers::check;
use super::suite::Suite;
use crate::actors::{Form, decode};
use crate::module;

/// What the person of these tests says of themselves.
const PROFILE: &[(&str, &str)] = &[
    ("name", "Ada Lovelace"),
    ("given_name", "Ada"),
    ("family_name", "Lovelace"),
    ("middle_name", "King"),
    ("nickname", "ada"),
    ("preferred_username", "ada"),
    ("profile", "https://ada.example/"),
    ("picture", "https://ada.example/picture.png"),
    ("website", "https://ada.example/site"),
    ("gender", "female"),
    ("birthdate", "1815-12-10"),
    ("zoneinfo", "Europe/London"),
    ("locale", "en-GB"),
];

/// Where they live, part by part.
const ADDRESS: &[(&str, &str)] = &[
    ("street_address", "12 St James's Square"),
    ("locality", "London"),
    ("region", "Greater London"),
    ("postal_code", "SW1Y 4JH"),
    ("country", "United Kingdom"),
];
const EMAIL: (&str, &str) = ("email", "ada@example.org");
const PHONE: (&str, &str) = ("phone_number", "+442079460000");

async fn fill_in(suite: &Suite<'_>) {
    let page = suite.browser.sign_in_to_account(&suite.wallet).await;
    let form = PROFILE
        .iter()
        .chain(ADDRESS)
        .chain(&[EMAIL, PHONE])
        .fold(Form::of(&[("csrf", &page.csrf())]), |form, (name, value)| form.and(name, value));
    let saved = suite.browser.post_form("/account/profile", &form).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
}

/// Signs in with a scope, and gives userinfo and the claims of the ID token.
async fn told(suite: &Suite<'_>, scope: &str) -> (Value, Value) {
    fill_in(suite).await;
    let tokens = suite.tokens(&suite.request().with("scope", scope)).await;
    (check(&suite.app.userinfo(&tokens.access).await, &tokens), decode(&tokens.id).1)
}

module!(oidcc_scope_profile, |suite| {
    let (info, id) = told(suite, "openid profile").await;
    for (name, value) in PROFILE {
        assert_eq!(info[name], json!(value));
        assert!(id.get(name).is_none(), "{name} is in the ID token");
    }
    assert_eq!(info["updated_at"], json!(suite.world.clock.now().seconds()));
    assert!(info.get("email_verified").is_none(), "{info}");
});

// OpenID Connect Core §5.4: "The Claims requested by the profile, email, address, and phone scope values are returned from the UserInfo
// Endpoint".
module!(oidcc_scope_email, |suite| {
    let (info, id) = told(suite, "openid email").await;
    assert_eq!(info["ethereum_address"], json!(suite.wallet.address), "the address that everybody has here");
    assert_eq!((&info["email"], &info["email_verified"]), (&json!(EMAIL.1), &json!(false)));
    let of_this_scope = ["email", "email_verified", "ethereum_address", "sub"];
    assert!(info.as_object().unwrap().keys().all(|name| of_this_scope.contains(&name.as_str())), "nothing of the profile: {info}");
    assert!(["email", "email_verified", "ethereum_address", "name"].iter().all(|name| id.get(name).is_none()), "{id}");
});

/// The names of what userinfo tells besides `sub`.
fn names(info: &Value) -> Vec<&str> {
    info.as_object().unwrap().keys().map(String::as_str).filter(|name| *name != "sub").collect()
}

async fn assert_listed(suite: &Suite<'_>, scopes: &[&str]) {
    let said = suite.browser.get("/.well-known/openid-configuration").await.json();
    let listed = said["scopes_supported"].as_array().unwrap();
    assert!(scopes.iter().all(|scope| listed.contains(&json!(scope))), "a scope that is not listed would be skipped: {listed:?}");
}

// OpenID Connect Core §5.1.1: "formatted", and the parts that the person has written.
fn assert_address(info: &Value) {
    for (name, value) in ADDRESS {
        assert_eq!(info["address"][name], json!(value));
        assert!(info["address"]["formatted"].as_str().unwrap().contains(value), "{name} is in no label: {info}");
    }
}

module!(oidcc_scope_address, |suite| {
    assert_listed(suite, &["address"]).await;
    let (info, id) = told(suite, "openid address").await;
    assert_address(&info);
    assert_eq!(names(&info), ["address"], "nothing that nobody asked for");
    assert!(id.get("address").is_none(), "{id}");
});

module!(oidcc_scope_phone, |suite| {
    assert_listed(suite, &["phone"]).await;
    let (info, id) = told(suite, "openid phone").await;
    assert_eq!((&info["phone_number"], &info["phone_number_verified"]), (&json!(PHONE.1), &json!(false)));
    assert_eq!(names(&info).len(), 2, "nothing that nobody asked for: {info}");
    assert!(["phone_number", "phone_number_verified"].iter().all(|name| id.get(name).is_none()), "{id}");
});

module!(oidcc_scope_all, |suite| {
    assert_listed(suite, &["profile", "email", "address", "phone"]).await;
    let (info, id) = told(suite, "openid profile email address phone").await;
    for (name, value) in PROFILE.iter().chain(&[EMAIL, PHONE]) {
        assert_eq!(info[name], json!(value));
    }
    assert_address(&info);
    assert_eq!((&info["email_verified"], &info["phone_number_verified"]), (&json!(false), &json!(false)));
    assert!(info["updated_at"].is_i64(), "{info}");
    assert!(names(&info).iter().all(|name| id.get(name).is_none()), "they are told at userinfo, not in the ID token: {id}");
});
