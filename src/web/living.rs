//! Whether an access token still holds: its record, looked up at every use. All that takes access tokens asks here.

use super::ctx::Ctx;
use crate::domain::{ClientId, Scope};
use crate::keys::VerifiedClaims;
use crate::protocol::claims_request::ClaimsRequest;
use crate::store::{DeveloperToken, PersonToken, StoreError};
use crate::tokens::{self, Record};

/// An access token that holds, by what it speaks of.
#[derive(Debug)]
pub enum Living {
    Person(Box<PersonToken>),
    Developer(DeveloperToken),
    /// A client's own.
    Client,
}

/// `None` when its record is gone or revoked, or when what it depends on has ended. `claims` are those of an access token of ours.
pub async fn living(ctx: &Ctx, claims: &VerifiedClaims) -> Result<Option<Living>, StoreError> {
    let store = &ctx.state.store;
    let Some(record) = claims.jti().and_then(Record::parse) else { return Ok(None) };
    Ok(match record {
        Record::Code(id) => store.person_token(id, ctx.now).await?.map(|person| narrowed(claims, person)),
        Record::Wallet(id) => store.wallet_token(id, ctx.now).await?.map(|person| narrowed(claims, person)),
        Record::Refresh(family, token) => {
            let seen_since = tokens::sessions_seen_since(&ctx.state, ctx.now);
            store.family_token(family, token, ctx.now, seen_since).await?.map(|person| narrowed(claims, person))
        }
        Record::Developer(id) => store.developer_token(id, ctx.now).await?.map(Living::Developer),
        Record::Client(id) => match claims.text("client_id").and_then(|id| id.parse::<ClientId>().ok()) {
            Some(client) => store.client_token_lives(id, &client, claims.issued_at()).await?.then_some(Living::Client),
            None => None,
        },
    })
}

// The record has what was granted; a token may have been asked for with less (RFC 6749 §6).
fn narrowed(claims: &VerifiedClaims, person: PersonToken) -> Living {
    let own: Scope = claims.text("scope").and_then(|scope| scope.parse().ok()).unwrap_or_default();
    let scope = person.scope.common(&own);
    let claims = ClaimsRequest::stored(person.claims.as_ref()).narrowed(&person.scope, &scope).to_stored();
    Living::Person(Box::new(PersonToken { scope, claims, ..person }))
}
