//! Passwords: of each identity that signs in by one, the hash that is kept.

use super::dialect::{on, read, sql, write_one};
use super::identities::{self, Linked, Proved};
use super::mails::Subject;
use super::{Profile, Store, StoreError, endings, notices};
use crate::domain::{AccountId, Email, Provider, SessionId, Timestamp};

sql! {
    HASH = "SELECT hash FROM password WHERE provider = 'password' AND subject = $1";
    /// The address must be the account's own: whoever sets a password for it signs in with it.
    NAME = "
        INSERT INTO identity (provider, subject, account_id, label, created_at, last_used_at)
        SELECT 'password', e.email, e.account_id, e.email, $3, $3 FROM account_email e
        WHERE e.email = $2 AND e.account_id = $1
        ON CONFLICT (provider, subject) DO NOTHING";
    HOLD = "UPDATE account SET updated_at = updated_at WHERE id = $1 AND disabled_at IS NULL";
    SET = "
        INSERT INTO password (provider, subject, hash, created_at, updated_at)
        SELECT 'password', i.subject, $3, $4, $4 FROM identity i
        WHERE i.provider = 'password' AND i.subject = $2 AND i.account_id = $1
        ON CONFLICT (provider, subject) DO UPDATE SET hash = excluded.hash, updated_at = excluded.updated_at";
    /// Only where nobody has set another one meanwhile.
    REPLACE = "UPDATE password SET hash = $3, updated_at = $4 WHERE provider = 'password' AND subject = $1 AND hash = $2";
    /// An account has one password.
    OTHER = "SELECT subject FROM identity WHERE account_id = $1 AND provider = 'password' AND subject <> $2";
}

/// An account that the operator makes.
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub id: AccountId,
    /// The operator vouches for it.
    pub email: Email,
    pub name: Option<String>,
    /// The hash of a password.
    pub password: Option<String>,
}

impl Store {
    /// Makes an account of which the email address is known. False: the address belongs to an account already.
    pub async fn create_account(&self, new: NewAccount, now: Timestamp) -> Result<bool, StoreError> {
        let made = self
            .transaction(move |mut conn| {
                Box::pin(async move {
                    let profile = Profile { name: new.name, ..Profile::default() };
                    let email = new.email;
                    let identity = Proved {
                        provider: Provider::new(Provider::EMAIL),
                        subject: email.to_string(),
                        label: email.to_string(),
                        email: Some(email.clone()),
                    };
                    identities::create(&mut conn, new.id, profile, identity, now).await?;
                    if let Some(hash) = new.password {
                        on!(conn, execute(NAME, new.id, email.clone(), now))?;
                        on!(conn, execute(SET, new.id, email, hash, now))?;
                    }
                    Ok(())
                })
            })
            .await;
        match made {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The hash that is kept for that address; `None`: nobody signs in with a password for it.
    pub async fn password_hash(&self, email: &Email) -> Result<Option<String>, StoreError> {
        read!(self, value(HASH, email.clone()))
    }

    /// Sets the password of an account, for an address that is its own: with both of them its person signs in. [`Linked::Already`]: it had
    /// one, which is replaced; [`Linked::Another`]: it has one for another address.
    /// Its addresses are told, and all that was begun with the one before ends, but not the session `keep`.
    pub async fn set_password(
        &self,
        account: AccountId,
        email: &Email,
        hash: &str,
        keep: SessionId,
        now: Timestamp,
    ) -> Result<Linked, StoreError> {
        let (email, hash) = (email.clone(), hash.to_owned());
        self.transaction(move |mut conn| {
            Box::pin(async move {
                if on!(conn, execute(HOLD, account))? == 0 {
                    return Ok(Linked::NoAccount);
                }
                let other: Option<String> = on!(conn, value(OTHER, account, email.clone()))?;
                if other.is_some() {
                    return Ok(Linked::Another);
                }
                let new = on!(conn, execute(NAME, account, email.clone(), now))? > 0;
                if on!(conn, execute(SET, account, email.clone(), hash, now))? == 0 {
                    return Ok(Linked::EmailElsewhere);
                }
                let (provider, name) = (Provider::new(Provider::PASSWORD), email.to_string());
                if new {
                    notices::put(&mut conn, account, &Subject::WayAdded { provider, name }, now).await?;
                    return Ok(Linked::Now);
                }
                let former = [(provider.clone(), name.clone())];
                endings::end_those_of(&mut conn, account, &former, Some(keep), now).await?;
                notices::put(&mut conn, account, &Subject::WayChanged { provider, name }, now).await?;
                Ok(Linked::Already)
            })
        })
        .await
    }

    /// Keeps a hash with the parameters of today in place of the one that was compared.
    pub async fn rehash_password(&self, email: &Email, old: &str, new: &str, now: Timestamp) -> Result<bool, StoreError> {
        let (email, old, new) = (email.clone(), old.to_owned(), new.to_owned());
        Ok(write_one!(self, execute(REPLACE, email, old, new, now))? > 0)
    }
}
