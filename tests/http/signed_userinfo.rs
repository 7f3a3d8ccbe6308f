//! Userinfo as a signed token (OpenID Connect Core §5.3.2), for the clients that registered an algorithm for it; and sectors by address.

use latchkey::domain::{SigningAlg, SubjectType};
use serde_json::json;

use crate::actors::{App, Browser, Wallet, decode};
use crate::forge;
use crate::on_both;
use crate::world::{ISSUER, REDIRECT_URI};

on_both!(a_client_gets_userinfo_signed_as_it_registered, |world| {
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    let keys = forge::jwks(&browser).await;
    for alg in SigningAlg::ALL {
        let id = format!("client-{alg}");
        world.client(&id, |client| client.metadata.userinfo_signed_response_alg = Some(*alg)).await;
        let app = App::public(&world, &id);
        let tokens = app.tokens(&browser, &wallet).await;
        let answer = app.userinfo(&tokens.access).await;
        assert_eq!((answer.status, answer.header("content-type"), answer.header("cache-control")), (200, "application/jwt", "no-store"));
        assert!(forge::verifies(&keys, &answer.body), "{alg}");
        let (header, claims) = decode(&answer.body);
        assert_eq!((&header["alg"], &claims["iss"], &claims["aud"]), (&json!(alg.as_str()), &json!(ISSUER), &json!(id)));
        assert_eq!(claims["sub"], tokens.claims().1["sub"]);
        assert_eq!(claims["ethereum_address"], json!(wallet.address), "it tells the same");
        // It is no access token, and no ID token that could name a person.
        app.assert_refused(&answer.body, "userinfo is no access token").await;
        let hinted = browser.auth(&app.request().with("id_token_hint", &answer.body)).await;
        assert_eq!(hinted.query("error").as_deref(), Some("invalid_request"));
        app.assert_refused("x", "refusals stay as they are").await;
    }
    let plain = App::public(&world, "app");
    let tokens = plain.tokens(&browser, &wallet).await;
    let answer = plain.userinfo(&tokens.access).await;
    assert_eq!((answer.header("content-type"), answer.json().get("iss")), ("application/json", None));
});

on_both!(clients_with_one_sector_address_know_a_person_by_one_subject, |world| {
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    let mut subjects = Vec::new();
    for (id, redirect, sector) in [
        ("a", REDIRECT_URI, Some("https://sector.example/a.json")),
        ("b", "https://other.example/cb", Some("https://sector.example/b.json")),
        ("c", REDIRECT_URI, None),
        ("d", "https://sector.example/cb", None),
    ] {
        world
            .client(id, |client| {
                client.subject_type = Some(SubjectType::Pairwise);
                client.redirect_uris = vec![redirect.parse().unwrap()];
                client.metadata.sector_identifier_uri = sector.map(str::to_owned);
            })
            .await;
        let app = App::public(&world, id);
        let back = browser.authorize(&app.request().with("redirect_uri", redirect), &wallet).await;
        let answer = app.token(&app.redemption(&back.query("code").unwrap()).with("redirect_uri", redirect)).await;
        subjects.push(decode(answer.json()["id_token"].as_str().unwrap()).1["sub"].clone());
    }
    // OpenID Connect Core §8.1: the sector is the host of the address, else that of the redirect URI.
    assert_eq!(subjects[0], subjects[1]);
    assert_eq!(subjects[0], subjects[3]);
    assert_ne!(subjects[0], subjects[2]);
});
