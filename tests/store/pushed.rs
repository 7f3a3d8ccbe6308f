//! Pushed authorization requests: taken once, by their client, in their time; and good for nothing else.

use super::harness::{Fresh, both};
use super::made::{agree, api_challenge, at, client, client_id, code, hash, person};
use super::races::{count, fifty};

both! {
    /// Once, by its own client, before it expires.
    a_pushed_request_is_taken_once_by_its_client
    /// A client that was disabled a moment ago pushes nothing.
    a_disabled_client_pushes_nothing
    /// Fifty browsers with one `request_uri`: one goes on.
    one_takes_a_pushed_request
    /// No secret of another kind names a pushed request, and it names nothing of another kind.
    a_pushed_request_is_nothing_else
}

async fn a_pushed_request_is_taken_once_by_its_client(fresh: &Fresh) {
    let store = &fresh.store;
    store.create_client(&client("one")).await.unwrap();
    store.create_client(&client("two")).await.unwrap();
    let (one, two) = (client_id("one"), client_id("two"));
    let text = "scope=openid&state=\u{fc}%20\"b\"";
    assert!(store.put_pushed_request(&hash("a"), &one, text, at(0), at(90)).await.unwrap());
    assert!(store.put_pushed_request(&hash("b"), &one, "late", at(0), at(90)).await.unwrap());
    assert_eq!(store.take_pushed_request(&hash("a"), &two, at(1)).await.unwrap(), None, "another client's");
    assert_eq!(store.take_pushed_request(&hash("c"), &one, at(1)).await.unwrap(), None, "unknown");
    assert_eq!(store.take_pushed_request(&hash("a"), &one, at(89)).await.unwrap().as_deref(), Some(text));
    assert_eq!(store.take_pushed_request(&hash("a"), &one, at(89)).await.unwrap(), None, "taken");
    assert_eq!(store.take_pushed_request(&hash("b"), &one, at(90)).await.unwrap(), None, "expired");
    assert_eq!(store.sweep(at(89)).await.unwrap().pushed_requests, 0);
    assert_eq!(store.sweep(at(90)).await.unwrap().pushed_requests, 2);
}

async fn a_disabled_client_pushes_nothing(fresh: &Fresh) {
    let store = &fresh.store;
    store.create_client(&client("one")).await.unwrap();
    store.set_client_disabled(&client_id("one"), Some(at(0)), at(0)).await.unwrap();
    assert!(!store.put_pushed_request(&hash("a"), &client_id("one"), "x", at(0), at(90)).await.unwrap());
    assert!(!store.put_pushed_request(&hash("a"), &client_id("nobody"), "x", at(0), at(90)).await.unwrap());
}

async fn one_takes_a_pushed_request(fresh: &Fresh) {
    fresh.store.create_client(&client("one")).await.unwrap();
    fresh.store.put_pushed_request(&hash("a"), &client_id("one"), "x", at(0), at(90)).await.unwrap();
    let outcomes =
        fifty(fresh, |store, _| async move { store.take_pushed_request(&hash("a"), &client_id("one"), at(1)).await.unwrap().is_some() });
    assert_eq!(count(outcomes.await), 1);
}

async fn a_pushed_request_is_nothing_else(fresh: &Fresh) {
    let store = &fresh.store;
    store.create_client(&client("app")).await.unwrap();
    let (app, account) = (client_id("app"), person(store, 1).await);
    agree(store, account, "app").await;
    store.put_pushed_request(&hash("pushed"), &app, "x", at(0), at(90)).await.unwrap();
    store.put_code(&code(1, "app", account), &hash("code")).await.unwrap();
    store.put_api_challenge(&api_challenge(1, "app"), &hash("state")).await.unwrap();
    store.put_form(&hash("form"), "/auth", "x", at(90)).await.unwrap();
    store.use_assertion(&app, &hash("jti"), at(90)).await.unwrap();
    for other in ["code", "state", "form", "jti"] {
        assert_eq!(store.take_pushed_request(&hash(other), &app, at(1)).await.unwrap(), None, "{other}");
    }
    assert_eq!(store.redeem_code(&hash("pushed"), &app, at(1)).await.unwrap(), None);
    assert_eq!(store.form(&hash("pushed"), "/auth", at(1)).await.unwrap(), None);
    assert!(!matches!(store.take_api_challenge(&hash("pushed"), at(1), at(1)).await.unwrap(), latchkey::store::Taken::Now(_)));
    assert!(store.take_pushed_request(&hash("pushed"), &app, at(1)).await.unwrap().is_some());
}
