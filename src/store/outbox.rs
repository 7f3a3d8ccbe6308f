//! The outbox: messages that must reach somebody else. They are written in the transaction that makes them true (`endings.rs`), and
//! delivered afterwards by whoever claims them. A message is at the app at least once, never not at all because a process died.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::dialect::{Conn, on, read, sql, write_one};
use super::{Store, StoreError};
use crate::domain::{ClientId, SessionId, Timestamp, TokenHash};

/// How long a message is tried for.
const KEPT: Duration = Duration::from_hours(24);

/// What an app is told of a session that has ended (Back-Channel Logout §2.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEnd {
    /// The person's `sub` at that app.
    pub sub: String,
    pub sid: SessionId,
}

/// A message that was claimed: nobody else delivers it meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Message {
    /// The same at each attempt, so that an app which heard it before can tell.
    pub id: Uuid,
    pub client_id: ClientId,
    /// The address as it was registered when the message was written.
    pub destination: String,
    #[sqlx(json)]
    pub payload: SessionEnd,
    /// How often it was claimed, this time included.
    pub attempts: i64,
}

sql! {
    PUT = "
        INSERT INTO outbox (id, kind, client_id, destination, payload, attempts, created_at, due_at, expires_at)
        VALUES ($1, 'backchannel_logout', $2, $3, $4, 0, $5, $5, $6)";
    DUE = "SELECT id FROM outbox WHERE due_at <= $1 AND expires_at > $1 ORDER BY due_at LIMIT $2";
    /// Of many who try at once one gets it: for the others it is not due any more.
    CLAIM = "
        UPDATE outbox SET due_at = $3, attempts = attempts + 1
        WHERE id = $1 AND due_at <= $2 AND expires_at > $2
        RETURNING id, client_id, destination, payload, attempts";
    POSTPONE = "UPDATE outbox SET due_at = $3 WHERE id = $1 AND attempts = $2";
    DONE = "DELETE FROM outbox WHERE id = $1";
}

impl Store {
    /// At most `most` messages whose time has come, the longest waiting first.
    pub async fn due_messages(&self, now: Timestamp, most: u32) -> Result<Vec<Uuid>, StoreError> {
        read!(self, values(DUE, now, i64::from(most)))
    }

    /// Claims a message until `until`: if it is neither done nor postponed by then, its holder is dead, and it is due again. `None`:
    /// another replica has it, it is done, or its time is over.
    pub async fn claim_message(&self, id: Uuid, now: Timestamp, until: Timestamp) -> Result<Option<Message>, StoreError> {
        write_one!(self, row(CLAIM, id, now, until))
    }

    /// Tries a claimed message again at `due`. False: somebody else has claimed it since.
    pub async fn postpone_message(&self, message: &Message, due: Timestamp) -> Result<bool, StoreError> {
        let (id, attempts) = (message.id, message.attempts);
        Ok(write_one!(self, execute(POSTPONE, id, attempts, due))? > 0)
    }

    /// Forgets a message: it was heard, or there is nobody to hear it.
    pub async fn finish_message(&self, id: Uuid) -> Result<(), StoreError> {
        write_one!(self, execute(DONE, id)).map(drop)
    }
}

/// Writes to an app, inside the transaction that ends the session for it.
pub(super) async fn put(
    conn: &mut Conn<'_>,
    client: &ClientId,
    destination: &str,
    end: SessionEnd,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = message_id(end.sid, client, now);
    on!(*conn, execute(PUT, id, client, destination, Json(end), now, now.plus(KEPT))).map(drop)
}

// A session ends for an app once at a moment. An id that follows from that needs no chance, and grows with time as the index likes it.
fn message_id(session: SessionId, client: &ClientId, now: Timestamp) -> Uuid {
    let digest = TokenHash::of(&format!("{session} {} {client}", now.micros()));
    let mut rest = [0; 10];
    rest.copy_from_slice(&digest.as_bytes()[..10]);
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(now.micros().div_euclid(1_000)).unwrap_or(0), &rest).into_uuid()
}
