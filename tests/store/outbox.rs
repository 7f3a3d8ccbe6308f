//! The outbox: who is written to when sessions end, and who delivers.

use latchkey::domain::{AccountId, SessionId};
use latchkey::store::{ClientRecord, Message, NewCode, SessionEnd, Store};

use super::harness::{Fresh, both};
use super::made::{agree, at, client, client_id, code, hash, interaction, person, session};

both! {
    /// Whatever ends a session writes to the apps that it signed in to and that want to be told, once.
    whatever_ends_a_session_writes_to_its_apps
    /// Apps without an address, disabled ones and other sessions' are not written to.
    nobody_else_is_written_to
    /// Codes that wait end with their session; those that were redeemed, and other sessions', do not.
    codes_that_wait_end_with_their_session
    /// Withdrawing one app ends the sessions there, and the person stays signed in.
    a_withdrawal_tells_that_app_alone
    /// A code for an app that wants to be told is not issued in a session that has ended.
    no_code_for_an_ended_session
    /// Of fifty who claim a message at once, one gets it.
    one_claims_a_message
    /// Of codes and of the session's end, one comes first: whoever got a code is told.
    whoever_got_a_code_is_told
    /// A message whose holder died is due again, with all that it said.
    a_crash_between_claim_and_delivery
    /// A message is tried for a day.
    a_message_ends
}

fn told(number: u8, app: &str, account: AccountId, session: SessionId) -> NewCode {
    NewCode { session_id: Some(session), told_as: Some(format!("person at {app}")), ..code(number, app, account) }
}

async fn claim_all(store: &Store, seconds: i64) -> Vec<Message> {
    let mut claimed = Vec::new();
    for id in store.due_messages(at(seconds), 100).await.unwrap() {
        claimed.extend(store.claim_message(id, at(seconds), at(seconds + 15)).await.unwrap());
    }
    claimed
}

/// A session of that person in which codes were given to `apps`.
async fn signed_in(store: &Store, number: u8, account: AccountId, apps: &[&str]) -> SessionId {
    let session = session(number, account);
    store.start_session(&session, &hash(&format!("cookie {number}")), None).await.unwrap();
    for (place, app) in (0_u8..).zip(apps) {
        let code = told(number * 10 + place, app, account, session.id);
        assert!(store.put_code(&code, &hash(&format!("code {}", code.id))).await.unwrap());
    }
    session.id
}

async fn whatever_ends_a_session_writes_to_its_apps(fresh: &Fresh) {
    let store = &fresh.store;
    let (account, other) = (person(store, 1).await, person(store, 2).await);
    for app in ["app", "second"] {
        store.create_client(&client(app)).await.unwrap();
    }
    // A visit that ends with a code counts like a code without a visit, and two codes like one.
    let first = signed_in(store, 1, account, &["app", "app"]).await;
    store.put_interaction(&interaction(1), &hash("browser")).await.unwrap();
    let finish = told(19, "second", account, first);
    assert!(store.finish_interaction(interaction(1).id, &hash("browser"), &finish, &hash("19"), at(1)).await.unwrap());
    assert_eq!(claim_all(store, 1).await, []);
    // The same person's new proof ends nothing, another person's does.
    store.start_session(&session(9, account), &hash("renewed"), Some(&hash("cookie 1"))).await.unwrap();
    assert_eq!(claim_all(store, 1).await, []);
    store.start_session(&session(2, other), &hash("cookie 2"), Some(&hash("renewed"))).await.unwrap();
    let messages = claim_all(store, 1).await;
    let said: Vec<_> = messages.iter().map(|m| (m.client_id.as_str(), m.destination.as_str(), &m.payload, m.attempts)).collect();
    let end = |app: &str, sid| SessionEnd { sub: format!("person at {app}"), sid };
    let (at_app, at_second) = (end("app", first), end("second", first));
    assert_eq!(said.len(), 2);
    assert!(said.contains(&("app", "https://app.example/ended", &at_app, 1)), "{said:?}");
    assert!(said.contains(&("second", "https://app.example/ended", &at_second, 1)), "{said:?}");

    signed_in(store, 3, account, &["app"]).await;
    assert!(store.end_session(&hash("cookie 3"), at(2)).await.unwrap());
    assert!(!store.end_session(&hash("cookie 3"), at(2)).await.unwrap());
    assert_eq!(claim_all(store, 2).await.len(), 1);

    signed_in(store, 4, account, &["app"]).await;
    signed_in(store, 5, account, &["app", "second"]).await;
    assert_eq!(store.end_sessions(account, at(3)).await.unwrap(), 2);
    assert_eq!(claim_all(store, 3).await.len(), 3);

    let last = signed_in(store, 6, account, &["app"]).await;
    store.set_account_disabled(account, Some(at(4)), at(4)).await.unwrap();
    let messages = claim_all(store, 4).await;
    assert_eq!(messages.iter().map(|message| &message.payload).collect::<Vec<_>>(), [&end("app", last)]);
    assert!(store.sessions(other, at(4)).await.unwrap().len() == 1, "another person is still there");
}

async fn nobody_else_is_written_to(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    for app in ["app", "off", "later"] {
        store.create_client(&client(app)).await.unwrap();
    }
    store.create_client(&ClientRecord { backchannel_logout_uri: None, ..client("silent") }).await.unwrap();
    let first = signed_in(store, 1, account, &["off", "later"]).await;
    signed_in(store, 2, account, &["app"]).await;
    // An app that does not want to be told costs nothing, and one that no longer does gets nothing.
    assert!(store.put_code(&NewCode { session_id: Some(first), ..code(30, "silent", account) }, &hash("silent")).await.unwrap());
    store.set_client_disabled(&client_id("off"), Some(at(1)), at(1)).await.unwrap();
    assert!(store.update_client(&ClientRecord { backchannel_logout_uri: None, ..client("later") }, &[]).await.unwrap());
    assert!(store.end_session(&hash("cookie 1"), at(2)).await.unwrap());
    assert_eq!(claim_all(store, 2).await, []);
    // A session whose time is over is swept without a word: its apps know the time themselves.
    assert_eq!(store.sweep(at(1_000)).await.unwrap().sessions, 1);
    assert_eq!(claim_all(store, 1_000).await, []);
}

async fn codes_that_wait_end_with_their_session(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    store.create_client(&client("app")).await.unwrap();
    agree(store, account, "app").await;
    let (ends, stays) = (session(1, account), session(2, account));
    for session in [&ends, &stays] {
        store.start_session(session, &hash(&session.id.to_string()), None).await.unwrap();
    }
    let of = |number, session: SessionId| NewCode { session_id: Some(session), ..code(number, "app", account) };
    for (number, session) in [(1, ends.id), (2, ends.id), (3, stays.id)] {
        store.put_code(&of(number, session), &hash(&number.to_string())).await.unwrap();
    }
    store.redeem_code(&hash("1"), &client_id("app"), at(1)).await.unwrap().unwrap();
    assert!(store.end_session(&hash(&ends.id.to_string()), at(2)).await.unwrap());
    assert!(store.person_token(of(1, ends.id).id, at(3)).await.unwrap().is_some(), "a token lives as long as it says");
    assert!(store.redeem_code(&hash("2"), &client_id("app"), at(3)).await.unwrap().is_none());
    assert!(store.redeem_code(&hash("3"), &client_id("app"), at(3)).await.unwrap().is_some());
}

async fn a_withdrawal_tells_that_app_alone(fresh: &Fresh) {
    let store = &fresh.store;
    let (account, other) = (person(store, 1).await, person(store, 2).await);
    for app in ["app", "second"] {
        store.create_client(&client(app)).await.unwrap();
        agree(store, account, app).await;
    }
    let sids = [signed_in(store, 1, account, &["app", "second"]).await, signed_in(store, 2, account, &["app"]).await];
    signed_in(store, 3, other, &["app"]).await;
    assert!(store.withdraw_consent(account, &client_id("app"), at(1)).await.unwrap());
    let messages = claim_all(store, 1).await;
    assert!(messages.iter().all(|message| message.client_id == client_id("app")), "{messages:?}");
    let mut ended: Vec<_> = messages.iter().map(|message| message.payload.sid).collect();
    ended.sort();
    assert_eq!(ended, sids);
    assert_eq!(store.sessions(account, at(2)).await.unwrap().len(), 2);
    // It was told, and is not told again.
    assert_eq!(store.end_sessions(account, at(2)).await.unwrap(), 2);
    assert_eq!(claim_all(store, 2).await.iter().map(|message| message.client_id.as_str()).collect::<Vec<_>>(), ["second"]);
}

async fn no_code_for_an_ended_session(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    store.create_client(&client("app")).await.unwrap();
    let ended = signed_in(store, 1, account, &[]).await;
    store.put_interaction(&interaction(1), &hash("browser")).await.unwrap();
    store.end_session(&hash("cookie 1"), at(1)).await.unwrap();
    assert!(!store.put_code(&told(1, "app", account, ended), &hash("code")).await.unwrap());
    let late = told(1, "app", account, ended);
    assert!(!store.finish_interaction(interaction(1).id, &hash("browser"), &late, &hash("code"), at(1)).await.unwrap());
    assert!(store.interaction(interaction(1).id, &hash("browser"), at(1)).await.unwrap().is_some(), "nothing is changed");
    assert_eq!(store.code_state(&hash("code")).await.unwrap(), None);
}

async fn one_claims_a_message(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    store.create_client(&client("app")).await.unwrap();
    signed_in(store, 1, account, &["app"]).await;
    store.end_session(&hash("cookie 1"), at(1)).await.unwrap();
    let id = store.due_messages(at(1), 10).await.unwrap()[0];
    let claims = (0..50).map(|_| {
        let store = store.clone();
        async move { store.claim_message(id, at(1), at(16)).await.unwrap() }
    });
    let claimed: Vec<_> = futures_util::future::join_all(claims).await.into_iter().flatten().collect();
    assert_eq!(claimed.len(), 1);
    assert!(store.due_messages(at(15), 10).await.unwrap().is_empty());
}

async fn whoever_got_a_code_is_told(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    for number in 0..20_u8 {
        store.create_client(&client(&format!("app{number}"))).await.unwrap();
    }
    let session = signed_in(store, 1, account, &[]).await;
    let codes = (0..20_u8).map(|number| {
        let store = store.clone();
        let code = told(number, &format!("app{number}"), account, session);
        async move { (format!("app{number}"), store.put_code(&code, &hash(&number.to_string())).await.unwrap()) }
    });
    let end = async {
        tokio::task::yield_now().await;
        store.end_session(&hash("cookie 1"), at(1)).await.unwrap()
    };
    let (given, ended) = tokio::join!(futures_util::future::join_all(codes), end);
    assert!(ended);
    let mut given: Vec<String> = given.into_iter().filter_map(|(app, stored)| stored.then_some(app)).collect();
    let mut heard: Vec<String> = claim_all(store, 1).await.iter().map(|message| message.client_id.to_string()).collect();
    given.sort();
    heard.sort();
    assert_eq!(given, heard);
}

async fn a_crash_between_claim_and_delivery(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    store.create_client(&client("app")).await.unwrap();
    signed_in(store, 1, account, &["app"]).await;
    store.end_session(&hash("cookie 1"), at(1)).await.unwrap();
    let lost = claim_all(store, 1).await.remove(0);
    assert_eq!(claim_all(store, 15).await, []);
    let again = claim_all(store, 16).await.remove(0);
    assert_eq!(again, Message { attempts: 2, ..lost.clone() });
    // The one who was taken for dead comes back, and changes nothing.
    assert!(!store.postpone_message(&lost, at(500)).await.unwrap());
    assert!(store.postpone_message(&again, at(20)).await.unwrap());
    assert_eq!(claim_all(store, 19).await, []);
    let third = claim_all(store, 20).await.remove(0);
    store.finish_message(third.id).await.unwrap();
    assert_eq!(claim_all(store, 1_000).await, []);
    assert!(!store.postpone_message(&third, at(500)).await.unwrap());
}

async fn a_message_ends(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    store.create_client(&client("app")).await.unwrap();
    signed_in(store, 1, account, &["app"]).await;
    store.end_session(&hash("cookie 1"), at(0)).await.unwrap();
    let day = 24 * 3_600;
    let id = store.due_messages(at(day - 1), 10).await.unwrap()[0];
    assert!(store.due_messages(at(day), 10).await.unwrap().is_empty());
    assert_eq!(store.claim_message(id, at(day), at(day + 15)).await.unwrap(), None);
    assert_eq!(store.sweep(at(day - 1)).await.unwrap().messages, 0);
    assert_eq!(store.sweep(at(day)).await.unwrap().messages, 1);
}
