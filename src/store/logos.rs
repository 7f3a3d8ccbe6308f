//! The pictures of apps, as they were fetched from where the apps have them.

use sqlx::FromRow;

use super::dialect::{read, sql, write_one};
use super::{Store, StoreError};
use crate::domain::{ClientId, Timestamp};

/// A picture, and where it is from.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ClientLogo {
    pub uri: String,
    pub media_type: String,
    pub body: Vec<u8>,
    pub fetched_at: Timestamp,
}

sql! {
    LOGO = "SELECT uri, media_type, body, fetched_at FROM client_logo WHERE client_id = $1";
    /// Of the client as it is: one that was deleted meanwhile gets none.
    PUT = "
        INSERT INTO client_logo (client_id, uri, media_type, body, fetched_at)
        SELECT c.id, $2, $3, $4, $5 FROM client c WHERE c.id = $1
        ON CONFLICT (client_id) DO UPDATE
        SET uri = excluded.uri, media_type = excluded.media_type, body = excluded.body, fetched_at = excluded.fetched_at";
}

impl Store {
    pub async fn client_logo(&self, client: &ClientId) -> Result<Option<ClientLogo>, StoreError> {
        read!(self, row(LOGO, client))
    }

    /// Keeps the picture of a client in place of the one before. False: there is no such client.
    pub async fn put_client_logo(&self, client: &ClientId, logo: &ClientLogo) -> Result<bool, StoreError> {
        let (client, logo) = (client.clone(), logo.clone());
        Ok(write_one!(self, execute(PUT, client, logo.uri, logo.media_type, logo.body, logo.fetched_at))? > 0)
    }
}
