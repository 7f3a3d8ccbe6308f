//! Passkeys: a challenge is taken once by its holder, a credential is one account's, a count is used once.

use latchkey::domain::{AccountId, BackupState, Ceremony, InteractionId, Provider, SessionId};
use latchkey::store::{Linked, Passkey, PasskeyChallenge, PasskeyUse, Proved, Taken, Unlinked};
use serde_json::json;

use super::harness::{Fresh, both};
use super::made::{at, hash, person, uuid};
use super::races::{count, fifty};

both! {
    /// A challenge is its browser's, its visit's and its ceremony's.
    a_passkey_challenge_is_taken_once
    /// Fifty answers, one look.
    one_takes_a_passkey_challenge
    /// A passkey makes an account, is found with it, and goes with its identity.
    a_passkey_is_its_identitys
    /// Fifty sign-ups by one credential, one account.
    one_account_for_a_credential
    /// Fifty accounts that add one credential: one has it.
    one_account_has_a_credential
    /// What is added is the account's, and a second one beside it.
    passkeys_are_added
    /// A count grows, or there is none.
    a_count_is_used_once
    /// Fifty signatures of one count, one sign-in.
    one_uses_a_count
}

pub(crate) fn passkey_challenge(number: u8) -> PasskeyChallenge {
    PasskeyChallenge {
        id: uuid(7_000 + u128::from(number)),
        interaction_id: InteractionId(uuid(2_000 + u128::from(number))),
        ceremony: Ceremony::Authentication,
        state: json!({ "number": number }),
        expires_at: at(300),
    }
}

fn passkey(id: &str, counter: u32) -> Passkey {
    Passkey {
        credential_id: id.to_owned(),
        user_handle: uuid(1),
        credential: json!({ "of": id }),
        counter,
        backup_state: BackupState::DeviceBound,
        created_at: at(0),
        last_used_at: at(0),
    }
}

fn proved(id: &str) -> Proved {
    Proved { provider: Provider::passkey(), subject: id.to_owned(), label: format!("The passkey {id}"), email: None }
}

fn account(number: u128) -> AccountId {
    AccountId(uuid(8_000 + number))
}

async fn a_passkey_challenge_is_taken_once(fresh: &Fresh) {
    let store = &fresh.store;
    let challenge = passkey_challenge(1);
    store.put_passkey_challenge(&challenge, &hash("browser")).await.unwrap();
    let (id, visit, ceremony) = (challenge.id, challenge.interaction_id, Ceremony::Authentication);
    for (id, ceremony, visit, browser) in [
        (uuid(9), ceremony, visit, "browser"),
        (id, Ceremony::Registration, visit, "browser"),
        (id, ceremony, InteractionId(uuid(9)), "browser"),
        (id, ceremony, visit, "another's browser"),
    ] {
        assert_eq!(store.take_passkey_challenge(id, ceremony, visit, &hash(browser), at(1)).await.unwrap(), Taken::Unknown);
    }
    let take = async |seconds| store.take_passkey_challenge(id, ceremony, visit, &hash("browser"), at(seconds)).await.unwrap();
    assert_eq!(take(300).await, Taken::Expired);
    assert_eq!(take(299).await, Taken::Now(json!({ "number": 1 })));
    assert_eq!(take(1).await, Taken::Already);
    assert_eq!(take(301).await, Taken::Already);
}

async fn one_takes_a_passkey_challenge(fresh: &Fresh) {
    let challenge = passkey_challenge(1);
    fresh.store.put_passkey_challenge(&challenge, &hash("browser")).await.unwrap();
    let (id, visit) = (challenge.id, challenge.interaction_id);
    let outcomes = fifty(fresh, move |store, _| async move {
        store.take_passkey_challenge(id, Ceremony::Authentication, visit, &hash("browser"), at(1)).await.unwrap()
    })
    .await;
    assert_eq!(count(outcomes.iter().map(|taken| matches!(taken, Taken::Now(_)))), 1);
    assert_eq!(count(outcomes.iter().map(|taken| *taken == Taken::Already)), 49);
}

async fn a_passkey_is_its_identitys(fresh: &Fresh) {
    let store = &fresh.store;
    assert!(store.sign_up_by_passkey(&proved("a"), &passkey("a", 5), account(1), at(0)).await.unwrap());
    let known = store.passkey("a").await.unwrap().unwrap();
    assert_eq!((known.passkey, known.account_id, known.label), (passkey("a", 5), account(1), "The passkey a".to_owned()));
    assert_eq!(store.passkey("b").await.unwrap(), None);
    assert!(!store.sign_up_by_passkey(&proved("a"), &passkey("a", 0), account(2), at(1)).await.unwrap());
    assert_eq!(store.account(account(2)).await.unwrap(), None, "nothing is left of the one that came too late");
    assert_eq!(store.passkey("a").await.unwrap().unwrap().passkey, passkey("a", 5));
    assert_eq!(store.link_passkey(account(1), &proved("b"), &passkey("b", 0), at(1)).await.unwrap(), Linked::Now);
    let unlinked = store.unlink_identity(account(1), &Provider::passkey(), "a", SessionId(uuid(9)), at(2)).await.unwrap();
    assert_eq!(unlinked, Unlinked::Now);
    assert_eq!(store.passkey("a").await.unwrap(), None);
    assert_eq!((fresh.count("passkey").await, store.passkeys_of(account(1)).await.unwrap()), (1, vec![passkey("b", 0)]));
}

async fn one_account_for_a_credential(fresh: &Fresh) {
    let outcomes = fifty(fresh, |store, number| async move {
        store.sign_up_by_passkey(&proved("a"), &passkey("a", 0), account(u128::from(number)), at(0)).await.unwrap()
    });
    assert_eq!(count(outcomes.await), 1);
    assert_eq!((fresh.count("account").await, fresh.count("identity").await, fresh.count("passkey").await), (1, 1, 1));
}

async fn one_account_has_a_credential(fresh: &Fresh) {
    let mut accounts = Vec::new();
    for number in 0..50 {
        accounts.push(person(&fresh.store, number).await);
    }
    let outcomes = fifty(fresh, move |store, number| {
        let account = accounts[usize::from(number)];
        async move { store.link_passkey(account, &proved("a"), &passkey("a", 0), at(1)).await.unwrap() }
    })
    .await;
    assert_eq!(count(outcomes.iter().map(|linked| *linked == Linked::Now)), 1);
    assert_eq!(count(outcomes.iter().map(|linked| *linked == Linked::Another)), 49);
    assert_eq!(fresh.count("passkey").await, 1);
}

async fn passkeys_are_added(fresh: &Fresh) {
    let store = &fresh.store;
    let (mine, theirs) = (person(store, 1).await, person(store, 2).await);
    let link = async |account, id: &str| store.link_passkey(account, &proved(id), &passkey(id, 0), at(1)).await.unwrap();
    assert_eq!(link(mine, "a").await, Linked::Now);
    assert_eq!(link(mine, "b").await, Linked::Now);
    assert_eq!(link(mine, "a").await, Linked::Already);
    assert_eq!(link(theirs, "a").await, Linked::Another);
    assert_eq!(link(account(1), "c").await, Linked::NoAccount);
    store.set_account_disabled(theirs, Some(at(2)), at(2)).await.unwrap();
    assert_eq!(link(theirs, "c").await, Linked::NoAccount);
    assert_eq!(store.passkeys_of(mine).await.unwrap(), [passkey("a", 0), passkey("b", 0)]);
    assert_eq!(store.passkeys_of(theirs).await.unwrap(), []);
}

async fn a_count_is_used_once(fresh: &Fresh) {
    let store = &fresh.store;
    store.sign_up_by_passkey(&proved("a"), &passkey("a", 0), account(1), at(0)).await.unwrap();
    let signed = async |counter, seconds| store.use_passkey("a", counter, BackupState::Eligible, at(seconds)).await.unwrap();
    for (counter, seconds) in [(0, 1), (0, 2), (7, 3)] {
        assert_eq!(signed(counter, seconds).await, PasskeyUse::Noted);
    }
    for counter in [0, 6, 7] {
        assert_eq!(signed(counter, 4).await, PasskeyUse::NotGrown);
    }
    let now = store.passkey("a").await.unwrap().unwrap().passkey;
    assert_eq!((now.counter, now.backup_state, now.last_used_at), (7, BackupState::Eligible, at(3)));
    assert_eq!(signed(u32::MAX, 5).await, PasskeyUse::Noted);
    assert_eq!(store.passkey("a").await.unwrap().unwrap().passkey.counter, u32::MAX);
    assert_eq!(store.use_passkey("b", 1, BackupState::Eligible, at(5)).await.unwrap(), PasskeyUse::Gone);
}

async fn one_uses_a_count(fresh: &Fresh) {
    fresh.store.sign_up_by_passkey(&proved("a"), &passkey("a", 6), account(1), at(0)).await.unwrap();
    let outcomes = fifty(fresh, |store, _| async move { store.use_passkey("a", 7, BackupState::DeviceBound, at(1)).await.unwrap() });
    assert_eq!(count(outcomes.await.into_iter().map(|used| used == PasskeyUse::Noted)), 1);
}
