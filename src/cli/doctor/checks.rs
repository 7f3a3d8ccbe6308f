//! The doctor's checks; each gives a sentence, good or bad.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

use super::Finding;
use crate::cli::health::{DISCOVERY, get};
use crate::config::Config;
use crate::domain::{Clock, Entropy, Timestamp};
use crate::keys::Keyring;
use crate::mail::Mailer;
use crate::store::{Store, Tables};
use crate::tls::Tls;

/// Every check, in the order in which a server needs what they check. None of them makes or changes anything.
pub(super) async fn all(config: &Config) -> Vec<Finding> {
    let clock = Clock::System;
    let changed = config.effective().iter().filter(|row| row.source != crate::config::Source::Default).count();
    let mut checks = vec![
        Finding::of("configuration", Ok(format!("read; {changed} settings differ from the defaults, issuer {}", config.server.issuer))),
        Finding::of("data folder", folder(config)),
    ];
    let url = config.database_url();
    let opened = database(config).await;
    let found = match &opened {
        Ok(Some(_)) => Ok(format!("{url} answers")),
        Ok(None) => Ok(format!("{url} does not exist yet; the first start makes it")),
        Err(problem) => Err(format!("{url}: {problem}")),
    };
    checks.push(Finding::of("database", found));
    let store = opened.ok().flatten();
    if let Some(store) = &store {
        let tables = store.tables().await;
        let current = matches!(tables, Ok(Tables::Current));
        checks.push(Finding::of("tables", tables.map(told).map_err(|problem| problem.to_string())));
        if current {
            checks.push(Finding::of("keys", keys(config, store).await));
        }
    }
    checks.push(Finding::of("clock", sane(clock.now(), store.as_ref()).await));
    if config.tls.is_on() {
        checks.push(Finding::of("certificate", certificate(config)));
    }
    if let Some(server) = &config.mail.smtp_url {
        let told = mail(config).await.map(|()| format!("{server} lets us in")).map_err(|problem| format!("{server}: {problem}"));
        checks.push(Finding::of("mail", told));
    }
    checks.push(Finding::of("port", port(config, config.server.listen).await));
    if let Some(operations) = config.server.operations_listen {
        checks.push(Finding::of("operations port", port(config, operations).await));
    }
    if let Some(store) = store {
        store.close().await;
    }
    checks
}

fn folder(config: &Config) -> Result<String, String> {
    let dir = &config.data.dir;
    match std::fs::metadata(dir) {
        Err(problem) if problem.kind() == ErrorKind::NotFound => {
            Ok(format!("{} does not exist yet; the first start makes it", dir.display()))
        }
        // Tried with a file that is gone at once.
        _ => config.make_data_dir().map(|()| format!("{} can be written to", dir.display())),
    }
}

// `None` where it is a file that a start makes.
async fn database(config: &Config) -> Result<Option<Store>, String> {
    if let Some(file) = config.database_file().filter(|file| !file.exists()) {
        let made = config.database.url.is_none() || file.parent().is_none_or(|folder| folder.as_os_str().is_empty() || folder.is_dir());
        return if made { Ok(None) } else { Err("its folder does not exist".to_owned()) };
    }
    let store = Store::open(&config.database_settings()).await.map_err(|problem| problem.to_string())?;
    store.ping().await.map_err(|problem| problem.to_string())?;
    Ok(Some(store))
}

fn told(tables: Tables) -> String {
    match tables {
        Tables::None => "the database has no tables yet; the first start makes them".to_owned(),
        Tables::Behind(1) => "the database is one migration behind; the next start brings it up to date".to_owned(),
        Tables::Behind(lacking) => format!("the database is {lacking} migrations behind; the next start brings it up to date"),
        Tables::Current => "those of this version".to_owned(),
    }
}

async fn keys(config: &Config, store: &Store) -> Result<String, String> {
    let none_yet = store.signing_keys().await.map_err(|problem| problem.to_string())?.is_empty();
    if none_yet && config.keys.sealing_key.is_none() && !config.sealing_key_file().exists() {
        return Ok("there are none yet; the first start makes them, and the sealing key".to_owned());
    }
    let sealing = config.sealing_key(false, &Entropy::System).map_err(|problem| problem.to_string())?;
    match Keyring::check(store, &sealing).await {
        Ok(0) => Ok("there are none yet; the first start makes them".to_owned()),
        Ok(count) => Ok(format!("the sealing key opens all {count} signing keys")),
        Err(problem) => Err(problem.to_string()),
    }
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

fn certificate(config: &Config) -> Result<String, String> {
    let tls = Tls::open(&config.tls).map_err(|problem| problem.to_string())?;
    let host = config.issuer_host();
    if tls.is_some_and(|tls| tls.is_for(&host)) {
        Ok(format!("it is for {host}, and the key fits"))
    } else {
        // With a proxy that ends TLS and begins it anew, that is as it should be.
        Ok(format!("the key fits, but it is not for the issuer's host {host}: only a proxy could make use of it"))
    }
}

async fn mail(config: &Config) -> Result<(), String> {
    let Some(mailer) = Mailer::new(config).map_err(|problem| problem.to_string())? else { return Ok(()) };
    mailer.knock().await.map_err(|problem| problem.to_string())
}

async fn port(config: &Config, address: SocketAddr) -> Result<String, String> {
    let Err(problem) = TcpListener::bind(address) else { return Ok(format!("{address} is free")) };
    // Taken by ourselves is as it should be.
    let answer = get(config, config.server.listen, DISCOVERY).await;
    let ours = answer.is_ok_and(|answer| answer.body.contains(&format!("\"{}\"", config.server.issuer)));
    if ours && problem.kind() == std::io::ErrorKind::AddrInUse {
        return Ok(format!("{address} is the running server's"));
    }
    Err(format!("{address} cannot be listened on: {problem}"))
}
