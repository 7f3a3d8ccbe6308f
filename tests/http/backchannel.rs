//! Back-channel logout: whatever ends a session, its apps are told, whether they answer well, badly, late or not at all; and nobody waits.

use std::time::{Duration, Instant};

use latchkey::domain::SigningAlg;
use serde_json::json;

use crate::actors::{App, Browser, Form, Wallet, decode};
use crate::listener::{Listener, Say};
use crate::world::{BEGINNING, ISSUER, World};
use crate::{forge, on_both, on_one};

const INSIDE: (&str, &str) = ("EGRESS_ALLOW_PRIVATE_NETWORKS", "true");

async fn listening(world: &World, id: &str, listener: &Listener) {
    let uri = listener.uri();
    world.client(id, |client| client.backchannel_logout_uri = Some(uri)).await;
}

/// Signs out with the hint of an ID token.
async fn sign_out(browser: &Browser<'_>, id_token: &str) {
    let answer = browser.get(&format!("/logout?{}", Form::of(&[("id_token_hint", id_token)]).encode())).await;
    assert_eq!(answer.location(), "/logged-out");
}

/// How many messages there are that wait for `seconds` from now at most.
async fn waiting(world: &World, seconds: u64) -> usize {
    world.state.store.due_messages(world.clock.now().plus(Duration::from_secs(seconds)), 100).await.unwrap().len()
}

/// Waits until so many messages wait for that long at most: what becomes of an attempt is stored after the app has heard it.
async fn until_waiting(world: &World, seconds: u64, count: usize) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while waiting(world, seconds).await != count {
        assert!(Instant::now() < deadline, "{} messages wait", waiting(world, seconds).await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A day but a moment: as long as a message is tried for.
const A_DAY: u64 = 24 * 3_600 - 1;

on_both!(an_app_is_told_of_the_end_of_its_session, [INSIDE], |world| {
    let (first, second) = (Listener::new(&[]).await, Listener::new(&[Say::Status(204)]).await);
    listening(&world, "first", &first).await;
    let uri = second.uri();
    world
        .client("second", |client| {
            client.backchannel_logout_uri = Some(uri);
            client.signing_alg = SigningAlg::Es256;
            client.subject_type = Some(latchkey::domain::SubjectType::Pairwise);
        })
        .await;
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    App::public(&world, "app").tokens(&browser, &wallet).await;
    let mut ids = Vec::new();
    for id in ["first", "second"] {
        ids.push(App::public(&world, id).tokens(&browser, &wallet).await.id);
    }
    sign_out(&browser, &ids[0]).await;
    let keys = forge::jwks(&browser).await;
    for (listener, id_token, app, alg) in [(&first, &ids[0], "first", "RS256"), (&second, &ids[1], "second", "ES256")] {
        let heard = listener.heard(1).await.remove(0);
        assert!(heard.head.starts_with("post /ended?app=1 http/1.1"), "{}", heard.head);
        assert!(heard.head.contains("content-type: application/x-www-form-urlencoded"), "{}", heard.head);
        assert!(forge::verifies(&keys, &heard.token));
        let (header, mut claims) = decode(&heard.token);
        assert_eq!((&header["typ"], &header["alg"]), (&json!("logout+jwt"), &json!(alg)));
        assert!(claims.as_object_mut().unwrap().remove("jti").unwrap().as_str().unwrap().len() >= 32);
        let of_id = decode(id_token).1;
        assert_eq!(
            claims,
            json!({
                "iss": ISSUER, "sub": of_id["sub"], "aud": app, "iat": BEGINNING, "exp": BEGINNING + 120, "sid": of_id["sid"],
                "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
            }),
            "and nothing else, a nonce least of all"
        );
        // It passes for no other token.
        let userinfo = App::public(&world, app).userinfo(&heard.token).await;
        assert_eq!(userinfo.status, 401);
    }
    until_waiting(&world, A_DAY, 0).await;
});

on_both!(whatever_ends_a_session_is_told, [INSIDE], |world| {
    let listener = Listener::new(&[]).await;
    listening(&world, "told", &listener).await;
    let (app, wallet) = (App::public(&world, "told"), Wallet::new(1));
    let mut count = 0;
    for end in ["sign-out", "sign-out-everywhere", "withdraw", "another person", "disabled"] {
        let browser = Browser::new(&world);
        let (_, id) = app.tokens(&browser, &wallet).await.claims();
        match end {
            "sign-out" | "sign-out-everywhere" => {
                let csrf = browser.get("/account").await.csrf();
                assert_eq!(browser.post(&format!("/account/{end}"), &[("csrf", &csrf)]).await.location(), "/logged-out");
            }
            "withdraw" => {
                let csrf = browser.get("/account").await.csrf();
                let withdrawn = browser.post("/account/apps/withdraw", &[("csrf", &csrf), ("client_id", "told")]).await;
                assert_eq!(withdrawn.location(), "/account");
                assert_eq!(browser.get("/account").await.status, 200, "the person is still signed in here");
            }
            "another person" => {
                let interaction = browser.begin(&app.request().with("prompt", "login")).await;
                assert_eq!(browser.sign_in(&interaction, &Wallet::new(2)).await.status, 200);
            }
            // As by the command line, which wakes nobody: it is found all the same.
            _ => {
                let accounts = world.state.store.accounts().await.unwrap();
                let subject = wallet.address.to_string();
                let account = accounts.iter().find(|account| account.identities[0].subject == subject).unwrap().id;
                let now = world.clock.now();
                assert!(world.state.store.set_account_disabled(account, Some(now), now).await.unwrap());
            }
        }
        count += 1;
        let heard = listener.heard(count).await;
        assert_eq!(heard.len(), count, "{end}");
        let claims = heard[count - 1].claims();
        assert_eq!((&claims["sub"], &claims["sid"]), (&id["sub"], &id["sid"]), "{end}");
        until_waiting(&world, A_DAY, 0).await;
    }
});

on_one!(an_app_that_says_no_was_told, [INSIDE], |world| {
    let listener = Listener::new(&[Say::Status(400)]).await;
    listening(&world, "told", &listener).await;
    let browser = Browser::new(&world);
    let tokens = App::public(&world, "told").tokens(&browser, &Wallet::new(1)).await;
    sign_out(&browser, &tokens.id).await;
    listener.heard(1).await;
    until_waiting(&world, A_DAY, 0).await;
});

on_one!(an_app_in_trouble_hears_again_under_the_same_name, [INSIDE], |world| {
    let listener = Listener::new(&[Say::Status(500), Say::Status(429), Say::Elsewhere("/elsewhere".into())]).await;
    listening(&world, "told", &listener).await;
    let browser = Browser::new(&world);
    let tokens = App::public(&world, "told").tokens(&browser, &Wallet::new(1)).await;
    sign_out(&browser, &tokens.id).await;
    let mut waited = 0;
    for (times, pause) in [(1, 1), (2, 2), (3, 5)] {
        listener.heard(times).await;
        until_waiting(&world, pause, 1).await;
        assert_eq!(waiting(&world, pause - 1).await, 0, "it is not tried before {pause} s have passed");
        world.clock.advance(Duration::from_secs(pause));
        waited += pause;
        world.state.messages.notify_one();
    }
    let heard = listener.heard(4).await;
    assert!(heard.iter().all(|heard| heard.head.starts_with("post /ended?app=1 ")), "no redirect is followed: {heard:?}");
    let claims: Vec<_> = heard.iter().map(super::listener::Heard::claims).collect();
    assert!(claims.iter().all(|later| later["jti"] == claims[0]["jti"] && later["sid"] == claims[0]["sid"]));
    assert_eq!(claims[3]["iat"], json!(BEGINNING + i64::try_from(waited).unwrap()), "each attempt has a token of its own");
    until_waiting(&world, A_DAY, 0).await;
});

on_one!(nobody_waits_for_an_app_that_is_silent_or_away, [INSIDE], |world| {
    let (silent, quick) = (Listener::new(&[Say::Nothing]).await, Listener::new(&[]).await);
    let away = Listener::new(&[]).await;
    let port = away.port();
    for (id, listener) in [("silent", &silent), ("away", &away), ("quick", &quick)] {
        listening(&world, id, listener).await;
    }
    drop(away);
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    let mut id_token = String::new();
    for id in ["silent", "away", "quick"] {
        id_token = App::public(&world, id).tokens(&browser, &wallet).await.id;
    }
    let began = Instant::now();
    sign_out(&browser, &id_token).await;
    quick.heard(1).await;
    assert!(began.elapsed() < Duration::from_secs(4), "somebody waited for the silent one");
    silent.heard(1).await;
    // Both failed, the silent one after its time.
    until_waiting(&world, 1, 2).await;
    let back = Listener::at(port, &[]).await;
    world.clock.advance(Duration::from_secs(1));
    world.state.messages.notify_one();
    back.heard(1).await;
    silent.heard(2).await;
    until_waiting(&world, A_DAY, 0).await;
    assert_eq!(quick.heard(1).await.len(), 1);
});

on_one!(an_address_inside_is_never_spoken_to, |world| {
    let listener = Listener::new(&[]).await;
    listening(&world, "told", &listener).await;
    world.client("tls", |client| client.backchannel_logout_uri = Some(format!("https://127.0.0.1:{}/", listener.port()))).await;
    world.client("name", |client| client.backchannel_logout_uri = Some(format!("https://localhost:{}/", listener.port()))).await;
    let browser = Browser::new(&world);
    let mut id_token = String::new();
    for id in ["told", "tls", "name"] {
        id_token = App::public(&world, id).tokens(&browser, &Wallet::new(1)).await.id;
    }
    sign_out(&browser, &id_token).await;
    // Each is tried, and to be tried again.
    until_waiting(&world, 0, 0).await;
    until_waiting(&world, 1, 3).await;
    assert!(listener.heard(0).await.is_empty());
});

on_one!(an_app_that_was_switched_off_hears_nothing, [INSIDE], |world| {
    let listener = Listener::new(&[Say::Status(500)]).await;
    listening(&world, "told", &listener).await;
    let browser = Browser::new(&world);
    let tokens = App::public(&world, "told").tokens(&browser, &Wallet::new(1)).await;
    sign_out(&browser, &tokens.id).await;
    listener.heard(1).await;
    until_waiting(&world, 1, 1).await;
    let now = world.clock.now();
    assert!(world.state.store.set_client_disabled(&"told".parse().unwrap(), Some(now), now).await.unwrap());
    world.forget_clients(&["told"]).await;
    world.clock.advance(Duration::from_secs(1));
    world.state.messages.notify_one();
    until_waiting(&world, A_DAY, 0).await;
    assert_eq!(listener.heard(1).await.len(), 1);
});
