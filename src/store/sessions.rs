//! Sessions: a browser that is signed in, known by the hash of its cookie.

use sqlx::FromRow;
use sqlx::types::Json;

use super::dialect::{Conn, on, read, sql, write_one};
use super::mails::Subject;
use super::{Store, StoreError, endings, notices};
use crate::domain::{AccountId, InteractionId, Provider, SessionId, Timestamp, TokenHash};

/// One signing-in of one browser.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Session {
    pub id: SessionId,
    pub account_id: AccountId,
    /// The identity that was proved.
    pub provider: Provider,
    pub subject: String,
    /// What the person knows it by; empty: the subject itself.
    pub label: String,
    /// When the person themselves proved it; `None`: a provider said so, which may have known them from long before.
    pub proved_at: Option<Timestamp>,
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

/// Whether a session begins in a browser that its account was used in before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    Known,
    /// The account's verified addresses are told.
    New,
}

sql! {
    START = "
        INSERT INTO session (id, token_hash, account_id, provider, subject, amr, authenticated_at, interaction_id, user_agent,
                             last_seen_at, expires_at, label, proved_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    SESSION = "
        SELECT s.id, s.account_id, s.provider, s.subject, s.label, s.proved_at, s.amr, s.authenticated_at, s.interaction_id, s.user_agent,
               s.last_seen_at, s.expires_at
        FROM session s
        JOIN account a ON a.id = s.account_id
        WHERE s.token_hash = $1 AND s.expires_at > $2 AND a.disabled_at IS NULL";
    SESSIONS = "
        SELECT s.id, s.account_id, s.provider, s.subject, s.label, s.proved_at, s.amr, s.authenticated_at, s.interaction_id, s.user_agent,
               s.last_seen_at, s.expires_at
        FROM session s
        WHERE s.account_id = $1 AND s.expires_at > $2
        ORDER BY s.last_seen_at DESC, s.id";
    TOUCH = "UPDATE session SET last_seen_at = $2 WHERE id = $1 AND last_seen_at < $2";
    /// The same person proved it again in the same browser: the session goes on under a new cookie. Its id, which apps know as
    /// `sid`, stays, so that its end can still be told to those who got it before.
    RENEW = "
        UPDATE session
        SET token_hash = $3, provider = $4, subject = $5, amr = $6, authenticated_at = $7, interaction_id = $8, user_agent = $9,
            last_seen_at = $7, expires_at = $10, label = $11, proved_at = $12
        WHERE token_hash = $1 AND account_id = $2 AND expires_at > $7";
}

impl Store {
    /// Stores a session under the hash of its cookie, in one transaction with what becomes of the one that it takes the place of: the
    /// same person's goes on as this one and keeps its own id, another person's ends.
    pub async fn start_session(&self, session: &Session, token: &TokenHash, replaces: Option<&TokenHash>) -> Result<(), StoreError> {
        self.start_session_on(Device::Known, session, token, replaces).await
    }

    /// The same on that device. Where the session goes on, the device is known, whatever is said of it.
    pub async fn start_session_on(
        &self,
        device: Device,
        session: &Session,
        token: &TokenHash,
        replaces: Option<&TokenHash>,
    ) -> Result<(), StoreError> {
        let (session, token, former) = (session.clone(), *token, replaces.copied());
        if former.is_none() && device == Device::Known {
            return self.statement(move |mut conn| Box::pin(async move { insert(&mut conn, session, token).await })).await;
        }
        self.transaction(move |mut conn| {
            Box::pin(async move {
                if let Some(former) = former {
                    if renew(&mut conn, &session, token, former).await? {
                        return Ok(());
                    }
                    if let Some(held) = endings::hold_one(&mut conn, former).await? {
                        endings::end(&mut conn, held, session.authenticated_at).await?;
                    }
                }
                let (account, now) = (session.account_id, session.authenticated_at);
                let notice = Subject::NewDevice { provider: session.provider.clone(), user_agent: session.user_agent.clone() };
                insert(&mut conn, session, token).await?;
                if device == Device::New {
                    notices::put(&mut conn, account, &notice, now).await?;
                }
                Ok(())
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

    /// Signs a browser out, in one transaction with what hangs on the session: codes and refresh tokens that are bound to it, and the
    /// messages to apps that want to be told. False: there is no such session.
    pub async fn end_session(&self, token: &TokenHash, now: Timestamp) -> Result<bool, StoreError> {
        let token = *token;
        self.transaction(move |mut conn| {
            Box::pin(async move {
                let Some(held) = endings::hold_one(&mut conn, token).await? else { return Ok(false) };
                endings::end(&mut conn, held, now).await?;
                Ok(true)
            })
        })
        .await
    }

    /// The same for one of a person's sessions, by its id. False: the person has no such session.
    pub async fn end_own_session(&self, account: AccountId, id: SessionId, now: Timestamp) -> Result<bool, StoreError> {
        self.transaction(move |mut conn| {
            Box::pin(async move {
                let Some(held) = endings::hold_own(&mut conn, id, account).await? else { return Ok(false) };
                endings::end(&mut conn, held, now).await?;
                Ok(true)
            })
        })
        .await
    }

    /// The same for every browser of a person; how many sessions that were.
    pub async fn end_sessions(&self, account: AccountId, now: Timestamp) -> Result<usize, StoreError> {
        self.transaction(move |mut conn| {
            Box::pin(async move {
                let held = endings::hold_all(&mut conn, account).await?;
                for session in &held {
                    endings::end(&mut conn, *session, now).await?;
                }
                Ok(held.len())
            })
        })
        .await
    }

    /// A person's living sessions, the last used first.
    pub async fn sessions(&self, account: AccountId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        read!(self, rows(SESSIONS, account, now))
    }
}

async fn renew(conn: &mut Conn<'_>, session: &Session, token: TokenHash, former: TokenHash) -> Result<bool, StoreError> {
    Ok(on!(
        *conn,
        execute(
            RENEW,
            former,
            session.account_id,
            token,
            &session.provider,
            &session.subject,
            Json(&session.amr),
            session.authenticated_at,
            session.interaction_id,
            &session.user_agent,
            session.expires_at,
            &session.label,
            session.proved_at
        )
    )? > 0)
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
            session.expires_at,
            session.label,
            session.proved_at
        )
    )
    .map(drop)
}
