//! Devices that wait: found by what a person typed, decided once, redeemed once by their client, slowed down when they poll too soon.

use std::time::Duration;

use latchkey::domain::{AccountId, ClientId, CodeId, DeviceId, FamilyId, Timestamp};
use latchkey::store::{Conflict, DevicePoll, GrantedDevice, IssuedToDevice, NewDevice, NewFamily, Store, StoreError};

use super::harness::{Fresh, both};
use super::made::{address, at, client, client_id, code, hash, person, session, uuid};
use super::races::{count, fifty};

both! {
    /// All that a poll gives, and its record in the same breath.
    a_device_that_was_let_in_is_redeemed_once
    /// A poll before its time is slowed down, and never redeems.
    a_poll_too_soon_redeems_nothing
    /// The first decision counts, and only in time.
    a_device_is_decided_once_and_in_time
    /// A code that a living device has is no other's.
    a_user_code_is_one_devices
    /// What a person types finds only what waits.
    a_user_code_finds_what_waits
    /// Nobody disabled asks for a device or lets one in, and what was let in before says so.
    who_is_disabled_gets_nowhere
    /// A refused issue leaves the device spent, and no record.
    what_is_refused_stays_spent
    /// Fifty polls of one device on two replicas: one record, one family.
    one_poll_redeems_a_device
    /// Fifty answers, half of them no: one decision.
    one_decides_over_a_device
    /// An expired device is remembered for an hour, so that it can be told so.
    an_expired_device_is_kept_for_an_hour
}

fn device(number: u8) -> NewDevice {
    NewDevice {
        id: DeviceId(uuid(6_000 + u128::from(number))),
        client_id: client_id("tv"),
        scope: "email openid".parse().unwrap(),
        resource: Some(vec!["https://garage.example".to_owned()]),
        created_at: at(0),
        expires_at: at(600),
        interval: Duration::from_secs(5),
    }
}

/// A device and its client; its codes are `d1` and `u1`.
async fn waiting(store: &Store) {
    store.create_client(&client("tv")).await.unwrap();
    assert!(store.put_device(&device(1), &hash("d1"), &hash("u1")).await.unwrap());
}

/// A session is begun, if it is not yet.
async fn begun(store: &Store, number: u8, account: AccountId) {
    let _ = store.start_session(&session(number, account), &hash(&format!("session {number}")), None).await;
}

async fn let_in(store: &Store, now: Timestamp) -> bool {
    let account = match store.accounts().await.unwrap().first() {
        Some(account) => account.id,
        None => person(store, 1).await,
    };
    begun(store, 1, account).await;
    store.approve_device(device(1).id, &session(1, account), &"email openid x".parse().unwrap(), now).await.unwrap()
}

fn issue(number: u8) -> impl FnOnce(&GrantedDevice) -> Option<IssuedToDevice> + Send + 'static {
    move |granted| {
        let mut record = code(number, "tv", granted.account_id);
        record.session_id = None;
        Some(IssuedToDevice {
            record,
            record_hash: hash(&format!("never given {number}")),
            family: Some(NewFamily {
                id: FamilyId(uuid(7_000 + u128::from(number))),
                current: hash(&format!("refresh {number}")),
                session_id: None,
                idle_expires_at: at(5_000),
                expires_at: at(5_000),
                kept_until: at(5_000),
            }),
        })
    }
}

async fn poll(store: &Store, client: &ClientId, now: Timestamp) -> DevicePoll {
    store.poll_device(&hash("d1"), client, now, issue(1)).await.unwrap()
}

async fn a_device_that_was_let_in_is_redeemed_once(fresh: &Fresh) {
    let store = &fresh.store;
    waiting(store).await;
    store.create_client(&client("other")).await.unwrap();
    let (tv, other) = (client_id("tv"), client_id("other"));
    assert_eq!(poll(store, &tv, at(1)).await, DevicePoll::Pending);
    assert!(let_in(store, at(2)).await);
    let account = store.accounts().await.unwrap()[0].id;
    let decided = store.device(device(1).id).await.unwrap().unwrap();
    assert_eq!((decided.approved_by, decided.denied, decided.resource), (Some(account), false, device(1).resource));
    assert_eq!(store.consent(account, &tv).await.unwrap().unwrap().to_string(), "email openid x");
    assert_eq!(poll(store, &other, at(6)).await, DevicePoll::Nothing, "another client's");
    let DevicePoll::Granted(granted) = poll(store, &tv, at(6)).await else { panic!("not granted") };
    let expected = GrantedDevice {
        client_id: tv.clone(),
        account_id: account,
        scope: "email openid".parse().unwrap(),
        resource: device(1).resource,
        provider: session(1, account).provider,
        subject: session(1, account).subject,
        amr: session(1, account).amr,
        authenticated_at: at(0),
        approved_at: at(2),
        wallet: Some(address(1)),
        email: None,
        account_disabled: false,
        client_disabled: false,
        consent_withdrawn: false,
    };
    assert_eq!(*granted, expected);
    assert!(store.person_token(CodeId(uuid(3_001)), at(7)).await.unwrap().is_none(), "its record is from before the consent");
    assert_eq!((fresh.count("authorization_code").await, fresh.count("refresh_token").await), (1, 1));
    assert_eq!(store.redeem_code(&hash("never given 1"), &tv, at(7)).await.unwrap(), None, "the record is no code");
    assert_eq!(poll(store, &tv, at(100)).await, DevicePoll::Nothing);
    let state = store.device_state(&hash("d1")).await.unwrap().unwrap();
    assert_eq!((state.client_id, state.redeemed, state.denied, state.expires_at), (tv, true, false, at(600)));
}

async fn a_poll_too_soon_redeems_nothing(fresh: &Fresh) {
    let store = &fresh.store;
    waiting(store).await;
    let tv = client_id("tv");
    assert_eq!(poll(store, &tv, at(1)).await, DevicePoll::Pending);
    assert!(let_in(store, at(2)).await);
    // 5, then 10, 15 and 20 seconds since the last one; a poll at the same moment is too soon as well.
    for seconds in [5, 14, 14, 28] {
        assert_eq!(poll(store, &tv, at(seconds)).await, DevicePoll::TooSoon, "{seconds}");
    }
    assert_eq!(fresh.count("authorization_code").await, 0);
    assert_eq!(poll(store, &tv, at(52)).await, DevicePoll::TooSoon, "24 of 25 seconds");
    assert!(matches!(poll(store, &tv, at(82)).await, DevicePoll::Granted(_)));
}

async fn a_device_is_decided_once_and_in_time(fresh: &Fresh) {
    let store = &fresh.store;
    waiting(store).await;
    assert!(!store.deny_device(device(1).id, at(600)).await.unwrap() && !let_in(store, at(600)).await, "too late");
    assert!(store.deny_device(device(1).id, at(599)).await.unwrap());
    assert!(!let_in(store, at(599)).await && !store.deny_device(device(1).id, at(599)).await.unwrap());
    let account = store.accounts().await.unwrap()[0].id;
    assert_eq!(store.consent(account, &client_id("tv")).await.unwrap(), None);
    assert_eq!(poll(store, &client_id("tv"), at(599)).await, DevicePoll::Nothing);
    assert!(store.device_state(&hash("d1")).await.unwrap().unwrap().denied);

    assert!(store.put_device(&device(2), &hash("d2"), &hash("u2")).await.unwrap());
    let yes = async || store.approve_device(device(2).id, &session(1, account), &"openid".parse().unwrap(), at(5)).await.unwrap();
    assert!(store.end_session(&hash("session 1"), at(5)).await.unwrap());
    assert!(!yes().await, "its session has ended");
    begun(store, 1, account).await;
    assert!(yes().await && !yes().await && !store.deny_device(device(2).id, at(5)).await.unwrap());
    assert_eq!(
        store.poll_device(&hash("d2"), &client_id("tv"), at(600), issue(2)).await.unwrap(),
        DevicePoll::Nothing,
        "nobody came for it"
    );
}

async fn a_user_code_is_one_devices(fresh: &Fresh) {
    let store = &fresh.store;
    waiting(store).await;
    let taken = store.put_device(&device(2), &hash("d2"), &hash("u1")).await;
    assert_eq!(taken, Err(StoreError::Conflict(Conflict::UserCode)));
    assert!(store.put_device(&device(2), &hash("d2"), &hash("u2")).await.unwrap());
}

async fn a_user_code_finds_what_waits(fresh: &Fresh) {
    let store = &fresh.store;
    waiting(store).await;
    let found = async |word: &str, seconds| store.waiting_device(&hash(word), at(seconds)).await.unwrap();
    assert_eq!(found("u1", 599).await, Some(device(1).id));
    assert_eq!((found("u1", 600).await, found("u2", 1).await, found("d1", 1).await), (None, None, None));
    assert!(let_in(store, at(1)).await);
    assert_eq!(found("u1", 2).await, None, "decided");
    assert!(store.put_device(&device(2), &hash("d2"), &hash("u2")).await.unwrap());
    assert!(store.deny_device(device(2).id, at(1)).await.unwrap());
    assert_eq!(found("u2", 2).await, None, "denied");
    assert!(store.put_device(&device(3), &hash("d3"), &hash("u3")).await.unwrap());
    store.set_client_disabled(&client_id("tv"), Some(at(1)), at(1)).await.unwrap();
    assert_eq!(found("u3", 2).await, None, "its client is disabled");
}

async fn who_is_disabled_gets_nowhere(fresh: &Fresh) {
    let store = &fresh.store;
    waiting(store).await;
    let (account, tv) = (person(store, 1).await, client_id("tv"));
    store.set_account_disabled(account, Some(at(1)), at(1)).await.unwrap();
    assert!(!let_in(store, at(2)).await);
    store.set_account_disabled(account, None, at(2)).await.unwrap();
    store.set_client_disabled(&tv, Some(at(2)), at(2)).await.unwrap();
    assert!(!let_in(store, at(3)).await && !store.put_device(&device(2), &hash("d2"), &hash("u2")).await.unwrap());
    store.set_client_disabled(&tv, None, at(3)).await.unwrap();
    assert!(let_in(store, at(4)).await);
    // Disabled and enabled again, and withdrawn and agreed to again: what was before stays dead.
    for disabled in [Some(at(5)), None] {
        store.set_account_disabled(account, disabled, at(5)).await.unwrap();
        store.set_client_disabled(&tv, disabled, at(5)).await.unwrap();
    }
    store.withdraw_consent(account, &tv, at(6)).await.unwrap();
    store.save_consent(account, &tv, &"openid".parse().unwrap(), at(6)).await.unwrap();
    let DevicePoll::Granted(granted) = poll(store, &tv, at(7)).await else { panic!("not granted") };
    assert!(granted.account_disabled && granted.client_disabled && granted.consent_withdrawn);
}

async fn what_is_refused_stays_spent(fresh: &Fresh) {
    let store = &fresh.store;
    waiting(store).await;
    assert!(let_in(store, at(1)).await);
    let refused = store.poll_device(&hash("d1"), &client_id("tv"), at(2), |_| None).await.unwrap();
    assert!(matches!(refused, DevicePoll::Granted(_)));
    assert_eq!((fresh.count("authorization_code").await, fresh.count("refresh_token").await), (0, 0));
    assert_eq!(poll(store, &client_id("tv"), at(100)).await, DevicePoll::Nothing);
}

async fn one_poll_redeems_a_device(fresh: &Fresh) {
    waiting(&fresh.store).await;
    assert!(let_in(&fresh.store, at(1)).await);
    // Each at a time of its own, so that only the redemption itself can hold the others back.
    let outcomes = fifty(fresh, |store, number| async move {
        let now = at(2 + 10 * i64::from(number));
        let polled = store.poll_device(&hash("d1"), &client_id("tv"), now, issue(number)).await.unwrap();
        matches!(polled, DevicePoll::Granted(_))
    });
    assert_eq!(count(outcomes.await), 1);
    assert_eq!((fresh.count("authorization_code").await, fresh.count("refresh_token").await), (1, 1));
}

async fn one_decides_over_a_device(fresh: &Fresh) {
    waiting(&fresh.store).await;
    let account = person(&fresh.store, 1).await;
    for number in 0..50 {
        begun(&fresh.store, number, account).await;
    }
    let outcomes = fifty(fresh, |store, number| async move {
        if number % 4 < 2 {
            store.deny_device(device(1).id, at(1)).await.unwrap()
        } else {
            store.approve_device(device(1).id, &session(number, account), &"openid".parse().unwrap(), at(1)).await.unwrap()
        }
    });
    assert_eq!(count(outcomes.await), 1);
    let decided = fresh.store.device(device(1).id).await.unwrap().unwrap();
    assert!(decided.denied != decided.approved_by.is_some());
    let agreed = fresh.store.consent(account, &client_id("tv")).await.unwrap();
    assert_eq!(agreed.is_some(), decided.approved_by.is_some(), "who came too late has agreed to nothing");
}

async fn an_expired_device_is_kept_for_an_hour(fresh: &Fresh) {
    let store = &fresh.store;
    waiting(store).await;
    assert_eq!(store.sweep(at(600 + 3_599)).await.unwrap().devices, 0);
    assert_eq!(poll(store, &client_id("tv"), at(600)).await, DevicePoll::Nothing);
    assert!(!store.device_state(&hash("d1")).await.unwrap().unwrap().redeemed);
    assert_eq!(store.sweep(at(600 + 3_600)).await.unwrap().devices, 1);
    assert_eq!((store.device_state(&hash("d1")).await.unwrap(), store.device(device(1).id).await.unwrap()), (None, None));
}
