//! Passwords: set for an address of one's own, replaced, gone with the identity.

use latchkey::domain::{AccountId, Email, Provider, SessionId};
use latchkey::store::{Linked, NewAccount, Proved, Store, Unlinked};

use super::harness::{Fresh, both};
use super::made::{address, at, hash, person, session, uuid};
use super::races::{count, fifty};

both! {
    /// A password is of one account, for an address that is its own.
    a_password_is_set_for_ones_own_address
    /// What was compared is replaced, and not what somebody else has set since.
    a_hash_is_replaced_by_who_compared_it
    /// Without the identity there is no password.
    a_password_goes_with_its_identity
    /// Nor without the address, and nobody is left without a way in.
    a_password_goes_with_its_address
    /// Fifty operators make one account of an address.
    one_makes_an_account_of_an_address
}

fn email(text: &str) -> Email {
    text.parse().unwrap()
}

fn new(number: u128, address: &str, password: Option<&str>) -> NewAccount {
    NewAccount { id: AccountId(uuid(number)), email: email(address), name: Some("Ada".to_owned()), password: password.map(str::to_owned) }
}

async fn kept(store: &Store, address: &str) -> Option<String> {
    store.password_hash(&email(address)).await.unwrap()
}

async fn a_password_is_set_for_ones_own_address(fresh: &Fresh) {
    let store = &fresh.store;
    assert!(store.create_account(new(101, "ada@example.com", None), at(0)).await.unwrap());
    assert!(!store.create_account(new(102, "ada@example.com", Some("x")), at(0)).await.unwrap(), "the address is taken");
    assert_eq!(store.account(AccountId(uuid(102))).await.unwrap(), None);
    assert!(store.create_account(new(103, "eve@example.com", Some("of eve")), at(0)).await.unwrap());
    let (ada, eve, nobody) = (AccountId(uuid(101)), AccountId(uuid(103)), AccountId(uuid(104)));
    let set = async |account, address: &str, hash: &str| {
        store.set_password(account, &email(address), hash, SessionId(uuid(9)), at(1)).await.unwrap()
    };
    assert_eq!(kept(store, "ada@example.com").await, None);
    assert_eq!(set(ada, "eve@example.com", "stolen").await, Linked::EmailElsewhere);
    assert_eq!(set(ada, "free@example.com", "made up").await, Linked::EmailElsewhere);
    assert_eq!(set(nobody, "ada@example.com", "ghost").await, Linked::NoAccount);
    assert_eq!(set(ada, "ada@example.com", "first").await, Linked::Now);
    assert_eq!(set(ada, "ada@example.com", "second").await, Linked::Already);
    assert_eq!(
        (kept(store, "ada@example.com").await, kept(store, "eve@example.com").await),
        (Some("second".to_owned()), Some("of eve".to_owned()))
    );
    store.set_account_disabled(eve, Some(at(2)), at(2)).await.unwrap();
    assert_eq!(set(eve, "eve@example.com", "late").await, Linked::NoAccount);
    let account = store.account(ada).await.unwrap().unwrap();
    assert_eq!(account.profile.name.as_deref(), Some("Ada"));
    let names: Vec<_> = account.identities.iter().map(|one| (one.provider.as_str(), one.subject.as_str(), one.email.is_some())).collect();
    assert_eq!(names, [("email", "ada@example.com", true), ("password", "ada@example.com", false)]);
}

async fn a_hash_is_replaced_by_who_compared_it(fresh: &Fresh) {
    let store = &fresh.store;
    store.create_account(new(101, "ada@example.com", Some("old")), at(0)).await.unwrap();
    let replace = async |old, new| store.rehash_password(&email("ada@example.com"), old, new, at(1)).await.unwrap();
    assert!(replace("old", "new").await);
    assert!(!replace("old", "late").await);
    assert_eq!(kept(store, "ada@example.com").await.as_deref(), Some("new"));
}

async fn a_password_goes_with_its_identity(fresh: &Fresh) {
    let store = &fresh.store;
    let other = person(store, 1).await;
    store.create_account(new(101, "ada@example.com", Some("hash")), at(0)).await.unwrap();
    let unlink = async |account| {
        let provider = Provider::new(Provider::PASSWORD);
        store.unlink_identity(account, &provider, "ada@example.com", SessionId(uuid(9)), at(1)).await.unwrap()
    };
    assert_eq!(unlink(other).await, Unlinked::Unknown);
    assert!(kept(store, "ada@example.com").await.is_some());
    assert_eq!(unlink(AccountId(uuid(101))).await, Unlinked::Now);
    assert_eq!(kept(store, "ada@example.com").await, None);
    assert_eq!(fresh.count("password").await, 0);
}

async fn a_password_goes_with_its_address(fresh: &Fresh) {
    let store = &fresh.store;
    let ada = AccountId(uuid(101));
    store.create_account(new(101, "ada@example.com", Some("hash")), at(0)).await.unwrap();
    let unlink = async || store.unlink_identity(ada, &Provider::email(), "ada@example.com", SessionId(uuid(9)), at(1)).await.unwrap();
    assert_eq!(unlink().await, Unlinked::Last, "the password would go too");
    assert_eq!(store.account(ada).await.unwrap().unwrap().identities.len(), 2);
    let wallet = Proved { provider: Provider::web3(), subject: address(1).to_string(), label: String::new(), email: None };
    assert_eq!(store.link_identity(ada, &wallet, at(1)).await.unwrap(), Linked::Now);
    // What was begun by that password ends with it.
    let mut by_password = session(1, ada);
    (by_password.provider, by_password.subject) = (Provider::new(Provider::PASSWORD), "ada@example.com".to_owned());
    store.start_session(&by_password, &hash("by password"), None).await.unwrap();
    store.start_session(&session(2, ada), &hash("by wallet"), None).await.unwrap();
    assert_eq!(unlink().await, Unlinked::Now);
    let left: Vec<_> = store.sessions(ada, at(1)).await.unwrap().into_iter().map(|session| session.id).collect();
    assert_eq!(left, [session(2, ada).id]);
    assert_eq!(kept(store, "ada@example.com").await, None);
    // Whoever has the mailbox now sets one of their own.
    assert!(store.create_account(new(102, "ada@example.com", Some("of the next")), at(2)).await.unwrap());
    assert_eq!(kept(store, "ada@example.com").await.as_deref(), Some("of the next"));
}

async fn one_makes_an_account_of_an_address(fresh: &Fresh) {
    let outcomes = fifty(fresh, |store, number| async move {
        store.create_account(new(100 + u128::from(number), "ada@example.com", None), at(0)).await.unwrap()
    })
    .await;
    assert_eq!(count(outcomes), 1);
    assert_eq!((fresh.count("account").await, fresh.count("account_email").await), (1, 1));
}
