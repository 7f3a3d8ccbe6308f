//! The `jti` of client assertions: each works once for its client, on every replica, until its time is over.

use super::harness::{Fresh, both};
use super::made::{at, client, client_id, hash};
use super::races::{count, fifty};

both! {
    /// Once for each client, and never again while it is remembered.
    a_jti_works_once_for_its_client
    /// A client that was disabled a moment ago proves nothing any more.
    a_disabled_client_uses_nothing
    /// Fifty uses of one assertion, on two replicas: one.
    one_uses_an_assertion
}

async fn a_jti_works_once_for_its_client(fresh: &Fresh) {
    let store = &fresh.store;
    store.create_client(&client("one")).await.unwrap();
    store.create_client(&client("two")).await.unwrap();
    let (one, two) = (client_id("one"), client_id("two"));
    assert!(store.use_assertion(&one, &hash("jti"), at(60)).await.unwrap());
    assert!(!store.use_assertion(&one, &hash("jti"), at(60)).await.unwrap());
    assert!(!store.use_assertion(&one, &hash("jti"), at(3_600)).await.unwrap(), "another assertion with its id");
    assert!(store.use_assertion(&two, &hash("jti"), at(60)).await.unwrap());
    assert!(store.use_assertion(&one, &hash("another"), at(60)).await.unwrap());
    assert!(!store.use_assertion(&client_id("nobody"), &hash("jti"), at(60)).await.unwrap());
    // What can no longer be used need not be remembered.
    assert_eq!(store.sweep(at(59)).await.unwrap().assertions, 0);
    assert_eq!(store.sweep(at(60)).await.unwrap().assertions, 3);
}

async fn a_disabled_client_uses_nothing(fresh: &Fresh) {
    let store = &fresh.store;
    store.create_client(&client("one")).await.unwrap();
    let one = client_id("one");
    assert!(store.client_is_enabled(&one).await.unwrap() && !store.client_is_enabled(&client_id("nobody")).await.unwrap());
    store.set_client_disabled(&one, Some(at(1)), at(1)).await.unwrap();
    assert!(!store.use_assertion(&one, &hash("jti"), at(60)).await.unwrap());
    assert!(!store.client_is_enabled(&one).await.unwrap());
    store.set_client_disabled(&one, None, at(2)).await.unwrap();
    assert!(store.use_assertion(&one, &hash("jti"), at(60)).await.unwrap(), "nothing was remembered of it");
}

async fn one_uses_an_assertion(fresh: &Fresh) {
    fresh.store.create_client(&client("one")).await.unwrap();
    let outcomes = fifty(fresh, |store, _| async move { store.use_assertion(&client_id("one"), &hash("jti"), at(60)).await.unwrap() });
    assert_eq!(count(outcomes.await), 1);
}
