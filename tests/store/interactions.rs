//! Visits: bound to their browser, finished once; and forms that other sites posted.

use latchkey::domain::AccountId;

use super::harness::{Fresh, both};
use super::made::{at, client, client_id, code, hash, interaction, person, uuid};

both! {
    /// A visit is its own browser's, until it ends.
    a_visit_is_its_browsers
    /// A visit ends in one code.
    a_visit_is_finished_once
    /// A visit whose account or client is disabled meanwhile ends in no code, and goes on.
    a_disabled_party_gets_no_code
    /// A posted form is kept for its own page.
    a_form_is_kept
}

async fn a_visit_is_its_browsers(fresh: &Fresh) {
    let store = &fresh.store;
    let visit = interaction(1);
    store.put_interaction(&visit, &hash("browser")).await.unwrap();
    assert_eq!(store.interaction(visit.id, &hash("browser"), at(599)).await.unwrap().as_ref(), Some(&visit));
    assert_eq!(store.interaction(visit.id, &hash("browser"), at(600)).await.unwrap(), None);
    assert_eq!(store.interaction(visit.id, &hash("other"), at(1)).await.unwrap(), None);
    assert_eq!(store.interaction(interaction(2).id, &hash("browser"), at(1)).await.unwrap(), None);
    assert!(!store.end_interaction(visit.id, &hash("other")).await.unwrap());
    assert!(store.end_interaction(visit.id, &hash("browser")).await.unwrap());
    assert!(!store.end_interaction(visit.id, &hash("browser")).await.unwrap());
    assert_eq!(store.interaction(visit.id, &hash("browser"), at(1)).await.unwrap(), None);
}

async fn a_visit_is_finished_once(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    store.create_client(&client("app")).await.unwrap();
    let visit = interaction(1);
    store.put_interaction(&visit, &hash("browser")).await.unwrap();
    let finish = async |browser: &str, number: u8, seconds| {
        let code = code(number, "app", account);
        store.finish_interaction(visit.id, &hash(browser), &code, &hash(&format!("code {number}")), at(seconds)).await.unwrap()
    };
    assert!(!finish("other", 1, 1).await);
    assert!(!finish("browser", 1, 600).await);
    assert_eq!(store.code_state(&hash("code 1")).await.unwrap(), None);
    assert!(finish("browser", 1, 1).await);
    assert!(!finish("browser", 2, 1).await);
    assert_eq!(store.code_state(&hash("code 2")).await.unwrap(), None);
    let redeemed = store.redeem_code(&hash("code 1"), &client_id("app"), at(2)).await.unwrap().unwrap();
    assert_eq!(redeemed.code, code(1, "app", account));
}

async fn a_disabled_party_gets_no_code(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    store.create_client(&client("app")).await.unwrap();
    let visit = interaction(1);
    store.put_interaction(&visit, &hash("browser")).await.unwrap();
    let finish =
        async |account| store.finish_interaction(visit.id, &hash("browser"), &code(1, "app", account), &hash("code"), at(1)).await.unwrap();
    store.set_client_disabled(&client_id("app"), Some(at(0)), at(0)).await.unwrap();
    assert!(!finish(account).await);
    store.set_client_disabled(&client_id("app"), None, at(0)).await.unwrap();
    store.set_account_disabled(account, Some(at(0)), at(0)).await.unwrap();
    assert!(!finish(account).await);
    assert!(!finish(AccountId(uuid(99))).await);
    assert!(store.interaction(visit.id, &hash("browser"), at(1)).await.unwrap().is_some());
    store.set_account_disabled(account, None, at(0)).await.unwrap();
    assert!(finish(account).await);
}

async fn a_form_is_kept(fresh: &Fresh) {
    let store = &fresh.store;
    store.put_form(&hash("id"), "/auth", "scope=openid&state=%00", at(60)).await.unwrap();
    assert_eq!(store.form(&hash("id"), "/auth", at(59)).await.unwrap().as_deref(), Some("scope=openid&state=%00"));
    assert!(store.form(&hash("id"), "/auth", at(59)).await.unwrap().is_some(), "a page may be loaded twice");
    assert_eq!(store.form(&hash("id"), "/auth", at(60)).await.unwrap(), None);
    assert_eq!(store.form(&hash("id"), "/logout", at(1)).await.unwrap(), None);
    assert_eq!(store.form(&hash("other"), "/auth", at(1)).await.unwrap(), None);
}
