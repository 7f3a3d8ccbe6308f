//! Clients that registered themselves, those that are known by a document, and their pictures.

use latchkey::domain::{AuthMethod, ClientMetadata, RedirectUri};
use latchkey::store::{ClientLogo, ClientRecord, ClientSource};

use super::harness::{Fresh, both};
use super::made::{at, client, client_id, hash};

both! {
    /// The token of a registration works for one change, and for nothing after it.
    a_registration_is_changed_by_its_token
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
    assert!(!store.update_registration(&app, hash("other")).await.unwrap());
    assert_ne!(store.client(&app.id).await.unwrap().unwrap().name, "Changed");
    assert!(store.update_registration(&app, hash("first")).await.unwrap());
    assert_eq!(store.client(&app.id).await.unwrap().unwrap(), app);
    assert!(!store.update_registration(&app, hash("first")).await.unwrap());
    assert!(!store.delete_registration(&app.id, hash("first")).await.unwrap());
    assert!(store.delete_registration(&app.id, hash("second")).await.unwrap());
    assert_eq!(store.client(&app.id).await.unwrap(), None);
}

async fn only_what_registered_itself_is_managed(fresh: &Fresh) {
    let store = &fresh.store;
    let made = ClientRecord { source: ClientSource::Command, ..registered("made") };
    store.create_client(&made).await.unwrap();
    let disabled = registered("disabled");
    store.create_client(&disabled).await.unwrap();
    store.set_client_disabled(&disabled.id, Some(at(1)), at(1)).await.unwrap();
    for app in [made, disabled] {
        assert!(!store.update_registration(&app, hash("first")).await.unwrap());
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
        let changed = match after.source {
            ClientSource::Registration => store.update_registration(&after, hash("first")).await,
            _ => store.put_document_client(&after).await,
        };
        assert!(changed.unwrap());
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
