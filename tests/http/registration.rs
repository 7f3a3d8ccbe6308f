//! Apps that register themselves (RFC 7591): what they get, what is refused, and that no address inside is fetched for them.

use reqwest::Method;
use reqwest::header::ORIGIN;
use serde_json::{Value, json};

use crate::actors::{Answer, App, Browser, Form, Wallet, basic, decode};
use crate::site::{Page, Site, authority};
use crate::world::{FORM, REDIRECT_URI, World};
use crate::{on_both, on_one};

/// `POST /register`, with a bearer token where there is one.
pub(crate) async fn register(world: &World, metadata: &Value, token: Option<&str>) -> Answer {
    let browser = Browser::new(world);
    let request = browser.bare(Method::POST, "/register").header("content-type", "application/json").body(metadata.to_string());
    browser.send(if let Some(token) = token { request.bearer_auth(token) } else { request }).await
}

/// The registration of an app that must succeed.
pub(crate) async fn registered(world: &World, metadata: &Value) -> Value {
    let answer = register(world, metadata, None).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()
}

async fn discovery(world: &World) -> Value {
    Browser::new(world).get("/.well-known/openid-configuration").await.json()
}

on_one!(registration_is_off_until_it_is_wanted, |world| {
    let answer = register(&world, &json!({ "redirect_uris": [REDIRECT_URI] }), None).await;
    assert_eq!(answer.error(), (404, "not_found".into()));
    assert_eq!(discovery(&world).await.get("registration_endpoint"), None);
    let browser = Browser::new(&world);
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        assert_eq!(browser.send(browser.bare(method, "/register/app").bearer_auth("x")).await.status, 404);
    }
});

on_both!(an_app_registers_and_signs_people_in, [("REGISTRATION_ENABLED", "true")], |world| {
    assert_eq!(discovery(&world).await["registration_endpoint"], "http://localhost:8080/register");
    let wished = json!({
        "redirect_uris": [REDIRECT_URI, "https://app.example/other"],
        "client_name": "Self-made",
        "client_name#de": "Selbstgemacht",
        "contacts": ["ada@app.example"],
        "grant_types": ["authorization_code"],
        "id_token_signed_response_alg": "ES256",
        "policy_uri": "https://app.example/privacy",
        "default_max_age": 3600,
        "client_id": "chosen",
        "client_secret": "chosen-secret-that-nobody-may-choose-here",
        "unheard_of": [1],
    });
    let answer = register(&world, &wished, None).await;
    assert_eq!((answer.status, answer.header("cache-control")), (201, "no-store"), "{}", answer.body);
    let got = answer.json();
    for name in [
        "redirect_uris",
        "client_name",
        "client_name#de",
        "contacts",
        "grant_types",
        "id_token_signed_response_alg",
        "policy_uri",
        "default_max_age",
    ] {
        assert_eq!(got[name], wished[name], "{name}");
    }
    assert_eq!(got["client_secret_expires_at"], 0);
    assert_eq!(got["client_id_issued_at"], 1_767_225_600);
    assert_eq!(
        (&got["token_endpoint_auth_method"], &got["subject_type"], &got["response_types"]),
        (&json!("client_secret_basic"), &json!("public"), &json!(["code"]))
    );
    assert_eq!(got.get("unheard_of"), None);
    let (id, secret, token) =
        (got["client_id"].as_str().unwrap(), got["client_secret"].as_str().unwrap(), got["registration_access_token"].as_str().unwrap());
    assert_eq!(got["registration_client_uri"], format!("http://localhost:8080/register/{id}"));
    assert!(id.parse::<uuid::Uuid>().is_ok() && secret.len() == 43 && token.len() == 43 && secret != token, "{got}");

    // Without PKCE, because it has a secret.
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    let app = App::public(&world, id);
    let request = app.request().without("code_challenge").without("code_challenge_method");
    let interaction = browser.begin(&request).await;
    assert_eq!(browser.sign_in(&interaction, &wallet).await.status, 200);
    let page = browser.get(&interaction).await;
    assert!(
        page.is_consent() && page.body.contains("This app registered itself") && page.body.contains("href=\"https://app.example/privacy\""),
        "{}",
        page.body
    );
    let back = browser.go_on(&interaction, &wallet).await;
    let code = back.query("code").unwrap_or_else(|| panic!("{} {}", back.location(), back.body));
    let redemption = app.redemption(&code).without("code_verifier").encode();
    let redeem = |secret: &str| {
        browser
            .bare(Method::POST, "/token")
            .header("authorization", basic(id, secret))
            .header("content-type", FORM)
            .body(redemption.clone())
    };
    assert_eq!(browser.send(redeem("wrong")).await.error(), (401, "invalid_client".into()));
    let tokens = browser.send(redeem(secret)).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    assert_eq!(decode(tokens.json()["id_token"].as_str().unwrap()).0["alg"], "ES256");

    let dump = world.dump().await;
    assert!(dump.contains(id.as_bytes()) && !dump.contains(secret.as_bytes()) && !dump.contains(token.as_bytes()));
});

on_one!(a_public_app_that_registered_must_use_pkce, [("REGISTRATION_ENABLED", "true")], |world| {
    let got = registered(&world, &json!({ "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none" })).await;
    assert_eq!((got.get("client_secret"), got.get("client_secret_expires_at")), (None, None));
    let (app, browser) = (App::public(&world, got["client_id"].as_str().unwrap()), Browser::new(&world));
    let refused = browser.auth(&app.request().without("code_challenge").without("code_challenge_method")).await;
    assert_eq!(refused.query("error").as_deref(), Some("invalid_request"));
    app.tokens(&browser, &Wallet::new(1)).await;
});

on_one!(
    an_initial_access_token_is_wanted_where_there_is_one,
    [("REGISTRATION_ENABLED", "true"), ("REGISTRATION_INITIAL_ACCESS_TOKEN", "an-initial-access-token-of-the-operator")],
    |world| {
        let wished = json!({ "redirect_uris": [REDIRECT_URI] });
        let none = register(&world, &wished, None).await;
        assert_eq!((none.error(), none.header("www-authenticate")), ((401, "invalid_token".into()), "Bearer"));
        let wrong = register(&world, &wished, Some("an-initial-access-token-of-the-operatoR")).await;
        assert_eq!((wrong.error(), wrong.header("www-authenticate")), ((401, "invalid_token".into()), "Bearer error=\"invalid_token\""));
        assert_eq!(register(&world, &wished, Some("an-initial-access-token-of-the-operator")).await.status, 201);
    }
);

on_one!(what_cannot_be_registered_is_named, [("REGISTRATION_ENABLED", "true"), ("LIMITS_REGISTRATIONS_PER_MINUTE", "1000")], |world| {
    for (wished, error, member) in [
        (json!({}), "invalid_redirect_uri", "redirect_uris"),
        (json!({ "redirect_uris": ["https://app.example/.*"] }), "invalid_redirect_uri", "redirect_uris[0]"),
        (json!({ "redirect_uris": ["javascript:alert(1)"] }), "invalid_redirect_uri", "redirect_uris[0]"),
        (json!({ "redirect_uris": ["http://app.example/cb"] }), "invalid_redirect_uri", "redirect_uris[0]"),
        (json!({ "redirect_uris": ["https://app.example/cb#"] }), "invalid_redirect_uri", "redirect_uris[0]"),
        (json!({ "redirect_uris": [REDIRECT_URI], "response_types": ["code", "token"] }), "invalid_client_metadata", "response_types"),
        (
            json!({ "redirect_uris": [REDIRECT_URI], "id_token_signed_response_alg": "none" }),
            "invalid_client_metadata",
            "id_token_signed_response_alg",
        ),
        (json!({ "redirect_uris": [REDIRECT_URI], "software_statement": "x" }), "unapproved_software_statement", "software_statement"),
        (json!([]), "invalid_client_metadata", "the metadata"),
    ] {
        let answer = register(&world, &wished, None).await;
        assert_eq!(answer.error(), (400, error.into()), "{wished}: {}", answer.body);
        assert!(answer.json()["error_description"].as_str().unwrap().starts_with(member), "{wished}: {}", answer.body);
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let browser = Browser::new(&world);
    let send =
        |content_type: &'static str, body: String| browser.bare(Method::POST, "/register").header("content-type", content_type).body(body);
    for (content_type, body) in [
        ("text/plain", json!({ "redirect_uris": [REDIRECT_URI] }).to_string()),
        ("application/json", format!("{{\"a\":{}", "[".repeat(60_000))),
        ("application/json", format!("{{\"redirect_uris\":[\"{REDIRECT_URI}\"],\"redirect_uris\":[\"https://evil.example/\"]}}")),
    ] {
        assert_eq!(browser.send(send(content_type, body)).await.error(), (400, "invalid_client_metadata".into()));
    }
    assert_eq!(browser.send(send("application/json", "x".repeat(70_000))).await.status, 400);
    // A redirect URI is what was registered, and nothing that merely looks like it.
    let id =
        registered(&world, &json!({ "redirect_uris": ["https://app.example/call.ack"] })).await["client_id"].as_str().unwrap().to_owned();
    for other in ["https://app.example/callback", "https://evil.example/cb", "https://app.example/call.ack/x"] {
        let form = App::public(&world, &id).request().with("redirect_uri", other);
        assert!(browser.auth(&form).await.is_error_page(400), "{other}");
    }
});

on_one!(registrations_are_limited, [("REGISTRATION_ENABLED", "true"), ("LIMITS_REGISTRATIONS_PER_MINUTE", "2")], |world| {
    let wished = json!({ "redirect_uris": [REDIRECT_URI] });
    for status in [201, 201, 429] {
        let answer = register(&world, &wished, None).await;
        assert_eq!((answer.status, answer.header("retry-after").is_empty()), (status, status == 201));
    }
});

on_one!(scripts_of_other_origins_may_register, [("REGISTRATION_ENABLED", "true")], |world| {
    let browser = Browser::new(&world);
    for (path, method) in [("/register", "POST"), ("/register/x", "GET"), ("/register/x", "PUT"), ("/register/x", "DELETE")] {
        let preflight = browser
            .bare(Method::OPTIONS, path)
            .header(ORIGIN, "https://spa.example")
            .header("access-control-request-method", method)
            .header("access-control-request-headers", "authorization,content-type");
        let answer = browser.send(preflight).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, "*"), "{method} {path}");
        assert!(answer.header("access-control-allow-methods").contains(method), "{method} {path}");
    }
});

on_one!(
    a_sector_vouches_for_every_redirect_uri,
    [("REGISTRATION_ENABLED", "true"), ("EGRESS_EXTRA_CA_FILE", authority()), ("EGRESS_ALLOW_PRIVATE_NETWORKS", "true")],
    |world| {
        let site = Site::open();
        let uris = json!(["https://a.example/cb", "https://b.example/cb"]);
        let wished = json!({ "redirect_uris": uris, "subject_type": "pairwise", "sector_identifier_uri": site.url("/sector") });
        for (page, why) in [
            (Page::of("text/plain", ""), "no JSON array"),
            (Page::json(&json!(["https://a.example/cb"])), "lacks redirect_uris[1]"),
            (Page::json(&uris).status(500), "500"),
            (Page::json(&json!(vec!["x".repeat(20); 9_000])), "longer than"),
        ] {
            site.put("/sector", page);
            let answer = register(&world, &wished, None).await;
            assert_eq!(answer.error(), (400, "invalid_client_metadata".into()), "{why}");
            assert!(answer.body.contains("sector_identifier_uri") && answer.body.contains(why), "{why}: {}", answer.body);
        }
        site.put("/sector", Page::json(&json!(["https://b.example/cb", "https://a.example/cb"])));
        let got = registered(&world, &wished).await;
        assert_eq!((&got["subject_type"], &got["sector_identifier_uri"]), (&json!("pairwise"), &wished["sector_identifier_uri"]));
        let stored = world.state.store.client(&got["client_id"].as_str().unwrap().parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(stored.sector.as_deref(), Some("localhost"));
        let several = json!({ "redirect_uris": uris, "subject_type": "pairwise" });
        assert!(register(&world, &several, None).await.body.contains("needs sector_identifier_uri"));
    }
);

on_one!(
    no_address_inside_is_fetched_for_an_app,
    [("REGISTRATION_ENABLED", "true"), ("EGRESS_EXTRA_CA_FILE", authority()), ("LIMITS_REGISTRATIONS_PER_MINUTE", "1000")],
    |world| {
        let site = Site::open();
        site.put("/x", Page::json(&json!([REDIRECT_URI])));
        let inside = [
            site.url("/x"),
            site.url("/x").replace("localhost", "127.0.0.1"),
            site.url("/x").replace("localhost", "[::1]"),
            site.url("/x").replace("localhost", "2130706433"),
            "https://169.254.169.254/latest/meta-data/".to_owned(),
            "https://10.0.0.1/".to_owned(),
            "http://localhost/".to_owned(),
        ];
        for name in ["logo_uri", "sector_identifier_uri", "jwks_uri", "backchannel_logout_uri"] {
            for address in &inside {
                let answer = register(&world, &json!({ "redirect_uris": [REDIRECT_URI], name: address }), None).await;
                assert_eq!(answer.error(), (400, "invalid_client_metadata".into()), "{name} {address}: {}", answer.body);
                assert!(answer.json()["error_description"].as_str().unwrap().starts_with(name), "{name} {address}: {}", answer.body);
            }
        }
        assert_eq!(site.asked("/x"), 0);
    }
);

on_one!(a_sign_in_may_be_begun_elsewhere, [("REGISTRATION_ENABLED", "true")], |world| {
    let got = registered(
        &world,
        &json!({
            "redirect_uris": [REDIRECT_URI],
            "client_name": "Garage",
            "token_endpoint_auth_method": "none",
            "initiate_login_uri": "https://app.example/login?from=op",
        }),
    )
    .await;
    assert_eq!(got["initiate_login_uri"], "https://app.example/login?from=op");
    let (app, browser, wallet) = (App::public(&world, got["client_id"].as_str().unwrap()), Browser::new(&world), Wallet::new(1));
    app.tokens(&browser, &wallet).await;
    // The account page leads to the app, and says who sends the person.
    let account = browser.get("/account").await.body;
    let link =
        account.split("<a href=\"").find(|part| part.starts_with("https://app.example/login")).unwrap_or_else(|| panic!("{account}"));
    assert!(link.contains("rel=\"noopener noreferrer\">Open Garage</a>"), "{link}");
    let link = url::Url::parse(&link.split('"').next().unwrap().replace("&#38;", "&")).unwrap();
    let asked: Vec<(String, String)> = link.query_pairs().into_owned().collect();
    assert_eq!(asked, [("from".to_owned(), "op".to_owned()), ("iss".to_owned(), "http://localhost:8080".to_owned())]);
    // The app, told `iss` and `login_hint`, begins a sign-in as ever (OpenID Connect Core §4).
    let hint = Wallet::new(2).address.to_string();
    let (stranger, started): (Browser<'_>, Form) = (Browser::new(&world), app.request().with("login_hint", &hint));
    let interaction = stranger.begin(&started).await;
    let page = stranger.get(&interaction).await;
    assert!(page.is_sign_in() && page.body.contains(&format!("data-login-hint=\"{hint}\"")), "{}", page.body);
    assert!(stranger.go_on(&interaction, &Wallet::new(2)).await.query("code").is_some());
});

on_both!(an_app_that_nobody_ever_used_goes, [("REGISTRATION_ENABLED", "true"), ("REGISTRATION_UNUSED_LIFETIME", "10d")], |world| {
    let wished = json!({ "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none" });
    let (used, unused) = (registered(&world, &wished).await, registered(&world, &wished).await);
    let id = |got: &Value| got["client_id"].as_str().unwrap().to_owned();
    let (app, browser, wallet) = (App::public(&world, &id(&used)), Browser::new(&world), Wallet::new(1));
    app.tokens(&browser, &wallet).await;
    let sweep = async || world.state.store.sweep(world.clock.now()).await.unwrap().clients;
    world.clock.advance(std::time::Duration::from_hours(24 * 10) - std::time::Duration::from_secs(1));
    assert_eq!(sweep().await, 0);
    world.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(sweep().await, 1);
    assert!(world.state.store.client(&id(&unused).parse().unwrap()).await.unwrap().is_none());
    assert!(browser.authorize(&app.request(), &wallet).await.query("code").is_some());
});
