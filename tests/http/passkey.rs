//! Passkeys: an account made with nothing else, signed in to, added to an account; and everything that must lead nowhere.

use std::time::Duration;

use latchkey::domain::{AccountId, Entropy, InteractionId, Provider, SessionId, TokenHash};
use latchkey::store::{Interaction, Unlinked};
use latchkey::web::visit::{Purpose, Then};
use reqwest::Method;
use serde_json::json;

use crate::actors::{Answer, App, Browser, Tokens, Wallet};
use crate::authenticator::{BE, BS, How, Key, UP, UV, answer, ask, register, sign};
use crate::world::World;
use crate::{on_both, on_one};

fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.error(), (status, code.to_owned()), "{}", answer.body);
    assert!(answer.json()["title"].as_str().is_some_and(|title| !title.is_empty()), "{}", answer.body);
    assert!(answer.set_cookies().is_empty(), "{:?}", answer.set_cookies());
}

async fn owner(world: &World, key: &Key) -> Option<AccountId> {
    world.state.store.owner_of_identity(&Provider::passkey(), &key.id()).await.unwrap()
}

/// Somebody new, with a passkey, at their account page.
async fn person(world: &World, browser: &Browser<'_>, how: &How) -> (Key, AccountId) {
    let interaction = visit(browser).await;
    let (key, told) = register(browser, &interaction, how).await;
    assert_eq!((told.status, told.json()), (200, json!({ "next": interaction })), "{}", told.body);
    let account = owner(world, &key).await.unwrap();
    (key, account)
}

/// A visit to the account page, of a browser that is signed out.
async fn visit(browser: &Browser<'_>) -> String {
    browser.cookies.lock().unwrap().remove("latchkey_session");
    let began = browser.get("/account").await;
    assert_eq!(began.status, 303);
    began.location().to_owned()
}

/// A visit for a purpose that begins on the account page.
async fn visit_for(world: &World, browser: &Browser<'_>, purpose: &Purpose) -> String {
    let id = InteractionId(Entropy::System.uuid(world.clock.now()));
    let visit = Interaction {
        id,
        purpose: serde_json::to_value(purpose).unwrap(),
        created_at: world.clock.now(),
        expires_at: world.clock.now().plus(Duration::from_hours(1)),
    };
    let browser = TokenHash::of(&browser.cookie("latchkey_browser").unwrap());
    world.state.store.put_interaction(&visit, &browser).await.unwrap();
    format!("/interaction/{id}")
}

async fn tokens(app: &App<'_>, browser: &Browser<'_>, interaction: &str) -> Tokens {
    let back = browser.decide(interaction, "allow").await;
    assert_eq!(back.location(), interaction);
    Tokens::read(&app.redeem(&browser.get(interaction).await.query("code").unwrap()).await)
}

on_both!(a_passkey_makes_an_account_and_signs_in_to_it, |world| {
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    let interaction = browser.begin(&app.request()).await;
    let (key, told) = register(&browser, &interaction, &How::default()).await;
    assert_eq!((told.status, told.json()), (200, json!({ "next": interaction })), "{}", told.body);
    let (_, first) = tokens(&app, &browser, &interaction).await.claims();
    assert_eq!(first["amr"], json!(["hwk", "pop", "user"]));
    let session = browser.cookie("latchkey_session").unwrap();

    // Somewhere else, with nothing but the passkey.
    let other = Browser::new(&world);
    let interaction = other.begin(&app.request()).await;
    let told = sign(&other, &interaction, &key, &How::default()).await;
    assert_eq!((told.status, told.json()), (200, json!({ "next": interaction })), "{}", told.body);
    let back = other.get(&interaction).await;
    let (_, second) = Tokens::read(&app.redeem(&back.query("code").unwrap()).await).claims();
    assert_eq!((&second["sub"], &second["amr"]), (&first["sub"], &first["amr"]));
    assert_ne!(other.cookie("latchkey_session").unwrap(), session);

    // What a person has on several devices is no hardware key.
    let third = Browser::new(&world);
    let interaction = third.begin(&app.request()).await;
    let (_, told) = register(&third, &interaction, &How { flags: UP | UV | BE | BS, ..How::default() }).await;
    assert_eq!(told.status, 200, "{}", told.body);
    let (_, synced) = tokens(&app, &third, &interaction).await.claims();
    assert_eq!(synced["amr"], json!(["swk", "pop", "user"]));
    assert_ne!(synced["sub"], first["sub"]);
});

on_both!(a_passkey_is_added_to_an_account, |world| {
    let browser = Browser::new(&world);
    let wallet = Wallet::new(1);
    browser.sign_in_to_account(&wallet).await;
    let account = world.state.store.owner_of_identity(&Provider::web3(), &wallet.address.to_string()).await.unwrap().unwrap();
    let mut keys = Vec::new();
    for _ in 0..2 {
        let interaction = visit_for(&world, &browser, &Purpose::Link(account)).await;
        let question = ask(&browser, &interaction, "register-options").await;
        let excluded: Vec<&str> =
            question.public_key["excludeCredentials"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
        assert_eq!(excluded, keys.iter().map(Key::id).collect::<Vec<_>>());
        let key = Key::new(&question);
        assert_eq!(key.handle(), account.0.as_bytes());
        let told = answer(&browser, &interaction, "registration", &question, &key.registration(&question, &How::default())).await;
        assert_eq!((told.status, &told.json()["next"]), (200, &json!("/account?added=1#ways")), "{}", told.body);
        assert!(told.set_cookies().is_empty(), "the session stays as it is");
        keys.push(key);
    }
    for key in &keys {
        let other = Browser::new(&world);
        let interaction = visit(&other).await;
        assert_eq!(sign(&other, &interaction, key, &How::default()).await.status, 200);
        assert_eq!(owner(&world, key).await, Some(account));
        assert_eq!(other.get(&interaction).await.location(), "/account");
    }
    let names: Vec<_> = world.state.store.account(account).await.unwrap().unwrap().identities.into_iter().map(|one| one.label).collect();
    assert_eq!(names, ["Passkey of 1 January 2026", "Passkey of 1 January 2026", ""]);
});

on_both!(an_answer_for_another_site_is_refused, |world| {
    let browser = Browser::new(&world);
    let (key, account) = person(&world, &browser, &How::default()).await;
    let interaction = visit(&browser).await;
    let elsewhere = [
        How { origin: "https://localhost:8080", ..How::default() },
        How { origin: "http://localhost:8081", ..How::default() },
        How { origin: "http://localhost", ..How::default() },
        How { origin: "http://app.localhost:8080", ..How::default() },
        How { origin: "http://127.0.0.1:8080", ..How::default() },
        How { origin: "https://evil.example", ..How::default() },
        How { rp_id: "evil.example", ..How::default() },
        How { rp_id: "app.localhost", ..How::default() },
        How { cross_origin: true, ..How::default() },
    ];
    for how in elsewhere {
        let what = format!("{} {} {}", how.origin, how.rp_id, how.cross_origin);
        let told = sign(&browser, &interaction, &key, &how).await;
        assert_eq!(told.error(), (400, "passkey_of_another_site".into()), "{what}");
        refused(&told, 400, "passkey_of_another_site");
        let (made, told) = register(&browser, &interaction, &how).await;
        assert_eq!(told.error(), (400, "passkey_of_another_site".into()), "{what}");
        assert_eq!(owner(&world, &made).await, None);
    }
    assert_eq!(sign(&browser, &interaction, &key, &How::default()).await.status, 200);
    assert_eq!(owner(&world, &key).await, Some(account));
});

on_both!(a_person_must_have_been_verified, |world| {
    let browser = Browser::new(&world);
    let (key, _) = person(&world, &browser, &How::default()).await;
    let interaction = visit(&browser).await;
    for flags in [UP, UV, 0] {
        let how = How { flags, ..How::default() };
        refused(&sign(&browser, &interaction, &key, &how).await, 400, "passkey_not_verified");
        let (made, told) = register(&browser, &interaction, &how).await;
        refused(&told, 400, "passkey_not_verified");
        assert_eq!(owner(&world, &made).await, None);
    }
});

on_both!(a_challenge_is_of_one_visit_one_browser_and_one_use, |world| {
    let (browser, thief) = (Browser::new(&world), Browser::new(&world));
    let (key, _) = person(&world, &browser, &How::default()).await;
    let how = How::default();
    let first = visit(&browser).await;
    let question = ask(&browser, &first, "options").await;
    let signed = key.assertion(&question, &how);
    // In another visit, of this browser and of another one.
    let second = visit(&browser).await;
    refused(&answer(&browser, &second, "assertion", &question, &signed).await, 400, "challenge_expired");
    let theirs = visit(&thief).await;
    let own = ask(&thief, &theirs, "options").await;
    let stolen = crate::authenticator::Question { csrf: own.csrf.clone(), ..question.clone() };
    refused(&answer(&thief, &theirs, "assertion", &stolen, &signed).await, 400, "challenge_expired");
    refused(&answer(&thief, &first, "assertion", &stolen, &signed).await, 410, "interaction_gone");
    // As an answer to another question; that one is burnt by it.
    let another = ask(&browser, &first, "options").await;
    refused(&answer(&browser, &first, "assertion", &another, &signed).await, 400, "passkey_invalid");
    refused(&answer(&browser, &first, "assertion", &another, &key.assertion(&another, &how)).await, 400, "challenge_used");
    // One ceremony's question is not the other's.
    let new = ask(&browser, &first, "register-options").await;
    refused(&answer(&browser, &first, "assertion", &new, &key.assertion(&new, &how)).await, 400, "challenge_expired");
    let made = Key::new(&new);
    refused(&answer(&browser, &first, "registration", &question, &made.registration(&question, &how)).await, 400, "challenge_expired");
    // None of that has burnt it; its use does.
    assert_eq!(answer(&browser, &first, "assertion", &question, &signed).await.status, 200);
    refused(&answer(&browser, &first, "assertion", &question, &signed).await, 400, "challenge_used");
    assert_eq!(answer(&browser, &first, "registration", &new, &made.registration(&new, &how)).await.status, 200);
    refused(&answer(&browser, &first, "registration", &new, &made.registration(&new, &how)).await, 400, "challenge_used");
});

on_both!(a_challenge_lives_five_minutes, |world| {
    let browser = Browser::new(&world);
    let (key, _) = person(&world, &browser, &How::default()).await;
    let interaction = visit(&browser).await;
    let (old, new) = (ask(&browser, &interaction, "options").await, ask(&browser, &interaction, "register-options").await);
    world.clock.advance(Duration::from_secs(299));
    let late = ask(&browser, &interaction, "options").await;
    world.clock.advance(Duration::from_secs(1));
    let how = How::default();
    refused(&answer(&browser, &interaction, "assertion", &old, &key.assertion(&old, &how)).await, 400, "challenge_expired");
    let made = Key::new(&new);
    refused(&answer(&browser, &interaction, "registration", &new, &made.registration(&new, &how)).await, 400, "challenge_expired");
    assert_eq!(answer(&browser, &interaction, "assertion", &late, &key.assertion(&late, &how)).await.status, 200);
});

on_both!(a_counter_only_grows, |world| {
    let browser = Browser::new(&world);
    let (key, _) = person(&world, &browser, &How { counter: 7, ..How::default() }).await;
    let signed = async |counter| {
        let interaction = visit(&browser).await;
        sign(&browser, &interaction, &key, &How { counter, ..How::default() }).await
    };
    for counter in [7, 6, 0] {
        refused(&signed(counter).await, 403, "passkey_not_grown");
    }
    assert_eq!(signed(8).await.status, 200);
    refused(&signed(8).await, 403, "passkey_not_grown");
    assert_eq!(signed(4_000_000_000).await.status, 200);
    refused(&signed(9).await, 403, "passkey_not_grown");
    // Most passkeys never count.
    let other = Browser::new(&world);
    let (key, _) = person(&world, &other, &How::default()).await;
    for _ in 0..2 {
        let interaction = visit(&other).await;
        assert_eq!(sign(&other, &interaction, &key, &How::default()).await.status, 200);
    }
});

on_both!(only_the_key_itself_signs, |world| {
    let browser = Browser::new(&world);
    let (key, account) = person(&world, &browser, &How::default()).await;
    let stranger = Browser::new(&world);
    let interaction = visit(&stranger).await;
    let question = ask(&stranger, &interaction, "register-options").await;
    let unknown = Key::new(&question);
    refused(&sign(&stranger, &interaction, &unknown, &How::default()).await, 400, "passkey_unknown");
    refused(&sign(&stranger, &interaction, &key.forged(), &How::default()).await, 400, "passkey_invalid");
    for how in [
        How { spoilt: true, ..How::default() },
        How { kind: Some("webauthn.create"), ..How::default() },
        // A key that stays on its device does not begin to travel.
        How { flags: UP | UV | BE, ..How::default() },
        How { flags: UP | UV | BS, ..How::default() },
    ] {
        refused(&sign(&stranger, &interaction, &key, &how).await, 400, "passkey_invalid");
    }
    assert!(stranger.get(&interaction).await.is_sign_in());
    // Once it is taken from its account, it signs in no more.
    visit(&browser).await;
    let link = visit_for(&world, &browser, &Purpose::Link(account)).await;
    let told = sign(&browser, &link, &key, &How::default()).await;
    assert_eq!(told.json()["next"], link, "it is they: {}", told.body);
    let (second, told) = register(&browser, &link, &How::default()).await;
    assert_eq!(told.status, 200, "{}", told.body);
    let keep = SessionId(Entropy::System.uuid(world.clock.now()));
    let gone = world.state.store.unlink_identity(account, &Provider::passkey(), &key.id(), keep, world.clock.now()).await.unwrap();
    assert_eq!(gone, Unlinked::Now);
    refused(&sign(&stranger, &interaction, &key, &How::default()).await, 400, "passkey_unknown");
    assert_eq!(sign(&stranger, &interaction, &second, &How::default()).await.status, 200);
});

on_both!(nobody_comes_in_by_registering_what_another_has, |world| {
    let (victim, attacker) = (Browser::new(&world), Browser::new(&world));
    let (key, account) = person(&world, &victim, &How::default()).await;
    let (mine, own) = person(&world, &attacker, &How::default()).await;
    // A new account, with the credential id that the victim has.
    let interaction = visit(&attacker).await;
    let question = ask(&attacker, &interaction, "register-options").await;
    let copy = Key::with_id(&question, key.raw_id());
    refused(
        &answer(&attacker, &interaction, "registration", &question, &copy.registration(&question, &How::default())).await,
        400,
        "passkey_known",
    );
    assert!(attacker.get(&interaction).await.is_sign_in());
    // Added to the attacker's account: the victim's, and once more one of its own.
    assert_eq!(sign(&attacker, &interaction, &mine, &How::default()).await.status, 200);
    for id in [key.raw_id(), mine.raw_id()] {
        let link = visit_for(&world, &attacker, &Purpose::Link(own)).await;
        let question = ask(&attacker, &link, "register-options").await;
        let copy = Key::with_id(&question, id.clone());
        let told = answer(&attacker, &link, "registration", &question, &copy.registration(&question, &How::default())).await;
        // What the account has is excluded before anything is looked up.
        refused(&told, 400, if id == key.raw_id() { "passkey_known" } else { "passkey_invalid" });
        refused(&sign(&attacker, &link, &copy, &How::default()).await, 400, "passkey_invalid");
    }
    assert_eq!((owner(&world, &key).await, owner(&world, &mine).await), (Some(account), Some(own)));
    let interaction = visit(&victim).await;
    assert_eq!(sign(&victim, &interaction, &key, &How::default()).await.status, 200, "the victim's key is what it was");
});

on_both!(a_passkey_of_another_account_proves_nothing_of_this_one, |world| {
    let (browser, other) = (Browser::new(&world), Browser::new(&world));
    let (key, account) = person(&world, &browser, &How::default()).await;
    let (foreign, theirs) = person(&world, &other, &How::default()).await;
    // A user handle is the credential's own, and there must be one.
    let interaction = visit(&other).await;
    for handle in [account.0.as_bytes().to_vec(), vec![], vec![1]] {
        refused(&sign(&other, &interaction, &foreign, &How { handle: Some(handle), ..How::default() }).await, 400, "passkey_invalid");
    }
    // Who is to show once more who they are shows it with a passkey of their own, and not with a new one.
    for purpose in [Purpose::Confirm(account, Then::Ways), Purpose::Link(account)] {
        visit(&browser).await;
        let interaction = visit_for(&world, &browser, &purpose).await;
        refused(&sign(&browser, &interaction, &foreign, &How::default()).await, 403, "not_you");
        let csrf = browser.get(&interaction).await.csrf();
        refused(&browser.post_json(&format!("{interaction}/passkey/register-options"), &csrf, &json!({})).await, 403, "not_you");
        assert!(browser.cookie("latchkey_session").is_none());
        assert_eq!(sign(&browser, &interaction, &key, &How::default()).await.json()["next"], interaction);
    }
    // Another's passkey is not added to one's own account, though it signs.
    let link = visit_for(&world, &browser, &Purpose::Link(account)).await;
    refused(&sign(&browser, &link, &foreign, &How::default()).await, 403, "another_account");
    assert_eq!(owner(&world, &foreign).await, Some(theirs));
});

on_both!(a_new_passkey_asks_for_a_proof_of_a_moment_ago, |world| {
    let browser = Browser::new(&world);
    let (_, account) = person(&world, &browser, &How::default()).await;
    let link = visit_for(&world, &browser, &Purpose::Link(account)).await;
    let question = ask(&browser, &link, "register-options").await;
    let made = Key::new(&question);
    let signed = made.registration(&question, &How::default());
    // Signed out in between: the question is as good as before, and the answer is not taken.
    let session = browser.cookies.lock().unwrap().remove("latchkey_session").unwrap();
    refused(&answer(&browser, &link, "registration", &question, &signed).await, 403, "not_you");
    assert_eq!(owner(&world, &made).await, None);
    browser.set_cookie("latchkey_session", &session);
    world.clock.advance(Duration::from_mins(11));
    let csrf = browser.get(&link).await.csrf();
    refused(&browser.post_json(&format!("{link}/passkey/register-options"), &csrf, &json!({})).await, 403, "not_you");
});

on_both!(a_disabled_account_stays_shut, |world| {
    let browser = Browser::new(&world);
    let (key, account) = person(&world, &browser, &How::default()).await;
    world.state.store.set_account_disabled(account, Some(world.clock.now()), world.clock.now()).await.unwrap();
    let interaction = visit(&browser).await;
    refused(&sign(&browser, &interaction, &key, &How::default()).await, 403, "account_disabled");
});

on_both!(its_steps_want_the_token_of_our_own_page, |world| {
    let (browser, other) = (Browser::new(&world), Browser::new(&world));
    let interaction = visit(&browser).await;
    let foreign = other.get(&visit(&other).await).await.csrf();
    let good = browser.get(&interaction).await.csrf();
    for step in ["options", "assertion", "register-options", "registration"] {
        let path = format!("{interaction}/passkey/{step}");
        for csrf in ["", "x", &foreign] {
            refused(&browser.post_json(&path, csrf, &json!({})).await, 403, "wrong_browser");
        }
        let cross = browser.request(Method::POST, &path).header("origin", "https://evil.example").header("x-csrf-token", &good).body("{}");
        refused(&browser.send(cross).await, 403, "wrong_browser");
        assert_ne!(browser.get(&path).await.status, 200);
    }
    for body in [json!({ "more": 1 }), json!("x")] {
        assert_eq!(
            browser.post_json(&format!("{interaction}/passkey/options"), &good, &body).await.error(),
            (400, "invalid_request".into())
        );
        assert_eq!(
            browser.post_json(&format!("{interaction}/passkey/assertion"), &good, &body).await.error(),
            (400, "invalid_request".into())
        );
    }
});

on_one!(the_page_offers_passkeys, |world| {
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    let page = browser.get(&browser.begin(&app.request()).await).await;
    assert!(page.body.contains("id=\"passkey\"") && page.body.contains("autocomplete=\"username webauthn\""));
    assert!(page.body.contains("Make a new account with a passkey"));
    let (_, account) = person(&world, &browser, &How::default()).await;
    let link = visit_for(&world, &browser, &Purpose::Link(account)).await;
    let page = browser.get(&link).await;
    assert!(page.body.contains("Add a passkey") && !page.body.contains("username webauthn"));
    browser.cookies.lock().unwrap().remove("latchkey_session");
    let page = browser.get(&link).await;
    assert!(page.body.contains("Sign in with a passkey") && !page.body.contains("id=\"passkey-new\""), "a new one proves nothing");
});

async fn has_none(world: &World) {
    let (app, browser) = (App::public(world, "app"), Browser::new(world));
    let interaction = browser.begin(&app.request()).await;
    let page = browser.get(&interaction).await;
    assert!(!page.body.contains("id=\"passkey\""));
    for step in ["options", "assertion", "register-options", "registration"] {
        refused(&browser.post_json(&format!("{interaction}/passkey/{step}"), &page.csrf(), &json!({})).await, 404, "not_found");
    }
}

on_one!(passkeys_work_where_wallets_are_off, [("SIGNIN_WALLET", "false")], |world| {
    let browser = Browser::new(&world);
    let interaction = browser.get("/account").await.location().to_owned();
    let csrf = browser.get(&interaction).await.csrf();
    for step in ["options", "register-options"] {
        let asked = browser.post_json(&format!("{interaction}/passkey/{step}"), &csrf, &json!({})).await;
        assert_eq!(asked.status, 200, "{step} {}", asked.body);
    }
});

on_one!(an_operator_can_switch_passkeys_off, [("SIGNIN_PASSKEY", "false")], |world| {
    has_none(&world).await;
});

on_one!(there_are_none_for_an_ip_address, [("SERVER_ISSUER", "http://127.0.0.1:8080")], |world| {
    has_none(&world).await;
});

on_one!(a_request_may_come_with_anything, |world| {
    let browser = Browser::new(&world);
    let interaction = visit(&browser).await;
    let question = ask(&browser, &interaction, "register-options").await;
    let mut credential = Key::new(&question).registration(&question, &How::default());
    credential["response"]["attestationObject"] = json!("AAAA");
    refused(&answer(&browser, &interaction, "registration", &question, &credential).await, 400, "passkey_invalid");
    // An id longer than the standard has is refused, whoever made it.
    let question = ask(&browser, &interaction, "register-options").await;
    let long = Key::with_id(&question, vec![1; 1024]);
    refused(
        &answer(&browser, &interaction, "registration", &question, &long.registration(&question, &How::default())).await,
        400,
        "passkey_invalid",
    );
});
