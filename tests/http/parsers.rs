//! Requests that no honest program sends: every one gets an answer below 500, and the server goes on.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::actors::{App, Browser, Wallet};
use crate::api_challenge::{GENERATE, SUBMIT, assert_wire_error};
use crate::on_one;
use crate::world::{Engine, FORM, World};

const ROUTES: &[&str] = &[
    "/",
    "/auth",
    "/token",
    "/par",
    "/device/code",
    "/device",
    "/userinfo",
    "/keys",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/.well-known/jwks.json",
    GENERATE,
    SUBMIT,
    "/logout",
    "/register",
    "/register/0190a5a0-0000-7000-8000-000000000000",
    "/clients/app/logo",
    "/logout/confirm",
    "/logged-out",
    "/account",
    "/account/profile",
    "/account/sign-out",
    "/account/sign-out-everywhere",
    "/account/apps/withdraw",
    "/static/app.css",
    "/favicon.ico",
    "/robots.txt",
    "/interaction/0190a5a0-0000-7000-8000-000000000000",
    "/interaction/0190a5a0-0000-7000-8000-000000000000/wallet/challenge",
    "/interaction/0190a5a0-0000-7000-8000-000000000000/wallet/signature",
    "/interaction/0190a5a0-0000-7000-8000-000000000000/consent",
    "/nowhere",
];

/// The status of the answer to these bytes; 0 when the connection was closed without one.
fn raw(world: &World, bytes: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(world.base.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // The server may answer and close before it has read everything.
    let _ = stream.write_all(bytes);
    let mut answer = [0; 12];
    let mut read = 0;
    while read < answer.len() {
        match stream.read(&mut answer[read..]) {
            Ok(0) | Err(_) => break,
            Ok(more) => read += more,
        }
    }
    std::str::from_utf8(&answer).ok().and_then(|line| line.strip_prefix("HTTP/1.1 ")).and_then(|status| status.parse().ok()).unwrap_or(0)
}

fn request(method: &str, target: &[u8], headers: &[(&str, &[u8])], body: &[u8]) -> Vec<u8> {
    let mut bytes = [method.as_bytes(), b" ", target, b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"].concat();
    for (name, value) in headers {
        bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    bytes.extend(format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes());
    bytes.extend(body);
    bytes
}

on_one!(what_is_too_deep_too_long_or_no_text_is_refused, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let interaction = browser.begin(&app.request()).await;
    let csrf = browser.get(&interaction).await.csrf();
    for deep in [
        "[".repeat(60_000),
        format!("{}1{}", "[".repeat(30_000), "]".repeat(30_000)),
        "{\"a\":".repeat(10_000),
        format!("{{\"address\":\"{}\",\"chain_id\":{}}}", wallet.address, "9".repeat(5_000)),
        "\u{0}".to_owned(),
        String::new(),
    ] {
        for step in ["challenge", "signature"] {
            let request = browser
                .request(reqwest::Method::POST, &format!("{interaction}/wallet/{step}"))
                .header("x-csrf-token", &csrf)
                .header("content-type", "application/json")
                .body(deep.clone());
            assert_eq!(browser.send(request).await.error(), (400, "invalid_request".into()));
        }
    }
    let many = (0..10_000).map(|n| format!("p{n}=x")).collect::<Vec<_>>().join("&");
    let many = &many[..60_000];
    for path in ["/auth", "/token", GENERATE, SUBMIT, "/logout", "/account/profile"] {
        let answer = browser.send(browser.bare(reqwest::Method::POST, path).header("content-type", FORM).body(many.to_owned())).await;
        assert!(answer.status < 500, "{path}: {}", answer.status);
    }
    for path in ROUTES {
        for target in [
            format!("{path}?{many}"),
            format!("{path}?x={}", "y".repeat(200_000)),
            format!("{path}?%ff%fe=%00&%=%&=&&&;"),
            format!("{path}?{}", "%25".repeat(10_000)),
            format!("{path}/../../etc/passwd"),
            format!("{path}%00"),
            format!("{path}%ff"),
        ] {
            let status = raw(&world, &request("GET", target.as_bytes(), &[], b""));
            assert!(status < 500, "{path} {}…: {status}", &target[..40.min(target.len())]);
        }
    }
    // A body that is longer than it says, shorter than it says, or of no known length.
    let post = |head: &str, body: &str| {
        format!("POST /token HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {FORM}\r\n{head}\r\n\r\n{body}").into_bytes()
    };
    for bytes in [
        post("Content-Length: -1", "a=b"),
        post("Content-Length: 99999999999999999999", "a=b"),
        post("Content-Length: 3\r\nContent-Length: 4", "a=b"),
        post("Content-Length: 3\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
        post("Transfer-Encoding: chunked", "zz\r\nx\r\n0\r\n\r\n"),
        post("Transfer-Encoding: chunked", "ffffffffffffffff\r\n"),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00".to_vec(),
        b"GET http://evil.example/account HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_vec(),
        b"POST * HTTP/1.1\r\n\r\n".to_vec(),
        [b"GET / HTTP/1.1\r\nHost: x\r\nCookie: ".to_vec(), vec![b'x'; 200_000], b"\r\n\r\n".to_vec()].concat(),
    ] {
        let status = raw(&world, &bytes);
        assert!(status < 500, "{:?}: {status}", String::from_utf8_lossy(&bytes[..60.min(bytes.len())]));
    }
    let chunked = post("Transfer-Encoding: chunked", &format!("{:x}\r\n{}\r\n0\r\n\r\n", 70_000, "x".repeat(70_000)));
    assert_eq!(raw(&world, &chunked), 400, "too much of no known length");
    assert_wire_error(
        &browser.send(browser.bare(reqwest::Method::POST, SUBMIT).header("content-type", FORM).body(vec![b'x'; 65_537])).await,
        400,
        "invalid_request",
        None,
    );
    // A token of many dots, or a very long one.
    for token in [
        ".".repeat(5_000),
        format!("{}.{}.x", "e".repeat(20_000), "e".repeat(20_000)),
        crate::forge::part(&json!({ "alg": "RS256", "kid": "k".repeat(10_000) })) + ".e30.e30",
    ] {
        app.assert_refused(&token, "a strange token").await;
    }
    assert_eq!(app.tokens(&browser, &wallet).await.reply["expires_in"], json!(3_600), "the server goes on");
});

// Names that handlers look for, among others, so that the values get past the first question.
fn pairs() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "client_id",
        "redirect_uri",
        "domain",
        "response_type",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "prompt",
        "max_age",
        "response_mode",
        "form",
        "grant_type",
        "code",
        "code_verifier",
        "client_secret",
        "address",
        "signature",
        "csrf",
        "decision",
        "id_token_hint",
        "post_logout_redirect_uri",
        "access_token",
        "login_hint",
        "request",
        "name",
        "picture",
        "%ff",
        "",
    ]);
    let good = prop::sample::select(vec![
        "app",
        "web",
        "https%3A%2F%2Fapp.example%2Fcallback",
        "code",
        "openid+email",
        "authorization_code",
        "S256",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "none",
        "form_post",
        "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F",
        "allow",
    ]);
    let value = prop_oneof![4 => good.prop_map(str::to_owned), 1 => "[ -~]{0,40}".prop_map(|text| text.replace([' ', '#'], "+")), 1 => vec(any::<u8>(), 0..40).prop_map(|bytes| url::form_urlencoded::byte_serialize(&bytes).collect())];
    vec((name, value), 0..12)
        .prop_map(|pairs| pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&"))
}

fn json_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|n| n.to_string()),
        any::<String>().prop_map(|text| json!(text).to_string())
    ];
    leaf.prop_recursive(6, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(|items| format!("[{}]", items.join(","))),
            vec((prop::sample::select(vec!["address", "chain_id", "challenge", "signature", "x"]), inner), 0..6).prop_map(|items| format!(
                "{{{}}}",
                items.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect::<Vec<_>>().join(",")
            )),
        ]
    })
}

fn header_value() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..60).prop_map(|bytes| bytes.into_iter().filter(|b| ![b'\r', b'\n', 0].contains(b)).collect())
}

#[test]
fn nothing_random_makes_the_server_fail() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let limits = [
        ("LIMITS_CHALLENGES_PER_MINUTE", "1000000"),
        ("LIMITS_VISITS_PER_MINUTE", "1000000"),
        ("LIMITS_SIGNINS_PER_MINUTE", "1000000"),
        ("LIMITS_FAILURES_PER_MINUTE", "1000000"),
    ];
    let world = runtime.block_on(World::new(Engine::Sqlite, &limits));
    // A real visit and a real session, so that what is sent gets past the first question there too.
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    let (interaction, csrf, cookies) = runtime.block_on(async {
        browser.sign_in_to_account(&wallet).await;
        let interaction = browser.begin(&App::public(&world, "app").request().with("prompt", "login")).await;
        let csrf = browser.get(&interaction).await.csrf();
        let cookies = ["latchkey_browser", "latchkey_session"].map(|name| format!("{name}={}", browser.cookie(name).unwrap())).join("; ");
        (interaction, csrf, cookies)
    });
    let own = ["", "/wallet/challenge", "/wallet/signature", "/consent", "/switch"].map(|step| format!("{interaction}{step}"));
    let paths: Vec<String> =
        ROUTES.iter().map(|route| (*route).to_owned()).filter(|route| !route.contains("sign-out")).chain(own).collect();
    let body = prop_oneof![3 => pairs().prop_map(String::into_bytes), 2 => json_text().prop_map(String::into_bytes), 1 => vec(any::<u8>(), 0..300)];
    let kind = prop_oneof![3 => Just(FORM.as_bytes().to_vec()), 2 => Just(b"application/json".to_vec()), 1 => header_value()];
    let strategy = (
        prop::sample::select(vec!["GET", "POST", "POST", "HEAD", "OPTIONS", "PUT", "X"]),
        prop::sample::select(paths),
        pairs(),
        kind,
        body,
        header_value(),
        header_value(),
        any::<[bool; 4]>(),
    );
    let mut runner = TestRunner::new(Config { cases: 600, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&strategy, |(method, path, query, kind, body, one, two, with)| {
        let mut headers: Vec<(&str, &[u8])> = vec![("Content-Type", &kind)];
        for (name, value, wanted) in [
            ("Cookie", cookies.as_bytes(), with[0]),
            ("X-CSRF-Token", csrf.as_bytes(), with[0]),
            ("Authorization", &one, with[1]),
            ("Cookie", &two, with[2]),
            ("Origin", &two, with[3]),
            ("X-Forwarded-For", &one, with[3]),
        ] {
            if wanted {
                headers.push((name, value));
            }
        }
        let status = raw(&world, &request(method, format!("{path}?{query}").as_bytes(), &headers, &body));
        prop_assert!(status < 500 && status != 0, "{} {} {}", method, path, status);
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    // It still does its work.
    let tokens = runtime.block_on(async { App::public(&world, "app").tokens(&browser, &wallet).await });
    assert_eq!(tokens.reply["expires_in"], json!(3_600));
}
