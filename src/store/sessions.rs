//! Sessions: a browser that is signed in, known by the hash of its cookie.

use sqlx::FromRow;
use sqlx::types::Json;

use super::dialect::{Conn, on, read, sql, write_one};
use super::{Store, StoreError};
use crate::domain::{AccountId, InteractionId, Provider, SessionId, Timestamp, TokenHash};

/// One signing-in of one browser.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Session {
    pub id: SessionId,
    pub account_id: AccountId,
    /// The identity that was proved.
    pub provider: Provider,
    pub subject: String,
    /// How it was proved (RFC 8176).
    #[sqlx(json)]
    pub amr: Vec<String>,
    pub authenticated_at: Timestamp,
    /// The visit in which it was proved: with `prompt=login`, only that one counts as fresh.
    pub interaction_id: InteractionId,
    pub user_agent: String,
    pub last_seen_at: Timestamp,
    pub expires_at: Timestamp,
}

sql! {
    START = "
        INSERT INTO session (id, token_hash, account_id, provider, subject, amr, authenticated_at, interaction_id, user_agent,
                             last_seen_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    SESSION = "
        SELECT s.id, s.account_id, s.provider, s.subject, s.amr, s.authenticated_at, s.interaction_id, s.user_agent,
               s.last_seen_at, s.expires_at
        FROM session s
        JOIN account a ON a.id = s.account_id
        WHERE s.token_hash = $1 AND s.expires_at > $2 AND a.disabled_at IS NULL";
    SESSIONS = "
        SELECT s.id, s.account_id, s.provider, s.subject, s.amr, s.authenticated_at, s.interaction_id, s.user_agent,
               s.last_seen_at, s.expires_at
        FROM session s
        WHERE s.account_id = $1 AND s.expires_at > $2
        ORDER BY s.last_seen_at DESC, s.id";
    TOUCH = "UPDATE session SET last_seen_at = $2 WHERE id = $1 AND last_seen_at < $2";
    END = "DELETE FROM session WHERE token_hash = $1";
    END_ALL = "DELETE FROM session WHERE account_id = $1";
}

impl Store {
    /// Stores a session under the hash of its cookie, and ends the one that it takes the place of, in one transaction.
    pub async fn start_session(&self, session: &Session, token: &TokenHash, replaces: Option<&TokenHash>) -> Result<(), StoreError> {
        let (session, token) = (session.clone(), *token);
        let Some(former) = replaces.copied() else {
            return self.statement(move |mut conn| Box::pin(async move { insert(&mut conn, session, token).await })).await;
        };
        self.transaction(move |mut conn| {
            Box::pin(async move {
                on!(conn, execute(END, former))?;
                insert(&mut conn, session, token).await
            })
        })
        .await
    }

    /// `None` when there is no such session, when it has expired, or when its account is disabled.
    pub async fn session(&self, token: &TokenHash, now: Timestamp) -> Result<Option<Session>, StoreError> {
        read!(self, row(SESSION, token, now))
    }

    /// Notes that the browser was here.
    pub async fn touch_session(&self, id: SessionId, now: Timestamp) -> Result<(), StoreError> {
        write_one!(self, execute(TOUCH, id, now)).map(drop)
    }

    /// Signs a browser out. False: there is no such session.
    pub async fn end_session(&self, token: &TokenHash) -> Result<bool, StoreError> {
        let token = *token;
        Ok(write_one!(self, execute(END, token))? > 0)
    }

    /// Signs a person out everywhere; how many sessions that were.
    pub async fn end_sessions(&self, account: AccountId) -> Result<u64, StoreError> {
        write_one!(self, execute(END_ALL, account))
    }

    /// A person's living sessions, the last used first.
    pub async fn sessions(&self, account: AccountId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        read!(self, rows(SESSIONS, account, now))
    }
}

async fn insert(conn: &mut Conn<'_>, session: Session, token: TokenHash) -> Result<(), StoreError> {
    on!(
        *conn,
        execute(
            START,
            session.id,
            token,
            session.account_id,
            session.provider,
            session.subject,
            Json(session.amr),
            session.authenticated_at,
            session.interaction_id,
            session.user_agent,
            session.last_seen_at,
            session.expires_at
        )
    )
    .map(drop)
}
