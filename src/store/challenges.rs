//! Challenges: what a wallet or an API key was asked to sign. Each is taken once, right or wrong, before its signature is looked at.
//! The row of the API's challenge is, from then on, the record of the tokens that a right signature gave.

use sqlx::FromRow;
use uuid::Uuid;

use super::dialect::{read, sql, write_one};
use super::identities::verified_email;
use super::{PersonToken, Store, StoreError};
use crate::domain::{AccountId, Address, ChallengeId, ClientId, Email, InteractionId, RedirectUri, Scope, Timestamp, TokenHash};

/// The parts of the EIP-4361 message that differ from challenge to challenge; the message is rebuilt from them.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct WalletChallenge {
    pub address: Address,
    #[sqlx(try_from = "i64")]
    pub chain_id: u64,
    pub nonce: String,
    pub statement: String,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
}

/// A challenge of the sign-in page.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct SigninChallenge {
    pub id: Uuid,
    pub interaction_id: InteractionId,
    #[sqlx(flatten)]
    pub message: WalletChallenge,
}

/// A challenge of the API (`/auth/web3`).
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ApiChallenge {
    pub id: ChallengeId,
    pub client_id: ClientId,
    pub redirect_uri: RedirectUri,
    pub scope: Scope,
    /// The `nonce` of OpenID Connect; the message's own is in `message`.
    pub oidc_nonce: Option<String>,
    pub code_challenge: Option<String>,
    #[sqlx(flatten)]
    pub message: WalletChallenge,
}

/// A challenge of the API that was just taken, with all that a person's tokens need to know.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct TakenChallenge {
    #[sqlx(flatten)]
    pub challenge: ApiChallenge,
    /// Whose the address is; `None`: nobody has proved it yet.
    pub account_id: Option<AccountId>,
    pub account_disabled: bool,
    pub client_disabled: bool,
    /// A verified address of the account, where the scope covers it.
    pub email: Option<Email>,
    /// What the person lets the client have, agreed to no later than now.
    pub agreed: Option<Scope>,
}

/// What came of taking something that can be taken once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken<T> {
    /// By this call, and by no other.
    Now(T),
    /// Nobody took it in time.
    Expired,
    /// By an earlier call.
    Already,
    /// It never was, or has been swept, or is another's.
    Unknown,
}

/// What must hold of a challenge `t` that was taken, its account `a` and its client `c`, so that the tokens that it gave hold at that moment.
/// What was issued, was issued when the challenge was taken.
macro_rules! wallet_token_holds {
    ($now:literal) => {
        concat!(
            "t.revoked_at IS NULL AND t.sweep_at > ",
            $now,
            "
          AND a.disabled_at IS NULL AND c.disabled_at IS NULL
          AND t.taken_at > COALESCE(a.tokens_from, -1) AND t.taken_at > COALESCE(c.tokens_from, -1)
          AND EXISTS (SELECT 1 FROM consent n
                      WHERE n.account_id = t.account_id AND n.client_id = t.client_id AND n.created_at <= t.taken_at)"
        )
    };
}

pub(super) use wallet_token_holds;

sql! {
    PUT_SIGNIN = "
        INSERT INTO signin_challenge (id, interaction_id, browser_hash, address, chain_id, nonce, statement, issued_at, expires_at)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9
        WHERE NOT EXISTS (SELECT 1 FROM license l WHERE l.client_id = $4)";
    TAKE_SIGNIN = "
        UPDATE signin_challenge SET taken_at = $4
        WHERE id = $1 AND interaction_id = $2 AND browser_hash = $3 AND taken_at IS NULL AND expires_at > $4
        RETURNING id, interaction_id, address, chain_id, nonce, statement, issued_at, expires_at";
    SIGNIN_TAKEN = "
        SELECT taken_at IS NOT NULL AS taken FROM signin_challenge WHERE id = $1 AND interaction_id = $2 AND browser_hash = $3";
    PUT_API = "
        INSERT INTO api_challenge (id, state_hash, client_id, redirect_uri, scope, oidc_nonce, code_challenge, address, chain_id,
                                   nonce, statement, issued_at, expires_at, sweep_at)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13
        WHERE $3 = $8 OR NOT EXISTS (SELECT 1 FROM license l WHERE l.client_id = $8)";
    /// It writes the record of tokens before the signature was looked at. Where the signature is wrong, or the person has not agreed to
    /// this much, the row is nobody's record: no token is made that names it.
    TAKE_API = concat!("
        UPDATE api_challenge
        SET taken_at = $2, sweep_at = $3,
            account_id = (SELECT i.account_id FROM identity i WHERE i.provider = 'web3' AND i.subject = api_challenge.address)
        WHERE state_hash = $1 AND taken_at IS NULL AND expires_at > $2
        RETURNING id, client_id, redirect_uri, scope, oidc_nonce, code_challenge, address, chain_id, nonce, statement, issued_at,
                  expires_at, account_id,
                  EXISTS (SELECT 1 FROM account a
                          WHERE a.id = api_challenge.account_id AND a.disabled_at IS NOT NULL) AS account_disabled,
                  EXISTS (SELECT 1 FROM client c
                          WHERE c.id = api_challenge.client_id AND c.disabled_at IS NOT NULL) AS client_disabled,
                  (SELECT n.scope FROM consent n
                   WHERE n.account_id = api_challenge.account_id AND n.client_id = api_challenge.client_id
                     AND n.created_at <= api_challenge.taken_at) AS agreed,
                  CASE WHEN ' ' || api_challenge.scope || ' ' LIKE '% email %'
                       THEN ", verified_email!("api_challenge.account_id", "'web3'", "api_challenge.address"), "
                  END AS email");
    API_TAKEN = "SELECT taken_at IS NOT NULL AS taken FROM api_challenge WHERE state_hash = $1";
    WALLET_TOKEN = concat!("
        SELECT t.client_id, t.account_id, t.scope, 'web3' AS provider, t.address AS subject, t.address AS wallet,
               ", verified_email!("t.account_id", "'web3'", "t.address"), " AS email,
               t.taken_at AS authenticated_at, NULL AS claims, NULL AS authorization_details, a.profile, a.updated_at AS account_updated_at
        FROM api_challenge t
        JOIN account a ON a.id = t.account_id
        JOIN client c ON c.id = t.client_id
        WHERE t.id = $1 AND ", wallet_token_holds!("$2"));
}

impl Store {
    /// False, and nothing stored, when the address is a developer license, disabled or not: its API keys sign for it and nobody else.
    pub async fn put_signin_challenge(&self, challenge: &SigninChallenge, browser: &TokenHash) -> Result<bool, StoreError> {
        let (challenge, browser) = (challenge.clone(), *browser);
        let chain_id = chain(challenge.message.chain_id)?;
        let message = challenge.message;
        write_one!(
            self,
            execute(
                PUT_SIGNIN,
                challenge.id,
                challenge.interaction_id,
                browser,
                message.address,
                chain_id,
                message.nonce,
                message.statement,
                message.issued_at,
                message.expires_at
            )
        )
        .map(|rows| rows > 0)
    }

    /// Takes a challenge for the one look at its signature.
    // EIP-4361, "Verifying a message": the nonce is used once. It is burnt before the signature is checked, so that a wrong one
    // cannot be followed by guesses; a person whose connection broke asks for a new challenge.
    pub async fn take_signin_challenge(
        &self,
        id: Uuid,
        interaction: InteractionId,
        browser: &TokenHash,
        now: Timestamp,
    ) -> Result<Taken<SigninChallenge>, StoreError> {
        let holder = *browser;
        if let Some(challenge) = write_one!(self, row(TAKE_SIGNIN, id, interaction, holder, now))? {
            return Ok(Taken::Now(challenge));
        }
        Ok(why(read!(self, value(SIGNIN_TAKEN, id, interaction, browser))?))
    }

    /// Stores a challenge under the hash of the `state` that was handed out with it. False, and nothing stored, when the address is
    /// a developer license other than the client itself, disabled or not: a license signs in to itself only.
    pub async fn put_api_challenge(&self, challenge: &ApiChallenge, state: &TokenHash) -> Result<bool, StoreError> {
        let (challenge, state) = (challenge.clone(), *state);
        let chain_id = chain(challenge.message.chain_id)?;
        let message = challenge.message;
        write_one!(
            self,
            execute(
                PUT_API,
                challenge.id,
                state,
                challenge.client_id,
                challenge.redirect_uri,
                challenge.scope,
                challenge.oidc_nonce,
                challenge.code_challenge,
                message.address,
                chain_id,
                message.nonce,
                message.statement,
                message.issued_at,
                message.expires_at
            )
        )
        .map(|rows| rows > 0)
    }

    /// Takes the challenge behind a `state` for the one look at its signature. `kept_until`: when the last of the tokens that it may give
    /// is dead.
    pub async fn take_api_challenge(
        &self,
        state: &TokenHash,
        now: Timestamp,
        kept_until: Timestamp,
    ) -> Result<Taken<TakenChallenge>, StoreError> {
        let hash = *state;
        if let Some(challenge) = write_one!(self, row(TAKE_API, hash, now, kept_until))? {
            return Ok(Taken::Now(challenge));
        }
        Ok(why(read!(self, value(API_TAKEN, state))?))
    }

    /// [`Store::person_token`] of a token whose `jti` names the record of a challenge.
    pub async fn wallet_token(&self, id: ChallengeId, now: Timestamp) -> Result<Option<PersonToken>, StoreError> {
        read!(self, row(WALLET_TOKEN, id, now))
    }
}

// Why nothing was taken: what is there and was not taken has expired.
fn why<T>(taken: Option<bool>) -> Taken<T> {
    match taken {
        Some(true) => Taken::Already,
        Some(false) => Taken::Expired,
        None => Taken::Unknown,
    }
}

fn chain(id: u64) -> Result<i64, StoreError> {
    i64::try_from(id).map_err(|_| StoreError::value(format_args!("chain id {id}")))
}
