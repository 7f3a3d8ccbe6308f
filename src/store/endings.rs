//! How sessions begin to matter to apps, and how they end: with what hangs on them, and with a message to each app that wants one.
//!
//! All of it happens inside the transaction of whoever ends the session. It begins by holding the session's row, and so does the
//! issue of a code to an app that wants to be told. So one of the two comes first: the app is told, or it gets no code.

use sqlx::FromRow;

use super::StoreError;
use super::dialect::{Conn, on, sql};
use super::outbox::{self, SessionEnd};
use crate::domain::{AccountId, ClientId, Provider, SessionId, Timestamp, TokenHash};

sql! {
    HOLD = "UPDATE session SET last_seen_at = last_seen_at WHERE id = $1";
    HOLD_ONE = "UPDATE session SET last_seen_at = last_seen_at WHERE token_hash = $1 RETURNING id, account_id";
    HOLD_OWN = "
        UPDATE session SET last_seen_at = last_seen_at WHERE id = $1 AND account_id = $2 RETURNING id, account_id";
    HOLD_THOSE_OF = "
        UPDATE session SET last_seen_at = last_seen_at
        WHERE account_id = $1 AND provider = $2 AND subject = $3 AND (id <> $4 OR $4 IS NULL)
        RETURNING id, account_id";
    /// There are few devices at any moment.
    DENY_DEVICES_OF = "
        UPDATE device_authorization SET denied_at = $4
        WHERE account_id = $1 AND provider = $2 AND subject = $3 AND expires_at > $4 AND redeemed_at IS NULL AND denied_at IS NULL";
    /// Codes and families live only under a consent, and by those they are found.
    REVOKE_CODES_OF = "
        UPDATE authorization_code SET revoked_at = $4
        WHERE client_id IN (SELECT n.client_id FROM consent n WHERE n.account_id = $1) AND account_id = $1
          AND provider = $2 AND subject = $3 AND revoked_at IS NULL";
    REVOKE_FAMILIES_OF = "
        UPDATE refresh_token SET revoked_at = $4
        WHERE client_id IN (SELECT n.client_id FROM consent n WHERE n.account_id = $1) AND account_id = $1
          AND provider = $2 AND subject = $3 AND revoked_at IS NULL";
    HOLD_ALL = "UPDATE session SET last_seen_at = last_seen_at WHERE account_id = $1 RETURNING id, account_id";
    NOTE = "
        INSERT INTO session_client (session_id, client_id, subject, created_at)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (session_id, client_id) DO UPDATE SET subject = excluded.subject";
    LISTENERS = "
        SELECT t.session_id, t.client_id, t.subject, c.backchannel_logout_uri AS destination
        FROM session_client t
        JOIN client c ON c.id = t.client_id
        WHERE t.session_id = $1 AND c.backchannel_logout_uri IS NOT NULL AND c.disabled_at IS NULL
        ORDER BY t.client_id";
    LISTENERS_AT = "
        SELECT t.session_id, t.client_id, t.subject, c.backchannel_logout_uri AS destination
        FROM session s
        JOIN session_client t ON t.session_id = s.id
        JOIN client c ON c.id = t.client_id
        WHERE s.account_id = $1 AND t.client_id = $2 AND c.backchannel_logout_uri IS NOT NULL AND c.disabled_at IS NULL
        ORDER BY t.session_id";
    FORGET_AT = "
        DELETE FROM session_client
        WHERE client_id = $2 AND session_id IN (SELECT s.id FROM session s WHERE s.account_id = $1)";
    /// Codes that wait; tokens that were given live as long as they say. A code lives only under a consent, and by those it is found
    /// without an index that each code would pay for.
    REVOKE_CODES = "
        UPDATE authorization_code SET revoked_at = $3
        WHERE client_id IN (SELECT n.client_id FROM consent n WHERE n.account_id = $2) AND account_id = $2
          AND session_id = $1 AND redeemed_at IS NULL AND revoked_at IS NULL";
    /// Back-Channel Logout §2.7: "Refresh tokens issued without the `offline_access` property to a session being logged out SHOULD be
    /// revoked." Only those name their session.
    REVOKE_REFRESH_TOKENS = "UPDATE refresh_token SET revoked_at = $2 WHERE session_id = $1 AND revoked_at IS NULL";
    END = "DELETE FROM session WHERE id = $1";
}

/// A session that this transaction holds.
#[derive(Clone, Copy, Debug, FromRow)]
pub(super) struct Held {
    id: SessionId,
    account_id: AccountId,
}

#[derive(FromRow)]
struct Listener {
    session_id: SessionId,
    client_id: ClientId,
    subject: String,
    destination: String,
}

/// Holds the session that a code is to be issued in. False: it has ended.
pub(super) async fn hold(conn: &mut Conn<'_>, session: SessionId) -> Result<bool, StoreError> {
    Ok(on!(*conn, execute(HOLD, session))? > 0)
}

/// Holds the session of that cookie, if there is one.
pub(super) async fn hold_one(conn: &mut Conn<'_>, token: TokenHash) -> Result<Option<Held>, StoreError> {
    on!(*conn, row(HOLD_ONE, token))
}

/// Holds the session of that id, if it is that person's.
pub(super) async fn hold_own(conn: &mut Conn<'_>, session: SessionId, account: AccountId) -> Result<Option<Held>, StoreError> {
    on!(*conn, row(HOLD_OWN, session, account))
}

/// Holds all sessions of a person.
pub(super) async fn hold_all(conn: &mut Conn<'_>, account: AccountId) -> Result<Vec<Held>, StoreError> {
    on!(*conn, rows(HOLD_ALL, account))
}

/// Notes that an app, where the person is `subject`, wants to be told of the end of a session that is held.
pub(super) async fn note(
    conn: &mut Conn<'_>,
    session: SessionId,
    client: &ClientId,
    subject: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(*conn, execute(NOTE, session, client, subject, now)).map(drop)
}

/// Ends a session that is held, and writes to the apps that want to be told.
pub(super) async fn end(conn: &mut Conn<'_>, held: Held, now: Timestamp) -> Result<(), StoreError> {
    let listeners: Vec<Listener> = on!(*conn, rows(LISTENERS, held.id))?;
    tell(conn, listeners, now).await?;
    on!(*conn, execute(REVOKE_CODES, held.id, held.account_id, now))?;
    on!(*conn, execute(REVOKE_REFRESH_TOKENS, held.id, now))?;
    on!(*conn, execute(END, held.id)).map(drop)
}

/// Ends all that was begun by these identities of a person: sessions, but one, and what apps and devices got, signed in or not.
// One kind after the other, as all transactions do. Devices come before codes: one that is being redeemed is waited for, and what it got is
// seen then.
pub(super) async fn end_those_of(
    conn: &mut Conn<'_>,
    account: AccountId,
    identities: &[(Provider, String)],
    but: Option<SessionId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut held: Vec<Held> = Vec::new();
    for (provider, subject) in identities {
        held.extend::<Vec<Held>>(on!(*conn, rows(HOLD_THOSE_OF, account, provider, subject, but))?);
    }
    for (provider, subject) in identities {
        on!(*conn, execute(DENY_DEVICES_OF, account, provider, subject, now))?;
    }
    for session in held {
        end(conn, session, now).await?;
    }
    for (provider, subject) in identities {
        on!(*conn, execute(REVOKE_CODES_OF, account, provider, subject, now))?;
    }
    for (provider, subject) in identities {
        on!(*conn, execute(REVOKE_FAMILIES_OF, account, provider, subject, now))?;
    }
    Ok(())
}

/// Ends a person's sessions at one app: the person stays signed in here.
pub(super) async fn end_at(conn: &mut Conn<'_>, account: AccountId, client: &ClientId, now: Timestamp) -> Result<(), StoreError> {
    let listeners: Vec<Listener> = on!(*conn, rows(LISTENERS_AT, account, client))?;
    tell(conn, listeners, now).await?;
    on!(*conn, execute(FORGET_AT, account, client)).map(drop)
}

async fn tell(conn: &mut Conn<'_>, listeners: Vec<Listener>, now: Timestamp) -> Result<(), StoreError> {
    for listener in listeners {
        let end = SessionEnd { sub: listener.subject, sid: listener.session_id };
        outbox::put(conn, &listener.client_id, &listener.destination, end, now).await?;
    }
    Ok(())
}
