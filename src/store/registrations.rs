//! Clients that registered themselves: changed and deleted by whoever holds their token (RFC 7592), or known by a document of theirs.

use sqlx::types::Json;

use super::clients::read::within;
use super::clients::write::{replace_uris, seconds, update};
use super::dialect::{Conn, on, sql, write_one};
use super::{ClientRecord, Store, StoreError, UriPurpose};
use crate::domain::{ClientId, ClientMetadata, Timestamp, TokenHash};

sql! {
    /// Holds the row until the transaction ends: what is decided meanwhile is decided over what is there. The condition makes the token
    /// work for one change: of two at once, the second finds another one stored.
    HOLD = "
        UPDATE client SET registration_hash = registration_hash
        WHERE id = $1 AND registration_hash = $2 AND source = 'registration' AND disabled_at IS NULL";
    NEXT_TOKEN = "UPDATE client SET registration_hash = $2 WHERE id = $1";
    DELETE = "DELETE FROM client WHERE id = $1 AND registration_hash = $2 AND source = 'registration' AND disabled_at IS NULL";
    /// Leaves alone what somebody else made, and what an operator disabled. Whoever fetched first and came last changes nothing.
    UPSERT_DOCUMENT = "
        INSERT INTO client (id, kind, name, token_endpoint_auth_method, pkce, claims_profile, subject_type, signing_alg,
                            access_token_seconds, source, created_at, updated_at, sector, backchannel_logout_uri, metadata,
                            document_until, unused_until, consent_from)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'document', $10, $10, $11, $12, $13, $14, $15, $16)
        ON CONFLICT (id) DO UPDATE
        SET name = excluded.name, token_endpoint_auth_method = excluded.token_endpoint_auth_method, pkce = excluded.pkce,
            subject_type = excluded.subject_type, signing_alg = excluded.signing_alg,
            access_token_seconds = excluded.access_token_seconds, updated_at = excluded.updated_at,
            sector = COALESCE(client.sector, excluded.sector), backchannel_logout_uri = excluded.backchannel_logout_uri,
            metadata = excluded.metadata, document_until = excluded.document_until,
            consent_from = COALESCE(excluded.consent_from, client.consent_from)
        WHERE client.source = 'document' AND client.disabled_at IS NULL AND client.updated_at <= excluded.updated_at";
    /// Somebody has a use for it.
    USED = "UPDATE client SET unused_until = NULL WHERE id = $1 AND unused_until IS NOT NULL";
    /// Holds the row until the end of the transaction, so that what the operator sets is kept, also when it is set at this very moment.
    HOLD_DOCUMENT = "UPDATE client SET document_until = document_until WHERE id = $1 AND source = 'document'";
    METADATA = "SELECT metadata FROM client WHERE id = $1";
    POSTPONE = "UPDATE client SET document_until = $2 WHERE id = $1 AND source = 'document' AND document_until < $2";
}

impl Store {
    /// Replaces a registered client's settings and URIs by what `plan` makes of the client as it is now, if `presented` is its
    /// registration access token still; the record that comes out has the next one. What `plan` refuses changes nothing. `None`: the
    /// token is another one, or there is no such client, or it is disabled.
    pub async fn update_registration<E, F>(
        &self,
        id: &ClientId,
        presented: TokenHash,
        plan: F,
    ) -> Result<Option<Result<ClientRecord, E>>, StoreError>
    where
        E: Send + 'static,
        F: FnOnce(&ClientRecord) -> Result<ClientRecord, E> + Send + 'static,
    {
        let id = id.clone();
        self.transaction(move |mut conn| {
            Box::pin(async move {
                if on!(conn, execute(HOLD, &id, presented))? == 0 {
                    return Ok(None);
                }
                let Some(before) = within(&mut conn, &id).await? else { return Ok(None) };
                let mut after = match plan(&before) {
                    Ok(after) => after,
                    Err(refused) => return Ok(Some(Err(refused))),
                };
                after.metadata = after.metadata.keeping_operators(&before.metadata);
                on!(conn, execute(NEXT_TOKEN, &id, after.registration_hash))?;
                update(&mut conn, &after, &[UriPurpose::Redirect, UriPurpose::PostLogout]).await?;
                Ok(Some(Ok(after)))
            })
        })
        .await
    }

    /// Removes a registered client and all that hangs on it, if `presented` is its registration access token. False: it is not.
    pub async fn delete_registration(&self, id: &ClientId, presented: TokenHash) -> Result<bool, StoreError> {
        let id = id.clone();
        Ok(write_one!(self, execute(DELETE, id, presented))? > 0)
    }

    /// Makes the client be what its document says; what the operator set of it stays. False: a client of that id is there by other means, or is disabled.
    pub async fn put_document_client(&self, client: &ClientRecord) -> Result<bool, StoreError> {
        let mut client = client.clone();
        self.transaction(move |mut conn| {
            Box::pin(async move {
                on!(conn, execute(HOLD_DOCUMENT, &client.id))?;
                keep_operators(&mut conn, &mut client).await?;
                let changed = on!(
                    conn,
                    execute(
                        UPSERT_DOCUMENT,
                        &client.id,
                        client.kind,
                        &client.name,
                        client.auth_method,
                        client.pkce,
                        client.claims_profile,
                        client.subject_type,
                        client.signing_alg,
                        seconds(client.access_token),
                        client.updated_at,
                        client.sector(),
                        &client.backchannel_logout_uri,
                        Json(&client.metadata),
                        client.document_until,
                        client.unused_until,
                        client.consent_from
                    )
                )?;
                if changed == 0 {
                    return Ok(false);
                }
                for purpose in [UriPurpose::Redirect, UriPurpose::PostLogout] {
                    replace_uris(&mut conn, &client, purpose, client.updated_at).await?;
                }
                Ok(true)
            })
        })
        .await
    }

    /// Keeps a client for good, though nobody may ever agree to it. False: it was kept already, or there is no such client.
    pub async fn keep_client(&self, id: &ClientId) -> Result<bool, StoreError> {
        let id = id.clone();
        self.statement(move |mut conn| Box::pin(async move { used(&mut conn, &id).await })).await
    }

    /// Believes a document's client until then without a new fetch: its site does not answer.
    pub async fn postpone_document(&self, id: &ClientId, until: Timestamp) -> Result<bool, StoreError> {
        let id = id.clone();
        Ok(write_one!(self, execute(POSTPONE, id, until))? > 0)
    }
}

/// Notes that somebody has a use for a client.
pub(super) async fn used(conn: &mut Conn<'_>, id: &ClientId) -> Result<bool, StoreError> {
    Ok(on!(*conn, execute(USED, id))? > 0)
}

// The row is held by this transaction: what is read here cannot change before it is written back.
async fn keep_operators(conn: &mut Conn<'_>, client: &mut ClientRecord) -> Result<(), StoreError> {
    let stored: Option<Json<ClientMetadata>> = on!(*conn, value(METADATA, &client.id))?;
    let before = stored.map(|Json(metadata)| metadata).unwrap_or_default();
    client.metadata = std::mem::take(&mut client.metadata).keeping_operators(&before);
    Ok(())
}
