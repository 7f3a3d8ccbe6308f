//! Authorization codes. A code's row is, from its redemption on, the record of the tokens it gave.

use sqlx::FromRow;
use sqlx::types::Json;

use super::dialect::{Conn, on, read, sql, write_one};
use super::identities::{tells_email, verified_email};
use super::{Store, StoreError, endings};
use crate::domain::{AccountId, Address, ClientId, CodeId, Email, Provider, RedirectUri, Scope, SessionId, Timestamp, TokenHash};

/// What a code stands for.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct NewCode {
    pub id: CodeId,
    pub client_id: ClientId,
    pub account_id: AccountId,
    pub session_id: Option<SessionId>,
    /// As the request gave it: the token request must repeat it (RFC 6749 §4.1.3).
    pub redirect_uri: RedirectUri,
    pub scope: Scope,
    pub nonce: Option<String>,
    /// S256 (RFC 7636 §4.2).
    pub code_challenge: Option<String>,
    /// The identity that was proved.
    pub provider: Provider,
    pub subject: String,
    #[sqlx(json)]
    pub amr: Vec<String>,
    pub authenticated_at: Timestamp,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    /// When the last of the tokens that it may give is dead: the record goes then. Told at the beginning, so that a redemption changes
    /// no index.
    #[sqlx(rename = "sweep_at")]
    pub kept_until: Timestamp,
    /// The resources that its access token is for (RFC 8707); `None`: the client itself.
    #[sqlx(json(nullable))]
    pub resource: Option<Vec<String>>,
    /// The claims that were asked for by name (OpenID Connect Core §5.5), as they were asked for.
    #[sqlx(json(nullable))]
    pub claims: Option<serde_json::Value>,
    /// What the person granted on assets with it (RFC 9396), with the ids of the grants.
    #[sqlx(json(nullable))]
    pub authorization_details: Option<serde_json::Value>,
    /// The person's `sub` at the app, where the app wants to be told of the session's end (Back-Channel Logout §2.2). It is kept with
    /// the session, not with the code.
    #[sqlx(skip)]
    pub told_as: Option<String>,
}

/// A code at its redemption, with all that its tokens need to know.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct RedeemedCode {
    #[sqlx(flatten)]
    pub code: NewCode,
    /// The identity's own address when it is a wallet, else the account's oldest wallet.
    pub wallet: Option<Address>,
    /// The address that the sign-in proves, or another one of the account; looked up where the tokens may tell of it.
    pub email: Option<Email>,
    pub account_disabled: bool,
    pub client_disabled: bool,
    /// The consent under which the code was issued is gone, whether or not another one was given since.
    pub consent_withdrawn: bool,
}

/// Why a code could not be redeemed.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct CodeState {
    pub client_id: ClientId,
    pub redeemed: bool,
    pub expires_at: Timestamp,
}

sql! {
    PUT = "
        INSERT INTO authorization_code (id, code_hash, client_id, account_id, session_id, redirect_uri, scope, nonce, code_challenge,
                                        provider, subject, amr, authenticated_at, issued_at, expires_at, redeemed_at, sweep_at,
                                        resource, claims, authorization_details)
        SELECT $1, $2, c.id, a.id, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20
        FROM client c, account a
        WHERE c.id = $3 AND c.disabled_at IS NULL AND a.id = $4 AND a.disabled_at IS NULL";
    PUT_UNCONDITIONALLY = "
        INSERT INTO authorization_code (id, code_hash, client_id, account_id, session_id, redirect_uri, scope, nonce, code_challenge,
                                        provider, subject, amr, authenticated_at, issued_at, expires_at, redeemed_at, sweep_at,
                                        resource, claims, authorization_details)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)";
    /// The one statement that a code redemption is.
    REDEEM = concat!("
        UPDATE authorization_code SET redeemed_at = $3
        WHERE code_hash = $1 AND client_id = $2 AND redeemed_at IS NULL AND revoked_at IS NULL AND expires_at > $3
        RETURNING id, client_id, account_id, session_id, redirect_uri, scope, nonce, code_challenge, provider, subject, amr,
                  authenticated_at, issued_at, expires_at, sweep_at, resource, claims, authorization_details,
                  CASE WHEN provider = 'web3' THEN subject
                       ELSE (SELECT i.subject FROM identity i
                             WHERE i.account_id = authorization_code.account_id AND i.provider = 'web3'
                             ORDER BY i.created_at, i.subject LIMIT 1)
                  END AS wallet,
                  CASE WHEN ", tells_email!("authorization_code"), "
                       THEN ", verified_email!("authorization_code.account_id", "authorization_code.provider", "authorization_code.subject"), "
                  END AS email,
                  EXISTS (SELECT 1 FROM account a WHERE a.id = authorization_code.account_id
                          AND (a.disabled_at IS NOT NULL OR a.tokens_from >= authorization_code.issued_at)) AS account_disabled,
                  EXISTS (SELECT 1 FROM client c WHERE c.id = authorization_code.client_id
                          AND (c.disabled_at IS NOT NULL OR c.tokens_from >= authorization_code.issued_at)) AS client_disabled,
                  (SELECT n.created_at FROM consent n
                   WHERE n.account_id = authorization_code.account_id AND n.client_id = authorization_code.client_id
                     AND n.created_at <= authorization_code.issued_at) IS NULL AS consent_withdrawn");
    STATE = "SELECT client_id, redeemed_at IS NOT NULL AS redeemed, expires_at FROM authorization_code WHERE code_hash = $1";
    REVOKE = "UPDATE authorization_code SET revoked_at = $2 WHERE code_hash = $1 AND revoked_at IS NULL";
    /// Also of a code whose access token was revoked before: its family may live.
    END_FAMILIES = "
        UPDATE refresh_token SET revoked_at = $2, sweep_at = $2
        WHERE code_id = (SELECT t.id FROM authorization_code t WHERE t.code_hash = $1) AND revoked_at IS NULL";
}

impl Store {
    /// Stores a code. False: its account or client is gone or has been disabled meanwhile, or its session has ended and the app would
    /// never be told.
    pub async fn put_code(&self, code: &NewCode, code_hash: &TokenHash) -> Result<bool, StoreError> {
        let Some((session, subject)) = code.session_id.zip(code.told_as.clone()) else { return self.put(code, code_hash, None).await };
        let (code, code_hash) = (code.clone(), *code_hash);
        self.transaction(move |mut conn| {
            Box::pin(async move {
                if !endings::hold(&mut conn, session).await? {
                    return Ok(false);
                }
                let (client, now) = (code.client_id.clone(), code.issued_at);
                let stored = insert(&mut conn, PUT, code, code_hash, None).await?;
                if stored {
                    endings::note(&mut conn, session, &client, &subject, now).await?;
                }
                Ok(stored)
            })
        })
        .await
    }

    /// Stores a code that is redeemed in the same breath, for a sign-in whose tokens are in its own reply.
    /// False: its account or client is gone or has been disabled meanwhile.
    pub async fn put_redeemed_code(&self, code: &NewCode, code_hash: &TokenHash, now: Timestamp) -> Result<bool, StoreError> {
        self.put(code, code_hash, Some(now)).await
    }

    /// Redeems a code: of many who try at once, one gets it. Its record is kept until the death of its tokens.
    // RFC 6749 §4.1.2: "The client MUST NOT use the authorization code more than once." A wrong verifier or redirect URI burns the
    // code too, since they are compared after this; another client's attempt does not.
    pub async fn redeem_code(&self, code_hash: &TokenHash, client: &ClientId, now: Timestamp) -> Result<Option<RedeemedCode>, StoreError> {
        let (code_hash, client) = (*code_hash, client.clone());
        write_one!(self, row(REDEEM, code_hash, client, now))
    }

    /// What is known of a code that could not be redeemed.
    pub async fn code_state(&self, code_hash: &TokenHash) -> Result<Option<CodeState>, StoreError> {
        read!(self, row(STATE, code_hash))
    }

    /// Revokes a code and every token it gave, those of its refresh token too. False: there is no such code, or it is revoked already.
    // RFC 6749 §4.1.2: "If an authorization code is used more than once, the authorization server MUST deny the request and SHOULD
    // revoke (when possible) all tokens previously issued based on that authorization code."
    pub async fn revoke_code(&self, code_hash: &TokenHash, now: Timestamp) -> Result<bool, StoreError> {
        let code_hash = *code_hash;
        self.transaction(move |mut conn| {
            Box::pin(async move {
                let revoked = on!(conn, execute(REVOKE, code_hash, now))? > 0;
                on!(conn, execute(END_FAMILIES, code_hash, now))?;
                Ok(revoked)
            })
        })
        .await
    }

    async fn put(&self, code: &NewCode, code_hash: &TokenHash, redeemed_at: Option<Timestamp>) -> Result<bool, StoreError> {
        let (code, code_hash) = (code.clone(), *code_hash);
        self.statement(move |mut conn| Box::pin(async move { insert(&mut conn, PUT, code, code_hash, redeemed_at).await })).await
    }
}

/// Spends a code, alone or inside a transaction.
pub(super) async fn redeem(
    conn: &mut Conn<'_>,
    code_hash: TokenHash,
    client: ClientId,
    now: Timestamp,
) -> Result<Option<RedeemedCode>, StoreError> {
    on!(*conn, row(REDEEM, code_hash, client, now))
}

/// Stores a code that is redeemed in the same breath, inside a transaction that has looked at its account and client itself.
pub(super) async fn insert_redeemed(conn: &mut Conn<'_>, code: NewCode, code_hash: TokenHash, now: Timestamp) -> Result<(), StoreError> {
    insert(conn, PUT_UNCONDITIONALLY, code, code_hash, Some(now)).await.map(drop)
}

/// Stores a code inside a transaction that has looked at its account and client itself.
pub(super) async fn insert_unconditionally(conn: &mut Conn<'_>, code: NewCode, code_hash: TokenHash) -> Result<(), StoreError> {
    insert(conn, PUT_UNCONDITIONALLY, code, code_hash, None).await.map(drop)
}

async fn insert(
    conn: &mut Conn<'_>,
    text: &'static str,
    code: NewCode,
    code_hash: TokenHash,
    redeemed_at: Option<Timestamp>,
) -> Result<bool, StoreError> {
    Ok(on!(
        *conn,
        execute(
            text,
            code.id,
            code_hash,
            code.client_id,
            code.account_id,
            code.session_id,
            code.redirect_uri,
            code.scope,
            code.nonce,
            code.code_challenge,
            code.provider,
            code.subject,
            Json(code.amr),
            code.authenticated_at,
            code.issued_at,
            code.expires_at,
            redeemed_at,
            code.kept_until,
            code.resource.map(Json),
            code.claims.map(Json),
            code.authorization_details.map(Json)
        )
    )? > 0)
}
