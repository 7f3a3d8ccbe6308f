//! What an authorization request may ask, and how it is refused: at the app, with `iss` and `state`, in the standards' words.

use crate::actors::{Answer, App, Browser, CHALLENGE, Form, Wallet};
use crate::world::{ISSUER, REDIRECT_URI};
use crate::{on_both, on_one};

/// Asserts that the app is told this error, and nothing else, in the way that every response goes.
fn assert_told(answer: &Answer, error: &str, form: &Form) {
    assert_eq!(answer.status, 303, "{form:?}: {}", answer.body);
    assert!(answer.location().starts_with(&format!("{REDIRECT_URI}?error=")), "{form:?}: {}", answer.location());
    let told = answer.redirect();
    assert_eq!(
        (told.get("error"), told.get("iss"), told.get("state"), told.get("code")),
        (error, ISSUER, form.get("state"), ""),
        "{form:?}: {}",
        answer.location()
    );
    let description = told.get("error_description");
    // RFC 6749 §4.1.2.1 on the characters of error_description.
    assert!(
        !description.is_empty() && description.chars().all(|c| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~')),
        "{form:?}: {description}"
    );
    assert_eq!(answer.header("cache-control"), "no-store");
}

on_both!(every_refusal_goes_to_the_app_in_the_standards_words, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let ask = || app.request();
    let cases = [
        (ask().without("response_type"), "invalid_request"),
        (ask().with("response_type", "token"), "unsupported_response_type"),
        (ask().with("response_type", "id_token"), "unsupported_response_type"),
        (ask().with("response_type", "code token"), "unsupported_response_type"),
        (ask().with("response_type", "code id_token"), "unsupported_response_type"),
        (ask().with("response_type", "code code"), "unsupported_response_type"),
        (ask().with("response_type", "none"), "unsupported_response_type"),
        (ask().with("response_mode", "fragment"), "invalid_request"),
        (ask().with("response_mode", "web_message"), "invalid_request"),
        (ask().without("scope"), "invalid_scope"),
        (ask().with("scope", "vehicles:everything"), "invalid_scope"),
        (ask().with("scope", "openid \"quoted\""), "invalid_scope"),
        (ask().with("prompt", "none login"), "invalid_request"),
        (ask().with("prompt", "sing"), "invalid_request"),
        (ask().with("max_age", "-1"), "invalid_request"),
        (ask().with("max_age", "1.5"), "invalid_request"),
        (ask().with("max_age", "99999999999999999999999"), "invalid_request"),
        (ask().with("request", "eyJhbGciOiJub25lIn0.e30."), "request_not_supported"),
        (ask().with("request_uri", "http://127.0.0.1:1/object"), "request_uri_not_supported"),
        (ask().with("request_uri", "urn:example:x"), "request_uri_not_supported"),
        (ask().with("registration", "{}"), "registration_not_supported"),
        (ask().with("nonce", &"n".repeat(1_001)), "invalid_request"),
    ];
    // The same for somebody unknown and for somebody who is signed in and has agreed.
    for signed_in in [false, true] {
        if signed_in {
            app.tokens(&browser, &wallet).await;
        }
        for (form, error) in &cases {
            assert_told(&browser.auth(form).await, error, form);
        }
    }
});

on_both!(every_doubled_parameter_is_refused, |world| {
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    for name in [
        "response_type",
        "scope",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "prompt",
        "max_age",
        "display",
        "ui_locales",
        "response_mode",
        "unheard_of",
    ] {
        let form = app.request().with(name, "code").and(name, "code");
        assert_told(&browser.auth(&form).await, "invalid_request", &form);
    }
    // Which of two is meant nobody knows, so neither is given back.
    let form = app.request().and("state", "another");
    let answer = browser.auth(&form).await;
    assert_eq!((answer.query("error").as_deref(), answer.query("state")), (Some("invalid_request"), None));
});

on_both!(a_public_client_must_use_pkce_with_s256, |world| {
    // A setting does not change it for an ordinary public client.
    world.client("lax", |client| client.pkce = latchkey::domain::Pkce::Optional).await;
    let browser = Browser::new(&world);
    for app in [App::public(&world, "app"), App::public(&world, "lax"), App::confidential(&world, "web")] {
        let bare = app.request().without("code_challenge").without("code_challenge_method");
        for form in [
            bare.clone(),
            bare.clone().with("code_challenge_method", "S256"),
            bare.clone().with("code_challenge", CHALLENGE),
            bare.clone().with("code_challenge", CHALLENGE).with("code_challenge_method", "plain"),
            bare.clone().with("code_challenge", CHALLENGE).with("code_challenge_method", "s256"),
            bare.clone().with("code_challenge", CHALLENGE).with("code_challenge_method", "S512"),
            bare.clone().with("code_challenge", &format!("{CHALLENGE}=")).with("code_challenge_method", "S256"),
            bare.clone().with("code_challenge", &CHALLENGE[1..]).with("code_challenge_method", "S256"),
            bare.clone().with("code_challenge", &CHALLENGE.replace('-', "+")).with("code_challenge_method", "S256"),
            bare.clone().with("code_challenge", "").with("code_challenge_method", ""),
        ] {
            assert_told(&browser.auth(&form).await, "invalid_request", &form);
        }
    }
});

on_both!(a_license_and_a_confidential_client_may_be_set_to_go_without_pkce, |world| {
    world
        .client("plainweb", |client| {
            client.auth_method = latchkey::domain::AuthMethod::ClientSecret;
            client.secret_hash = Some(latchkey::domain::TokenHash::of(crate::world::SECRET));
            client.pkce = latchkey::domain::Pkce::Optional;
        })
        .await;
    let license = world.license(Wallet::new(9).address).await;
    for app in [App::confidential(&world, "plainweb"), App::public(&world, license.id.as_str())] {
        let browser = Browser::new(&world);
        let request = app.request().without("code_challenge").without("code_challenge_method");
        let back = browser.authorize(&request, &Wallet::new(1)).await;
        let redemption = app.redemption(&back.query("code").unwrap()).without("code_verifier");
        assert_eq!(app.token(&redemption).await.status, 200);
        // `plain` is not a way around it.
        let plain = request.with("code_challenge", CHALLENGE).with("code_challenge_method", "plain");
        assert_told(&browser.auth(&plain).await, "invalid_request", &plain);
    }
});

on_both!(what_is_not_known_is_ignored, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let form = app
        .request()
        .with("unheard_of", "x")
        .with("ui_locales", "fr-CA xx")
        .with("claims_locales", "de")
        .with("display", "wap")
        .with("acr_values", "urn:gold")
        .with("login_hint", &"h".repeat(5_000));
    let form = form.with("scope", "openid email cats vehicles");
    let back = browser.authorize(&form, &wallet).await;
    let tokens = crate::actors::Tokens::read(&app.redeem(&back.query("code").unwrap()).await);
    // RFC 6749 §5.1: the scope is told, since it is not the one that was asked for.
    assert_eq!(tokens.reply["scope"], "email openid");
    // A parameter without a value counts as left out (RFC 6749 §3.1).
    let empty = app.request().with("scope", "openid").with("prompt", "").with("max_age", "").with("request", "").with("response_mode", "");
    assert!(browser.auth(&empty).await.location().contains("code="));
});

on_both!(every_success_names_its_issuer, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let first = browser.authorize(&app.request(), &wallet).await;
    let silent = browser.auth(&app.request().with("prompt", "none")).await;
    for answer in [first, silent] {
        let told = answer.redirect();
        assert_eq!(
            (told.get("iss"), told.get("state"), told.get("error"), told.get("code").len()),
            (ISSUER, "a state", "", 52),
            "{}",
            answer.location()
        );
    }
});

on_one!(a_form_post_page_carries_the_answer_and_no_script, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let state = "\"><script>alert(1)</script><input value='\u{2028}&amp;";
    let request = app.request().with("response_mode", "form_post").with("state", state);
    let good = browser.authorize(&request, &wallet).await;
    let bad = browser.auth(&request.with("response_type", "token")).await;
    for page in [&good, &bad] {
        assert_eq!((page.status, page.location(), page.header("cache-control")), (200, "", "no-store"), "{}", page.body);
        assert!(!page.body.contains("<script>alert") && !page.body.contains("<input value='"), "{}", page.body);
        assert!(page.body.contains("&#34;&#62;&#60;script&#62;alert(1)&#60;/script&#62;"), "{}", page.body);
        assert!(
            page.body.contains(&format!("action=\"{REDIRECT_URI}\"")) && page.body.contains(&format!("name=\"iss\" value=\"{ISSUER}\"")),
            "{}",
            page.body
        );
        let policy = page.header("content-security-policy");
        assert!(policy.ends_with("form-action 'self' https://app.example") && !policy.contains("unsafe"), "{policy}");
    }
    let code = good.body.split("name=\"code\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(app.redeem(code).await.status, 200);
    assert!(bad.body.contains("name=\"error\" value=\"unsupported_response_type\""), "{}", bad.body);
});

// A form from another site brings none of our cookies: it is kept, and a page of ours fetches it where they are there again.
on_both!(a_form_from_another_site_finds_the_session_again, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    app.tokens(&browser, &wallet).await;
    let kept = browser.post_cross_site("/auth", &app.request()).await;
    assert_eq!(kept.status, 303, "{}", kept.body);
    assert!(kept.location().starts_with("/auth?form=") && kept.set_cookies().is_empty(), "{}", kept.location());
    // Nothing of what was sent is in the address.
    assert!(!kept.location().contains("state"), "{}", kept.location());
    let back = browser.get(kept.location()).await;
    assert!(back.location().starts_with(&format!("{REDIRECT_URI}?code=")), "{}", back.location());
    assert_eq!(back.query("state").as_deref(), Some("a state"));

    // It is not kept for ever, nor for another page.
    assert!(browser.get(&kept.location().replace("/auth?", "/logout?")).await.is_error_page(400));
    world.clock.advance(std::time::Duration::from_secs(301));
    assert!(browser.get(kept.location()).await.is_error_page(400));
    assert!(browser.get("/auth?form=nonsense").await.is_error_page(400));
});

on_one!(a_posted_request_is_judged_like_any_other, |world| {
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    let post = async |form: &Form| {
        let kept = browser.post_cross_site("/auth", form).await;
        assert_eq!(kept.status, 303, "{}", kept.body);
        browser.get(kept.location()).await
    };
    assert!(post(&app.request().with("redirect_uri", "https://evil.example/")).await.is_error_page(400));
    let doubled = app.request().and("scope", "openid");
    assert_told(&post(&doubled).await, "invalid_request", &doubled);
    let refused = browser.send(browser.bare(reqwest::Method::POST, "/auth").header("content-type", "application/json").body("{}")).await;
    assert!(refused.is_error_page(400), "{} {}", refused.status, refused.body);
});
