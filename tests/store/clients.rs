//! Clients, licenses and their keys: registered, changed, disabled, removed; and what is refused, by its name.

use std::time::Duration;

use latchkey::domain::{AuthMethod, ClientKind, RedirectUri};
use latchkey::store::{ClientRecord, ClientSource, Conflict, License, StoreError, UriPurpose};

use super::harness::{Fresh, both};
use super::made::{address, at, client, client_id, code, hash, key, license, person};

both! {
    /// A client comes back as it was registered.
    a_client_comes_back_whole
    /// An update changes the settings, the URIs and the license, and nothing else.
    a_client_is_changed
    /// What is there already is refused by its constraint's name, and leaves nothing behind.
    conflicts_have_names
    /// URIs are added and removed one by one.
    uris_are_added_and_removed
    /// The oldest URI stays the oldest, whatever is changed around it.
    uris_keep_their_age
    /// Keys are added, listed and disabled.
    keys_of_licenses
    /// A client that goes takes all that hangs on it along.
    a_deleted_client_leaves_nothing
    /// The configuration file's clients come, change, go and return; the command line's are left alone.
    clients_of_the_configuration
}

const BOTH: [UriPurpose; 2] = [UriPurpose::Redirect, UriPurpose::PostLogout];

fn uri(text: &str) -> RedirectUri {
    text.parse().unwrap()
}

async fn a_client_comes_back_whole(fresh: &Fresh) {
    let store = &fresh.store;
    let (app, mut dev) = (client("app"), license(1, "one"));
    dev.created_at = at(1);
    dev.disabled_at = Some(at(2));
    store.create_client(&app).await.unwrap();
    store.create_client(&dev).await.unwrap();
    assert_eq!(store.client(&app.id).await.unwrap().as_ref(), Some(&app));
    assert_eq!(store.client(&dev.id).await.unwrap().as_ref(), Some(&dev));
    assert_eq!(store.client(&client_id("nobody")).await.unwrap(), None);
    assert_eq!(store.clients(None).await.unwrap(), [app.clone(), dev.clone()]);
    assert_eq!(store.clients(Some(ClientKind::License)).await.unwrap(), [dev]);
    assert_eq!(store.clients(Some(ClientKind::Oauth)).await.unwrap(), [app]);

    let bare = ClientRecord {
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        secret_hash: None,
        auth_method: AuthMethod::None,
        subject_type: None,
        ..client("bare")
    };
    store.create_client(&bare).await.unwrap();
    assert_eq!(store.client(&bare.id).await.unwrap(), Some(bare));
}

async fn a_client_is_changed(fresh: &Fresh) {
    let store = &fresh.store;
    let before = license(1, "one");
    store.create_client(&before).await.unwrap();
    let mut asked = before.clone();
    asked.name = "Renamed".to_owned();
    asked.redirect_uris = vec![uri("https://app.example/b"), uri("https://app.example/c")];
    asked.post_logout_redirect_uris = Vec::new();
    asked.access_token = Duration::from_mins(1);
    asked.license = Some(License { alias: "uno".to_owned(), owner: address(7), developer_token: Duration::from_secs(5) });
    asked.updated_at = at(9);
    let expected = asked.clone();
    asked.created_at = at(99);
    asked.source = ClientSource::Config;
    asked.disabled_at = Some(at(99));
    assert!(store.update_client(&asked, &BOTH).await.unwrap());
    assert_eq!(store.client(&before.id).await.unwrap(), Some(expected));
    assert!(!store.update_client(&client("nobody"), &BOTH).await.unwrap());

    assert!(store.set_client_disabled(&before.id, Some(at(10)), at(10)).await.unwrap());
    assert_eq!(store.client(&before.id).await.unwrap().unwrap().disabled_at, Some(at(10)));
    assert!(store.set_client_disabled(&before.id, None, at(11)).await.unwrap());
    let enabled = store.client(&before.id).await.unwrap().unwrap();
    assert_eq!((enabled.disabled_at, enabled.updated_at), (None, at(11)));
    assert!(!store.set_client_disabled(&client_id("nobody"), None, at(0)).await.unwrap());
}

async fn conflicts_have_names(fresh: &Fresh) {
    let store = &fresh.store;
    let refused = |conflict| Err(StoreError::Conflict(conflict));
    store.create_client(&client("app")).await.unwrap();
    store.create_client(&license(1, "one")).await.unwrap();
    store.create_client(&license(2, "two")).await.unwrap();

    assert_eq!(store.create_client(&client("app")).await, refused(Conflict::ClientId));
    assert_eq!(store.create_client(&license(3, "one")).await, refused(Conflict::LicenseAlias));
    assert_eq!(store.client(&address(3).into()).await.unwrap(), None, "the whole registration was undone");
    let mut twice = client("twice");
    twice.redirect_uris = vec![uri("https://app.example/a"); 2];
    assert_eq!(store.create_client(&twice).await, refused(Conflict::RedirectUri));
    assert_eq!(store.client(&twice.id).await.unwrap(), None);
    assert_eq!(store.update_client(&license(2, "one"), &[]).await, refused(Conflict::LicenseAlias).map(|()| true));
    assert_eq!(store.client(&address(2).into()).await.unwrap(), Some(license(2, "two")));

    assert!(store.add_license_key(&key(1, 5)).await.unwrap());
    assert_eq!(store.add_license_key(&key(1, 5)).await, refused(Conflict::LicenseKey).map(|()| true));
    assert!(store.add_license_key(&key(2, 5)).await.unwrap(), "a key may serve two licenses");
    assert!(!store.add_license_key(&key(9, 5)).await.unwrap(), "a license of nobody");

    let mut odd = client("odd");
    odd.secret_hash = None;
    let odd = store.create_client(&odd).await;
    let Err(StoreError::Conflict(Conflict::Other(words))) = odd else { panic!("{odd:?}") };
    assert_eq!(words, "client_secret_fits_method");
}

async fn uris_are_added_and_removed(fresh: &Fresh) {
    let store = &fresh.store;
    let app = client("app");
    store.create_client(&app).await.unwrap();
    let bye = uri("https://app.example/bye");
    assert!(store.add_redirect_uri(&app.id, UriPurpose::Redirect, &bye, at(1)).await.unwrap());
    let again = store.add_redirect_uri(&app.id, UriPurpose::Redirect, &bye, at(1)).await;
    assert_eq!(again, Err(StoreError::Conflict(Conflict::RedirectUri)));
    assert!(!store.add_redirect_uri(&client_id("nobody"), UriPurpose::Redirect, &bye, at(1)).await.unwrap());
    let stored = store.client(&app.id).await.unwrap().unwrap();
    assert_eq!(stored.redirect_uris, [uri("https://app.example/a"), uri("https://app.example/b"), bye.clone()]);
    assert!(store.remove_redirect_uri(&app.id, UriPurpose::PostLogout, &bye).await.unwrap());
    assert!(!store.remove_redirect_uri(&app.id, UriPurpose::PostLogout, &bye).await.unwrap());
    let stored = store.client(&app.id).await.unwrap().unwrap();
    assert_eq!((stored.redirect_uris.len(), stored.post_logout_redirect_uris.len()), (3, 0));
}

async fn uris_keep_their_age(fresh: &Fresh) {
    let store = &fresh.store;
    let [first, second, third] = ["https://z.example/", "https://m.example/", "https://a.example/"].map(uri);
    let mut app = ClientRecord { redirect_uris: vec![first.clone(), second.clone()], ..client("app") };
    store.create_client(&app).await.unwrap();
    let stored = async || store.client(&app.id).await.unwrap().unwrap().redirect_uris;
    assert_eq!(stored().await, [first.clone(), second.clone()], "in the order given");
    // A clock that went back makes nothing older.
    assert!(store.add_redirect_uri(&app.id, UriPurpose::Redirect, &third, at(-9)).await.unwrap());
    assert_eq!(stored().await, [first.clone(), second.clone(), third.clone()]);

    assert!(store.remove_redirect_uri(&app.id, UriPurpose::Redirect, &third).await.unwrap());
    app.redirect_uris = vec![third.clone(), first.clone(), second.clone()];
    app.updated_at = at(5);
    assert!(store.update_client(&app, &[UriPurpose::PostLogout]).await.unwrap());
    assert_eq!(stored().await, [first.clone(), second.clone()], "a purpose that is not named is not touched");
    assert!(store.update_client(&app, &BOTH).await.unwrap());
    assert_eq!(stored().await, [first.clone(), second.clone(), third.clone()]);
    app.redirect_uris = vec![third.clone(), first.clone()];
    assert!(store.update_client(&app, &BOTH).await.unwrap());
    assert_eq!(stored().await, [first.clone(), third.clone()]);

    let config = |uris: &[&RedirectUri]| ClientRecord {
        source: ClientSource::Config,
        redirect_uris: uris.iter().copied().cloned().collect(),
        ..client("file")
    };
    store.replace_config_clients(&[config(&[&first])], at(1)).await.unwrap();
    store.replace_config_clients(&[config(&[&third, &first])], at(2)).await.unwrap();
    let of_file = store.client(&client_id("file")).await.unwrap().unwrap();
    assert_eq!(of_file.redirect_uris, [first, third]);
}

async fn keys_of_licenses(fresh: &Fresh) {
    let store = &fresh.store;
    store.create_client(&license(1, "one")).await.unwrap();
    store.create_client(&license(2, "two")).await.unwrap();
    let mut first = key(1, 5);
    first.expires_at = Some(at(100));
    let (second, third) = (key(1, 6), key(2, 7));
    for key in [&first, &second, &third] {
        store.add_license_key(key).await.unwrap();
    }
    let mut listed = store.license_keys(None).await.unwrap();
    assert_eq!(listed.len(), 3);
    listed.retain(|key| key.license == third.license);
    assert_eq!(listed, [third]);
    assert!(store.disable_license_key(&address(1).into(), &address(5), at(8)).await.unwrap());
    first.disabled_at = Some(at(8));
    assert_eq!(store.license_keys(Some(&address(1).into())).await.unwrap(), [first, second]);
    assert!(!store.disable_license_key(&address(2).into(), &address(5), at(8)).await.unwrap());
}

async fn a_deleted_client_leaves_nothing(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    let dev = license(1, "one");
    store.create_client(&dev).await.unwrap();
    store.add_license_key(&key(1, 5)).await.unwrap();
    store.save_consent(account, &dev.id, &"openid".parse().unwrap(), at(0)).await.unwrap();
    let given = code(1, dev.id.as_str(), account);
    store.put_redeemed_code(&given, &hash("code"), at(0)).await.unwrap();
    assert!(store.delete_client(&dev.id).await.unwrap());
    assert!(!store.delete_client(&dev.id).await.unwrap());
    assert!(store.license_keys(None).await.unwrap().is_empty());
    assert!(store.consents(account).await.unwrap().is_empty());
    assert_eq!(store.person_token(given.id, at(1)).await.unwrap(), None);
    store.create_client(&license(1, "one")).await.unwrap();
}

async fn clients_of_the_configuration(fresh: &Fresh) {
    let store = &fresh.store;
    let config = |name: &str| ClientRecord { source: ClientSource::Config, ..client(name) };
    store.create_client(&client("command")).await.unwrap();
    store.replace_config_clients(&[config("b"), config("a")], at(1)).await.unwrap();
    let mut expected = config("a");
    (expected.created_at, expected.updated_at) = (at(1), at(1));
    assert_eq!(store.client(&expected.id).await.unwrap(), Some(expected.clone()));

    store.set_client_disabled(&expected.id, Some(at(2)), at(2)).await.unwrap();
    let mut changed = config("a");
    changed.name = "Changed".to_owned();
    changed.redirect_uris = vec![uri("https://elsewhere.example/")];
    store.replace_config_clients(&[changed.clone()], at(3)).await.unwrap();
    expected = ClientRecord { created_at: at(1), updated_at: at(3), disabled_at: Some(at(2)), ..changed };
    assert_eq!(store.client(&expected.id).await.unwrap(), Some(expected), "what the operator disabled stays so");
    let account = person(store, 1).await;
    store.save_consent(account, &client_id("a"), &"openid".parse().unwrap(), at(3)).await.unwrap();
    let disabled = async |name: &str| store.client(&client_id(name)).await.unwrap().unwrap().disabled_at;
    assert_eq!(disabled("b").await, Some(at(3)), "what is no longer named is disabled, and not deleted");

    let clash = store.replace_config_clients(&[config("command"), config("c")], at(4)).await;
    assert_eq!(clash, Err(StoreError::Conflict(Conflict::ClientId)));
    assert_eq!(store.client(&client_id("command")).await.unwrap(), Some(client("command")));
    assert_eq!(store.client(&client_id("c")).await.unwrap(), None, "all or nothing");

    store.replace_config_clients(&[], at(5)).await.unwrap();
    store.replace_config_clients(&[], at(6)).await.unwrap();
    assert_eq!((disabled("a").await, disabled("b").await, disabled("command").await), (Some(at(2)), Some(at(3)), None));
    store.replace_config_clients(&[config("a"), config("b")], at(7)).await.unwrap();
    assert_eq!((disabled("a").await, disabled("b").await), (Some(at(2)), None), "an operator's word stays, an older file's does not");
    assert!(store.consent(account, &client_id("a")).await.unwrap().is_some());
    store.replace_config_clients(&[config("a")], at(8)).await.unwrap();
    store.set_client_disabled(&client_id("b"), Some(at(9)), at(9)).await.unwrap();
    store.replace_config_clients(&[config("a"), config("b")], at(10)).await.unwrap();
    assert_eq!(disabled("b").await, Some(at(9)), "an operator meant it");
}
