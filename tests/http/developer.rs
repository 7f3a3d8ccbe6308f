//! A developer's own token: a license signs in by its API keys, by nothing else, and its token dies with the key.

use std::time::Duration;

use latchkey::domain::{ClientId, SubjectType};
use latchkey::store::LicenseKey;
use serde_json::json;

use crate::actors::{App, Browser, Tokens, Wallet, decode};
use crate::api_challenge::{SUBMIT, answer, ask, assert_wire_error, generated};
use crate::on_both;
use crate::world::{BEGINNING, ISSUER, REDIRECT_URI, World};

const FORTNIGHT: i64 = 14 * 86_400;

pub(crate) async fn developer_token(browser: &Browser<'_>, license: &str, key: &Wallet) -> crate::actors::Answer {
    let (state, message) = generated(browser, &ask(license, license)).await;
    browser.post_form(SUBMIT, &answer(license, &state, &key.sign(&message))).await
}

async fn add_key(world: &World, license: &ClientId, key: &Wallet, expires_in: Option<u64>) {
    let now = world.clock.now();
    let expires_at = expires_in.map(|seconds| now.plus(Duration::from_secs(seconds)));
    world
        .state
        .store
        .add_license_key(&LicenseKey { license: license.clone(), address: key.address, created_at: now, expires_at, disabled_at: None })
        .await
        .unwrap();
}

on_both!(an_api_key_gets_the_licenses_token_for_a_fortnight, |world| {
    let key = Wallet::new(9);
    let license = world.license(key.address).await;
    let (app, browser) = (App::public(&world, license.id.as_str()), Browser::new(&world));
    let reply = developer_token(&browser, license.id.as_str(), &key).await;
    let tokens = Tokens::read(&reply);
    assert_eq!((&tokens.reply["token_type"], tokens.reply["expires_in"].as_i64()), (&json!("bearer"), Some(FORTNIGHT)));
    let (access, id) = tokens.claims();
    for claims in [&access, &id] {
        assert_eq!((&claims["iss"], &claims["aud"], &claims["sub"]), (&json!(ISSUER), &json!(license.id), &json!(license.id)));
        assert_eq!(
            (&claims["ethereum_address"], &claims["provider_id"], &claims["email_verified"]),
            (&json!(license.id), &json!("web3"), &json!(false))
        );
        assert_eq!((&claims["iat"], &claims["exp"]), (&json!(BEGINNING), &json!(BEGINNING + FORTNIGHT)));
        assert_eq!(claims.get("sid"), None);
    }
    assert_eq!((&decode(&tokens.access).0["alg"], &decode(&tokens.access).0["typ"]), (&json!("RS256"), &json!("at+jwt")));
    let told = json!({ "sub": license.id, "provider_id": "web3", "email_verified": false, "ethereum_address": license.id });
    assert_eq!(app.userinfo(&tokens.access).await.json(), told);
    world.clock.advance(Duration::from_secs(14 * 86_400 - 1));
    assert_eq!(app.userinfo(&tokens.access).await.status, 200);
    world.clock.advance(Duration::from_secs(1));
    app.assert_refused(&tokens.access, "a fortnight is over").await;
    assert!(world.state.store.accounts().await.unwrap().is_empty(), "a license is no person");
});

on_both!(a_token_dies_with_its_key_and_with_its_license, |world| {
    let (first, second) = (Wallet::new(8), Wallet::new(9));
    let license = world.license(first.address).await;
    add_key(&world, &license.id, &second, None).await;
    let (app, browser, now) = (App::public(&world, license.id.as_str()), Browser::new(&world), world.clock.now());
    let of_first = Tokens::read(&developer_token(&browser, license.id.as_str(), &first).await).access;
    let of_second = Tokens::read(&developer_token(&browser, license.id.as_str(), &second).await).access;
    assert!(world.state.store.disable_license_key(&license.id, &first.address, now).await.unwrap());
    app.assert_refused(&of_first, "its key is disabled").await;
    assert_eq!(app.userinfo(&of_second).await.status, 200, "another key of the license");
    assert_wire_error(
        &developer_token(&browser, license.id.as_str(), &first).await,
        400,
        "invalid_grant",
        Some("Could not verify signature."),
    );
    world.state.store.set_client_disabled(&license.id, Some(now), now).await.unwrap();
    app.assert_refused(&of_second, "its license is disabled").await;
    world.state.store.set_client_disabled(&license.id, None, now).await.unwrap();
    world.forget_clients(&[license.id.as_str()]).await;
    app.assert_refused(&of_second, "it is of the time before the license was disabled").await;
    world.clock.advance(Duration::from_secs(1));
    let anew = Tokens::read(&developer_token(&browser, license.id.as_str(), &second).await).access;
    assert_eq!(app.userinfo(&anew).await.status, 200);
});

on_both!(a_key_that_is_disabled_or_expired_signs_nothing, |world| {
    let (good, brief) = (Wallet::new(8), Wallet::new(9));
    let license = world.license(good.address).await;
    add_key(&world, &license.id, &brief, Some(3_600)).await;
    let (app, browser) = (App::public(&world, license.id.as_str()), Browser::new(&world));
    let token = Tokens::read(&developer_token(&browser, license.id.as_str(), &brief).await).access;
    // Disabled between the challenge and the answer.
    let (state, message) = generated(&browser, &ask(license.id.as_str(), license.id.as_str())).await;
    world.state.store.disable_license_key(&license.id, &good.address, world.clock.now()).await.unwrap();
    assert_wire_error(
        &browser.post_form(SUBMIT, &answer(license.id.as_str(), &state, &good.sign(&message))).await,
        400,
        "invalid_grant",
        Some("Could not verify signature."),
    );
    world.clock.advance(Duration::from_hours(1));
    app.assert_refused(&token, "its key has expired").await;
    assert_wire_error(
        &developer_token(&browser, license.id.as_str(), &brief).await,
        400,
        "invalid_grant",
        Some("Could not verify signature."),
    );
});

on_both!(nobody_but_its_own_key_signs_for_a_license, |world| {
    let (key, owner, foreign) = (Wallet::new(9), Wallet::new(7), Wallet::new(6));
    let license = world.license(key.address).await;
    let other = world.license(foreign.address).await;
    let browser = Browser::new(&world);
    for stranger in [&owner, &foreign, &Wallet::new(1)] {
        assert_wire_error(
            &developer_token(&browser, license.id.as_str(), stranger).await,
            400,
            "invalid_grant",
            Some("Could not verify signature."),
        );
    }
    // A license cannot sign in to anything but itself, neither by its own key nor by another's.
    for client in ["app", other.id.as_str()] {
        let refused = browser.post_form(crate::api_challenge::GENERATE, &ask(client, license.id.as_str())).await;
        assert_wire_error(&refused, 400, "invalid_request", None);
    }
    // An API key is a wallet like any other where it signs for itself: then it is a person, for an hour, and not the license.
    let (state, message) = generated(&browser, &ask(license.id.as_str(), &key.address.to_string())).await;
    let tokens = Tokens::read(&browser.post_form(SUBMIT, &answer(license.id.as_str(), &state, &key.sign(&message))).await);
    assert_eq!((&tokens.claims().0["ethereum_address"], &tokens.reply["expires_in"]), (&json!(key.address), &json!(3_600)));
    assert_ne!(tokens.claims().0["sub"], json!(license.id));
});

on_both!(a_person_signs_in_at_a_license_without_pkce, |world| {
    let license = world.license(Wallet::new(9).address).await;
    let (app, browser, wallet) = (App::public(&world, license.id.as_str()), Browser::new(&world), Wallet::new(1));
    // However the license's address is written.
    let (state, message) = generated(&browser, &ask(&license.id.as_str().to_lowercase(), &wallet.address.to_string())).await;
    let tokens = Tokens::read(&browser.post_form(SUBMIT, &answer(license.id.as_str(), &state, &wallet.sign(&message))).await);
    assert_eq!((&tokens.reply["token_type"], &tokens.reply["expires_in"]), (&json!("bearer"), &json!(3_600)));
    assert_eq!((&tokens.claims().0["ethereum_address"], &tokens.claims().0["aud"]), (&json!(wallet.address), &json!(license.id)));
    assert_eq!(app.userinfo(&tokens.access).await.status, 200);
});

on_both!(a_license_may_have_a_subject_and_a_lifetime_of_its_own, |world| {
    let key = Wallet::new(9);
    let address = Wallet::new(5).address;
    let license = world
        .client(&address.to_string(), |client| {
            client.kind = latchkey::domain::ClientKind::License;
            client.claims_profile = latchkey::domain::ClaimsProfile::Compat;
            client.subject_type = Some(SubjectType::Connector);
            client.redirect_uris = vec![REDIRECT_URI.parse().unwrap()];
            client.license =
                Some(latchkey::store::License { alias: "short".into(), owner: key.address, developer_token: Duration::from_hours(2) });
        })
        .await;
    add_key(&world, &license.id, &key, None).await;
    let tokens = Tokens::read(&developer_token(&Browser::new(&world), license.id.as_str(), &key).await);
    assert_eq!(tokens.reply["expires_in"], json!(7_200));
    assert_eq!(tokens.claims().1["sub"], json!(latchkey::policy::subject::connector(license.id.as_str(), "web3")));
});

on_both!(whoever_holds_the_key_of_a_licenses_address_is_no_person_on_the_sign_in_page, |world| {
    let (app, browser, holder) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(77));
    let id = holder.address.to_string();
    world
        .client(&id, |client| {
            client.kind = latchkey::domain::ClientKind::License;
            let developer_token = std::time::Duration::from_hours(24);
            client.license = Some(latchkey::store::License { alias: "held".into(), owner: holder.address, developer_token });
        })
        .await;
    let interaction = browser.begin(&app.request()).await;
    let csrf = browser.get(&interaction).await.csrf();
    let body = serde_json::json!({ "address": holder.address, "chain_id": 137 });
    for disabled in [false, true] {
        let at = disabled.then(|| world.clock.now());
        world.state.store.set_client_disabled(&id.parse().unwrap(), at, world.clock.now()).await.unwrap();
        let answer = browser.post_json(&format!("{interaction}/wallet/challenge"), &csrf, &body).await;
        assert_eq!((answer.status, &answer.json()["error"]), (400, &serde_json::json!("address_is_license")), "disabled: {disabled}");
    }
});
