//! Clients that registered themselves, those that are known by a document, and their pictures.

use latchkey::domain::{AuthMethod, ClientMetadata, RedirectUri};
use latchkey::store::{ClientLogo, ClientRecord, ClientSource, Store, StoreError, UriPurpose};

use super::harness::{Fresh, both};
use super::made::{at, client, client_id, hash};

both! {
    /// The token of a registration works for one change, and for nothing after it.
    a_registration_is_changed_by_its_token
    /// What is decided, is decided over the client as it is in that moment: two changes at once do not undo each other.
    changes_at_once_are_all_there
    /// A command that changes a client takes no token back.
    a_command_leaves_the_token_alone
    /// Nor does any token work at a client that did not register itself, or is disabled.
    only_what_registered_itself_is_managed
    /// A document's client comes, changes, and keeps its sector and age.
    a_document_client_comes_and_changes
    /// What an operator made or disabled is left alone by documents.
    documents_do_not_overrule_the_operator
    /// What an operator set of an app stays, whatever the app says of itself; the app cannot set it.
    what_the_operator_set_of_an_app_stays
    /// A picture is kept in place of the one before, and goes with its client.
    a_logo_is_replaced_and_goes_with_its_client
}

fn registered(name: &str) -> ClientRecord {
    ClientRecord { source: ClientSource::Registration, registration_hash: Some(hash("first")), ..client(name) }
}

async fn update(store: &Store, record: &ClientRecord, presented: &str) -> bool {
    let after = record.clone();
    let plan = move |_: &ClientRecord| Ok::<_, StoreError>(after);
    store.update_registration(&record.id, hash(presented), plan).await.unwrap().is_some()
}

fn document(name: &str) -> ClientRecord {
    ClientRecord {
        source: ClientSource::Document,
        secret_hash: None,
        auth_method: AuthMethod::None,
        document_until: Some(at(60)),
        ..client(name)
    }
}

async fn a_registration_is_changed_by_its_token(fresh: &Fresh) {
    let (store, mut app) = (&fresh.store, registered("app"));
    store.create_client(&app).await.unwrap();
    app.name = "Changed".to_owned();
    app.updated_at = at(5);
    app.registration_hash = Some(hash("second"));
    app.redirect_uris = vec!["https://app.example/b".parse().unwrap()];
    assert!(!update(store, &app, "other").await);
    assert_ne!(store.client(&app.id).await.unwrap().unwrap().name, "Changed");
    let refused = store.update_registration(&app.id, hash("first"), |_| Err::<ClientRecord, _>("no")).await.unwrap();
    assert_eq!(refused, Some(Err("no")));
    assert_eq!(store.client(&app.id).await.unwrap().unwrap().registration_hash, Some(hash("first")), "its token works still");
    assert!(update(store, &app, "first").await);
    assert_eq!(store.client(&app.id).await.unwrap().unwrap(), app);
    assert!(!update(store, &app, "first").await);
    assert!(!store.delete_registration(&app.id, hash("first")).await.unwrap());
    assert!(store.delete_registration(&app.id, hash("second")).await.unwrap());
    assert_eq!(store.client(&app.id).await.unwrap(), None);
}

async fn changes_at_once_are_all_there(fresh: &Fresh) {
    let app = registered("app");
    fresh.store.create_client(&app).await.unwrap();
    // Each adds one contact to those that it finds.
    let id = app.id.clone();
    super::races::fifty(fresh, |store, number| {
        let id = id.clone();
        async move {
            let plan = move |now: &ClientRecord| {
                let mut after = now.clone();
                after.metadata.contacts.push(format!("{number}@app.example"));
                Ok::<_, StoreError>(after)
            };
            assert!(store.update_registration(&id, hash("first"), plan).await.unwrap().is_some());
        }
    })
    .await;
    assert_eq!(fresh.store.client(&app.id).await.unwrap().unwrap().metadata.contacts.len(), app.metadata.contacts.len() + 50);
}

async fn a_command_leaves_the_token_alone(fresh: &Fresh) {
    let (store, app) = (&fresh.store, registered("app"));
    store.create_client(&app).await.unwrap();
    // Read by a command before the app's own change, and written after it.
    let read = store.client(&app.id).await.unwrap().unwrap();
    let changed = ClientRecord { registration_hash: Some(hash("second")), ..app.clone() };
    assert!(update(store, &changed, "first").await);
    assert!(store.update_client(&ClientRecord { name: "By command".to_owned(), ..read }, &[UriPurpose::Redirect]).await.unwrap());
    assert!(!update(store, &app, "first").await, "the old token is dead");
    assert!(update(store, &app, "second").await);
}

async fn only_what_registered_itself_is_managed(fresh: &Fresh) {
    let store = &fresh.store;
    let made = ClientRecord { source: ClientSource::Command, ..registered("made") };
    store.create_client(&made).await.unwrap();
    let disabled = registered("disabled");
    store.create_client(&disabled).await.unwrap();
    store.set_client_disabled(&disabled.id, Some(at(1)), at(1)).await.unwrap();
    for app in [made, disabled] {
        assert!(!update(store, &app, "first").await);
        assert!(!store.delete_registration(&app.id, hash("first")).await.unwrap());
        assert!(store.client(&app.id).await.unwrap().is_some());
    }
}

async fn a_document_client_comes_and_changes(fresh: &Fresh) {
    let (store, first) = (&fresh.store, document("https://app.example/client"));
    assert!(store.put_document_client(&first).await.unwrap());
    assert_eq!(store.client(&first.id).await.unwrap().unwrap(), first);
    let moved: RedirectUri = "https://app.example/moved".parse().unwrap();
    let second = ClientRecord {
        name: "Changed".to_owned(),
        sector: Some("other.example".to_owned()),
        redirect_uris: vec![moved],
        created_at: at(9),
        updated_at: at(9),
        document_until: Some(at(99)),
        ..first.clone()
    };
    assert!(store.put_document_client(&second).await.unwrap());
    let expected = ClientRecord { sector: first.sector.clone(), created_at: first.created_at, ..second.clone() };
    assert_eq!(store.client(&first.id).await.unwrap().unwrap(), expected);
    // Fetched before and stored after: it changes nothing.
    assert!(!store.put_document_client(&first).await.unwrap());
    assert!(!store.postpone_document(&first.id, at(50)).await.unwrap());
    assert!(store.postpone_document(&first.id, at(100)).await.unwrap());
    assert_eq!(store.client(&first.id).await.unwrap().unwrap(), ClientRecord { document_until: Some(at(100)), ..expected });
}

async fn documents_do_not_overrule_the_operator(fresh: &Fresh) {
    let store = &fresh.store;
    let made = client("https://app.example/made");
    store.create_client(&made).await.unwrap();
    assert!(!store.put_document_client(&document("https://app.example/made")).await.unwrap());
    assert_eq!(store.client(&made.id).await.unwrap().unwrap(), made);
    let disabled = document("https://app.example/disabled");
    assert!(store.put_document_client(&disabled).await.unwrap());
    store.set_client_disabled(&disabled.id, Some(at(1)), at(1)).await.unwrap();
    assert!(!store.put_document_client(&ClientRecord { updated_at: at(9), ..disabled.clone() }).await.unwrap());
    assert_eq!(store.client(&disabled.id).await.unwrap().unwrap().disabled_at, Some(at(1)));
}

async fn what_the_operator_set_of_an_app_stays(fresh: &Fresh) {
    let store = &fresh.store;
    let limits = ClientMetadata {
        audiences: Some(vec!["my-app".to_owned()]),
        permissions: Some("privilege:GetLiveData".parse().unwrap()),
        first_party: true,
        ..client("app").metadata
    };
    let app = registered("app");
    let site = document("https://app.example/client");
    store.create_client(&app).await.unwrap();
    // Nor does a first fetch bring any.
    assert!(store.put_document_client(&ClientRecord { metadata: limits.clone(), ..site.clone() }).await.unwrap());
    for (before, after) in [
        (&app, ClientRecord { updated_at: at(5), registration_hash: Some(hash("second")), ..app.clone() }),
        (&site, ClientRecord { updated_at: at(5), ..site.clone() }),
    ] {
        assert_eq!(store.client(&before.id).await.unwrap().unwrap(), *before);
        let limited = ClientRecord { metadata: limits.clone(), ..before.clone() };
        assert!(store.update_client(&limited, &[]).await.unwrap());
        let wanted = after.clone();
        let changed = match after.source {
            ClientSource::Registration => {
                let plan = move |_: &ClientRecord| Ok::<_, ()>(wanted);
                store.update_registration(&after.id, hash("first"), plan).await.unwrap().is_some()
            }
            _ => store.put_document_client(&after).await.unwrap(),
        };
        assert!(changed);
        assert_eq!(store.client(&before.id).await.unwrap().unwrap(), ClientRecord { metadata: limits.clone(), ..after });
    }
}

async fn a_logo_is_replaced_and_goes_with_its_client(fresh: &Fresh) {
    let (store, app) = (&fresh.store, client("app"));
    let logo = |uri: &str| ClientLogo { uri: uri.to_owned(), media_type: "image/png".to_owned(), body: vec![0, 1, 255], fetched_at: at(3) };
    assert!(!store.put_client_logo(&app.id, &logo("https://app.example/1")).await.unwrap());
    store.create_client(&app).await.unwrap();
    assert_eq!(store.client_logo(&app.id).await.unwrap(), None);
    for uri in ["https://app.example/1", "https://app.example/2"] {
        assert!(store.put_client_logo(&app.id, &logo(uri)).await.unwrap());
        assert_eq!(store.client_logo(&app.id).await.unwrap(), Some(logo(uri)));
    }
    store.delete_client(&app.id).await.unwrap();
    assert_eq!(store.client_logo(&client_id("app")).await.unwrap(), None);
}
