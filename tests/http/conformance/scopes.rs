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

async fn fill_in(suite: &Suite<'_>) {
    let page = suite.browser.sign_in_to_account(&suite.wallet).await;
    let form = PROFILE.iter().fold(Form::of(&[("csrf", &page.csrf())]), |form, (name, value)| form.and(name, value));
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
    let of_this_scope = ["email", "email_verified", "ethereum_address", "sub"];
    assert!(info.as_object().unwrap().keys().all(|name| of_this_scope.contains(&name.as_str())), "nothing of the profile: {info}");
    assert_eq!(info.get("email").is_some(), info.get("email_verified").is_some(), "{info}");
    assert!(["email", "email_verified", "ethereum_address", "name"].iter().all(|name| id.get(name).is_none()), "{id}");
});
