//! Opening what a process works with: the database and the signing keys, with a sentence for the operator when it cannot be done.

use crate::config::Config;
use crate::domain::{Clock, Entropy};
use crate::keys::Keyring;
use crate::store::Store;

/// Opens the database and brings its tables to this version; the data folder is made where the database lies in it.
///
/// # Errors
/// A sentence: which database or folder, and what is wrong with it.
pub async fn store(config: &Config) -> Result<Store, String> {
    if config.database.url.is_none() {
        config.make_data_dir()?;
    }
    let store = Store::open(&config.database_settings()).await.map_err(|reason| reason.to_string())?;
    store.migrate().await.map_err(|reason| reason.to_string())?;
    Ok(store)
}

/// Opens the signing keys; at a first start makes them, and the sealing key where it is a file that is missing.
///
/// # Errors
/// A sentence: which key or file, and what is wrong with it.
pub async fn keys(config: &Config, store: &Store, clock: &Clock, entropy: &Entropy) -> Result<Keyring, String> {
    if config.keys.sealing_key.is_none() && config.keys.sealing_key_file.is_none() {
        config.make_data_dir()?;
    }
    let first_start = store.signing_keys().await.map_err(|reason| reason.to_string())?.is_empty();
    let sealing = config.sealing_key(first_start, entropy).map_err(|reason| reason.to_string())?;
    Keyring::open(store, sealing, config.key_settings(), clock.clone(), entropy.clone()).await.map_err(|reason| reason.to_string())
}
