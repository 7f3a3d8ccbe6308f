//! The API keys of developer licenses: key pairs, known by their address.

use sqlx::FromRow;

use super::dialect::{read, sql, write_one};
use super::{Store, StoreError};
use crate::domain::{Address, ClientId, Timestamp};

/// An API key of a license.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct LicenseKey {
    #[sqlx(rename = "client_id")]
    pub license: ClientId,
    pub address: Address,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub disabled_at: Option<Timestamp>,
}

sql! {
    ADD = "
        INSERT INTO license_key (client_id, address, created_at, expires_at, disabled_at)
        SELECT l.client_id, $2, $3, $4, $5 FROM license l WHERE l.client_id = $1";
    KEYS = "
        SELECT client_id, address, created_at, expires_at, disabled_at
        FROM license_key
        WHERE client_id = $1 OR $1 IS NULL
        ORDER BY client_id, created_at, address";
    DISABLE = "UPDATE license_key SET disabled_at = $3 WHERE client_id = $1 AND address = $2 AND disabled_at IS NULL";
}

impl Store {
    /// False: there is no such license.
    ///
    /// # Errors
    /// [`Conflict::LicenseKey`](super::Conflict::LicenseKey) when the license has this key already, disabled or not.
    pub async fn add_license_key(&self, key: &LicenseKey) -> Result<bool, StoreError> {
        let key = key.clone();
        Ok(write_one!(self, execute(ADD, key.license, key.address, key.created_at, key.expires_at, key.disabled_at))? > 0)
    }

    /// The keys of one license, or of all; expired and disabled ones too.
    pub async fn license_keys(&self, license: Option<&ClientId>) -> Result<Vec<LicenseKey>, StoreError> {
        read!(self, rows(KEYS, license))
    }

    /// The tokens that the key got are refused from now on. False: there is no such key, or it is disabled already.
    pub async fn disable_license_key(&self, license: &ClientId, address: &Address, now: Timestamp) -> Result<bool, StoreError> {
        let (license, address) = (license.clone(), *address);
        Ok(write_one!(self, execute(DISABLE, license, address, now))? > 0)
    }
}
