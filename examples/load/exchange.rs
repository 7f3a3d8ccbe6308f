//! The exchange of a license's token for one of an asset, with few and with very many grants in the store, and the page of vehicles that are
//! shared with it; and the plans by which the databases find theirs.

use std::time::Duration;

use latchkey::domain::{
    AssetDid, ClaimsProfile, ClientId, ClientKind, Clock, Entropy, EventFilter, GrantId, GrantSource, Owner, Pkce, Timestamp,
};
use latchkey::store::{
    Actor, AssetImport, ClientRecord, DatabaseSettings, GrantOutcome, Granting, License, LicenseKey, NewGrant, Store, statements,
};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _, SqliteConnection};

use crate::Failure;
use crate::person::REDIRECT;
use crate::wallet::Wallet;

/// The wallet whose key is the license's API key.
pub(crate) const KEY: u64 = 700_000;
/// The license.
pub(crate) const LICENSE: &str = "0x4c6f616465722d6c6963656e73652d3030303030";
/// The vehicle that is shared with it.
pub(crate) const ASSET: &str = "did:erc721:137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF:7";
const PERMISSIONS: &str = "privilege:GetNonLocationHistory privilege:GetLocationHistory";
/// The contract of all others.
const OTHERS: &str = "0x45fbCD3ef7361d156e8b16F5538AE36DEdf61Da8";

/// A page of a hundred vehicles, of those that are shared with the license.
pub(crate) const VEHICLES: &str = "GraphQL vehicles, 100,000 shared";

/// How many grants there are, as the tables name it; half of them are the license's.
pub(crate) const SIZES: [(u64, &[&str]); 3] = [
    (1_000, &["exchange, 1,000 grants", "AuthZEN decision, 1,000 grants"]),
    (200_000, &[VEHICLES]),
    (1_000_000, &["exchange, 1,000,000 grants", "AuthZEN decision, 1,000,000 grants"]),
];

/// The license with its key, an asset, and what was granted on it.
pub(crate) async fn prepare(database: &str) -> Result<(), Failure> {
    let store = Store::open(&DatabaseSettings { url: database.to_owned(), max_connections: 1 }).await?;
    let (now, entropy) = (Clock::System.now(), Entropy::System);
    let (license, key): (ClientId, _) = (LICENSE.parse()?, Wallet::number(KEY)?.address().parse()?);
    let record = ClientRecord {
        kind: ClientKind::License,
        pkce: Pkce::Optional,
        claims_profile: ClaimsProfile::Compat,
        redirect_uris: vec![REDIRECT.parse()?],
        license: Some(License { alias: "load".to_owned(), owner: key, developer_token: Duration::from_hours(24) }),
        ..ClientRecord::new(license.clone(), "Load license".to_owned(), Duration::from_hours(1), now)
    };
    store.create_client(&record).await?;
    store
        .add_license_key(&LicenseKey { license: license.clone(), address: key, created_at: now, expires_at: None, disabled_at: None })
        .await?;
    let did: AssetDid = ASSET.parse()?;
    let asset = AssetImport {
        did,
        owner: Some(Owner::Address(Wallet::number(KEY + 1)?.address().parse()?)),
        make: Some("Ford".to_owned()),
        model: None,
        year: None,
        powertrain: None,
        name: None,
        attributes: None,
        minted_at: None,
        claim: None,
    };
    store.import_assets(vec![asset], false, now).await?;
    let grant = NewGrant {
        id: GrantId(entropy.uuid(now)),
        asset: Some((did, 0)),
        grantee: license,
        permissions: PERMISSIONS.parse()?,
        events: vec![EventFilter::any()],
        effective_at: now,
        expires_at: now.plus(Duration::from_hours(24)),
        template: None,
        purpose: None,
    };
    let granting = Granting { by: Actor::Operator, source: GrantSource::Operator, visit: None, replaces: false };
    let made = store.create_grants(granting, vec![grant], now).await?;
    store.close().await;
    if matches!(made, GrantOutcome::Made(_)) { Ok(()) } else { Err(format!("the grant was not made: {made:?}").into()) }
}

/// Adds assets and a grant on each, from number `from` to `to`: half to the license, half to another client.
pub(crate) async fn fill(database: &str, from: u64, to: u64) -> Result<(), Failure> {
    let id = if is_sqlite(database) { "CAST('g' || printf('%015d', n) AS BLOB)" } else { "CAST(md5('g' || n) AS UUID)" };
    let now = Clock::System.now();
    let ends = now.plus(Duration::from_hours(24));
    let series = format!("WITH RECURSIVE s (n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM s WHERE n + 1 < {to})");
    let text = |time: Timestamp| time.micros();
    run(
        database,
        &[
            format!(
                "{series} INSERT INTO asset (did, owner_address, epoch, attributes, minted_at, created_at, updated_at)
                 SELECT 'did:erc721:80002:{OTHERS}:' || n, '{LICENSE}', 0, '{{}}', {now}, {now}, {now} FROM s",
                now = text(now)
            ),
            format!(
                "{series} INSERT INTO asset_grant (id, asset, grantee, permissions, events, effective_at, expires_at, epoch, source,
                                                  created_at, updated_at, sweep_at)
                 SELECT {id}, 'did:erc721:80002:{OTHERS}:' || n,
                        CASE WHEN n % 2 = 0 THEN (SELECT client_id FROM license) ELSE 'load-rs256' END,
                        '{PERMISSIONS}', '[]', {now}, {ends}, 0, 'operator', {now}, {now}, {ends} FROM s",
                now = text(now),
                ends = text(ends)
            ),
            if is_sqlite(database) { "ANALYZE".to_owned() } else { "VACUUM ANALYZE".to_owned() },
        ],
    )
    .await
}

/// How the database finds what an exchange must know, or what stands on a page.
pub(crate) async fn plan(database: &str, operation: &str) -> Result<String, Failure> {
    let (place, name) = if operation == VEHICLES { ("store::asset_pages", "FIRST_SHARED") } else { ("store::exchange", "BY_DEVELOPER") };
    let one = statements().find(|one| one.place.ends_with(place) && one.name == name);
    let text = one.ok_or("no such statement")?.text;
    let parameters = (1..20).take_while(|number| text.contains(&format!("${number}"))).count();
    let lines: Vec<String> = if is_sqlite(database) {
        let mut conn = SqliteConnection::connect(database).await?;
        conn.fetch_all(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"))).await?.iter().map(|row| row.get("detail")).collect()
    } else {
        let mut conn = PgConnection::connect(database).await?;
        conn.execute("SET plan_cache_mode = force_generic_plan").await?;
        conn.execute(AssertSqlSafe(format!("PREPARE exchange AS {text}"))).await?;
        let explain = format!("EXPLAIN (COSTS OFF) EXECUTE exchange({})", vec!["NULL"; parameters].join(", "));
        conn.fetch_all(AssertSqlSafe(explain)).await?.iter().map(|row| row.get(0)).collect()
    };
    Ok(lines.join("\n"))
}

fn is_sqlite(database: &str) -> bool {
    database.starts_with("sqlite:")
}

async fn run(database: &str, texts: &[String]) -> Result<(), Failure> {
    if is_sqlite(database) {
        let mut conn = SqliteConnection::connect(database).await?;
        for text in texts {
            conn.execute(AssertSqlSafe(text.clone())).await?;
        }
        return Ok(conn.close().await?);
    }
    let mut conn = PgConnection::connect(database).await?;
    for text in texts {
        conn.execute(AssertSqlSafe(text.clone())).await?;
    }
    Ok(conn.close().await?)
}
