//! Sweeping: what has expired goes, in as many batches as it takes; what lives stays.

use latchkey::domain::SigningAlg;
use latchkey::store::{
    Actor, AssetImport, ClientRecord, ClientSource, DeveloperToken, GrantChange, Granting, PasskeyChallenge, Swept, Taken, UpstreamVisit,
};

use super::grants::{grant_id, granting, made, new_grant, owner};
use super::harness::{Fresh, both};
use super::made::{
    address, agree, api_challenge, asset, at, client, client_id, code, did, hash, interaction, key, license, person, session,
    signin_challenge, signing_key, uuid,
};
use super::passkeys::passkey_challenge;
use super::upstream_visits::upstream_visit;

both! {
    /// One row of each kind lives, one has expired at this very moment.
    the_expired_goes_and_the_living_stays
    /// More than a batch of them goes as well.
    many_are_swept
    /// A client that let itself in goes when nobody ever agreed to it, and no other.
    unused_clients_go
    /// Somebody agrees while it is swept: it is there with the consent, or neither is.
    a_client_is_swept_or_agreed_to
    /// A grant is kept for a year after its end, and its history with it.
    a_grant_is_kept_for_a_year_after_its_end
    /// A redeemed code is kept as long as its tokens live, however old the code itself is.
    a_redeemed_code_is_kept_for_its_tokens
    /// So is a challenge that was taken; one that nobody took goes with its time.
    a_taken_challenge_is_kept_for_its_tokens
}

async fn the_expired_goes_and_the_living_stays(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    store.create_client(&client("app")).await.unwrap();
    store.create_client(&license(9, "one")).await.unwrap();
    store.add_license_key(&key(9, 5)).await.unwrap();
    store.save_consent(account, &client_id("app"), &"openid".parse().unwrap(), at(0)).await.unwrap();
    // 1 ends at the moment of the sweep, 2 a microsecond later.
    for (number, end) in [(1, at(100)), (2, latchkey::domain::Timestamp::from_micros(at(100).micros() + 1))] {
        let word = hash(&number.to_string());
        let mut session = session(number, account);
        session.expires_at = end;
        store.start_session(&session, &word, None).await.unwrap();
        let mut visit = interaction(number);
        visit.expires_at = end;
        store.put_interaction(&visit, &word).await.unwrap();
        store.put_form(&word, "/auth", "form", end).await.unwrap();
        let mut challenge = signin_challenge(number);
        challenge.message.expires_at = end;
        store.put_signin_challenge(&challenge, &word).await.unwrap();
        let challenge = PasskeyChallenge { expires_at: end, ..passkey_challenge(number) };
        store.put_passkey_challenge(&challenge, &word).await.unwrap();
        let sent = UpstreamVisit { expires_at: end, ..upstream_visit(number) };
        store.put_upstream_visit(&sent, &word, &word).await.unwrap();
        let mut challenge = api_challenge(number, "app");
        challenge.message.expires_at = end;
        store.put_api_challenge(&challenge, &word).await.unwrap();
        let mut code = code(number, "app", account);
        (code.expires_at, code.kept_until) = (latchkey::domain::Timestamp::from_micros(end.micros() + 1), end);
        store.put_code(&code, &word).await.unwrap();
        store.put_pushed_request(&word, &client_id("app"), "scope=openid", at(0), end).await.unwrap();
        store.use_assertion(&client_id("app"), &word, end).await.unwrap();
        let token = DeveloperToken {
            id: uuid(u128::from(number)),
            client_id: address(9).into(),
            key_address: address(5),
            scope: "openid".parse().unwrap(),
            issued_at: at(0),
            expires_at: end,
        };
        store.put_developer_token(&token, at(0)).await.unwrap();
        let claim = Some((word, end));
        store.import_assets(vec![AssetImport { claim, ..asset(u64::from(number), None) }], false, at(0)).await.unwrap();
        let mut key = signing_key(&number.to_string(), SigningAlg::Es256, i64::from(number));
        (key.active_from, key.retire_at) = (Some(at(0)), Some(end));
        store.put_signing_key(&key).await.unwrap();
    }
    store.put_signing_key(&signing_key("next", SigningAlg::Es256, 3)).await.unwrap();

    assert_eq!(store.sweep(at(99)).await.unwrap(), Swept::default());
    let swept = store.sweep(at(100)).await.unwrap();
    let one_each = Swept {
        sessions: 1,
        interactions: 1,
        posted_forms: 1,
        signin_challenges: 1,
        passkey_challenges: 1,
        upstream_visits: 1,
        api_challenges: 1,
        codes: 1,
        developer_tokens: 1,
        pushed_requests: 1,
        assertions: 1,
        signing_keys: 1,
        asset_claims: 1,
        ..Swept::default()
    };
    assert_eq!(swept, one_each);
    assert_eq!(swept.total(), 13);
    assert_eq!(store.sweep(at(100)).await.unwrap().total(), 0);

    let (gone, here) = (hash("1"), hash("2"));
    assert!(store.session(&gone, at(0)).await.unwrap().is_none() && store.session(&here, at(100)).await.unwrap().is_some());
    assert!(store.interaction(interaction(1).id, &gone, at(0)).await.unwrap().is_none());
    assert!(store.interaction(interaction(2).id, &here, at(100)).await.unwrap().is_some());
    assert!(store.form(&gone, "/auth", at(0)).await.unwrap().is_none() && store.form(&here, "/auth", at(100)).await.unwrap().is_some());
    let (first, second) = (signin_challenge(1), signin_challenge(2));
    assert_eq!(store.take_signin_challenge(first.id, first.interaction_id, &gone, at(0)).await.unwrap(), Taken::Unknown);
    assert!(matches!(store.take_signin_challenge(second.id, second.interaction_id, &here, at(100)).await.unwrap(), Taken::Now(_)));
    let taken = async |number, word, seconds| {
        let PasskeyChallenge { id, ceremony, interaction_id, .. } = passkey_challenge(number);
        store.take_passkey_challenge(id, ceremony, interaction_id, word, at(seconds)).await.unwrap()
    };
    assert_eq!(taken(1, &gone, 0).await, Taken::Unknown);
    assert!(matches!(taken(2, &here, 100).await, Taken::Now(_)));
    assert_eq!(store.take_api_challenge(&gone, at(0), at(0)).await.unwrap(), Taken::Unknown);
    assert!(matches!(store.take_api_challenge(&here, at(100), at(100)).await.unwrap(), Taken::Now(_)));
    assert!(store.code_state(&gone).await.unwrap().is_none());
    assert!(store.redeem_code(&here, &client_id("app"), at(100)).await.unwrap().is_some());
    assert!(store.developer_token(uuid(1), at(0)).await.unwrap().is_none());
    assert!(store.developer_token(uuid(2), at(100)).await.unwrap().is_some());
    assert!(store.take_pushed_request(&here, &client_id("app"), at(100)).await.unwrap().is_some());
    assert!(!store.use_assertion(&client_id("app"), &here, at(200)).await.unwrap(), "still remembered");
    assert!(store.take_asset_claim(&gone, account, at(0)).await.unwrap().is_none());
    assert!(store.take_asset_claim(&here, account, at(100)).await.unwrap().is_some());
    let kids: Vec<_> = store.signing_keys().await.unwrap().into_iter().map(|key| key.kid).collect();
    assert_eq!(kids, ["2", "next"]);
    assert!(store.account(account).await.unwrap().is_some() && store.consent(account, &client_id("app")).await.unwrap().is_some());
}

async fn many_are_swept(fresh: &Fresh) {
    let store = &fresh.store;
    let puts = (0..1_203).map(|number| {
        let store = store.clone();
        let end = if number % 3 == 0 { at(500) } else { at(i64::from(number % 7)) };
        async move { store.put_form(&hash(&number.to_string()), "/auth", "form", end).await.unwrap() }
    });
    futures_util::future::join_all(puts).await;
    assert_eq!(store.sweep(at(10)).await.unwrap().posted_forms, 802);
    assert_eq!(store.sweep(at(500)).await.unwrap().posted_forms, 401);
}

async fn a_grant_is_kept_for_a_year_after_its_end(fresh: &Fresh) {
    let store = &fresh.store;
    let account = owner(store).await;
    let adding = Granting { replaces: false, ..granting(account) };
    let on = |number: u8| new_grant(number, Some((did(1), 0)), "app");
    // They would all expire at 1,000; two end before, one is extended.
    made(store, adding, vec![on(1), on(2), on(3), on(4)]).await;
    store.end_grant(grant_id(2), Actor::Operator, at(10)).await.unwrap();
    let longer = GrantChange { expires_at: Some(at(2_000)), ..GrantChange::default() };
    store.change_grant(grant_id(3), account, None, longer.clone(), at(10)).await.unwrap().unwrap();
    store.change_grant(grant_id(4), account, None, longer, at(10)).await.unwrap().unwrap();
    store.end_grant(grant_id(4), Actor::Grantee(client_id("app")), at(20)).await.unwrap();
    let year = 365 * 24 * 3_600;
    for (seconds, swept, left) in [(9, 0, 4), (10, 1, 3), (20, 1, 2), (999, 0, 2), (1_000, 1, 1), (1_999, 0, 1), (2_000, 1, 0)] {
        assert_eq!((seconds, store.sweep(at(year + seconds)).await.unwrap().grants), (seconds, swept));
        assert_eq!(fresh.count("asset_grant").await, left);
    }
    assert_eq!((fresh.count("grant_event").await, fresh.count("asset").await), (0, 3));
}

async fn a_redeemed_code_is_kept_for_its_tokens(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    store.create_client(&client("app")).await.unwrap();
    agree(store, account, "app").await;
    let given = code(1, "app", account);
    store.put_code(&given, &hash("code")).await.unwrap();
    store.redeem_code(&hash("code"), &client_id("app"), at(1)).await.unwrap().unwrap();
    assert_eq!(store.sweep(at(3_599)).await.unwrap().codes, 0);
    assert!(store.person_token(given.id, at(3_599)).await.unwrap().is_some());
    assert!(store.code_state(&hash("code")).await.unwrap().unwrap().redeemed, "a second use is still noticed");
    assert_eq!(store.sweep(at(3_600)).await.unwrap().codes, 1);
}

async fn a_taken_challenge_is_kept_for_its_tokens(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    store.create_client(&client("app")).await.unwrap();
    agree(store, account, "app").await;
    let mut challenges = [1, 2].map(|number| api_challenge(number, "app"));
    for challenge in &mut challenges {
        challenge.message.address = address(1);
        store.put_api_challenge(challenge, &hash(&challenge.id.to_string())).await.unwrap();
    }
    let state = hash(&challenges[0].id.to_string());
    assert!(matches!(store.take_api_challenge(&state, at(1), at(3_601)).await.unwrap(), Taken::Now(_)));
    assert_eq!(store.sweep(at(599)).await.unwrap().api_challenges, 0);
    assert_eq!(store.sweep(at(600)).await.unwrap().api_challenges, 1, "the other one");
    assert_eq!(store.sweep(at(3_600)).await.unwrap().api_challenges, 0);
    assert!(store.wallet_token(challenges[0].id, at(3_600)).await.unwrap().is_some());
    assert_eq!(store.take_api_challenge(&state, at(3_600), at(3_600)).await.unwrap(), Taken::Already, "a second use is still noticed");
    assert_eq!(store.sweep(at(3_601)).await.unwrap().api_challenges, 1);
}

fn unused(name: &str) -> ClientRecord {
    ClientRecord { source: ClientSource::Registration, unused_until: Some(at(100)), ..client(name) }
}

async fn unused_clients_go(fresh: &Fresh) {
    let store = &fresh.store;
    let account = person(store, 1).await;
    for name in ["unused", "agreed", "withdrawn", "disabled", "kept"] {
        store.create_client(&unused(name)).await.unwrap();
    }
    store.create_client(&client("ours")).await.unwrap();
    let document = ClientRecord {
        source: ClientSource::Document,
        secret_hash: None,
        auth_method: latchkey::domain::AuthMethod::None,
        ..unused("doc")
    };
    assert!(store.put_document_client(&document).await.unwrap());
    agree(store, account, "agreed").await;
    agree(store, account, "withdrawn").await;
    store.withdraw_consent(account, &client_id("withdrawn"), at(1)).await.unwrap();
    store.set_client_disabled(&client_id("disabled"), Some(at(1)), at(1)).await.unwrap();
    assert!(store.keep_client(&client_id("kept")).await.unwrap() && !store.keep_client(&client_id("kept")).await.unwrap());
    assert_eq!(store.sweep(at(99)).await.unwrap().clients, 0);
    let swept = store.sweep(at(100)).await.unwrap();
    assert_eq!((swept.clients, swept.total()), (2, 2));
    let mut left: Vec<_> = store.clients(None).await.unwrap().into_iter().map(|client| client.id.to_string()).collect();
    left.sort_unstable();
    assert_eq!(left, ["agreed", "disabled", "kept", "ours", "withdrawn"]);
}

async fn a_client_is_swept_or_agreed_to(fresh: &Fresh) {
    let account = person(&fresh.store, 1).await;
    for number in 0..25 {
        fresh.store.create_client(&unused(&format!("app {number}").replace(' ', "-"))).await.unwrap();
    }
    let outcomes = super::races::fifty(fresh, |store, number| async move {
        if number % 2 == 0 {
            return store.sweep(at(100)).await.is_ok();
        }
        store.save_consent(account, &client_id(&format!("app-{}", number / 2)), &"openid".parse().unwrap(), at(1)).await.is_ok()
    })
    .await;
    for (number, saved) in outcomes.iter().enumerate() {
        let id = client_id(&format!("app-{}", number / 2));
        if number % 2 == 0 {
            assert!(saved, "a sweep failed");
        } else {
            assert_eq!(fresh.store.client(&id).await.unwrap().is_some(), *saved, "{id}");
            assert_eq!(fresh.store.consent(account, &id).await.unwrap().is_some(), *saved, "{id}");
        }
    }
}
