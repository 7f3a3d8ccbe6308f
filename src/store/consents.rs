//! Consents: what a person has let an app know or do.

use sqlx::FromRow;

use super::dialect::{Conn, on, read, sql};
use super::{Session, Store, StoreError, endings, grants, registrations};
use crate::domain::{AccountId, ClientId, Scope, Timestamp, TokenHash};

/// A consent, for the page that lists them.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Consent {
    pub client_id: ClientId,
    pub client_name: String,
    pub scope: Scope,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What a person has let one app have, and when they first and last said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    pub scope: Scope,
    /// When this consent began; one that follows a withdrawal begins anew. A code lives under it when it was issued no earlier.
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

sql! {
    CONSENT = "SELECT scope FROM consent WHERE account_id = $1 AND client_id = $2";
    /// Gives what is agreed to so far, and holds the row until the transaction ends: nobody widens or withdraws it meanwhile. Of what was
    /// agreed to with the client as it was before it became another one, only what is asked for now stays.
    SAVE = "
        INSERT INTO consent (account_id, client_id, scope, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $4)
        ON CONFLICT (account_id, client_id) DO UPDATE
        SET scope = CASE WHEN consent.updated_at < COALESCE((SELECT c.consent_from FROM client c WHERE c.id = consent.client_id), -1)
                         THEN excluded.scope ELSE consent.scope END,
            updated_at = excluded.updated_at
        RETURNING scope, created_at";
    WIDEN = "UPDATE consent SET scope = $3 WHERE account_id = $1 AND client_id = $2";
    CONSENTS = "
        SELECT n.client_id, c.name AS client_name, n.scope, n.created_at, n.updated_at
        FROM consent n
        JOIN client c ON c.id = n.client_id
        WHERE n.account_id = $1
        ORDER BY n.updated_at DESC, n.client_id";
    WITHDRAW = "DELETE FROM consent WHERE account_id = $1 AND client_id = $2";
    REVOKE = "UPDATE authorization_code SET revoked_at = $3 WHERE account_id = $1 AND client_id = $2 AND revoked_at IS NULL";
    REVOKE_CHALLENGES = "UPDATE api_challenge SET revoked_at = $3 WHERE account_id = $1 AND client_id = $2 AND revoked_at IS NULL";
    END_FAMILIES = "
        UPDATE refresh_token SET revoked_at = $3, sweep_at = $3
        WHERE client_id = $2 AND account_id = $1 AND revoked_at IS NULL";
    STANDING = "
        SELECT s.id, s.account_id, s.provider, s.subject, s.label, s.proved_at, s.amr, s.authenticated_at, s.interaction_id, s.user_agent,
               s.last_seen_at, s.expires_at, n.scope AS agreed_scope,
               n.created_at AS agreed_first, n.updated_at AS agreed_last
        FROM session s
        JOIN account a ON a.id = s.account_id
        LEFT JOIN consent n ON n.account_id = s.account_id AND n.client_id = $2
                           AND n.updated_at >= COALESCE((SELECT c.consent_from FROM client c WHERE c.id = $2), -1)
        WHERE s.token_hash = $1 AND s.expires_at > $3 AND a.disabled_at IS NULL";
}

impl Store {
    /// What the person has consented to at this app; `None` when nothing was ever asked or it was withdrawn.
    pub async fn consent(&self, account: AccountId, client: &ClientId) -> Result<Option<Scope>, StoreError> {
        read!(self, value(CONSENT, account, client))
    }

    /// Adds these scopes to what the person lets the app have, in one transaction; gives what is agreed to now. Pass what was
    /// asked for, not what was read before: scopes that were withdrawn meanwhile stay withdrawn.
    pub async fn save_consent(
        &self,
        account: AccountId,
        client: &ClientId,
        scope: &Scope,
        now: Timestamp,
    ) -> Result<Agreement, StoreError> {
        let (client, scope) = (client.clone(), scope.clone());
        self.transaction(move |mut conn| Box::pin(async move { save(&mut conn, account, &client, &scope, now).await })).await
    }

    /// A person's consents, the latest first.
    pub async fn consents(&self, account: AccountId) -> Result<Vec<Consent>, StoreError> {
        read!(self, rows(CONSENTS, account))
    }

    /// Forgets a consent, revokes this person's codes, refresh tokens and access tokens at that app and ends what they granted to it on
    /// their assets, in one transaction; the app is told that its sessions have ended, if it wants to be.
    /// False: there was no consent; codes and tokens are revoked all the same.
    pub async fn withdraw_consent(&self, account: AccountId, client: &ClientId, now: Timestamp) -> Result<bool, StoreError> {
        let client = client.clone();
        self.transaction(move |mut conn| {
            Box::pin(async move {
                let found = on!(conn, execute(WITHDRAW, account, &client))? > 0;
                on!(conn, execute(REVOKE, account, &client, now))?;
                on!(conn, execute(REVOKE_CHALLENGES, account, &client, now))?;
                on!(conn, execute(END_FAMILIES, account, &client, now))?;
                endings::end_at(&mut conn, account, &client, now).await?;
                grants::end_of_app(&mut conn, account, &client, now).await?;
                Ok(found)
            })
        })
        .await
    }

    /// All that an authorization request must know of the browser, in one read: its living session, and what its person
    /// has consented to at this app as it is now.
    pub async fn standing(
        &self,
        session: &TokenHash,
        client: &ClientId,
        now: Timestamp,
    ) -> Result<Option<(Session, Option<Agreement>)>, StoreError> {
        let row: Option<Standing> = read!(self, row(STANDING, session, client, now))?;
        Ok(row.map(|row| {
            let agreement = match (row.agreed_scope, row.agreed_first, row.agreed_last) {
                (Some(scope), Some(created_at), Some(updated_at)) => Some(Agreement { scope, created_at, updated_at }),
                _ => None,
            };
            (row.session, agreement)
        }))
    }
}

/// [`Store::save_consent`] inside a transaction.
pub(super) async fn save(
    conn: &mut Conn<'_>,
    account: AccountId,
    client: &ClientId,
    scope: &Scope,
    now: Timestamp,
) -> Result<Agreement, StoreError> {
    // Before the consent, as who deletes a client does: then it is there for good, or not at all.
    registrations::used(conn, client).await?;
    let saved: Option<Saved> = on!(*conn, row(SAVE, account, client, scope, now))?;
    let saved = saved.ok_or_else(|| StoreError::Corrupt("a consent that was just stored is not there".to_owned()))?;
    let whole = saved.scope.union(scope);
    if whole != saved.scope {
        on!(*conn, execute(WIDEN, account, client, &whole))?;
    }
    Ok(Agreement { scope: whole, created_at: saved.created_at, updated_at: now })
}

#[derive(FromRow)]
struct Saved {
    scope: Scope,
    created_at: Timestamp,
}

#[derive(FromRow)]
struct Standing {
    #[sqlx(flatten)]
    session: Session,
    agreed_scope: Option<Scope>,
    agreed_first: Option<Timestamp>,
    agreed_last: Option<Timestamp>,
}
