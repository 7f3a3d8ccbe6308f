//! The web around it: what every page and every reply carries, and whom it lets read.

use reqwest::Method;
use reqwest::header::{HOST, ORIGIN};
use serde_json::json;

use crate::actors::{Answer, App, Browser, Tokens, Wallet};
use crate::world::{FORM, ISSUER};
use crate::{on_both, on_one};

fn assert_page(page: &Answer, form_action: &str, what: &str) {
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8", "{what}");
    let policy = page.header("content-security-policy");
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap_or_else(|| panic!("{what}: {policy}"));
    assert!(nonce.len() >= 22, "{what}: {policy}");
    let expected = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action {form_action}"
    );
    assert_eq!(policy, expected, "{what}");
    for (name, value) in [("referrer-policy", "same-origin"), ("x-content-type-options", "nosniff"), ("cache-control", "no-store")] {
        assert_eq!(page.header(name), value, "{what}: {name}");
    }
    // No script, style or handler that the policy would have to let through.
    for script in page.body.split("<script").skip(1) {
        let tag = script.split('>').next().unwrap();
        assert!(tag.contains(&format!("nonce=\"{nonce}\"")) && tag.contains(" src=\"/static/"), "{what}: <script{tag}>");
        assert!(script[tag.len()..].starts_with("></script>"), "{what}: a script with a body");
    }
    for bad in [" style=\"", "<style", " onclick=", " onload=", " onerror=", "javascript:", "http-equiv"] {
        assert!(!page.body.contains(bad), "{what}: {bad}");
    }
    assert!(!page.header("x-request-id").is_empty(), "{what}");
    assert_eq!(page.header("access-control-allow-origin"), "", "{what}");
}

on_one!(every_page_has_its_headers, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let with_app = "'self' https://app.example";
    assert_page(&browser.get("/").await, "'self'", "home");
    let interaction = browser.begin(&app.request()).await;
    let first = browser.get(&interaction).await;
    assert_page(&first, with_app, "sign in");
    assert_ne!(
        first.header("content-security-policy"),
        browser.get(&interaction).await.header("content-security-policy"),
        "a nonce of its own"
    );
    browser.sign_in(&interaction, &wallet).await;
    assert_page(&browser.get(&interaction).await, with_app, "consent");
    assert!(browser.decide(&interaction, "allow").await.status == 303);
    browser.get(&interaction).await;
    assert_page(&browser.get(&interaction).await, "'self'", "a visit that is over");
    assert_page(&browser.auth(&app.request().with("response_mode", "form_post")).await, with_app, "form_post");
    assert_page(&browser.get("/account").await, "'self'", "account");
    assert_page(&browser.get("/device").await, "'self'", "device");
    assert_page(&browser.get("/device?user_code=BCDF-GHJK").await, "'self'", "device with a code");
    assert_page(&browser.get("/logout").await, "'self'", "log out");
    assert_page(&browser.get("/logged-out").await, "'self'", "logged out");
    assert_page(&browser.get("/nowhere").await, "'self'", "not found");
    assert_page(&browser.get("/static/nothing.js").await, "'self'", "no such file");
    assert_page(&browser.auth(&app.request().with("client_id", "nobody")).await, "'self'", "unknown client");
    assert_page(&Browser::new(&world).get(&interaction).await, "'self'", "another browser");
    assert_page(&browser.post("/account/profile", &[]).await, "'self'", "forged form");
    for file in ["/static/app.css", "/static/signin.js", "/favicon.ico"] {
        let file = browser.get(file).await;
        assert_eq!((file.status, file.header("x-content-type-options")), (200, "nosniff"));
    }
});

on_one!(an_error_page_names_its_request_and_repeats_nothing_of_it, |world| {
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    let bad = app.request().with("redirect_uri", "https://evil.example/\"><script>alert(1)</script>").with("client_id", "app");
    let page = browser.auth(&bad).await;
    assert!(page.body.contains(&format!("request <code>{}</code>", page.header("x-request-id"))), "{}", page.body);
    assert!(!page.body.contains("evil.example") && !page.body.contains("<script>alert"), "{}", page.body);
    let named = browser.auth(&app.request().with("client_id", "<script>alert(1)</script>")).await;
    assert!(named.is_error_page(400) && !named.body.contains("<script>alert"), "{}", named.body);
    // An id that the caller chooses is not taken over.
    let chosen = browser.send(browser.request(Method::GET, "/nowhere").header("x-request-id", "chosen\"<b>")).await;
    assert!(!chosen.header("x-request-id").contains("chosen") && !chosen.body.contains("chosen"));
});

on_one!(a_name_that_an_app_chose_is_text_everywhere, |world| {
    let name = "<img src=x onerror=alert(1)>\"'&\nURI: https://evil.example";
    world.client("named", |client| client.name = name.to_owned()).await;
    let (app, browser, wallet) = (App::public(&world, "named"), Browser::new(&world), Wallet::new(1));
    let interaction = browser.begin(&app.request().with("login_hint", "\"><script>alert(2)</script>")).await;
    let asked = browser.ask(&interaction, &wallet).await;
    assert_eq!(asked.message.matches("\nURI: ").count(), 1, "{}", asked.message);
    assert!(!asked.message.contains('<'), "{}", asked.message);
    let mut pages = vec![browser.get(&interaction).await];
    browser.answer(&interaction, &asked, &wallet.sign(&asked.message)).await;
    pages.push(browser.get(&interaction).await);
    browser.decide(&interaction, "allow").await;
    pages.push(browser.get("/account").await);
    for page in pages {
        assert!(page.status == 200 && !page.body.contains("<img src=x") && !page.body.contains("<script>alert"), "{}", page.body);
    }
});

on_one!(what_must_not_be_kept_says_so_and_a_post_is_answered_with_303, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let began = browser.auth(&app.request()).await;
    let interaction = began.location().to_owned();
    let signed = browser.sign_in(&interaction, &wallet).await;
    let agreed = browser.decide(&interaction, "allow").await;
    let back = browser.get(&interaction).await;
    let kept = browser.post_cross_site("/auth", &app.request()).await;
    let redeemed = app.redeem(&back.query("code").unwrap()).await;
    let csrf = browser.get("/account").await.csrf();
    let saved = browser.post("/account/profile", &[("csrf", &csrf), ("name", "Ada")]).await;
    let out = browser.post("/account/sign-out", &[("csrf", &csrf)]).await;
    for (answer, status) in [
        (&began, 303),
        (&signed, 200),
        (&agreed, 303),
        (&back, 303),
        (&kept, 303),
        (&redeemed, 200),
        (&saved, 303),
        (&out, 303),
        (&app.redeem("x").await, 400),
    ] {
        assert_eq!(
            (answer.status, answer.header("cache-control"), answer.header("x-content-type-options")),
            (status, "no-store", "nosniff"),
            "{} {}",
            answer.location(),
            answer.body
        );
    }
});

on_one!(only_apis_may_be_read_by_other_origins_and_never_with_cookies, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let tokens = app.tokens(&browser, &wallet).await;
    let from = |method: Method, path: &str| browser.request(method, path).header(ORIGIN, "https://spa.example");
    let apis = [
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/keys",
        "/.well-known/jwks.json",
        "/userinfo",
        "/token",
        "/token/revoke",
        "/token/introspect",
        "/device/code",
        "/auth/web3/generate_challenge",
        "/auth/web3/submit_challenge",
    ];
    for path in apis {
        let method =
            if ["/token", "/device", "/auth/web3"].iter().any(|begin| path.starts_with(begin)) { Method::POST } else { Method::GET };
        let answer = browser.send(from(method.clone(), path)).await;
        assert_eq!((answer.header("access-control-allow-origin"), answer.header("access-control-allow-credentials")), ("*", ""), "{path}");
        let preflight = from(Method::OPTIONS, path)
            .header("access-control-request-method", method.as_str())
            .header("access-control-request-headers", "authorization,content-type");
        let preflight = browser.send(preflight).await;
        assert_eq!(
            (preflight.status, preflight.header("access-control-allow-origin"), preflight.header("access-control-allow-credentials")),
            (200, "*", ""),
            "{path}"
        );
        let allowed = preflight.header("access-control-allow-headers").to_lowercase();
        assert!(allowed.contains("authorization") && allowed.contains("content-type"), "{path}: {allowed}");
        assert!(preflight.header("access-control-allow-methods").contains(method.as_str()), "{path}");
        assert!(!preflight.header("access-control-max-age").is_empty(), "{path}");
    }
    // The error and the challenge can be read too.
    let refused = browser.send(from(Method::GET, "/userinfo").bearer_auth("x")).await;
    assert!(refused.header("access-control-expose-headers").to_lowercase().contains("www-authenticate"));
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (401, "*"));
    assert_eq!(browser.send(from(Method::GET, "/userinfo").bearer_auth(&tokens.access)).await.status, 200);

    let interaction = browser.begin(&app.request().with("prompt", "login")).await;
    let with_code = format!("/auth?{}", app.request().encode());
    assert!(browser.get(&with_code).await.location().contains("code="));
    let pages = ["/", "/auth", "/auth?client_id=app", &interaction, "/account", "/logout", "/logged-out", "/static/app.css", "/nowhere"];
    for path in pages.into_iter().chain([with_code.as_str()]) {
        let answer = browser.send(from(Method::GET, path)).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
        let preflight = browser
            .send(
                from(Method::OPTIONS, path)
                    .header("access-control-request-method", "POST")
                    .header("access-control-request-headers", "x-csrf-token"),
            )
            .await;
        assert_eq!(preflight.header("access-control-allow-origin"), "", "{path}");
        assert_ne!(preflight.status, 200, "{path}");
    }
});

on_one!(the_cookies_are_for_this_host_alone, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let began = browser.auth(&app.request()).await;
    let [cookie] = began.set_cookies()[..] else { panic!("{:?}", began.set_cookies()) };
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!((pair.len(), attributes), ("latchkey_browser=".len() + 43, "HttpOnly; SameSite=Lax; Path=/"));
    let signed = browser.sign_in(began.location(), &wallet).await;
    let [cookie, known, way] = signed.set_cookies()[..] else { panic!("{:?}", signed.set_cookies()) };
    assert!(known.starts_with("latchkey_known=") && known.ends_with("; HttpOnly; SameSite=Lax; Path=/; Max-Age=34560000"), "{known}");
    // How they signed in, for the order of the page next time; no script reads it, and it lets nobody in.
    assert_eq!(way, "latchkey_way=web3; HttpOnly; SameSite=Lax; Path=/; Max-Age=34560000");
    assert!(cookie.starts_with("latchkey_session=") && cookie.ends_with("; HttpOnly; SameSite=Lax; Path=/; Max-Age=2592000"), "{cookie}");
    // Nothing of the account is in it, and it is not sent again at every step.
    assert_eq!(cookie.split(['=', ';']).nth(1).unwrap().len(), 43);
    assert!(browser.get(began.location()).await.set_cookies().is_empty());
    // Cookies of other lengths, or unreadable ones, are nobody's.
    for value in ["", "x", &"x".repeat(42), &"x".repeat(44), &"x".repeat(4_000), "%00%ff"] {
        let stranger = Browser::new(&world);
        stranger.set_cookie("latchkey_session", value);
        stranger.set_cookie("latchkey_browser", value);
        assert!(stranger.get("/account").await.location().starts_with("/interaction/"), "{value}");
    }
});

on_one!(behind_https_the_cookies_are_secure_and_bound_to_the_host, [("SERVER_ISSUER", "https://id.example")], |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let began = browser.auth(&app.request()).await;
    let [cookie] = began.set_cookies()[..] else { panic!("{:?}", began.set_cookies()) };
    assert!(cookie.starts_with("__Host-latchkey_browser=") && cookie.ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/"), "{cookie}");
    let asked = browser.ask(began.location(), &wallet).await;
    assert!(
        asked.message.starts_with("id.example wants you") && asked.message.contains("\nURI: https://id.example\n"),
        "{}",
        asked.message
    );
    let signed = browser.answer(began.location(), &asked, &wallet.sign(&asked.message)).await;
    let [cookie, known, way] = signed.set_cookies()[..] else { panic!("{:?}", signed.set_cookies()) };
    assert!(known.starts_with("__Host-latchkey_known=") && known.contains("; Secure; Path=/") && !known.contains("Domain"), "{known}");
    assert!(way.starts_with("__Host-latchkey_way=web3; ") && way.contains("; Secure; Path=/"), "{way}");
    assert!(
        cookie.starts_with("__Host-latchkey_session=") && cookie.contains("; Secure; Path=/") && !cookie.contains("Domain"),
        "{cookie}"
    );
    // A cookie without the prefix, which a sister host could plant, is not looked at.
    let victim = Browser::new(&world);
    victim.set_cookie("latchkey_session", &browser.cookie("__Host-latchkey_session").unwrap());
    assert_eq!(victim.get("/account").await.status, 303);
    let back = browser.go_on(began.location(), &wallet).await;
    let tokens = Tokens::read(&app.redeem(&back.query("code").unwrap()).await);
    assert_eq!((back.query("iss").as_deref(), &tokens.claims().1["iss"]), (Some("https://id.example"), &json!("https://id.example")));
});

// CVE-2023-49097: links made of the Host header.
on_both!(the_host_header_is_never_believed, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let tokens = app.tokens(&browser, &wallet).await;
    let poison = |method: Method, path: &str| {
        browser
            .request(method, path)
            .header(HOST, "evil.example")
            .header("x-forwarded-host", "evil.example")
            .header("forwarded", "host=evil.example;proto=https")
            .header("x-forwarded-proto", "https")
    };
    let discovery = browser.send(poison(Method::GET, "/.well-known/openid-configuration")).await;
    assert_eq!(discovery.json()["issuer"], ISSUER);
    let mut answers = vec![discovery];
    let query = app.request().encode();
    for request in [
        poison(Method::GET, &format!("/auth?{query}")),
        poison(Method::GET, &format!("/auth?{query}&prompt=login")),
        poison(Method::GET, "/"),
        poison(Method::GET, "/account"),
        poison(Method::GET, "/logout"),
        poison(Method::GET, "/nowhere"),
        poison(Method::POST, "/auth").header("content-type", FORM).body(query.clone()),
        poison(Method::GET, "/userinfo").bearer_auth(&tokens.access),
    ] {
        answers.push(browser.send(request).await);
    }
    for answer in &answers {
        assert!(!answer.body.contains("evil.example") && !format!("{:?}", answer.headers).contains("evil.example"), "{answer:?}");
        assert!(answer.set_cookies().iter().all(|cookie| !cookie.contains("Secure") && !cookie.contains("__Host-")));
    }
    // The origin of our own pages is the issuer's, not the Host's.
    let csrf = browser.get("/account").await.csrf();
    let forged = poison(Method::POST, "/account/sign-out")
        .header(ORIGIN, "http://evil.example")
        .header("content-type", FORM)
        .body(format!("csrf={csrf}"));
    assert!(browser.send(forged).await.is_error_page(403));
});

// RFC 9110 §15.5.6: a 405 says what is taken, and what it says is so.
on_one!(a_wrong_method_is_told_the_right_ones, |world| {
    let browser = Browser::new(&world);
    let mut doors = 0;
    for path in [
        "/.well-known/openid-configuration",
        "/keys",
        "/token",
        "/par",
        "/token/revoke",
        "/token/introspect",
        "/userinfo",
        "/register",
        "/register/x",
        "/auth/web3/generate_challenge",
        "/auth/web3/submit_challenge",
        "/auth",
        "/logout",
        "/logout/confirm",
        "/account",
        "/account/sign-out",
        "/interaction/00000000-0000-0000-0000-000000000000/consent",
        "/",
        "/robots.txt",
    ] {
        let refused = browser.send(browser.bare(Method::PATCH, path)).await;
        assert_eq!(refused.status, 405, "{path}");
        let allowed: Vec<&str> = refused.header("allow").split(", ").collect();
        for method in [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE] {
            let answer = browser.send(browser.bare(method.clone(), path)).await;
            assert_eq!(answer.status != 405, allowed.contains(&method.as_str()), "{method} {path}: {allowed:?}");
        }
        doors += allowed.len();
    }
    assert!(doors > 25, "{doors}");
});
