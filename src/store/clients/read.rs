//! Reading clients: one statement brings the client, its license and its URIs, a row for each URI.

use std::time::Duration;

use sqlx::FromRow;

use crate::domain::{
    Address, AuthMethod, ClaimsProfile, ClientId, ClientKind, ClientMetadata, OperatorsWord, Pkce, RedirectUri, SigningAlg, SubjectType,
    Timestamp, TokenHash,
};
use crate::store::dialect::{Conn, on, read, sql};
use crate::store::{ClientRecord, ClientSource, License, Store, StoreError, UriPurpose};

// The columns are said twice, since a `const` text cannot be put together from others without hiding it from a reader's search.
sql! {
    CLIENT = "
        SELECT c.id, c.kind, c.name, c.secret_hash, c.token_endpoint_auth_method, c.pkce, c.claims_profile, c.subject_type,
               c.signing_alg, c.access_token_seconds, c.source, c.created_at, c.updated_at, c.disabled_at,
               c.sector, c.backchannel_logout_uri, c.metadata, c.operator, c.registration_hash, c.document_until, c.unused_until, c.consent_from,
               l.alias, l.owner, l.developer_token_seconds, u.purpose, u.uri
        FROM client c
        LEFT JOIN license l ON l.client_id = c.id
        LEFT JOIN client_redirect_uri u ON u.client_id = c.id
        WHERE c.id = $1
        ORDER BY u.created_at, u.uri";
    CLIENTS = "
        SELECT c.id, c.kind, c.name, c.secret_hash, c.token_endpoint_auth_method, c.pkce, c.claims_profile, c.subject_type,
               c.signing_alg, c.access_token_seconds, c.source, c.created_at, c.updated_at, c.disabled_at,
               c.sector, c.backchannel_logout_uri, c.metadata, c.operator, c.registration_hash, c.document_until, c.unused_until, c.consent_from,
               l.alias, l.owner, l.developer_token_seconds, u.purpose, u.uri
        FROM client c
        LEFT JOIN license l ON l.client_id = c.id
        LEFT JOIN client_redirect_uri u ON u.client_id = c.id
        WHERE c.kind = $1 OR $1 IS NULL
        ORDER BY c.created_at, c.id, u.created_at, u.uri";
    ENABLED = "SELECT id FROM client WHERE id = $1 AND disabled_at IS NULL";
}

impl Store {
    pub async fn client(&self, id: &ClientId) -> Result<Option<ClientRecord>, StoreError> {
        let rows: Vec<Row> = read!(self, rows(CLIENT, id))?;
        Ok(records(rows)?.pop())
    }

    /// Whether there is such a client and it is not disabled, at this very moment.
    pub async fn client_is_enabled(&self, id: &ClientId) -> Result<bool, StoreError> {
        let found: Option<ClientId> = read!(self, value(ENABLED, id))?;
        Ok(found.is_some())
    }

    /// Every client (of that kind), the oldest first, disabled ones too.
    pub async fn clients(&self, kind: Option<ClientKind>) -> Result<Vec<ClientRecord>, StoreError> {
        records(read!(self, rows(CLIENTS, kind))?)
    }
}

/// A client as it is inside a transaction.
pub(in crate::store) async fn within(conn: &mut Conn<'_>, id: &ClientId) -> Result<Option<ClientRecord>, StoreError> {
    let rows: Vec<Row> = on!(*conn, rows(CLIENT, id))?;
    Ok(records(rows)?.pop())
}

#[derive(FromRow)]
struct Row {
    id: ClientId,
    kind: ClientKind,
    name: String,
    secret_hash: Option<TokenHash>,
    token_endpoint_auth_method: AuthMethod,
    pkce: Pkce,
    claims_profile: ClaimsProfile,
    subject_type: Option<SubjectType>,
    signing_alg: SigningAlg,
    access_token_seconds: i64,
    source: ClientSource,
    created_at: Timestamp,
    updated_at: Timestamp,
    disabled_at: Option<Timestamp>,
    sector: Option<String>,
    backchannel_logout_uri: Option<String>,
    #[sqlx(json)]
    metadata: ClientMetadata,
    #[sqlx(json)]
    operator: OperatorsWord,
    registration_hash: Option<TokenHash>,
    document_until: Option<Timestamp>,
    unused_until: Option<Timestamp>,
    consent_from: Option<Timestamp>,
    alias: Option<String>,
    owner: Option<Address>,
    developer_token_seconds: Option<i64>,
    purpose: Option<UriPurpose>,
    uri: Option<RedirectUri>,
}

// Folds neighbouring rows of one client into its record.
fn records(rows: Vec<Row>) -> Result<Vec<ClientRecord>, StoreError> {
    let mut records: Vec<ClientRecord> = Vec::new();
    for mut row in rows {
        let uri = row.purpose.take().zip(row.uri.take());
        if records.last().is_none_or(|last| last.id != row.id) {
            records.push(row.record()?);
        }
        if let (Some((purpose, uri)), Some(last)) = (uri, records.last_mut()) {
            match purpose {
                UriPurpose::Redirect => last.redirect_uris.push(uri),
                UriPurpose::PostLogout => last.post_logout_redirect_uris.push(uri),
            }
        }
    }
    Ok(records)
}

impl Row {
    fn record(self) -> Result<ClientRecord, StoreError> {
        let license = match (self.alias, self.owner, self.developer_token_seconds) {
            (Some(alias), Some(owner), Some(seconds)) => Some(License { alias, owner, developer_token: span(seconds)? }),
            _ => None,
        };
        Ok(ClientRecord {
            id: self.id,
            kind: self.kind,
            name: self.name,
            secret_hash: self.secret_hash,
            auth_method: self.token_endpoint_auth_method,
            pkce: self.pkce,
            claims_profile: self.claims_profile,
            subject_type: self.subject_type,
            signing_alg: self.signing_alg,
            access_token: span(self.access_token_seconds)?,
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            sector: self.sector,
            backchannel_logout_uri: self.backchannel_logout_uri,
            metadata: self.metadata,
            operator: self.operator,
            registration_hash: self.registration_hash,
            document_until: self.document_until,
            unused_until: self.unused_until,
            consent_from: self.consent_from,
            license,
            source: self.source,
            created_at: self.created_at,
            updated_at: self.updated_at,
            disabled_at: self.disabled_at,
        })
    }
}

fn span(seconds: i64) -> Result<Duration, StoreError> {
    u64::try_from(seconds).map(Duration::from_secs).map_err(|_| StoreError::value(format_args!("a lifetime of {seconds} seconds")))
}
