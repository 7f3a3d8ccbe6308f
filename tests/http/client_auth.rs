//! How a client proves itself at `/token`, and what a request to it may look like.

use reqwest::Method;
use reqwest::header::AUTHORIZATION;

use crate::actors::{Answer, App, Browser, Form, Wallet, basic, hex};
use crate::api_challenge::{SUBMIT, answer, assert_wire_error};
use crate::on_both;
use crate::on_one;
use crate::world::{FORM, SECRET, World};
use latchkey::domain::{AuthMethod, TokenHash};

async fn send(world: &World, authorization: Option<&str>, form: &Form) -> Answer {
    let browser = Browser::new(world);
    let request = browser.bare(Method::POST, "/token").header("content-type", FORM).body(form.encode());
    browser.send(authorization.into_iter().fold(request, |request, value| request.header(AUTHORIZATION, value))).await
}

async fn secret_client(world: &World, id: &str, method: AuthMethod, secret: &str) {
    world
        .client(id, |client| {
            client.auth_method = method;
            client.secret_hash = Some(TokenHash::of(secret));
        })
        .await;
}

on_both!(the_secret_may_come_by_basic_or_in_the_form_but_not_both, |world| {
    secret_client(&world, "basic", AuthMethod::ClientSecretBasic, SECRET).await;
    secret_client(&world, "post", AuthMethod::ClientSecretPost, SECRET).await;
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    for (id, by_basic, by_post) in [("web", true, true), ("basic", true, false), ("post", false, true)] {
        let app = App::public(&world, id);
        let code = app.code(&browser, &wallet).await;
        let (form, header) = (app.redemption(&code), basic(id, SECRET));
        let both = send(&world, Some(&header), &form.clone().with("client_secret", SECRET)).await;
        assert_eq!(both.error(), (400, "invalid_request".into()), "{id}");
        let posted = form.clone().with("client_secret", SECRET);
        if !by_basic {
            let answer = send(&world, Some(&header), &form).await;
            assert_eq!(
                (answer.error(), answer.header("www-authenticate")),
                ((401, "invalid_client".into()), "Basic realm=\"token endpoint\""),
                "{id}"
            );
        }
        if !by_post {
            assert_eq!(send(&world, None, &posted).await.error(), (401, "invalid_client".into()), "{id}");
        }
        // None of the refusals spent the code. The id in the form beside Basic may be left out.
        let last = if by_basic { send(&world, Some(&header), &form.without("client_id")).await } else { send(&world, None, &posted).await };
        assert_eq!(last.status, 200, "{id}: {}", last.body);
    }
});

on_both!(a_wrong_proof_is_invalid_client_in_constant_words, |world| {
    let app = App::public(&world, "web");
    let form = app.redemption("anything");
    let mut words = Vec::new();
    for secret in ["x", &SECRET[..35], &format!("{SECRET} "), &SECRET.to_uppercase(), &hex(TokenHash::of(SECRET).as_bytes())[2..]] {
        let answer = send(&world, Some(&basic("web", secret)), &form).await;
        assert_eq!(answer.error(), (401, "invalid_client".into()), "{secret}");
        assert_eq!((answer.header("www-authenticate"), answer.header("cache-control")), ("Basic realm=\"token endpoint\"", "no-store"));
        words.push(answer.body);
    }
    words.dedup();
    assert_eq!(words.len(), 1);
    for header in ["Basic", "Basic ", "Basic !!!", "Basic d2Vi", "Bearer abc", "Basic OnNlY3JldA==", "Digest x"] {
        assert_eq!(send(&world, Some(header), &form).await.error(), (401, "invalid_client".into()), "{header}");
    }
    for nobody in [form.clone().without("client_id"), form.clone().with("client_id", "nobody"), form.clone().with("client_id", "a b")] {
        assert_eq!(send(&world, None, &nobody).await.error(), (401, "invalid_client".into()), "{nobody:?}");
    }
    assert_eq!(
        send(&world, Some(&basic("web", SECRET)), &form.with("client_id", "app")).await.error(),
        (400, "invalid_request".into()),
        "two clients at once"
    );
    // A public client has no secret to be guessed or to be sent.
    let public = App::public(&world, "app").redemption("anything");
    assert_eq!(send(&world, None, &public.with("client_secret", SECRET)).await.error(), (401, "invalid_client".into()));
});

// RFC 6749 §2.3.1: both halves of Basic are form-encoded.
on_both!(basic_is_form_decoded, |world| {
    let secret = "p:a+b c%41&=ü-with-more-than-32-characters";
    secret_client(&world, "https://app.example/id?x=1", AuthMethod::ClientSecretBasic, secret).await;
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    let app = App::public(&world, "https://app.example/id?x=1");
    let code = app.code(&browser, &wallet).await;
    let answer = send(&world, Some(&basic(&app.id, secret)), &app.redemption(&code)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
});

on_both!(a_redemption_is_read_strictly, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let code = app.code(&browser, &wallet).await;
    let good = app.redemption(&code);
    let invalid_request = (400, "invalid_request".to_owned());
    for name in ["grant_type", "client_id", "code", "redirect_uri", "code_verifier", "unheard_of"] {
        let doubled = good.clone().and(name, "x").and(name, "y");
        assert_eq!(app.token(&doubled).await.error(), invalid_request, "{name} twice");
    }
    for name in ["grant_type", "code"] {
        assert_eq!(app.token(&good.clone().without(name)).await.error(), invalid_request, "without {name}");
    }
    for grant in ["password", "implicit", "Authorization_Code", "urn:ietf:params:oauth:grant-type:jwt-bearer", "x"] {
        assert_eq!(app.token(&good.clone().with("grant_type", grant)).await.error(), (400, "unsupported_grant_type".into()), "{grant}");
    }
    let raw = async |kind: &str, body: Vec<u8>| {
        let request = browser.bare(Method::POST, "/token");
        let request = if kind.is_empty() { request } else { request.header("content-type", kind) };
        browser.send(request.body(body)).await
    };
    let bytes = good.encode().into_bytes();
    for kind in ["", "application/json", "multipart/form-data; boundary=x", "text/plain", "application/x-www-form-urlencodedx"] {
        assert_eq!(raw(kind, bytes.clone()).await.error(), invalid_request, "{kind}");
    }
    assert_eq!(raw(FORM, vec![b'x'; 70_000]).await.error(), invalid_request, "a body of 70,000 bytes");
    assert_eq!(raw(FORM, vec![0xff, 0xfe, b'=', 0xc0]).await.error(), invalid_request, "no UTF-8");
    assert_eq!(raw(FORM, Vec::new()).await.error(), invalid_request, "nothing");
    // What is in the address is not read: parameters there end up in logs (RFC 6749 §3.2).
    let query = browser.send(browser.bare(Method::POST, &format!("/token?{}", good.encode())).header("content-type", FORM)).await;
    assert_eq!(query.error(), invalid_request);
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        assert_eq!(browser.send(browser.bare(method, &format!("/token?{}", good.encode()))).await.status, 405);
    }
    // Nothing of that spent the code; a charset is allowed.
    assert_eq!(raw("Application/X-WWW-Form-Urlencoded; charset=UTF-8", bytes).await.status, 200);
});

on_one!(whoever_guesses_secrets_is_shut_out_for_a_while, [("LIMITS_FAILURES_PER_MINUTE", "3")], |world| {
    let web = App::confidential(&world, "web");
    let guess = web.redemption("anything").with("client_secret", "wrong");
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(App::public(&world, "web").token(&guess).await.status);
    }
    assert_eq!(statuses, [401, 401, 401, 401, 429, 429]);
    // The right secret too: otherwise a guesser could go on guessing.
    let out = web.redeem("anything").await;
    assert_eq!(out.error(), (429, "too_many_requests".into()));
    assert!((1..=60).contains(&out.header("retry-after").parse::<u64>().unwrap()), "{}", out.header("retry-after"));
    assert_eq!(
        App::public(&world, "app").redeem("anything").await.error(),
        (400, "invalid_grant".into()),
        "another client at the same address"
    );
});

on_one!(a_guesser_is_shut_out_at_every_door, [("LIMITS_FAILURES_PER_MINUTE", "3")], |world| {
    let (browser, guess) = (Browser::new(&world), answer("web", "anything", "0x").with("client_secret", "wrong"));
    for _ in 0..4 {
        assert_wire_error(&browser.post_form(SUBMIT, &guess).await, 401, "invalid_client", None);
    }
    // What is counted at one door counts at the other.
    assert_wire_error(&browser.post_form(SUBMIT, &guess.with("client_secret", SECRET)).await, 429, "too_many_requests", None);
    assert_eq!(App::confidential(&world, "web").redeem("anything").await.error(), (429, "too_many_requests".into()));
});
