//! Resource indicators (RFC 8707): tokens for one API are for that API alone; and what userinfo says of itself as a resource (RFC 9728).

use latchkey::domain::{AuthMethod, TokenHash};
use serde_json::json;

use crate::actors::{App, Browser, Form, Tokens, Wallet};
use crate::on_both;
use crate::world::{ISSUER, SECRET};

const GARAGE: &str = "https://garage.example/api";
const SHOP: &str = "https://shop.example";
const FILE: &str = r#"
[[resources]]
uri = "https://garage.example/api"
name = "The Garage"
scopes = { "garage:read" = "See the vehicles in your garage" }
clients = ["garage-server"]

[[resources]]
uri = "https://shop.example"
name = "The Shop"
scopes = { "shop:buy" = "Buy <b>things</b> for you" }
"#;

fn userinfo() -> String {
    format!("{ISSUER}/userinfo")
}

fn asking(app: &App<'_>, scope: &str, resources: &[&str]) -> Form {
    resources.iter().fold(app.request().with("scope", scope), |form, uri| form.and("resource", uri))
}

on_both!(a_token_is_for_the_resources_that_were_agreed_to, [("FILE", FILE)], |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    app.tokens(&browser, &wallet).await;
    let request = asking(&app, "openid garage:read", &[GARAGE]);
    // The resource itself is agreed to, also where no new scope comes with it.
    let silent = |resources: &[&str]| asking(&app, "openid", resources).with("prompt", "none");
    assert_eq!(browser.auth(&silent(&[GARAGE])).await.query("error").as_deref(), Some("consent_required"));
    let interaction = browser.begin(&request).await;
    let page = browser.get(&interaction).await.body;
    assert!(page.contains("See the vehicles in your garage") && page.contains("Use The Garage in your name"), "{page}");
    let back = browser.go_on(&interaction, &wallet).await;
    let tokens = Tokens::read(&app.redeem(&back.query("code").unwrap()).await);
    let (access, id) = tokens.claims();
    assert_eq!((&access["aud"], &access["client_id"], &access["scope"]), (&json!(GARAGE), &json!("app"), &json!("garage:read openid")));
    assert_eq!(id["aud"], json!("app"), "the ID token is the app's");
    // A token of one surface is none at another.
    app.assert_refused(&tokens.access, "it is for the garage").await;
    assert!(browser.auth(&silent(&[GARAGE])).await.query("code").is_some(), "it is remembered");
    assert_eq!(browser.auth(&silent(&[SHOP])).await.query("error").as_deref(), Some("consent_required"), "another one is not");
    let account = browser.get("/account").await.body;
    assert!(account.contains("Use The Garage in your name"), "{account}");
    // Without any resource a token is the client's own, as ever.
    let own = app.tokens(&browser, &wallet).await;
    assert_eq!(own.claims().0["aud"], json!("app"));
    assert_eq!(app.userinfo(&own.access).await.status, 200);
});

on_both!(a_token_request_may_take_less_and_never_more, [("FILE", FILE)], |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let userinfo = userinfo();
    let code = async || {
        let request = asking(&app, "openid garage:read shop:buy", &[GARAGE, SHOP, &userinfo]);
        browser.authorize(&request, &wallet).await.query("code").unwrap()
    };
    let redeem = async |code: &str, resources: &[&str]| {
        app.token(&resources.iter().fold(app.redemption(code), |form, uri| form.and("resource", uri))).await
    };
    let all = Tokens::read(&redeem(&code().await, &[]).await);
    assert_eq!(all.claims().0["aud"], json!([GARAGE, SHOP, userinfo]));
    app.assert_refused(&all.access, "others hold it too").await;
    let shop = Tokens::read(&redeem(&code().await, &[SHOP]).await);
    assert_eq!((&shop.claims().0["aud"], &shop.reply["scope"]), (&json!(SHOP), &json!("openid shop:buy")), "no word of the garage");
    let mine = Tokens::read(&redeem(&code().await, &[&userinfo]).await);
    assert_eq!((&mine.claims().0["aud"], &mine.reply["scope"]), (&json!(userinfo), &json!("openid")));
    assert_eq!(app.userinfo(&mine.access).await.status, 200);
    let back = browser.authorize(&asking(&app, "openid", &[GARAGE]), &wallet).await;
    let code = back.query("code").unwrap();
    // What nobody makes tokens for spends nothing; what was not granted does, as a wrong verifier does.
    assert_eq!(redeem(&code, &["https://unknown.example"]).await.error(), (400, "invalid_target".into()));
    assert_eq!(redeem(&code, &[GARAGE, SHOP]).await.error(), (400, "invalid_target".into()));
    assert_eq!(redeem(&code, &[]).await.error(), (400, "invalid_grant".into()));
    let plain = app.code(&browser, &wallet).await;
    assert_eq!(redeem(&plain, &[GARAGE]).await.error(), (400, "invalid_target".into()), "none was granted");
});

on_both!(a_resource_that_nobody_declared_is_no_target, [("FILE", FILE)], |world| {
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    for bad in
        ["https://garage.example/api/", "https://GARAGE.example/api", "https://garage.example/api#x", "garage", "https://unknown.example"]
    {
        for resources in [vec![bad], vec![GARAGE, bad]] {
            let answer = browser.auth(&asking(&app, "openid", &resources)).await;
            assert_eq!(answer.query("error").as_deref(), Some("invalid_target"), "{resources:?}");
        }
    }
    // Only this parameter may come several times.
    assert!(browser.auth(&asking(&app, "openid", &[GARAGE, SHOP, GARAGE])).await.location().starts_with("/interaction/"));
    let alone = browser.auth(&asking(&app, "openid garage:read", &[SHOP])).await;
    assert_eq!(alone.query("error").as_deref(), Some("invalid_scope"));
    assert!(alone.query("error_description").unwrap().contains(GARAGE), "it says which resource is lacking");
    world.client("narrow", |client| client.metadata.scope = Some("openid".parse().unwrap())).await;
    let narrow = App::public(&world, "narrow");
    let wallet = Wallet::new(1);
    let back = browser.authorize(&asking(&narrow, "openid garage:read", &[GARAGE]), &wallet).await;
    assert_eq!(Tokens::read(&narrow.redeem(&back.query("code").unwrap()).await).reply["scope"], json!("openid"));
});

on_both!(userinfo_says_what_it_is_and_where_to_get_a_token, [("FILE", FILE)], |world| {
    let browser = Browser::new(&world);
    let said = browser.get("/.well-known/openid-configuration").await.json();
    assert_eq!(said["protected_resources"], json!([userinfo(), GARAGE, SHOP]));
    let scopes = said["scopes_supported"].as_array().unwrap();
    assert!(scopes.contains(&json!("garage:read")) && scopes.contains(&json!("phone")), "{scopes:?}");
    // RFC 9728 §5.1: from the challenge to the metadata, §3.3: whose resource is the address that was asked.
    let refused = browser.get("/userinfo").await;
    let challenge = refused.header("www-authenticate");
    let address = challenge.strip_prefix("Bearer resource_metadata=\"").and_then(|rest| rest.strip_suffix('"')).unwrap();
    let metadata = browser.get(address.strip_prefix(ISSUER).unwrap()).await;
    assert_eq!((metadata.status, metadata.header("content-type")), (200, "application/json"));
    let metadata = metadata.json();
    assert_eq!((&metadata["resource"], &metadata["authorization_servers"]), (&json!(userinfo()), &json!([ISSUER])));
    assert_eq!(metadata["bearer_methods_supported"], json!(["header", "body"]));
    assert_eq!(metadata["resource_signing_alg_values_supported"], said["userinfo_signing_alg_values_supported"]);
    assert!(!metadata["scopes_supported"].as_array().unwrap().contains(&json!("garage:read")));
});

on_both!(a_resources_server_learns_what_is_for_it_alone, [("FILE", FILE)], |world| {
    for id in ["garage-server", "shop-server"] {
        world
            .client(id, |client| {
                client.auth_method = AuthMethod::ClientSecret;
                client.secret_hash = Some(TokenHash::of(SECRET));
            })
            .await;
    }
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let request = asking(&app, "openid offline_access garage:read shop:buy", &[GARAGE, SHOP]);
    let both = Tokens::read(&app.redeem(&browser.authorize(&request, &wallet).await.query("code").unwrap()).await);
    // A refresh may be for less than the family, and never for more.
    let garage = Tokens::read(&app.token(&app.refreshing(&both.refresh).with("resource", GARAGE)).await);
    assert_eq!((&garage.claims().0["aud"], &garage.reply["scope"]), (&json!(GARAGE), &json!("garage:read offline_access openid")));
    let beyond = app.token(&app.refreshing(&garage.refresh).with("resource", &userinfo())).await;
    assert_eq!(beyond.error(), (400, "invalid_target".into()));
    let shop = Tokens::read(&app.token(&app.refreshing(&garage.refresh).with("resource", SHOP)).await);
    let active = async |server: &str, token: &str| App::confidential(&world, server).introspect(token).await.json()["active"] == true;
    assert!(active("garage-server", &both.access).await && active("garage-server", &garage.access).await);
    assert!(!active("garage-server", &shop.access).await, "it is for the shop");
    assert!(!active("shop-server", &shop.access).await, "nobody declared it as the shop's server");
    let own = app.tokens(&browser, &wallet).await;
    assert!(!active("garage-server", &own.access).await, "it is the app's own");
    assert!(!active("garage-server", &shop.refresh).await, "a refresh token is for nobody but its client");
});
