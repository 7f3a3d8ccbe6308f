//! Sessions and consents: who is signed in, and what they let an app do.

use latchkey::domain::{AccountId, InteractionId, Scope, SessionId};
use latchkey::store::{Agreement, Consent, Session};

use super::harness::{Fresh, both};
use super::made::{at, client, client_id, code, hash, person, session, uuid};

both! {
    /// A session lives under its cookie's hash until its time is over.
    a_session_comes_back_whole
    /// A new level of login takes the place of the old session.
    a_session_replaces_another
    /// One browser signs out, or all of them.
    sessions_end
    /// A consent is remembered, widened and listed.
    a_consent_is_remembered
    /// A withdrawn consent takes this person's tokens at this app along, and no others.
    a_withdrawn_consent_revokes
    /// A code that is stored while its consent is withdrawn gives nothing, then and after another consent.
    a_code_stored_during_a_withdrawal
    /// Session and consent come in one read.
    the_standing_of_a_browser
}

async fn a_session_comes_back_whole(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    let mut signed = session(1, account);
    store.start_session(&signed, &hash("cookie"), None).await.unwrap();
    assert_eq!(store.session(&hash("cookie"), at(999)).await.unwrap().as_ref(), Some(&signed));
    assert_eq!(store.session(&hash("cookie"), at(1_000)).await.unwrap(), None);
    assert_eq!(store.session(&hash("other"), at(1)).await.unwrap(), None);
    store.touch_session(signed.id, at(50)).await.unwrap();
    store.touch_session(signed.id, at(40)).await.unwrap();
    store.touch_session(SessionId(uuid(99)), at(40)).await.unwrap();
    signed.last_seen_at = at(50);
    assert_eq!(store.session(&hash("cookie"), at(51)).await.unwrap(), Some(signed), "a late note does not turn the clock back");
    let orphan = store.start_session(&session(2, AccountId(uuid(99))), &hash("orphan"), None).await;
    assert!(orphan.is_err());
}

async fn a_session_replaces_another(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    store.start_session(&session(1, account), &hash("old"), None).await.unwrap();
    let later = |number, account| Session {
        authenticated_at: at(5),
        last_seen_at: at(5),
        expires_at: at(1_005),
        amr: vec!["pwd".to_owned()],
        interaction_id: InteractionId(uuid(8)),
        user_agent: "Chrome".to_owned(),
        ..session(number, account)
    };
    store.start_session(&later(2, account), &hash("new"), Some(&hash("old"))).await.unwrap();
    assert_eq!(store.session(&hash("old"), at(6)).await.unwrap(), None);
    let goes_on = Session { id: session(1, account).id, ..later(2, account) };
    assert_eq!(store.session(&hash("new"), at(6)).await.unwrap(), Some(goes_on), "the same person's session keeps its id");
    assert_eq!(store.sessions(account, at(6)).await.unwrap().len(), 1);
    store.start_session(&session(3, account), &hash("third"), Some(&hash("never was"))).await.unwrap();
    let other = person(store, 2).await;
    let clash = store.start_session(&later(3, other), &hash("newer"), Some(&hash("new"))).await;
    assert!(clash.is_err(), "two sessions of one id");
    assert!(store.session(&hash("new"), at(6)).await.unwrap().is_some(), "what could not be replaced is still there");
    store.start_session(&later(4, other), &hash("newer"), Some(&hash("new"))).await.unwrap();
    assert_eq!(store.session(&hash("new"), at(6)).await.unwrap(), None);
    assert_eq!(store.session(&hash("newer"), at(6)).await.unwrap(), Some(later(4, other)));
    // One that is over is not gone on with.
    let after = Session { authenticated_at: at(1_005), expires_at: at(2_005), ..later(5, other) };
    store.start_session(&after, &hash("newest"), Some(&hash("newer"))).await.unwrap();
    assert_eq!(store.session(&hash("newest"), at(1_006)).await.unwrap().unwrap().id, after.id);
}

async fn sessions_end(fresh: &Fresh) {
    let store = &fresh.store;
    let (account, other) = (person(store, 1).await, person(store, 2).await);
    for number in 1..=3 {
        let mut session = session(number, account);
        session.last_seen_at = at(i64::from(number));
        store.start_session(&session, &hash(&number.to_string()), None).await.unwrap();
    }
    store.start_session(&session(9, other), &hash("other"), None).await.unwrap();
    let listed: Vec<_> = store.sessions(account, at(4)).await.unwrap().into_iter().map(|s| s.id).collect();
    assert_eq!(listed, [session(3, account).id, session(2, account).id, session(1, account).id]);
    assert!(store.end_session(&hash("2"), at(4)).await.unwrap());
    assert!(!store.end_session(&hash("2"), at(4)).await.unwrap());
    assert_eq!(store.end_sessions(account, at(4)).await.unwrap(), 2);
    assert!(store.sessions(account, at(4)).await.unwrap().is_empty());
    assert_eq!(store.sessions(other, at(999)).await.unwrap().len(), 1);
    assert!(store.sessions(other, at(1_000)).await.unwrap().is_empty());
}

fn scope(text: &str) -> Scope {
    text.parse().unwrap()
}

async fn a_consent_is_remembered(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    store.create_client(&client("app")).await.unwrap();
    store.create_client(&client("other")).await.unwrap();
    let (app, narrow, wide) = (client_id("app"), scope("openid"), scope("email openid"));
    assert_eq!(store.consent(account, &app).await.unwrap(), None);
    store.save_consent(account, &app, &narrow, at(1)).await.unwrap();
    store.save_consent(account, &client_id("other"), &narrow, at(2)).await.unwrap();
    let agreed = store.save_consent(account, &app, &"email".parse().unwrap(), at(3)).await.unwrap();
    assert_eq!(agreed, Agreement { scope: wide.clone(), created_at: at(1), updated_at: at(3) }, "these scopes too");
    assert_eq!(store.consent(account, &app).await.unwrap(), Some(wide.clone()));
    let listed = store.consents(account).await.unwrap();
    assert_eq!(listed.len(), 2);
    let expected = Consent { client_id: app, client_name: "The app app".to_owned(), scope: wide, created_at: at(1), updated_at: at(3) };
    assert_eq!(listed[0], expected);
    assert!(store.consents(AccountId(uuid(99))).await.unwrap().is_empty());
}

async fn a_withdrawn_consent_revokes(fresh: &Fresh) {
    let store = &fresh.store;
    let (account, other) = (person(store, 1).await, person(store, 2).await);
    for name in ["app", "second"] {
        store.create_client(&client(name)).await.unwrap();
    }
    let given = [code(1, "app", account), code(2, "second", account), code(3, "app", other)];
    for (account, app) in [(account, "app"), (account, "second"), (other, "app")] {
        store.save_consent(account, &client_id(app), &"openid".parse().unwrap(), at(0)).await.unwrap();
    }
    for code in &given {
        store.put_redeemed_code(code, &hash(&code.id.to_string()), at(0)).await.unwrap();
    }
    let waiting = code(4, "app", account);
    store.put_code(&waiting, &hash("waiting")).await.unwrap();

    assert!(store.withdraw_consent(account, &client_id("app"), at(2)).await.unwrap());
    assert_eq!(store.consent(account, &client_id("app")).await.unwrap(), None);
    assert_eq!(store.person_token(given[0].id, at(3)).await.unwrap(), None);
    assert!(store.person_token(given[1].id, at(3)).await.unwrap().is_some());
    assert!(store.person_token(given[2].id, at(3)).await.unwrap().is_some());
    assert_eq!(store.redeem_code(&hash("waiting"), &client_id("app"), at(3)).await.unwrap(), None);
    assert!(!store.withdraw_consent(account, &client_id("app"), at(2)).await.unwrap());
}

async fn a_code_stored_during_a_withdrawal(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    let (app, scope) = (client_id("app"), "email openid".parse().unwrap());
    store.create_client(&client("app")).await.unwrap();
    store.save_consent(account, &app, &scope, at(0)).await.unwrap();
    // Both were decided under the consent of second 0, and reach the store when it has been withdrawn.
    assert!(store.withdraw_consent(account, &app, at(1)).await.unwrap());
    let (waiting, redeemed) = (code(1, "app", account), code(2, "app", account));
    store.put_code(&waiting, &hash("waiting")).await.unwrap();
    store.put_code(&code(3, "app", account), &hash("late")).await.unwrap();
    store.put_redeemed_code(&redeemed, &hash("redeemed"), at(1)).await.unwrap();

    assert!(store.redeem_code(&hash("waiting"), &app, at(2)).await.unwrap().unwrap().consent_withdrawn);
    assert_eq!(store.person_token(waiting.id, at(2)).await.unwrap(), None);
    assert_eq!(store.person_token(redeemed.id, at(2)).await.unwrap(), None);
    let agreed = store.save_consent(account, &app, &"openid".parse().unwrap(), at(3)).await.unwrap();
    assert_eq!(agreed.scope.to_string(), "openid", "what was withdrawn does not come back with what is given now");
    assert!(store.redeem_code(&hash("late"), &app, at(4)).await.unwrap().unwrap().consent_withdrawn);
    assert_eq!(store.person_token(waiting.id, at(4)).await.unwrap(), None, "a new consent does not revive old tokens");
    assert_eq!(store.person_token(redeemed.id, at(4)).await.unwrap(), None);
    let mut new = code(4, "app", account);
    new.issued_at = agreed.created_at;
    store.put_redeemed_code(&new, &hash("new"), at(4)).await.unwrap();
    assert!(store.person_token(new.id, at(4)).await.unwrap().is_some());
}

async fn the_standing_of_a_browser(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    store.create_client(&client("app")).await.unwrap();
    let app = client_id("app");
    let signed = session(1, account);
    store.start_session(&signed, &hash("cookie"), None).await.unwrap();
    assert_eq!(store.standing(&hash("cookie"), &app, at(1)).await.unwrap(), Some((signed.clone(), None)));
    let scope: Scope = "openid".parse().unwrap();
    store.save_consent(account, &app, &scope, at(1)).await.unwrap();
    assert_eq!(
        store.standing(&hash("cookie"), &app, at(1)).await.unwrap(),
        Some((signed.clone(), Some(Agreement { scope, created_at: at(1), updated_at: at(1) })))
    );
    assert_eq!(store.standing(&hash("cookie"), &client_id("other"), at(1)).await.unwrap(), Some((signed, None)));
    assert_eq!(store.standing(&hash("cookie"), &app, at(1_000)).await.unwrap(), None);
    assert_eq!(store.standing(&hash("other"), &app, at(1)).await.unwrap(), None);
}
