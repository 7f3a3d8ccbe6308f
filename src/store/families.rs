//! Families of refresh tokens: one row each, however often its token was used.
//!
//! A family knows its current token and the one before it. Whatever else carries its id was spent.

use sqlx::FromRow;

use super::codes::{self, RedeemedCode};
use super::dialect::{Conn, on, read, sql, write_one};
use super::identities::{tells_email, verified_email};
use super::{PersonToken, Store, StoreError};
use crate::domain::{AccountId, Address, ClientId, CodeId, Email, FamilyId, Provider, Scope, SessionId, Timestamp, TokenHash};

/// A family that begins; what else it is comes from its code.
#[derive(Clone, Debug)]
pub struct NewFamily {
    pub id: FamilyId,
    pub current: TokenHash,
    /// It dies with this session; `None`: it outlives all of them.
    pub session_id: Option<SessionId>,
    pub idle_expires_at: Timestamp,
    pub expires_at: Timestamp,
    pub kept_until: Timestamp,
}

/// One use of a refresh token.
#[derive(Clone, Debug)]
pub struct Refresh {
    pub family: FamilyId,
    pub client_id: ClientId,
    pub presented: TokenHash,
    /// What takes its place; `None`: it is kept.
    pub next: Option<TokenHash>,
    pub now: Timestamp,
    /// When the family ends if nobody uses it again; its own end may come before.
    pub idle_expires_at: Timestamp,
    /// The row must be kept until then…
    pub kept_at_least: Timestamp,
    /// …and when it would not be, it is kept until then: a later moment, so that most uses change no index.
    pub kept_until: Timestamp,
    /// A session that was last seen before is over.
    pub seen_since: Timestamp,
}

/// What the tokens of a refresh are made from.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct RefreshedFamily {
    pub id: FamilyId,
    pub account_id: AccountId,
    pub session_id: Option<SessionId>,
    pub scope: Scope,
    #[sqlx(json(nullable))]
    pub resource: Option<Vec<String>>,
    #[sqlx(json(nullable))]
    pub claims: Option<serde_json::Value>,
    /// What the person granted on assets when it began (RFC 9396), with the ids of the grants.
    #[sqlx(json(nullable))]
    pub authorization_details: Option<serde_json::Value>,
    pub provider: Provider,
    pub subject: String,
    #[sqlx(json)]
    pub amr: Vec<String>,
    pub authenticated_at: Timestamp,
    /// No token of the family lives longer.
    pub expires_at: Timestamp,
    /// The identity's own address when it is a wallet, else the account's oldest wallet.
    pub wallet: Option<Address>,
    /// The address that the sign-in proves, or another one of the account; looked up where the tokens may tell of it.
    pub email: Option<Email>,
}

/// Why a token could not be used.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct FamilyState {
    pub client_id: ClientId,
    pub current_hash: TokenHash,
    pub previous_hash: Option<TokenHash>,
    pub scope: Scope,
    pub idle_expires_at: Timestamp,
    pub expires_at: Timestamp,
    pub revoked: bool,
}

/// A refresh token that works, as introspection tells of it.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct LivingRefreshToken {
    pub account_id: AccountId,
    pub scope: Scope,
    pub provider: Provider,
    pub subject: String,
    pub authenticated_at: Timestamp,
    pub issued_at: Timestamp,
    pub idle_expires_at: Timestamp,
    pub expires_at: Timestamp,
}

/// What must hold of a family whenever it or one of its access tokens is used; its parameters are the moment, and the moment since which
/// a session must have been seen.
macro_rules! lives {
    ($now:literal, $seen:literal) => {
        concat!(
            "refresh_token.revoked_at IS NULL AND refresh_token.expires_at > ",
            $now,
            "
          AND EXISTS (SELECT 1 FROM account a
                      WHERE a.id = refresh_token.account_id AND a.disabled_at IS NULL
                        AND refresh_token.issued_at > COALESCE(a.tokens_from, -1))
          AND EXISTS (SELECT 1 FROM client c
                      WHERE c.id = refresh_token.client_id AND c.disabled_at IS NULL
                        AND refresh_token.issued_at > COALESCE(c.tokens_from, -1))
          AND EXISTS (SELECT 1 FROM consent n
                      WHERE n.account_id = refresh_token.account_id AND n.client_id = refresh_token.client_id
                        AND n.created_at <= refresh_token.issued_at)
          AND (refresh_token.session_id IS NULL
               OR EXISTS (SELECT 1 FROM session s
                          WHERE s.id = refresh_token.session_id AND s.expires_at > ",
            $now,
            " AND s.last_seen_at >= ",
            $seen,
            "))"
        )
    };
}

pub(super) use lives;

/// The one statement that a refresh is; `$set` is what becomes of the two hashes.
macro_rules! refresh {
    ($set:literal, $now:literal, $idle:literal, $least:literal, $kept:literal, $seen:literal) => {
        concat!(
            "
        UPDATE refresh_token
        SET ",
            $set,
            ", used_at = ",
            $now,
            ",
            idle_expires_at = CASE WHEN expires_at < ",
            $idle,
            " THEN expires_at ELSE ",
            $idle,
            " END,
            sweep_at = CASE WHEN sweep_at < ",
            $least,
            " THEN ",
            $kept,
            " ELSE sweep_at END
        WHERE id = $1 AND client_id = $2 AND (current_hash = $3 OR previous_hash = $3) AND idle_expires_at > ",
            $now,
            "
          AND ",
            lives!($now, $seen),
            "
        RETURNING id, account_id, session_id, scope, resource, claims, authorization_details, provider, subject, amr,
                  authenticated_at, expires_at,
                  CASE WHEN provider = 'web3' THEN subject
                       ELSE (SELECT i.subject FROM identity i
                             WHERE i.account_id = refresh_token.account_id AND i.provider = 'web3'
                             ORDER BY i.created_at, i.subject LIMIT 1)
                  END AS wallet,
                  CASE WHEN ",
            tells_email!("refresh_token"),
            "
                       THEN ",
            verified_email!("refresh_token.account_id", "refresh_token.provider", "refresh_token.subject"),
            "
                  END AS email"
        )
    };
}

sql! {
    PUT = "
        INSERT INTO refresh_token (id, current_hash, client_id, account_id, code_id, session_id, scope, resource, claims, provider,
                                   subject, amr, authenticated_at, issued_at, idle_expires_at, expires_at, sweep_at,
                                   authorization_details)
        SELECT $1, $2, t.client_id, t.account_id, t.id, $4, t.scope, t.resource, t.claims, t.provider,
               t.subject, t.amr, t.authenticated_at, t.issued_at, $5, $6, $7, t.authorization_details
        FROM authorization_code t
        WHERE t.id = $3";
    /// The current token, or the one before it: what takes its place is new, and what had taken its place is dead.
    ROTATE = refresh!("current_hash = $4, previous_hash = $3", "$5", "$6", "$7", "$8", "$9");
    KEEP = refresh!("current_hash = $3, previous_hash = NULL", "$4", "$5", "$6", "$7", "$8");
    STATE = "
        SELECT client_id, current_hash, previous_hash, scope, idle_expires_at, expires_at, revoked_at IS NOT NULL AS revoked
        FROM refresh_token
        WHERE id = $1";
    END_CODE = "
        UPDATE authorization_code SET revoked_at = $3
        WHERE id = (SELECT r.code_id FROM refresh_token r WHERE r.id = $1 AND r.client_id = $2 AND r.revoked_at IS NULL)
          AND revoked_at IS NULL";
    END = "
        UPDATE refresh_token SET revoked_at = $3, sweep_at = $3
        WHERE id = $1 AND client_id = $2 AND revoked_at IS NULL";
    FAMILY_TOKEN = concat!("
        SELECT refresh_token.client_id, refresh_token.account_id, refresh_token.scope, refresh_token.provider, refresh_token.subject,
               CASE WHEN refresh_token.provider = 'web3' THEN refresh_token.subject
                    ELSE (SELECT i.subject FROM identity i
                          WHERE i.account_id = refresh_token.account_id AND i.provider = 'web3'
                          ORDER BY i.created_at, i.subject LIMIT 1)
               END AS wallet,
               ", verified_email!("refresh_token.account_id", "refresh_token.provider", "refresh_token.subject"), " AS email,
               refresh_token.authenticated_at, refresh_token.claims, refresh_token.authorization_details,
               owner.profile, owner.updated_at AS account_updated_at
        FROM refresh_token
        JOIN account owner ON owner.id = refresh_token.account_id
        WHERE refresh_token.id = $1 AND NOT EXISTS (SELECT 1 FROM token_revocation v WHERE v.token_id = $2) AND ", lives!("$3", "$4"));
    LIVING = concat!("
        SELECT account_id, scope, provider, subject, authenticated_at, issued_at, idle_expires_at, expires_at
        FROM refresh_token
        WHERE id = $1 AND client_id = $2 AND (current_hash = $3 OR previous_hash = $3) AND idle_expires_at > $4 AND ", lives!("$4", "$5"));
}

impl Store {
    /// [`Store::redeem_code`], and the family that `plan` makes of it, in one transaction. `plan` decides over the code that was just
    /// spent; what it does not begin is not stored, and the code stays spent.
    pub async fn redeem_code_for_family<F>(
        &self,
        code_hash: &TokenHash,
        client: &ClientId,
        now: Timestamp,
        plan: F,
    ) -> Result<Option<RedeemedCode>, StoreError>
    where
        F: FnOnce(&RedeemedCode) -> Option<NewFamily> + Send + 'static,
    {
        let (code_hash, client) = (*code_hash, client.clone());
        self.transaction(move |mut conn| {
            Box::pin(async move {
                let Some(redeemed) = codes::redeem(&mut conn, code_hash, client, now).await? else { return Ok(None) };
                if let Some(family) = plan(&redeemed) {
                    begin(&mut conn, family, redeemed.code.id).await?;
                }
                Ok(Some(redeemed))
            })
        })
        .await
    }

    /// Uses a refresh token. Of many who try at once with one text, each gets a successor and the last of these alone lives. `None`, and
    /// nothing changed: it is unknown, another client's, spent or expired, or what it stands for has ended.
    pub async fn refresh(&self, refresh: Refresh) -> Result<Option<RefreshedFamily>, StoreError> {
        let Refresh { family, client_id, presented, next, now, idle_expires_at, kept_at_least, kept_until, seen_since } = refresh;
        match next {
            Some(next) => {
                write_one!(
                    self,
                    row(ROTATE, family, client_id, presented, next, now, idle_expires_at, kept_at_least, kept_until, seen_since)
                )
            }
            None => {
                write_one!(self, row(KEEP, family, client_id, presented, now, idle_expires_at, kept_at_least, kept_until, seen_since))
            }
        }
    }

    /// What is known of a family; its scope never changes.
    pub async fn family_state(&self, id: FamilyId) -> Result<Option<FamilyState>, StoreError> {
        read!(self, row(STATE, id))
    }

    /// Revokes a family of that client, and its code, so that every token of either is dead. False: there is no such family, or it is
    /// revoked already.
    pub async fn end_family(&self, id: FamilyId, client: &ClientId, now: Timestamp) -> Result<bool, StoreError> {
        let client = client.clone();
        self.transaction(move |mut conn| {
            Box::pin(async move {
                // The code first, as everywhere: two who end the same things in another order would wait for each other.
                on!(conn, execute(END_CODE, id, &client, now))?;
                Ok(on!(conn, execute(END, id, &client, now))? > 0)
            })
        })
        .await
    }

    /// The access token `token` that a refresh gave; `None` when it was revoked or when its family does not live.
    pub async fn family_token(
        &self,
        family: FamilyId,
        token: uuid::Uuid,
        now: Timestamp,
        seen_since: Timestamp,
    ) -> Result<Option<PersonToken>, StoreError> {
        read!(self, row(FAMILY_TOKEN, family, token, now, seen_since))
    }

    /// A refresh token that this client could use now.
    pub async fn living_refresh_token(
        &self,
        family: FamilyId,
        client: &ClientId,
        presented: &TokenHash,
        now: Timestamp,
        seen_since: Timestamp,
    ) -> Result<Option<LivingRefreshToken>, StoreError> {
        read!(self, row(LIVING, family, client, presented, now, seen_since))
    }
}

/// Stores a family that begins with that code, inside the transaction that redeemed the code.
pub(super) async fn begin(conn: &mut Conn<'_>, family: NewFamily, code: CodeId) -> Result<(), StoreError> {
    let NewFamily { id, current, session_id, idle_expires_at, expires_at, kept_until } = family;
    on!(*conn, execute(PUT, id, current, code, session_id, idle_expires_at, expires_at, kept_until)).map(drop)
}
