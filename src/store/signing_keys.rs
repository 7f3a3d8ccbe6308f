//! The server's signing keys and other secrets, sealed before they come here.

use sqlx::FromRow;

use super::dialect::{on, read, sql, write_one};
use super::{Store, StoreError};
use crate::domain::{KeyPurpose, SigningAlg, Timestamp};

/// A signing key. Whether it is next, active or retired follows from its times.
#[derive(Clone, PartialEq, Eq, FromRow)]
pub struct SigningKeyRecord {
    /// RFC 7638 thumbprint.
    pub kid: String,
    pub purpose: KeyPurpose,
    pub alg: SigningAlg,
    /// 1, 2, …: unique for a purpose and algorithm, so that two replicas cannot make the same one.
    pub generation: i64,
    #[sqlx(json)]
    pub public_jwk: serde_json::Value,
    /// The private key, sealed.
    pub sealed: Vec<u8>,
    pub created_at: Timestamp,
    /// `None`: it waits to be promoted.
    pub active_from: Option<Timestamp>,
    /// The tokens that it signed are dead from then on.
    pub retire_at: Option<Timestamp>,
}

impl std::fmt::Debug for SigningKeyRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKeyRecord")
            .field("kid", &self.kid)
            .field("purpose", &self.purpose)
            .field("alg", &self.alg)
            .field("generation", &self.generation)
            .field("active_from", &self.active_from)
            .field("retire_at", &self.retire_at)
            .finish_non_exhaustive()
    }
}

sql! {
    KEYS = "
        SELECT kid, purpose, alg, generation, public_jwk, sealed, created_at, active_from, retire_at
        FROM signing_key ORDER BY purpose DESC, alg, generation";
    PUT = "
        INSERT INTO signing_key (kid, purpose, alg, generation, public_jwk, sealed, created_at, active_from, retire_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT DO NOTHING";
    PROMOTE = "UPDATE signing_key SET active_from = $2 WHERE kid = $1 AND active_from IS NULL";
    RETIRE = "UPDATE signing_key SET retire_at = $2 WHERE kid = $1";
    SECRET = "SELECT sealed FROM server_secret WHERE name = $1";
    PUT_SECRET = "INSERT INTO server_secret (name, sealed, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";
}

impl Store {
    /// Every key that is not swept yet, by purpose, algorithm and generation.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKeyRecord>, StoreError> {
        read!(self, rows(KEYS))
    }

    /// Stores a key. False: another replica has made this generation.
    pub async fn put_signing_key(&self, key: &SigningKeyRecord) -> Result<bool, StoreError> {
        let key = key.clone();
        Ok(write_one!(
            self,
            execute(
                PUT,
                key.kid,
                key.purpose,
                key.alg,
                key.generation,
                key.public_jwk,
                key.sealed,
                key.created_at,
                key.active_from,
                key.retire_at
            )
        )? > 0)
    }

    /// Lets the next key sign from a moment on, and says when the one before it goes, in one transaction.
    /// False: the next key is unknown, or promoted already.
    pub async fn promote_signing_key(
        &self,
        kid_next: &str,
        active_from: Timestamp,
        retiring: &str,
        retire_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let (next, retiring) = (kid_next.to_owned(), retiring.to_owned());
        self.transaction(move |mut conn| {
            Box::pin(async move {
                let promoted = on!(conn, execute(PROMOTE, next, active_from))? > 0;
                if promoted {
                    on!(conn, execute(RETIRE, retiring, retire_at))?;
                }
                Ok(promoted)
            })
        })
        .await
    }

    /// A secret of the server itself, sealed.
    pub async fn server_secret(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        read!(self, value(SECRET, name))
    }

    /// Stores a secret unless there is one of this name; what is stored then, by this call or an earlier one.
    pub async fn put_server_secret(&self, name: &str, sealed: &[u8], now: Timestamp) -> Result<Vec<u8>, StoreError> {
        let (owned, bytes) = (name.to_owned(), sealed.to_vec());
        write_one!(self, execute(PUT_SECRET, owned, bytes, now))?;
        self.server_secret(name).await?.ok_or_else(|| StoreError::Corrupt(format!("the secret {name} was stored and is not there")))
    }
}
