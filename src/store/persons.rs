//! What userinfo and introspection must know of a person's access token: whether it still holds, and whose it is.

use sqlx::FromRow;

use super::accounts::Profile;
use super::dialect::{read, sql};
use super::identities::verified_email;
use super::{Store, StoreError};
use crate::domain::{AccountId, Address, ClientId, CodeId, Email, Provider, Scope, Timestamp};

/// A person's token that still holds.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct PersonToken {
    pub client_id: ClientId,
    pub account_id: AccountId,
    pub scope: Scope,
    pub provider: Provider,
    pub subject: String,
    /// The identity's own address when it is a wallet, else the account's oldest wallet.
    pub wallet: Option<Address>,
    /// The address that the sign-in proves, or another one of the account.
    pub email: Option<Email>,
    pub authenticated_at: Timestamp,
    /// The claims that were asked for by name (OpenID Connect Core §5.5), as they were stored.
    #[sqlx(json(nullable))]
    pub claims: Option<serde_json::Value>,
    /// The ids of what the person granted on assets with the sign-in (RFC 9396).
    #[sqlx(json(nullable))]
    pub authorization_details: Option<serde_json::Value>,
    #[sqlx(json)]
    pub profile: Profile,
    pub account_updated_at: Timestamp,
}

/// What must hold of a code `t`, its account `a` and its client `c`, so that the access token that it gave holds at that moment.
macro_rules! person_token_holds {
    ($now:literal) => {
        concat!(
            "t.redeemed_at IS NOT NULL AND t.revoked_at IS NULL AND t.sweep_at > ",
            $now,
            "
          AND a.disabled_at IS NULL AND c.disabled_at IS NULL
          AND t.issued_at > COALESCE(a.tokens_from, -1) AND t.issued_at > COALESCE(c.tokens_from, -1)
          AND EXISTS (SELECT 1 FROM consent n
                      WHERE n.account_id = t.account_id AND n.client_id = t.client_id AND n.created_at <= t.issued_at)"
        )
    };
}

pub(super) use person_token_holds;

sql! {
    PERSON_TOKEN = concat!("
        SELECT t.client_id, t.account_id, t.scope, t.provider, t.subject,
               CASE WHEN t.provider = 'web3' THEN t.subject
                    ELSE (SELECT i.subject FROM identity i
                          WHERE i.account_id = t.account_id AND i.provider = 'web3'
                          ORDER BY i.created_at, i.subject LIMIT 1)
               END AS wallet,
               ", verified_email!("t.account_id", "t.provider", "t.subject"), " AS email,
               t.authenticated_at, t.claims, t.authorization_details, a.profile, a.updated_at AS account_updated_at
        FROM authorization_code t
        JOIN account a ON a.id = t.account_id
        JOIN client c ON c.id = t.client_id
        WHERE t.id = $1 AND ", person_token_holds!("$2"));
}

impl Store {
    /// The token whose `jti` names this code's record; `None` when the code was not redeemed, when it was revoked, when its tokens
    /// are dead, when its account or client is disabled, or when the consent that it was issued under was withdrawn: that is looked
    /// at here and not only marked by the withdrawal, which cannot see a code that is being stored at the same moment.
    pub async fn person_token(&self, id: CodeId, now: Timestamp) -> Result<Option<PersonToken>, StoreError> {
        read!(self, row(PERSON_TOKEN, id, now))
    }
}
