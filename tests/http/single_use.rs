//! Values that work once, each of its own kind: none is ever taken for another (Keycloak CVE-2026-4282), and none is stored as it is.

use serde_json::json;

use crate::actors::{App, Browser, Form, Tokens, Wallet};
use crate::on_both;
use crate::world::{REDIRECT_URI, SECRET};

const PUSHED: &str = "urn:ietf:params:oauth:request_uri:";

struct Secrets {
    values: Vec<(&'static str, String)>,
    signature: String,
}

// One live value of each kind.
async fn one_of_each(app: &App<'_>, browser: &Browser<'_>, wallet: &Wallet) -> Secrets {
    let interaction = browser.begin(&app.request()).await;
    let asked = browser.ask(&interaction, wallet).await;
    let csrf = asked.csrf.clone();
    let code = browser.go_on(&interaction, wallet).await.query("code").unwrap();
    let kept = browser.post_cross_site("/auth", &app.request()).await.query("form");
    let kept = kept.unwrap_or_else(|| panic!("no form"));
    let generated = browser.post("/auth/web3/generate_challenge", &api_request(wallet)).await.json();
    let signature = wallet.sign(generated["challenge"].as_str().unwrap());
    let pushed = browser.post_form("/par", &app.request()).await.json();
    let pushed = pushed["request_uri"].as_str().unwrap().strip_prefix(PUSHED).unwrap().to_owned();
    let values = vec![
        ("pushed", pushed),
        ("code", code),
        ("form", kept),
        ("state", generated["state"].as_str().unwrap().to_owned()),
        ("session", browser.cookie("latchkey_session").unwrap()),
        ("browser", browser.cookie("latchkey_browser").unwrap()),
        ("csrf", csrf),
        ("challenge", asked.challenge),
        ("interaction", interaction.rsplit('/').next().unwrap().to_owned()),
    ];
    Secrets { values, signature }
}

fn by_name(secret: &str) -> Form {
    Form::of(&[("client_id", "app"), ("request_uri", &format!("{PUSHED}{secret}"))])
}

fn api_request(wallet: &Wallet) -> Vec<(&'static str, &'static str)> {
    let address: &'static str = Box::leak(wallet.address.to_string().into_boxed_str());
    vec![("client_id", "app"), ("domain", REDIRECT_URI), ("scope", "openid email"), ("response_type", "code"), ("address", address)]
}

on_both!(no_kind_of_single_use_value_passes_for_another, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let secrets = one_of_each(&app, &browser, &wallet).await;
    for (kind, value) in &secrets.values {
        let stranger = Browser::new(&world);
        if *kind != "code" {
            assert_eq!(app.redeem(value).await.error(), (400, "invalid_grant".into()), "{kind} as a code");
        }
        if *kind != "state" {
            let form = Form::of(&[
                ("client_id", "app"),
                ("domain", REDIRECT_URI),
                ("grant_type", "authorization_code"),
                ("state", value),
                ("signature", &secrets.signature),
            ]);
            assert_eq!(
                stranger.post_form("/auth/web3/submit_challenge", &form).await.json()["message"],
                "Requested resource does not exist.",
                "{kind} as a state"
            );
        }
        if *kind != "form" {
            assert!(stranger.get(&format!("/auth?form={value}")).await.is_error_page(400), "{kind} as a form");
        }
        if *kind != "pushed" {
            assert!(stranger.auth(&by_name(value)).await.is_error_page(400), "{kind} as a request_uri");
        }
        if *kind != "session" {
            stranger.set_cookie("latchkey_session", value);
            assert!(stranger.get("/account").await.location().starts_with("/interaction/"), "{kind} as a session");
        }
        if *kind != "interaction" {
            assert!([403, 404, 410].contains(&browser.get(&format!("/interaction/{value}")).await.status), "{kind} as a visit");
        }
        app.assert_refused(value, &format!("{kind} as a token")).await;
    }
    // And each is still good for what it is.
    let value = |kind: &str| secrets.values.iter().find(|(k, _)| *k == kind).unwrap().1.clone();
    let tokens = Tokens::read(&app.redeem(&value("code")).await);
    assert_eq!(app.redeem(&tokens.access).await.error(), (400, "invalid_grant".into()), "a token as a code");
    let form = Form::of(&[
        ("client_id", "app"),
        ("domain", REDIRECT_URI),
        ("grant_type", "authorization_code"),
        ("state", &value("state")),
        ("signature", &secrets.signature),
    ]);
    assert_eq!(browser.post_form("/auth/web3/submit_challenge", &form).await.status, 200);
    assert!(browser.get(&format!("/auth?form={}", value("form"))).await.query("code").is_some());
    assert!(browser.auth(&by_name(&value("pushed"))).await.query("code").is_some());
    assert_eq!(browser.get("/account").await.status, 200);
});

on_both!(a_thief_of_the_database_finds_no_secret_in_it, |world| {
    let (app, web, browser, wallet) = (App::public(&world, "app"), App::confidential(&world, "web"), Browser::new(&world), Wallet::new(1));
    let secrets = one_of_each(&app, &browser, &wallet).await;
    let spent = app.code(&browser, &wallet).await;
    let tokens = Tokens::read(&app.redeem(&spent).await);
    let theirs = web.tokens(&browser, &wallet).await;
    let dump = world.dump().await;
    for (kind, value) in secrets.values.iter().filter(|(kind, _)| !["challenge", "interaction"].contains(kind)) {
        assert!(!dump.contains(value.as_bytes()), "{kind} is stored as it is");
    }
    for (what, value) in [
        ("client secret", SECRET),
        ("spent code", &spent),
        ("access token", &tokens.access),
        ("ID token", &tokens.id),
        ("ID token", &theirs.id),
        ("signature", &secrets.signature),
    ] {
        assert!(!dump.contains(value.as_bytes()), "{what} is stored as it is");
    }
    // The search does find what is there.
    assert!(dump.contains(REDIRECT_URI.as_bytes()) && dump.contains(json!(wallet.address).as_str().unwrap().as_bytes()));
    // A private key is sealed: neither its DER form nor a JWK of it is readable.
    assert!(!dump.contains(b"\"d\"") && !dump.contains(b"PRIVATE KEY") && !dump.contains(&[0x30, 0x82, 0x04]), "a private key is readable");
});

// CVE-2025-64102 in another dress: whoever asks for challenges must not learn which wallets have accounts.
on_both!(asking_for_a_challenge_tells_nothing_of_accounts, |world| {
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    let (known, disabled, unknown) = (Wallet::new(1), Wallet::new(2), Wallet::new(3));
    app.tokens(&browser, &known).await;
    let theirs = Browser::new(&world);
    app.tokens(&theirs, &disabled).await;
    let now = world.clock.now();
    for account in world
        .state
        .store
        .accounts()
        .await
        .unwrap()
        .into_iter()
        .filter(|account| account.identities[0].subject == disabled.address.to_string())
    {
        assert!(world.state.store.set_account_disabled(account.id, Some(now), now).await.unwrap());
    }
    // The same words but for what is each challenge's own.
    let plain = |text: &str, wallet: &Wallet| {
        let lines = text.lines().filter(|line| !line.starts_with("Nonce: ") && !line.starts_with("Request ID: ")).collect::<Vec<_>>();
        lines.join("\n").replace(&wallet.address.to_string(), "ADDRESS")
    };
    let stranger = Browser::new(&world);
    let interaction = stranger.begin(&app.request()).await;
    let mut by_page = Vec::new();
    let mut by_api = Vec::new();
    for wallet in [&known, &disabled, &unknown] {
        by_page.push(plain(&stranger.ask(&interaction, wallet).await.message, wallet));
        let answer = stranger.post("/auth/web3/generate_challenge", &api_request(wallet)).await;
        assert_eq!(answer.status, 200);
        by_api.push(plain(answer.json()["challenge"].as_str().unwrap(), wallet));
    }
    by_page.dedup();
    by_api.dedup();
    assert_eq!((by_page.len(), by_api.len()), (1, 1));
});
