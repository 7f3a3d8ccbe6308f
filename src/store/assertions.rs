//! Client assertions that were used: each `jti` works once for its client.

use super::dialect::{sql, write_one};
use super::{Store, StoreError};
use crate::domain::{ClientId, Timestamp, TokenHash};

sql! {
    /// Nothing for a client that was disabled a moment ago.
    USE = "
        INSERT INTO client_assertion (client_id, jti_hash, expires_at)
        SELECT c.id, $2, $3 FROM client c WHERE c.id = $1 AND c.disabled_at IS NULL
        ON CONFLICT (client_id, jti_hash) DO NOTHING";
}

impl Store {
    /// Uses up the `jti` of an assertion whose signature and claims are right: of many who try at once, on any replica, one gets true.
    /// False: it was used before, or the client is gone or disabled. It is remembered until `expires_at`.
    // RFC 7523 §3: "The authorization server MAY ensure that JWTs are not replayed by maintaining the set of used "jti" values for the
    // length of time for which the JWT would be considered valid". When something fails afterwards the assertion stays used: a client
    // makes a new one for each request.
    pub async fn use_assertion(&self, client: &ClientId, jti: &TokenHash, expires_at: Timestamp) -> Result<bool, StoreError> {
        let (client, jti) = (client.clone(), *jti);
        Ok(write_one!(self, execute(USE, client, jti, expires_at))? > 0)
    }
}
