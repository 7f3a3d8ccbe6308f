//! Passkeys: what their authenticators were asked, taken once, and their public halves, each with the identity that says whose it is.

use sqlx::FromRow;
use uuid::Uuid;

use super::dialect::{Conn, on, read, sql, write_one};
use super::{Linked, Profile, Proved, Store, StoreError, Taken, identities};
use crate::domain::{AccountId, BackupState, Ceremony, InteractionId, Provider, Timestamp, TokenHash};

/// What an authenticator is asked in a visit.
#[derive(Clone, Debug, PartialEq)]
pub struct PasskeyChallenge {
    pub id: Uuid,
    pub interaction_id: InteractionId,
    pub ceremony: Ceremony,
    /// What the answer is compared with.
    pub state: serde_json::Value,
    pub expires_at: Timestamp,
}

/// The public half of a passkey.
#[derive(Clone, Debug, PartialEq, FromRow)]
pub struct Passkey {
    /// As base64url; the subject of its identity.
    pub credential_id: String,
    /// What the authenticator knows the account by.
    pub user_handle: Uuid,
    /// The public key and what was said when it was made. The counter in it stands still: the one that counts is `counter`.
    #[sqlx(json)]
    pub credential: serde_json::Value,
    /// How often the authenticator says that it has signed; 0 where it does not count.
    #[sqlx(try_from = "i64")]
    pub counter: u32,
    pub backup_state: BackupState,
    pub created_at: Timestamp,
    pub last_used_at: Timestamp,
}

/// A passkey with its owner.
#[derive(Clone, Debug, PartialEq, FromRow)]
pub struct KnownPasskey {
    #[sqlx(flatten)]
    pub passkey: Passkey,
    pub account_id: AccountId,
    /// What its person calls it.
    pub label: String,
}

/// What became of a signature's counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeyUse {
    Noted,
    /// It has not grown: the key may be in two places.
    NotGrown,
    /// The passkey was removed meanwhile.
    Gone,
}

sql! {
    PUT_CHALLENGE = "
        INSERT INTO passkey_challenge (id, interaction_id, browser_hash, ceremony, state, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    TAKE_CHALLENGE = "
        UPDATE passkey_challenge SET taken_at = $5
        WHERE id = $1 AND interaction_id = $2 AND browser_hash = $3 AND ceremony = $4 AND taken_at IS NULL AND expires_at > $5
        RETURNING state";
    CHALLENGE_TAKEN = "
        SELECT taken_at IS NOT NULL AS taken FROM passkey_challenge
        WHERE id = $1 AND interaction_id = $2 AND browser_hash = $3 AND ceremony = $4";
    PUT = "
        INSERT INTO passkey (credential_id, provider, user_handle, credential, counter, backup_state, created_at, last_used_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    PASSKEY = "
        SELECT p.credential_id, p.user_handle, p.credential, p.counter, p.backup_state, p.created_at, p.last_used_at, i.account_id, i.label
        FROM passkey p
        JOIN identity i ON i.provider = p.provider AND i.subject = p.credential_id
        WHERE p.credential_id = $1";
    OF_ACCOUNT = "
        SELECT p.credential_id, p.user_handle, p.credential, p.counter, p.backup_state, p.created_at, p.last_used_at
        FROM identity i
        JOIN passkey p ON p.provider = i.provider AND p.credential_id = i.subject
        WHERE i.account_id = $1
        ORDER BY p.created_at, p.credential_id";
    USE = "
        UPDATE passkey SET counter = $2, backup_state = $3, last_used_at = $4
        WHERE credential_id = $1 AND (counter < $2 OR (counter = 0 AND $2 = 0))";
    IS_THERE = "SELECT counter FROM passkey WHERE credential_id = $1";
}

impl Store {
    /// Stores what an authenticator is asked.
    pub async fn put_passkey_challenge(&self, challenge: &PasskeyChallenge, browser: &TokenHash) -> Result<(), StoreError> {
        let (challenge, browser) = (challenge.clone(), *browser);
        write_one!(
            self,
            execute(
                PUT_CHALLENGE,
                challenge.id,
                challenge.interaction_id,
                browser,
                challenge.ceremony,
                challenge.state,
                challenge.expires_at
            )
        )
        .map(drop)
    }

    /// Takes a challenge for the one look at its answer, and gives what that is compared with.
    // Web Authentication §13.4.3: it "is dependent upon randomized challenges to avoid replay attacks". One is burnt before its answer is
    // looked at; whoever's connection broke is asked anew.
    pub async fn take_passkey_challenge(
        &self,
        id: Uuid,
        ceremony: Ceremony,
        interaction: InteractionId,
        browser: &TokenHash,
        now: Timestamp,
    ) -> Result<Taken<serde_json::Value>, StoreError> {
        let holder = *browser;
        let taken: Option<serde_json::Value> = write_one!(self, value(TAKE_CHALLENGE, id, interaction, holder, ceremony, now))?;
        if let Some(state) = taken {
            return Ok(Taken::Now(state));
        }
        Ok(match read!(self, value(CHALLENGE_TAKEN, id, interaction, browser, ceremony))? {
            Some(true) => Taken::Already,
            Some(false) => Taken::Expired,
            None => Taken::Unknown,
        })
    }

    /// A passkey by its credential id.
    pub async fn passkey(&self, credential_id: &str) -> Result<Option<KnownPasskey>, StoreError> {
        read!(self, row(PASSKEY, credential_id))
    }

    /// An account's passkeys, the oldest first.
    pub async fn passkeys_of(&self, account: AccountId) -> Result<Vec<Passkey>, StoreError> {
        read!(self, rows(OF_ACCOUNT, account))
    }

    /// Makes an account of a new passkey. False, and nothing made: the credential is somebody's already.
    // Web Authentication §7.1: "Verify that the credentialId is not yet registered for any user." Anybody can claim to have made a passkey of
    // any id, so whoever comes with a known one must never be let in by it.
    pub async fn sign_up_by_passkey(
        &self,
        proved: &Proved,
        passkey: &Passkey,
        new_id: AccountId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (proved, passkey) = (proved.clone(), passkey.clone());
        let made = self
            .transaction(move |mut conn| {
                Box::pin(async move {
                    identities::create(&mut conn, new_id, Profile::default(), proved, now).await?;
                    put(&mut conn, passkey).await
                })
            })
            .await;
        match made {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Adds a new passkey to an account whose person has just proved to be it.
    pub async fn link_passkey(&self, account: AccountId, proved: &Proved, passkey: &Passkey, now: Timestamp) -> Result<Linked, StoreError> {
        let (proved, passkey) = (proved.clone(), passkey.clone());
        self.transaction(move |mut conn| {
            Box::pin(async move {
                let linked = identities::add(&mut conn, account, proved, now).await?;
                if linked == Linked::Now {
                    put(&mut conn, passkey).await?;
                }
                Ok(linked)
            })
        })
        .await
    }

    /// Notes that a passkey has signed, if its counter has grown or it never counts.
    // Web Authentication §7.2: a count that has not grown is "a signal, but not proof, that the authenticator may be cloned". It is enough
    // for us to let nobody in; and of two signatures with one count, one is let in.
    pub async fn use_passkey(
        &self,
        credential_id: &str,
        counter: u32,
        backup_state: BackupState,
        now: Timestamp,
    ) -> Result<PasskeyUse, StoreError> {
        let (id, counter) = (credential_id.to_owned(), i64::from(counter));
        if write_one!(self, execute(USE, id, counter, backup_state, now))? > 0 {
            return Ok(PasskeyUse::Noted);
        }
        let there: Option<i64> = read!(self, value(IS_THERE, credential_id))?;
        Ok(there.map_or(PasskeyUse::Gone, |_| PasskeyUse::NotGrown))
    }
}

async fn put(conn: &mut Conn<'_>, passkey: Passkey) -> Result<(), StoreError> {
    on!(
        *conn,
        execute(
            PUT,
            passkey.credential_id,
            Provider::passkey(),
            passkey.user_handle,
            passkey.credential,
            i64::from(passkey.counter),
            passkey.backup_state,
            passkey.created_at,
            passkey.last_used_at
        )
    )
    .map(drop)
}
