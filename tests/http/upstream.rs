//! People who prove who they are at a provider elsewhere: there and back, by each kind of provider, and what comes of it.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use latchkey::domain::{ClaimsProfile, InteractionId, TokenHash};
use latchkey::protocol::pkce::CodeVerifier;
use latchkey::store::Interaction;
use serde_json::{Value, json};

use crate::actors::{Answer, App, Browser, Form, Tokens, Wallet, basic, decode};
use crate::provider::{ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, Providers, come_back, refused, send};
use crate::site::Page;
use crate::with_providers;
use crate::world::{BEGINNING, ISSUER, World};

with_providers! {
    somebody_signs_in_at_a_provider
    what_an_app_asks_is_passed_on
    only_a_verified_address_counts
    apple_posts_its_answer_and_gets_a_new_secret_each_time
    github_says_by_its_api_who_it_is
    a_way_is_added_by_a_new_proof_alone
    a_providers_word_is_no_proof_of_a_moment_ago
    a_provider_that_does_not_answer_is_named
    changed_keys_are_found
}

fn form(body: &str) -> Form {
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    Form::of(&pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>())
}

// From a session to an app's tokens.
async fn tokens(browser: &Browser<'_>, app: &App<'_>, interaction: &str) -> Tokens {
    browser.decide(interaction, "allow").await;
    let back = browser.get(interaction).await;
    Tokens::read(&app.redeem(&back.query("code").unwrap_or_else(|| panic!("{} {}", back.status, back.body))).await)
}

async fn somebody_signs_in_at_a_provider(world: &World, there: &Providers) {
    world.client("compat", |client| client.claims_profile = ClaimsProfile::Compat).await;
    let (app, browser) = (App::public(world, "compat"), Browser::new(world));
    let interaction = browser.begin(&app.request()).await;
    let page = browser.get(&interaction).await;
    for name in ["The House", "The Annex", "Apple", "GitHub"] {
        assert!(page.body.contains(&format!("Continue with {name}</button>")), "{name}");
    }
    let sent = send(&browser, &interaction, "house").await;
    assert_eq!(sent.endpoint, there.site.url("/authorize"));
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", &format!("{ISSUER}/upstream/house/callback")),
        ("scope", "email openid profile"),
        ("code_challenge_method", "S256"),
        ("prompt", ""),
        ("max_age", ""),
        ("login_hint", ""),
    ] {
        assert_eq!(sent.query.get(name), value, "{name}");
    }
    there.gives("", &there.key.token(&there.ada("", &sent)));
    let back = come_back(&browser, &sent, &sent.good()).await;
    assert_eq!((back.status, back.location()), (303, interaction.as_str()), "{}", back.body);
    // The code was redeemed with the secret and the verifier of this very request.
    let posted = there.site.posted("/token").await;
    assert_eq!(posted[0].authorization, basic(CLIENT_ID, CLIENT_SECRET));
    let redeemed = form(&posted[0].body);
    assert_eq!((redeemed.get("grant_type"), redeemed.get("code")), ("authorization_code", "the-code"));
    assert_eq!(redeemed.get("redirect_uri"), format!("{ISSUER}/upstream/house/callback"));
    assert_eq!(redeemed.get("client_secret"), "");
    let verifier: CodeVerifier = redeemed.get("code_verifier").parse().unwrap();
    assert_eq!(verifier.challenge().to_string(), sent.query.get("code_challenge"));

    let first = tokens(&browser, &app, &interaction).await;
    let (access, id) = first.claims();
    assert_eq!((&id["provider_id"], &id["amr"]), (&json!("house"), &json!(["pwd", "otp"])));
    assert!(id.get("acr").is_none(), "what another server did is no level of ours");
    assert_eq!(access["sub"], id["sub"]);
    // In another browser it is the same person; at another provider the same subject is somebody else.
    let again = Browser::new(world);
    let interaction = again.begin(&app.request()).await;
    assert_eq!(there.sign_in(&again, &interaction, |_| {}).await.status, 303);
    let back = again.get(&interaction).await;
    assert_eq!(Tokens::read(&app.redeem(&back.query("code").unwrap()).await).claims().1["sub"], id["sub"]);
    let other = Browser::new(world);
    let interaction = other.begin(&app.request()).await;
    let sent = send(&other, &interaction, "annex").await;
    let mut claims = there.ada("/annex", &sent);
    claims["email_verified"] = json!(false);
    there.gives("/annex", &there.key.token(&claims));
    assert_eq!(come_back(&other, &sent, &sent.good()).await.status, 303);
    assert_ne!(tokens(&other, &app, &interaction).await.claims().1["sub"], id["sub"]);
    assert_eq!((there.site.asked("/.well-known/openid-configuration"), there.site.asked("/keys")), (1, 1), "known for an hour");
}

async fn what_an_app_asks_is_passed_on(world: &World, there: &Providers) {
    let app = App::public(world, "app");
    let sent = async |change: &[(&str, &str)], upstream| {
        let browser = Browser::new(world);
        let request = change.iter().fold(app.request(), |form, (name, value)| form.with(name, value));
        let interaction = browser.begin(&request).await;
        let sent = send(&browser, &interaction, upstream).await;
        ["prompt", "max_age", "login_hint"].map(|name| sent.query.get(name).to_owned())
    };
    assert_eq!(sent(&[("prompt", "login")], "house").await, ["login", "0", ""]);
    assert_eq!(sent(&[("max_age", "60")], "house").await, ["login", "0", ""]);
    assert_eq!(sent(&[("prompt", "login")], "git").await, ["select_account", "", ""]);
    assert_eq!(sent(&[("prompt", "login")], "apple").await, ["", "", ""]);
    assert_eq!(sent(&[("login_hint", "ada@example.com")], "house").await, ["", "", "ada@example.com"]);
    assert_eq!(sent(&[("login_hint", "ada@example.com")], "git").await, ["", "", ""]);
    let wallet = Wallet::new(1).address.to_string();
    assert_eq!(sent(&[("login_hint", &wallet)], "house").await, ["", "", ""], "a wallet is nothing to a provider");
    assert_eq!(there.site.asked("/token"), 0);
}

async fn only_a_verified_address_counts(world: &World, there: &Providers) {
    let owner = async |address: &str| {
        let accounts = world.state.store.accounts().await.unwrap();
        accounts
            .iter()
            .flat_map(|account| &account.identities)
            .filter(|identity| identity.email.as_ref().is_some_and(|email| email.as_str() == address))
            .count()
    };
    let sign_in = async |sub: &str, verified: Value| {
        let browser = Browser::new(world);
        let interaction = browser.get("/account").await.location().to_owned();
        let answer = there
            .sign_in(&browser, &interaction, |claims| {
                (claims["sub"], claims["email_verified"]) = (json!(sub), verified);
                claims["email"] = json!("shared@example.com");
            })
            .await;
        (browser, answer)
    };
    for (sub, verified) in [("one", json!(false)), ("two", json!("true"))] {
        assert_eq!(sign_in(sub, verified).await.1.status, 303);
    }
    assert_eq!(owner("shared@example.com").await, 0, "nobody vouches for it");
    assert_eq!(sign_in("three", json!(true)).await.1.status, 303);
    assert_eq!(owner("shared@example.com").await, 1);
    // Nobody comes into an account by an address, and nobody gets a second one by it.
    let (browser, answer) = sign_in("four", json!(true)).await;
    refused(&browser, &answer, 403, "You have an account here already", "the address of another account");
    // No address at all is none.
    let browser = Browser::new(world);
    let interaction = browser.get("/account").await.location().to_owned();
    let answer = there
        .sign_in(&browser, &interaction, |claims| {
            claims["sub"] = json!("five");
            claims.as_object_mut().unwrap().remove("email");
        })
        .await;
    assert_eq!(answer.status, 303, "{}", answer.body);
}

async fn apple_posts_its_answer_and_gets_a_new_secret_each_time(world: &World, there: &Providers) {
    world.client("compat", |client| client.claims_profile = ClaimsProfile::Compat).await;
    let (app, browser) = (App::public(world, "compat"), Browser::new(world));
    let interaction = browser.begin(&app.request()).await;
    let sent = send(&browser, &interaction, "apple").await;
    assert_eq!((sent.query.get("response_mode"), sent.query.get("scope")), ("form_post", "email name openid"));
    let mut claims = there.ada("/apple", &sent);
    (claims["email"], claims["email_verified"]) = (json!("relay@privaterelay.appleid.com"), json!("true"));
    there.gives("/apple", &there.key.token(&claims));
    let user = json!({ "name": { "firstName": "Ada", "lastName": "Lovelace" }, "email": "evil@example.com" }).to_string();
    let kept = browser.post_cross_site("/upstream/apple/callback", &sent.good().and("user", &user)).await;
    assert!(kept.status == 303 && kept.location().starts_with("/upstream/apple/callback?form="), "{} {}", kept.status, kept.location());
    assert!(there.site.asked("/apple/token") == 0 && kept.set_cookies().is_empty(), "nothing is done before the browser is known");
    // Who has the address of the form alone has nothing.
    assert!(Browser::new(world).get(kept.location()).await.is_error_page(403));
    let back = browser.get(kept.location()).await;
    assert_eq!((back.status, back.location()), (303, interaction.as_str()), "{}", back.body);
    assert_eq!(tokens(&browser, &app, &interaction).await.claims().1["provider_id"], "apple");

    let posted = there.site.posted("/apple/token").await;
    assert_eq!(posted[0].authorization, "");
    let secret = form(&posted[0].body).get("client_secret").to_owned();
    let (header, claims) = decode(&secret);
    assert_eq!(header, json!({ "alg": "ES256", "kid": "KEY1234567" }));
    assert_eq!(
        claims,
        json!({ "iss": "TEAM123456", "sub": CLIENT_ID, "aud": there.issuer("/apple"), "iat": BEGINNING, "exp": BEGINNING + 300 })
    );
    let (message, signature) = secret.rsplit_once('.').unwrap();
    let keys = latchkey::keys::ClientKeys::read(&json!({ "keys": [there.ours.jwk()] })).unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    assert_eq!(keys.verify(latchkey::domain::SigningAlg::Es256, None, message.as_bytes(), &signature), Ok(()));
    let label = &world.state.store.accounts().await.unwrap()[0].identities[0];
    assert_eq!(
        (label.label.as_str(), label.email.as_ref().unwrap().as_str()),
        ("relay@privaterelay.appleid.com", "relay@privaterelay.appleid.com")
    );
    // Others are not asked to post, so what is posted is not theirs.
    assert_eq!(browser.post_cross_site("/upstream/house/callback", &sent.good()).await.status, 404);
    assert_eq!(browser.post_cross_site("/upstream/nobody/callback", &sent.good()).await.status, 404);
}

async fn github_says_by_its_api_who_it_is(world: &World, there: &Providers) {
    let put = |path: &str, body: Value| there.site.put(path, Page::json(&body));
    put("/login/oauth/access_token", json!({ "access_token": ACCESS_TOKEN, "token_type": "bearer", "scope": "read:user,user:email" }));
    put("/api/v3/user", json!({ "id": 583_231, "login": "octocat", "name": "Octo", "email": "public@example.com" }));
    let addresses = |verified: bool| json!([{ "email": "other@example.com", "primary": false, "verified": true }, { "email": "Octo@Example.com", "primary": true, "verified": verified }]);
    put("/api/v3/user/emails", addresses(true));
    let sign_in = async || {
        let browser = Browser::new(world);
        let interaction = browser.get("/account").await.location().to_owned();
        let sent = send(&browser, &interaction, "git").await;
        assert_eq!(sent.endpoint, there.site.url("/login/oauth/authorize"));
        assert_eq!(
            (sent.query.get("scope"), sent.query.get("code_challenge_method"), sent.query.get("nonce")),
            ("read:user user:email", "S256", "")
        );
        let answer = come_back(&browser, &sent, &sent.good()).await;
        (browser, answer)
    };
    let (_, answer) = sign_in().await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let redeemed = form(&there.site.posted("/login/oauth/access_token").await[0].body);
    assert_eq!((redeemed.get("client_id"), redeemed.get("client_secret")), (CLIENT_ID, CLIENT_SECRET));
    let identity = async || {
        let accounts = world.state.store.accounts().await.unwrap();
        let all: Vec<_> = accounts.iter().flat_map(|account| &account.identities).collect();
        assert_eq!(all.len(), 1, "one person");
        (all[0].subject.clone(), all[0].label.clone(), all[0].email.as_ref().map(ToString::to_string))
    };
    assert_eq!(identity().await, ("583231".into(), "octo@example.com".into(), Some("octo@example.com".into())));
    // Renamed there, and the address not verified any more: it is the same person.
    put("/api/v3/user", json!({ "id": 583_231, "login": "octopus" }));
    put("/api/v3/user/emails", addresses(false));
    assert_eq!(sign_in().await.1.status, 303);
    assert_eq!(identity().await.0, "583231");
    there.site.put("/api/v3/user/emails", Page::json(&json!({ "message": "Not Found" })).status(404));
    assert_eq!(sign_in().await.1.status, 303);
    // A refusal comes with 200 there.
    put("/login/oauth/access_token", json!({ "error": "bad_verification_code" }));
    let (browser, answer) = sign_in().await;
    refused(&browser, &answer, 400, "The answer of GitHub could not be used", "a code that GitHub does not know");
    put("/login/oauth/access_token", json!({ "access_token": ACCESS_TOKEN, "token_type": "bearer" }));
    put("/api/v3/user", json!({ "login": "octocat" }));
    let (browser, answer) = sign_in().await;
    refused(&browser, &answer, 400, "The answer of GitHub could not be used", "nobody");
    there.site.put("/api/v3/user", Page::json(&json!({})).status(502));
    let (browser, answer) = sign_in().await;
    refused(&browser, &answer, 503, "GitHub does not answer", "GitHub is down");
}

// A visit of somebody who is signed in, to add a way; the path of its page.
async fn add_a_way(world: &World, browser: &Browser<'_>) -> String {
    let account = world.state.store.accounts().await.unwrap()[0].id;
    let id = InteractionId(world.state.entropy.uuid(world.clock.now()));
    let visit = Interaction {
        id,
        purpose: json!({ "link": account }),
        created_at: world.clock.now(),
        expires_at: world.clock.now().plus(Duration::from_hours(1)),
    };
    let cookie = TokenHash::of(&browser.cookie("latchkey_browser").unwrap());
    world.state.store.put_interaction(&visit, &cookie).await.unwrap();
    format!("/interaction/{id}")
}

async fn a_way_is_added_by_a_new_proof_alone(world: &World, there: &Providers) {
    let (browser, wallet) = (Browser::new(world), Wallet::new(1));
    browser.sign_in_to_account(&wallet).await;
    let visit = add_a_way(world, &browser).await;
    let sent = send(&browser, &visit, "house").await;
    assert_eq!((sent.query.get("prompt"), sent.query.get("max_age")), ("login", "0"));
    let mut claims = there.ada("", &sent);
    claims["auth_time"] = json!(BEGINNING - 3_600);
    there.gives("", &there.key.token(&claims));
    let answer = come_back(&browser, &sent, &sent.good()).await;
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("you have to sign in there once more"), "{}", answer.body);
    let sent = send(&browser, &visit, "house").await;
    let mut claims = there.ada("", &sent);
    claims["auth_time"] = json!(BEGINNING);
    there.gives("", &there.key.token(&claims));
    let answer = come_back(&browser, &sent, &sent.good()).await;
    assert_eq!((answer.status, answer.location()), (303, "/account?added=1#ways"), "{}", answer.body);
    let accounts = world.state.store.accounts().await.unwrap();
    assert_eq!((accounts.len(), accounts[0].identities.len()), (1, 2));
    assert!(browser.get("/account").await.body.contains("<strong>The House</strong>"));
    // The visit is over, and its answer works no second time.
    assert_eq!(come_back(&browser, &sent, &sent.good()).await.status, 410);
    // By the new way alone, in another browser, it is the same account.
    let other = Browser::new(world);
    let interaction = other.get("/account").await.location().to_owned();
    assert_eq!(there.sign_in(&other, &interaction, |_| {}).await.status, 303);
    assert_eq!(world.state.store.accounts().await.unwrap().len(), 1);
    // What is somebody's already is not added to another account.
    let second = Browser::new(world);
    second.sign_in_to_account(&Wallet::new(2)).await;
    let accounts = world.state.store.accounts().await.unwrap();
    assert_eq!(accounts.len(), 2);
}

async fn a_providers_word_is_no_proof_of_a_moment_ago(world: &World, there: &Providers) {
    let browser = Browser::new(world);
    let interaction = browser.get("/account").await.location().to_owned();
    assert_eq!(there.sign_in(&browser, &interaction, |_| {}).await.status, 303);
    browser.get(&interaction).await;
    // It may have known them from long before.
    let csrf = browser.get("/account").await.csrf();
    let visit = browser.post("/account/ways/add", &[("csrf", &csrf)]).await.location().to_owned();
    assert!(browser.get(&visit).await.body.contains("Is it you?"));
    let sent = send(&browser, &visit, "house").await;
    let mut claims = there.ada("", &sent);
    claims["auth_time"] = json!(BEGINNING);
    there.gives("", &there.key.token(&claims));
    assert_eq!(come_back(&browser, &sent, &sent.good()).await.location(), visit);
    assert!(browser.get(&visit).await.body.contains("Add a way to sign in"), "asked there anew, it is");
}

async fn a_provider_that_does_not_answer_is_named(world: &World, there: &Providers) {
    let browser = Browser::new(world);
    let interaction = browser.get("/account").await.location().to_owned();
    let document = "/.well-known/openid-configuration";
    there.site.put(document, Page::json(&json!({})).status(500));
    let press = async || {
        let page = browser.get(&interaction).await;
        browser.post_form(&format!("{interaction}/upstream/house"), &page.form("/upstream/house")).await
    };
    let down = |answer: &Answer, what: &str| {
        refused(&browser, answer, 503, "The House does not answer", what);
        assert_eq!(answer.header("retry-after"), "10", "{what}");
    };
    for _ in 0..3 {
        down(&press().await, "no discovery document");
    }
    assert_eq!(there.site.asked(document), 1, "it is not asked again for each who presses");
    for wrong in
        [json!({ "issuer": "https://evil.example" }), json!({ "authorization_endpoint": "http://evil.example/" }), json!({ "jwks_uri": 5 })]
    {
        there.describes_itself("", |document| document.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone()));
        world.clock.advance(Duration::from_secs(10));
        down(&press().await, &wrong.to_string());
    }
    there.describes_itself("", |_| {});
    world.clock.advance(Duration::from_secs(10));
    let sent = send(&browser, &interaction, "house").await;
    // On the way back.
    there.site.put("/token", Page::json(&json!({})).status(503));
    down(&come_back(&browser, &sent, &sent.good()).await, "no token endpoint");
    let sent = send(&browser, &interaction, "house").await;
    there.gives("", &there.key.token(&there.ada("", &sent)));
    there.site.put("/keys", Page::of("text/html", "<html>"));
    down(&come_back(&browser, &sent, &sent.good()).await, "no keys");
    there.publishes("", &[&there.key]);
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(there.sign_in(&browser, &interaction, |_| {}).await.status, 303);
}

async fn changed_keys_are_found(world: &World, there: &Providers) {
    let sign_in = async |key: &crate::provider::Key| {
        let browser = Browser::new(world);
        let interaction = browser.get("/account").await.location().to_owned();
        let sent = send(&browser, &interaction, "house").await;
        there.gives("", &key.token(&there.ada("", &sent)));
        come_back(&browser, &sent, &sent.good()).await.status
    };
    assert_eq!(sign_in(&there.key).await, 303);
    let newer = crate::provider::Key::new("k2");
    there.publishes("", &[&newer]);
    assert_eq!(sign_in(&newer).await, 400, "keys are fetched at most once a minute, whoever asks");
    assert_eq!(there.site.asked("/keys"), 1);
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(sign_in(&newer).await, 303);
    assert_eq!(there.site.asked("/keys"), 2);
    // The old one has gone.
    assert_eq!(sign_in(&there.key).await, 400);
}
