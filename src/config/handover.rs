//! What the configuration hands to the parts below it: how to open the store and the keys, and which clients it declares.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use super::clients::{ClientEntry, Credential, MAX_DEVELOPER_TOKEN};
use super::{Config, DatabaseUrl, Tls};
use crate::domain::{Entropy, Timestamp};
use crate::keys::{KeySettings, KeysError, SealingKey};
use crate::store::{ClientRecord, ClientSource, DatabaseSettings};

impl Config {
    /// The database: the one that is set, or the SQLite file in the data folder.
    #[must_use]
    pub fn database_url(&self) -> DatabaseUrl {
        self.database.url.clone().unwrap_or_else(|| DatabaseUrl::sqlite(&self.data.dir.join("latchkey.db").to_string_lossy()))
    }

    /// The file of a SQLite database.
    #[must_use]
    pub fn database_file(&self) -> Option<PathBuf> {
        self.database_url().as_str().strip_prefix("sqlite://").map(PathBuf::from)
    }

    /// The issuer's host without its port.
    #[must_use]
    pub fn issuer_host(&self) -> String {
        let url = url::Url::parse(self.server.issuer.as_str()).ok();
        url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
    }

    /// The `iss` of asset tokens.
    #[must_use]
    pub fn asset_issuer(&self) -> String {
        self.assets.issuer.as_ref().map_or_else(|| self.server.issuer.url("/assets"), ToString::to_string)
    }

    /// What the store is opened with.
    #[must_use]
    pub fn database_settings(&self) -> DatabaseSettings {
        DatabaseSettings { url: self.database_url().as_str().to_owned(), max_connections: self.database.max_connections.get() }
    }

    /// What the keyring is opened with.
    #[must_use]
    pub fn key_settings(&self) -> KeySettings {
        KeySettings {
            issuer: self.server.issuer.as_str().to_owned(),
            asset_issuer: self.asset_issuer(),
            publish_ahead: self.keys.publish_ahead,
            // Not the server's own setting: a license may have a longer one.
            token_lifetime_max: MAX_DEVELOPER_TOKEN,
            receipt_lifetime_max: self.assets.longest_grant,
        }
    }

    /// The file of the sealing key, where no sealing key is given as text.
    #[must_use]
    pub fn sealing_key_file(&self) -> PathBuf {
        self.keys.sealing_key_file.clone().unwrap_or_else(|| self.data.dir.join("sealing.key"))
    }

    /// The sealing key. A missing file is made only where `may_be_new`: a database that holds signing keys already was
    /// sealed with another key, and a new one would hide that the right one is not mounted.
    pub fn sealing_key(&self, may_be_new: bool, entropy: &Entropy) -> Result<SealingKey, KeysError> {
        match &self.keys.sealing_key {
            Some(key) => Ok(key.clone()),
            None if may_be_new => SealingKey::from_file_or_new(&self.sealing_key_file(), entropy),
            None => match SealingKey::from_file(&self.sealing_key_file()) {
                Err(KeysError::SealingKeyFile { path, reason }) if reason.kind() == io::ErrorKind::NotFound => {
                    Err(KeysError::LostSealingKeyFile(path))
                }
                other => other,
            },
        }
    }

    /// The clients of the file as the store keeps them.
    #[must_use]
    pub fn client_records(&self, now: Timestamp) -> Vec<ClientRecord> {
        self.clients.iter().map(|client| self.client_record(client, now)).collect()
    }

    fn client_record(&self, client: &ClientEntry, now: Timestamp) -> ClientRecord {
        let secret_hash = match client.credential {
            Credential::Secret(hash) => Some(hash),
            Credential::Public | Credential::Jwks(_) | Credential::JwksUri(_) => None,
        };
        ClientRecord {
            secret_hash,
            auth_method: client.auth_method,
            metadata: client.metadata.clone(),
            pkce: client.pkce,
            claims_profile: client.claims_profile,
            subject_type: client.subject,
            signing_alg: client.signing_alg,
            redirect_uris: client.redirect_uris.clone(),
            post_logout_redirect_uris: client.post_logout_redirect_uris.clone(),
            backchannel_logout_uri: client.backchannel_logout_uri.clone(),
            source: ClientSource::Config,
            ..ClientRecord::new(client.id.clone(), client.name.clone(), client.access_token.unwrap_or(self.tokens.access_token), now)
        }
    }

    /// Makes the data folder (for its owner alone, as it holds keys) and sees that files can be written there.
    ///
    /// # Errors
    /// A sentence that names the folder.
    pub fn make_data_dir(&self) -> Result<(), String> {
        let dir = &self.data.dir;
        if dir.is_file() {
            return Err(format!("the data folder {} is a file: name a folder with --data or data.dir", dir.display()));
        }
        let probe = dir.join(format!(".latchkey-{}", std::process::id()));
        let write = || -> io::Result<()> {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&probe)?.write_all(b"x")?;
            fs::remove_file(&probe)
        };
        write().map_err(|problem| format!("the data folder {} cannot be written to: {problem}", dir.display()))
    }
}

impl Tls {
    /// Whether this process speaks TLS: with a certificate and its key.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.certificate_file.is_some() && self.key_file.is_some()
    }
}
