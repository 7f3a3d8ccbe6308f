//! Accounts: a person, what they can prove (identities), and what they tell of themselves (the profile).

use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use sqlx::types::Json;

use super::dialect::{on, read, sql, write_one};
use super::{Store, StoreError, endings};
use crate::domain::{AccountId, Email, Provider, Timestamp};

/// The standard claims that a person may fill in (OpenID Connect Core §5.1). Nobody has checked any of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birthdate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zoneinfo: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// E.164: `+` and digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<PostalAddress>,
}

/// OpenID Connect Core §5.1.1, but for `formatted`, which is made of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PostalAddress {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locality: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// A person's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: AccountId,
    pub profile: Profile,
    /// The oldest first.
    pub identities: Vec<Identity>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub disabled_at: Option<Timestamp>,
}

/// Something that a person can prove to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub provider: Provider,
    /// The provider's name for the person; of a wallet, the checksummed address.
    pub subject: String,
    /// What the person knows it by; empty: the subject itself.
    pub label: String,
    /// The email address that the provider vouches for.
    pub email: Option<Email>,
    pub created_at: Timestamp,
    pub last_used_at: Timestamp,
}

sql! {
    TOUCH_IDENTITY = "UPDATE identity SET last_used_at = $3 WHERE provider = $1 AND subject = $2 AND last_used_at < $3";
    ACCOUNT = "
        SELECT a.id, a.profile, a.created_at, a.updated_at, a.disabled_at,
               i.provider, i.subject, i.label, i.email, i.created_at AS identity_created_at, i.last_used_at
        FROM account a
        LEFT JOIN identity i ON i.account_id = a.id
        WHERE a.id = $1
        ORDER BY i.created_at, i.provider, i.subject";
    ACCOUNTS = "
        SELECT a.id, a.profile, a.created_at, a.updated_at, a.disabled_at,
               i.provider, i.subject, i.label, i.email, i.created_at AS identity_created_at, i.last_used_at
        FROM account a
        LEFT JOIN identity i ON i.account_id = a.id
        ORDER BY a.created_at, a.id, i.created_at, i.provider, i.subject";
    /// What was issued before it was disabled stays dead when it is enabled again.
    DISABLE = "
        UPDATE account SET disabled_at = $2, updated_at = $3, tokens_from = COALESCE($2, tokens_from)
        WHERE id = $1";
    SAVE_PROFILE = "UPDATE account SET profile = $2, updated_at = $3 WHERE id = $1";
}

impl Store {
    /// Notes when an identity was last used. An unknown one is none of its affair.
    pub async fn touch_identity(&self, provider: &Provider, subject: &str, now: Timestamp) -> Result<(), StoreError> {
        let (provider, subject) = (provider.clone(), subject.to_owned());
        write_one!(self, execute(TOUCH_IDENTITY, provider, subject, now)).map(drop)
    }

    pub async fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        let rows: Vec<Row> = read!(self, rows(ACCOUNT, id))?;
        Ok(records(rows).pop())
    }

    /// Every account, the oldest first, disabled ones too.
    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        let rows: Vec<Row> = read!(self, rows(ACCOUNTS))?;
        Ok(records(rows))
    }

    /// Disables an account at a moment and ends its sessions, of which apps are told, or enables it with `None`. False: there is no such account.
    pub async fn set_account_disabled(&self, id: AccountId, at: Option<Timestamp>, now: Timestamp) -> Result<bool, StoreError> {
        self.transaction(move |mut conn| {
            Box::pin(async move {
                let found = on!(conn, execute(DISABLE, id, at, now))? > 0;
                if found && at.is_some() {
                    for session in endings::hold_all(&mut conn, id).await? {
                        endings::end(&mut conn, session, now).await?;
                    }
                }
                Ok(found)
            })
        })
        .await
    }

    /// False: there is no such account.
    pub async fn save_profile(&self, id: AccountId, profile: &Profile, now: Timestamp) -> Result<bool, StoreError> {
        let profile = Json(profile.clone());
        Ok(write_one!(self, execute(SAVE_PROFILE, id, profile, now))? > 0)
    }
}

#[derive(FromRow)]
struct Row {
    id: AccountId,
    profile: Json<Profile>,
    created_at: Timestamp,
    updated_at: Timestamp,
    disabled_at: Option<Timestamp>,
    provider: Option<Provider>,
    subject: Option<String>,
    label: Option<String>,
    email: Option<Email>,
    identity_created_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
}

// Folds neighbouring rows of one account into its record.
fn records(rows: Vec<Row>) -> Vec<Account> {
    let mut records: Vec<Account> = Vec::new();
    for row in rows {
        let Row { id, profile, created_at, updated_at, disabled_at, .. } = row;
        if records.last().is_none_or(|last| last.id != id) {
            records.push(Account { id, profile: profile.0, identities: Vec::new(), created_at, updated_at, disabled_at });
        }
        if let (Some(provider), Some(subject), Some(created_at), Some(last_used_at), Some(account)) =
            (row.provider, row.subject, row.identity_created_at, row.last_used_at, records.last_mut())
        {
            let label = row.label.unwrap_or_default();
            account.identities.push(Identity { provider, subject, label, email: row.email, created_at, last_used_at });
        }
    }
    records
}
