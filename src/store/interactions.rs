//! Interactions: visits that are not finished, bound to the browser that began them; and forms that other sites posted to us.

use sqlx::FromRow;

use super::codes::insert_unconditionally;
use super::dialect::{on, read, sql, write_one};
use super::{NewCode, Store, StoreError, endings};
use crate::domain::{InteractionId, Timestamp, TokenHash};

/// A visit that is not finished.
#[derive(Clone, Debug, PartialEq, FromRow)]
pub struct Interaction {
    pub id: InteractionId,
    /// What it is for, in the words of the room that began it.
    #[sqlx(json)]
    pub purpose: serde_json::Value,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

sql! {
    PUT = "INSERT INTO interaction (id, browser_hash, purpose, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)";
    INTERACTION = "
        SELECT id, purpose, created_at, expires_at FROM interaction
        WHERE id = $1 AND browser_hash = $2 AND expires_at > $3";
    END = "DELETE FROM interaction WHERE id = $1 AND browser_hash = $2";
    /// Takes the visit away from all others who would finish it too; not where its code could not be given any more.
    FINISH = "
        DELETE FROM interaction
        WHERE id = $1 AND browser_hash = $2 AND expires_at > $3
          AND EXISTS (SELECT 1 FROM account a WHERE a.id = $4 AND a.disabled_at IS NULL)
          AND EXISTS (SELECT 1 FROM client c WHERE c.id = $5 AND c.disabled_at IS NULL)";
    PUT_FORM = "INSERT INTO posted_form (id_hash, path, form, expires_at) VALUES ($1, $2, $3, $4)";
    FORM = "SELECT form FROM posted_form WHERE id_hash = $1 AND path = $2 AND expires_at > $3";
}

impl Store {
    /// Begins a visit in the browser whose cookie has this hash.
    pub async fn put_interaction(&self, interaction: &Interaction, browser: &TokenHash) -> Result<(), StoreError> {
        let (interaction, browser) = (interaction.clone(), *browser);
        write_one!(self, execute(PUT, interaction.id, browser, interaction.purpose, interaction.created_at, interaction.expires_at))
            .map(drop)
    }

    /// `None` when it is unknown, expired, finished, or another browser's: they all look alike.
    pub async fn interaction(&self, id: InteractionId, browser: &TokenHash, now: Timestamp) -> Result<Option<Interaction>, StoreError> {
        read!(self, row(INTERACTION, id, browser, now))
    }

    /// Ends a visit without a code. False: it was over already.
    pub async fn end_interaction(&self, id: InteractionId, browser: &TokenHash) -> Result<bool, StoreError> {
        let browser = *browser;
        Ok(write_one!(self, execute(END, id, browser))? > 0)
    }

    /// Ends a visit with a code, in one transaction: of many who finish it at once, one gets a code.
    /// False: it was over already, its account or client has been disabled meanwhile, or its session has ended and the app would never
    /// be told; then nothing is changed.
    pub async fn finish_interaction(
        &self,
        id: InteractionId,
        browser: &TokenHash,
        code: &NewCode,
        code_hash: &TokenHash,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (browser, code, code_hash) = (*browser, code.clone(), *code_hash);
        self.transaction(move |mut conn| {
            Box::pin(async move {
                let told = code.session_id.zip(code.told_as.clone());
                if let Some((session, _)) = &told
                    && !endings::hold(&mut conn, *session).await?
                {
                    return Ok(false);
                }
                let mine = on!(conn, execute(FINISH, id, browser, now, code.account_id, &code.client_id))? > 0;
                if let (true, Some((session, subject))) = (mine, &told) {
                    endings::note(&mut conn, *session, &code.client_id, subject, now).await?;
                }
                if mine {
                    insert_unconditionally(&mut conn, code, code_hash).await?;
                }
                Ok(mine)
            })
        })
        .await
    }

    /// Keeps a form until our own page asks for it.
    pub async fn put_form(&self, id: &TokenHash, path: &str, form: &str, expires_at: Timestamp) -> Result<(), StoreError> {
        let (id, path, form) = (*id, path.to_owned(), form.to_owned());
        write_one!(self, execute(PUT_FORM, id, path, form, expires_at)).map(drop)
    }

    /// A kept form, for the page it was posted to. It stays until it expires: a page may be loaded twice.
    pub async fn form(&self, id: &TokenHash, path: &str, now: Timestamp) -> Result<Option<String>, StoreError> {
        read!(self, value(FORM, id, path, now))
    }
}
