//! Signing in by a code that is mailed: the way in, every way to be wrong, and a mail server in trouble.

use std::time::Duration;

use latchkey::domain::{AccountId, Provider, TokenHash};
use latchkey::store::{Proved, SignedIn};
use serde_json::json;

use crate::actors::{Answer, App, Browser, Form, decode};
use crate::mailbox::{MailServer, Manner};
use crate::on_one;
use crate::world::{Engine, FORM, World};

pub(crate) const ADA: &str = "ada@example.com";

/// A world with a mail server.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) mail: MailServer,
}

impl Scene {
    pub(crate) async fn new(engine: Engine, settings: &[(&str, &str)]) -> Self {
        let mail = MailServer::new().await;
        let url = mail.url();
        let own = [("MAIL_SMTP_URL", url.as_str()), ("MAIL_FROM", "The Garage <id@garage.example>"), ("MAIL_TIMEOUT", "2s")];
        let world = World::new(engine, &[&own[..], settings].concat()).await;
        Self { world, mail }
    }
}

/// Makes two tests of an async function from [`Scene`]: one on each engine.
macro_rules! by_mail {
    ($($name:ident $([$($setting:expr),*])?)*) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name($crate::email::Scene::new($crate::world::Engine::Sqlite, &[$($($setting),*)?]).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name($crate::email::Scene::new($crate::world::Engine::Postgres, &[$($($setting),*)?]).await).await;
            }
        }
    )*};
}

pub(crate) use by_mail;

by_mail! {
    a_mailed_code_signs_in
    a_code_may_be_tried_five_times
    a_code_works_once_and_for_ten_minutes
    a_code_is_of_one_browser_and_one_visit
    another_code_ends_the_former_one
    a_known_address_is_answered_like_an_unknown_one
    an_address_of_another_account_is_told_to_who_has_read_the_mail
    a_mail_is_sent_later_only_if_its_code_lives
}

/// Asks for a code on the page of an interaction.
pub(crate) async fn ask(browser: &Browser<'_>, interaction: &str, email: &str) -> Answer {
    let csrf = browser.get(interaction).await.csrf();
    browser.post(&format!("{interaction}/email"), &[("csrf", &csrf), ("email", email)]).await
}

/// Types a code.
pub(crate) async fn enter(browser: &Browser<'_>, interaction: &str, code: &str) -> Answer {
    let csrf = browser.get(&format!("{interaction}/email")).await.csrf();
    browser.post(&format!("{interaction}/email/code"), &[("csrf", &csrf), ("code", code)]).await
}

/// Another code than that.
fn wrong(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

async fn a_mailed_code_signs_in(Scene { world, mail }: Scene) {
    let app = App::public(&world, "app");
    let (mut subjects, mut found) = (Vec::new(), Vec::new());
    for number in 1..=2 {
        world.clock.advance(Duration::from_mins(1));
        let browser = Browser::new(&world);
        let interaction = browser.begin(&app.request()).await;
        let page = browser.get(&interaction).await;
        assert!(
            page.is_sign_in() && page.body.contains(&format!("action=\"{interaction}/email\"")),
            "a form, without script: {}",
            page.body
        );
        let asked = ask(&browser, &interaction, " Ada@Example.COM ").await;
        assert_eq!((asked.status, asked.location()), (303, format!("{interaction}/email").as_str()), "{}", asked.body);
        let page = browser.get(&format!("{interaction}/email")).await;
        assert!(page.status == 200 && page.body.contains("Check your mail") && page.body.contains(ADA), "{}", page.body);
        assert_eq!(page.header("cache-control"), "no-store");
        // Who is not asked anything more goes from its form to the app.
        assert!(page.header("content-security-policy").ends_with("form-action 'self' https://app.example"));

        let sent = mail.mails(number).await.into_iter().rev().find(|mail| mail.header("Subject").starts_with("Your code")).unwrap();
        let code = sent.code();
        assert!(sent.from.starts_with("MAIL FROM:<id@garage.example>"), "{}", sent.from);
        assert_eq!(sent.to, [ADA]);
        assert_eq!((sent.header("Subject"), sent.header("To")), ("Your code for localhost:8080", ADA));
        let from = sent.header("From");
        assert!(from.contains("The Garage") && from.ends_with(" <id@garage.example>"), "{from}");
        assert_eq!(sent.header("Auto-Submitted"), "auto-generated");
        assert!(sent.header("Date").starts_with("Thu, 01 Jan 2026 00:0"), "{}", sent.head);
        assert!(sent.html.contains(&code) && sent.text.contains("within 10 minutes"), "{} {}", sent.html, sent.text);
        assert!(!sent.head.contains(&code), "no code on a locked screen: {}", sent.head);

        let dump = world.dump().await;
        assert!(dump.contains(ADA.as_bytes()), "the search finds what is there");
        assert!(!dump.contains(TokenHash::of(&code).as_bytes()), "nor anything that can be guessed at");
        found.push(dump.contains(code.as_bytes()));

        let typed = format!(" {} {}", &code[..3], &code[3..]);
        let entered = enter(&browser, &interaction, &typed).await;
        assert_eq!((entered.status, entered.location()), (303, interaction.as_str()), "{}", entered.body);
        let page = browser.get(&interaction).await;
        let back = if page.is_consent() {
            browser.decide(&interaction, "allow").await;
            browser.get(&interaction).await
        } else {
            page
        };
        let tokens = crate::actors::Tokens::read(&app.redeem(&back.query("code").unwrap()).await);
        let id = decode(&tokens.id).1;
        assert_eq!(id["amr"], json!(["otp"]));
        subjects.push(id["sub"].clone());
        let userinfo = app.userinfo(&tokens.access).await.json();
        assert_eq!(userinfo["sub"], id["sub"]);
    }
    // Six digits may stand somewhere by chance, but not twice.
    assert_ne!(found, [true, true], "no code is in the database");
    assert_eq!(subjects[0], subjects[1], "one address is one account, whatever browser asks");
}

async fn a_code_may_be_tried_five_times(Scene { world, mail }: Scene) {
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    let interaction = browser.begin(&app.request()).await;
    ask(&browser, &interaction, ADA).await;
    let code = mail.mail(1).await.code();
    for (typed, left) in
        [(wrong(&code).as_str(), "4 more times"), ("", "3 more times"), ("abcdef", "2 more times"), ("1234567", "once more")]
    {
        let answer = enter(&browser, &interaction, typed).await;
        assert!(answer.status == 400 && answer.body.contains("That is not the code") && answer.body.contains(left), "{}", answer.body);
    }
    let fifth = enter(&browser, &interaction, &wrong(&code)).await;
    assert!(fifth.status == 400 && fifth.body.contains("typed wrong too often"), "{}", fifth.body);
    let right = browser.post(&format!("{interaction}/email/code"), &[("csrf", &fifth.csrf()), ("code", &code)]).await;
    assert!(right.status == 400 && right.body.contains("does not work any more"), "{}", right.body);
    assert_eq!(browser.cookie("latchkey_session"), None);
    assert!(browser.get(&interaction).await.is_sign_in());
}

async fn a_code_works_once_and_for_ten_minutes(Scene { world, mail }: Scene) {
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    let interaction = browser.begin(&app.request()).await;
    ask(&browser, &interaction, ADA).await;
    let code = mail.mail(1).await.code();
    let csrf = browser.get(&interaction).await.csrf();
    let path = format!("{interaction}/email/code");
    let form = [("csrf", csrf.as_str()), ("code", code.as_str())];
    let answers = futures_util::future::join_all((0..5).map(|_| browser.post(&path, &form))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 303).count(), 1);
    assert!(
        answers.iter().filter(|answer| answer.status != 303).all(|answer| answer.status == 400 && answer.body.contains("used already"))
    );

    let other = Browser::new(&world);
    let interaction = other.begin(&app.request()).await;
    ask(&other, &interaction, "bob@example.com").await;
    let code = mail.mail(2).await.code();
    world.clock.advance(Duration::from_mins(10));
    let late = enter(&other, &interaction, &code).await;
    assert!(late.status == 400 && late.body.contains("has expired"), "{}", late.body);
    assert_eq!(other.cookie("latchkey_session"), None);
}

async fn a_code_is_of_one_browser_and_one_visit(Scene { world, mail }: Scene) {
    let (app, browser, thief) = (App::public(&world, "app"), Browser::new(&world), Browser::new(&world));
    let interaction = browser.begin(&app.request()).await;
    ask(&browser, &interaction, ADA).await;
    let code = mail.mail(1).await.code();
    // Somebody who has read the code, and knows where it is typed.
    let theirs = thief.begin(&app.request()).await;
    let csrf = thief.get(&theirs).await.csrf();
    let there = thief.post(&format!("{interaction}/email/code"), &[("csrf", &csrf), ("code", &code)]).await;
    assert_eq!(there.status, 410, "{}", there.body);
    let here = thief.post(&format!("{theirs}/email/code"), &[("csrf", &csrf), ("code", &code)]).await;
    assert_eq!((here.status, here.location()), (303, theirs.as_str()), "no code was asked for there");
    ask(&thief, &theirs, "eve@example.com").await;
    mail.mail(2).await;
    assert_eq!(enter(&thief, &theirs, &code).await.status, 400, "theirs is another one");
    // Another visit of the same browser.
    let second = browser.begin(&app.request()).await;
    let csrf = browser.get(&second).await.csrf();
    let answer = browser.post(&format!("{second}/email/code"), &[("csrf", &csrf), ("code", &code)]).await;
    assert_eq!((answer.status, answer.location()), (303, second.as_str()));
    for cookie in [&browser, &thief] {
        assert_eq!(cookie.cookie("latchkey_session"), None);
    }
    // A form of another site, or with another browser's token.
    let path = format!("{interaction}/email");
    assert_eq!(browser.post(&path, &[("csrf", "x"), ("email", ADA)]).await.status, 403);
    let foreign = browser.request(reqwest::Method::POST, &path).header("origin", "https://evil.example").header("content-type", FORM);
    assert_eq!(browser.send(foreign.body(Form::of(&[("csrf", &csrf), ("email", ADA)]).encode())).await.status, 403);
    // None of that has used it up.
    assert_eq!(enter(&browser, &interaction, &code).await.location(), interaction);
}

async fn another_code_ends_the_former_one(Scene { world, mail }: Scene) {
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    let interaction = browser.begin(&app.request()).await;
    ask(&browser, &interaction, ADA).await;
    let first = mail.mail(1).await.code();
    assert_eq!(enter(&browser, &interaction, &wrong(&first)).await.status, 400);
    world.clock.advance(Duration::from_mins(1));
    // The button of the page, as a browser without script presses it.
    let page = browser.get(&format!("{interaction}/email")).await;
    assert!(page.body.contains(&format!("href=\"{interaction}/email?change=1\"")), "{}", page.body);
    let another = browser.get(&format!("{interaction}/email?change=1")).await;
    assert!(another.status == 200 && another.body.contains("Your email address") && !another.body.contains(ADA), "{}", another.body);
    let again = browser.post_form(&format!("{interaction}/email"), &page.form("/email")).await;
    assert_eq!(again.status, 303, "{}", again.body);
    let second = mail.mail(2).await.code();
    assert_ne!(first, second);
    let old = enter(&browser, &interaction, &first).await;
    assert!(old.status == 400 && old.body.contains("4 more times"), "the new one has tries of its own: {}", old.body);
    assert_eq!(enter(&browser, &interaction, &second).await.location(), interaction);
}

/// What a browser is told, without what differs each time.
async fn told(world: &World, email: &str) -> Vec<(u16, String)> {
    let (app, browser) = (App::public(world, "app"), Browser::new(world));
    let interaction = browser.begin(&app.request()).await;
    let asked = ask(&browser, &interaction, email).await;
    let page = browser.get(&format!("{interaction}/email")).await;
    let csrf = page.csrf();
    let wrong = browser.post(&format!("{interaction}/email/code"), &[("csrf", &csrf), ("code", "x")]).await;
    let strip = |text: &str| {
        let text = text.replace(&csrf, "CSRF").replace(&interaction, "HERE").replace(email, "THEM");
        text.split("nonce=\"").map(|part| part.split_once('"').map_or(part, |(_, rest)| rest)).collect::<String>()
    };
    vec![(asked.status, strip(asked.location())), (page.status, strip(&page.body)), (wrong.status, strip(&wrong.body))]
}

async fn a_known_address_is_answered_like_an_unknown_one(Scene { world, mail }: Scene) {
    elsewhere(&world, ADA).await;
    let (known, unknown) = (told(&world, ADA).await, told(&world, "nobody@example.com").await);
    assert_eq!(known, unknown);
    assert_eq!(mail.mails(2).await.len(), 2, "everybody gets a code");
}

/// An account whose address another provider vouches for.
async fn elsewhere(world: &World, email: &str) -> AccountId {
    let proved =
        Proved { provider: Provider::new("google"), subject: "1".into(), label: email.to_owned(), email: Some(email.parse().unwrap()) };
    let id = AccountId(uuid::Uuid::from_u128(77));
    let signed = world.state.store.sign_in_by(&proved, id, world.clock.now()).await.unwrap();
    assert_eq!(signed, SignedIn::Account { id, created: true, disabled: false });
    id
}

async fn an_address_of_another_account_is_told_to_who_has_read_the_mail(Scene { world, mail }: Scene) {
    let account = elsewhere(&world, ADA).await;
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    let interaction = browser.begin(&app.request()).await;
    ask(&browser, &interaction, ADA).await;
    let answer = enter(&browser, &interaction, &mail.mail(1).await.code()).await;
    assert!(answer.status == 403 && answer.body.contains("You have an account here already"), "{}", answer.body);
    assert_eq!(browser.cookie("latchkey_session"), None, "an address lets nobody in who has not linked it");
    let accounts = world.state.store.accounts().await.unwrap();
    assert_eq!(accounts.iter().map(|account| (account.id, account.identities.len())).collect::<Vec<_>>(), [(account, 1)]);
}

async fn a_mail_is_sent_later_only_if_its_code_lives(Scene { world, mail }: Scene) {
    let port = mail.port();
    drop(mail);
    let (app, in_time, too_late, again) = (App::public(&world, "app"), Browser::new(&world), Browser::new(&world), Browser::new(&world));
    let interaction = in_time.begin(&app.request()).await;
    assert_eq!(ask(&in_time, &interaction, ADA).await.status, 303);
    let page = in_time.get(&format!("{interaction}/email")).await;
    assert!(page.status == 200 && page.body.contains("could not be sent yet"), "it is said at once: {}", page.body);
    // One of which nobody wants the first code any more, and one whose code dies.
    let replaced = again.begin(&app.request()).await;
    ask(&again, &replaced, "bob@example.com").await;
    let dies = too_late.begin(&app.request()).await;
    ask(&too_late, &dies, "eve@example.com").await;
    for _ in 0..5 {
        enter(&too_late, &dies, "x").await;
    }
    world.clock.advance(Duration::from_mins(1));
    ask(&again, &replaced, "bob@example.com").await;

    let mail = MailServer::at(port).await;
    let mut mails = mail.mails_later(2, &world.clock).await;
    mails.sort_by(|a, b| a.to.cmp(&b.to));
    assert_eq!(mails.iter().map(|mail| mail.to[0].as_str()).collect::<Vec<_>>(), [ADA, "bob@example.com"]);
    assert_eq!(enter(&in_time, &interaction, &mails[0].code()).await.location(), interaction, "it is the code that was asked for");
    assert_eq!(enter(&again, &replaced, &mails[1].code()).await.location(), replaced);
    // Nothing comes after its time either.
    mail.is(Manner::Later);
    let expires = Browser::new(&world);
    let interaction = expires.begin(&app.request()).await;
    ask(&expires, &interaction, "zoe@example.com").await;
    world.clock.advance(Duration::from_mins(10));
    mail.is(Manner::Takes);
    assert!(world.state.store.due_mails(world.clock.now(), 10).await.unwrap().is_empty());
    // A later code's mail comes; those before it would have come first.
    ask(&expires, &interaction, "zoe@example.com").await;
    let last = mail.mail(3).await;
    assert_eq!(last.to, ["zoe@example.com"]);
    assert_eq!(enter(&expires, &interaction, &last.code()).await.location(), interaction);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_server_in_trouble_is_told_at_once() {
    let Scene { world, mail } = Scene::new(Engine::Sqlite, &[]).await;
    let app = App::public(&world, "app");
    for (number, (manner, words)) in [
        (Manner::Refuses, "refused to send to this address"),
        (Manner::Later, "could not be sent yet"),
        (Manner::Stalls, "could not be sent yet"),
        (Manner::StallsLater, "could not be sent yet"),
        (Manner::HangsUp, "could not be sent yet"),
    ]
    .into_iter()
    .enumerate()
    {
        mail.is(manner);
        let browser = Browser::new(&world);
        let interaction = browser.begin(&app.request()).await;
        let began = std::time::Instant::now();
        assert_eq!(ask(&browser, &interaction, &format!("{number}@example.com")).await.status, 303, "{manner:?}");
        assert!(began.elapsed() < Duration::from_secs(5), "{manner:?}: somebody waited {:?}", began.elapsed());
        let page = browser.get(&format!("{interaction}/email")).await;
        assert!(page.status == 200 && page.body.contains(words), "{manner:?}: {}", page.body);
        assert!(page.body.contains("Sign in another way"), "{manner:?}");
    }
    // A connection that was given up in the middle of a mail carries no other.
    mail.is(Manner::Takes);
    let browser = Browser::new(&world);
    let interaction = browser.begin(&app.request()).await;
    ask(&browser, &interaction, ADA).await;
    assert_eq!(enter(&browser, &interaction, &mail.mail(1).await.code()).await.location(), interaction);
    // What was refused for good is never sent; the rest is.
    world.clock.advance(Duration::from_secs(20));
    let mails = mail.mails(5).await;
    assert!(mails.iter().all(|mail| mail.to[0] != "0@example.com"), "{mails:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_request_comes_into_a_mail_but_its_address() {
    let Scene { world, mail } = Scene::new(Engine::Sqlite, &[]).await;
    world.client("app2", |client| client.name = "Win money at https://evil.example".to_owned()).await;
    let (app, browser) = (App::public(&world, "app2"), Browser::new(&world));
    let interaction = browser.begin(&app.request()).await;
    let csrf = browser.get(&interaction).await.csrf();
    for email in [
        "ada@example.com\r\nBcc: all@example.com",
        "ada@example.com\nSubject: x",
        "ada@example.com, eve@example.com",
        "ada@example.com>\r\nRCPT TO:<eve@example.com",
        "Ada <ada@example.com>",
        "ada@example.com%0d%0aBcc:eve@example.com",
        "",
        "ada",
    ] {
        let answer = browser.post(&format!("{interaction}/email"), &[("csrf", &csrf), ("email", email)]).await;
        assert!(answer.status == 400 && answer.body.contains("This is no email address"), "{email:?}: {} {}", answer.status, answer.body);
    }
    let twice = Form::of(&[("csrf", &csrf), ("email", ADA), ("email", "eve@example.com")]);
    assert_eq!(browser.post_form(&format!("{interaction}/email"), &twice).await.status, 400);
    // CVE-2023-49097: the Host header in mails.
    let form = Form::of(&[("csrf", &csrf), ("email", ADA)]).encode();
    let request = browser.request(reqwest::Method::POST, &format!("{interaction}/email")).header("content-type", FORM).body(form);
    let request = request.header("host", "evil.example").header("x-forwarded-host", "evil.example").header("user-agent", "evil.example");
    let answer = browser.send(request).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let mail = mail.mail(1).await;
    assert_eq!(mail.to, [ADA]);
    for text in [&mail.head, &mail.text, &mail.html] {
        assert!(!text.contains("evil.example") && !text.contains("Win money"), "{text}");
    }
    assert!(mail.head.contains("@localhost>") && mail.text.contains("localhost"), "{}", mail.head);
    assert_eq!(mail.head.lines().filter(|line| line.starts_with("To: ") || line.starts_with("Bcc: ")).count(), 1, "{}", mail.head);
}

on_one!(without_a_mail_server_there_is_no_such_way, |world| {
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    let interaction = browser.begin(&app.request()).await;
    let page = browser.get(&interaction).await;
    assert!(page.is_sign_in() && !page.body.contains("/email\""), "{}", page.body);
    let form = [("csrf", page.csrf()), ("email", ADA.to_owned())];
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(browser.post(&format!("{interaction}/email"), &form).await.status, 404);
    assert_eq!(browser.post(&format!("{interaction}/email/code"), &form).await.status, 404);
    assert_eq!(browser.get(&format!("{interaction}/email")).await.status, 404);
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_the_app_hints_at_stands_in_the_field() {
    let Scene { world, .. } = Scene::new(Engine::Sqlite, &[]).await;
    let (app, browser) = (App::public(&world, "app"), Browser::new(&world));
    for (hint, shown) in [(ADA, ADA), ("0x52908400098527886E0F7030069857D2E4169EE7", ""), ("\"><script>", "")] {
        let interaction = browser.begin(&app.request().with("login_hint", hint)).await;
        let page = browser.get(&interaction).await;
        assert!(page.body.contains(&format!("type=\"email\" value=\"{shown}\"")), "{hint}: {}", page.body);
    }
}
