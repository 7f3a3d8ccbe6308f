//! The message that a wallet signs in the browser: built by the server, for one visit, one browser, one account, one use.

use std::time::Duration;

use serde_json::{Value, json};

use crate::actors::{Answer, App, Browser, Signer, Wallet};
use crate::world::ISSUER;
use crate::{on_both, on_one};

fn refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!(answer.error(), (status, error.to_owned()), "{}", answer.body);
    let body = answer.json();
    assert!(["title", "message"].iter().all(|name| body[*name].as_str().is_some_and(|text| !text.is_empty())), "{body}");
    assert!(answer.set_cookies().is_empty(), "a refusal signs nobody in");
    assert_eq!(answer.header("cache-control"), "no-store");
}

on_both!(the_message_is_of_this_site_this_app_and_this_account, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let interaction = browser.begin(&app.request()).await;
    let asked = browser.ask(&interaction, &wallet).await;
    let lines: Vec<&str> = asked.message.lines().collect();
    let nonce = lines[8].strip_prefix("Nonce: ").unwrap();
    let expected = format!(
        "localhost:8080 wants you to sign in with your Ethereum account:\n{}\n\nSign in to The app client. You will go back to app.example.\n\nURI: {ISSUER}\nVersion: 1\nChain ID: 137\n\
         Nonce: {nonce}\nIssued At: 2026-01-01T00:00:00Z\nExpiration Time: 2026-01-01T00:10:00Z\nRequest ID: {}",
        wallet.address, asked.challenge
    );
    assert_eq!(asked.message, expected);
    // 128 bits, anew each time.
    assert!(nonce.len() == 32 && nonce.bytes().all(|b| b.is_ascii_alphanumeric()), "{nonce}");
    assert_ne!(browser.ask(&interaction, &wallet).await.message.lines().nth(8), lines.get(8).copied());
});

on_both!(every_form_of_a_good_signature_is_taken, |world| {
    let (app, wallet) = (App::public(&world, "app"), Wallet::new(1));
    let forms: [Signer; 4] = [
        |wallet, message| wallet.sign(message),
        |wallet, message| wallet.sign_with_v(message, 0),
        Wallet::sign_compact,
        |wallet, message| wallet.sign(message).to_uppercase().replace("0X", "0x"),
    ];
    for (number, form) in forms.iter().enumerate() {
        let browser = Browser::new(&world);
        let interaction = browser.begin(&app.request()).await;
        let asked = browser.ask(&interaction, &wallet).await;
        assert_eq!(
            browser.answer(&interaction, &asked, &form(&wallet, &asked.message)).await.json(),
            json!({ "next": interaction }),
            "{number}"
        );
    }
});

on_both!(what_is_no_signature_of_the_message_is_refused, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let interaction = browser.begin(&app.request()).await;
    let tampered: &[(&str, &str)] = &[
        ("localhost:8080", "evil.example"),
        ("Chain ID: 137", "Chain ID: 1"),
        ("URI: http://localhost:8080", "URI: https://evil.example"),
        ("Version: 1", "Version: 2"),
        ("00:10:00Z", "23:59:59Z"),
        ("Request ID: ", "Request ID: 0"),
        ("Nonce: ", "Nonce: 0"),
        ("app.example", "evil.example"),
        ("The app client", "Another app"),
        ("\nRequest ID", "\n\nRequest ID"),
    ];
    for (from, to) in tampered {
        let asked = browser.ask(&interaction, &wallet).await;
        let other = asked.message.replacen(from, to, 1);
        assert_ne!(other, asked.message);
        refused(&browser.answer(&interaction, &asked, &wallet.sign(&other)).await, 400, "signature_invalid");
    }
    let makers: [(&str, Signer); 12] = [
        ("another key", |_, message| Wallet::new(2).sign(message)),
        ("high s", Wallet::sign_high_s),
        ("v of 2", |wallet, message| wallet.sign_with_v(message, 2)),
        ("v of 35", |wallet, message| wallet.sign_with_v(message, 35)),
        ("wrong parity", Wallet::sign_for_another),
        ("nothing", |_, _| String::new()),
        ("zeros", |_, _| format!("0x{}", "0".repeat(130))),
        ("ones", |_, _| format!("0x{}", "f".repeat(130))),
        ("no prefix", |wallet, message| wallet.sign(message)[2..].to_owned()),
        ("66 bytes", |wallet, message| format!("{}00", wallet.sign(message))),
        ("no hex", |_, _| format!("0x{}", "g".repeat(130))),
        ("not ascii", |_, _| format!("0x{}", "é".repeat(65))),
    ];
    for (what, make) in makers {
        let asked = browser.ask(&interaction, &wallet).await;
        let answer = browser.answer(&interaction, &asked, &make(&wallet, &asked.message)).await;
        assert_eq!(answer.error(), (400, "signature_invalid".into()), "{what}: {}", answer.body);
        // Right or wrong, a challenge works once.
        refused(&browser.answer(&interaction, &asked, &wallet.sign(&asked.message)).await, 400, "challenge_used");
    }
    assert_eq!(browser.cookie("latchkey_session"), None);
    assert!(browser.get(&interaction).await.is_sign_in());
});

on_both!(a_challenge_belongs_to_one_visit_and_one_browser, |world| {
    let (app, browser, other, wallet) = (App::public(&world, "app"), Browser::new(&world), Browser::new(&world), Wallet::new(1));
    let (first, second) = (browser.begin(&app.request()).await, browser.begin(&app.request()).await);
    let asked = browser.ask(&first, &wallet).await;
    let signature = wallet.sign(&asked.message);
    refused(&browser.answer(&second, &asked, &signature).await, 400, "challenge_expired");
    let theirs = other.begin(&app.request()).await;
    let mut copied = other.ask(&theirs, &wallet).await;
    copied.challenge.clone_from(&asked.challenge);
    refused(&other.answer(&theirs, &copied, &signature).await, 400, "challenge_expired");
    refused(&other.answer(&first, &copied, &signature).await, 410, "interaction_gone");
    // None of those attempts burnt it.
    assert_eq!(browser.answer(&first, &asked, &signature).await.status, 200);
});

on_both!(a_challenge_works_once_and_for_ten_minutes, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let interaction = browser.begin(&app.request()).await;
    let asked = browser.ask(&interaction, &wallet).await;
    let signature = wallet.sign(&asked.message);
    let answers = futures_util::future::join_all((0..20).map(|_| browser.answer(&interaction, &asked, &signature))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert!(answers.iter().filter(|answer| answer.status != 200).all(|answer| answer.json()["error"] == "challenge_used"));

    let other = Browser::new(&world);
    let interaction = other.begin(&app.request()).await;
    let asked = other.ask(&interaction, &wallet).await;
    world.clock.advance(Duration::from_mins(10));
    refused(&other.answer(&interaction, &asked, &wallet.sign(&asked.message)).await, 400, "challenge_expired");
});

on_one!(two_people_may_sign_in_one_after_the_other_in_one_visit, |world| {
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    let interaction = browser.begin(&app.request()).await;
    let (one, two) = (Wallet::new(1), Wallet::new(2));
    let (of_one, of_two) = (browser.ask(&interaction, &one).await, browser.ask(&interaction, &two).await);
    assert_eq!(browser.answer(&interaction, &of_one, &one.sign(&of_one.message)).await.status, 200);
    let first = browser.cookie("latchkey_session").unwrap();
    assert_eq!(browser.answer(&interaction, &of_two, &two.sign(&of_two.message)).await.status, 200);
    let page = browser.get(&interaction).await;
    assert!(
        page.is_consent() && page.body.contains(&two.address.to_string()) && !page.body.contains(&one.address.to_string()),
        "the page names who is signed in"
    );
    let thief = Browser::new(&world);
    thief.set_cookie("latchkey_session", &first);
    assert_eq!(thief.get("/account").await.status, 303, "the first session ended with the second sign-in");
});

on_one!(a_request_for_a_message_is_read_strictly, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let interaction = browser.begin(&app.request()).await;
    let csrf = browser.get(&interaction).await.csrf();
    let ask = async |body: Value| browser.post_json(&format!("{interaction}/wallet/challenge"), &csrf, &body).await;
    let address = wallet.address.to_string();
    for body in [
        json!({}),
        json!([]),
        json!(null),
        json!({ "address": address }),
        json!({ "address": address, "chain_id": "137" }),
        json!({ "address": address, "chain_id": -1 }),
        json!({ "address": address, "chain_id": 137, "x": 1 }),
        json!({ "address": "0x1", "chain_id": 137 }),
        json!({ "address": format!("{address}\nURI: https://evil.example"), "chain_id": 137 }),
        json!({ "address": address[..41], "chain_id": 137 }),
        json!({ "address": { "a": 1 }, "chain_id": 137 }),
    ] {
        refused(&ask(body).await, 400, "invalid_request");
    }
    let elsewhere = ask(json!({ "address": address, "chain_id": 5 })).await;
    refused(&elsewhere, 400, "chain_not_supported");
    assert_eq!(
        elsewhere.json()["chains"],
        json!([{ "id": 137, "name": "Polygon" }, { "id": 80002, "name": "Polygon Amoy" }, { "id": 1, "name": "Ethereum" }])
    );
    for id in ["x", "", "00000000-0000-0000-0000-000000000000"] {
        let body = json!({ "challenge": id, "signature": "0x" });
        let answer = browser.post_json(&format!("{interaction}/wallet/signature"), &csrf, &body).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
    }
});
