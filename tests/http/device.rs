//! Devices without a browser (RFC 8628): what they are told while they wait, that their person decides with open eyes, and that a yes gives
//! tokens once, to the client that asked.

use std::time::Duration;

use latchkey::domain::{AuthMethod, GrantType, Provider, TokenHash};
use latchkey::store::{Linked, Proved, Unlinked};
use reqwest::Method;
use reqwest::header::ORIGIN;
use serde_json::{Value, json};

use crate::actors::{Answer, App, Browser, Form, Tokens, Wallet};
use crate::world::{FORM, ISSUER, REDIRECT_URI, SECRET, World};
use crate::{on_both, on_one};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// An app on a device: a public client without any redirect URI.
async fn tv<'w>(world: &'w World, id: &str) -> App<'w> {
    world
        .client(id, |client| {
            client.redirect_uris.clear();
            client.metadata.grant_types = [GrantType::DeviceCode, GrantType::RefreshToken].into();
        })
        .await;
    App::public(world, id)
}

fn asking(app: &App<'_>, scope: &str) -> Form {
    Form::of(&[("client_id", &app.id), ("scope", scope)])
}

fn polling(app: &App<'_>, waiting: &Value) -> Form {
    Form::of(&[("grant_type", GRANT), ("client_id", &app.id), ("device_code", waiting["device_code"].as_str().unwrap())])
}

async fn ask(app: &App<'_>, scope: &str) -> Value {
    let answer = app.post("/device/code", &asking(app, scope)).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{}", answer.body);
    answer.json()
}

async fn poll(app: &App<'_>, waiting: &Value) -> Answer {
    app.token(&polling(app, waiting)).await
}

/// Types a code into the page.
async fn enter(browser: &Browser<'_>, code: &str) -> Answer {
    let page = browser.get("/device").await;
    browser.post_form("/device", &page.form("/device").with("user_code", code)).await
}

/// Types the code of a device that waits, for the path of the visit.
async fn visit(browser: &Browser<'_>, waiting: &Value) -> String {
    let answer = enter(browser, waiting["user_code"].as_str().unwrap()).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer.location().to_owned()
}

/// Lets a device in.
async fn let_in(browser: &Browser<'_>, wallet: &Wallet, waiting: &Value) {
    let interaction = visit(browser, waiting).await;
    let done = browser.go_on(&interaction, wallet).await;
    assert!(done.status == 200 && done.body.contains("Your device is connected"), "{} {}", done.status, done.body);
}

fn pending() -> (u16, String) {
    (400, "authorization_pending".into())
}

fn invalid_grant() -> (u16, String) {
    (400, "invalid_grant".into())
}

on_both!(a_device_gets_its_tokens_once_its_person_has_let_it_in, |world| {
    let (tv, browser, wallet) = (tv(&world, "tv").await, Browser::new(&world), Wallet::new(1));
    let waiting = ask(&tv, "openid email offline_access").await;
    let code = waiting["user_code"].as_str().unwrap().to_owned();
    assert_eq!((&waiting["expires_in"], &waiting["interval"]), (&json!(600), &json!(5)));
    assert_eq!(waiting["verification_uri"], format!("{ISSUER}/device"));
    assert_eq!(waiting["verification_uri_complete"], format!("{ISSUER}/device?user_code={code}"));
    assert_eq!(waiting["device_code"].as_str().unwrap().len(), 43, "256 bits");
    let letters = code.replace('-', "");
    assert!(code.len() == 9 && letters.len() == 8 && letters.chars().all(|c| "BCDFGHJKLMNPQRSTVWXZ".contains(c)), "{code}");
    assert_eq!(poll(&tv, &waiting).await.error(), pending());

    // As a person types it.
    let typed = format!(" {} {}", letters[..4].to_lowercase(), &letters[4..]);
    let interaction = enter(&browser, &typed).await.location().to_owned();
    let page = browser.get(&interaction).await;
    assert!(page.is_sign_in() && page.body.contains("Sign in to <span class=\"name\">The tv client</span>"), "{}", page.body);
    assert!(page.body.contains(&code) && !page.body.contains("go back to"), "{}", page.body);
    let asked = browser.ask(&interaction, &wallet).await;
    assert!(asked.message.contains("Sign in to connect a device to The tv client."), "{}", asked.message);
    assert_eq!(browser.answer(&interaction, &asked, &wallet.sign(&asked.message)).await.status, 200);
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(poll(&tv, &waiting).await.error(), pending(), "who has signed in has not agreed");
    let consent = browser.get(&interaction).await;
    for words in
        ["The tv client", &code, "only if you started this yourself", "Keep this access while you are away", &wallet.address.to_string()]
    {
        assert!(consent.is_consent() && consent.body.contains(words), "{words}: {}", consent.body);
    }
    let decided = browser.decide(&interaction, "allow").await;
    assert_eq!((decided.status, decided.location()), (303, interaction.as_str()));
    for _ in 0..2 {
        let done = browser.get(&interaction).await;
        assert!(done.status == 200 && done.body.contains("Your device is connected"), "{}", done.body);
    }

    world.clock.advance(Duration::from_secs(10));
    let answer = poll(&tv, &waiting).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let tokens = Tokens::read(&answer);
    assert_eq!(tokens.reply["scope"], "email offline_access openid");
    let (access, id) = tokens.claims();
    assert_eq!((&id["aud"], &access["client_id"], &id["amr"]), (&json!("tv"), &json!("tv"), &json!(["pop"])));
    assert_eq!(id["acr"], "urn:latchkey:acr:wallet");
    assert_eq!(id["auth_time"].as_i64().unwrap() + 20, id["iat"].as_i64().unwrap(), "the sign-in was before the poll");
    assert_eq!([id.get("nonce"), id.get("sid"), id.get("c_hash")], [None, None, None]);
    assert!(id["at_hash"].is_string());
    assert_eq!(tv.userinfo(&tokens.access).await.json()["ethereum_address"], wallet.address.to_string());
    // Once: and who polled twice keeps what it got.
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(poll(&tv, &waiting).await.error(), invalid_grant());
    assert_eq!(tv.userinfo(&tokens.access).await.status, 200);
    let refreshed = Tokens::read(&tv.refresh(&tokens.refresh).await);
    assert_eq!(refreshed.claims().1["auth_time"], id["auth_time"]);
    assert!(browser.get("/account").await.body.contains("The tv client"));
    assert_eq!(tv.revoke(&tokens.access).await.status, 200);
    tv.assert_refused(&tokens.access, "revoked").await;
});

on_both!(an_earlier_yes_lets_no_device_in, |world| {
    let (tv, browser, wallet) = (tv(&world, "tv").await, Browser::new(&world), Wallet::new(1));
    let first = ask(&tv, "openid").await;
    let_in(&browser, &wallet, &first).await;
    let second = ask(&tv, "openid").await;
    let interaction = visit(&browser, &second).await;
    let page = browser.get(&interaction).await;
    assert!(page.is_consent() && page.body.contains(second["user_code"].as_str().unwrap()), "{}", page.body);
    assert_eq!(poll(&tv, &second).await.error(), pending());
    // And no refresh token without `offline_access`.
    assert_eq!(Tokens::read(&poll(&tv, &first).await).refresh, "");
});

on_both!(a_code_in_an_address_is_shown_and_sent_by_a_press, |world| {
    let (tv, browser) = (tv(&world, "tv").await, Browser::new(&world));
    let waiting = ask(&tv, "openid").await;
    let code = waiting["user_code"].as_str().unwrap();
    let path = waiting["verification_uri_complete"].as_str().unwrap().strip_prefix(ISSUER).unwrap().to_owned();
    let page = browser.get(&path).await;
    assert_eq!((page.status, page.header("cache-control")), (200, "no-store"));
    for words in ["Does your device show this code?", code, "only if you started this yourself, on a device in front of you"] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    // A code that never was looks the same there: nothing is looked up.
    let other = browser.get("/device?user_code=BBBB-BBBB").await;
    assert!(other.status == 200 && other.body.contains("BBBB-BBBB"), "{}", other.body);
    assert!(!browser.get("/device?user_code=<script>").await.body.contains("<script>\""));
    assert_eq!(browser.get("/device?user_code=a&user_code=b").await.status, 400);
    // Only our own page in this browser sends it.
    let form = page.form("/device");
    assert_eq!(form.get("user_code"), code);
    for refused in [
        browser.post_form("/device", &form.clone().with("csrf", "forged")).await,
        browser.post_form("/device", &form.clone().without("csrf")).await,
        Browser::new(&world).post_form("/device", &form).await,
        browser.post_cross_site("/device", &form).await,
        browser
            .send(
                browser
                    .request(Method::POST, "/device")
                    .header(ORIGIN, "https://evil.example")
                    .header("content-type", FORM)
                    .body(form.encode()),
            )
            .await,
    ] {
        assert!(refused.is_error_page(403), "{} {}", refused.status, refused.body);
    }
    assert!(browser.post_form("/device", &form).await.location().starts_with("/interaction/"));
});

on_both!(who_polls_too_soon_waits_longer_and_gets_nothing, |world| {
    let (tv, browser, wallet) = (tv(&world, "tv").await, Browser::new(&world), Wallet::new(1));
    let waiting = ask(&tv, "openid").await;
    let slow_down = || (400, "slow_down".to_owned());
    let after = async |seconds: u64| {
        world.clock.advance(Duration::from_secs(seconds));
        poll(&tv, &waiting).await.error()
    };
    assert_eq!(after(0).await, pending(), "the first one is never too soon");
    assert_eq!(after(4).await, slow_down(), "5 seconds");
    assert_eq!(after(9).await, slow_down(), "10 seconds since that one");
    assert_eq!(after(15).await, pending());
    assert_eq!(after(14).await, slow_down(), "it stays at 15");
    let_in(&browser, &wallet, &waiting).await;
    for _ in 0..3 {
        assert_eq!(after(19).await, slow_down(), "it was let in, and polls too soon");
    }
    assert_eq!(
        Tokens::read(&{
            world.clock.advance(Duration::from_secs(35));
            poll(&tv, &waiting).await
        })
        .refresh,
        ""
    );
});

on_both!(a_no_and_the_end_of_time_are_told, |world| {
    let (tv, browser, wallet) = (tv(&world, "tv").await, Browser::new(&world), Wallet::new(1));
    let (denied, late, decided_late) = (ask(&tv, "openid").await, ask(&tv, "openid").await, ask(&tv, "openid").await);
    let interaction = visit(&browser, &denied).await;
    browser.sign_in(&interaction, &wallet).await;
    assert_eq!(browser.decide(&interaction, "deny").await.location(), interaction);
    let page = browser.get(&interaction).await;
    assert!(page.status == 200 && page.body.contains("The device was sent away"), "{}", page.body);
    assert_eq!(poll(&tv, &denied).await.error(), (400, "access_denied".into()));
    // Once decided, it stays so.
    assert_eq!(enter(&browser, denied["user_code"].as_str().unwrap()).await.status, 400);
    assert_eq!(
        browser
            .post_form(
                &format!("{interaction}/consent"),
                &Form::of(&[("csrf", &page_csrf(&browser).await), ("decision", "allow"), ("account", &account_of(&world, &wallet).await)])
            )
            .await
            .status,
        303
    );
    assert_eq!(poll(&tv, &denied).await.error(), (400, "access_denied".into()));

    let interaction = visit(&browser, &decided_late).await;
    let consent = browser.get(&interaction).await;
    world.clock.advance(Duration::from_mins(10));
    let answer = browser.post_form(&format!("{interaction}/consent"), &consent.form("/consent").with("decision", "allow")).await;
    assert_eq!((answer.status, answer.location()), (303, interaction.as_str()));
    let page = browser.get(&interaction).await;
    assert!(page.status == 410 && page.body.contains("does not work any more"), "{} {}", page.status, page.body);
    for waiting in [&late, &decided_late] {
        assert_eq!(poll(&tv, waiting).await.error(), (400, "expired_token".into()));
    }
    assert!(!browser.get("/account").await.body.contains("The tv client"), "nothing was agreed to");
});

async fn page_csrf(browser: &Browser<'_>) -> String {
    browser.get("/device").await.csrf()
}

on_both!(a_device_code_is_its_own_clients_and_of_its_own_kind, |world| {
    let (tv, browser, wallet) = (tv(&world, "tv").await, Browser::new(&world), Wallet::new(1));
    let all = [GrantType::DeviceCode, GrantType::AuthorizationCode, GrantType::RefreshToken];
    world.client("thief", |client| client.metadata.grant_types = all.into()).await;
    let thief = App::public(&world, "thief");
    let waiting = ask(&tv, "openid").await;
    let unknown = json!({ "device_code": "x".repeat(43) });
    let refused = poll(&thief, &waiting).await;
    assert_eq!((refused.error(), refused.body), (invalid_grant(), poll(&thief, &unknown).await.body));
    let_in(&browser, &wallet, &waiting).await;
    assert_eq!(poll(&thief, &waiting).await.error(), invalid_grant());
    assert_eq!(
        Tokens::read(&poll(&tv, &waiting).await).reply["token_type"],
        "Bearer",
        "a thief's polls neither spent it nor slowed it down"
    );

    let own = ask(&thief, "openid offline_access").await;
    let device_code = own["device_code"].as_str().unwrap();
    assert_eq!(thief.redeem(device_code).await.error(), invalid_grant());
    assert_eq!(thief.refresh(device_code).await.error(), invalid_grant());
    let code = thief.code(&browser, &wallet).await;
    for (kind, value) in [("an authorization code", code.as_str()), ("its user code", own["user_code"].as_str().unwrap())] {
        assert_eq!(poll(&thief, &json!({ "device_code": value })).await.error(), invalid_grant(), "{kind}");
    }
    assert_eq!(thief.redeem(&code).await.status, 200);
    let_in(&browser, &wallet, &own).await;
    let tokens = Tokens::read(&poll(&thief, &own).await);
    assert_eq!(thief.redeem(device_code).await.error(), invalid_grant());
    assert_eq!(thief.userinfo(&tokens.access).await.status, 200, "what it gave is no code's to end");
});

on_both!(codes_that_do_not_work_look_alike, |world| {
    let (tv, browser, wallet) = (tv(&world, "tv").await, Browser::new(&world), Wallet::new(1));
    let (used, redeemed) = (ask(&tv, "openid").await, ask(&tv, "openid").await);
    for waiting in [&used, &redeemed] {
        let_in(&browser, &wallet, waiting).await;
    }
    assert_eq!(poll(&tv, &redeemed).await.status, 200);
    let expired = ask(&tv, "openid").await;
    world.client("gone", |client| client.metadata.grant_types = [GrantType::DeviceCode].into()).await;
    let orphan = ask(&App::public(&world, "gone"), "openid").await;
    let now = world.clock.now();
    world.state.store.set_client_disabled(&"gone".parse().unwrap(), Some(now), now).await.unwrap();
    let stranger = Browser::new(&world);
    let mut pages = Vec::new();
    for waiting in
        [&used, &redeemed, &orphan, &json!({ "user_code": "BBBB-BBBB" }), &json!({ "user_code": "no code" }), &json!({ "user_code": "" })]
    {
        pages.push(enter(&stranger, waiting["user_code"].as_str().unwrap()).await);
    }
    world.clock.advance(Duration::from_mins(10));
    pages.push(enter(&stranger, expired["user_code"].as_str().unwrap()).await);
    let plain = |page: &Answer| {
        assert_eq!((page.status, page.header("content-type")), (400, "text/html; charset=utf-8"));
        assert!(page.body.contains("This code does not work"), "{}", page.body);
        // A nonce is each page's own.
        let nonce = page.body.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap();
        page.body.replace(nonce, "NONCE")
    };
    let mut pages: Vec<String> = pages.iter().map(plain).collect();
    pages.dedup();
    assert_eq!(pages.len(), 1);
});

on_one!(an_address_may_try_so_many_codes, [("LIMITS_USER_CODES_PER_MINUTE", "3")], |world| {
    let (tv, browser) = (tv(&world, "tv").await, Browser::new(&world));
    let waiting = ask(&tv, "openid").await;
    // Forms that are not ours use up nothing.
    for _ in 0..5 {
        assert_eq!(browser.post("/device", &[("user_code", "BBBB-BBBB")]).await.status, 403);
    }
    for _ in 0..3 {
        assert_eq!(enter(&Browser::new(&world), "BBBB-BBBB").await.status, 400);
    }
    let out = enter(&browser, waiting["user_code"].as_str().unwrap()).await;
    assert!(out.is_error_page(429), "{} {}", out.status, out.body);
    assert!((1..=60).contains(&out.header("retry-after").parse::<u64>().unwrap()));
    assert_eq!(browser.get("/device").await.status, 200);
});

on_one!(
    nor_may_a_browser_or_everybody_together,
    [("LIMITS_USER_CODES_PER_MINUTE", "2"), ("LIMITS_USER_CODES_IN_ALL_PER_MINUTE", "4"), ("SERVER_TRUSTED_PROXIES", "127.0.0.0/8")],
    |world| {
        let guess = async |browser: &Browser<'_>, from: &str| {
            let form = browser.get("/device").await.form("/device").with("user_code", "BBBB-BBBB");
            let request = browser.request(Method::POST, "/device").header("x-forwarded-for", from).header("content-type", FORM);
            browser.send(request.body(form.encode())).await.status
        };
        let one = Browser::new(&world);
        let mut statuses = Vec::new();
        for from in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
            statuses.push(guess(&one, from).await);
        }
        assert_eq!(statuses, [400, 400, 429], "one browser at many addresses");
        let mut statuses = Vec::new();
        for from in ["192.0.2.4", "192.0.2.5", "192.0.2.6"] {
            statuses.push(guess(&Browser::new(&world), from).await);
        }
        assert_eq!(statuses, [400, 400, 429], "many browsers at many addresses");
    }
);

on_one!(public_devices_are_limited, [("LIMITS_DEVICES_PER_MINUTE", "2")], |world| {
    let tv = tv(&world, "tv").await;
    for _ in 0..2 {
        ask(&tv, "openid").await;
    }
    let out = tv.post("/device/code", &asking(&tv, "openid")).await;
    assert_eq!(out.error(), (429, "too_many_requests".into()));
    assert!((1..=60).contains(&out.header("retry-after").parse::<u64>().unwrap()));
});

on_both!(a_poll_that_is_refused_begins_nothing, |world| {
    let tv = tv(&world, "tv").await;
    let store = &world.state.store;
    let waiting = ask(&tv, "openid offline_access").await;
    let_in(&Browser::new(&world), &Wallet::new(1), &waiting).await;
    world.clock.advance(Duration::from_secs(1));
    let account = store.accounts().await.unwrap().remove(0).id;
    store.set_account_disabled(account, Some(world.clock.now()), world.clock.now()).await.unwrap();
    assert_eq!(poll(&tv, &waiting).await.error(), invalid_grant());
    world.clock.advance(Duration::from_hours(24 * 400));
    let swept = store.sweep(world.clock.now()).await.unwrap();
    assert_eq!((swept.codes, swept.refresh_tokens), (0, 0), "no record and no family was stored");
});

on_both!(what_ended_meanwhile_gives_nothing, |world| {
    let tv = tv(&world, "tv").await;
    let store = &world.state.store;
    let id = "tv".parse().unwrap();
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    let withdraw = async || {
        let page = browser.get("/account").await;
        let form = Form::of(&[("csrf", &page.csrf()), ("client_id", "tv")]);
        assert_eq!(browser.post_form("/account/apps/withdraw", &form).await.status, 303);
    };
    // Withdrawn, and agreed to anew for another device.
    let waiting = ask(&tv, "openid offline_access").await;
    let_in(&browser, &wallet, &waiting).await;
    world.clock.advance(Duration::from_secs(1));
    withdraw().await;
    let another = ask(&tv, "openid offline_access").await;
    world.clock.advance(Duration::from_secs(1));
    let_in(&browser, &wallet, &another).await;
    let refused = poll(&tv, &waiting).await;
    assert!(refused.error() == invalid_grant() && refused.body.contains("withdrew"), "{}", refused.body);
    let tokens = Tokens::read(&poll(&tv, &another).await);
    withdraw().await;
    tv.assert_refused(&tokens.access, "the app was withdrawn").await;
    assert_eq!(tv.refresh(&tokens.refresh).await.error(), invalid_grant());

    // Who signs out has let the device in all the same.
    let waiting = ask(&tv, "openid").await;
    world.clock.advance(Duration::from_secs(1));
    let_in(&browser, &wallet, &waiting).await;
    let page = browser.get("/account").await;
    assert_eq!(browser.post_form("/account/sign-out", &Form::of(&[("csrf", &page.csrf())])).await.status, 303);
    let tokens = Tokens::read(&poll(&tv, &waiting).await);
    assert_eq!(tv.userinfo(&tokens.access).await.status, 200);

    let account = store.accounts().await.unwrap().remove(0).id;
    let waiting = ask(&tv, "openid").await;
    let_in(&Browser::new(&world), &wallet, &waiting).await;
    world.clock.advance(Duration::from_secs(1));
    for disabled in [Some(world.clock.now()), None] {
        store.set_account_disabled(account, disabled, world.clock.now()).await.unwrap();
    }
    let refused = poll(&tv, &waiting).await;
    assert!(refused.error() == invalid_grant() && refused.body.contains("account"), "{}", refused.body);
    tv.assert_refused(&tokens.access, "the account was disabled").await;

    world.clock.advance(Duration::from_secs(1));
    let waiting = ask(&tv, "openid").await;
    let_in(&Browser::new(&world), &wallet, &waiting).await;
    world.clock.advance(Duration::from_secs(1));
    for disabled in [Some(world.clock.now()), None] {
        store.set_client_disabled(&id, disabled, world.clock.now()).await.unwrap();
    }
    world.forget_clients(&["tv"]).await;
    let refused = poll(&tv, &waiting).await;
    assert!(refused.error() == invalid_grant() && refused.body.contains("client"), "{}", refused.body);
    // What was refused is spent, and no family was begun.
    assert!(poll(&tv, &waiting).await.body.contains("already used"));
});

on_both!(a_device_that_a_removed_way_let_in_gets_nothing, |world| {
    let tv = tv(&world, "tv").await;
    let (kept, lost, store) = (Wallet::new(1), Wallet::new(2), &world.state.store);
    let (browser, thief) = (Browser::new(&world), Browser::new(&world));
    browser.sign_in_to_account(&kept).await;
    let account = store.owner_of_identity(&Provider::web3(), &kept.address.to_string()).await.unwrap().unwrap();
    let proved = Proved { provider: Provider::web3(), subject: lost.address.to_string(), label: String::new(), email: None };
    assert_eq!(store.link_identity(account, &proved, world.clock.now()).await.unwrap(), Linked::Now);
    let (mine, theirs) = (ask(&tv, "openid offline_access").await, ask(&tv, "openid offline_access").await);
    let_in(&browser, &kept, &mine).await;
    let_in(&thief, &lost, &theirs).await;
    let session = store.sessions(account, world.clock.now()).await.unwrap()[0].id;
    let (web3, subject) = (Provider::web3(), lost.address.to_string());
    assert_eq!(store.unlink_identity(account, &web3, &subject, session, world.clock.now()).await.unwrap(), Unlinked::Now);
    assert_eq!(poll(&tv, &theirs).await.error(), (400, "access_denied".into()));
    assert_eq!(poll(&tv, &mine).await.status, 200, "one that was let in another way");
});

on_both!(of_fifty_polls_one_gets_the_tokens, |world| {
    let (tv, browser, wallet) = (tv(&world, "tv").await, Browser::new(&world), Wallet::new(1));
    let waiting = ask(&tv, "openid offline_access").await;
    let_in(&browser, &wallet, &waiting).await;
    let answers = futures_util::future::join_all((0..50).map(|_| poll(&tv, &waiting))).await;
    let given: Vec<Tokens> = answers.iter().filter(|answer| answer.status == 200).map(Tokens::read).collect();
    assert_eq!(given.len(), 1);
    assert!(answers.iter().filter(|answer| answer.status != 200).all(|answer| answer.error() == invalid_grant()));
    assert_eq!(tv.userinfo(&given[0].access).await.status, 200);
    assert_eq!(tv.refresh(&given[0].refresh).await.status, 200);
});

on_both!(a_client_asks_as_at_the_token_endpoint, |world| {
    tv(&world, "tv").await;
    world
        .client("box", |client| {
            client.auth_method = AuthMethod::ClientSecret;
            client.secret_hash = Some(TokenHash::of(SECRET));
            client.metadata.grant_types = [GrantType::DeviceCode].into();
        })
        .await;
    let browser = Browser::new(&world);
    let (tv, own) = (App::public(&world, "tv"), App::public(&world, "box"));
    for (form, outcome) in [
        (asking(&tv, "openid"), (200, "")),
        (asking(&own, "openid").with("client_secret", SECRET), (200, "")),
        (asking(&own, "openid"), (401, "invalid_client")),
        (asking(&own, "openid").with("client_secret", "wrong"), (401, "invalid_client")),
        (asking(&tv, "openid").with("client_id", "nobody"), (401, "invalid_client")),
        (asking(&tv, "openid").without("client_id"), (401, "invalid_client")),
        (asking(&tv, "openid").with("client_id", "app"), (400, "unauthorized_client")),
        (asking(&tv, "openid").and("scope", "email"), (400, "invalid_request")),
        (asking(&tv, "openid").without("scope"), (400, "invalid_scope")),
        (asking(&tv, "unheard_of"), (400, "invalid_scope")),
        (asking(&tv, "openid").with("resource", "https://nowhere.example"), (400, "invalid_target")),
        (asking(&own, "offline_access").with("client_secret", SECRET), (400, "invalid_scope")),
    ] {
        let answer = browser.post_form("/device/code", &form).await;
        assert_eq!(answer.error(), (outcome.0, outcome.1.to_owned()), "{form:?}: {}", answer.body);
    }
    let own = own.with_secret();
    let waiting = ask(&own, "openid offline_access").await;
    assert_eq!(poll(&own, &waiting).await.error(), pending());
    assert_eq!(poll(&App::public(&world, "box"), &waiting).await.error(), (401, "invalid_client".into()));
    // What it cannot use is not asked of its person.
    let interaction = visit(&browser, &waiting).await;
    browser.sign_in(&interaction, &Wallet::new(1)).await;
    assert!(!browser.get(&interaction).await.body.contains("while you are away"));
    assert_eq!(tv.token(&polling(&tv, &waiting).without("device_code")).await.error(), (400, "invalid_request".into()));
    assert_eq!(
        App::public(&world, "app").token(&polling(&App::public(&world, "app"), &waiting)).await.error(),
        (400, "unauthorized_client".into())
    );
    assert_eq!(browser.get("/device/code").await.status, 405);
});

on_both!(a_visit_with_a_device_is_one_browsers_and_one_persons, |world| {
    let (tv, browser, other) = (tv(&world, "tv").await, Browser::new(&world), Browser::new(&world));
    let (ada, bob) = (Wallet::new(1), Wallet::new(2));
    let waiting = ask(&tv, "openid").await;
    let interaction = visit(&browser, &waiting).await;
    browser.sign_in(&interaction, &ada).await;
    let consent = browser.get(&interaction).await.form("/consent").with("decision", "allow");
    let theirs = visit(&other, &waiting).await;
    assert!(other.get(&interaction).await.is_error_page(410));
    for (browser, form, status) in [
        (&other, consent.clone().with("csrf", &page_csrf(&other).await), 410),
        (&other, consent.clone(), 403),
        (&browser, consent.clone().with("csrf", "forged"), 403),
        (&browser, consent.clone().without("csrf"), 403),
        // Another account than the one that the page named.
        (&browser, consent.clone().with("account", "0197a3c2-41f0-7cc1-a6a1-6d5b2f0f9a11"), 303),
    ] {
        assert_eq!(browser.post_form(&format!("{interaction}/consent"), &form).await.status, status, "{form:?}");
    }
    assert_eq!(poll(&tv, &waiting).await.error(), pending());
    // Without a session nobody lets a device in.
    let form = Form::of(&[("csrf", &page_csrf(&other).await), ("decision", "allow"), ("account", &account_of(&world, &ada).await)]);
    assert_eq!(other.post_form(&format!("{theirs}/consent"), &form).await.location(), theirs);
    assert!(other.get(&theirs).await.is_sign_in());
    // Who gives up there leaves it waiting.
    let form = Form::of(&[("csrf", &page_csrf(&other).await)]);
    assert_eq!(other.post_form(&format!("{theirs}/cancel"), &form).await.location(), "/device");
    assert!(other.get(&theirs).await.is_error_page(410));
    let theirs = visit(&other, &waiting).await;
    other.sign_in(&theirs, &bob).await;

    assert_eq!(browser.post_form(&format!("{interaction}/consent"), &consent).await.status, 303);
    // The first yes counts, and the other person is not told whose it was.
    let late = other
        .post_form(
            &format!("{theirs}/consent"),
            &Form::of(&[("csrf", &page_csrf(&other).await), ("decision", "allow"), ("account", &account_of(&world, &bob).await)]),
        )
        .await;
    assert_eq!(late.status, 303);
    let page = other.get(&theirs).await;
    assert!(page.status == 410 && page.body.contains("does not work any more"), "{} {}", page.status, page.body);
    assert!(!other.get("/account").await.body.contains("The tv client"), "nothing was agreed to");
    world.clock.advance(Duration::from_secs(5));
    let tokens = Tokens::read(&poll(&tv, &waiting).await);
    assert_eq!(tokens.claims().1["sub"], latchkey_subject(&world, &ada).await);
});

async fn latchkey_subject(world: &World, wallet: &Wallet) -> Value {
    let accounts = world.state.store.accounts().await.unwrap();
    let account = accounts.into_iter().find(|account| account.identities[0].subject == wallet.address.to_string()).unwrap();
    json!(account.id.to_string())
}

// The id by which the consent page names somebody's account.
async fn account_of(world: &World, wallet: &Wallet) -> String {
    latchkey_subject(world, wallet).await.as_str().unwrap().to_owned()
}

on_both!(no_code_of_a_device_is_in_the_database, |world| {
    let (tv, browser, wallet) = (tv(&world, "tv").await, Browser::new(&world), Wallet::new(1));
    let waiting = ask(&tv, "openid").await;
    let interaction = visit(&browser, &waiting).await;
    browser.sign_in(&interaction, &wallet).await;
    let dump = world.dump().await;
    let code = waiting["user_code"].as_str().unwrap();
    for text in [code, &code.replace('-', ""), waiting["device_code"].as_str().unwrap()] {
        assert!(!dump.contains(text.as_bytes()), "{text}");
    }
    // A plain hash of a code could be turned back by trying all there are.
    for text in [code, &code.replace('-', "")] {
        assert!(!dump.contains(TokenHash::of(text).as_bytes()), "{text}");
    }
    assert!(dump.contains(REDIRECT_URI.as_bytes()), "the search finds what is there");
});

const FILE: &str = r#"
[[resources]]
uri = "https://garage.example/api"
name = "The Garage"
scopes = { "garage:read" = "See the vehicles in your garage" }
clients = ["garage-server"]
"#;

on_both!(a_device_may_ask_for_a_resource, [("FILE", FILE)], |world| {
    let (tv, browser, wallet) = (tv(&world, "tv").await, Browser::new(&world), Wallet::new(1));
    let garage = "https://garage.example/api";
    let ask = async || tv.post("/device/code", &asking(&tv, "openid garage:read").with("resource", garage)).await.json();
    let waiting = ask().await;
    let interaction = visit(&browser, &waiting).await;
    browser.sign_in(&interaction, &wallet).await;
    let page = browser.get(&interaction).await.body;
    assert!(page.contains("See the vehicles in your garage") && page.contains("Use The Garage in your name"), "{page}");
    browser.decide(&interaction, "allow").await;
    let elsewhere = polling(&tv, &waiting).with("resource", "https://nowhere.example");
    assert_eq!(tv.token(&elsewhere).await.error(), (400, "invalid_target".into()), "and nothing is spent");
    let (access, id) = Tokens::read(&poll(&tv, &waiting).await).claims();
    assert_eq!((&access["aud"], &access["scope"], &id["aud"]), (&json!(garage), &json!("garage:read openid"), &json!("tv")));
});

on_one!(who_let_itself_in_asks_for_so_many_codes, [("LIMITS_SELF_REGISTERED_PER_MINUTE", "2")], |world| {
    for (id, source, statuses) in
        [("self", latchkey::store::ClientSource::Registration, [200, 200, 429]), ("ours", latchkey::store::ClientSource::Command, [200; 3])]
    {
        world
            .client(id, |client| {
                client.auth_method = latchkey::domain::AuthMethod::ClientSecret;
                client.secret_hash = Some(latchkey::domain::TokenHash::of(crate::world::SECRET));
                client.metadata.grant_types = [latchkey::domain::GrantType::DeviceCode].into();
                client.source = source;
            })
            .await;
        let app = App::confidential(&world, id);
        let mut got = Vec::new();
        for _ in 0..3 {
            got.push(app.post("/device/code", &asking(&app, "openid")).await.status);
        }
        assert_eq!(got, statuses, "{id}");
    }
});
