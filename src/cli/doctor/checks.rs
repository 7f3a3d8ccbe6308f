//! The doctor's checks; each gives a sentence, good or bad.

use std::net::{SocketAddr, TcpListener};

use super::Finding;
use crate::cli::health::{DISCOVERY, get};
use crate::config::Config;
use crate::domain::{Clock, Entropy, Timestamp};
use crate::keys::Keyring;
use crate::store::Store;

/// Every check, in the order in which a server needs what they check.
pub(super) async fn all(config: &Config) -> Vec<Finding> {
    let (clock, entropy) = (Clock::System, Entropy::System);
    let changed = config.effective().iter().filter(|row| row.source != crate::config::Source::Default).count();
    let mut checks = vec![
        Finding::of("configuration", Ok(format!("read; {changed} settings differ from the defaults, issuer {}", config.server.issuer))),
        Finding::of("data folder", config.make_data_dir().map(|()| format!("{} can be written to", config.data.dir.display()))),
    ];
    let store = database(config).await;
    let url = config.database_url();
    checks.push(Finding::of("database", store.as_ref().map(|_| format!("{url} answers")).map_err(|problem| format!("{url}: {problem}"))));
    if let Ok(store) = &store {
        let migrated = store.migrate().await;
        checks.push(Finding::of("tables", migrated.as_ref().map(|()| "those of this version".to_owned()).map_err(ToString::to_string)));
        if migrated.is_ok() {
            checks.push(Finding::of("keys", keys(config, store, &clock, &entropy).await));
        }
    }
    checks.push(Finding::of("clock", sane(clock.now(), store.as_ref().ok()).await));
    checks.push(Finding::of("port", port(config, config.server.listen).await));
    if let Some(operations) = config.server.operations_listen {
        checks.push(Finding::of("operations port", port(config, operations).await));
    }
    if let Ok(store) = store {
        store.close().await;
    }
    checks
}

async fn database(config: &Config) -> Result<Store, String> {
    let store = Store::open(&config.database_settings()).await.map_err(|problem| problem.to_string())?;
    store.ping().await.map_err(|problem| problem.to_string())?;
    Ok(store)
}

async fn keys(config: &Config, store: &Store, clock: &Clock, entropy: &Entropy) -> Result<String, String> {
    let may_be_new = store.signing_keys().await.map_err(|problem| problem.to_string())?.is_empty();
    let sealing = config.sealing_key(may_be_new, entropy).map_err(|problem| problem.to_string())?;
    let opened = Keyring::open(store, sealing, config.key_settings(), clock.clone(), entropy.clone()).await;
    opened.map(|keyring| format!("the sealing key opens all {} signing keys", keyring.list().len())).map_err(|problem| problem.to_string())
}

/// A day on which this program existed: a clock before it has lost its time.
const EARLIEST: Timestamp = Timestamp::from_seconds(1_767_225_600);

async fn sane(now: Timestamp, store: Option<&Store>) -> Result<String, String> {
    if now < EARLIEST {
        return Err(format!("the clock says {}: it is wrong", now.rfc3339()));
    }
    let keys = match store {
        Some(store) => store.signing_keys().await.unwrap_or_default(),
        None => Vec::new(),
    };
    // Replicas may differ a little; a signing key from the future means that one of their clocks is badly off.
    match keys.iter().map(|key| key.created_at).max() {
        Some(newest) if newest.since(now) > std::time::Duration::from_mins(1) => Err(format!(
            "the clock says {}, but a signing key was made at {}: one of the two clocks is wrong",
            now.rfc3339(),
            newest.rfc3339()
        )),
        _ => Ok(now.rfc3339()),
    }
}

async fn port(config: &Config, address: SocketAddr) -> Result<String, String> {
    let Err(problem) = TcpListener::bind(address) else { return Ok(format!("{address} is free")) };
    // Taken by ourselves is as it should be.
    let answer = get(config.server.listen, DISCOVERY).await;
    let ours = answer.is_ok_and(|answer| answer.body.contains(&format!("\"{}\"", config.server.issuer)));
    if ours && problem.kind() == std::io::ErrorKind::AddrInUse {
        return Ok(format!("{address} is the running server's"));
    }
    Err(format!("{address} cannot be listened on: {problem}"))
}
