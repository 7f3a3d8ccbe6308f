//! Signing in by password: who knows it comes in, nobody learns who has one, and only its own person sets it.

use std::time::Duration;

use latchkey::domain::{AccountId, Provider, Secret};
use latchkey::store::{NewAccount, Unlinked};

use crate::actors::{Answer, App, Browser, Form, Tokens, Wallet, decode};
use crate::world::World;
use crate::{on_both, on_one};

const ON: (&str, &str) = ("PASSWORDS_ENABLED", "true");
const SMALL: (&str, &str) = ("PASSWORDS_MEMORY_KIB", "64");
const QUICK: (&str, &str) = ("PASSWORDS_ITERATIONS", "1");
const PASSWORD: &str = "correct horse battery staple";

/// An account that the operator made.
async fn account(world: &World, email: &str, password: Option<&str>) -> AccountId {
    let id = AccountId(world.state.entropy.uuid(world.clock.now()));
    let password = match password {
        Some(password) => Some(world.state.passwords.as_ref().unwrap().hash(Secret::new(password)).await.unwrap()),
        None => None,
    };
    let new = NewAccount { id, email: email.parse().unwrap(), name: None, password };
    assert!(world.state.store.create_account(new, world.clock.now()).await.unwrap());
    id
}

async fn begin(browser: &Browser<'_>, path: &str) -> (String, String) {
    let answer = browser.get(path).await;
    let interaction = answer.location().to_owned();
    let csrf = browser.get(&interaction).await.csrf();
    (interaction, csrf)
}

async fn sign_in(browser: &Browser<'_>, email: &str, password: &str) -> Answer {
    let (interaction, csrf) = begin(browser, "/account").await;
    browser.post(&format!("{interaction}/password"), &[("csrf", &csrf), ("email", email), ("password", password)]).await
}

on_both!(who_knows_it_signs_in, [ON, SMALL, QUICK], |world| {
    let id = account(&world, "ada@example.com", Some(PASSWORD)).await;
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    let interaction = browser.begin(&app.request()).await;
    let csrf = browser.get(&interaction).await.csrf();
    let form = [("csrf", csrf.as_str()), ("email", " Ada@Example.com"), ("password", PASSWORD)];
    let answer = browser.post(&format!("{interaction}/password"), &form).await;
    assert_eq!((answer.status, answer.location()), (303, interaction.as_str()), "{}", answer.body);
    assert!(browser.cookie("latchkey_session").is_some());
    browser.decide(&interaction, "allow").await;
    let code = browser.get(&interaction).await.query("code").unwrap();
    let (_, claims) = decode(&Tokens::read(&app.redeem(&code).await).id);
    assert_eq!((claims["sub"].as_str(), &claims["amr"]), (Some(id.to_string().as_str()), &serde_json::json!(["pwd"])));
    assert!(claims.get("acr").is_none(), "a password is no level that has a word");
});

on_both!(nobody_learns_who_has_one, [ON, SMALL, QUICK], |world| {
    account(&world, "ada@example.com", Some(PASSWORD)).await;
    account(&world, "without@example.com", None).await;
    let mut told = Vec::new();
    for (email, password) in [
        ("ada@example.com", "wrong horse battery staple"),
        ("ada@example.com", ""),
        ("ada@example.com", &"x".repeat(2_000)),
        ("without@example.com", PASSWORD),
        ("nobody@example.com", PASSWORD),
        ("no address", PASSWORD),
        ("", PASSWORD),
    ] {
        let browser = Browser::new(&world);
        let answer = sign_in(&browser, email, password).await;
        let (path, rest) = answer.location().split_once('?').unwrap();
        let page = browser.get(answer.location()).await;
        assert!(path.starts_with("/interaction/") && page.body.contains("That did not fit"), "{email}");
        assert!(browser.cookie("latchkey_session").is_none() && !page.body.contains("horse"), "{email}");
        told.push((answer.status, rest.to_owned(), answer.body));
    }
    assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
    assert_eq!(world.state.store.accounts().await.unwrap().len(), 2, "nobody gets an account by trying");
});

on_both!(guesses_are_counted_for_address_and_network, [ON, SMALL, QUICK, ("PASSWORDS_PER_ADDRESS_PER_HOUR", "3")], |world| {
    account(&world, "ada@example.com", Some(PASSWORD)).await;
    let browser = Browser::new(&world);
    for email in ["ada@example.com", "nobody@example.com"] {
        for _ in 0..3 {
            assert!(sign_in(&browser, email, "wrong horse battery staple").await.location().ends_with("?wrong=password"));
        }
        // Also the right one: whoever guesses learns nothing more.
        let held = sign_in(&browser, email, PASSWORD).await;
        assert_eq!((held.status, held.header("retry-after")), (429, "3600"), "{email}");
    }
    assert!(browser.cookie("latchkey_session").is_none());
    world.clock.advance(Duration::from_hours(1));
    sign_in(&browser, "ada@example.com", PASSWORD).await;
    assert!(browser.cookie("latchkey_session").is_some(), "it is not for ever");
});

on_one!(a_network_guesses_so_often, [ON, SMALL, QUICK, ("PASSWORDS_PER_NETWORK_PER_HOUR", "4")], |world| {
    for number in 0..4 {
        let email = format!("person{number}@example.com");
        assert_eq!(sign_in(&Browser::new(&world), &email, PASSWORD).await.status, 303);
    }
    assert_eq!(sign_in(&Browser::new(&world), "another@example.com", PASSWORD).await.status, 429);
});

on_both!(a_disabled_account_stays_out, [ON, SMALL, QUICK], |world| {
    let id = account(&world, "ada@example.com", Some(PASSWORD)).await;
    let now = world.clock.now();
    world.state.store.set_account_disabled(id, Some(now), now).await.unwrap();
    let browser = Browser::new(&world);
    let answer = sign_in(&browser, "ada@example.com", PASSWORD).await;
    assert!(
        answer.location().ends_with("?wrong=account_disabled") && browser.cookie("latchkey_session").is_none(),
        "{}",
        answer.location()
    );
    assert!(browser.get(answer.location()).await.body.contains("This account is switched off"));
});

on_both!(a_password_is_set_for_ones_own_address_after_a_new_proof, [ON, SMALL, QUICK], |world| {
    account(&world, "eve@example.com", Some("the password of eve herself")).await;
    account(&world, "ada@example.com", Some(PASSWORD)).await;
    let browser = Browser::new(&world);
    sign_in(&browser, "ada@example.com", PASSWORD).await;
    let page = browser.get("/account/password").await;
    assert!(page.status == 200 && page.body.contains("Change your password"), "{}", page.body);
    let csrf = page.csrf();
    let set = async |email: &str, password: &str| {
        browser.post("/account/password", &[("csrf", &csrf), ("email", email), ("password", password)]).await
    };
    for (email, password, words) in [
        ("eve@example.com", "another long password", "Choose one of the addresses"),
        ("", "another long password", "Choose one of the addresses"),
        ("ada@example.com", "too short", "at least 15 characters"),
        ("ada@example.com", "ada@example.com", "is the first that others try"),
    ] {
        let answer = set(email, password).await;
        assert!(answer.status == 400 && answer.body.contains(words), "{email} {password}: {} {}", answer.status, answer.body);
    }
    let forged = Form::of(&[("email", "ada@example.com"), ("password", "another long password")]);
    assert!(browser.post_form("/account/password", &forged).await.is_error_page(403));
    assert_eq!(set("ada@example.com", "another long password").await.location(), "/account?added=1#ways");

    // What was stolen long ago sets nothing.
    world.clock.advance(Duration::from_mins(11));
    let late = set("ada@example.com", "a third long password").await;
    assert!(late.status == 303 && late.location().starts_with("/interaction/"), "{} {}", late.status, late.location());
    assert!(browser.get(late.location()).await.body.contains("Is it you?"));
    let again = Browser::new(&world);
    for (password, comes_in) in [("a third long password", false), (PASSWORD, false), ("another long password", true)] {
        sign_in(&again, "ada@example.com", password).await;
        assert_eq!(again.cookie("latchkey_session").is_some(), comes_in, "{password}");
    }
    let eve = Browser::new(&world);
    sign_in(&eve, "eve@example.com", "the password of eve herself").await;
    assert!(eve.cookie("latchkey_session").is_some(), "hers is as it was");
});

on_both!(a_password_goes_with_its_identity, [ON, SMALL, QUICK], |world| {
    let id = account(&world, "ada@example.com", Some(PASSWORD)).await;
    let browser = Browser::new(&world);
    sign_in(&browser, "ada@example.com", PASSWORD).await;
    let store = &world.state.store;
    let session = store.sessions(id, world.clock.now()).await.unwrap().remove(0);
    let provider = Provider::new(Provider::PASSWORD);
    assert_eq!(store.unlink_identity(id, &provider, "ada@example.com", session.id, world.clock.now()).await.unwrap(), Unlinked::Now);
    let other = Browser::new(&world);
    sign_in(&other, "ada@example.com", PASSWORD).await;
    assert!(other.cookie("latchkey_session").is_none());
});

on_both!(passwords_follow_the_parameters_of_today, [ON, SMALL, ("PASSWORDS_ITERATIONS", "2")], |world| {
    account(&world, "ada@example.com", Some(PASSWORD)).await;
    let email = "ada@example.com".parse().unwrap();
    let kept = async || world.state.store.password_hash(&email).await.unwrap().unwrap();
    let today = kept().await;
    assert!(today.contains("$m=64,t=2,p=1$"), "{today}");
    // As an earlier release kept it.
    let old = latchkey::passwords::Passwords::start(
        &latchkey::config::Passwords { iterations: 1.try_into().unwrap(), ..world.state.config.passwords.clone() },
        &world.state.entropy,
    )
    .unwrap();
    let old = old.hash(Secret::new(PASSWORD)).await.unwrap();
    assert!(world.state.store.rehash_password(&email, &today, &old, world.clock.now()).await.unwrap());
    sign_in(&Browser::new(&world), "ada@example.com", "wrong horse battery staple").await;
    assert_eq!(kept().await, old, "who does not know it changes nothing");
    let browser = Browser::new(&world);
    sign_in(&browser, "ada@example.com", PASSWORD).await;
    assert!(browser.cookie("latchkey_session").is_some() && kept().await.contains("$m=64,t=2,p=1$"), "{}", kept().await);
});

on_one!(a_password_proves_it_is_you_to_its_own_account_alone, [ON, SMALL, QUICK], |world| {
    account(&world, "ada@example.com", Some(PASSWORD)).await;
    account(&world, "eve@example.com", Some("the password of eve herself")).await;
    let browser = Browser::new(&world);
    sign_in(&browser, "ada@example.com", PASSWORD).await;
    world.clock.advance(Duration::from_mins(11));
    let (interaction, csrf) = begin(&browser, "/account/password").await;
    let path = format!("{interaction}/password");
    let eve = browser.post(&path, &[("csrf", &csrf), ("email", "eve@example.com"), ("password", "the password of eve herself")]).await;
    assert!(eve.location().ends_with("?wrong=not_you"), "{}", eve.location());
    let ada = browser.post(&path, &[("csrf", &csrf), ("email", "ada@example.com"), ("password", PASSWORD)]).await;
    assert_eq!(browser.get(ada.location()).await.location(), "/account/password");
    assert_eq!(browser.get("/account/password").await.status, 200);
});

on_one!(without_the_setting_there_are_none, |world| {
    let browser = Browser::new(&world);
    browser.sign_in_to_account(&Wallet::new(1)).await;
    assert_eq!(browser.get("/account/password").await.location(), "/account");
    let other = Browser::new(&world);
    let (interaction, csrf) = begin(&other, "/account").await;
    assert!(!other.get(&interaction).await.body.contains("With a password"));
    let form = [("csrf", csrf.as_str()), ("email", "ada@example.com"), ("password", PASSWORD)];
    assert!(other.post(&format!("{interaction}/password"), &form).await.is_error_page(410));
});
