//! Limits for each address: told in the format of each endpoint, counted for the caller and not for whom a header names.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::actors::{Answer, App, Browser, Form, Wallet};
use crate::api_challenge::{GENERATE, ask};
use crate::grants_api::{call, persons};
use crate::on_one;
use crate::world::{Engine, FORM, SECRET, World};

fn waits(answer: &Answer) -> bool {
    answer.status == 429 && answer.header("retry-after").parse::<u64>().is_ok_and(|seconds| (1..=60).contains(&seconds))
}

on_one!(the_steps_of_the_wallet_are_limited, [("LIMITS_SIGNINS_PER_MINUTE", "3"), ("LIMITS_VISITS_PER_MINUTE", "1")], |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let interaction = browser.begin(&app.request()).await;
    let mut asked = browser.ask(&interaction, &wallet).await;
    asked.challenge = browser.ask(&interaction, &wallet).await.challenge;
    let wrong = browser.answer(&interaction, &asked, "0x").await;
    assert_eq!(wrong.error(), (400, "signature_invalid".into()));
    let out = browser.answer(&interaction, &asked, "0x").await;
    assert!(waits(&out), "{} {}", out.status, out.body);
    assert_eq!(out.json()["error"], "too_many_requests");
    let body = json!({ "address": wallet.address, "chain_id": 137 });
    assert!(waits(&browser.post_json(&format!("{interaction}/wallet/challenge"), &asked.csrf, &body).await));
    // Visits have a counter of their own, since anybody's page can send a browser here; looking at a page is not limited.
    let begun = browser.auth(&app.request()).await;
    assert!(waits(&begun) && begun.is_error_page(429), "{} {}", begun.status, begun.body);
    assert!(waits(&browser.post_cross_site("/auth", &app.request()).await));
    assert!(browser.get(&interaction).await.is_sign_in());
});

async fn generate(world: &World, forwarded: &[&str]) -> u16 {
    let browser = Browser::new(world);
    let request =
        browser.bare(Method::POST, GENERATE).header("content-type", FORM).body(ask("app", &Wallet::new(1).address.to_string()).encode());
    browser.send(forwarded.iter().fold(request, |request, value| request.header("x-forwarded-for", *value))).await.status
}

on_one!(a_caller_cannot_choose_the_address_that_is_counted, [("LIMITS_CHALLENGES_PER_MINUTE", "2")], |world| {
    let mut statuses = Vec::new();
    for forwarded in [["192.0.2.1"], ["192.0.2.2"], ["192.0.2.3"], ["127.0.0.2, 192.0.2.4"]] {
        statuses.push(generate(&world, &forwarded).await);
    }
    assert_eq!(statuses, [200, 200, 429, 429]);
});

on_one!(
    behind_a_trusted_proxy_the_caller_is_the_last_unknown_hop,
    [("LIMITS_CHALLENGES_PER_MINUTE", "2"), ("SERVER_TRUSTED_PROXIES", "127.0.0.0/8,10.0.0.0/8")],
    |world| {
        // Whatever a caller writes in front of its own address.
        let mut statuses = Vec::new();
        for forwarded in [
            vec!["1.1.1.1, 192.0.2.1"],
            vec!["2.2.2.2", "192.0.2.1"],
            vec!["3.3.3.3, 192.0.2.1, 10.0.0.9"],
            vec!["192.0.2.9, 192.0.2.1:4711"],
        ] {
            statuses.push(generate(&world, &forwarded).await);
        }
        assert_eq!(statuses, [200, 200, 429, 429]);
        // Another caller behind the same proxy.
        assert_eq!(generate(&world, &["192.0.2.1, 192.0.2.2"]).await, 200);
        // Neighbours in one IPv6 network are one caller.
        let mut statuses = Vec::new();
        for forwarded in ["2001:db8:1:2::1", "2001:db8:1:2:ffff::2", "2001:db8:1:2::3", "2001:db8:1:3::1"] {
            statuses.push(generate(&world, &[forwarded]).await);
        }
        assert_eq!(statuses, [200, 200, 429, 200]);
        // What cannot be read hides nobody: all of them are the proxy's.
        let mut statuses = Vec::new();
        for forwarded in ["192.0.2.77, unknown", "192.0.2.78, _hidden", "192.0.2.79, "] {
            statuses.push(generate(&world, &[forwarded]).await);
        }
        assert_eq!(statuses, [200, 200, 429]);
    }
);

on_one!(what_is_not_a_page_of_ours_begins_no_visit, |world| {
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    let path = format!("/auth?{}", app.request().encode());
    for (dest, status) in [("image", 403), ("script", 403), ("empty", 403), ("document", 303), ("iframe", 303)] {
        let answer = browser.send(browser.bare(reqwest::Method::GET, &path).header("sec-fetch-dest", dest)).await;
        assert_eq!(answer.status, status, "{dest}: {}", answer.body);
    }
});

on_one!(a_form_that_is_kept_is_small, |world| {
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    assert_eq!(browser.post_cross_site("/auth", &app.request()).await.status, 303);
    let long = app.request().with("login_hint", &"x".repeat(17_000));
    assert!(browser.post_cross_site("/auth", &long).await.is_error_page(400));
});

on_one!(claim_codes_are_tried_by_a_person_so_often, [("LIMITS_USER_CODES_PER_MINUTE", "2")], |world| {
    let (ada, bob) = (Wallet::new(1), Wallet::new(2));
    let browser = Browser::new(&world);
    browser.sign_in_to_account(&ada).await;
    let csrf = browser.get("/account/assets").await.csrf();
    let guess = async || browser.post("/account/assets/claim", &[("csrf", &csrf), ("code", "a guess")]).await;
    assert_eq!(guess().await.status, 400);
    // Whatever the door, it is the same person's try.
    let token = persons(&world, "app", &ada, "openid assets:write").await;
    let body = json!({ "code": "a guess" });
    let by_api = async |token: &str| call(&world, Method::POST, "/v1/assets/claim", token, Some(&body)).await;
    assert_eq!(by_api(&token).await.status, 404);
    let out = by_api(&token).await;
    assert!(waits(&out), "{} {}", out.status, out.body);
    let out = guess().await;
    assert!(waits(&out) && out.is_error_page(429), "{} {}", out.status, out.body);
    assert_eq!(by_api(&persons(&world, "app", &bob, "openid assets:write").await).await.status, 404, "another person");
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(guess().await.status, 400);
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_count_together_what_can_be_guessed() {
    let world = World::new(Engine::Postgres, &[("LIMITS_FAILURES_PER_MINUTE", "4"), ("LIMITS_USER_CODES_PER_MINUTE", "4")]).await;
    let replica = world.replica().await;
    let (here, there) = (world.base.as_str(), replica.base.as_str());
    let secrets = async |base, secret: &str| {
        let app = App::at(base, "web");
        app.token(&app.redemption("anything").with("client_secret", secret)).await.status
    };
    let mut statuses = Vec::new();
    for base in [here, there, here, there, here, there] {
        statuses.push(secrets(base, "wrong").await);
    }
    // The one after the last is told what was wrong with it, at each replica once.
    assert_eq!(statuses, [401; 6]);
    assert_eq!([secrets(here, SECRET).await, secrets(there, SECRET).await], [429; 2]);
    let codes = async |base| {
        let browser = Browser::at(base);
        let form: Form = browser.get("/device").await.form("/device").with("user_code", "BBBB-BBBB");
        browser.post_form("/device", &form).await.status
    };
    let mut statuses = Vec::new();
    for base in [here, there, here, there, here, there] {
        statuses.push(codes(base).await);
    }
    assert_eq!(statuses, [400, 400, 400, 400, 429, 429]);
    world.clock.advance(Duration::from_mins(1));
    assert_eq!([secrets(here, SECRET).await, secrets(there, SECRET).await], [400; 2], "the secret is right, the code is not");
    assert_eq!(codes(there).await, 400);
}
