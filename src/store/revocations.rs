//! Access tokens that their clients revoked before their time (RFC 7009), each where its record is; and tokens without a record of their
//! own: a client's own, and those of a refresh.

use uuid::Uuid;

use super::dialect::{read, sql, write_one};
use super::{Store, StoreError};
use crate::domain::{ChallengeId, ClientId, CodeId, Timestamp};

/// What must hold of a client `c`, so that its own token, of that moment and that id, holds.
macro_rules! client_token_holds {
    ($issued_at:literal, $token:literal) => {
        concat!(
            "c.disabled_at IS NULL AND ",
            $issued_at,
            " > COALESCE(c.tokens_from, -1)
          AND NOT EXISTS (SELECT 1 FROM token_revocation v WHERE v.token_id = ",
            $token,
            ")"
        )
    };
}

pub(super) use client_token_holds;

sql! {
    REVOKE = "
        INSERT INTO token_revocation (token_id, client_id, expires_at)
        SELECT $1, c.id, $3
        FROM client c
        WHERE c.id = $2
        ON CONFLICT (token_id) DO NOTHING";
    REVOKE_CODE = "UPDATE authorization_code SET revoked_at = $3 WHERE id = $1 AND client_id = $2 AND revoked_at IS NULL";
    REVOKE_CHALLENGE = "UPDATE api_challenge SET revoked_at = $3 WHERE id = $1 AND client_id = $2 AND revoked_at IS NULL";
    REVOKE_DEVELOPER = "UPDATE developer_token SET revoked_at = $3 WHERE id = $1 AND client_id = $2 AND revoked_at IS NULL";
    CLIENT_TOKEN = concat!("SELECT c.id FROM client c WHERE c.id = $1 AND ", client_token_holds!("$2", "$3"));
}

impl Store {
    /// Revokes a token that has no record of its own; the note of it is kept until the token would have died.
    pub async fn revoke_token(&self, token: Uuid, client: &ClientId, expires_at: Timestamp) -> Result<(), StoreError> {
        let client = client.clone();
        write_one!(self, execute(REVOKE, token, client, expires_at)).map(drop)
    }

    /// Revokes the access token that a code gave; what a refresh gave lives on.
    pub async fn revoke_code_token(&self, code: CodeId, client: &ClientId, now: Timestamp) -> Result<(), StoreError> {
        let client = client.clone();
        write_one!(self, execute(REVOKE_CODE, code, client, now)).map(drop)
    }

    /// Revokes the access token that a challenge gave.
    pub async fn revoke_wallet_token(&self, challenge: ChallengeId, client: &ClientId, now: Timestamp) -> Result<(), StoreError> {
        let client = client.clone();
        write_one!(self, execute(REVOKE_CHALLENGE, challenge, client, now)).map(drop)
    }

    /// Revokes a license's own token.
    pub async fn revoke_developer_token(&self, token: Uuid, client: &ClientId, now: Timestamp) -> Result<(), StoreError> {
        let client = client.clone();
        write_one!(self, execute(REVOKE_DEVELOPER, token, client, now)).map(drop)
    }

    /// Whether a client's own token still holds: the client is enabled, was not disabled since, and has not revoked it.
    pub async fn client_token_lives(&self, token: Uuid, client: &ClientId, issued_at: Timestamp) -> Result<bool, StoreError> {
        let found: Option<ClientId> = read!(self, value(CLIENT_TOKEN, client, issued_at, token))?;
        Ok(found.is_some())
    }
}
