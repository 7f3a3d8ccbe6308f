//! The exchange of an app's own token for one of an asset: `POST /v1/tokens/exchange`, as existing clients speak to it.

use std::sync::Arc;
use std::time::Duration;

use latchkey::app::{Application, Mode};
use latchkey::domain::{AccountId, Entropy, EventFilter, Grant, GrantId, GrantSource, Owner, PermissionSet, Provider};
use latchkey::keys::TokenKind;
use latchkey::store::{Actor, AssetImport, GrantOutcome, Granting, NewGrant, Transfer};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::actors::{Answer, App, Browser, Form, Tokens, Wallet, decode};
use crate::developer::developer_token;
use crate::world::{BEGINNING, ISSUER, SECRET, World};
use crate::{forge, on_both, on_one};

pub(crate) const EXCHANGE: &str = "/v1/tokens/exchange";
const CONTRACT: &str = "0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF";
const ALL: &str = "privilege:GetNonLocationHistory privilege:GetLocationHistory privilege:GetLiveData";

pub(crate) fn did(number: u64) -> String {
    format!("did:erc721:137:{CONTRACT}:{number}")
}

/// A person, an asset of theirs, and a license with an API key.
pub(crate) struct Scene<'w> {
    pub(crate) world: &'w World,
    pub(crate) owner: Wallet,
    pub(crate) account: AccountId,
    pub(crate) license: String,
    pub(crate) key: Wallet,
}

impl<'w> Scene<'w> {
    /// Assets 1 to 3 are the owner's, nothing is shared yet.
    pub(crate) async fn new(world: &'w World) -> Self {
        let (owner, key) = (Wallet::new(1), Wallet::new(9));
        let license = world.license(key.address).await.id.to_string();
        let account = person(world, &owner).await;
        let manufacturer = format!("did:ethr:137:{}", Wallet::new(50).address);
        let names: Vec<String> = (1..=3).map(did).chain([manufacturer]).collect();
        import(world, &names, Owner::Address(owner.address)).await;
        Self { world, owner, account, license, key }
    }

    /// The license's own token.
    pub(crate) async fn developer(&self) -> String {
        Tokens::read(&developer_token(&Browser::new(self.world), &self.license, &self.key).await).access
    }

    /// Grants it for an hour, to that client.
    pub(crate) async fn grants_to(&self, client: &str, asset: &str, permissions: &str, events: &[EventFilter]) -> Grant {
        self.grants_for(client, asset, permissions, events, Duration::from_hours(1)).await
    }

    pub(crate) async fn grants_for(&self, client: &str, asset: &str, permissions: &str, events: &[EventFilter], time: Duration) -> Grant {
        let (store, now) = (&self.world.state.store, self.world.clock.now());
        let did = asset.parse().unwrap();
        let epoch = store.asset(&did).await.unwrap().unwrap().epoch;
        let new = NewGrant {
            id: GrantId(Entropy::System.uuid(now)),
            asset: Some((did, epoch)),
            grantee: client.parse().unwrap(),
            permissions: permissions.parse().unwrap(),
            events: events.to_vec(),
            effective_at: now,
            expires_at: now.plus(time),
            template: None,
            purpose: None,
        };
        let granting = Granting { by: Actor::Operator, source: GrantSource::Operator, visit: None, replaces: false };
        match store.create_grants(granting, vec![new], now).await.unwrap() {
            GrantOutcome::Made(mut grants) => grants.remove(0),
            refused => panic!("{refused:?}"),
        }
    }

    pub(crate) async fn ends(&self, grant: &Grant) {
        let by = Actor::Owner { account: self.account, by: None };
        self.world.state.store.end_grant(grant.id, by, self.world.clock.now()).await.unwrap();
    }

    pub(crate) async fn passes_on(&self, asset: &str, to: AccountId) {
        let transfer = Transfer { did: asset.parse().unwrap(), epoch: 0, from: self.account, by: None, to: Owner::Account(to) };
        self.world.state.store.transfer_asset(transfer, self.world.clock.now()).await.unwrap().unwrap();
    }

    pub(crate) async fn exchange(&self, token: &str, body: &Value) -> Answer {
        exchange_at(&self.world.base, token, body).await
    }

    /// The claims of the token that is given for this.
    async fn given(&self, token: &str, body: &Value) -> Value {
        let answer = self.exchange(token, body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        decode(answer.json()["token"].as_str().unwrap()).1
    }

    /// Asserts that it is refused for that reason.
    async fn refused(&self, token: &str, body: &Value, reason: &str) -> Value {
        let answer = self.exchange(token, body).await;
        let told = answer.json();
        assert_eq!((answer.status, &told["reason"], &told["code"]), (403, &json!(reason), &json!(403)), "{told}");
        told
    }
}

pub(crate) async fn person(world: &World, wallet: &Wallet) -> AccountId {
    let (now, id) = (world.clock.now(), AccountId(Entropy::System.uuid(world.clock.now())));
    world.state.store.sign_in(&Provider::web3(), &wallet.address.to_string(), id, now).await.unwrap().account_id
}

async fn import(world: &World, names: &[String], owner: Owner) {
    let asset = |name: &String| AssetImport {
        did: name.parse().unwrap(),
        owner: Some(owner),
        make: None,
        model: None,
        year: None,
        powertrain: None,
        name: None,
        attributes: None,
        minted_at: None,
        claim: None,
    };
    world.state.store.import_assets(names.iter().map(asset).collect(), false, world.clock.now()).await.unwrap();
}

async fn exchange_at(base: &str, token: &str, body: &Value) -> Answer {
    let browser = Browser::at(base);
    let request = browser.bare(Method::POST, EXCHANGE).bearer_auth(token).header("content-type", "application/json");
    browser.send(request.body(body.to_string())).await
}

fn names(text: &str) -> Vec<&str> {
    text.parse::<PermissionSet>().unwrap();
    text.split(' ').collect()
}

fn ask(asset: &str, permissions: &str) -> Value {
    json!({ "asset": asset, "permissions": names(permissions) })
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

// The three samples of the older service's own documentation.
on_both!(a_license_gets_tokens_for_what_was_shared_with_it, |world| {
    let scene = Scene::new(&world).await;
    let manufacturer = format!("did:ethr:137:{}", Wallet::new(50).address);
    let of_manufacturer = "privilege:ManufacturerDeviceDefinitionInsert privilege:ManufacturerMintDevice";
    scene.grants_to(&scene.license, &did(1), ALL, &[EventFilter::any()]).await;
    scene.grants_to(&scene.license, &manufacturer, of_manufacturer, &[]).await;
    let token = scene.developer().await;

    let answer = scene.exchange(&token, &ask(&did(1), "privilege:GetNonLocationHistory privilege:GetLocationHistory")).await;
    assert_eq!(
        (answer.status, answer.header("cache-control"), answer.header("content-type")),
        (200, "no-store", "application/json"),
        "{}",
        answer.body
    );
    let reply = answer.json();
    assert_eq!(keys(&reply), ["expires_at", "expires_in", "token", "token_type"]);
    assert_eq!(
        (&reply["token_type"], &reply["expires_in"], &reply["expires_at"]),
        (&json!("Bearer"), &json!(600), &json!("2026-01-01T00:10:00Z"))
    );
    let (header, claims) = decode(reply["token"].as_str().unwrap());
    assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("RS256")));
    let expected = json!({
        "iss": format!("{ISSUER}/assets"), "sub": scene.license, "client_id": scene.license, "aud": ["dimo.zone"], "jti": claims["jti"],
        "iat": BEGINNING, "nbf": BEGINNING, "exp": BEGINNING + 600, "asset": did(1),
        "permissions": ["privilege:GetLocationHistory", "privilege:GetNonLocationHistory"], "cloud_events": { "events": [] },
        "contract_address": CONTRACT.to_lowercase(), "token_id": "1", "privilege_ids": [1, 4],
    });
    assert_eq!(claims, expected);
    let published = forge::jwks_at(&Browser::new(&world), "/assets/keys").await;
    assert!(forge::verifies(&published, reply["token"].as_str().unwrap()));

    let filter = json!({ "eventType": "dimo.attestation", "source": "*", "ids": ["*"], "tags": ["insurance, registration"] });
    let body = json!({ "asset": did(1), "permissions": ["privilege:GetLiveData"], "cloudEvents": { "events": [filter] } });
    let told = json!([{ "event_type": "dimo.attestation", "source": "*", "ids": ["*"], "tags": ["insurance, registration"] }]);
    let claims = scene.given(&token, &body).await;
    assert_eq!((&claims["cloud_events"]["events"], &claims["privilege_ids"]), (&told, &json!([6])));

    let claims = scene.given(&token, &ask(&manufacturer, of_manufacturer)).await;
    assert_eq!((&claims["asset"], &claims["privilege_ids"], claims.get("token_id")), (&json!(manufacturer), &json!([1, 5]), None));

    // As the published SDKs ask: a contract, a number, numbers. The asset and its permissions may be named in any case and order.
    let older = json!({ "nftContractAddress": CONTRACT, "tokenId": 1, "privileges": [4, 1] });
    assert_eq!(scene.given(&token, &older).await["permissions"], expected["permissions"]);
    let lower = did(1).to_lowercase();
    assert_eq!(scene.given(&token, &ask(&lower, "privilege:GetLiveData")).await["asset"], json!(did(1)));
});

on_both!(each_refusal_says_why_and_nothing_of_what_is_not_the_clients, |world| {
    let scene = Scene::new(&world).await;
    let live = "privilege:GetLiveData";
    let token = scene.developer().await;
    scene.grants_to("app", &did(2), ALL, &[]).await;
    // An asset that is another app's affair, one that nobody has heard of, and one of another chain: the same words for all.
    let elsewhere = did(1).replace("erc721:137", "erc721:1");
    let mut words = Vec::new();
    for asset in [did(1), did(2), did(999), elsewhere] {
        let told = scene.refused(&token, &ask(&asset, live), "not_shared").await;
        assert_eq!(keys(&told), ["code", "error", "error_description", "granted", "message", "missing", "reason", "status"]);
        assert_eq!(told["message"], json!(format!("Address {} lacks permissions [{live}] for asset {asset}", scene.license)));
        words.push(told.to_string().replace(&asset, "it"));
    }
    assert!(words.iter().all(|told| *told == words[0]), "{words:?}");

    let grant = scene.grants_to(&scene.license, &did(1), "privilege:GetLiveData privilege:GetLocationHistory", &[]).await;
    let more = ask(&did(1), "privilege:ExecuteCommands privilege:GetLiveData");
    let told = scene.refused(&token, &more, "missing_permissions").await;
    assert_eq!((&told["missing"], &told["granted"]), (&json!(["privilege:ExecuteCommands"]), &json!([live])));
    let events = json!({ "asset": did(1), "permissions": [live], "cloudEvents": { "events": [{ "eventType": "dimo.attestation" }] } });
    let told = scene.refused(&token, &events, "missing_permissions").await;
    assert_eq!((&told["missing"], &told["missing_events"][0]["event_type"]), (&json!([]), &json!("dimo.attestation")));
    assert_eq!(told["message"], json!(format!("Address {} lacks events [dimo.attestation] for asset {}", scene.license, did(1))));
    scene.given(&token, &ask(&did(1), live)).await;

    scene.ends(&grant).await;
    scene.refused(&token, &ask(&did(1), live), "revoked").await;
    scene.grants_for(&scene.license, &did(3), live, &[], Duration::from_mins(5)).await;
    world.clock.advance(Duration::from_mins(5));
    scene.refused(&token, &ask(&did(3), live), "expired").await;
    scene.grants_to(&scene.license, &did(1), live, &[]).await;
    let other = person(&world, &Wallet::new(2)).await;
    scene.passes_on(&did(1), other).await;
    scene.refused(&token, &ask(&did(1), live), "owner_changed").await;
});

on_both!(a_part_is_given_where_a_part_is_wanted, |world| {
    let scene = Scene::new(&world).await;
    let token = scene.developer().await;
    scene.grants_to(&scene.license, &did(1), "privilege:GetLiveData", &[]).await;
    let mut body = ask(&did(1), "privilege:GetLiveData privilege:ExecuteCommands");
    body["partial"] = json!(true);
    body["cloudEvents"] = json!({ "events": [{ "eventType": "a" }] });
    let reply = scene.exchange(&token, &body).await.json();
    assert_eq!((&reply["granted"], &reply["missing"]), (&json!(["privilege:GetLiveData"]), &json!(["privilege:ExecuteCommands"])));
    assert_eq!(reply["missing_events"][0]["event_type"], json!("a"));
    let claims = decode(reply["token"].as_str().unwrap()).1;
    assert_eq!((&claims["permissions"], &claims["cloud_events"]["events"]), (&json!(["privilege:GetLiveData"]), &json!([])));
    let mut none = ask(&did(1), "privilege:ExecuteCommands");
    none["partial"] = json!(true);
    scene.refused(&token, &none, "missing_permissions").await;
});

on_one!(what_cannot_be_read_is_refused_with_the_five_keys, |world| {
    let scene = Scene::new(&world).await;
    let token = scene.developer().await;
    let older = |token_id: Value| json!({ "nftContractAddress": CONTRACT, "tokenId": token_id, "privileges": [1] });
    let greatest = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    for body in [
        json!([]),
        json!({}),
        json!({ "asset": did(1) }),
        ask("7", "privilege:GetLiveData"),
        ask(&did(1), "privilege:Fly"),
        ask(&did(1), "privilege:ManufacturerMintDevice"),
        json!({ "asset": did(1), "permissions": (0..10_000).map(|n| format!("p{n}")).collect::<Vec<_>>() }),
        older(json!(-1)),
        older(json!(1e3)),
        older(json!("1e3")),
        older(json!("seven")),
        older(json!(format!("{}6", &greatest[..77]))),
    ] {
        let answer = scene.exchange(&token, &body).await;
        crate::api_challenge::assert_wire_error(&answer, 400, "invalid_request", None);
    }
    // The smallest and the greatest are names like any other.
    for token_id in [json!(0), json!(greatest)] {
        scene.refused(&token, &older(token_id), "not_shared").await;
    }
    let browser = Browser::new(&world);
    for (kind, body) in [("application/json", "x".repeat(70_000)), ("text/plain", ask(&did(1), "privilege:GetLiveData").to_string())] {
        let request = browser.bare(Method::POST, EXCHANGE).bearer_auth(&token).header("content-type", kind).body(body);
        crate::api_challenge::assert_wire_error(&browser.send(request).await, 400, "invalid_request", None);
    }
});

on_both!(only_a_living_access_token_for_its_own_client_is_taken, [("FILE", FILE)], |world| {
    let scene = Scene::new(&world).await;
    let (browser, app) = (Browser::new(&world), App::public(&world, "app"));
    scene.grants_to(&scene.license, &did(1), ALL, &[]).await;
    scene.grants_to("app", &did(1), ALL, &[]).await;
    let body = ask(&did(1), "privilege:GetLiveData");
    let metadata = format!("resource_metadata=\"{ISSUER}/.well-known/oauth-protected-resource{EXCHANGE}\"");
    let none = browser.send(browser.bare(Method::POST, EXCHANGE).header("content-type", "application/json").body(body.to_string())).await;
    crate::api_challenge::assert_wire_error(&none, 401, "invalid_token", None);
    assert_eq!(none.header("www-authenticate"), format!("Bearer {metadata}"));
    let said = browser.get(&format!("/.well-known/oauth-protected-resource{EXCHANGE}")).await.json();
    assert_eq!((&said["resource"], &said["authorization_servers"]), (&json!(format!("{ISSUER}{EXCHANGE}")), &json!([ISSUER])));

    let refuse = async |token: &str, why: &str| {
        let answer = scene.exchange(token, &body).await;
        assert_eq!(answer.status, 401, "{why}: {}", answer.body);
        crate::api_challenge::assert_wire_error(&answer, 401, "invalid_token", None);
        assert!(
            answer.header("www-authenticate").starts_with("Bearer error=\"invalid_token\"")
                && answer.header("www-authenticate").ends_with(&metadata)
        );
    };
    let developer = scene.developer().await;
    let asset_token = scene.exchange(&developer, &body).await.json()["token"].as_str().unwrap().to_owned();
    let tokens = app.offline_tokens(&browser, &scene.owner).await;
    assert_eq!(scene.exchange(&tokens.access, &body).await.status, 200, "what was granted to the app");
    refuse(&asset_token, "an asset token is not exchanged again").await;
    refuse(&tokens.id, "an ID Token").await;
    refuse("x", "no token").await;
    let (header, claims) = decode(&developer);
    refuse(&forge::self_signed(&header["kid"], "at+jwt", &claims), "signed by somebody else").await;
    // In a query it is not even looked at.
    let by_query = browser.bare(Method::POST, &format!("{EXCHANGE}?access_token={developer}")).header("content-type", "application/json");
    assert_eq!(browser.send(by_query.body(body.to_string())).await.header("www-authenticate"), format!("Bearer {metadata}"));
    // One that its client sends to an API is of no use to whoever runs that.
    let back =
        browser.authorize(&app.request().with("scope", "openid garage:read").and("resource", "https://garage.example"), &scene.owner).await;
    let for_garage = Tokens::read(&app.redeem(&back.query("code").unwrap()).await).access;
    refuse(&for_garage, "for another resource").await;
    // The claims of a token for it with another audience, signed by us.
    let mut other = decode(&tokens.access).1;
    other["aud"] = json!("web");
    let signed = world.state.keys.sign(TokenKind::AccessToken, latchkey::domain::SigningAlg::Rs256, &other).unwrap();
    refuse(&signed, "for another client").await;
    other["aud"] = json!(format!("{ISSUER}{EXCHANGE}"));
    let signed = world.state.keys.sign(TokenKind::AccessToken, latchkey::domain::SigningAlg::Rs256, &other).unwrap();
    assert_eq!(scene.exchange(&signed, &body).await.status, 200, "for the exchange by name");

    let refreshed = Tokens::read(&app.refresh(&tokens.refresh).await).access;
    assert_eq!(scene.exchange(&refreshed, &body).await.status, 200);
    app.revoke(&tokens.access).await;
    refuse(&tokens.access, "revoked").await;
    world.state.store.set_account_disabled(scene.account, Some(world.clock.now()), world.clock.now()).await.unwrap();
    refuse(&refreshed, "its account is disabled").await;
    world.state.store.set_account_disabled(scene.account, None, world.clock.now()).await.unwrap();
    assert_eq!(scene.exchange(&developer, &body).await.status, 200);
    world.state.store.disable_license_key(&scene.license.parse().unwrap(), &scene.key.address, world.clock.now()).await.unwrap();
    refuse(&developer, "its API key is disabled").await;
});

const FILE: &str = r#"
[[resources]]
uri = "https://garage.example"
name = "The Garage"
scopes = { "garage:read" = "See the vehicles in your garage" }
"#;

on_both!(a_disabled_license_gets_nothing_at_once, |world| {
    let scene = Scene::new(&world).await;
    scene.grants_to(&scene.license, &did(1), ALL, &[]).await;
    let (token, body, now) = (scene.developer().await, ask(&did(1), "privilege:GetLiveData"), world.clock.now());
    assert_eq!(scene.exchange(&token, &body).await.status, 200);
    world.state.store.set_client_disabled(&scene.license.parse().unwrap(), Some(now), now).await.unwrap();
    assert_eq!(scene.exchange(&token, &body).await.error(), (401, "invalid_token".into()));
});

on_both!(an_app_that_an_owner_merely_signed_in_to_gets_nothing, |world| {
    let scene = Scene::new(&world).await;
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    let live = ask(&did(1), "privilege:GetLiveData");
    let tokens = app.tokens(&browser, &scene.owner).await;
    // By its code, and without a browser; here and at `/token`.
    let (state, message) =
        crate::api_challenge::generated(&browser, &crate::api_challenge::ask("app", &scene.owner.address.to_string())).await;
    let answer = crate::api_challenge::answer("app", &state, &scene.owner.sign(&message));
    let by_api = Tokens::read(&browser.post_form(crate::api_challenge::SUBMIT, &answer).await);
    for token in [&tokens.access, &by_api.access] {
        let told = scene.refused(token, &live, "not_shared").await;
        assert_eq!(told["message"], json!(format!("Client app lacks permissions [privilege:GetLiveData] for asset {}", did(1))));
        let mut part = live.clone();
        part["partial"] = json!(true);
        scene.refused(token, &part, "not_shared").await;
    }
    // Nor does its license, of which the owner has the API key.
    scene.refused(&scene.developer().await, &live, "not_shared").await;
    // What was granted to this app, it gets, and no more; its neighbour gets nothing of it.
    scene.grants_to("app", &did(1), "privilege:GetLiveData", &[]).await;
    for token in [&tokens.access, &by_api.access] {
        assert_eq!(scene.given(token, &live).await["sub"], json!("app"));
        scene.refused(token, &ask(&did(1), "privilege:ExecuteCommands"), "missing_permissions").await;
        scene.refused(token, &ask(&did(2), "privilege:GetLiveData"), "not_shared").await;
    }
    scene.refused(&scene.developer().await, &live, "not_shared").await;

    // A part of the house acts with its user's authority: on what is theirs, and on nothing else.
    world.client("house", |client| client.metadata.first_party = true).await;
    let house = App::public(&world, "house");
    let of_owner = house.tokens(&browser, &scene.owner).await.access;
    assert_eq!(scene.given(&of_owner, &ask(&did(2), "privilege:ExecuteCommands")).await["client_id"], json!("house"));
    let of_other = house.tokens(&Browser::new(&world), &Wallet::new(2)).await.access;
    scene.refused(&of_other, &ask(&did(2), "privilege:ExecuteCommands"), "not_shared").await;
});

on_both!(the_audience_is_one_that_the_client_may_have, |world| {
    let scene = Scene::new(&world).await;
    world
        .client("limited", |client| {
            client.auth_method = latchkey::domain::AuthMethod::ClientSecret;
            client.secret_hash = Some(latchkey::domain::TokenHash::of(SECRET));
            client.metadata.grant_types = [latchkey::domain::GrantType::ClientCredentials].into();
            client.metadata.audiences = Some(vec!["my-app".into(), "dimo.zone".into()]);
            client.metadata.permissions = Some("privilege:GetLiveData".parse().unwrap());
        })
        .await;
    let token = scene.developer().await;
    let form = Form::of(&[("grant_type", "client_credentials")]);
    let limited = Tokens::read(&App::confidential(&world, "limited").token(&form).await).access;
    for client in [scene.license.as_str(), "limited"] {
        scene.grants_to(client, &did(1), ALL, &[]).await;
    }
    let with = |audience: Value| json!({ "asset": did(1), "permissions": ["privilege:GetLiveData"], "audience": audience });
    for (token, audience, outcome) in [
        (&token, json!(null), Ok(json!(["dimo.zone"]))),
        (&token, json!([]), Ok(json!(["dimo.zone"]))),
        (&token, json!(["dimo.zone"]), Ok(json!(["dimo.zone"]))),
        (&token, json!(["my-app"]), Err(())),
        (&token, json!(["dimo.zone", "https://bank.example"]), Err(())),
        (&limited, json!(["my-app"]), Ok(json!(["my-app"]))),
        (&limited, json!(["my-app", "dimo.zone"]), Ok(json!(["my-app", "dimo.zone"]))),
        (&limited, json!(["other"]), Err(())),
    ] {
        match outcome {
            Ok(aud) => assert_eq!(scene.given(token, &with(audience)).await["aud"], aud),
            Err(()) => crate::api_challenge::assert_wire_error(&scene.exchange(token, &with(audience)).await, 400, "invalid_target", None),
        }
    }
    // Nor has it more than the operator lets it, whatever the owner granted.
    scene.refused(&limited, &ask(&did(1), "privilege:GetLocationHistory"), "missing_permissions").await;
});

on_both!(a_token_outlives_neither_its_grant_nor_the_token_it_was_got_with, |world| {
    let scene = Scene::new(&world).await;
    let token = scene.developer().await;
    scene.grants_for(&scene.license, &did(1), "privilege:GetLiveData", &[], Duration::from_secs(90)).await;
    scene.grants_for(&scene.license, &did(1), "privilege:GetLocationHistory", &[], Duration::from_hours(1)).await;
    let ends = async |token: &str, permissions: &str| {
        let reply = scene.exchange(token, &ask(&did(1), permissions)).await.json();
        let exp = decode(reply["token"].as_str().unwrap()).1["exp"].as_i64().unwrap();
        assert_eq!(reply["expires_in"], json!(exp - world.clock.now().seconds()));
        exp - world.clock.now().seconds()
    };
    assert_eq!(ends(&token, "privilege:GetLiveData").await, 90);
    assert_eq!(ends(&token, "privilege:GetLiveData privilege:GetLocationHistory").await, 90, "the first to end");
    assert_eq!(ends(&token, "privilege:GetLocationHistory").await, 600);
    scene.grants_to("app", &did(1), "privilege:GetLocationHistory", &[]).await;
    let of_app = App::public(&world, "app").tokens(&Browser::new(&world), &Wallet::new(2)).await.access;
    world.clock.advance(Duration::from_secs(3_599));
    scene.grants_to("app", &did(1), "privilege:GetLocationHistory", &[]).await;
    assert_eq!(ends(&of_app, "privilege:GetLocationHistory").await, 1);
});

on_both!(what_ends_a_grant_counts_at_once_on_every_replica, |world| {
    let scene = Scene::new(&world).await;
    let replica = Application::build(world.state.config.clone(), Mode::Serve, world.clock.clone(), Entropy::System).await.unwrap();
    let base = format!("http://{}", replica.address());
    let state = Arc::clone(replica.state());
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(replica.run_until(async move {
        let _ = stopped.await;
    }));
    let (token, body) = (scene.developer().await, ask(&did(1), "privilege:GetLiveData"));
    let other = person(&world, &Wallet::new(2)).await;
    let status = async || exchange_at(&base, &token, &body).await.status;
    for round in 0..2 {
        let grant = scene.grants_to(&scene.license, &did(1), ALL, &[]).await;
        assert_eq!(status().await, 200);
        if round == 0 {
            scene.ends(&grant).await;
        } else {
            scene.passes_on(&did(1), other).await;
        }
        assert_eq!(status().await, 403);
    }
    // The old owner's grants do not come back with a new one; what the new owner grants does.
    scene.grants_to(&scene.license, &did(1), ALL, &[]).await;
    assert_eq!(status().await, 200);
    stop.send(()).unwrap();
    drop(state);
    running.await.unwrap().unwrap();
});
