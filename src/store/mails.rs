//! Mails that are to be sent. Each is a row, written in the transaction that makes it true, and delivered by whoever claims it: a process
//! that dies in between only delays it. One with a code is sent only as long as the code lives.
//!
//! No row has a secret in it. The code of a mail is made again from the row's id (`domain/email_code.rs`) by whoever sends it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::dialect::{Conn, on, read, sql, write_one};
use super::email_codes::{self, MailState, TRIES};
use super::{Store, StoreError};
use crate::domain::{Email, EmailCodeId, Provider, Timestamp, TokenHash};

/// How long a notice is tried for: a weekend.
const KEPT: Duration = Duration::from_hours(72);

/// What a mail is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The code whose id is the mail's.
    Code,
    /// A way to sign in was added to the account: the provider's, which the person knows by that name.
    WayAdded { provider: Provider, name: String },
    /// It has another secret now.
    WayChanged { provider: Provider, name: String },
    /// It was removed.
    WayRemoved { provider: Provider, name: String },
    /// Somebody signed in by that provider, in a browser that the account was never used in.
    NewDevice { provider: Provider, user_agent: String },
}

/// A mail that was claimed: nobody else sends it meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Mail {
    pub id: Uuid,
    pub recipient: Email,
    #[sqlx(json, rename = "payload")]
    pub subject: Subject,
    /// How often it was claimed, this time included.
    pub attempts: i64,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

// A mail with a code that has been used, guessed at too often, or replaced by another is not sent any more.
macro_rules! still_wanted {
    ($now:literal, $tries:literal) => {
        concat!(
            "expires_at > ",
            $now,
            " AND (kind <> 'email_code'
                   OR EXISTS (SELECT 1 FROM email_code c
                              WHERE c.id = mail.id AND c.used_at IS NULL AND c.expires_at > ",
            $now,
            " AND c.tries < ",
            $tries,
            "))"
        )
    };
}

sql! {
    PUT = "
        INSERT INTO mail (id, kind, recipient, payload, attempts, created_at, due_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (id) DO NOTHING";
    DUE = concat!("SELECT id FROM mail WHERE due_at <= $1 AND ", still_wanted!("$1", "$2"), " ORDER BY due_at LIMIT $3");
    /// Of many who try at once one gets it: for the others it is not due any more.
    CLAIM = concat!("
        UPDATE mail SET due_at = $4, attempts = attempts + 1
        WHERE id = $2 AND due_at <= $1 AND ", still_wanted!("$1", "$3"), "
        RETURNING id, recipient, payload, attempts, created_at, expires_at");
    POSTPONE = "UPDATE mail SET due_at = $3 WHERE id = $1 AND attempts = $2";
    DONE = "DELETE FROM mail WHERE id = $1";
}

impl Store {
    /// At most `most` mails whose time has come, the longest waiting first.
    pub async fn due_mails(&self, now: Timestamp, most: u32) -> Result<Vec<Uuid>, StoreError> {
        read!(self, values(DUE, now, TRIES, i64::from(most)))
    }

    /// Claims a mail until `until`: if it is neither done nor postponed by then, its holder is dead, and it is due again. `None`: another
    /// replica has it, it is done, or nobody wants it any more.
    pub async fn claim_mail(&self, id: Uuid, now: Timestamp, until: Timestamp) -> Result<Option<Mail>, StoreError> {
        write_one!(self, row(CLAIM, now, id, TRIES, until))
    }

    /// Tries a claimed mail again at `due`. False: somebody else has claimed it since.
    pub async fn postpone_mail(&self, mail: &Mail, due: Timestamp) -> Result<bool, StoreError> {
        let (id, attempts) = (mail.id, mail.attempts);
        Ok(write_one!(self, execute(POSTPONE, id, attempts, due))? > 0)
    }

    /// Forgets a mail: it was sent, or the mail server will never take it. The page that asks for its code can tell which.
    pub async fn finish_mail(&self, mail: &Mail, sent: bool) -> Result<(), StoreError> {
        let (id, is_code) = (mail.id, mail.subject == Subject::Code);
        self.transaction(move |mut conn| {
            Box::pin(async move {
                if is_code {
                    let state = if sent { MailState::Sent } else { MailState::Refused };
                    email_codes::note(&mut conn, EmailCodeId(id), state).await?;
                }
                on!(conn, execute(DONE, id)).map(drop)
            })
        })
        .await
    }
}

/// Writes the mail of a code, claimed until `until` by whoever asked for it.
pub(super) async fn put_code(
    conn: &mut Conn<'_>,
    id: EmailCodeId,
    recipient: Email,
    (now, until, expires_at): (Timestamp, Timestamp, Timestamp),
) -> Result<Mail, StoreError> {
    let mail = Mail { id: id.0, recipient, subject: Subject::Code, attempts: 1, created_at: now, expires_at };
    put(conn, &mail, "email_code", until).await?;
    Ok(mail)
}

/// Writes a notice, to be sent at once by the worker.
pub(super) async fn put_notice(conn: &mut Conn<'_>, recipient: Email, subject: &Subject, now: Timestamp) -> Result<(), StoreError> {
    let id = notice_id(&recipient, subject, now);
    let mail = Mail { id, recipient, subject: subject.clone(), attempts: 0, created_at: now, expires_at: now.plus(KEPT) };
    put(conn, &mail, "notice", now).await
}

/// Forgets the mail of a code that another one takes the place of.
pub(super) async fn drop_code(conn: &mut Conn<'_>, id: EmailCodeId) -> Result<(), StoreError> {
    on!(*conn, execute(DONE, id.0)).map(drop)
}

async fn put(conn: &mut Conn<'_>, mail: &Mail, kind: &'static str, due_at: Timestamp) -> Result<(), StoreError> {
    on!(
        *conn,
        execute(PUT, mail.id, kind, mail.recipient.clone(), Json(&mail.subject), mail.attempts, mail.created_at, due_at, mail.expires_at)
    )
    .map(drop)
}

// The same thing that happens to an account twice at a moment is told once. An id that follows from that needs no chance, and grows with
// time as the index likes it.
fn notice_id(recipient: &Email, subject: &Subject, now: Timestamp) -> Uuid {
    let digest = TokenHash::of(&format!("{} {} {subject:?}", recipient.as_str(), now.micros()));
    let mut rest = [0; 10];
    rest.copy_from_slice(&digest.as_bytes()[..10]);
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(now.micros().div_euclid(1_000)).unwrap_or(0), &rest).into_uuid()
}
