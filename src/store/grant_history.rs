//! The history of a grant: who did what and when, why, and what the grant gave from then on. Rows are only ever added; they go with their
//! grant.

use sqlx::FromRow;

use super::dialect::{Conn, on, read, sql};
use super::{Store, StoreError};
use crate::domain::{AccountId, ClientId, EventFilter, GrantId, PermissionSet, Timestamp};

/// Who does something to a grant or an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The owner, by a page of ours, or by an app that has leave to.
    Owner { account: AccountId, by: Option<ClientId> },
    /// The app that the grant is for.
    Grantee(ClientId),
    /// The operator, by the command line.
    Operator,
}

/// One line of a grant's history.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct GrantEvent {
    /// 1, 2, …
    pub number: i64,
    pub at: Timestamp,
    /// `made`, `changed` or `ended`.
    pub what: String,
    /// `owner`, `grantee` or `operator`.
    pub actor: String,
    pub actor_account: Option<AccountId>,
    /// The app that did it for itself, or in the owner's name.
    pub actor_client: Option<ClientId>,
    /// How it was made, or why it ended: a word of [`GrantSource`](crate::domain::GrantSource) or [`GrantEnd`](crate::domain::GrantEnd).
    pub why: String,
    /// What it gives from then on, or gave until then.
    pub permissions: PermissionSet,
    #[sqlx(json)]
    pub events: Vec<EventFilter>,
    pub expires_at: Timestamp,
}

/// What happened to a grant.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    Made,
    Changed,
    Ended,
}

sql! {
    /// The grant's row is held by this transaction, which has just written it: nobody else adds the same number.
    NOTE = "
        INSERT INTO grant_event (grant_id, number, at, what, actor, actor_account, actor_client, why, permissions, events, expires_at)
        SELECT g.id, (SELECT COALESCE(MAX(e.number), 0) + 1 FROM grant_event e WHERE e.grant_id = g.id), $2, $3, $4, $5, $6, $7,
               g.permissions, g.events, g.expires_at
        FROM asset_grant g
        WHERE g.id = $1";
    HISTORY = "
        SELECT number, at, what, actor, actor_account, actor_client, why, permissions, events, expires_at
        FROM grant_event
        WHERE grant_id = $1
        ORDER BY number";
}

impl Store {
    /// All that became of a grant, the oldest first.
    pub async fn grant_history(&self, id: GrantId) -> Result<Vec<GrantEvent>, StoreError> {
        read!(self, rows(HISTORY, id))
    }
}

/// Notes what the transaction has just done to a grant.
pub(super) async fn note(
    conn: &mut Conn<'_>,
    grant: GrantId,
    what: What,
    actor: &Actor,
    why: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (word, account, client) = match actor {
        Actor::Owner { account, by } => ("owner", Some(*account), by.as_ref()),
        Actor::Grantee(client) => ("grantee", None, Some(client)),
        Actor::Operator => ("operator", None, None),
    };
    let what = match what {
        What::Made => "made",
        What::Changed => "changed",
        What::Ended => "ended",
    };
    on!(*conn, execute(NOTE, grant, now, what, word, account, client, why)).map(drop)
}
