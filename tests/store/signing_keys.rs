//! Signing keys and the server's own secrets.

use latchkey::domain::{KeyPurpose, SigningAlg};
use latchkey::store::SigningKeyRecord;

use super::harness::{Fresh, both};
use super::made::{at, signing_key};

both! {
    /// A key is stored once for a generation, and promoted once.
    a_key_is_made_and_promoted
    /// The first secret of a name stays.
    a_secret_stays
}

async fn a_key_is_made_and_promoted(fresh: &Fresh) {
    let store = &fresh.store;
    let mut active = signing_key("one", SigningAlg::Es256, 1);
    active.active_from = Some(at(0));
    let next = signing_key("two", SigningAlg::Es256, 2);
    assert!(store.put_signing_key(&active).await.unwrap());
    assert!(store.put_signing_key(&next).await.unwrap());
    assert!(!store.put_signing_key(&signing_key("two", SigningAlg::Rs256, 9)).await.unwrap(), "the kid is taken");
    assert!(!store.put_signing_key(&signing_key("other", SigningAlg::Es256, 2)).await.unwrap(), "the generation is taken");
    assert!(store.put_signing_key(&signing_key("rsa", SigningAlg::Rs256, 2)).await.unwrap());
    let rsa = signing_key("rsa", SigningAlg::Rs256, 2);
    // Each purpose has generations of its own.
    let of_assets = SigningKeyRecord { purpose: KeyPurpose::Assets, ..signing_key("asset", SigningAlg::Rs256, 2) };
    assert!(store.put_signing_key(&of_assets).await.unwrap());
    let again = SigningKeyRecord { kid: "asset again".to_owned(), ..of_assets.clone() };
    assert!(!store.put_signing_key(&again).await.unwrap(), "the generation is taken");
    assert_eq!(store.signing_keys().await.unwrap(), [active.clone(), next.clone(), rsa.clone(), of_assets.clone()]);

    assert!(store.promote_signing_key("two", at(5), "one", at(99)).await.unwrap());
    assert!(!store.promote_signing_key("two", at(6), "one", at(100)).await.unwrap(), "promoted already");
    assert!(!store.promote_signing_key("nobody", at(6), "one", at(100)).await.unwrap());
    active.retire_at = Some(at(99));
    let promoted = SigningKeyRecord { active_from: Some(at(5)), ..next };
    assert_eq!(store.signing_keys().await.unwrap(), [active, promoted, rsa, of_assets]);
}

async fn a_secret_stays(fresh: &Fresh) {
    let store = &fresh.store;
    assert_eq!(store.server_secret("pairwise").await.unwrap(), None);
    assert_eq!(store.put_server_secret("pairwise", b"first", at(0)).await.unwrap(), b"first");
    assert_eq!(store.put_server_secret("pairwise", b"second", at(1)).await.unwrap(), b"first");
    assert_eq!(store.server_secret("pairwise").await.unwrap().as_deref(), Some(b"first".as_slice()));
    assert_eq!(store.server_secret("other").await.unwrap(), None);
}
