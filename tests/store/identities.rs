//! Several ways into one account: proved, linked, taken away; and whose an email address is.

use latchkey::domain::{AccountId, Email, Provider, SessionId};
use latchkey::store::{Identity, Linked, Profile, Proved, Session, SignedIn, Store, Unlinked};

use super::harness::{Fresh, both};
use super::made::{address, agree, api_challenge, at, client, client_id, code, hash, person, session, uuid};
use super::races::{count, fifty};

both! {
    /// The first proof makes an account, the next one finds it, and the newest label counts.
    a_proof_finds_or_makes_an_account
    /// Nobody comes into an account by its address, and nobody gets a second one with it.
    an_address_of_another_account_lets_nobody_in
    /// The address that a provider vouches for follows the provider, but not into another account.
    an_address_follows_its_provider
    /// Linked now, already, another's, with another's address, to nobody's account.
    what_can_be_linked
    /// Never the last one; what hung on it goes.
    what_can_be_taken_away
    /// A name is the account's own to give.
    only_ones_own_is_renamed
    /// One session ends by its id, if it is that person's.
    only_ones_own_session_ends
    /// The address of the sign-in, else the oldest one that was proved, and never another account's.
    the_address_that_tokens_tell_of
    /// Fifty first sign-ins by two providers that vouch for one address: one account.
    one_account_for_an_address
    /// Fifty accounts that link one identity at once: one has it.
    one_account_links_an_identity
    /// Fifty who take away two of two at once leave one.
    one_of_two_is_left
}

fn email(text: &str) -> Email {
    text.parse().unwrap()
}

fn proved(provider: &str, subject: &str, address: Option<&str>) -> Proved {
    Proved { provider: Provider::new(provider), subject: subject.to_owned(), label: format!("{subject} there"), email: address.map(email) }
}

const fn account(number: u128) -> u128 {
    100 + number
}

async fn sign_in(store: &Store, by: &Proved, number: u128, seconds: i64) -> SignedIn {
    store.sign_in_by(by, AccountId(uuid(account(number))), at(seconds)).await.unwrap()
}

async fn new(store: &Store, by: &Proved, number: u128, seconds: i64) -> AccountId {
    match sign_in(store, by, number, seconds).await {
        SignedIn::Account { id, created: true, disabled: false } => id,
        other => panic!("{other:?}"),
    }
}

async fn identities(store: &Store, id: AccountId) -> Vec<Identity> {
    store.account(id).await.unwrap().unwrap().identities
}

async fn a_proof_finds_or_makes_an_account(fresh: &Fresh) {
    let store = &fresh.store;
    let google = proved("google", "g1", Some("ada@example.com"));
    let id = new(store, &google, 1, 0).await;
    let known = SignedIn::Account { id, created: false, disabled: false };
    assert_eq!(sign_in(store, &google, 2, 5).await, known);
    assert_eq!(sign_in(store, &Proved { label: "Ada L.".to_owned(), ..google.clone() }, 3, 6).await, known);
    // What says nothing leaves what was said.
    assert_eq!(sign_in(store, &Proved { label: String::new(), email: None, ..google.clone() }, 4, 7).await, known);
    let expected = Identity {
        provider: Provider::new("google"),
        subject: "g1".to_owned(),
        label: "Ada L.".to_owned(),
        email: Some(email("ada@example.com")),
        created_at: at(0),
        last_used_at: at(7),
    };
    assert_eq!(identities(store, id).await, [expected]);
    assert_eq!(store.owner_of_identity(&google.provider, "g1").await.unwrap(), Some(id));
    assert_eq!(store.owner_of_identity(&google.provider, "g2").await.unwrap(), None);
    assert_eq!(store.owner_of_identity(&Provider::new("github"), "g1").await.unwrap(), None);
    assert!(store.set_account_disabled(id, Some(at(8)), at(8)).await.unwrap());
    assert_eq!(sign_in(store, &google, 5, 9).await, SignedIn::Account { id, created: false, disabled: true });
    let moved = Proved { email: Some(email("ada@elsewhere.example")), ..google };
    assert_eq!(sign_in(store, &moved, 6, 9).await, SignedIn::Account { id, created: false, disabled: true });
    assert_eq!(identities(store, id).await[0].email, Some(email("ada@example.com")), "who is shut out changes nothing");
    assert_eq!(fresh.count("account").await, 1);
}

async fn an_address_of_another_account_lets_nobody_in(fresh: &Fresh) {
    let store = &fresh.store;
    let ada = new(store, &proved("google", "g1", Some("ada@example.com")), 1, 0).await;
    assert_eq!(sign_in(store, &proved("github", "h1", Some("Ada@Example.com")), 2, 1).await, SignedIn::EmailElsewhere);
    assert_eq!((fresh.count("account").await, fresh.count("identity").await), (1, 1), "nothing is left of it");
    // Without an address, or with one of their own, they have an account of their own.
    let other = new(store, &proved("github", "h1", None), 3, 2).await;
    assert_ne!(other, ada);
    // What somebody writes into a profile is nobody's address: whoever owns the mailbox gets an account, and not that one.
    let profile = Profile { email: Some("eve@example.com".to_owned()), ..Profile::default() };
    assert!(store.save_profile(other, &profile, at(3)).await.unwrap());
    let eve = new(store, &proved("google", "g2", Some("eve@example.com")), 4, 4).await;
    assert!(eve != other && eve != ada);
}

async fn an_address_follows_its_provider(fresh: &Fresh) {
    let store = &fresh.store;
    let ada = new(store, &proved("google", "g1", Some("ada@example.com")), 1, 0).await;
    let bob = new(store, &proved("google", "g2", Some("bob@example.com")), 2, 0).await;
    let of = async |id| identities(store, id).await[0].email.clone();
    let known = |id| SignedIn::Account { id, created: false, disabled: false };
    assert_eq!(sign_in(store, &proved("google", "g1", Some("countess@example.com")), 3, 1).await, known(ada));
    assert_eq!(of(ada).await, Some(email("countess@example.com")));
    // The former one is free, and can be somebody else's now.
    assert_eq!(sign_in(store, &proved("google", "g2", Some("ada@example.com")), 4, 2).await, known(bob));
    assert_eq!(of(bob).await, Some(email("ada@example.com")));
    // Another account's stays there; the person comes in all the same.
    assert_eq!(sign_in(store, &proved("google", "g1", Some("ada@example.com")), 5, 3).await, known(ada));
    assert_eq!((of(ada).await, of(bob).await), (Some(email("countess@example.com")), Some(email("ada@example.com"))));
    assert_eq!(fresh.count("account_email").await, 2);
}

async fn what_can_be_linked(fresh: &Fresh) {
    let store = &fresh.store;
    let ada = person(store, 1).await;
    let bob = new(store, &proved("google", "g2", Some("bob@example.com")), 2, 0).await;
    let link = async |id, by: &Proved, seconds| store.link_identity(id, by, at(seconds)).await.unwrap();
    let google = proved("google", "g1", Some("ada@example.com"));
    assert_eq!(link(ada, &google, 1).await, Linked::Now);
    assert_eq!(sign_in(store, &google, 3, 2).await, SignedIn::Account { id: ada, created: false, disabled: false });
    assert_eq!(link(ada, &google, 3).await, Linked::Already);
    assert_eq!(link(bob, &google, 3).await, Linked::Another);
    assert_eq!(link(ada, &proved("google", "g2", None), 3).await, Linked::Another);
    assert_eq!(link(bob, &proved("github", "h1", Some("ada@example.com")), 3).await, Linked::EmailElsewhere);
    assert_eq!(link(bob, &proved("github", "h1", Some("bob@example.com")), 3).await, Linked::Now, "two may vouch for one address");
    assert_eq!(link(AccountId(uuid(99)), &proved("github", "h2", None), 3).await, Linked::NoAccount);
    assert!(store.set_account_disabled(ada, Some(at(4)), at(4)).await.unwrap());
    assert_eq!(link(ada, &proved("github", "h2", None), 5).await, Linked::NoAccount);
    assert_eq!(identities(store, ada).await.len(), 2);
    assert_eq!(identities(store, bob).await.len(), 2);
    assert_eq!(fresh.count("account_email").await, 2);
}

async fn what_can_be_taken_away(fresh: &Fresh) {
    let store = &fresh.store;
    let (ada, bob) = (person(store, 1).await, person(store, 2).await);
    let google = proved("google", "g1", Some("ada@example.com"));
    let github = proved("github", "h1", Some("ada@example.com"));
    for by in [&google, &github] {
        assert_eq!(store.link_identity(ada, by, at(1)).await.unwrap(), Linked::Now);
    }
    let by = |number, id, by: &Proved| Session { provider: by.provider.clone(), subject: by.subject.clone(), ..session(number, id) };
    for (name, begun) in
        [("google here", by(1, ada, &google)), ("google there", by(2, ada, &google)), ("wallet", session(3, ada)), ("bob", session(4, bob))]
    {
        store.start_session(&begun, &hash(name), None).await.unwrap();
    }
    let lives = async |name: &str| store.session(&hash(name), at(2)).await.unwrap().is_some();
    let keep = by(1, ada, &google).id;
    let unlink = async |id, by: &Proved| store.unlink_identity(id, &by.provider, &by.subject, keep, at(2)).await.unwrap();
    assert_eq!(unlink(bob, &google).await, Unlinked::Unknown, "another's");
    assert_eq!(unlink(ada, &proved("google", "g9", None)).await, Unlinked::Unknown);
    assert_eq!(unlink(AccountId(uuid(99)), &google).await, Unlinked::Unknown);
    assert!(lives("google there").await);

    assert_eq!(unlink(ada, &google).await, Unlinked::Now);
    assert_eq!(
        (lives("google here").await, lives("google there").await, lives("wallet").await, lives("bob").await),
        (true, false, true, true)
    );
    assert_eq!(store.owner_of_identity(&google.provider, "g1").await.unwrap(), None);
    // Another one of the account proves the address still: it is not free.
    assert_eq!(sign_in(store, &proved("google", "g1", Some("ada@example.com")), 5, 3).await, SignedIn::EmailElsewhere);
    assert_eq!(unlink(ada, &github).await, Unlinked::Now);
    let mallory = new(store, &google, 6, 4).await;
    assert_ne!(mallory, ada, "it was free");
    let wallet = Proved { provider: Provider::web3(), subject: address(1).to_string(), label: String::new(), email: None };
    assert_eq!(unlink(ada, &wallet).await, Unlinked::Last);
    assert_eq!(unlink(ada, &wallet).await, Unlinked::Last);
    assert!(lives("wallet").await);
    assert_eq!(identities(store, ada).await.len(), 1);
}

async fn only_ones_own_is_renamed(fresh: &Fresh) {
    let store = &fresh.store;
    let (ada, bob) = (person(store, 1).await, person(store, 2).await);
    let rename =
        async |id, number| store.rename_identity(id, &Provider::web3(), &address(number).to_string(), "Zoë's \"key\"").await.unwrap();
    assert!(rename(ada, 1).await);
    assert!(!rename(bob, 1).await);
    assert!(!rename(ada, 3).await);
    assert_eq!(identities(store, ada).await[0].label, "Zoë's \"key\"");
    assert_eq!(identities(store, bob).await[0].label, "");
    // A wallet says no name of its own, so the person's stays.
    store.sign_in(&Provider::web3(), &address(1).to_string(), AccountId(uuid(9)), at(5)).await.unwrap();
    assert_eq!(identities(store, ada).await[0].label, "Zoë's \"key\"");
}

async fn only_ones_own_session_ends(fresh: &Fresh) {
    let store = &fresh.store;
    let (ada, bob) = (person(store, 1).await, person(store, 2).await);
    store.create_client(&client("app")).await.unwrap();
    agree(store, ada, "app").await;
    for (number, id) in [(0, ada), (1, ada), (2, bob)] {
        store.start_session(&session(number, id), &hash(&number.to_string()), None).await.unwrap();
    }
    // The app wants to be told of the end of the first one.
    let mut told = code(1, "app", ada);
    told.told_as = Some("ada there".to_owned());
    assert!(store.put_code(&told, &hash("code")).await.unwrap());
    let lives = async |number: u8| store.session(&hash(&number.to_string()), at(2)).await.unwrap().is_some();
    assert!(!store.end_own_session(bob, session(0, ada).id, at(1)).await.unwrap());
    assert!(!store.end_own_session(ada, SessionId(uuid(9_999)), at(1)).await.unwrap());
    assert!(lives(0).await && fresh.count("outbox").await == 0);
    assert!(store.end_own_session(ada, session(0, ada).id, at(1)).await.unwrap());
    assert_eq!((lives(0).await, lives(1).await, lives(2).await), (false, true, true));
    assert_eq!(fresh.count("outbox").await, 1, "the app is told");
    assert_eq!(store.redeem_code(&hash("code"), &client_id("app"), at(2)).await.unwrap(), None, "its code is worth nothing");
    assert!(!store.end_own_session(ada, session(0, ada).id, at(3)).await.unwrap());
}

async fn the_address_that_tokens_tell_of(fresh: &Fresh) {
    let store = &fresh.store;
    store.create_client(&client("app")).await.unwrap();
    let ada = person(store, 1).await;
    agree(store, ada, "app").await;
    let app = client_id("app");
    let told = async |name: &str, scope: &str, claims: Option<&str>, by: &Proved| {
        let mut code = code(1, "app", ada);
        code.id = latchkey::domain::CodeId(uuid(7_000 + name.bytes().map(u128::from).sum::<u128>()));
        code.provider = by.provider.clone();
        code.subject.clone_from(&by.subject);
        code.scope = scope.parse().unwrap();
        code.claims = claims.map(|text| serde_json::from_str(text).unwrap());
        assert!(store.put_code(&code, &hash(name)).await.unwrap());
        let redeemed = store.redeem_code(&hash(name), &app, at(9)).await.unwrap().unwrap();
        let token = store.person_token(code.id, at(9)).await.unwrap().unwrap();
        (redeemed.email, token.email)
    };
    let (wallet, google, github) = (
        Proved { provider: Provider::web3(), subject: address(1).to_string(), label: String::new(), email: None },
        proved("google", "g1", Some("old@example.com")),
        proved("github", "h1", Some("new@example.com")),
    );
    assert_eq!(told("none", "email openid", None, &wallet).await, (None, None));
    store.link_identity(ada, &github, at(6)).await.unwrap();
    store.link_identity(ada, &google, at(5)).await.unwrap();
    let (old, new_one) = (Some(email("old@example.com")), Some(email("new@example.com")));
    assert_eq!(told("of another", "email openid", None, &wallet).await, (old.clone(), old.clone()));
    assert_eq!(told("its own", "email openid", None, &github).await, (new_one.clone(), new_one.clone()));
    assert_eq!(told("other scope", "openid profile", None, &github).await.0, None, "nobody asked");
    assert_eq!(told("no such scope", "emails openid", None, &github).await.0, None);
    let by_name = r#"{"id_token":{"email":null}}"#;
    assert_eq!(told("by name", "openid", Some(by_name), &github).await.0, new_one.clone());
    let granted = taken(store, "app").await;
    assert_eq!(granted, old.clone());

    // What is somebody else's by now is not told of this account.
    assert_eq!(store.unlink_identity(ada, &github.provider, "h1", session(1, ada).id, at(7)).await.unwrap(), Unlinked::Now);
    let bob = new(store, &Proved { email: Some(email("bob@example.com")), ..github.clone() }, 8, 8).await;
    assert_ne!(bob, ada);
    assert_eq!(told("gone", "email openid", None, &github).await, (old.clone(), old));
}

// The address that comes with a challenge of wallet 1.
async fn taken(store: &Store, app: &str) -> Option<Email> {
    store.put_api_challenge(&api_challenge(1, app), &hash("state")).await.unwrap();
    match store.take_api_challenge(&hash("state"), at(9), at(3_600)).await.unwrap() {
        latchkey::store::Taken::Now(taken) => {
            let told = store.wallet_token(taken.challenge.id, at(9)).await.unwrap().unwrap();
            assert_eq!(told.email, taken.email);
            taken.email
        }
        other => panic!("{other:?}"),
    }
}

async fn one_account_for_an_address(fresh: &Fresh) {
    let outcomes = fifty(fresh, |store, number| async move {
        let by = proved(if number % 3 == 0 { "google" } else { "github" }, "x1", Some("ada@example.com"));
        sign_in(&store, &by, u128::from(number), 0).await
    })
    .await;
    let made: Vec<_> = outcomes.iter().filter(|outcome| matches!(outcome, SignedIn::Account { created: true, .. })).collect();
    assert_eq!(made.len(), 1, "{outcomes:?}");
    assert!(outcomes.contains(&SignedIn::EmailElsewhere));
    let counts = (fresh.count("account").await, fresh.count("identity").await, fresh.count("account_email").await);
    assert_eq!(counts, (1, 1, 1));
}

async fn one_account_links_an_identity(fresh: &Fresh) {
    let accounts: Vec<AccountId> = {
        let mut accounts = Vec::new();
        for number in 0..50 {
            accounts.push(new(&fresh.store, &proved("google", &number.to_string(), None), number, 0).await);
        }
        accounts
    };
    let outcomes = fifty(fresh, |store, number| {
        let id = accounts[usize::from(number)];
        async move { store.link_identity(id, &proved("github", "h1", Some("ada@example.com")), at(1)).await.unwrap() }
    })
    .await;
    assert_eq!(count(outcomes.iter().map(|linked| *linked == Linked::Now)), 1, "{outcomes:?}");
    assert!(outcomes.iter().all(|linked| matches!(linked, Linked::Now | Linked::Another)), "{outcomes:?}");
    assert_eq!(fresh.count("account_email").await, 1);
}

async fn one_of_two_is_left(fresh: &Fresh) {
    let ada = new(&fresh.store, &proved("google", "g1", None), 1, 0).await;
    assert_eq!(fresh.store.link_identity(ada, &proved("github", "h1", None), at(1)).await.unwrap(), Linked::Now);
    let outcomes = fifty(fresh, |store, number| async move {
        let by = if number % 2 == 0 { proved("google", "g1", None) } else { proved("github", "h1", None) };
        store.unlink_identity(ada, &by.provider, &by.subject, SessionId(uuid(9)), at(2)).await.unwrap()
    })
    .await;
    assert_eq!(count(outcomes.iter().map(|unlinked| *unlinked == Unlinked::Now)), 1, "{outcomes:?}");
    assert_eq!(identities(&fresh.store, ada).await.len(), 1);
}
