//! The client that a request names, also where that is the address of a document on the client's own site
//! (draft-ietf-oauth-client-id-metadata-document): fetched when it is not known or no longer fresh, kept like any other client.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::ctx::Ctx;
use super::fault::Fault;
use super::{logo, registration};
use crate::domain::ClientId;
use crate::egress::{EgressError, Fetched, Want};
use crate::limits::{TooMany, Try};
use crate::policy::registration::{check_change, is_another};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::{client_document, client_registration};
use crate::store::{ClientRecord, ClientSource, StoreError};

/// The longest document that is read: the draft speaks of 5 KiB, and keys by value take some more.
const DOCUMENT: Want = Want { accept: "application/json", most: 16 * 1024 };

/// However short its `Cache-Control`, and where it has none: a document is not fetched for every visit.
const SHORTEST: Duration = Duration::from_mins(5);
/// However long its `Cache-Control`.
const LONGEST: Duration = Duration::from_hours(24);
/// When a site that did not answer is asked again.
const AGAIN: Duration = Duration::from_mins(1);
/// How long a document is believed after the last time that it was there, while its site does not answer.
const KEPT: Duration = Duration::from_hours(48);

/// The client of that id, or nothing.
///
/// # Errors
/// `invalid_client` with what is wrong with its document; too many fetches for this address; an outage of the store.
pub async fn client(ctx: &Ctx, id: &ClientId) -> Result<Option<Arc<ClientRecord>>, Fault> {
    let known = ctx.state.client(id).await?;
    if !ctx.state.config.registration.client_id_documents || !client_document::is_address(id) {
        return Ok(known);
    }
    match known {
        // An operator may register a URL as any other client id.
        Some(known) if known.source != ClientSource::Document || is_fresh(ctx, &known) => return Ok(Some(known)),
        Some(_) => ctx.state.forget_client(id).await,
        None => {}
    }
    let url = client_document::url(id)?;
    // In a box, because it is large and rare, and every request of every client would carry it along.
    match Box::pin(ctx.state.client_by(id, load(ctx, id, &url))).await {
        Ok(client) => Ok(Some(client)),
        Err(Trouble::Disabled) => Ok(None),
        Err(Trouble::Refused(error)) => Err(Fault::OAuth(error)),
        Err(Trouble::TooMany(too_many)) => Err(Fault::TooMany(too_many)),
        Err(Trouble::Unavailable) => Err(Fault::Unavailable),
        Err(Trouble::Broken(reason)) => Err(Fault::Broken(reason)),
    }
}

#[derive(Clone)]
enum Trouble {
    Disabled,
    Refused(OAuthError),
    TooMany(TooMany),
    Unavailable,
    Broken(String),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable,
            StoreError::Conflict(_) | StoreError::Schema(_) | StoreError::Corrupt(_) => Self::Broken(error.to_string()),
        }
    }
}

fn is_fresh(ctx: &Ctx, client: &ClientRecord) -> bool {
    client.document_until.is_some_and(|until| until > ctx.now)
}

async fn load(ctx: &Ctx, id: &ClientId, url: &Url) -> Result<Arc<ClientRecord>, Trouble> {
    let known = ctx.state.store.client(id).await?;
    if let Some(known) = &known {
        if known.disabled_at.is_some() {
            return Err(Trouble::Disabled);
        }
        // Another request, or another replica, has just fetched it.
        if known.source != ClientSource::Document || is_fresh(ctx, known) {
            return Ok(Arc::new(known.clone()));
        }
    }
    ctx.charge(Try::Registration).map_err(Trouble::TooMany)?;
    let fetched = ctx.state.egress.get_unredirected(url, DOCUMENT).await.and_then(Fetched::ok);
    match (fetched, known) {
        (Ok(document), _) => store(ctx, id, &document).await,
        // A document that is gone, or is another one now, is no outage: nothing of it is believed any more.
        (Err(reason), Some(known)) if reason.may_be_retried() && ctx.now < known.updated_at.plus(KEPT) => {
            tracing::info!(client = %id, %reason, "a client's document could not be fetched anew; the known one is kept");
            let until = ctx.now.plus(AGAIN);
            ctx.state.store.postpone_document(id, until).await?;
            Ok(Arc::new(ClientRecord { document_until: Some(until), ..known }))
        }
        (Err(reason), _) => Err(Trouble::Refused(unfetched(id, &reason))),
    }
}

async fn store(ctx: &Ctx, id: &ClientId, document: &Fetched) -> Result<Arc<ClientRecord>, Trouble> {
    let before = ctx.state.store.client(id).await?;
    let record = read(ctx, id, before.as_ref(), document).await.map_err(|error| {
        let description =
            format!("the client metadata document at client_id cannot be used: {}: {}", error.code.as_str(), error.description);
        Trouble::Refused(OAuthError::new(ErrorCode::InvalidClient, description))
    })?;
    if !ctx.state.store.put_document_client(&record).await? {
        // It was disabled, or changed by a newer fetch, in this very moment.
        return match ctx.state.store.client(id).await? {
            Some(stored) if stored.disabled_at.is_none() => Ok(Arc::new(stored)),
            _ => Err(Trouble::Disabled),
        };
    }
    // The stored one has what the document does not say: its age, and the sector of before.
    let stored = ctx.state.store.client(id).await?.ok_or(Trouble::Disabled)?;
    logo::prepare(ctx, &stored).await;
    Ok(Arc::new(stored))
}

async fn read(ctx: &Ctx, id: &ClientId, before: Option<&ClientRecord>, document: &Fetched) -> Result<ClientRecord, OAuthError> {
    // "application/json", or "application/<AS-defined>+json".
    let media_type = document.content_type.as_deref().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = media_type == "application/json" || (media_type.starts_with("application/") && media_type.ends_with("+json"));
    if !is_json {
        return Err(OAuthError::new(ErrorCode::InvalidClientMetadata, "its content type is not application/json"));
    }
    let members = client_registration::object(&document.body)?;
    client_document::check(id, &members)?;
    let terms = registration::terms(ctx, false);
    let record = registration::accept(ctx, id.clone(), ClientSource::Document, &members, terms).await?;
    if let Some(before) = before {
        check_change(before, &record, terms)?;
    }
    let consent_from = before.is_some_and(|before| is_another(before, &record)).then_some(ctx.now);
    let kept = document.max_age.unwrap_or(SHORTEST).clamp(SHORTEST, LONGEST);
    Ok(ClientRecord { document_until: Some(ctx.now.plus(kept)), consent_from, ..record })
}

fn unfetched(id: &ClientId, reason: &EgressError) -> OAuthError {
    OAuthError::new(
        ErrorCode::InvalidClient,
        format!("client_id {id} is not registered here, and no client metadata document could be fetched from it: {reason}"),
    )
}
