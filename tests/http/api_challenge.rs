//! Wallet sign-in without a browser: `/auth/web3/generate_challenge` and `/auth/web3/submit_challenge`, as existing clients speak to them.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};

use crate::actors::{Answer, App, Browser, CHALLENGE, Form, Signer, Tokens, VERIFIER, Wallet, basic};
use crate::world::{BEGINNING, FORM, ISSUER, REDIRECT_URI, SECRET};
use crate::{on_both, on_one};

pub(crate) const GENERATE: &str = "/auth/web3/generate_challenge";
pub(crate) const SUBMIT: &str = "/auth/web3/submit_challenge";

/// What asks for a challenge for `address` at `client`.
pub(crate) fn ask(client: &str, address: &str) -> Form {
    Form::of(&[("client_id", client), ("domain", REDIRECT_URI), ("scope", "openid email"), ("response_type", "code"), ("address", address)])
}

/// What answers it.
pub(crate) fn answer(client: &str, state: &str, signature: &str) -> Form {
    Form::of(&[
        ("client_id", client),
        ("domain", REDIRECT_URI),
        ("grant_type", "authorization_code"),
        ("state", state),
        ("signature", signature),
    ])
}

/// The state and the message of a challenge.
pub(crate) async fn generated(browser: &Browser<'_>, form: &Form) -> (String, String) {
    let answer = browser.post_form(GENERATE, form).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let text = |name: &str| answer.json()[name].as_str().unwrap().to_owned();
    (text("state"), text("challenge"))
}

/// Asserts that this is an error with the five keys that clients read, and this message where it is one of those to be kept.
pub(crate) fn assert_wire_error(answer: &Answer, status: u16, error: &str, message: Option<&str>) {
    let body = answer.json();
    let said = body["message"].as_str().unwrap_or_default();
    assert!(!said.is_empty(), "{body}");
    assert_eq!(body, json!({ "error": error, "error_description": said, "status": status, "code": status, "message": said }), "{body}");
    assert_eq!((answer.status, answer.header("content-type"), answer.header("cache-control")), (status, "application/json", "no-store"));
    if let Some(message) = message {
        assert_eq!(said, message);
    }
}

on_both!(a_persons_wallet_signs_in_without_a_browser, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let form = ask("app", &wallet.address.to_string()).with("nonce", "n-1").with("state", "ignored");
    // Parameters from the query with an empty body, or from a form.
    let by_query = browser.send(browser.bare(Method::POST, &format!("{GENERATE}?{}", form.encode()))).await;
    assert_eq!(by_query.status, 200, "{}", by_query.body);
    assert_eq!(by_query.json().as_object().unwrap().keys().collect::<Vec<_>>(), ["challenge", "state"]);
    let typed = browser
        .send(browser.bare(Method::POST, &format!("{GENERATE}?{}", form.encode())).header("content-type", "application/json").body(""))
        .await;
    assert_eq!(typed.status, 200, "an empty body of whatever type: {}", typed.body);
    let (state, message) = generated(&browser, &form).await;
    let nonce = message.lines().nth(8).unwrap().strip_prefix("Nonce: ").unwrap();
    let request_id = message.lines().last().unwrap().strip_prefix("Request ID: ").unwrap();
    assert_eq!(
        message,
        format!(
            "localhost:8080 wants you to sign in with your Ethereum account:\n{}\n\nSign in to The app client. It will be able to: Know that it is you; See your wallet address and email. You will go back to app.example.\n\nURI: {ISSUER}\nVersion: 1\nChain ID: 137\n\
             Nonce: {nonce}\nIssued At: 2026-01-01T00:00:00Z\nExpiration Time: 2026-01-01T00:10:00Z\nRequest ID: {request_id}",
            wallet.address
        )
    );
    assert!(nonce.len() == 32 && nonce.bytes().all(|b| b.is_ascii_alphanumeric()));

    let reply = browser
        .send(
            browser
                .bare(Method::POST, SUBMIT)
                .header("content-type", "application/x-www-form-urlencoded; charset=UTF-8")
                .body(answer("app", &state, &wallet.sign(&message)).encode()),
        )
        .await;
    assert_eq!((reply.header("cache-control"), reply.header("content-type")), ("no-store", "application/json"));
    let tokens = Tokens::read(&reply);
    assert_eq!((&tokens.reply["token_type"], &tokens.reply["expires_in"]), (&json!("Bearer"), &json!(3_600)));
    let (access, id) = tokens.claims();
    assert_eq!((&id["nonce"], &id["aud"], &id["sub"], &id["auth_time"]), (&json!("n-1"), &json!("app"), &access["sub"], &json!(BEGINNING)));
    assert_eq!(app.userinfo(&tokens.access).await.json()["ethereum_address"], json!(wallet.address));
    // The same person as in a browser.
    let there = app.tokens(&browser, &wallet).await;
    assert_eq!(there.claims().1["sub"], id["sub"]);
    // Withdrawn like any other.
    let account = world.state.store.accounts().await.unwrap().remove(0).id;
    world.state.store.withdraw_consent(account, &"app".parse().unwrap(), world.clock.now()).await.unwrap();
    app.assert_refused(&tokens.access, "the app was withdrawn").await;
});

// A person whom the app knows: the challenge itself is the record of the tokens, which hold and end as any others do.
on_both!(a_repeated_sign_in_gives_tokens_that_end_like_any_other, |world| {
    let (web, browser, wallet) = (App::confidential(&world, "web"), Browser::new(&world), Wallet::new(1));
    let sign_in = async |scope: &str| {
        let (state, message) = generated(&browser, &ask("web", &wallet.address.to_string()).with("scope", scope)).await;
        let answer = answer("web", &state, &wallet.sign(&message)).with("client_secret", SECRET);
        Tokens::read(&browser.post_form(SUBMIT, &answer).await)
    };
    let record = |tokens: &Tokens| tokens.claims().0["jti"].as_str().unwrap()[..2].to_owned();
    let first = sign_in("openid email").await;
    assert_eq!(record(&first), "c_", "the first one stores a consent, and a code that is redeemed already");
    let again = sign_in("openid email").await;
    assert_eq!((record(&again), record(&sign_in("openid").await)), ("w_".to_owned(), "w_".to_owned()));
    assert_eq!(record(&sign_in("openid email profile").await), "c_", "more than before is agreed to first");
    assert_eq!(record(&sign_in("openid profile").await), "w_");
    // But for the record's name, the tokens are the same.
    let plain = |tokens: &Tokens| {
        let (mut access, mut id) = tokens.claims();
        for claims in [&mut access, &mut id] {
            claims.as_object_mut().unwrap().retain(|name, _| !["jti", "at_hash"].contains(&name.as_str()));
        }
        (access, id)
    };
    assert_eq!(plain(&again), plain(&first));
    assert_eq!(web.userinfo(&again.access).await.json(), web.userinfo(&first.access).await.json());
    let told = web.introspect(&again.access).await.json();
    assert_eq!((&told["active"], &told["scope"], &told["jti"]), (&json!(true), &json!("email openid"), &again.claims().0["jti"]));
    let last_used = async || world.state.store.accounts().await.unwrap().remove(0).identities[0].last_used_at;
    assert_eq!(last_used().await.seconds(), BEGINNING);

    let dead = async |token: &str, why: &str| {
        web.assert_refused(token, why).await;
        assert_eq!(web.introspect(token).await.body, r#"{"active":false}"#, "{why}");
    };
    world.client("thief", |_| {}).await;
    App::public(&world, "thief").revoke(&again.access).await;
    assert_eq!(web.userinfo(&again.access).await.status, 200, "another app revokes nothing");
    assert_eq!(web.revoke(&again.access).await.status, 200);
    dead(&again.access, "it was revoked").await;
    assert_eq!(web.userinfo(&first.access).await.status, 200, "that one alone");

    let (store, account, id) = (&world.state.store, world.state.store.accounts().await.unwrap().remove(0).id, "web".parse().unwrap());
    let step = || {
        world.clock.advance(Duration::from_secs(1));
        world.clock.now()
    };
    step();
    let token = sign_in("openid email").await.access;
    store.set_account_disabled(account, Some(world.clock.now()), world.clock.now()).await.unwrap();
    dead(&token, "its account is disabled").await;
    store.set_account_disabled(account, None, world.clock.now()).await.unwrap();
    dead(&token, "it is of the time before the account was disabled").await;
    step();
    let token = sign_in("openid email").await.access;
    store.set_client_disabled(&id, Some(world.clock.now()), world.clock.now()).await.unwrap();
    web.assert_refused(&token, "its client is disabled").await;
    store.set_client_disabled(&id, None, world.clock.now()).await.unwrap();
    world.forget_clients(&["web"]).await;
    dead(&token, "it is of the time before the client was disabled").await;
    step();
    let token = sign_in("openid email").await.access;
    store.withdraw_consent(account, &id, step()).await.unwrap();
    dead(&token, "the app was withdrawn").await;
    step();
    assert_eq!(record(&sign_in("openid email").await), "c_", "it is agreed to anew");
    dead(&token, "a new consent does not revive it").await;
    step();
    let token = sign_in("openid email").await.access;
    world.clock.advance(Duration::from_secs(3_599));
    store.sweep(world.clock.now()).await.unwrap();
    assert_eq!(web.userinfo(&token).await.status, 200, "the sweeper leaves it as long as it lives");
    world.clock.advance(Duration::from_secs(1));
    dead(&token, "its time is over").await;
    assert!(store.sweep(world.clock.now()).await.unwrap().api_challenges > 0);
});

on_both!(what_is_disabled_has_no_tokens_of_a_repeated_sign_in, |world| {
    world.client("other", |_| {}).await;
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    let sign_in = async |client: &str| {
        let (state, message) = generated(&browser, &ask(client, &wallet.address.to_string())).await;
        Tokens::read(&browser.post_form(SUBMIT, &answer(client, &state, &wallet.sign(&message))).await)
    };
    sign_in("app").await;
    sign_in("other").await;
    let (of_app, of_other) = (sign_in("app").await, sign_in("other").await);
    assert!([&of_app, &of_other].iter().all(|tokens| tokens.claims().0["jti"].as_str().unwrap().starts_with("w_")));
    let (app, now, store) = (App::public(&world, "app"), world.clock.now(), &world.state.store);
    store.set_client_disabled(&"other".parse().unwrap(), Some(now), now).await.unwrap();
    app.assert_refused(&of_other.access, "its client is disabled").await;
    store.set_account_disabled(store.accounts().await.unwrap().remove(0).id, Some(now), now).await.unwrap();
    app.assert_refused(&of_app.access, "its account is disabled").await;
});

// The record is written before the signature is looked at, so a wrong signature must end in nothing that names it.
on_both!(a_wrong_signature_of_a_known_wallet_gives_nothing, |world| {
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    let form = ask("app", &wallet.address.to_string());
    let (state, message) = generated(&browser, &form).await;
    Tokens::read(&browser.post_form(SUBMIT, &answer("app", &state, &wallet.sign(&message))).await);
    let wrong: [Signer; 3] = [Wallet::sign_for_another, Wallet::sign_high_s, |_, message| Wallet::new(2).sign(message)];
    for sign in wrong {
        let (state, message) = generated(&browser, &form).await;
        for (signature, said) in
            [(sign(&wallet, &message), "Could not verify signature."), (wallet.sign(&message), "Requested resource does not exist.")]
        {
            let refused = browser.post_form(SUBMIT, &answer("app", &state, &signature)).await;
            assert_wire_error(&refused, 400, "invalid_grant", Some(said));
        }
    }
});

on_both!(the_redirect_uri_may_be_called_domain_and_be_in_the_query, |world| {
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    let form = ask("app", &wallet.address.to_string());
    let (state, message) = generated(&browser, &form.without("domain").with("redirect_uri", REDIRECT_URI)).await;
    let signed = answer("app", &state, &wallet.sign(&message)).without("domain");
    let query = Form::of(&[("domain", REDIRECT_URI)]).encode();
    let reply =
        browser.send(browser.bare(Method::POST, &format!("{SUBMIT}?{query}")).header("content-type", FORM).body(signed.encode())).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let (state, message) = generated(&browser, &ask("app", &wallet.address.to_string().to_lowercase())).await;
    assert!(message.contains(&wallet.address.to_string()), "checksummed, however it was sent");
    let everything = answer("app", &state, &wallet.sign_compact(&message)).without("domain").with("redirect_uri", REDIRECT_URI).encode();
    assert_eq!(browser.send(browser.bare(Method::POST, &format!("{SUBMIT}?{everything}"))).await.status, 200, "all in the query");
});

on_both!(a_request_for_a_challenge_is_refused_in_five_keys, |world| {
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    let good = ask("app", &wallet.address.to_string());
    for address in [
        "",
        "0x1",
        "x",
        "0xZZ345678901234567890123456789012345678ZZ",
        &wallet.address.to_string()[..41],
        &wallet.address.to_string().to_uppercase(),
        &format!("{}\nURI: x", wallet.address),
    ] {
        let refused = browser.post_form(GENERATE, &good.clone().with("address", address)).await;
        assert_wire_error(&refused, 400, "invalid_request", (!address.is_empty()).then_some("Invalid Ethereum address."));
    }
    let cases: &[(Form, u16, &str)] = &[
        (good.clone().without("client_id"), 401, "invalid_client"),
        (good.clone().with("client_id", "nobody"), 401, "invalid_client"),
        (good.clone().with("domain", "https://evil.example/"), 400, "invalid_request"),
        (good.clone().with("domain", "https://app.example/callback/"), 400, "invalid_request"),
        (good.clone().without("domain"), 400, "invalid_request"),
        (good.clone().with("response_type", "token"), 400, "unsupported_response_type"),
        (good.clone().without("response_type"), 400, "invalid_request"),
        (good.clone().without("scope"), 400, "invalid_request"),
        (good.clone().with("scope", "vehicles"), 400, "invalid_scope"),
        (good.clone().and("address", &Wallet::new(2).address.to_string()), 400, "invalid_request"),
        (good.clone().with("code_challenge", CHALLENGE), 400, "invalid_request"),
        (good.clone().with("code_challenge", CHALLENGE).with("code_challenge_method", "plain"), 400, "invalid_request"),
    ];
    for (form, status, error) in cases {
        assert_wire_error(&browser.post_form(GENERATE, form).await, *status, error, None);
    }
    // One value in the query and another in the form is two values.
    let split = browser
        .send(browser.bare(Method::POST, &format!("{GENERATE}?client_id=web")).header("content-type", FORM).body(good.encode()))
        .await;
    assert_wire_error(&split, 400, "invalid_request", None);
    for body in [vec![0xff, 0xfe], vec![b'a'; 70_000]] {
        assert_wire_error(
            &browser.send(browser.bare(Method::POST, GENERATE).header("content-type", FORM).body(body)).await,
            400,
            "invalid_request",
            None,
        );
    }
    assert_wire_error(
        &browser.send(browser.bare(Method::POST, GENERATE).header("content-type", "application/json").body("{}")).await,
        400,
        "invalid_request",
        None,
    );
});

on_both!(a_challenge_is_burnt_by_the_first_answer_right_or_wrong, |world| {
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    let form = ask("app", &wallet.address.to_string());
    let wrong: [(&str, Signer); 6] = [
        ("another key", |_, message| Wallet::new(2).sign(message)),
        ("another message", |wallet, message| wallet.sign(&message.replace("Chain ID: 137", "Chain ID: 1"))),
        ("high s", Wallet::sign_high_s),
        ("zeros", |_, _| format!("0x{}", "0".repeat(130))),
        ("no hex", |_, _| "signature".to_owned()),
        ("a megabyte less", |_, _| format!("0x{}", "1".repeat(50_000))),
    ];
    for (what, make) in wrong {
        let (state, message) = generated(&browser, &form).await;
        let refused = browser.post_form(SUBMIT, &answer("app", &state, &make(&wallet, &message))).await;
        assert_wire_error(&refused, 400, "invalid_grant", Some("Could not verify signature."));
        let second = browser.post_form(SUBMIT, &answer("app", &state, &wallet.sign(&message))).await;
        assert_wire_error(&second, 400, "invalid_grant", Some("Requested resource does not exist."));
        assert_eq!(second.json()["code"], json!(400), "{what}");
    }
    let (state, message) = generated(&browser, &form).await;
    let replay = answer("app", &state, &wallet.sign(&message));
    let answers = futures_util::future::join_all((0..20).map(|_| browser.post_form(SUBMIT, &replay))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        assert_wire_error(answer, 400, "invalid_grant", Some("Requested resource does not exist."));
    }
});

on_both!(an_answer_fits_its_own_challenge_only, |world| {
    world.client("other", |client| client.redirect_uris.push("https://app.example/second".parse().unwrap())).await;
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    let form = ask("other", &wallet.address.to_string());
    let (state, message) = generated(&browser, &form).await;
    let signature = wallet.sign(&message);
    let unknown = browser.post_form(SUBMIT, &answer("other", "unknown", &signature)).await;
    assert_wire_error(&unknown, 400, "invalid_grant", Some("Requested resource does not exist."));
    assert_wire_error(
        &browser.post_form(SUBMIT, &answer("app", &state, &signature)).await,
        400,
        "invalid_grant",
        Some("Requested resource does not exist."),
    );

    let (first, second) = (generated(&browser, &form).await, generated(&browser, &form).await);
    let crossed = browser.post_form(SUBMIT, &answer("other", &first.0, &wallet.sign(&second.1))).await;
    assert_wire_error(&crossed, 400, "invalid_grant", Some("Could not verify signature."));
    let elsewhere =
        browser.post_form(SUBMIT, &answer("other", &second.0, &wallet.sign(&second.1)).with("domain", "https://app.example/second")).await;
    assert_wire_error(&elsewhere, 400, "invalid_grant", None);

    let (state, message) = generated(&browser, &form).await;
    let signed = answer("other", &state, &wallet.sign(&message));
    for lacking in ["state", "signature", "domain", "grant_type"] {
        assert_wire_error(&browser.post_form(SUBMIT, &signed.clone().without(lacking)).await, 400, "invalid_request", None);
    }
    assert_wire_error(
        &browser.post_form(SUBMIT, &signed.clone().with("grant_type", "password")).await,
        400,
        "unsupported_grant_type",
        None,
    );
    world.clock.advance(Duration::from_mins(10));
    assert_wire_error(&browser.post_form(SUBMIT, &signed).await, 400, "invalid_grant", Some("User session has expired."));
});

on_both!(a_challenge_with_a_code_challenge_wants_its_verifier, |world| {
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    let plain = ask("app", &wallet.address.to_string());
    let bound = plain.clone().with("code_challenge", CHALLENGE).with("code_challenge_method", "S256");
    for (form, verifier, status) in [
        (&bound, Some(VERIFIER), 200),
        (&bound, None, 400),
        (&bound, Some(CHALLENGE), 400),
        (&plain, None, 200),
        (&plain, Some(VERIFIER), 400),
    ] {
        let (state, message) = generated(&browser, form).await;
        let signed = answer("app", &state, &wallet.sign(&message));
        let signed = verifier.into_iter().fold(signed, |form, verifier| form.with("code_verifier", verifier));
        let reply = browser.post_form(SUBMIT, &signed).await;
        assert_eq!(reply.status, status, "{verifier:?}: {}", reply.body);
        if status == 400 {
            assert_wire_error(&reply, 400, "invalid_grant", None);
        }
    }
});

on_both!(a_confidential_client_must_prove_itself_here_too, |world| {
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    let (state, message) = generated(&browser, &ask("web", &wallet.address.to_string())).await;
    let signed = answer("web", &state, &wallet.sign(&message));
    assert_wire_error(&browser.post_form(SUBMIT, &signed).await, 401, "invalid_client", None);
    assert_wire_error(&browser.post_form(SUBMIT, &signed.clone().with("client_secret", "wrong")).await, 401, "invalid_client", None);
    // None of that burnt the challenge.
    assert_eq!(browser.post_form(SUBMIT, &signed.with("client_secret", SECRET)).await.status, 200);
    let (state, message) = generated(&browser, &ask("web", &wallet.address.to_string())).await;
    let request = browser
        .bare(Method::POST, SUBMIT)
        .header("content-type", FORM)
        .header(AUTHORIZATION, basic("web", SECRET))
        .body(answer("web", &state, &wallet.sign(&message)).encode());
    assert_eq!(browser.send(request).await.status, 200);
});

on_both!(a_disabled_account_cannot_come_in_by_this_door, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    app.tokens(&browser, &wallet).await;
    let account = world.state.store.accounts().await.unwrap().remove(0).id;
    world.state.store.set_account_disabled(account, Some(world.clock.now()), world.clock.now()).await.unwrap();
    let (state, message) = generated(&browser, &ask("app", &wallet.address.to_string())).await;
    assert_wire_error(&browser.post_form(SUBMIT, &answer("app", &state, &wallet.sign(&message))).await, 400, "invalid_grant", None);
});

on_one!(challenges_are_limited_for_each_address, [("LIMITS_CHALLENGES_PER_MINUTE", "4")], |world| {
    let (browser, form) = (Browser::new(&world), ask("app", &Wallet::new(1).address.to_string()));
    let mut statuses: Vec<Value> = Vec::new();
    for _ in 0..6 {
        statuses.push(browser.post_form(GENERATE, &form).await.status.into());
    }
    assert_eq!(json!(statuses), json!([200, 200, 200, 200, 429, 429]));
    let out = browser.post_form(SUBMIT, &answer("app", "x", "0x")).await;
    assert_wire_error(&out, 429, "too_many_requests", None);
    assert!((1..=60).contains(&out.header("retry-after").parse::<u64>().unwrap()));
});

on_both!(what_a_client_is_registered_for_limits_it_at_this_door_too, |world| {
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    let ask = |client: &str| ask(client, &wallet.address.to_string());
    world.client("narrow", |client| client.metadata.scope = Some("openid".parse().unwrap())).await;
    let (state, message) = generated(&browser, &ask("narrow")).await;
    assert!(!message.contains("email"), "nobody agrees to what it cannot have: {message}");
    let tokens = Tokens::read(&browser.post_form(SUBMIT, &answer("narrow", &state, &wallet.sign(&message))).await);
    assert_eq!((&tokens.reply["scope"], tokens.claims().0["scope"].as_str()), (&json!("openid"), Some("openid")));
    let nothing = browser.post_form(GENERATE, &ask("narrow").with("scope", "email profile")).await;
    assert_wire_error(&nothing, 400, "invalid_scope", None);
    world.client("robot", |client| client.metadata.grant_types = [latchkey::domain::GrantType::RefreshToken].into()).await;
    assert_wire_error(&browser.post_form(GENERATE, &ask("robot")).await, 400, "unauthorized_client", None);
});
