//! What the previous release left in the database is there after the migration, and means the same.

use latchkey::domain::{AuthMethod, ClientMetadata};
use latchkey::store::Taken;
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

use super::harness::{Engine, Fresh};
use super::made::{address, at, client_id, hash, uuid};

const LAST_OF_PREVIOUS: i64 = 2;

#[tokio::test]
async fn sqlite_keeps_the_previous_release_data() {
    let fresh = Fresh::empty(Engine::Sqlite).await;
    let mut conn = SqliteConnection::connect(&fresh.url).await.unwrap();
    previous("migrations/sqlite").await.run_direct(None, &mut conn, false).await.unwrap();
    let bytes = |bytes: &[u8]| format!("x'{}'", hex(bytes));
    for text in rows(&bytes, &bytes) {
        conn.execute(AssertSqlSafe(text)).await.unwrap();
    }
    conn.close().await.unwrap();
    fresh.store.migrate().await.unwrap();
    is_all_there(&fresh).await;
    fresh.end().await;
}

#[tokio::test]
async fn postgres_keeps_the_previous_release_data() {
    let fresh = Fresh::empty(Engine::Postgres).await;
    let mut conn = PgConnection::connect(&fresh.url).await.unwrap();
    previous("migrations/postgres").await.run_direct(None, &mut conn, false).await.unwrap();
    for text in rows(&|id| format!("'{}'", hex(id)), &|bytes| format!("'\\x{}'", hex(bytes))) {
        conn.execute(AssertSqlSafe(text)).await.unwrap();
    }
    conn.close().await.unwrap();
    fresh.store.migrate().await.unwrap();
    is_all_there(&fresh).await;
    fresh.end().await;
}

// The migrations as they were: those of this release are left out.
async fn previous(folder: &str) -> Migrator {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut migrator = Migrator::new(folder).await.unwrap();
    let all = migrator.migrations.len();
    migrator.migrations.to_mut().retain(|migration| migration.version <= LAST_OF_PREVIOUS);
    assert!(migrator.migrations.len() < all, "there is nothing to migrate to");
    migrator
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

// A row of every table that outlives a restart, in the words of the previous release.
fn rows(uuid_text: &dyn Fn(&[u8]) -> String, bytes: &dyn Fn(&[u8]) -> String) -> Vec<String> {
    let account = uuid_text(uuid(1).as_bytes());
    let code = uuid_text(uuid(2).as_bytes());
    let session = uuid_text(uuid(3).as_bytes());
    let (license, key) = (address(1), address(2));
    vec![
        "INSERT INTO client (id, kind, name, token_endpoint_auth_method, pkce, claims_profile, signing_alg, access_token_seconds, source,
                             created_at, updated_at)
         VALUES ('app', 'oauth', 'App', 'none', 'required', 'oidc', 'ES256', 60, 'command', 1, 2)"
            .to_owned(),
        format!(
            "INSERT INTO client (id, kind, name, token_endpoint_auth_method, pkce, claims_profile, signing_alg, access_token_seconds,
                                 source, created_at, updated_at, disabled_at)
             VALUES ('{license}', 'license', 'L', 'none', 'optional', 'compat', 'RS256', 60, 'command', 3, 4, 5)"
        ),
        "INSERT INTO client_redirect_uri (client_id, purpose, uri, created_at) VALUES ('app', 'redirect', 'https://app.example/cb', 1)"
            .to_owned(),
        format!("INSERT INTO license (client_id, alias, owner, developer_token_seconds) VALUES ('{license}', 'one', '{key}', 60)"),
        format!("INSERT INTO license_key (client_id, address, created_at) VALUES ('{license}', '{key}', 1)"),
        format!("INSERT INTO account (id, profile, created_at, updated_at) VALUES ({account}, '{{\"name\":\"A\"}}', 1, 1)"),
        format!("INSERT INTO identity (provider, subject, account_id, created_at, last_used_at) VALUES ('web3', '{key}', {account}, 1, 1)"),
        format!(
            "INSERT INTO session (id, token_hash, account_id, provider, subject, amr, authenticated_at, interaction_id, user_agent,
                                  last_seen_at, expires_at)
             VALUES ({session}, {}, {account}, 'web3', '{key}', '[\"pop\"]', 1, {session}, '', 1, {})",
            bytes(hash("session").as_bytes()),
            at(99).micros()
        ),
        format!("INSERT INTO consent (account_id, client_id, scope, created_at, updated_at) VALUES ({account}, 'app', 'openid', 1, 1)"),
        format!(
            "INSERT INTO authorization_code (id, code_hash, client_id, account_id, redirect_uri, scope, provider, subject, amr,
                                             authenticated_at, issued_at, expires_at, redeemed_at, sweep_at)
             VALUES ({code}, {}, 'app', {account}, 'https://app.example/cb', 'openid', 'web3', '{key}', '[\"pop\"]', 1, 1, 2, 1, {})",
            bytes(hash("code").as_bytes()),
            at(99).micros()
        ),
        format!(
            "INSERT INTO api_challenge (id, state_hash, client_id, redirect_uri, scope, address, chain_id, nonce, statement, issued_at,
                                        expires_at)
             VALUES ({session}, {}, 'app', 'https://app.example/cb', 'openid', '{key}', 1, 'n', 's', 1, {})",
            bytes(hash("state").as_bytes()),
            at(99).micros()
        ),
        format!(
            "INSERT INTO authorization_code (id, code_hash, client_id, account_id, redirect_uri, scope, provider, subject, amr,
                                             authenticated_at, issued_at, expires_at, sweep_at)
             VALUES ({}, {}, 'app', {account}, 'https://app.example/cb', 'openid', 'web3', '{key}', '[\"pop\"]', 1, 1, {end}, {end})",
            uuid_text(uuid(4).as_bytes()),
            bytes(hash("waiting").as_bytes()),
            end = at(99).micros()
        ),
        format!(
            "INSERT INTO signing_key (kid, purpose, alg, generation, public_jwk, sealed, created_at)
             VALUES ('k', 'signin', 'RS256', 1, '{{}}', {}, 1)",
            bytes(&[1, 2])
        ),
    ]
}

async fn is_all_there(fresh: &Fresh) {
    let store = &fresh.store;
    let app = store.client(&client_id("app")).await.unwrap().unwrap();
    assert_eq!((app.name.as_str(), app.auth_method, app.redirect_uris.len()), ("App", AuthMethod::None, 1));
    assert_eq!((app.metadata.clone(), app.sector.clone()), (ClientMetadata::default(), None));
    assert_eq!(app.sector(), Some("app.example".to_owned()), "pairwise subjects stay what they were");
    let license = store.client(&address(1).into()).await.unwrap().unwrap();
    assert!(license.license.is_some() && license.disabled_at.is_some());
    assert_eq!(store.license_keys(Some(&license.id)).await.unwrap().len(), 1);
    let account = latchkey::domain::AccountId(uuid(1));
    assert_eq!(store.account(account).await.unwrap().unwrap().identities.len(), 1);
    assert!(store.session(&hash("session"), at(1)).await.unwrap().is_some());
    assert!(store.consent(account, &app.id).await.unwrap().is_some());
    assert!(store.person_token(latchkey::domain::CodeId(uuid(2)), at(1)).await.unwrap().is_some(), "a token of before still holds");
    assert_eq!(store.signing_keys().await.unwrap().len(), 1);
    assert_eq!(store.sweep(at(1)).await.unwrap().api_challenges, 0);
    let taken = store.take_api_challenge(&hash("state"), at(1), at(99)).await.unwrap();
    let Taken::Now(taken) = taken else { panic!("a challenge of before cannot be taken: {taken:?}") };
    assert_eq!((taken.account_id, taken.agreed), (Some(account), Some("openid".parse().unwrap())));
    assert_eq!(store.redeem_code(&hash("waiting"), &app.id, at(1)).await.unwrap().unwrap().code.authorization_details, None);

    // What refers to a client still does: it goes with it.
    assert!(store.delete_client(&app.id).await.unwrap());
    assert!(store.consent(account, &app.id).await.unwrap().is_none());
}
