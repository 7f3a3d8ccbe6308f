//! What people are told by mail of changes to their accounts.

use std::time::{Duration, Instant};

use latchkey::domain::{AccountId, Provider};
use latchkey::store::{Linked, Proved, Unlinked};
use reqwest::Method;

use crate::actors::{App, Browser, Form, Wallet};
use crate::email::{ADA, Scene, ask, by_mail, enter};
use crate::mailbox::{Mail, MailServer};
use crate::world::{FORM, ISSUER, World};

by_mail! {
    a_way_that_is_added_or_removed_is_told
    a_new_device_is_told_and_a_known_one_is_not
    a_notice_waits_for_its_mail_server
}

/// Signs in by mail, with the newest code.
async fn sign_in(world: &World, mail: &MailServer, browser: &Browser<'_>, count: &mut usize) {
    // One code a minute for an address.
    world.clock.advance(Duration::from_mins(1));
    let interaction = browser.begin(&App::public(world, "app").request().with("prompt", "login")).await;
    assert_eq!(ask(browser, &interaction, ADA).await.status, 303);
    let code = codes(&mail.mails(*count + 1).await).pop().unwrap();
    *count += 1;
    assert_eq!(enter(browser, &interaction, &code).await.location(), interaction);
}

fn codes(mails: &[Mail]) -> Vec<String> {
    mails.iter().filter(|mail| mail.header("Subject").starts_with("Your code")).map(Mail::code).collect()
}

fn notices(mails: &[Mail]) -> Vec<&Mail> {
    mails.iter().filter(|mail| !mail.header("Subject").starts_with("Your code")).collect()
}

/// Waits until no mail is left to be sent.
async fn until_all_is_sent(world: &World) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !world.state.store.due_mails(world.clock.now().plus(Duration::from_hours(1)), 10).await.unwrap().is_empty() {
        assert!(Instant::now() < deadline, "mails wait");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn account(world: &World) -> AccountId {
    world.state.store.owner_of_identity(&Provider::email(), ADA).await.unwrap().unwrap()
}

async fn a_way_that_is_added_or_removed_is_told(Scene { world, mail }: Scene) {
    let (browser, mut count) = (Browser::new(&world), 0);
    sign_in(&world, &mail, &browser, &mut count).await;
    let (account, now, wallet) = (account(&world).await, world.clock.now(), Wallet::new(1).address.to_string());
    let proved = Proved { provider: Provider::web3(), subject: wallet.clone(), label: String::new(), email: None };
    assert_eq!(world.state.store.link_identity(account, &proved, now).await.unwrap(), Linked::Now);
    let told = mail.mail(2).await;
    assert_eq!((told.to.as_slice(), told.header("Subject")), ([ADA.to_owned()].as_slice(), "localhost:8080: A way to sign in was added"));
    for text in [&told.text, &told.html] {
        assert!(
            text.contains(&wallet) && text.contains(&format!("{ISSUER}/account")) && text.contains("1 January 2026, 00:01 UTC"),
            "{text}"
        );
    }
    // Again is no news.
    assert_eq!(world.state.store.link_identity(account, &proved, now).await.unwrap(), Linked::Already);

    // Whoever takes the address away cannot keep its owner from hearing of it.
    let nobody = latchkey::domain::SessionId(uuid::Uuid::nil());
    let unlinked = world.state.store.unlink_identity(account, &Provider::email(), ADA, nobody, now).await.unwrap();
    assert_eq!(unlinked, Unlinked::Now);
    let told = mail.mail(3).await;
    assert_eq!(told.to, [ADA]);
    assert!(told.text.contains("nobody can sign in") && told.text.contains(&format!("Email ({ADA})")), "{}", told.text);
    // From then on there is nobody to be told.
    let other = Proved { subject: Wallet::new(2).address.to_string(), ..proved };
    assert_eq!(world.state.store.link_identity(account, &other, now).await.unwrap(), Linked::Now);
    until_all_is_sent(&world).await;
    assert_eq!(mail.mails(0).await.len(), 3);
}

async fn a_new_device_is_told_and_a_known_one_is_not(Scene { world, mail }: Scene) {
    let (first, second, mut count) = (Browser::new(&world), Browser::new(&world), 0);
    sign_in(&world, &mail, &first, &mut count).await;
    // Signed out and in again, it is the same browser.
    first.cookies.lock().unwrap().remove("latchkey_session").unwrap();
    sign_in(&world, &mail, &first, &mut count).await;
    sign_in(&world, &mail, &first, &mut count).await;
    until_all_is_sent(&world).await;
    assert_eq!(notices(&mail.mails(count).await).len(), 0, "nobody is told of the browser that they signed up with");

    // The same person elsewhere.
    world.clock.advance(Duration::from_mins(1));
    let interaction = second.begin(&App::public(&world, "app").request()).await;
    ask(&second, &interaction, ADA).await;
    let code = codes(&mail.mails(count + 1).await).pop().unwrap();
    let csrf = second.get(&interaction).await.csrf();
    let request = second.request(Method::POST, &format!("{interaction}/email/code")).header("content-type", FORM);
    let request = request.header("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0 <b>");
    let entered = second.send(request.body(Form::of(&[("csrf", &csrf), ("code", &code)]).encode())).await;
    assert_eq!(entered.location(), interaction);
    count += 2;
    let mails = mail.mails(count).await;
    let told = notices(&mails);
    assert_eq!(told.len(), 1);
    assert!(told[0].text.contains("Firefox on Linux, by Email") && told[0].text.contains(&format!("{ISSUER}/account")), "{}", told[0].text);

    // From then on that one is known, by a cookie that no script reads and that lets nobody in.
    let known = second.cookie("latchkey_known").unwrap();
    second.cookies.lock().unwrap().remove("latchkey_session").unwrap();
    sign_in(&world, &mail, &second, &mut count).await;
    until_all_is_sent(&world).await;
    assert_eq!(notices(&mail.mails(count).await).len(), 1);
    let third = Browser::new(&world);
    third.set_cookie("latchkey_known", &known);
    assert_eq!(third.get("/account").await.status, 303, "it is no session");
    // A made-up one is none, nor is that of another account.
    world.clock.advance(Duration::from_mins(10));
    let fourth = Browser::new(&world);
    fourth.sign_in_to_account(&Wallet::new(3)).await;
    let of_another = fourth.cookie("latchkey_known").unwrap();
    assert_ne!(of_another, known);
    for cookie in ["x".repeat(22), of_another] {
        world.clock.advance(Duration::from_hours(1));
        let browser = Browser::new(&world);
        browser.set_cookie("latchkey_known", &cookie);
        sign_in(&world, &mail, &browser, &mut count).await;
        count += 1;
        assert!(mail.mails(count).await.len() == count, "it is told");
    }
}

async fn a_notice_waits_for_its_mail_server(Scene { world, mail }: Scene) {
    let (browser, mut count) = (Browser::new(&world), 0);
    sign_in(&world, &mail, &browser, &mut count).await;
    let port = mail.port();
    drop(mail);
    let proved =
        Proved { provider: Provider::web3(), subject: Wallet::new(1).address.to_string(), label: "a\r\nBcc: x".into(), email: None };
    let account = account(&world).await;
    assert_eq!(world.state.store.link_identity(account, &proved, world.clock.now()).await.unwrap(), Linked::Now);
    // It is tried, and put off.
    let deadline = Instant::now() + Duration::from_secs(20);
    while !world.state.store.due_mails(world.clock.now(), 10).await.unwrap().is_empty() {
        assert!(Instant::now() < deadline, "it is not tried");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mail = MailServer::at(port).await;
    let told = mail.mails_later(1, &world.clock).await.remove(0);
    assert!(told.text.contains("Wallet (a  Bcc: x)"), "{}", told.text);
    assert!(!told.head.contains("Bcc"), "{}", told.head);
}
