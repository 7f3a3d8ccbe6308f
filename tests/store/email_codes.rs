//! Codes that were mailed, the mails, and tries that are counted together.

use std::time::Duration;

use latchkey::domain::{AccountId, EmailCodeId, InteractionId, Provider, SessionId};
use latchkey::store::{EmailTry, Linked, Mail, MailState, MailSubject, NewEmailCode, Proved, SessionDevice, SignedIn, Store, Unlinked};
use uuid::Uuid;

use super::harness::{Fresh, both};
use super::made::{at, hash, session, uuid};
use super::races::{count, fifty};

both! {
    /// Right once, wrong five times, never in another visit or browser, never after its time.
    a_code_is_tried_in_its_visit_and_time
    /// Fifty who type the right code, on two replicas: one comes in.
    one_uses_a_code
    /// Fifty wrong guesses at once, on two replicas: five are looked at.
    five_of_fifty_guesses_count
    /// A new code ends the former, with its tries and its mail.
    a_new_code_takes_the_place_of_the_former
    /// A mail with a code goes as long as the code lives.
    a_mail_goes_only_while_its_code_lives
    /// Of fifty who claim a mail one sends it; when it dies, the mail is due again.
    one_claims_a_mail
    /// Each try has a number of its own, on two replicas; a window ends and the next begins.
    tries_are_counted_by_all
    /// A change to an account and its notice are written together, to each verified address.
    a_change_and_its_notice_are_one
    /// What is over is swept.
    what_is_over_is_swept
}

fn code(number: u128, visit: u128, word: &str) -> NewEmailCode {
    NewEmailCode {
        id: EmailCodeId(uuid(number)),
        interaction_id: InteractionId(uuid(visit)),
        email: "ada@example.com".parse().unwrap(),
        hash: hash(word),
        created_at: at(0),
        expires_at: at(600),
    }
}

async fn put(store: &Store, code: NewEmailCode) -> Mail {
    store.put_email_code(code, &hash("browser"), at(15)).await.unwrap()
}

async fn try_at(store: &Store, visit: u128, word: &str, seconds: i64) -> EmailTry {
    store.try_email_code(InteractionId(uuid(visit)), &hash("browser"), &hash(word), at(seconds)).await.unwrap()
}

fn right() -> EmailTry {
    EmailTry::Right("ada@example.com".parse().unwrap())
}

async fn a_code_is_tried_in_its_visit_and_time(fresh: &Fresh) {
    let store = &fresh.store;
    for visit in 1..=4 {
        put(store, code(visit, visit, "right")).await;
    }
    let visit = InteractionId(uuid(1));
    assert_eq!(store.try_email_code(visit, &hash("another"), &hash("right"), at(1)).await.unwrap(), EmailTry::Unknown);
    assert_eq!(try_at(store, 9, "right", 1).await, EmailTry::Unknown);
    assert_eq!(try_at(store, 1, "wrong", 1).await, EmailTry::Wrong { left: 4 });
    assert_eq!(try_at(store, 1, "right", 599).await, right());
    assert_eq!(try_at(store, 1, "right", 599).await, EmailTry::Over, "used");
    assert_eq!(try_at(store, 2, "right", 600).await, EmailTry::Over, "expired");
    for left in (0..5).rev() {
        assert_eq!(try_at(store, 3, "wrong", 1).await, EmailTry::Wrong { left });
    }
    assert_eq!(try_at(store, 3, "right", 1).await, EmailTry::Over, "guessed at");
    for _ in 0..4 {
        try_at(store, 4, "wrong", 1).await;
    }
    assert_eq!(try_at(store, 4, "right", 1).await, right(), "the fifth try counts");
    let stands = store.email_code(visit, &hash("browser")).await.unwrap().unwrap();
    assert_eq!((stands.tries, stands.used_at, stands.mail_state), (2, Some(at(599)), MailState::Waiting));
    assert_eq!(store.email_code(visit, &hash("another")).await.unwrap(), None);
}

async fn one_uses_a_code(fresh: &Fresh) {
    put(&fresh.store, code(1, 1, "right")).await;
    let outcomes = fifty(fresh, |store, _| async move { try_at(&store, 1, "right", 1).await == right() });
    assert_eq!(count(outcomes.await), 1);
}

async fn five_of_fifty_guesses_count(fresh: &Fresh) {
    put(&fresh.store, code(1, 1, "right")).await;
    let outcomes = fifty(fresh, |store, _| async move { matches!(try_at(&store, 1, "wrong", 1).await, EmailTry::Wrong { .. }) });
    assert_eq!(count(outcomes.await), 5);
    assert_eq!(try_at(&fresh.store, 1, "right", 1).await, EmailTry::Over);
}

async fn a_new_code_takes_the_place_of_the_former(fresh: &Fresh) {
    let store = &fresh.store;
    let former = put(store, code(1, 1, "former")).await;
    assert_eq!(try_at(store, 1, "wrong", 1).await, EmailTry::Wrong { left: 4 });
    put(store, code(2, 1, "latter")).await;
    assert_eq!(store.due_mails(at(20), 10).await.unwrap(), [uuid(2)], "the former's mail is not sent any more");
    assert_eq!(try_at(store, 1, "former", 1).await, EmailTry::Wrong { left: 4 });
    // What comes of the former's mail says nothing of the latter's.
    store.finish_mail(&former, true).await.unwrap();
    let stands = store.email_code(InteractionId(uuid(1)), &hash("browser")).await.unwrap().unwrap();
    assert_eq!(stands.mail_state, MailState::Waiting);
    assert_eq!(try_at(store, 1, "latter", 1).await, right());
}

async fn a_mail_goes_only_while_its_code_lives(fresh: &Fresh) {
    let store = &fresh.store;
    let mails = [put(store, code(1, 1, "right")).await, put(store, code(2, 2, "right")).await, put(store, code(3, 3, "right")).await];
    assert_eq!(store.due_mails(at(14), 10).await.unwrap(), Vec::<Uuid>::new(), "whoever asked for it sends it");
    assert_eq!(store.due_mails(at(15), 10).await.unwrap().len(), 3);
    for mail in &mails {
        assert!(store.postpone_mail(mail, at(5)).await.unwrap());
    }
    try_at(store, 1, "right", 4).await;
    for _ in 0..5 {
        try_at(store, 2, "wrong", 4).await;
    }
    assert_eq!(store.due_mails(at(5), 10).await.unwrap(), [uuid(3)]);
    for number in [1, 2] {
        assert_eq!(store.claim_mail(uuid(number), at(5), at(20)).await.unwrap(), None, "used, or guessed at");
    }
    assert_eq!(store.claim_mail(uuid(3), at(600), at(620)).await.unwrap(), None, "expired");
    let claimed = store.claim_mail(uuid(3), at(5), at(20)).await.unwrap().unwrap();
    assert_eq!((claimed.attempts, &claimed.subject, claimed.recipient.as_str()), (2, &MailSubject::Code, "ada@example.com"));
    assert!(!store.postpone_mail(&mails[2], at(6)).await.unwrap(), "who claimed it before has lost it");
    store.finish_mail(&claimed, false).await.unwrap();
    let stands = store.email_code(InteractionId(uuid(3)), &hash("browser")).await.unwrap().unwrap();
    assert_eq!(stands.mail_state, MailState::Refused);
}

async fn one_claims_a_mail(fresh: &Fresh) {
    put(&fresh.store, code(1, 1, "right")).await;
    let outcomes = fifty(fresh, |store, _| async move { store.claim_mail(uuid(1), at(15), at(30)).await.unwrap().is_some() });
    assert_eq!(count(outcomes.await), 1);
    assert_eq!(fresh.store.due_mails(at(29), 10).await.unwrap(), Vec::<Uuid>::new());
    assert!(fresh.store.claim_mail(uuid(1), at(30), at(45)).await.unwrap().is_some(), "its holder is dead");
}

async fn tries_are_counted_by_all(fresh: &Fresh) {
    let hour = Duration::from_hours(1);
    let outcomes = fifty(fresh, move |store, _| async move { store.count_try(&hash("key"), hour, at(0)).await.unwrap().tries <= 20 });
    assert_eq!(count(outcomes.await), 20);
    let store = &fresh.store;
    let counted = store.count_try(&hash("key"), hour, at(1_800)).await.unwrap();
    assert_eq!((counted.tries, counted.expires_at), (51, at(3_600)), "the window does not grow");
    let counted = store.count_try(&hash("another"), hour, at(1_800)).await.unwrap();
    assert_eq!((counted.tries, counted.expires_at), (1, at(5_400)));
    let counted = store.count_try(&hash("key"), hour, at(3_600)).await.unwrap();
    assert_eq!((counted.tries, counted.expires_at), (1, at(7_200)), "the next one began");
    assert_eq!(store.sweep(at(5_400)).await.unwrap().try_counts, 1);
}

async fn subjects(store: &Store) -> Vec<(String, MailSubject)> {
    let mut all = Vec::new();
    for id in store.due_mails(at(10), 100).await.unwrap() {
        let mail = store.claim_mail(id, at(10), at(20)).await.unwrap().unwrap();
        all.push((mail.recipient.as_str().to_owned(), mail.subject.clone()));
        store.finish_mail(&mail, true).await.unwrap();
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

async fn a_change_and_its_notice_are_one(fresh: &Fresh) {
    let store = &fresh.store;
    let account = AccountId(uuid(50));
    let proved = |provider: &str, subject: &str, email: Option<&str>| Proved {
        provider: Provider::new(provider),
        subject: subject.to_owned(),
        label: "its name".to_owned(),
        email: email.map(|email| email.parse().unwrap()),
    };
    let email = proved("email", "ada@example.com", Some("ada@example.com"));
    assert!(matches!(store.sign_in_by(&email, account, at(0)).await.unwrap(), SignedIn::Account { created: true, .. }));
    assert!(subjects(store).await.is_empty(), "a new account is no change");
    let google = proved("google", "1", Some("ada@gmail.example"));
    assert_eq!(store.link_identity(account, &google, at(1)).await.unwrap(), Linked::Now);
    let added = MailSubject::WayAdded { provider: Provider::new("google"), name: "its name".to_owned() };
    assert_eq!(subjects(store).await, [("ada@example.com".to_owned(), added.clone()), ("ada@gmail.example".to_owned(), added)]);
    assert_eq!(store.link_identity(account, &google, at(2)).await.unwrap(), Linked::Already);
    let theirs = proved("github", "1", Some("bob@example.com"));
    store.sign_in_by(&theirs, AccountId(uuid(51)), at(2)).await.unwrap();
    assert_eq!(store.link_identity(account, &theirs, at(2)).await.unwrap(), Linked::Another);
    let same_address = proved("github", "2", Some("bob@example.com"));
    assert_eq!(store.link_identity(account, &same_address, at(2)).await.unwrap(), Linked::EmailElsewhere);
    assert!(subjects(store).await.is_empty(), "nothing was changed");

    let mut begun = session(1, account);
    store.start_session_on(SessionDevice::New, &begun, &hash("one"), None).await.unwrap();
    let device = MailSubject::NewDevice { provider: begun.provider.clone(), user_agent: begun.user_agent.clone() };
    assert_eq!(subjects(store).await.iter().map(|(_, what)| what.clone()).collect::<Vec<_>>(), [device.clone(), device]);
    store.start_session_on(SessionDevice::New, &begun, &hash("two"), Some(&hash("one"))).await.unwrap();
    assert!(subjects(store).await.is_empty(), "it goes on where it was");
    begun.id = SessionId(uuid(60));
    store.start_session(&begun, &hash("three"), None).await.unwrap();
    assert!(subjects(store).await.is_empty());

    let unlinked = store.unlink_identity(account, &Provider::email(), "ada@example.com", begun.id, at(3)).await.unwrap();
    assert_eq!(unlinked, Unlinked::Now);
    let removed = MailSubject::WayRemoved { provider: Provider::email(), name: "its name".to_owned() };
    assert_eq!(subjects(store).await, [("ada@example.com".to_owned(), removed.clone()), ("ada@gmail.example".to_owned(), removed)]);
    assert_eq!(store.unlink_identity(account, &google.provider, "1", begun.id, at(3)).await.unwrap(), Unlinked::Last);
    assert!(subjects(store).await.is_empty());
}

async fn what_is_over_is_swept(fresh: &Fresh) {
    let store = &fresh.store;
    put(store, code(1, 1, "right")).await;
    let swept = store.sweep(at(599)).await.unwrap();
    assert_eq!((swept.email_codes, swept.mails), (0, 0));
    let swept = store.sweep(at(600)).await.unwrap();
    assert_eq!((swept.email_codes, swept.mails), (0, 1), "its page says for a while that it has expired");
    assert_eq!(store.sweep(at(4_199)).await.unwrap().email_codes, 0);
    assert_eq!(store.sweep(at(4_200)).await.unwrap().email_codes, 1);
}
