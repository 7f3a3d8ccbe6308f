//! Pushed authorization requests (RFC 9126): kept by the hash of what `request_uri` ends with, and taken once.

use super::dialect::{sql, write_one};
use super::{Store, StoreError};
use crate::domain::{ClientId, Timestamp, TokenHash};

sql! {
    /// Nothing for a client that was disabled a moment ago.
    PUT = "
        INSERT INTO pushed_request (request_hash, client_id, parameters, created_at, expires_at)
        SELECT $1, c.id, $3, $4, $5 FROM client c WHERE c.id = $2 AND c.disabled_at IS NULL";
    TAKE = "
        UPDATE pushed_request SET taken_at = $3
        WHERE request_hash = $1 AND client_id = $2 AND taken_at IS NULL AND expires_at > $3
        RETURNING parameters";
}

impl Store {
    /// Keeps a request that was pushed. False: its client is gone or has been disabled meanwhile.
    pub async fn put_pushed_request(
        &self,
        request: &TokenHash,
        client: &ClientId,
        parameters: &str,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let (request, client, parameters) = (*request, client.clone(), parameters.to_owned());
        Ok(write_one!(self, execute(PUT, request, client, parameters, now, expires_at))? > 0)
    }

    /// Takes a pushed request of that client: of many who try at once, one gets its parameters. `None`: it is unknown, expired, another
    /// client's, or was taken before; which of them is nobody's business.
    // RFC 9126 §4: "authorization servers SHOULD treat request_uri values as one-time use". What fails afterwards leaves it taken: the
    // app pushes another.
    pub async fn take_pushed_request(&self, request: &TokenHash, client: &ClientId, now: Timestamp) -> Result<Option<String>, StoreError> {
        let (request, client) = (*request, client.clone());
        write_one!(self, value(TAKE, request, client, now))
    }
}
