//! Codes that were mailed: one for each visit, the last one. Each is tried five times at most and used once, both by one statement.

use sqlx::FromRow;

use super::dialect::{Conn, on, read, sql, write_one};
use super::mails::{self, Mail};
use super::{Store, StoreError};
use crate::domain::{Email, EmailCodeId, InteractionId, Timestamp, TokenHash, UnknownWord};

/// How often a code may be tried.
pub const TRIES: i64 = 5;

/// A code that is to be mailed.
#[derive(Clone, Debug)]
pub struct NewEmailCode {
    pub id: EmailCodeId,
    pub interaction_id: InteractionId,
    pub email: Email,
    pub hash: TokenHash,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// What became of a code's mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailState {
    /// It could not be sent yet.
    Waiting,
    Sent,
    /// The mail server will not take it.
    Refused,
}

impl MailState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Refused => "refused",
        }
    }
}

impl TryFrom<String> for MailState {
    type Error = UnknownWord;

    fn try_from(text: String) -> Result<Self, UnknownWord> {
        [Self::Waiting, Self::Sent, Self::Refused]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(UnknownWord { given: text, known: "`waiting` `sent` `refused` " })
    }
}

/// The code of a visit, as far as its page must know it.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct EmailCodeState {
    pub email: Email,
    #[sqlx(try_from = "String")]
    pub mail_state: MailState,
    pub tries: i64,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

/// What came of trying a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmailTry {
    /// It was right, for the first and only time.
    Right(Email),
    /// It was not; so many tries are left.
    Wrong { left: i64 },
    /// Nothing was tried: it was used, tried too often, or it has expired. Its page knows which.
    Over,
    /// No code was mailed in this visit, or not for this browser.
    Unknown,
}

#[derive(FromRow)]
struct Tried {
    email: Email,
    tries: i64,
    is_right: bool,
}

sql! {
    FORMER = "SELECT id FROM email_code WHERE interaction_id = $1";
    /// A new code ends the former one, and has tries of its own.
    PUT = "
        INSERT INTO email_code (interaction_id, id, browser_hash, email, code_hash, tries, mail_state, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, 0, 'waiting', $6, $7)
        ON CONFLICT (interaction_id) DO UPDATE
        SET id = excluded.id, browser_hash = excluded.browser_hash, email = excluded.email, code_hash = excluded.code_hash, tries = 0,
            mail_state = 'waiting', created_at = excluded.created_at, expires_at = excluded.expires_at, used_at = NULL";
    /// Counts the try and uses the code up, if it is right, in one statement: of many who try at once each counts, and one may be right.
    TRY = "
        UPDATE email_code
        SET tries = tries + 1, used_at = CASE WHEN code_hash = $3 THEN $4 ELSE used_at END
        WHERE interaction_id = $1 AND browser_hash = $2 AND used_at IS NULL AND expires_at > $4 AND tries < $5
        RETURNING email, tries, used_at IS NOT NULL AS is_right";
    STATE = "
        SELECT email, mail_state, tries, expires_at, used_at FROM email_code WHERE interaction_id = $1 AND browser_hash = $2";
    NOTE = "UPDATE email_code SET mail_state = $2 WHERE id = $1";
}

impl Store {
    /// Stores a code for a visit of that browser, and its mail, which is claimed until `until`.
    pub async fn put_email_code(&self, code: NewEmailCode, browser: &TokenHash, until: Timestamp) -> Result<Mail, StoreError> {
        let browser = *browser;
        self.transaction(move |mut conn| {
            Box::pin(async move {
                let former: Option<EmailCodeId> = on!(conn, value(FORMER, code.interaction_id))?;
                let (id, email, now, expires_at) = (code.id, code.email.clone(), code.created_at, code.expires_at);
                on!(conn, execute(PUT, code.interaction_id, id, browser, code.email, code.hash, now, expires_at))?;
                if let Some(former) = former {
                    mails::drop_code(&mut conn, former).await?;
                }
                mails::put_code(&mut conn, id, email, (now, until, expires_at)).await
            })
        })
        .await
    }

    /// Tries a code in a visit of that browser. A right one is used up, whatever becomes of the sign-in: who is refused then asks for
    /// another code.
    pub async fn try_email_code(
        &self,
        visit: InteractionId,
        browser: &TokenHash,
        code: &TokenHash,
        now: Timestamp,
    ) -> Result<EmailTry, StoreError> {
        let (holder, hash) = (*browser, *code);
        let tried: Option<Tried> = write_one!(self, row(TRY, visit, holder, hash, now, TRIES))?;
        Ok(match tried {
            Some(tried) if tried.is_right => EmailTry::Right(tried.email),
            Some(tried) => EmailTry::Wrong { left: TRIES - tried.tries },
            None if self.email_code(visit, browser).await?.is_some() => EmailTry::Over,
            None => EmailTry::Unknown,
        })
    }

    /// How the code of a visit of that browser stands; `None`: there is none.
    pub async fn email_code(&self, visit: InteractionId, browser: &TokenHash) -> Result<Option<EmailCodeState>, StoreError> {
        read!(self, row(STATE, visit, browser))
    }
}

/// Notes what became of a code's mail.
pub(super) async fn note(conn: &mut Conn<'_>, id: EmailCodeId, state: MailState) -> Result<(), StoreError> {
    on!(*conn, execute(NOTE, id, state.as_str())).map(drop)
}
