//! Developer tokens: a license's own, got by one of its API keys, and dead as soon as the key or the license is.

use sqlx::FromRow;
use uuid::Uuid;

use super::dialect::{read, sql, write_one};
use super::{Store, StoreError};
use crate::domain::{Address, ClientId, Scope, Timestamp};

/// A token that a license's API key got.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct DeveloperToken {
    pub id: Uuid,
    pub client_id: ClientId,
    pub key_address: Address,
    pub scope: Scope,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
}

/// What must hold of a token `t`, its key `k` and its client `c`, so that it holds at that moment.
macro_rules! developer_token_holds {
    ($now:literal) => {
        concat!(
            "t.expires_at > ",
            $now,
            " AND t.revoked_at IS NULL
          AND k.disabled_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > ",
            $now,
            ") AND c.disabled_at IS NULL
          AND t.issued_at > COALESCE(c.tokens_from, -1)"
        )
    };
}

pub(super) use developer_token_holds;

sql! {
    PUT = "
        INSERT INTO developer_token (id, client_id, key_address, scope, issued_at, expires_at)
        SELECT $1, k.client_id, k.address, $4, $5, $6
        FROM license_key k
        JOIN client c ON c.id = k.client_id
        WHERE k.client_id = $2 AND k.address = $3 AND k.disabled_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $7)
          AND c.disabled_at IS NULL";
    TOKEN = concat!("
        SELECT t.id, t.client_id, t.key_address, t.scope, t.issued_at, t.expires_at
        FROM developer_token t
        JOIN license_key k ON k.client_id = t.client_id AND k.address = t.key_address
        JOIN client c ON c.id = t.client_id
        WHERE t.id = $1 AND ", developer_token_holds!("$2"));
}

impl Store {
    /// Stores a token. False: the key is not one of this license's, is disabled or expired, or the license is disabled.
    pub async fn put_developer_token(&self, token: &DeveloperToken, now: Timestamp) -> Result<bool, StoreError> {
        let token = token.clone();
        Ok(write_one!(
            self,
            execute(PUT, token.id, token.client_id, token.key_address, token.scope, token.issued_at, token.expires_at, now)
        )? > 0)
    }

    /// `None` when the token is unknown, expired or revoked, or its key or license is disabled or expired.
    pub async fn developer_token(&self, id: Uuid, now: Timestamp) -> Result<Option<DeveloperToken>, StoreError> {
        read!(self, row(TOKEN, id, now))
    }
}
