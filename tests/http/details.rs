//! Access to assets by consent (RFC 9396): an app asks with `authorization_details`, the owner picks, and the app is told what it got.

use std::time::Duration;

use latchkey::domain::{Entropy, PermissionSet};
use latchkey::store::GrantPage;
use serde_json::{Value, json};

use crate::actors::{Answer, App, Browser, Form, Wallet, decode};
use crate::exchange::{EXCHANGE, Scene, did, person};
use crate::world::World;
use crate::{on_both, on_one};

const SEE: &str = "privilege:GetLocationHistory";
const LIVE: &str = "privilege:GetLiveData";
const COMMAND: &str = "privilege:ExecuteCommands";
const DAY: u64 = 86_400;

fn asked(details: &Value) -> String {
    details.to_string()
}

fn detail(more: &Value) -> Value {
    let mut detail = json!({ "type": "asset_access", "actions": [SEE] });
    detail.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!([detail])
}

/// All that a browser would send with the page's answer: the fields of the form, and those that belong to it from outside.
fn fields(page: &Answer) -> Form {
    let mut form = page.form("/consent").with("decision", "allow");
    for tag in page.body.split('<').filter(|tag| tag.contains("form=\"decide\"")) {
        let value = |name: &str| tag.split(&format!("{name}=\"")).nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned);
        let checkbox = tag.contains("type=\"checkbox\"");
        if let (Some(name), Some(value)) = (value("name"), value("value"))
            && (!checkbox || tag.contains(" checked"))
        {
            form = form.with(&name, &value);
        }
    }
    for select in page.body.split("<select ").skip(1) {
        let name = select.split("name=\"").nth(1).unwrap().split('"').next().unwrap();
        let chosen = select.split("</select>").next().unwrap().split("<option ").find(|option| option.contains(" selected")).unwrap();
        form = form.with(name, chosen.split("value=\"").nth(1).unwrap().split('"').next().unwrap());
    }
    form
}

/// The app asks for this, the person signs in: their consent page.
async fn consent_page(browser: &Browser<'_>, request: &Form, wallet: &Wallet) -> (String, Answer) {
    let interaction = browser.begin(request).await;
    browser.sign_in(&interaction, wallet).await;
    let page = browser.get(&interaction).await;
    assert!(page.is_consent(), "{} {}", page.status, page.body);
    (interaction, page)
}

async fn send(browser: &Browser<'_>, interaction: &str, form: &Form) -> Answer {
    let answer = browser.post_form(&format!("{interaction}/consent"), form).await;
    if answer.status == 303 && answer.location() == interaction { browser.get(interaction).await } else { answer }
}

async fn grants(world: &World, scene: &Scene<'_>) -> Vec<latchkey::domain::Grant> {
    world.state.store.grants_of_owner(scene.account, &GrantPage { limit: 100, ..GrantPage::default() }).await.unwrap()
}

on_both!(an_owner_grants_what_they_pick_and_the_app_is_told, |world| {
    let scene = Scene::new(&world).await;
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    let details = detail(&json!({
        "assets": { "pick": { "min": 1, "max": 2 } },
        "optional_actions": [COMMAND, LIVE],
        "purpose": "Insurance by the mile",
        "expires_in": 90 * DAY,
    }));
    let request = app.request().with("authorization_details", &asked(&details));
    let (interaction, page) = consent_page(&browser, &request, &scene.owner).await;
    for words in ["Insurance by the mile", "no. 1", "no. 2", "no. 3", "90 days, until 1 April 2026", "Choose one or more, at most 2"] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    // Nothing that is optional is chosen before they choose it, and nothing is picked for them.
    let form = fields(&page);
    assert!(!form.encode().contains("optional.") && !form.encode().contains("asset."), "{}", form.encode());
    let again = send(&browser, &interaction, &form).await;
    assert_eq!(again.status, 422, "{}", again.body);
    assert!(again.body.contains("Choose 1 to 2; you have chosen 0."), "{}", again.body);
    assert!(grants(&world, &scene).await.is_empty());

    let picked =
        form.with("asset.0.1", &format!("0 {}", did(2))).with(&format!("optional.0.{LIVE}"), "yes").with("span.0", &(7 * DAY).to_string());
    let back = send(&browser, &interaction, &picked).await;
    let code = back.query("code").unwrap_or_else(|| panic!("{} {} {}", back.status, back.location(), back.body));
    let made = grants(&world, &scene).await;
    let [grant] = &made[..] else { panic!("{made:?}") };
    let expected: PermissionSet = format!("{SEE} {LIVE}").parse().unwrap();
    assert_eq!((grant.asset.unwrap().to_string(), &grant.permissions), (did(2), &expected));
    assert_eq!((grant.grantee.as_str(), grant.purpose.as_deref()), ("app", Some("Insurance by the mile")));
    assert_eq!(grant.expires_at, world.clock.now().plus(Duration::from_secs(7 * DAY)));

    // RFC 9396 §7: the token response tells what was granted.
    let reply = app.redeem(&code).await.json();
    let told = json!([{
        "type": "asset_access",
        "assets": [did(2)],
        "actions": expected.names(),
        "grant_id": grant.id.to_string(),
        "expires_at": grant.expires_at.seconds(),
    }]);
    assert_eq!(reply["authorization_details"], told, "{reply}");
    // The app gets a token for that asset and those permissions, and for no other.
    let token = reply["access_token"].as_str().unwrap();
    let body = json!({ "asset": did(2), "permissions": [SEE, LIVE] });
    let given = scene.exchange(token, &body).await;
    assert_eq!(given.status, 200, "{}", given.body);
    assert_eq!(decode(given.json()["token"].as_str().unwrap()).1["permissions"], json!(expected.names()));
    for body in [json!({ "asset": did(2), "permissions": [COMMAND] }), json!({ "asset": did(1), "permissions": [SEE] })] {
        assert_eq!(scene.exchange(token, &body).await.status, 403, "{body}");
    }
    scene.ends(grant).await;
    assert_eq!(scene.exchange(token, &json!({ "asset": did(2), "permissions": [SEE] })).await.status, 403);
});

on_both!(a_refresh_and_introspection_tell_what_still_lives, |world| {
    let scene = Scene::new(&world).await;
    let (app, browser) = (App::confidential(&world, "web"), Browser::new(&world));
    let details = detail(&json!({ "assets": [did(1), did(2)] }));
    let request = app.request().with("scope", "openid offline_access").with("authorization_details", &asked(&details));
    let (interaction, page) = consent_page(&browser, &request.with("prompt", "consent"), &scene.owner).await;
    let back = send(&browser, &interaction, &fields(&page)).await;
    let reply = app.redeem(&back.query("code").unwrap()).await.json();
    assert_eq!(reply["authorization_details"].as_array().unwrap().len(), 2, "{reply}");
    let token = reply["access_token"].as_str().unwrap();
    let told = async || app.introspect(token).await.json();
    assert_eq!(told().await["authorization_details"], reply["authorization_details"]);
    let all = grants(&world, &scene).await;
    scene.ends(&all[0]).await;
    assert_eq!(told().await["authorization_details"].as_array().unwrap().len(), 1);
    let refreshed = app.refresh(reply["refresh_token"].as_str().unwrap()).await.json();
    let left = refreshed["authorization_details"].as_array().unwrap();
    assert_eq!((left.len(), &left[0]["grant_id"]), (1, &json!(all[1].id.to_string())), "{refreshed}");
});

on_both!(what_was_granted_before_is_not_asked_again, |world| {
    let scene = Scene::new(&world).await;
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    let request = app.request().with("authorization_details", &asked(&detail(&json!({ "assets": [did(1)] }))));
    // OpenID Connect Core §3.1.2.1: prompt=none shows no page.
    assert_eq!(browser.auth(&request.clone().with("prompt", "none")).await.query("error").as_deref(), Some("login_required"));
    let (interaction, page) = consent_page(&browser, &request, &scene.owner).await;
    let silent = request.clone().with("prompt", "none");
    assert_eq!(browser.auth(&silent).await.query("error").as_deref(), Some("consent_required"));
    let form = fields(&page);
    let back = send(&browser, &interaction, &form).await;
    assert!(back.query("code").is_some(), "{}", back.body);
    assert!(browser.auth(&silent).await.query("code").is_some(), "it is settled");
    assert_eq!(grants(&world, &scene).await.len(), 1);
    // More of the same is asked for; and once it has ended.
    let more = request.clone().with("authorization_details", &asked(&detail(&json!({ "assets": [did(1)], "optional_actions": [LIVE] }))));
    assert_eq!(browser.auth(&more.with("prompt", "none")).await.query("error").as_deref(), Some("consent_required"));
    let living = grants(&world, &scene).await;
    scene.ends(&living[0]).await;
    assert_eq!(browser.auth(&silent).await.query("error").as_deref(), Some("consent_required"));
    // The same answer once more makes no second grant.
    assert!(browser.post_form(&format!("{interaction}/consent"), &form).await.is_error_page(410), "the visit is over");
    assert_eq!(grants(&world, &scene).await.len(), 1);
});

// security.md 21: only who owns it at that moment grants, and only what the stored request holds.
on_both!(a_form_grants_nothing_beyond_the_request_and_the_ownership, |world| {
    let scene = Scene::new(&world).await;
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    let other = person(&world, &Wallet::new(5)).await;
    let request = app.request().with("authorization_details", &asked(&detail(&json!({ "assets": { "pick": { "max": 1 } } }))));
    let (interaction, page) = consent_page(&browser, &request, &scene.owner).await;
    let form = fields(&page);
    // Permissions that are not in the request are not looked at.
    let greedy = form.clone().with("asset.0.0", &format!("0 {}", did(1))).with(&format!("optional.0.{COMMAND}"), "yes");
    // An asset of somebody else's, one that there is not, a time that is not offered, more than may be picked.
    let year = (366 * DAY).to_string();
    for (name, value) in [
        ("asset.0.0", format!("0 {}", did(99))),
        ("asset.0.0", format!("1 {}", did(1))),
        ("span.0", year),
        ("asset.0.1", format!("0 {}", did(2))),
    ] {
        let answer = send(&browser, &interaction, &greedy.clone().with(name, &value)).await;
        assert_eq!(answer.status, 422, "{name}={value}: {}", answer.body);
    }
    // Transferred between the page and the answer.
    scene.passes_on(&did(1), other).await;
    let answer = send(&browser, &interaction, &greedy).await;
    assert_eq!(answer.status, 422, "{}", answer.body);
    assert!(answer.body.contains("no. 1 changed hands"), "{}", answer.body);
    assert!(grants(&world, &scene).await.is_empty());
    // Another person than the page named, in another browser or in this one.
    let stranger = Browser::new(&world);
    assert!(stranger.post_form(&format!("{interaction}/consent"), &greedy).await.is_error_page(403));
    let back = browser.post_form(&format!("{interaction}/consent"), &greedy.clone().with("account", "0x0")).await;
    assert_eq!((back.status, back.location()), (303, interaction.as_str()), "asked again");
    assert!(grants(&world, &scene).await.is_empty());
    let good = form.with("asset.0.0", &format!("0 {}", did(3))).with(&format!("optional.0.{COMMAND}"), "yes");
    let back = send(&browser, &interaction, &good).await;
    assert!(back.query("code").is_some(), "{}", back.body);
    let made = grants(&world, &scene).await;
    assert_eq!((made.len(), made[0].permissions.names()), (1, vec![SEE]));
});

// OpenID Connect Core §3.1.2.1, prompt=login: an answer is taken from whoever was asked, and nobody is before they have signed in again.
on_both!(nothing_is_granted_before_the_sign_in_that_is_asked_for, |world| {
    let scene = Scene::new(&world).await;
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    let request = app.request().with("authorization_details", &asked(&detail(&json!({ "assets": [did(1)] }))));
    let (_, page) = consent_page(&browser, &request, &scene.owner).await;
    let interaction = browser.begin(&request.with("prompt", "login")).await;
    let sign_in = browser.get(&interaction).await;
    assert!(sign_in.is_sign_in(), "{}", sign_in.body);
    let form = fields(&page).with("csrf", &sign_in.csrf());
    let answer = browser.post_form(&format!("{interaction}/consent"), &form).await;
    assert_eq!((answer.status, answer.location()), (303, interaction.as_str()), "{}", answer.body);
    assert!(grants(&world, &scene).await.is_empty());
    assert!(browser.get(&interaction).await.is_sign_in());
});

on_both!(who_says_no_after_all_takes_back_what_they_granted, |world| {
    let scene = Scene::new(&world).await;
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    let request = app.request().with("authorization_details", &asked(&detail(&json!({ "assets": [did(1)] }))));
    let (interaction, page) = consent_page(&browser, &request, &scene.owner).await;
    let form = fields(&page);
    assert_eq!(browser.post_form(&format!("{interaction}/consent"), &form).await.location(), interaction);
    assert_eq!(grants(&world, &scene).await.len(), 1);
    // The browser has not gone on yet; in another tab stands the page from before.
    let back = browser.post_form(&format!("{interaction}/consent"), &form.with("decision", "deny")).await;
    assert_eq!(back.query("error").as_deref(), Some("access_denied"));
    assert!(grants(&world, &scene).await.iter().all(|grant| grant.ended_at.is_some()));
});

on_both!(who_has_nothing_that_fits_is_told_so, |world| {
    let scene = Scene::new(&world).await;
    let app = App::public(&world, "app");
    let poor = Browser::new(&world);
    let pick = app.request().with("authorization_details", &asked(&detail(&json!({ "assets": { "pick": {} } }))));
    let (interaction, page) = consent_page(&poor, &pick, &Wallet::new(7)).await;
    assert!(page.body.contains("There is nothing here that belongs to you yet") && !page.body.contains("value=\"allow\""), "{}", page.body);
    // Whoever sends the answer all the same gets no code.
    let answer = send(&poor, &interaction, &fields(&page)).await;
    assert_eq!(answer.status, 422, "{}", answer.body);
    let back = poor.post_form(&format!("{interaction}/consent"), &fields(&page).with("decision", "deny")).await;
    assert_eq!(back.query("error").as_deref(), Some("access_denied"));
    let owner = Browser::new(&world);
    for (assets, words) in [
        (json!([did(1), did(99)]), "The app asks for what is not yours, or is not here: no. 99."),
        (json!({ "pick": { "min": 4 } }), "The app needs 4 that fit what it works with, and 3 of yours do."),
        (json!({ "pick": { "filter": { "make": ["Tesla"] } } }), "The app needs 1 that fit what it works with, and 0 of yours do."),
    ] {
        let request = app.request().with("authorization_details", &asked(&detail(&json!({ "assets": assets }))));
        let interaction = owner.begin(&request).await;
        if owner.get(&interaction).await.is_sign_in() {
            owner.sign_in(&interaction, &scene.owner).await;
        }
        let page = owner.get(&interaction).await;
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
});

on_one!(what_cannot_be_asked_for_is_refused_at_the_app, |world| {
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    world.client("limited", |client| client.metadata.permissions = Some(SEE.parse().unwrap())).await;
    let long = "x".repeat(301);
    for (id, details) in [
        ("app", "[".to_owned()),
        ("app", "{}".to_owned()),
        ("app", "[]".to_owned()),
        ("app", json!([{ "type": "payment" }]).to_string()),
        ("app", asked(&detail(&json!({ "assets": [did(1)], "colour": "red" })))),
        ("app", asked(&detail(&json!({ "assets": ["did:erc721:137:0x0:1"] })))),
        ("app", asked(&detail(&json!({ "assets": "some" })))),
        ("app", asked(&detail(&json!({ "assets": "all", "actions": ["privilege:Fly"] })))),
        ("app", asked(&detail(&json!({ "assets": "all", "purpose": long })))),
        ("app", asked(&detail(&json!({ "assets": "all", "expires_in": 0 })))),
        ("limited", asked(&detail(&json!({ "assets": "all", "optional_actions": [COMMAND] })))),
    ] {
        let request = App::public(&world, id).request().with("authorization_details", &details);
        let back = browser.auth(&request).await;
        assert_eq!(back.query("error").as_deref(), Some("invalid_authorization_details"), "{details}: {}", back.location());
        // RFC 9126 §2.3: the same at /par.
        let pushed = App::public(&world, id).post("/par", &request).await;
        assert_eq!(pushed.error(), (400, "invalid_authorization_details".into()), "{details}");
    }
    // RFC 9126: a request that was pushed asks the same.
    let request = app.request().with("authorization_details", &asked(&detail(&json!({ "assets": "all" }))));
    let pushed = app.post("/par", &request).await.json();
    let uri = pushed["request_uri"].as_str().unwrap();
    let interaction = browser.begin(&Form::of(&[("client_id", "app"), ("request_uri", uri)])).await;
    browser.sign_in(&interaction, &Wallet::new(1)).await;
    let page = browser.get(&interaction).await;
    assert!(page.body.contains("On everything that is yours here"), "{}", page.body);
    let back = send(&browser, &interaction, &fields(&page)).await;
    assert!(back.query("code").is_some(), "{}", back.body);
    let metadata = browser.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["authorization_details_types_supported"], json!(["asset_access"]));
});

on_both!(an_owner_sees_and_ends_what_they_granted, |world| {
    let scene = Scene::new(&world).await;
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    let request = app.request().with("authorization_details", &asked(&detail(&json!({ "assets": [did(1), did(2)] }))));
    let (interaction, page) = consent_page(&browser, &request, &scene.owner).await;
    let back = send(&browser, &interaction, &fields(&page)).await;
    let token = app.redeem(&back.query("code").unwrap()).await.json()["access_token"].as_str().unwrap().to_owned();
    let page = browser.get("/account/assets").await;
    assert!(page.status == 200 && page.body.contains("The app client") && page.body.contains("no. 3"), "{}", page.body);
    let made = grants(&world, &scene).await;
    // Only from our own page, and only their own.
    let (csrf, id) = (page.csrf(), made[0].id.to_string());
    assert!(browser.post("/account/grants/end", &[("csrf", "x"), ("grant", &id)]).await.is_error_page(403));
    let stranger = Browser::new(&world);
    let other = stranger.sign_in_to_account(&Wallet::new(6)).await;
    let answer = stranger.post("/account/grants/end", &[("csrf", &other.csrf()), ("grant", &id)]).await;
    assert_eq!(answer.status, 303);
    assert!(!stranger.get("/account/assets").await.body.contains("The app client"));
    assert!(grants(&world, &scene).await.iter().all(|grant| grant.ended_at.is_none()));
    let ended = made[0].asset.unwrap().to_string();
    assert_eq!(browser.post("/account/grants/end", &[("csrf", &csrf), ("grant", &id)]).await.location(), "/account/assets");
    let answer = scene.exchange(&token, &json!({ "asset": ended, "permissions": [SEE] })).await;
    assert_eq!((answer.status, &answer.json()["reason"]), (403, &json!("revoked")));
    let kept = made[1].asset.unwrap().to_string();
    assert_eq!(scene.exchange(&token, &json!({ "asset": kept, "permissions": [SEE] })).await.status, 200);
    assert!(browser.get("/account/assets").await.body.contains("ended on 1 January 2026"));
    // Who withdraws the app ends the rest with it.
    let account = browser.get("/account").await;
    browser.post("/account/apps/withdraw", &[("csrf", &account.csrf()), ("client_id", "app")]).await;
    assert!(grants(&world, &scene).await.iter().all(|grant| grant.ended_at.is_some()));
    assert_eq!(browser.request(reqwest::Method::GET, EXCHANGE).send().await.unwrap().status(), 405);
});

on_both!(a_claim_code_takes_an_asset_over_once, |world| {
    let (store, now) = (&world.state.store, world.clock.now());
    let (browser, second) = (Browser::new(&world), Browser::new(&world));
    let name: latchkey::domain::AssetDid = did(77).parse().unwrap();
    let code = Entropy::System.secret();
    let import = latchkey::store::AssetImport {
        did: name,
        owner: None,
        make: Some("Ford".to_owned()),
        model: Some("Bronco".to_owned()),
        year: Some(2022),
        powertrain: None,
        name: None,
        attributes: None,
        minted_at: None,
        claim: Some((code.hash(), now.plus(Duration::from_hours(1)))),
    };
    store.import_assets(vec![import], false, now).await.unwrap();
    browser.sign_in_to_account(&Wallet::new(1)).await;
    second.sign_in_to_account(&Wallet::new(2)).await;
    let csrf = browser.get("/account/assets").await.csrf();
    let wrong = browser.post("/account/assets/claim", &[("csrf", &csrf), ("code", "not a code")]).await;
    assert!(wrong.status == 400 && wrong.body.contains("This code is not known, was used already, or is too old."), "{}", wrong.body);
    assert!(browser.post("/account/assets/claim", &[("code", code.expose())]).await.is_error_page(403));
    let taken = browser.post("/account/assets/claim", &[("csrf", &csrf), ("code", code.expose())]).await;
    assert_eq!(taken.status, 303, "{}", taken.body);
    let page = browser.get(taken.location().split('#').next().unwrap()).await;
    assert!(page.body.contains("Ford Bronco 2022 is yours now."), "{}", page.body);
    let csrf = second.get("/account/assets").await.csrf();
    let late = second.post("/account/assets/claim", &[("csrf", &csrf), ("code", code.expose())]).await;
    assert!(late.status == 400 && !late.body.contains("Ford"), "{}", late.body);
    // Nor does the address tell a stranger what is whose.
    assert!(!second.get(taken.location().split('#').next().unwrap()).await.body.contains("Ford"));
});
