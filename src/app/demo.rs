//! What `latchkey dev` brings along: the playground's client, a demo license with an API key, demo assets with an owner, and words on what
//! to try first.

mod assets;

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use k256::ecdsa::SigningKey;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::domain::{Address, ClaimsProfile, ClientId, ClientKind, ClientMetadata, Entropy, GrantType, Pkce, RedirectUri, Timestamp};
use crate::playground;
use crate::state::State;
use crate::store::{ClientRecord, Conflict, License, LicenseKey, Store, StoreError};

/// The demo license, as it is kept beside the database: its API key would otherwise be shown once only.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Demo {
    client_id: Address,
    api_key_address: Address,
    api_key_private_key: String,
}

/// The owner of the demo assets, kept in the same way: whoever imports the key into a wallet can sign in as this person.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DemoOwner {
    address: Address,
    private_key: String,
}

const FILE: &str = "demo-license.json";
const OWNER_FILE: &str = "demo-owner.json";
/// The second is the one that samples ask for.
const AUDIENCES: [&str; 2] = ["dimo.zone", "my-app"];

/// Registers what is not there yet.
pub(super) async fn prepare(config: &Config, store: &Store, now: Timestamp, entropy: &Entropy) -> Result<Demo, String> {
    let issuer = config.server.issuer.as_str();
    let callback: RedirectUri = playground::redirect_uri(issuer).parse().map_err(|reason| format!("{reason}"))?;
    let after_logout: RedirectUri = playground::post_logout_redirect_uri(issuer).parse().map_err(|reason| format!("{reason}"))?;
    let demo: Demo = load_or_make(&config.data.dir, FILE, || Demo::make(entropy))?;
    let asset_owner: DemoOwner = load_or_make(&config.data.dir, OWNER_FILE, || {
        let (address, private_key) = key_pair(entropy)?;
        Some(DemoOwner { address, private_key })
    })?;
    let owner = demo.api_key_address;
    let id = ClientId::from(demo.client_id);
    let base = ClientRecord {
        kind: ClientKind::License,
        pkce: Pkce::Optional,
        claims_profile: ClaimsProfile::Compat,
        redirect_uris: vec![callback.clone()],
        post_logout_redirect_uris: vec![after_logout],
        metadata: ClientMetadata { audiences: Some(AUDIENCES.map(str::to_owned).to_vec()), ..ClientMetadata::default() },
        license: Some(License { alias: "demo".to_owned(), owner, developer_token: Duration::from_hours(14 * 24) }),
        ..ClientRecord::new(id, "Demo license".to_owned(), config.tokens.access_token, now)
    };
    let id: ClientId = playground::CLIENT_ID.parse().map_err(|reason| format!("{reason}"))?;
    let client = ClientRecord {
        id,
        kind: ClientKind::Oauth,
        name: "Playground".to_owned(),
        pkce: Pkce::Required,
        claims_profile: ClaimsProfile::Compat,
        license: None,
        metadata: with_devices(&ClientMetadata::default()),
        ..base.clone()
    };
    for record in [&base, &client] {
        // What is there stays as a developer may have changed it, except where it leads back to: the port may be another today.
        match store.create_client(record).await {
            Ok(()) => {}
            Err(StoreError::Conflict(Conflict::ClientId)) => add_uris(store, record, now).await?,
            Err(reason) => return Err(format!("the demo client cannot be stored: {reason}")),
        }
    }
    let key = LicenseKey { license: base.id.clone(), address: demo.api_key_address, created_at: now, expires_at: None, disabled_at: None };
    match store.add_license_key(&key).await {
        Ok(_) | Err(StoreError::Conflict(Conflict::LicenseKey)) => {}
        Err(reason) => return Err(format!("the demo license's API key cannot be stored: {reason}")),
    }
    allow_audiences(store, &base.id, now).await.map_err(|reason| format!("the demo license cannot be changed: {reason}"))?;
    assets::prepare(config, store, &base.id, asset_owner.address, now, entropy).await?;
    Ok(demo)
}

// A license of before there were assets; one that a developer has limited stays as it is.
async fn allow_audiences(store: &Store, license: &ClientId, now: Timestamp) -> Result<(), StoreError> {
    if let Some(mut record) = store.client(license).await?
        && record.metadata.audiences.is_none()
    {
        record.metadata.audiences = Some(AUDIENCES.map(str::to_owned).to_vec());
        record.updated_at = now;
        store.update_client(&record, &[]).await?;
    }
    Ok(())
}

// The playground acts as a device too.
fn with_devices(metadata: &ClientMetadata) -> ClientMetadata {
    let mut metadata = metadata.clone();
    metadata.grant_types.insert(GrantType::DeviceCode);
    metadata
}

async fn add_uris(store: &Store, record: &ClientRecord, now: Timestamp) -> Result<(), String> {
    use crate::store::UriPurpose::{PostLogout, Redirect};
    let uris =
        record.redirect_uris.iter().map(|uri| (Redirect, uri)).chain(record.post_logout_redirect_uris.iter().map(|uri| (PostLogout, uri)));
    for (purpose, uri) in uris {
        match store.add_redirect_uri(&record.id, purpose, uri, now).await {
            Ok(_) | Err(StoreError::Conflict(Conflict::RedirectUri)) => {}
            Err(reason) => return Err(format!("the demo client's redirect URI cannot be stored: {reason}")),
        }
    }
    Ok(())
}

/// What a file of the data folder has; made and written there where there is none.
fn load_or_make<T: Serialize + DeserializeOwned>(dir: &Path, name: &str, new: impl FnOnce() -> Option<T>) -> Result<T, String> {
    let path = dir.join(name);
    let explain = |reason: &dyn std::fmt::Display| format!("{} cannot be used ({reason}): remove it and start again", path.display());
    match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|reason| explain(&reason)),
        Err(reason) if reason.kind() == std::io::ErrorKind::NotFound => {
            let made = new().ok_or_else(|| explain(&"no key could be made"))?;
            let text = serde_json::to_vec_pretty(&made).map_err(|reason| explain(&reason))?;
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
            file.and_then(|mut file| file.write_all(&text)).map_err(|reason| explain(&reason))?;
            Ok(made)
        }
        Err(reason) => Err(explain(&reason)),
    }
}

/// A key pair: its address, and the private key as `0x` and 64 digits.
fn key_pair(entropy: &Entropy) -> Option<(Address, String)> {
    let secret: [u8; 32] = entropy.bytes();
    let key = SigningKey::from_slice(&secret).ok()?;
    let point = key.verifying_key().to_sec1_point(false);
    let coordinates: [u8; 64] = point.as_bytes().get(1..)?.try_into().ok()?;
    let hex = secret.iter().fold(String::from("0x"), |text, byte| format!("{text}{byte:02x}"));
    Some((Address::of_public_key(&coordinates), hex))
}

impl Demo {
    fn make(entropy: &Entropy) -> Option<Self> {
        let (api_key_address, api_key_private_key) = key_pair(entropy)?;
        Some(Self { client_id: Address::from_bytes(entropy.bytes()), api_key_address, api_key_private_key })
    }

    /// Says on standard error where to go first.
    pub(super) fn announce(&self, state: &State) {
        let issuer = state.issuer();
        let operations = state.config.server.operations_listen;
        let operations = operations.map_or_else(|| "off".to_owned(), |address| format!("http://{address}/metrics"));
        eprintln!(
            "
  Latchkey is ready, for development only.

    Try first   {issuer}/playground
                sign in with a wallet (or a throw-away one) and see every step
    Discovery   {issuer}/.well-known/openid-configuration
    Account     {issuer}/account
    Metrics     {operations}

  Demo license, for the SDKs and for curl:
    client id   {client}
    API key     {key}
    domain      {domain}
    vehicle     {vehicle}
                shared with it; its owner's key is in {owner}

  Files are in {data}. Stop with Ctrl-C.
",
            client = self.client_id,
            key = self.api_key_private_key,
            vehicle = assets::SHARED,
            owner = state.config.data.dir.join(OWNER_FILE).display(),
            domain = playground::redirect_uri(issuer),
            data = state.config.data.dir.display(),
        );
    }
}
