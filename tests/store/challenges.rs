//! Challenges: taken once, in time, and only by their holder; and what the row of a taken one is good for.

use latchkey::domain::{ChallengeId, InteractionId, Provider, Timestamp};
use latchkey::store::{ApiChallenge, Conflict, PersonToken, Profile, Store, StoreError, Taken, TakenChallenge};

use super::harness::{Fresh, both};
use super::made::{address, agree, api_challenge, at, client, client_id, hash, person, signin_challenge, uuid};

both! {
    /// The sign-in page's challenge is its browser's and its visit's.
    a_signin_challenge_is_taken_once
    /// The API's challenge is found by its state alone.
    an_api_challenge_is_taken_once
    /// Whose the wallet is, and what this person has agreed to, as it is at that moment.
    a_taken_challenge_knows_its_person
    /// The row of a taken challenge is the record of a token, until anything that it depends on ends.
    a_taken_challenge_is_a_tokens_record
    /// A withdrawal ends the tokens of that person at that app, and a new consent does not bring them back.
    a_withdrawal_ends_the_tokens_of_challenges
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
    let take = async |state: &str, seconds| store.take_api_challenge(&hash(state), at(seconds), at(seconds + 3_600)).await.unwrap();
    assert_eq!(take("other", 1).await, Taken::Unknown);
    assert_eq!(take("state", 600).await, Taken::Expired);
    let of_a_stranger =
        TakenChallenge { challenge, account_id: None, account_disabled: false, client_disabled: false, email: None, agreed: None };
    assert_eq!(take("state", 1).await, Taken::Now(of_a_stranger));
    assert_eq!(take("state", 1).await, Taken::Already);
    assert!(store.delete_client(&client_id("app")).await.unwrap());
    assert_eq!(take("state", 1).await, Taken::Unknown);
}

// A challenge for the wallet of person 1, put and taken.
async fn taken(store: &Store, number: u8, client: &str, now: Timestamp) -> TakenChallenge {
    let mut challenge = ApiChallenge { id: ChallengeId(uuid(5_000 + u128::from(number))), ..api_challenge(1, client) };
    challenge.message.expires_at = at(900);
    let state = hash(&number.to_string());
    assert!(store.put_api_challenge(&challenge, &state).await.unwrap());
    match store.take_api_challenge(&state, now, at(3_600)).await.unwrap() {
        Taken::Now(taken) => taken,
        other => panic!("{other:?}"),
    }
}

async fn a_taken_challenge_knows_its_person(fresh: &Fresh) {
    let store = &fresh.store;
    for app in ["app", "second"] {
        store.create_client(&client(app)).await.unwrap();
    }
    let (account, other) = (person(store, 1).await, person(store, 2).await);
    store.save_consent(other, &client_id("app"), &"openid profile".parse().unwrap(), at(0)).await.unwrap();
    let first = taken(store, 1, "app", at(1)).await;
    assert_eq!((first.account_id, first.agreed), (Some(account), None), "another's consent is not this one's");
    store.save_consent(account, &client_id("app"), &"openid".parse().unwrap(), at(3)).await.unwrap();
    assert_eq!(taken(store, 2, "app", at(2)).await.agreed, None, "agreed to later");
    assert_eq!(taken(store, 3, "app", at(3)).await.agreed, Some("openid".parse().unwrap()));
    assert_eq!(taken(store, 4, "second", at(3)).await.agreed, None, "agreed to elsewhere");

    store.set_client_disabled(&client_id("app"), Some(at(4)), at(4)).await.unwrap();
    let disabled = |taken: TakenChallenge| (taken.account_disabled, taken.client_disabled);
    assert_eq!(disabled(taken(store, 5, "app", at(5)).await), (false, true));
    store.set_account_disabled(account, Some(at(4)), at(4)).await.unwrap();
    assert_eq!(disabled(taken(store, 6, "app", at(5)).await), (true, true));
    assert_eq!(disabled(taken(store, 7, "second", at(5)).await), (true, false));

    let provider = Provider::web3();
    store.touch_identity(&provider, &address(1).to_string(), at(7)).await.unwrap();
    store.touch_identity(&provider, &address(1).to_string(), at(6)).await.unwrap();
    assert_eq!(store.account(account).await.unwrap().unwrap().identities[0].last_used_at, at(7), "a late note moves nothing back");
}

async fn a_taken_challenge_is_a_tokens_record(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    let app = client_id("app");
    store.create_client(&client("app")).await.unwrap();
    let waiting = ApiChallenge { id: ChallengeId(uuid(5_099)), ..api_challenge(1, "app") };
    store.put_api_challenge(&waiting, &hash("waiting")).await.unwrap();
    let unagreed = taken(store, 1, "app", at(1)).await.challenge.id;
    agree(store, account, "app").await;
    let of_nobody = ApiChallenge { id: ChallengeId(uuid(5_098)), ..api_challenge(9, "app") };
    store.put_api_challenge(&of_nobody, &hash("of nobody")).await.unwrap();
    assert!(matches!(store.take_api_challenge(&hash("of nobody"), at(1), at(3_600)).await.unwrap(), Taken::Now(_)));
    let id = taken(store, 2, "app", at(1)).await.challenge.id;
    let holds = async |id, seconds| store.wallet_token(id, at(seconds)).await.unwrap().is_some();

    let token = store.wallet_token(id, at(2)).await.unwrap();
    let expected = PersonToken {
        client_id: app.clone(),
        account_id: account,
        scope: "email openid".parse().unwrap(),
        provider: Provider::web3(),
        subject: address(1).to_string(),
        wallet: Some(address(1)),
        email: None,
        authenticated_at: at(1),
        claims: None,
        authorization_details: None,
        profile: Profile::default(),
        account_updated_at: at(0),
    };
    assert_eq!(token, Some(expected));
    assert!(holds(id, 3_599).await && !holds(id, 3_600).await);
    assert!(!holds(waiting.id, 2).await, "nobody took it");
    assert!(!holds(of_nobody.id, 2).await, "nobody has that wallet");
    assert!(!holds(ChallengeId(uuid(1)), 2).await);
    // That no token names it is what keeps a challenge harmless whose signature was wrong; the row says nothing of it.
    assert!(holds(unagreed, 2).await);

    store.revoke_wallet_token(id, &client_id("other"), at(3)).await.unwrap();
    assert!(holds(id, 3).await, "another app revokes nothing");
    store.revoke_wallet_token(id, &app, at(3)).await.unwrap();
    assert!(!holds(id, 3).await);

    let second = taken(store, 3, "app", at(4)).await.challenge.id;
    store.set_client_disabled(&app, Some(at(5)), at(5)).await.unwrap();
    assert!(!holds(second, 5).await);
    store.set_client_disabled(&app, None, at(5)).await.unwrap();
    assert!(!holds(second, 5).await, "what was issued before the client was disabled stays dead");
    let third = taken(store, 4, "app", at(6)).await.challenge.id;
    assert!(holds(third, 6).await);
    store.set_account_disabled(account, Some(at(7)), at(7)).await.unwrap();
    assert!(!holds(third, 7).await);
    store.set_account_disabled(account, None, at(7)).await.unwrap();
    assert!(!holds(third, 7).await, "what was issued before the account was disabled stays dead");
    let fourth = taken(store, 5, "app", at(8)).await.challenge.id;
    assert!(holds(fourth, 8).await);
    assert!(store.delete_client(&app).await.unwrap());
    assert!(!holds(fourth, 8).await);
}

async fn a_withdrawal_ends_the_tokens_of_challenges(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    for app in ["app", "second"] {
        store.create_client(&client(app)).await.unwrap();
        agree(store, account, app).await;
    }
    let given = async |number, client: &str, seconds| taken(store, number, client, at(seconds)).await.challenge.id;
    let (here, there) = (given(1, "app", 1).await, given(2, "second", 1).await);
    // By a replica whose clock is ahead.
    let ahead = given(3, "app", 4).await;
    let holds = async |id| store.wallet_token(id, at(5)).await.unwrap().is_some();
    assert!(holds(here).await && holds(there).await && holds(ahead).await);
    assert!(store.withdraw_consent(account, &client_id("app"), at(2)).await.unwrap());
    assert!(!holds(here).await && holds(there).await && !holds(ahead).await);
    // Decided under the consent of second 0, and stored when it has been withdrawn.
    let late = given(4, "app", 1).await;
    assert!(!holds(late).await);
    store.save_consent(account, &client_id("app"), &"email openid".parse().unwrap(), at(3)).await.unwrap();
    for id in [here, ahead, late] {
        assert!(!holds(id).await, "a new consent does not revive old tokens");
    }
    assert!(holds(given(5, "app", 3).await).await);
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
