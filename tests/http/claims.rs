//! What the tokens say: the claims of both profiles, the forms of `sub`, and signatures that anybody can check with the published keys.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use latchkey::domain::{ClaimsProfile, SigningAlg, SubjectType};
use latchkey::store::UriPurpose;
use serde_json::{Value, json};

use crate::actors::{App, Browser, Tokens, Wallet, decode};
use crate::forge;
use crate::world::{BEGINNING, ISSUER, REDIRECT_URI, World};
use crate::{on_both, on_one};

fn names(claims: &Value) -> Vec<&str> {
    claims.as_object().unwrap().keys().map(String::as_str).collect()
}

fn half_hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(&aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes()).as_ref()[..16])
}

on_both!(an_ordinary_client_gets_the_claims_of_the_standards, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let code = app.code(&browser, &wallet).await;
    let tokens = Tokens::read(&app.redeem(&code).await);
    let (access, id) = tokens.claims();
    // RFC 9068 §2.2 and OpenID Connect Core §2, nothing else.
    assert_eq!(names(&access), ["acr", "amr", "aud", "auth_time", "client_id", "exp", "iat", "iss", "jti", "scope", "sid", "sub"]);
    assert_eq!(names(&id), ["acr", "amr", "at_hash", "aud", "auth_time", "c_hash", "exp", "iat", "iss", "jti", "nonce", "sid", "sub"]);
    assert_eq!((&id["at_hash"], &id["c_hash"]), (&json!(half_hash(&tokens.access)), &json!(half_hash(&code))));
    assert_eq!((&access["scope"], &access["sid"]), (&json!("email openid profile"), &id["sid"]));
    assert_eq!(names(&tokens.reply), ["access_token", "expires_in", "id_token", "scope", "token_type"]);
    let without = browser.authorize(&app.request().without("nonce"), &wallet).await;
    let (_, id) = Tokens::read(&app.redeem(&without.query("code").unwrap()).await).claims();
    assert!(id.get("nonce").is_none());
});

on_both!(a_license_gets_the_claims_that_its_apps_read, |world| {
    let license = world.license(Wallet::new(9).address).await;
    let (app, browser, wallet) = (App::public(&world, license.id.as_str()), Browser::new(&world), Wallet::new(1));
    let tokens = app.tokens(&browser, &wallet).await;
    assert_eq!((&tokens.reply["token_type"], &tokens.reply["expires_in"]), (&json!("bearer"), &json!(3_600)));
    let (access, id) = tokens.claims();
    for claims in [&access, &id] {
        assert_eq!(
            (&claims["iss"], &claims["aud"], &claims["nonce"]),
            (&json!(ISSUER), &json!(license.id), &json!("a nonce")),
            "aud is one text"
        );
        assert_eq!(
            (&claims["provider_id"], &claims["email_verified"], &claims["ethereum_address"]),
            (&json!("web3"), &json!(false), &json!(wallet.address.to_string()))
        );
        assert_eq!((&claims["iat"], &claims["exp"]), (&json!(BEGINNING), &json!(BEGINNING + 3_600)));
        assert!(claims.get("email").is_none());
    }
    assert_eq!(decode(&tokens.id).0["alg"], "RS256");
    // The address is with the scope `email` only.
    let back = browser.authorize(&app.request().with("scope", "openid"), &wallet).await;
    let less = Tokens::read(&app.redeem(&back.query("code").unwrap()).await);
    let (access, id) = less.claims();
    assert!(access.get("ethereum_address").is_none() && id.get("ethereum_address").is_none());
    assert_eq!(app.userinfo(&less.access).await.json(), json!({ "sub": id["sub"], "provider_id": "web3", "email_verified": false }));
    assert_eq!(app.userinfo(&tokens.access).await.json()["ethereum_address"], json!(wallet.address));
});

async fn sub(world: &World, id: &str, browser: &Browser<'_>, wallet: &Wallet) -> String {
    let app = App::public(world, id);
    let tokens = app.tokens(browser, wallet).await;
    let (access, id) = tokens.claims();
    let told = app.userinfo(&tokens.access).await.json()["sub"].clone();
    assert_eq!((&access["sub"], &told), (&id["sub"], &id["sub"]), "the same everywhere");
    told.as_str().unwrap().to_owned()
}

on_both!(a_subject_is_the_accounts_or_the_sectors_or_the_connectors, |world| {
    let other_host = "https://other.example/callback".parse().unwrap();
    world.client("same", |_| {}).await;
    world.client("pair1", |client| client.subject_type = Some(SubjectType::Pairwise)).await;
    world.client("pair2", |client| client.subject_type = Some(SubjectType::Pairwise)).await;
    world
        .client("pair3", |client| {
            client.subject_type = Some(SubjectType::Pairwise);
            client.redirect_uris = vec![other_host];
        })
        .await;
    world
        .client("dex", |client| {
            client.subject_type = Some(SubjectType::Connector);
            client.claims_profile = ClaimsProfile::Compat;
        })
        .await;
    let (browser, one) = (Browser::new(&world), Wallet::new(1));
    let account = world.state.store.accounts().await.unwrap();
    assert!(account.is_empty());
    let public = sub(&world, "app", &browser, &one).await;
    assert_eq!(public, world.state.store.accounts().await.unwrap()[0].id.to_string());
    assert_eq!(sub(&world, "same", &browser, &one).await, public);
    let pairwise = sub(&world, "pair1", &browser, &one).await;
    assert_ne!(pairwise, public);
    assert_eq!(sub(&world, "pair2", &browser, &one).await, pairwise, "one sector, one subject");
    let uri = "https://other.example/callback";
    let app = App::public(&world, "pair3");
    let back = browser.authorize(&app.request().with("redirect_uri", uri), &one).await;
    let elsewhere = Tokens::read(&app.token(&app.redemption(&back.query("code").unwrap()).with("redirect_uri", uri)).await);
    assert_ne!(elsewhere.claims().1["sub"], json!(pairwise), "another sector");
    // Registering another address, whatever its name, changes nobody's subject.
    world.clock.advance(std::time::Duration::from_secs(3));
    for (id, uri) in [("pair1", "https://aaa.example/"), ("pair3", REDIRECT_URI)] {
        world
            .state
            .store
            .add_redirect_uri(&id.parse().unwrap(), UriPurpose::Redirect, &uri.parse().unwrap(), world.clock.now())
            .await
            .unwrap();
    }
    let mut changed = world.state.store.client(&"pair2".parse().unwrap()).await.unwrap().unwrap();
    changed.redirect_uris.insert(0, "https://aaa.example/".parse().unwrap());
    changed.updated_at = world.clock.now();
    assert!(world.state.store.update_client(&changed, &[UriPurpose::Redirect]).await.unwrap());
    world.forget_clients(&["pair1", "pair2", "pair3"]).await;
    assert_eq!(sub(&world, "pair2", &browser, &one).await, pairwise);
    assert_eq!(sub(&world, "pair1", &browser, &one).await, pairwise);
    assert_eq!(sub(&world, "pair3", &browser, &one).await, elsewhere.claims().1["sub"].as_str().unwrap());
    let connector = sub(&world, "dex", &browser, &one).await;
    let bytes = URL_SAFE_NO_PAD.decode(&connector).unwrap();
    assert_eq!(bytes, [b"\x0a\x2a".as_slice(), one.address.to_string().as_bytes(), b"\x12\x04web3"].concat());
    assert!(connector.starts_with("CioweD") && connector.ends_with("SBHdlYjM"), "{connector}");
    // Another person is another subject in every form.
    let other = Browser::new(&world);
    for (id, theirs) in [("app", &public), ("pair1", &pairwise), ("dex", &connector)] {
        assert_ne!(&sub(&world, id, &other, &Wallet::new(2)).await, theirs, "{id}");
    }
});

on_one!(the_servers_own_setting_is_the_default, [("TOKENS_SUBJECT", "connector")], |world| {
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    assert!(sub(&world, "app", &browser, &wallet).await.ends_with("SBHdlYjM"));
    world.client("own", |client| client.subject_type = Some(SubjectType::Account)).await;
    assert_eq!(sub(&world, "own", &browser, &wallet).await, world.state.store.accounts().await.unwrap()[0].id.to_string());
});

on_both!(every_algorithm_verifies_with_the_published_keys_alone, |world| {
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    let keys = forge::jwks(&browser).await;
    for alg in SigningAlg::ALL {
        let id = format!("client-{alg}");
        world.client(&id, |client| client.signing_alg = *alg).await;
        let app = App::public(&world, &id);
        let tokens = app.tokens(&browser, &wallet).await;
        for token in [&tokens.access, &tokens.id] {
            assert_eq!(decode(token).0["alg"], alg.as_str());
            assert!(forge::verifies(&keys, token), "{alg}");
            let (message, signature) = token.rsplit_once('.').unwrap();
            let mut changed = URL_SAFE_NO_PAD.decode(signature).unwrap();
            changed[7] ^= 1;
            let changed = format!("{message}.{}", URL_SAFE_NO_PAD.encode(changed));
            assert!(!forge::verifies(&keys, &changed), "the check does check");
            app.assert_refused(&changed, "a changed signature").await;
        }
        assert_eq!(app.userinfo(&tokens.access).await.status, 200, "{alg}");
    }
});
