//! Accounts: found or made by signing in, disabled, and told of.

use latchkey::domain::{AccountId, Provider};
use latchkey::store::Profile;

use super::harness::{Fresh, both};
use super::made::{address, at, hash, person, session, uuid};

both! {
    /// The first sign-in makes an account, the next one finds it.
    signing_in_finds_or_makes_an_account
    /// A disabled account is told as such, and its sessions are gone.
    a_disabled_account_is_signed_out
    /// A profile is stored whole, whatever its letters.
    a_profile_comes_back_whole
    /// The list has every account with its identities, the oldest first.
    accounts_are_listed
}

async fn signing_in_finds_or_makes_an_account(fresh: &Fresh) {
    let store = &fresh.store;
    let wallet = address(1).to_string();
    let first = store.sign_in(&Provider::web3(), &wallet, AccountId(uuid(1)), at(0)).await.unwrap();
    assert!(first.created && !first.disabled);
    assert_eq!(first.account_id, AccountId(uuid(1)));
    let again = store.sign_in(&Provider::web3(), &wallet, AccountId(uuid(2)), at(5)).await.unwrap();
    assert!(!again.created);
    assert_eq!(again.account_id, first.account_id);
    let other = store.sign_in(&Provider::new("email"), &wallet, AccountId(uuid(3)), at(6)).await.unwrap();
    assert!(other.created, "the same subject at another provider is another identity");

    let account = store.account(first.account_id).await.unwrap().unwrap();
    assert_eq!((account.created_at, account.disabled_at), (at(0), None));
    let identity = &account.identities[0];
    assert_eq!((identity.provider.as_str(), &identity.subject), ("web3", &wallet));
    assert_eq!((identity.created_at, identity.last_used_at), (at(0), at(5)));
    assert_eq!(store.account(AccountId(uuid(2))).await.unwrap(), None, "no account was made in vain");
}

async fn a_disabled_account_is_signed_out(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    store.start_session(&session(1, account), &hash("cookie"), None).await.unwrap();
    assert!(store.set_account_disabled(account, Some(at(3)), at(3)).await.unwrap());
    assert_eq!(store.session(&hash("cookie"), at(4)).await.unwrap(), None);
    let signed = store.sign_in(&Provider::web3(), &address(1).to_string(), AccountId(uuid(9)), at(4)).await.unwrap();
    assert!(signed.disabled && !signed.created);
    assert_eq!(store.account(account).await.unwrap().unwrap().disabled_at, Some(at(3)));

    assert!(store.set_account_disabled(account, None, at(5)).await.unwrap());
    let enabled = store.account(account).await.unwrap().unwrap();
    assert_eq!((enabled.disabled_at, enabled.updated_at), (None, at(5)));
    assert_eq!(store.session(&hash("cookie"), at(6)).await.unwrap(), None, "being enabled again signs nobody in");
    assert!(!store.set_account_disabled(AccountId(uuid(99)), None, at(5)).await.unwrap());
}

async fn a_profile_comes_back_whole(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    let profile = Profile {
        name: Some("Zoë \"Z\" O'Hara \\ 漢字 \u{1f511}".to_owned()),
        locale: Some("de-CH".to_owned()),
        picture: Some("https://pictures.example/z.png".to_owned()),
        ..Profile::default()
    };
    assert!(store.save_profile(account, &profile, at(7)).await.unwrap());
    let stored = store.account(account).await.unwrap().unwrap();
    assert_eq!((stored.profile, stored.updated_at), (profile, at(7)));
    assert!(!store.save_profile(AccountId(uuid(99)), &Profile::default(), at(7)).await.unwrap());
}

async fn accounts_are_listed(fresh: &Fresh) {
    let store = &fresh.store;
    assert!(store.accounts().await.unwrap().is_empty());
    let (a, b) = (person(store, 1).await, person(store, 2).await);
    fresh.link(a, &address(9), at(4)).await;
    let listed = store.accounts().await.unwrap();
    assert_eq!(listed.iter().map(|account| account.id).collect::<Vec<_>>(), [a, b]);
    let subjects: Vec<_> = listed[0].identities.iter().map(|identity| identity.subject.clone()).collect();
    assert_eq!(subjects, [address(1).to_string(), address(9).to_string()]);
    assert_eq!(listed[1].identities.len(), 1);
}
