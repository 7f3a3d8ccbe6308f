//! Where an app wants sign-ins to arrive that somebody else begins (OpenID Connect Core §4): https only.

use reqwest::Method;
use serde_json::json;

use super::registering::{OPEN, Registered, assert_refused, metadata, with};
use super::suite::{Mode, Suite};
use crate::on_both;
use crate::signer::Signer;

on_both!(oidcc_3rd_party_init_login, [OPEN], |world| {
    let uri = json!("https://app.example/initiate");
    let client = Registered::new(&world, with(metadata(), "initiate_login_uri", uri.clone()), Signer::new("RS256", "one")).await;
    assert_eq!(client.said["initiate_login_uri"], uri);
    let told = client.manage(Method::GET).await;
    assert_eq!((told.status, told.header("content-type")), (200, "application/json"), "{}", told.body);
    assert_eq!(told.json()["initiate_login_uri"], uri);
});

on_both!(oidcc_3rd_party_init_login_nohttps, [OPEN], |world| {
    let suite = Suite::new(&world, Mode::Query).await;
    let metadata =
        with(with(metadata(), "jwks", Signer::new("RS256", "one").jwks()), "initiate_login_uri", json!("http://app.example/initiate"));
    assert_refused(&suite, &metadata, &["invalid_client_metadata"]).await;
});
