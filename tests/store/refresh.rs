//! Families of refresh tokens: begun with a code, used, replaced, healed, revoked; dead with whatever they stand on.

use latchkey::domain::{AccountId, FamilyId, SessionId, Timestamp};
use latchkey::store::{NewFamily, RedeemedCode, Refresh, Store};

use super::harness::{Fresh, both};
use super::made::{agree, at, client, client_id, code, hash, person, session, uuid};

both! {
    /// A family is stored with its code's redemption, or not at all; it is all that the code was.
    a_family_begins_with_its_code
    /// A token is replaced by its use; what its reply would have brought is replaced once more; all else is refused.
    a_token_is_replaced_by_its_use
    /// A client that keeps its token uses it again and again.
    a_token_may_be_kept
    /// It lives as long as it is used, and not longer than it was given.
    a_family_ends_idle_or_old
    /// It ends with its consent, its account, its client, its session, its code and its own revocation.
    a_family_ends_with_what_it_stands_on
    /// Signing out ends what is bound to the session, and nothing brings it back.
    a_family_ends_with_its_session
    /// Its access tokens end with it, and one by one.
    an_access_token_of_a_refresh_ends_with_its_family
    /// Five hundred uses leave one row, which goes when its time is over.
    many_uses_leave_one_row
    /// A client's own token lives until it is revoked or its client disabled.
    a_clients_own_token_lives_until_it_is_revoked
}

pub(crate) const FAMILY: u128 = 7_000;

pub(crate) fn family(word: &str, session_id: Option<SessionId>) -> NewFamily {
    NewFamily {
        id: FamilyId(uuid(FAMILY)),
        current: hash(word),
        session_id,
        idle_expires_at: at(1_000),
        expires_at: at(5_000),
        kept_until: at(1_100),
    }
}

pub(crate) fn using(presented: &str, next: Option<&str>, now: i64) -> Refresh {
    Refresh {
        family: FamilyId(uuid(FAMILY)),
        client_id: client_id("app"),
        presented: hash(presented),
        next: next.map(hash),
        now: at(now),
        idle_expires_at: at(now + 1_000),
        kept_at_least: at(now + 1_010),
        kept_until: at(now + 1_100),
        seen_since: at(-1_000),
    }
}

/// A person who agreed, and a family whose first token is `0`.
pub(crate) async fn begun(store: &Store, session_id: Option<SessionId>) -> AccountId {
    let account = person(store, 1).await;
    store.create_client(&client("app")).await.unwrap();
    store.create_client(&client("other")).await.unwrap();
    agree(store, account, "app").await;
    redeemed(store, account, session_id).await.unwrap();
    account
}

async fn redeemed(store: &Store, account: AccountId, session_id: Option<SessionId>) -> Option<RedeemedCode> {
    store.put_code(&code(1, "app", account), &hash("code")).await.unwrap();
    let plan = move |_: &RedeemedCode| Some(family("0", session_id));
    store.redeem_code_for_family(&hash("code"), &client_id("app"), at(1), plan).await.unwrap()
}

async fn uses(store: &Store, presented: &str, next: Option<&str>, now: i64) -> bool {
    store.refresh(using(presented, next, now)).await.unwrap().is_some()
}

async fn access_token_lives(store: &Store, now: i64) -> bool {
    store.family_token(FamilyId(uuid(FAMILY)), uuid(1), at(now), at(-1_000)).await.unwrap().is_some()
}

async fn a_family_begins_with_its_code(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    store.create_client(&client("app")).await.unwrap();
    agree(store, account, "app").await;
    let mut given = code(1, "app", account);
    (given.resource, given.claims) = (Some(vec!["https://api.example".to_owned()]), Some(serde_json::json!({"userinfo": {"a": null}})));
    store.put_code(&given, &hash("code")).await.unwrap();
    let refused = store.redeem_code_for_family(&hash("code"), &client_id("app"), at(1), |_| None).await.unwrap();
    assert_eq!(refused.unwrap().code, given);
    assert_eq!(store.family_state(FamilyId(uuid(FAMILY))).await.unwrap(), None, "what is refused begins nothing");

    (given.id, given.issued_at) = (code(2, "app", account).id, at(2));
    store.put_code(&given, &hash("second")).await.unwrap();
    let plan = |redeemed: &RedeemedCode| (redeemed.code.issued_at == at(2)).then(|| family("0", None));
    assert!(store.redeem_code_for_family(&hash("second"), &client_id("app"), at(3), plan).await.unwrap().is_some());
    let again = store.redeem_code_for_family(&hash("second"), &client_id("app"), at(3), |_| Some(family("1", None))).await.unwrap();
    assert_eq!(again, None, "a spent code");
    let state = store.family_state(FamilyId(uuid(FAMILY))).await.unwrap().unwrap();
    assert_eq!((state.current_hash, state.previous_hash, state.revoked), (hash("0"), None, false));

    let refreshed = store.refresh(using("0", Some("1"), 4)).await.unwrap().unwrap();
    assert_eq!((refreshed.id.0, refreshed.account_id, refreshed.session_id), (uuid(FAMILY), account, None));
    assert_eq!((&refreshed.scope, &refreshed.resource, &refreshed.claims), (&given.scope, &given.resource, &given.claims));
    assert_eq!(refreshed.authorization_details, given.authorization_details);
    assert_eq!((&refreshed.provider, &refreshed.subject, &refreshed.amr), (&given.provider, &given.subject, &given.amr));
    assert_eq!((refreshed.authenticated_at, refreshed.expires_at), (given.authenticated_at, at(5_000)));
    assert_eq!(refreshed.wallet, Some(super::made::address(1)));
}

async fn a_token_is_replaced_by_its_use(fresh: &Fresh) {
    let store = &fresh.store;
    begun(store, None).await;
    assert!(uses(store, "0", Some("1"), 2).await);
    assert!(uses(store, "0", Some("2"), 3).await, "its reply was lost");
    assert!(!uses(store, "1", Some("x"), 4).await, "what that reply had brought is dead");
    assert!(uses(store, "2", Some("3"), 5).await);
    assert!(!uses(store, "0", Some("x"), 6).await, "its successor was used");
    assert!(uses(store, "2", Some("4"), 7).await && uses(store, "4", Some("5"), 8).await);
    assert!(store.refresh(Refresh { client_id: client_id("other"), ..using("5", Some("x"), 9) }).await.unwrap().is_none());
    assert!(store.refresh(Refresh { family: FamilyId(uuid(1)), ..using("5", Some("x"), 9) }).await.unwrap().is_none());
    let lives = async |word: &str| {
        let (family, app) = (FamilyId(uuid(FAMILY)), client_id("app"));
        store.living_refresh_token(family, &app, &hash(word), at(9), at(-1_000)).await.unwrap().is_some()
    };
    assert!(lives("5").await && lives("4").await && !lives("2").await && !lives("x").await);
}

async fn a_token_may_be_kept(fresh: &Fresh) {
    let store = &fresh.store;
    begun(store, None).await;
    for now in 2..6 {
        assert!(uses(store, "0", None, now).await);
    }
    // One that was public before: what was replaced last still works, and what replaced it does not any more.
    assert!(uses(store, "0", Some("1"), 6).await && uses(store, "0", None, 7).await);
    assert!(!uses(store, "1", None, 8).await && uses(store, "0", None, 8).await);
}

async fn a_family_ends_idle_or_old(fresh: &Fresh) {
    let store = &fresh.store;
    begun(store, None).await;
    assert!(!uses(store, "0", Some("x"), 1_000).await, "idle");
    assert!(uses(store, "0", Some("1"), 999).await);
    for (presented, next, now) in [("1", "2", 1_998), ("2", "3", 2_997), ("3", "4", 3_996), ("4", "5", 4_995)] {
        assert!(uses(store, presented, Some(next), now).await, "{now}");
    }
    assert_eq!(store.family_state(FamilyId(uuid(FAMILY))).await.unwrap().unwrap().idle_expires_at, at(5_000), "never beyond its end");
    assert!(access_token_lives(store, 4_999).await && !access_token_lives(store, 5_000).await);
    assert!(!uses(store, "5", Some("x"), 5_000).await, "old");
    assert!(uses(store, "5", Some("6"), 4_999).await);
}

async fn a_family_ends_with_what_it_stands_on(fresh: &Fresh) {
    let store = &fresh.store;
    let here = session(1, AccountId(uuid(1)));
    let account = begun(store, Some(here.id)).await;
    let app = client_id("app");
    assert!(!uses(store, "0", Some("x"), 2).await, "there is no such session");
    store.start_session(&here, &hash("cookie"), None).await.unwrap();
    assert!(uses(store, "0", None, 2).await && access_token_lives(store, 2).await);
    assert!(!uses(store, "0", None, 1_000).await && !access_token_lives(store, 1_000).await, "the session is over");
    let unseen = Refresh { seen_since: Timestamp::from_micros(at(0).micros() + 1), ..using("0", None, 3) };
    assert!(store.refresh(unseen).await.unwrap().is_none(), "nobody used the session for too long");

    store.set_account_disabled(account, Some(at(4)), at(4)).await.unwrap();
    assert!(!uses(store, "0", None, 4).await && !access_token_lives(store, 4).await, "the account is disabled");
    store.set_account_disabled(account, None, at(5)).await.unwrap();
    assert!(!uses(store, "0", None, 5).await && !access_token_lives(store, 5).await, "and stays dead");
    for (number, disable) in [(2, true), (3, false)] {
        let mut code = code(number, "app", account);
        (code.issued_at, code.expires_at) = (at(10 * i64::from(number)), at(1_000));
        store.put_code(&code, &hash(&format!("code {number}"))).await.unwrap();
        let id = FamilyId(uuid(FAMILY + u128::from(number)));
        let plan = move |_: &RedeemedCode| Some(NewFamily { id, ..family("0", None) });
        store.redeem_code_for_family(&hash(&format!("code {number}")), &app, at(10), plan).await.unwrap().unwrap();
        let works = async |now| store.refresh(Refresh { family: id, ..using("0", None, now) }).await.unwrap().is_some();
        let lives = async |now| store.family_token(id, uuid(1), at(now), at(-1_000)).await.unwrap().is_some();
        assert!(works(50).await && lives(50).await);
        if disable {
            store.set_client_disabled(&app, Some(at(25)), at(25)).await.unwrap();
            assert!(!works(51).await && !lives(51).await, "the client is disabled");
            store.set_client_disabled(&app, None, at(26)).await.unwrap();
            assert!(!works(51).await && !lives(51).await, "and what was issued before stays dead");
            store.revoke_code(&hash(&format!("code {number}")), at(26)).await.unwrap();
            assert!(store.family_state(id).await.unwrap().unwrap().revoked, "its code came back");
            store.sweep(at(27)).await.unwrap();
            assert_eq!(store.family_state(id).await.unwrap(), None, "a revoked family is not kept");
        } else {
            store.withdraw_consent(account, &app, at(30)).await.unwrap();
            assert!(store.family_state(id).await.unwrap().unwrap().revoked);
            agree(store, account, "app").await;
            assert!(!works(51).await && !lives(51).await, "the app was withdrawn");
        }
    }
}

async fn an_access_token_of_a_refresh_ends_with_its_family(fresh: &Fresh) {
    let store = &fresh.store;
    begun(store, None).await;
    let (family, app) = (FamilyId(uuid(FAMILY)), client_id("app"));
    let token = store.family_token(family, uuid(1), at(2), at(0)).await.unwrap().unwrap();
    assert_eq!(token, store.person_token(code(1, "app", token.account_id).id, at(2)).await.unwrap().unwrap(), "as the code's own");
    store.revoke_token(uuid(1), &app, at(3_600)).await.unwrap();
    store.revoke_token(uuid(1), &app, at(3_600)).await.unwrap();
    assert!(!access_token_lives(store, 2).await);
    assert!(store.family_token(family, uuid(2), at(2), at(0)).await.unwrap().is_some(), "another lives on");
    assert!(uses(store, "0", Some("1"), 2).await);

    assert!(!store.end_family(family, &client_id("other"), at(3)).await.unwrap(), "not another's");
    assert!(store.end_family(family, &app, at(3)).await.unwrap());
    assert!(!store.end_family(family, &app, at(3)).await.unwrap());
    assert!(store.family_token(family, uuid(2), at(3), at(0)).await.unwrap().is_none());
    assert!(!uses(store, "1", Some("2"), 3).await);
    assert!(store.person_token(code(1, "app", token.account_id).id, at(3)).await.unwrap().is_none(), "the code's own token ends too");
}

async fn many_uses_leave_one_row(fresh: &Fresh) {
    let store = &fresh.store;
    begun(store, None).await;
    for use_number in 0..500_i64 {
        let (presented, next) = (use_number.to_string(), (use_number + 1).to_string());
        assert!(uses(store, &presented, Some(&next), 2 + use_number).await, "{use_number}");
    }
    assert_eq!(fresh.count("refresh_token").await, 1);
    // Used last at 501: idle at 1501, its last access token dead at 1511 at the latest.
    assert_eq!(store.sweep(at(1_510)).await.unwrap().refresh_tokens, 0);
    assert_eq!(store.sweep(at(1_700)).await.unwrap().refresh_tokens, 1);
    assert_eq!(fresh.count("refresh_token").await, 0);
}

async fn a_clients_own_token_lives_until_it_is_revoked(fresh: &Fresh) {
    let store = &fresh.store;
    store.create_client(&client("app")).await.unwrap();
    let app = client_id("app");
    let lives = async |number, issued| store.client_token_lives(uuid(number), &app, at(issued)).await.unwrap();
    assert!(lives(1, 0).await);
    assert!(!store.client_token_lives(uuid(1), &client_id("nobody"), at(0)).await.unwrap());
    store.revoke_token(uuid(1), &app, at(100)).await.unwrap();
    assert!(!lives(1, 0).await && lives(2, 0).await);
    assert_eq!(store.sweep(at(99)).await.unwrap().revocations, 0);
    assert_eq!(store.sweep(at(100)).await.unwrap().revocations, 1);
    store.set_client_disabled(&app, Some(at(5)), at(5)).await.unwrap();
    assert!(!lives(2, 0).await && !lives(2, 9).await);
    store.set_client_disabled(&app, None, at(6)).await.unwrap();
    assert!(!lives(2, 5).await && lives(2, 6).await);
}

async fn a_family_ends_with_its_session(fresh: &Fresh) {
    let store = &fresh.store;
    let here = session(1, AccountId(uuid(1)));
    begun(store, Some(here.id)).await;
    store.start_session(&here, &hash("cookie"), None).await.unwrap();
    assert!(uses(store, "0", None, 2).await && access_token_lives(store, 2).await);
    store.end_session(&hash("cookie"), at(2)).await.unwrap();
    assert!(!uses(store, "0", None, 3).await && !access_token_lives(store, 3).await, "signed out");
    store.start_session(&here, &hash("cookie"), None).await.unwrap();
    assert!(!uses(store, "0", None, 3).await && !access_token_lives(store, 3).await, "and stays dead");
}
