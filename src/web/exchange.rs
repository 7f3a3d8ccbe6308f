//! The exchange of a token for one of an asset, as both doors do it: one read, one decision, one signature. And whether what it gave holds.

use super::ctx::Ctx;
use super::fault::{Fault, NotGranted};
use crate::domain::{AssetDid, ClientId, EventFilter, KeyPurpose, PermissionSet, Timestamp};
use crate::endpoints::Endpoint;
use crate::keys::{UnverifiedToken, VerifiedClaims};
use crate::policy::asset_claims::audience;
use crate::policy::exchange::decide;
use crate::policy::grants::{Ask, Granted};
use crate::protocol::error::ErrorCode;
use crate::state::State;
use crate::store::StoreError;
use crate::tokens::{self, AssetTokenId, OnBehalf, Record};

/// What is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    pub asset: AssetDid,
    pub permissions: &'a PermissionSet,
    pub events: &'a [EventFilter],
    pub audience: &'a [String],
    pub partial: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Exchanged {
    pub token: String,
    pub ends: Timestamp,
    pub granted: Granted,
}

/// Why nothing did.
#[derive(Debug)]
pub enum Refusal {
    /// The token that was shown does not hold any more.
    Dead,
    Fault(Fault),
}

impl<E: Into<Fault>> From<E> for Refusal {
    fn from(fault: E) -> Self {
        Self::Fault(fault.into())
    }
}

/// The address of the exchange, which is its resource identifier too (RFC 9728 §1.2).
#[must_use]
pub fn address(state: &State) -> String {
    format!("{}{}", state.issuer(), Endpoint::Exchange.path())
}

/// Exchanges `shown`, an access token of ours; it may be that of an actor for somebody else, whose token is looked at already.
pub async fn exchange(ctx: &Ctx, shown: &VerifiedClaims, on_behalf: Option<OnBehalf<'_>>, wish: &Wish<'_>) -> Result<Exchanged, Refusal> {
    let state = &ctx.state;
    let by = record_of(shown).ok_or(Refusal::Dead)?;
    let client = client_of(shown).ok_or(Refusal::Dead)?;
    let bearer = by.bearer(state, &client, shown.issued_at(), ctx.now);
    let found = state.store.exchange_facts(&bearer, &wish.asset, ctx.now).await?.ok_or(Refusal::Dead)?;
    let audience = audience(wish.audience, &found.metadata, &state.config.assets.audiences).map_err(|other| {
        let words = other.map_or_else(
            || "audience: this client may have none; its operator can give it some".to_owned(),
            |other| format!("audience: {other} is none that this client may have"),
        );
        Fault::new(ErrorCode::InvalidTarget, words)
    })?;
    let ask = Ask { permissions: wish.permissions, events: wish.events, partial: wish.partial };
    let mut granted = decide(&found, &wish.asset, &ask, &state.config.vocabulary, ctx.now).map_err(|refused| {
        Fault::NotGranted(Box::new(NotGranted { client: found.client.clone(), asset: wish.asset, refused: *refused }))
    })?;
    // It outlives neither the grant nor the token that it was got with.
    // No longer than any token that it was got with.
    let shown_until = on_behalf.map_or(shown.expires_at(), |parties| parties.subject.expires_at().min(shown.expires_at()));
    granted.until = Some(granted.until.map_or(shown_until, |until| until.min(shown_until)));
    let id = AssetTokenId { id: state.entropy.uuid(ctx.now), by, on_behalf: on_behalf.and_then(|parties| record_of(parties.subject)) };
    let (token, ends) = tokens::for_asset(state, &found.client, (wish.asset, &granted), &audience, id, on_behalf, ctx.now)?;
    metrics::counter!("latchkey_asset_tokens_total").increment(1);
    Ok(Exchanged { token, ends, granted })
}

/// Whether a text says of itself that it is an asset token.
#[must_use]
pub fn is_asset_token(state: &State, text: &str) -> bool {
    let iss = UnverifiedToken::parse(text).ok().and_then(|token| token.iss());
    iss.as_deref() == Some(state.keys.issuer(KeyPurpose::Assets))
}

/// Whether an asset token that was verified still holds: it was not revoked, the tokens that it was got with hold, and all that it says is
/// granted at this moment.
pub async fn still_holds(ctx: &Ctx, claims: &VerifiedClaims) -> Result<bool, StoreError> {
    let (state, issued_at) = (&ctx.state, claims.issued_at());
    let Some((id, client, asset, permissions, events)) = read(claims) else { return Ok(false) };
    if !state.store.client_token_lives(id.id, &client, issued_at).await? {
        return Ok(false);
    }
    if let Some(record) = id.on_behalf {
        // Of a client's own token the subject is the client; no other record asks who it is.
        let Ok(subject) = claims.sub().parse() else { return Ok(false) };
        let bearer = record.bearer(state, &subject, issued_at, ctx.now);
        if state.store.exchange_facts(&bearer, &asset, ctx.now).await?.is_none() {
            return Ok(false);
        }
    }
    let bearer = id.by.bearer(state, &client, issued_at, ctx.now);
    let found = state.store.exchange_facts(&bearer, &asset, ctx.now).await?.filter(|found| found.client == client);
    let ask = Ask { permissions: &permissions, events: &events, partial: false };
    Ok(found.is_some_and(|found| decide(&found, &asset, &ask, &state.config.vocabulary, ctx.now).is_ok()))
}

fn read(claims: &VerifiedClaims) -> Option<(AssetTokenId, ClientId, AssetDid, PermissionSet, Vec<EventFilter>)> {
    let map = claims.as_map();
    Some((
        AssetTokenId::parse(claims.jti()?)?,
        client_of(claims)?,
        claims.text("asset")?.parse().ok()?,
        serde_json::from_value(map.get("permissions")?.clone()).ok()?,
        serde_json::from_value(map.get("cloud_events")?.get("events")?.clone()).ok()?,
    ))
}

/// The client that a token was given to.
#[must_use]
pub fn client_of(claims: &VerifiedClaims) -> Option<ClientId> {
    claims.text("client_id")?.parse().ok()
}

fn record_of(claims: &VerifiedClaims) -> Option<Record> {
    claims.jti().and_then(Record::parse)
}
