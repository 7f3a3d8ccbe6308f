//! Codes and the tokens they give: issued, redeemed once, revoked, and dead when the account or client is.

use latchkey::domain::{AccountId, Address, Provider};
use latchkey::store::{DeveloperToken, Profile};

use super::harness::{Fresh, both};
use super::made::{address, agree, at, client, client_id, code, hash, key, license, person, uuid};

both! {
    /// A code comes back whole at its redemption, once, and its token holds from then on.
    a_code_is_redeemed_once
    /// A code is only its own client's, only in time, and never after it was revoked.
    a_code_is_refused
    /// Userinfo knows a token until its code is revoked, its account or client disabled, or its time over.
    a_persons_token_dies
    /// An account without a wallet as its identity is shown with its oldest wallet.
    the_oldest_wallet_stands_for_the_account
    /// A developer token needs an enabled, unexpired key of an enabled license, at its birth and ever after.
    a_developer_token_dies_with_its_key
    /// A sign-in by API stores a code that is redeemed already.
    a_redeemed_code_is_born
}

async fn a_code_is_redeemed_once(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    store.create_client(&client("app")).await.unwrap();
    agree(store, account, "app").await;
    let stored = code(1, "app", account);
    assert!(store.put_code(&stored, &hash("code")).await.unwrap());
    assert_eq!(store.person_token(stored.id, at(1)).await.unwrap(), None, "a code that nobody redeemed gives no token");

    let redeemed = store.redeem_code(&hash("code"), &client_id("app"), at(1)).await.unwrap().unwrap();
    assert_eq!(redeemed.code, stored);
    assert_eq!(redeemed.wallet, Some(address(1)));
    assert!(!redeemed.account_disabled && !redeemed.client_disabled && !redeemed.consent_withdrawn);
    assert_eq!(store.redeem_code(&hash("code"), &client_id("app"), at(1)).await.unwrap(), None);

    let state = store.code_state(&hash("code")).await.unwrap().unwrap();
    assert!(state.redeemed);
    assert_eq!((state.client_id, state.expires_at), (client_id("app"), at(60)));

    let token = store.person_token(stored.id, at(2)).await.unwrap().unwrap();
    assert_eq!((token.account_id, token.scope.to_string().as_str()), (account, "email openid"));
    assert_eq!((token.wallet, token.profile, token.account_updated_at), (Some(address(1)), Profile::default(), at(0)));
}

async fn a_code_is_refused(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    store.create_client(&client("app")).await.unwrap();
    store.create_client(&client("other")).await.unwrap();
    assert!(store.put_code(&code(1, "app", account), &hash("code")).await.unwrap());

    assert_eq!(store.redeem_code(&hash("code"), &client_id("other"), at(1)).await.unwrap(), None);
    assert_eq!(store.redeem_code(&hash("code"), &client_id("app"), at(60)).await.unwrap(), None, "at its end it is over");
    assert!(!store.code_state(&hash("code")).await.unwrap().unwrap().redeemed, "neither attempt burnt it");
    assert_eq!(store.code_state(&hash("no code")).await.unwrap(), None);

    assert!(store.revoke_code(&hash("code"), at(2)).await.unwrap());
    assert!(!store.revoke_code(&hash("code"), at(2)).await.unwrap());
    assert_eq!(store.redeem_code(&hash("code"), &client_id("app"), at(3)).await.unwrap(), None);

    assert!(!store.put_code(&code(2, "nobody", account), &hash("2")).await.unwrap());
    assert!(!store.put_code(&code(2, "app", AccountId(uuid(99))), &hash("2")).await.unwrap());
    store.set_client_disabled(&client_id("app"), Some(at(3)), at(3)).await.unwrap();
    assert!(!store.put_code(&code(2, "app", account), &hash("2")).await.unwrap());
    store.set_client_disabled(&client_id("app"), None, at(3)).await.unwrap();
    store.set_account_disabled(account, Some(at(3)), at(3)).await.unwrap();
    assert!(!store.put_code(&code(2, "app", account), &hash("2")).await.unwrap());
}

async fn a_persons_token_dies(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    store.create_client(&client("app")).await.unwrap();
    agree(store, account, "app").await;
    let stored = code(1, "app", account);
    store.put_code(&stored, &hash("code")).await.unwrap();
    store.redeem_code(&hash("code"), &client_id("app"), at(1)).await.unwrap().unwrap();
    let holds = async |seconds| store.person_token(stored.id, at(seconds)).await.unwrap().is_some();

    assert!(holds(3_599).await);
    assert!(!holds(3_600).await);
    store.set_client_disabled(&client_id("app"), Some(at(2)), at(2)).await.unwrap();
    assert!(!holds(2).await);
    store.set_client_disabled(&client_id("app"), None, at(2)).await.unwrap();
    assert!(!holds(2).await, "what was issued before the client was disabled stays dead");
    store.put_code(&code(9, "app", account), &hash("waiting")).await.unwrap();
    let late = store.redeem_code(&hash("waiting"), &client_id("app"), at(3)).await.unwrap().unwrap();
    assert!(late.client_disabled && !late.account_disabled, "a code of that time gives nothing");

    let later = async |number: u8, word: &str, seconds: i64| {
        let mut later = code(number, "app", account);
        (later.issued_at, later.expires_at) = (at(seconds), at(seconds + 60));
        store.put_redeemed_code(&later, &hash(word), at(seconds)).await.unwrap();
        later.id
    };
    let second = later(2, "second", 3).await;
    let lives = async |id| store.person_token(id, at(5)).await.unwrap().is_some();
    assert!(lives(second).await);
    store.set_account_disabled(account, Some(at(4)), at(4)).await.unwrap();
    assert!(!lives(second).await);
    store.set_account_disabled(account, None, at(4)).await.unwrap();
    assert!(!lives(second).await, "what was issued before the account was disabled stays dead");

    let third = later(3, "third", 5).await;
    assert!(lives(third).await);
    store.revoke_code(&hash("third"), at(6)).await.unwrap();
    assert!(!lives(third).await);
}

async fn the_oldest_wallet_stands_for_the_account(fresh: &Fresh) {
    let store = &fresh.store;
    store.create_client(&client("app")).await.unwrap();
    let account = AccountId(uuid(1));
    store.sign_in(&Provider::new("email"), "a@example.com", account, at(0)).await.unwrap();
    agree(store, account, "app").await;
    let mail = |number| {
        let mut code = code(number, "app", account);
        code.provider = Provider::new("email");
        code.subject = "a@example.com".to_owned();
        code
    };
    store.put_code(&mail(1), &hash("1")).await.unwrap();
    let redeemed = store.redeem_code(&hash("1"), &client_id("app"), at(1)).await.unwrap().unwrap();
    assert_eq!(redeemed.wallet, None);

    fresh.link(account, &address(9), at(5)).await;
    fresh.link(account, &address(8), at(4)).await;
    store.put_code(&mail(2), &hash("2")).await.unwrap();
    let redeemed = store.redeem_code(&hash("2"), &client_id("app"), at(6)).await.unwrap().unwrap();
    assert_eq!(redeemed.wallet, Some(address(8)));
    let token = store.person_token(redeemed.code.id, at(7)).await.unwrap().unwrap();
    assert_eq!(token.wallet, Some(address(8)));
}

async fn a_developer_token_dies_with_its_key(fresh: &Fresh) {
    let store = &fresh.store;
    store.create_client(&license(1, "one")).await.unwrap();
    let mut short = key(1, 3);
    short.expires_at = Some(at(50));
    assert!(store.add_license_key(&key(1, 2)).await.unwrap());
    assert!(store.add_license_key(&short).await.unwrap());
    let token = |number: u8, license: u8, key: Address| DeveloperToken {
        id: uuid(u128::from(number)),
        client_id: address(license).into(),
        key_address: key,
        scope: "openid".parse().unwrap(),
        issued_at: at(0),
        expires_at: at(100),
    };
    assert!(!store.put_developer_token(&token(1, 1, address(9)), at(0)).await.unwrap(), "a key of nobody");
    assert!(!store.put_developer_token(&token(1, 5, address(2)), at(0)).await.unwrap(), "a license of nobody");
    assert!(!store.put_developer_token(&token(1, 1, address(3)), at(50)).await.unwrap(), "an expired key");
    assert!(store.put_developer_token(&token(1, 1, address(2)), at(0)).await.unwrap());
    assert!(store.put_developer_token(&token(2, 1, address(3)), at(49)).await.unwrap());

    assert_eq!(store.developer_token(uuid(1), at(99)).await.unwrap(), Some(token(1, 1, address(2))));
    assert_eq!(store.developer_token(uuid(1), at(100)).await.unwrap(), None, "its time is over");
    assert!(store.developer_token(uuid(2), at(49)).await.unwrap().is_some());
    assert_eq!(store.developer_token(uuid(2), at(50)).await.unwrap(), None, "its key's time is over");
    assert_eq!(store.developer_token(uuid(3), at(0)).await.unwrap(), None);

    let id = address(1).into();
    store.set_client_disabled(&id, Some(at(2)), at(2)).await.unwrap();
    assert_eq!(store.developer_token(uuid(1), at(3)).await.unwrap(), None, "its license is disabled");
    assert!(!store.put_developer_token(&token(4, 1, address(2)), at(3)).await.unwrap());
    store.set_client_disabled(&id, None, at(2)).await.unwrap();
    assert_eq!(store.developer_token(uuid(1), at(3)).await.unwrap(), None, "it was issued before its license was disabled");
    let mut later = token(5, 1, address(2));
    later.issued_at = at(3);
    assert!(store.put_developer_token(&later, at(3)).await.unwrap());
    assert!(store.developer_token(later.id, at(3)).await.unwrap().is_some());
    assert!(store.disable_license_key(&id, &address(2), at(4)).await.unwrap());
    assert!(!store.disable_license_key(&id, &address(2), at(5)).await.unwrap());
    assert_eq!(store.developer_token(later.id, at(5)).await.unwrap(), None, "its key is disabled");
    assert!(!store.put_developer_token(&token(4, 1, address(2)), at(5)).await.unwrap());
}

async fn a_redeemed_code_is_born(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    store.create_client(&client("app")).await.unwrap();
    agree(store, account, "app").await;
    let stored = code(1, "app", account);
    assert!(store.put_redeemed_code(&stored, &hash("code"), at(0)).await.unwrap());
    assert_eq!(store.redeem_code(&hash("code"), &client_id("app"), at(1)).await.unwrap(), None);
    assert!(store.person_token(stored.id, at(1)).await.unwrap().is_some());
    store.set_account_disabled(account, Some(at(1)), at(1)).await.unwrap();
    assert!(!store.put_redeemed_code(&code(2, "app", account), &hash("2"), at(2)).await.unwrap());
}
