//! Fifty at once, from two stores on one database as two replicas are: whatever is single use has one winner.

use std::sync::Arc;

use latchkey::domain::{AccountId, FamilyId, Owner, Provider, SigningAlg};
use latchkey::store::{
    Actor, AssetImport, AssetsImported, Conflict, GrantOutcome, GrantPage, Granting, Imported, Store, StoreError, Taken, Transfer,
};
use tokio::sync::Barrier;

use super::grants::{granting, made, new_grant, owner};
use super::harness::{Fresh, both, open};
use super::made::{
    address, agree, api_challenge, asset, at, client, client_id, code, did, hash, interaction, license, person, signin_challenge,
    signing_key, uuid,
};
use super::refresh::{FAMILY, begun, family, using};

both! {
    /// Fifty redemptions, one token.
    one_redeems_a_code
    /// Fifty uses of one refresh token, one living successor.
    one_lineage_of_refresh_tokens_lives
    /// Fifty redemptions at once begin one family.
    one_redemption_begins_a_family
    /// Fifty submits, one look at the signature.
    one_takes_a_signin_challenge
    /// Fifty submits by API, one look at the signature.
    one_takes_an_api_challenge
    /// Fifty clicks on "allow", one code.
    one_finishes_a_visit
    /// Fifty first sign-ins of one wallet, one account.
    one_account_for_an_identity
    /// Fifty replicas that make the next key, one key.
    one_makes_a_signing_key
    /// Fifty replicas that promote the next key, one promotion.
    one_promotes_a_signing_key
    /// Fifty replicas that make a server secret agree on it.
    all_agree_on_a_secret
    /// Fifty registrations of one client id, or of one alias: one client.
    one_registers_a_client
    /// Fifty people with one claim code, one new owner.
    one_claims_an_asset
    /// Fifty transfers of one asset, one new owner.
    one_transfers_an_asset
    /// Fifty who end one grant, one line of history.
    one_ends_a_grant
    /// Fifty imports of one asset, one that makes it.
    one_imports_an_asset
    /// Grants that are made while the asset is passed on: not one of them is left.
    no_grant_outlives_a_transfer
    /// Fifty grants that take each other's place: one is left.
    one_grant_is_left_of_those_that_replace
    /// Fifty writers of one consent: what each of them gave, and no error.
    all_save_a_consent
    /// Fifty who end the same things, each from its own end: no one waits for another for ever.
    withdrawal_and_revocation_go_one_way
}

/// Runs fifty calls that start together, half of them on another store of the same database.
pub(crate) async fn fifty<T, C, F>(fresh: &Fresh, call: C) -> Vec<T>
where
    T: Send + 'static,
    C: Fn(Store, u8) -> F,
    F: Future<Output = T> + Send + 'static,
{
    let second = open(&fresh.url).await;
    let start = Arc::new(Barrier::new(50));
    let tasks: Vec<_> = (0..50)
        .map(|number| {
            let work = call(if number % 2 == 0 { fresh.store.clone() } else { second.clone() }, number);
            let start = Arc::clone(&start);
            tokio::spawn(async move {
                start.wait().await;
                work.await
            })
        })
        .collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.expect("no call panics"));
    }
    second.close().await;
    outcomes
}

pub(crate) fn count(outcomes: impl IntoIterator<Item = bool>) -> usize {
    outcomes.into_iter().filter(|won| *won).count()
}

async fn one_redeems_a_code(fresh: &Fresh) {
    let account = person(&fresh.store, 1).await;
    fresh.store.create_client(&client("app")).await.unwrap();
    fresh.store.put_code(&code(1, "app", account), &hash("code")).await.unwrap();
    let outcomes =
        fifty(fresh, |store, _| async move { store.redeem_code(&hash("code"), &client_id("app"), at(1)).await.unwrap().is_some() });
    assert_eq!(count(outcomes.await), 1);
}

async fn one_lineage_of_refresh_tokens_lives(fresh: &Fresh) {
    begun(&fresh.store, None).await;
    let outcomes =
        fifty(
            fresh,
            |store, number| async move { store.refresh(using("0", Some(&format!("successor {number}")), 2)).await.unwrap().is_some() },
        );
    // Each of them may have been the one whose reply was lost.
    assert_eq!(count(outcomes.await), 50);
    let mut living = Vec::new();
    for number in 0..50 {
        let hash = hash(&format!("successor {number}"));
        let (family, app) = (FamilyId(uuid(FAMILY)), client_id("app"));
        living.extend(fresh.store.living_refresh_token(family, &app, &hash, at(3), at(0)).await.unwrap().map(|_| number));
    }
    assert_eq!(living.len(), 1, "{living:?}");
    assert_eq!(fresh.count("refresh_token").await, 1);
    // Once that one is used, none of the fifty can go back.
    let successor = format!("successor {}", living[0]);
    assert!(fresh.store.refresh(using(&successor, Some("next"), 3)).await.unwrap().is_some());
    assert!(fresh.store.refresh(using("0", Some("x"), 4)).await.unwrap().is_none());
}

async fn one_redemption_begins_a_family(fresh: &Fresh) {
    let account = person(&fresh.store, 1).await;
    fresh.store.create_client(&client("app")).await.unwrap();
    fresh.store.put_code(&code(1, "app", account), &hash("code")).await.unwrap();
    let outcomes = fifty(fresh, |store, number| async move {
        let plan = move |_: &latchkey::store::RedeemedCode| {
            Some(latchkey::store::NewFamily { id: FamilyId(uuid(FAMILY + u128::from(number))), ..family("0", None) })
        };
        store.redeem_code_for_family(&hash("code"), &client_id("app"), at(1), plan).await.unwrap().is_some()
    });
    assert_eq!(count(outcomes.await), 1);
    assert_eq!(fresh.count("refresh_token").await, 1);
}

async fn one_takes_a_signin_challenge(fresh: &Fresh) {
    let challenge = signin_challenge(1);
    fresh.store.put_signin_challenge(&challenge, &hash("browser")).await.unwrap();
    let (id, visit) = (challenge.id, challenge.interaction_id);
    let outcomes =
        fifty(fresh, |store, _| async move { store.take_signin_challenge(id, visit, &hash("browser"), at(1)).await.unwrap() }).await;
    assert_eq!(count(outcomes.iter().map(|taken| matches!(taken, Taken::Now(_)))), 1);
    assert_eq!(count(outcomes.iter().map(|taken| *taken == Taken::Already)), 49);
}

async fn one_takes_an_api_challenge(fresh: &Fresh) {
    fresh.store.create_client(&client("app")).await.unwrap();
    fresh.store.put_api_challenge(&api_challenge(1, "app"), &hash("state")).await.unwrap();
    let outcomes = fifty(fresh, |store, _| async move { store.take_api_challenge(&hash("state"), at(1), at(3_600)).await.unwrap() }).await;
    assert_eq!(count(outcomes.iter().map(|taken| matches!(taken, Taken::Now(_)))), 1);
    assert_eq!(count(outcomes.iter().map(|taken| *taken == Taken::Already)), 49);
}

async fn one_finishes_a_visit(fresh: &Fresh) {
    let account = person(&fresh.store, 1).await;
    fresh.store.create_client(&client("app")).await.unwrap();
    let visit = interaction(1);
    fresh.store.put_interaction(&visit, &hash("browser")).await.unwrap();
    let outcomes = fifty(fresh, |store, number| async move {
        let code = code(number, "app", account);
        store.finish_interaction(visit.id, &hash("browser"), &code, &hash(&number.to_string()), at(1)).await.unwrap()
    })
    .await;
    assert_eq!(count(outcomes), 1);
    let mut codes = 0;
    for number in 0..50 {
        codes += usize::from(fresh.store.code_state(&hash(&number.to_string())).await.unwrap().is_some());
    }
    assert_eq!(codes, 1);
}

async fn one_account_for_an_identity(fresh: &Fresh) {
    let outcomes = fifty(fresh, |store, number| async move {
        let id = AccountId(uuid(u128::from(number)));
        store.sign_in(&Provider::web3(), &address(1).to_string(), id, at(0)).await.unwrap()
    })
    .await;
    assert_eq!(count(outcomes.iter().map(|signed| signed.created)), 1);
    assert!(outcomes.iter().all(|signed| signed.account_id == outcomes[0].account_id));
    assert_eq!(fresh.store.accounts().await.unwrap().len(), 1);
}

async fn one_makes_a_signing_key(fresh: &Fresh) {
    let outcomes = fifty(fresh, |store, number| async move {
        store.put_signing_key(&signing_key(&number.to_string(), SigningAlg::Rs256, 2)).await.unwrap()
    })
    .await;
    assert_eq!(count(outcomes), 1);
    assert_eq!(fresh.store.signing_keys().await.unwrap().len(), 1);
}

async fn one_promotes_a_signing_key(fresh: &Fresh) {
    for (kid, generation) in [("old", 1), ("next", 2)] {
        fresh.store.put_signing_key(&signing_key(kid, SigningAlg::Rs256, generation)).await.unwrap();
    }
    let outcomes = fifty(fresh, |store, number| async move {
        store.promote_signing_key("next", at(i64::from(number)), "old", at(1_000 + i64::from(number))).await.unwrap()
    })
    .await;
    assert_eq!(count(outcomes.iter().copied()), 1);
    let winner = i64::try_from(outcomes.iter().position(|won| *won).unwrap()).unwrap();
    let keys = fresh.store.signing_keys().await.unwrap();
    assert_eq!((keys[0].retire_at, keys[1].active_from), (Some(at(1_000 + winner)), Some(at(winner))));
}

async fn all_agree_on_a_secret(fresh: &Fresh) {
    let outcomes = fifty(fresh, |store, number| async move { store.put_server_secret("pairwise", &[number], at(0)).await.unwrap() }).await;
    assert!(outcomes.iter().all(|secret| *secret == outcomes[0]));
}

async fn one_registers_a_client(fresh: &Fresh) {
    let outcomes = fifty(fresh, |store, _| async move { store.create_client(&client("app")).await }).await;
    assert_eq!(count(outcomes.iter().map(Result::is_ok)), 1);
    assert_eq!(count(outcomes.iter().map(|refused| *refused == Err(StoreError::Conflict(Conflict::ClientId)))), 49);
    let outcomes = fifty(fresh, |store, number| async move { store.create_client(&license(number, "one")).await }).await;
    assert_eq!(count(outcomes.iter().map(Result::is_ok)), 1);
    assert_eq!(count(outcomes.iter().map(|refused| *refused == Err(StoreError::Conflict(Conflict::LicenseAlias)))), 49);
    assert_eq!(fresh.store.clients(None).await.unwrap().len(), 2);
}

async fn one_claims_an_asset(fresh: &Fresh) {
    let mut people = Vec::new();
    for number in 0..50 {
        people.push(person(&fresh.store, number + 1).await);
    }
    let claim = Some((hash("claim"), at(100)));
    fresh.store.import_assets(vec![AssetImport { claim, ..asset(1, None) }], false, at(0)).await.unwrap();
    let outcomes = fifty(fresh, |store, number| {
        let account = people[usize::from(number)];
        async move { store.take_asset_claim(&hash("claim"), account, at(1)).await.unwrap().is_some() }
    })
    .await;
    assert_eq!(count(outcomes.iter().copied()), 1);
    let winner = people[outcomes.iter().position(|won| *won).unwrap()];
    let owned = fresh.store.asset(&did(1)).await.unwrap().unwrap();
    assert_eq!((owned.owner, owned.epoch), (Some(Owner::Account(winner)), 1));
}

async fn one_transfers_an_asset(fresh: &Fresh) {
    let account = owner(&fresh.store).await;
    let outcomes = fifty(fresh, |store, number| async move {
        let to = Owner::Address(address(100 + number));
        store.transfer_asset(Transfer { did: did(1), epoch: 0, from: account, by: None, to }, at(1)).await.unwrap()
    })
    .await;
    assert_eq!(count(outcomes.iter().map(|epoch| *epoch == Some(1))), 1);
    assert_eq!(count(outcomes.iter().map(Option::is_none)), 49);
}

async fn one_ends_a_grant(fresh: &Fresh) {
    let account = owner(&fresh.store).await;
    let grant = made(&fresh.store, granting(account), vec![new_grant(1, Some((did(1), 0)), "app")]).await.remove(0);
    let outcomes = fifty(fresh, |store, number| async move {
        let by = match number % 3 {
            0 => Actor::Operator,
            1 => Actor::Grantee(client_id("app")),
            _ => Actor::Owner { account, by: None },
        };
        store.end_grant(grant.id, by, at(1)).await.unwrap()
    });
    assert_eq!(count(outcomes.await), 1);
    assert_eq!(fresh.store.grant_history(grant.id).await.unwrap().len(), 2);
}

async fn one_imports_an_asset(fresh: &Fresh) {
    let outcomes =
        fifty(fresh, |store, _| async move { store.import_assets(vec![asset(1, None), asset(2, None)], false, at(0)).await }).await;
    let created = |outcome: &Result<AssetsImported, StoreError>| *outcome == Ok(AssetsImported::All(vec![Imported::Created; 2]));
    assert_eq!(count(outcomes.iter().map(created)), 1);
    for other in outcomes.iter().filter(|outcome| !created(outcome)) {
        let updated = Ok(AssetsImported::All(vec![Imported::Updated; 2]));
        assert!(*other == updated || *other == Err(StoreError::Conflict(Conflict::Asset)), "{other:?}");
    }
    assert_eq!(fresh.count("asset").await, 2);
}

async fn no_grant_outlives_a_transfer(fresh: &Fresh) {
    let account = owner(&fresh.store).await;
    let adding = Granting { replaces: false, ..granting(account) };
    let outcomes = fifty(fresh, |store, number| {
        let adding = adding.clone();
        async move {
            if number == 25 {
                let to = Owner::Address(address(100));
                return store
                    .transfer_asset(Transfer { did: did(1), epoch: 0, from: account, by: None, to }, at(1))
                    .await
                    .unwrap()
                    .is_some();
            }
            let new = vec![new_grant(number, Some((did(1), 0)), "app")];
            matches!(store.create_grants(adding, new, at(1)).await.unwrap(), GrantOutcome::Made(_))
        }
    })
    .await;
    assert!(outcomes[25], "the transfer came through");
    let page = GrantPage { living_at: Some(at(1)), limit: 100, ..GrantPage::default() };
    assert!(fresh.store.grants(&page).await.unwrap().is_empty(), "{outcomes:?}");
}

async fn one_grant_is_left_of_those_that_replace(fresh: &Fresh) {
    let account = owner(&fresh.store).await;
    let outcomes = fifty(fresh, |store, number| async move {
        let new = vec![new_grant(number, Some((did(1), 0)), "app"), new_grant(100 + number, Some((did(2), 0)), "app")];
        matches!(store.create_grants(granting(account), new, at(1)).await.unwrap(), GrantOutcome::Made(_))
    });
    assert_eq!(count(outcomes.await), 50);
    let page = GrantPage { living_at: Some(at(1)), limit: 100, ..GrantPage::default() };
    assert_eq!(fresh.store.grants(&page).await.unwrap().len(), 2);
    assert_eq!(fresh.count("grant_event").await, 198, "each was made, and all but two have ended");
}

async fn all_save_a_consent(fresh: &Fresh) {
    let account = person(&fresh.store, 1).await;
    fresh.store.create_client(&client("app")).await.unwrap();
    let outcomes = fifty(fresh, |store, number| async move {
        store.save_consent(account, &client_id("app"), &format!("openid s{number}").parse().unwrap(), at(1)).await
    })
    .await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let scope = fresh.store.consent(account, &client_id("app")).await.unwrap().unwrap();
    assert_eq!(scope.iter().count(), 51, "{scope}");
    assert_eq!(fresh.store.consents(account).await.unwrap().len(), 1);
}

async fn withdrawal_and_revocation_go_one_way(fresh: &Fresh) {
    let (account, app) = (person(&fresh.store, 1).await, client_id("app"));
    fresh.store.create_client(&client("app")).await.unwrap();
    for round in 0..4_u8 {
        agree(&fresh.store, account, "app").await;
        for number in round * 40..(round + 1) * 40 {
            let word = format!("code {number}");
            fresh.store.put_code(&code(number, "app", account), &hash(&word)).await.unwrap();
            let plan = move |_: &latchkey::store::RedeemedCode| {
                Some(latchkey::store::NewFamily { id: FamilyId(uuid(FAMILY + u128::from(number))), ..family(&number.to_string(), None) })
            };
            fresh.store.redeem_code_for_family(&hash(&word), &app, at(1), plan).await.unwrap().unwrap();
        }
        // Forty give up a refresh token each, some redeem a code again, and some withdraw all of it.
        let outcomes = fifty(fresh, |store, number| {
            let app = app.clone();
            async move {
                match number {
                    0..40 => store.end_family(FamilyId(uuid(FAMILY + u128::from(round * 40 + number))), &app, at(2)).await,
                    40..45 => store.revoke_code(&hash(&format!("code {}", round * 40 + number - 40)), at(2)).await,
                    _ => store.withdraw_consent(account, &app, at(2)).await,
                }
            }
        })
        .await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    }
    for number in 0..160_u8 {
        let family = fresh.store.family_state(FamilyId(uuid(FAMILY + u128::from(number)))).await.unwrap().unwrap();
        assert!(family.revoked, "{number}");
    }
}
