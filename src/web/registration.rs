//! An app's metadata, taken in wherever they come from: read, looked at for addresses that may not be fetched, decided upon.

use serde_json::{Map, Value};
use url::Url;

use super::ctx::Ctx;
use crate::domain::ClientId;
use crate::egress::{Egress, EgressError, Want};
use crate::policy::registration::{Terms, check_sector, record};
use crate::protocol::client_registration::Registration;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::store::{ClientRecord, ClientSource};

/// A sector's list of redirect URIs, at its longest.
const SECTOR: Want = Want { accept: "application/json", most: 64 * 1024 };

/// The record that these metadata make; it has no secret yet.
///
/// # Errors
/// In the words of RFC 7591 §3.2.2, with the member's name.
pub async fn accept(
    ctx: &Ctx,
    id: ClientId,
    source: ClientSource,
    members: &Map<String, Value>,
    terms: Terms,
) -> Result<ClientRecord, OAuthError> {
    let registration = Registration::read(members)?;
    let egress = &ctx.state.egress;
    let metadata = &registration.metadata;
    for (name, address) in [
        ("logo_uri", &metadata.logo_uri),
        ("jwks_uri", &metadata.jwks_uri),
        ("backchannel_logout_uri", &registration.backchannel_logout_uri),
    ] {
        if let Some(address) = address {
            fetchable(egress, name, address)?;
        }
    }
    let sector = metadata.sector_identifier_uri.as_deref().map(|uri| fetchable(egress, "sector_identifier_uri", uri)).transpose()?;
    let record = record(id, source, &registration, terms, ctx.now)?;
    // Last, because it leaves the house: only for metadata that are good otherwise.
    if let Some(url) = sector {
        let list = egress.get(&url, SECTOR).await.and_then(crate::egress::Fetched::ok);
        let list = list.map_err(|reason| refuse("sector_identifier_uri", &reason))?;
        // OpenID Connect Registration §5: "the Authorization Server MUST verify that all of the redirect_uris … are included".
        check_sector(&list.body, &record.redirect_uris)?;
    }
    Ok(record)
}

/// What holds for an app that registers itself here; `vouched`: it came with the operator's initial access token.
#[must_use]
pub fn terms(ctx: &Ctx, vouched: bool) -> Terms {
    let (tokens, unused) = (&ctx.state.config.tokens, ctx.state.config.registration.unused_lifetime);
    let unused = Some(unused).filter(|unused| !unused.is_zero());
    Terms { subject: tokens.subject, access_token: tokens.access_token, vouched, unused }
}

fn fetchable(egress: &Egress, name: &str, address: &str) -> Result<Url, OAuthError> {
    egress.check_url(address).map_err(|reason| refuse(name, &reason))
}

fn refuse(name: &str, reason: &EgressError) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClientMetadata, format!("{name} cannot be fetched: {reason}"))
}
