//! Registering, changing and removing clients, and the URIs they may be called back at.

use std::time::Duration;

use sqlx::types::Json;

use crate::domain::{ClientId, RedirectUri, Timestamp};
use crate::store::dialect::{Conn, on, sql, write_one};
use crate::store::{ClientRecord, Conflict, Store, StoreError, UriPurpose};

sql! {
    CREATE = "
        INSERT INTO client (id, kind, name, secret_hash, token_endpoint_auth_method, pkce, claims_profile, subject_type,
                            signing_alg, access_token_seconds, source, created_at, updated_at, disabled_at, sector,
                            backchannel_logout_uri, metadata, registration_hash, document_until, operator,
                            unused_until)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)";
    CREATE_LICENSE = "INSERT INTO license (client_id, alias, owner, developer_token_seconds) VALUES ($1, $2, $3, $4)";
    UPDATE = "
        UPDATE client
        SET name = $2, secret_hash = $3, token_endpoint_auth_method = $4, pkce = $5, claims_profile = $6, subject_type = $7,
            signing_alg = $8, access_token_seconds = $9, updated_at = $10, sector = COALESCE(sector, $11),
            backchannel_logout_uri = $12, metadata = $13, operator = $14, unused_until = $15, consent_from = $16
        WHERE id = $1";
    UPDATE_LICENSE = "UPDATE license SET alias = $2, owner = $3, developer_token_seconds = $4 WHERE client_id = $1";
    /// What was issued before it was disabled stays dead when it is enabled again.
    DISABLE = "
        UPDATE client SET disabled_at = $2, updated_at = $3, undeclared_at = NULL, tokens_from = COALESCE($2, tokens_from)
        WHERE id = $1";
    DELETE = "DELETE FROM client WHERE id = $1";
    /// Leaves a client alone that the command line made. A client that was disabled because the file did not name it is enabled
    /// again; one that an operator disabled stays so.
    UPSERT_CONFIG = "
        INSERT INTO client (id, kind, name, secret_hash, token_endpoint_auth_method, pkce, claims_profile, subject_type,
                            signing_alg, access_token_seconds, source, created_at, updated_at, sector, backchannel_logout_uri,
                            metadata)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'config', $11, $11, $12, $13, $14)
        ON CONFLICT (id) DO UPDATE
        SET kind = excluded.kind, name = excluded.name, secret_hash = excluded.secret_hash,
            token_endpoint_auth_method = excluded.token_endpoint_auth_method, pkce = excluded.pkce,
            claims_profile = excluded.claims_profile, subject_type = excluded.subject_type, signing_alg = excluded.signing_alg,
            access_token_seconds = excluded.access_token_seconds, updated_at = excluded.updated_at,
            sector = COALESCE(client.sector, excluded.sector), backchannel_logout_uri = excluded.backchannel_logout_uri,
            metadata = excluded.metadata,
            disabled_at = CASE WHEN client.undeclared_at IS NULL THEN client.disabled_at END, undeclared_at = NULL
        WHERE client.source = 'config'";
    /// What an operator disabled is left as it is: it stays disabled when the file names it again.
    UNDECLARE = "
        UPDATE client SET undeclared_at = $2, disabled_at = $2, updated_at = $2
        WHERE id = $1 AND source = 'config' AND disabled_at IS NULL";
    CONFIG_IDS = "SELECT id FROM client WHERE source = 'config' ORDER BY id";
    /// A URI comes after those that are there, also where several are added at one moment or the clock went back: the oldest one gives
    /// the sector of pairwise subjects where none is stored.
    ADD_URI = "
        INSERT INTO client_redirect_uri (client_id, purpose, uri, created_at)
        SELECT c.id, $2, $3, COALESCE((SELECT MAX(u.created_at) + 1 FROM client_redirect_uri u
                                       WHERE u.client_id = $1 AND u.purpose = $2 AND u.created_at >= $4), $4)
        FROM client c WHERE c.id = $1";
    ADD_MISSING_URI = "
        INSERT INTO client_redirect_uri (client_id, purpose, uri, created_at)
        SELECT c.id, $2, $3, COALESCE((SELECT MAX(u.created_at) + 1 FROM client_redirect_uri u
                                       WHERE u.client_id = $1 AND u.purpose = $2 AND u.created_at >= $4), $4)
        FROM client c WHERE c.id = $1
        ON CONFLICT (client_id, purpose, uri) DO NOTHING";
    URIS = "SELECT uri FROM client_redirect_uri WHERE client_id = $1 AND purpose = $2";
    REMOVE_URI = "DELETE FROM client_redirect_uri WHERE client_id = $1 AND purpose = $2 AND uri = $3";
}

impl Store {
    /// Registers a client with its URIs and license.
    ///
    /// # Errors
    /// [`Conflict::ClientId`], [`Conflict::LicenseAlias`], or [`Conflict::RedirectUri`] when a URI is named twice.
    pub async fn create_client(&self, client: &ClientRecord) -> Result<(), StoreError> {
        let client = client.clone();
        self.transaction(move |mut conn| {
            Box::pin(async move {
                on!(
                    conn,
                    execute(
                        CREATE,
                        &client.id,
                        client.kind,
                        &client.name,
                        client.secret_hash,
                        client.auth_method,
                        client.pkce,
                        client.claims_profile,
                        client.subject_type,
                        client.signing_alg,
                        seconds(client.access_token),
                        client.source,
                        client.created_at,
                        client.updated_at,
                        client.disabled_at,
                        client.sector(),
                        &client.backchannel_logout_uri,
                        Json(&client.metadata),
                        client.registration_hash,
                        client.document_until,
                        Json(&client.operator),
                        client.unused_until
                    )
                )?;
                create_license(&mut conn, &client).await?;
                add_uris(&mut conn, &client, client.created_at).await
            })
        })
        .await
    }

    /// Replaces a client's settings and license, and its URIs of the purposes named; not its id, kind, source, registration access token,
    /// or whether it is disabled. A URI that stays keeps its age. False: there is no such client.
    pub async fn update_client(&self, client: &ClientRecord, uris: &[UriPurpose]) -> Result<bool, StoreError> {
        let (client, uris) = (client.clone(), uris.to_vec());
        self.transaction(move |mut conn| Box::pin(async move { update(&mut conn, &client, &uris).await })).await
    }

    /// Disables a client at a moment, or enables it with `None`. False: there is no such client.
    pub async fn set_client_disabled(&self, id: &ClientId, at: Option<Timestamp>, now: Timestamp) -> Result<bool, StoreError> {
        let id = id.clone();
        Ok(write_one!(self, execute(DISABLE, id, at, now))? > 0)
    }

    /// Removes a client and all that hangs on it: URIs, license, keys, consents, codes and tokens.
    pub async fn delete_client(&self, id: &ClientId) -> Result<bool, StoreError> {
        let id = id.clone();
        Ok(write_one!(self, execute(DELETE, id))? > 0)
    }

    /// Makes the clients of the configuration file be those given: adds, changes, and disables what is no longer named. Nothing is
    /// deleted: a replica that starts with an older file, or with none, must not end consents and tokens for good. A client that
    /// is named again is enabled again, unless an operator disabled it.
    ///
    /// # Errors
    /// [`Conflict::ClientId`] when the command line made a client of one of these ids; then nothing is changed.
    pub async fn replace_config_clients(&self, clients: &[ClientRecord], now: Timestamp) -> Result<(), StoreError> {
        let mut clients = clients.to_vec();
        // One order for all: two replicas that start at once must not wait for each other.
        clients.sort_by(|a, b| a.id.cmp(&b.id));
        self.transaction(move |mut conn| {
            Box::pin(async move {
                for client in &clients {
                    upsert_config(&mut conn, client, now).await?;
                }
                let stored: Vec<ClientId> = on!(conn, values(CONFIG_IDS))?;
                for id in stored.iter().filter(|id| clients.iter().all(|client| client.id != **id)) {
                    on!(conn, execute(UNDECLARE, id, now))?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Registers one more URI. False: there is no such client.
    ///
    /// # Errors
    /// [`Conflict::RedirectUri`] when it has it already.
    pub async fn add_redirect_uri(
        &self,
        id: &ClientId,
        purpose: UriPurpose,
        uri: &RedirectUri,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (id, uri) = (id.clone(), uri.clone());
        self.statement(move |mut conn| Box::pin(async move { add_uri(&mut conn, &id, purpose, &uri, now).await })).await
    }

    /// False: the client has no such URI.
    pub async fn remove_redirect_uri(&self, id: &ClientId, purpose: UriPurpose, uri: &RedirectUri) -> Result<bool, StoreError> {
        let (id, uri) = (id.clone(), uri.clone());
        Ok(write_one!(self, execute(REMOVE_URI, id, purpose, uri))? > 0)
    }
}

/// What [`Store::update_client`] does, within a transaction.
pub(in crate::store) async fn update(conn: &mut Conn<'_>, client: &ClientRecord, uris: &[UriPurpose]) -> Result<bool, StoreError> {
    if on!(
        *conn,
        execute(
            UPDATE,
            &client.id,
            &client.name,
            client.secret_hash,
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
            Json(&client.operator),
            client.unused_until,
            client.consent_from
        )
    )? == 0
    {
        return Ok(false);
    }
    if let Some(license) = &client.license {
        on!(*conn, execute(UPDATE_LICENSE, &client.id, &license.alias, license.owner, seconds(license.developer_token)))?;
    }
    for purpose in uris {
        replace_uris(conn, client, *purpose, client.updated_at).await?;
    }
    Ok(true)
}

async fn upsert_config(conn: &mut Conn<'_>, client: &ClientRecord, now: Timestamp) -> Result<(), StoreError> {
    if on!(
        *conn,
        execute(
            UPSERT_CONFIG,
            &client.id,
            client.kind,
            &client.name,
            client.secret_hash,
            client.auth_method,
            client.pkce,
            client.claims_profile,
            client.subject_type,
            client.signing_alg,
            seconds(client.access_token),
            now,
            client.sector(),
            &client.backchannel_logout_uri,
            Json(&client.metadata)
        )
    )? == 0
    {
        return Err(StoreError::Conflict(Conflict::ClientId));
    }
    replace_uris(conn, client, UriPurpose::Redirect, now).await?;
    replace_uris(conn, client, UriPurpose::PostLogout, now).await
}

fn uris(client: &ClientRecord, purpose: UriPurpose) -> &[RedirectUri] {
    match purpose {
        UriPurpose::Redirect => &client.redirect_uris,
        UriPurpose::PostLogout => &client.post_logout_redirect_uris,
    }
}

// Takes away what the record does not name and adds what is missing, so that what stays is not touched.
pub(in crate::store) async fn replace_uris(
    conn: &mut Conn<'_>,
    client: &ClientRecord,
    purpose: UriPurpose,
    now: Timestamp,
) -> Result<(), StoreError> {
    let named = uris(client, purpose);
    let stored: Vec<RedirectUri> = on!(*conn, values(URIS, &client.id, purpose))?;
    for gone in stored.iter().filter(|uri| !named.contains(uri)) {
        on!(*conn, execute(REMOVE_URI, &client.id, purpose, gone))?;
    }
    for new in named.iter().filter(|uri| !stored.contains(uri)) {
        on!(*conn, execute(ADD_MISSING_URI, &client.id, purpose, new, now))?;
    }
    Ok(())
}

async fn create_license(conn: &mut Conn<'_>, client: &ClientRecord) -> Result<(), StoreError> {
    if let Some(license) = &client.license {
        on!(*conn, execute(CREATE_LICENSE, &client.id, &license.alias, license.owner, seconds(license.developer_token)))?;
    }
    Ok(())
}

async fn add_uris(conn: &mut Conn<'_>, client: &ClientRecord, now: Timestamp) -> Result<(), StoreError> {
    for purpose in [UriPurpose::Redirect, UriPurpose::PostLogout] {
        for uri in uris(client, purpose) {
            add_uri(conn, &client.id, purpose, uri, now).await?;
        }
    }
    Ok(())
}

async fn add_uri(conn: &mut Conn<'_>, id: &ClientId, purpose: UriPurpose, uri: &RedirectUri, now: Timestamp) -> Result<bool, StoreError> {
    Ok(on!(*conn, execute(ADD_URI, id, purpose, uri, now))? > 0)
}

pub(in crate::store) fn seconds(span: Duration) -> i64 {
    i64::try_from(span.as_secs()).unwrap_or(i64::MAX)
}
