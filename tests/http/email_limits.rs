//! Limits on codes that are mailed: for an address, for a network, for everybody, counted by all replicas together.

use std::time::Duration;

use crate::actors::{Answer, App, Browser};
use crate::email::{ADA, Scene, ask, by_mail};
use crate::world::{Engine, World};

by_mail! {
    an_address_gets_so_many_codes
    the_limits_are_those_of_all_replicas
    a_network_and_everybody_together_get_so_many_codes [
        ("EMAIL_CODES_PER_NETWORK_PER_HOUR", "3"), ("EMAIL_CODES_IN_ALL_PER_HOUR", "5"), ("SERVER_TRUSTED_PROXIES", "127.0.0.0/8")
    ]
}

/// Asks for a code in a new browser at the server of that address.
async fn from(base: &str, email: &str) -> Answer {
    let (app, browser) = (App::at(base, "app"), Browser::at(base));
    let interaction = browser.begin(&app.request()).await;
    ask(&browser, &interaction, email).await
}

/// Whether it is a page that says to wait, for as long as `Retry-After` says.
fn waits(answer: &Answer, at_least: u64, at_most: u64) -> bool {
    let wait = answer.header("retry-after").parse::<u64>();
    answer.status == 429
        && wait.is_ok_and(|wait| (at_least..=at_most).contains(&wait))
        && answer.body.contains("You can ask for another one in")
}

async fn an_address_gets_so_many_codes(Scene { world, mail }: Scene) {
    let base = world.base.as_str();
    assert_eq!(from(base, ADA).await.status, 303);
    let soon = from(base, "ADA@example.com").await;
    assert!(waits(&soon, 60, 60), "{} {}", soon.status, soon.body);
    assert_eq!(from(base, "bob@example.com").await.status, 303, "another address is another matter");
    let mut sent = 2;
    // Five in an hour, twenty in a day.
    let mut statuses = Vec::new();
    for _ in 0..5 {
        world.clock.advance(Duration::from_mins(1));
        statuses.push(from(base, ADA).await.status);
    }
    assert_eq!(statuses, [303, 303, 303, 303, 429]);
    sent += 4;
    world.clock.advance(Duration::from_mins(1));
    let held = from(base, ADA).await;
    assert!(waits(&held, 1, 3_540), "{} {}", held.status, held.body);
    for _ in 0..3 {
        world.clock.advance(Duration::from_hours(1));
        for _ in 0..5 {
            world.clock.advance(Duration::from_mins(1));
            assert_eq!(from(base, ADA).await.status, 303);
            sent += 1;
        }
    }
    world.clock.advance(Duration::from_hours(1));
    let held = from(base, ADA).await;
    assert!(waits(&held, 3_600, 86_400), "{} {}", held.status, held.body);
    assert_eq!(mail.mails(sent).await.len(), sent, "what is refused sends nothing");
    world.clock.advance(Duration::from_hours(24));
    assert_eq!(from(base, ADA).await.status, 303);
}

async fn the_limits_are_those_of_all_replicas(Scene { world, mail }: Scene) {
    let replica = world.replica().await;
    let mut statuses = Vec::new();
    for number in 0..7 {
        let base = if number % 2 == 0 { &world.base } else { &replica.base };
        statuses.push(from(base, ADA).await.status);
        world.clock.advance(Duration::from_mins(1));
    }
    assert_eq!(statuses, [303, 303, 303, 303, 303, 429, 429]);
    for base in [&replica.base, &world.base] {
        let held = from(base, ADA).await;
        assert!(waits(&held, 1, 3_600), "{}", held.status);
    }
    assert_eq!(mail.mails(5).await.len(), 5);
}

async fn a_network_and_everybody_together_get_so_many_codes(Scene { world, mail }: Scene) {
    let mut statuses = Vec::new();
    for (number, caller) in
        ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.1", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"].iter().enumerate()
    {
        let answer = at(&world, caller, &format!("{number}@example.com")).await;
        statuses.push(answer.status);
        if answer.status == 429 {
            assert!(waits(&answer, 3_600, 3_600), "{}", answer.body);
        }
    }
    assert_eq!(statuses, [303, 303, 303, 429, 303, 303, 429], "a network; then everybody");
    assert_eq!(mail.mails(5).await.len(), 5);
    world.clock.advance(Duration::from_hours(1));
    assert_eq!(at(&world, "192.0.2.1", "9@example.com").await.status, 303);
}

/// Asks for a code as a caller behind the proxy.
async fn at(world: &World, caller: &str, email: &str) -> Answer {
    let (app, browser) = (App::public(world, "app"), Browser::new(world));
    let interaction = browser.begin(&app.request()).await;
    let csrf = browser.get(&interaction).await.csrf();
    let request = browser.request(reqwest::Method::POST, &format!("{interaction}/email")).header("x-forwarded-for", caller);
    let form = crate::actors::Form::of(&[("csrf", &csrf), ("email", email)]).encode();
    browser.send(request.header("content-type", crate::world::FORM).body(form)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whom_a_count_is_of_cannot_be_read() {
    let Scene { world, mail } = Scene::new(Engine::Postgres, &[]).await;
    from(&world.base, ADA).await;
    mail.mail(1).await;
    // The code goes with its time; the counts of the hour and the day stay.
    world.clock.advance(Duration::from_hours(2));
    let swept = world.state.store.sweep(world.clock.now()).await.unwrap();
    assert_eq!((swept.email_codes, swept.mails), (1, 0), "{swept:?}");
    let dump = world.dump().await;
    assert!(!dump.contains(ADA.as_bytes()));
    assert!(!dump.contains(latchkey::domain::TokenHash::of(ADA).as_bytes()));
    assert!(dump.contains(b"https://app.example/callback"), "the search finds what is there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_of_another_site_uses_up_nobodys_tries() {
    let Scene { world, .. } = Scene::new(Engine::Sqlite, &[]).await;
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    let interaction = browser.begin(&app.request()).await;
    let form = crate::actors::Form::of(&[("csrf", "x"), ("email", ADA)]);
    assert_eq!(browser.post_cross_site(&format!("{interaction}/email"), &form).await.status, 403);
    assert_eq!(browser.post_form(&format!("{interaction}/email"), &form).await.status, 403);
    let later = world.clock.now().plus(Duration::from_hours(48));
    assert_eq!(world.state.store.sweep(later).await.unwrap().try_counts, 0);
}
