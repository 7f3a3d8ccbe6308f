//! Who was sent to a provider elsewhere to prove who they are, and has not come back yet.

use sqlx::FromRow;

use super::dialect::{read, sql, write_one};
use super::{Store, StoreError};
use crate::domain::{InteractionId, Provider, Timestamp, TokenHash};

/// A browser that was sent to a provider.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct UpstreamVisit {
    /// What it is to come back to.
    pub interaction_id: InteractionId,
    pub upstream: Provider,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(FromRow)]
struct Left {
    interaction_id: InteractionId,
    taken: bool,
}

sql! {
    PUT = "
        INSERT INTO upstream_visit (state_hash, interaction_id, browser_hash, upstream, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    TAKE = "
        UPDATE upstream_visit SET taken_at = $4
        WHERE state_hash = $1 AND browser_hash = $2 AND upstream = $3 AND taken_at IS NULL AND expires_at > $4
        RETURNING interaction_id, upstream, created_at, expires_at";
    LEFT = "
        SELECT interaction_id, taken_at IS NOT NULL AS taken FROM upstream_visit
        WHERE state_hash = $1 AND browser_hash = $2 AND upstream = $3";
}

/// What came of an answer; where it was not taken, the visit that it was for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerTaken {
    /// By this call, and by no other.
    Now(UpstreamVisit),
    /// It came too late.
    Expired(InteractionId),
    /// By an earlier call.
    Already(InteractionId),
    /// Nobody was sent there with it, or another browser was, or to another provider.
    Unknown,
}

impl Store {
    /// Notes that a browser is sent to a provider; `state` is what it will bring back.
    pub async fn put_upstream_visit(&self, visit: &UpstreamVisit, state: &TokenHash, browser: &TokenHash) -> Result<(), StoreError> {
        let (visit, state, browser) = (visit.clone(), *state, *browser);
        write_one!(self, execute(PUT, state, visit.interaction_id, browser, visit.upstream, visit.created_at, visit.expires_at)).map(drop)
    }

    /// Takes the one answer of a provider to what it was asked in that browser.
    // It is taken before the code in it is redeemed. Where that fails, the person begins again: a code is for one use there too.
    pub async fn take_upstream_visit(
        &self,
        state: &TokenHash,
        browser: &TokenHash,
        upstream: &Provider,
        now: Timestamp,
    ) -> Result<AnswerTaken, StoreError> {
        let (hash, holder, provider) = (*state, *browser, upstream.clone());
        let taken: Option<UpstreamVisit> = write_one!(self, row(TAKE, hash, holder, provider, now))?;
        if let Some(visit) = taken {
            return Ok(AnswerTaken::Now(visit));
        }
        let left: Option<Left> = read!(self, row(LEFT, state, browser, upstream))?;
        Ok(match left {
            Some(Left { interaction_id, taken: true }) => AnswerTaken::Already(interaction_id),
            Some(Left { interaction_id, taken: false }) => AnswerTaken::Expired(interaction_id),
            None => AnswerTaken::Unknown,
        })
    }
}
