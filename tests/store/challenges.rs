//! Challenges: taken once, in time, and only by their holder.

use latchkey::domain::InteractionId;
use latchkey::store::{Conflict, StoreError, Taken};

use super::harness::{Fresh, both};
use super::made::{api_challenge, at, client, client_id, hash, signin_challenge, uuid};

both! {
    /// The sign-in page's challenge is its browser's and its visit's.
    a_signin_challenge_is_taken_once
    /// The API's challenge is found by its state alone.
    an_api_challenge_is_taken_once
    /// A challenge needs a client, and a chain id that fits.
    what_cannot_be_a_challenge
}

async fn a_signin_challenge_is_taken_once(fresh: &Fresh) {
    let store = &fresh.store;
    let challenge = signin_challenge(1);
    store.put_signin_challenge(&challenge, &hash("browser")).await.unwrap();
    let (id, visit) = (challenge.id, challenge.interaction_id);

    for (id, visit, browser) in [(uuid(9), visit, "browser"), (id, InteractionId(uuid(9)), "browser"), (id, visit, "another's browser")] {
        assert_eq!(store.take_signin_challenge(id, visit, &hash(browser), at(1)).await.unwrap(), Taken::Unknown);
    }
    assert_eq!(store.take_signin_challenge(id, visit, &hash("browser"), at(600)).await.unwrap(), Taken::Expired);
    assert_eq!(store.take_signin_challenge(id, visit, &hash("browser"), at(599)).await.unwrap(), Taken::Now(challenge));
    assert_eq!(store.take_signin_challenge(id, visit, &hash("browser"), at(1)).await.unwrap(), Taken::Already);
    assert_eq!(store.take_signin_challenge(id, visit, &hash("browser"), at(601)).await.unwrap(), Taken::Already);
}

async fn an_api_challenge_is_taken_once(fresh: &Fresh) {
    let store = &fresh.store;
    store.create_client(&client("app")).await.unwrap();
    let challenge = api_challenge(1, "app");
    store.put_api_challenge(&challenge, &hash("state")).await.unwrap();
    assert_eq!(store.take_api_challenge(&hash("other"), at(1)).await.unwrap(), Taken::Unknown);
    assert_eq!(store.take_api_challenge(&hash("state"), at(600)).await.unwrap(), Taken::Expired);
    assert_eq!(store.take_api_challenge(&hash("state"), at(1)).await.unwrap(), Taken::Now(challenge));
    assert_eq!(store.take_api_challenge(&hash("state"), at(1)).await.unwrap(), Taken::Already);
    assert!(store.delete_client(&client_id("app")).await.unwrap());
    assert_eq!(store.take_api_challenge(&hash("state"), at(1)).await.unwrap(), Taken::Unknown);
}

async fn what_cannot_be_a_challenge(fresh: &Fresh) {
    let store = &fresh.store;
    let orphan = store.put_api_challenge(&api_challenge(1, "nobody"), &hash("state")).await;
    assert!(matches!(orphan, Err(StoreError::Conflict(Conflict::Other(_)))), "{orphan:?}");
    let mut far = signin_challenge(1);
    far.message.chain_id = u64::MAX;
    let far = store.put_signin_challenge(&far, &hash("browser")).await;
    assert!(matches!(far, Err(StoreError::Corrupt(_))), "{far:?}");
    let mut last = signin_challenge(1);
    last.message.chain_id = i64::MAX.unsigned_abs();
    store.put_signin_challenge(&last, &hash("browser")).await.unwrap();
    let taken = store.take_signin_challenge(last.id, last.interaction_id, &hash("browser"), at(1)).await.unwrap();
    assert_eq!(taken, Taken::Now(last));
}
