//! What a person can prove: used to sign in, linked to an account, taken from it again.
//!
//! An email address that a provider vouches for belongs to one account. Whoever proves it anew does not come into that account by it, and
//! gets no second one either: they are told to sign in there and link.

use sqlx::FromRow;
use sqlx::types::Json;

use super::dialect::{Conn, on, read, sql, write_one};
use super::mails::Subject;
use super::{Conflict, Profile, Store, StoreError, endings, notices};
use crate::domain::{AccountId, Email, Provider, SessionId, Timestamp};

/// An identity that was just proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proved {
    pub provider: Provider,
    /// The provider's name for the person; of a wallet, the checksummed address.
    pub subject: String,
    /// What the person knows it by, for pages; empty: the subject itself.
    pub label: String,
    /// The email address that the provider vouches for.
    pub email: Option<Email>,
}

/// What a proof of identity led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedIn {
    /// Into an account, a new one if `created`.
    Account { id: AccountId, created: bool, disabled: bool },
    /// Nobody has proved it before, and its email address belongs to another account.
    EmailElsewhere,
}

/// The account that a proof of identity led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignIn {
    pub account_id: AccountId,
    /// The identity was new, and so is the account.
    pub created: bool,
    pub disabled: bool,
}

/// What became of linking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linked {
    Now,
    /// It was the account's already.
    Already,
    /// It is another account's.
    Another,
    /// Its email address belongs to another account.
    EmailElsewhere,
    /// There is no such account, or it is disabled.
    NoAccount,
}

/// What became of taking an identity away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlinked {
    Now,
    /// It is the last one, and stays: nobody could come in any more.
    Last,
    /// The account has no such identity.
    Unknown,
}

/// The email address that a sign-in of the account `$account` by the identity `$provider`, `$subject` tells of: the one that this identity
/// proves, else that of the oldest identity that proves one. An identity that is another account's by now proves nothing here.
macro_rules! verified_email {
    ($account:literal, $provider:literal, $subject:literal) => {
        concat!(
            "COALESCE((SELECT i.email FROM identity i
                         WHERE i.provider = ",
            $provider,
            " AND i.subject = ",
            $subject,
            " AND i.account_id = ",
            $account,
            "),
                        (SELECT i.email FROM identity i
                         WHERE i.account_id = ",
            $account,
            " AND i.email IS NOT NULL
                         ORDER BY i.created_at, i.provider, i.subject LIMIT 1))"
        )
    };
}

/// Whether the tokens of the sign-in `$row` may tell of an email address; where not, none is looked for.
macro_rules! tells_email {
    ($row:literal) => {
        concat!($row, ".claims IS NOT NULL OR ' ' || ", $row, ".scope || ' ' LIKE '% email %'")
    };
}

pub(super) use {tells_email, verified_email};

#[derive(FromRow)]
struct Known {
    account_id: AccountId,
    email: Option<Email>,
    disabled: bool,
}

#[derive(FromRow)]
struct Count {
    identities: i64,
    mine: i64,
}

sql! {
    USE = "
        UPDATE identity SET last_used_at = $3, label = CASE WHEN $4 = '' THEN label ELSE $4 END
        WHERE provider = $1 AND subject = $2
        RETURNING account_id, email,
                  (SELECT a.disabled_at FROM account a WHERE a.id = identity.account_id) IS NOT NULL AS disabled";
    CREATE_ACCOUNT = "INSERT INTO account (id, profile, created_at, updated_at) VALUES ($1, $2, $3, $3)";
    CREATE = "
        INSERT INTO identity (provider, subject, account_id, label, email, created_at, last_used_at)
        VALUES ($1, $2, $3, $4, $5, $6, $6)";
    /// Holds the account, so that of two changes to its identities one comes first.
    HOLD = "UPDATE account SET updated_at = updated_at WHERE id = $1 AND disabled_at IS NULL";
    LINK = "
        INSERT INTO identity (provider, subject, account_id, label, email, created_at, last_used_at)
        VALUES ($1, $2, $3, $4, $5, $6, $6)
        ON CONFLICT (provider, subject) DO NOTHING";
    WHOSE = "SELECT account_id FROM identity WHERE provider = $1 AND subject = $2";
    OWN_EMAIL = "
        INSERT INTO account_email (email, account_id, created_at) VALUES ($1, $2, $3)
        ON CONFLICT (email) DO NOTHING";
    WHOSE_EMAIL = "SELECT account_id FROM account_email WHERE email = $1";
    SET_EMAIL = "UPDATE identity SET email = $3 WHERE provider = $1 AND subject = $2";
    COUNT = "
        SELECT COUNT(*) AS identities, COUNT(CASE WHEN provider = $2 AND subject = $3 THEN 1 END) AS mine
        FROM identity WHERE account_id = $1";
    NAME = "SELECT CASE WHEN label = '' THEN subject ELSE label END FROM identity WHERE provider = $1 AND subject = $2";
    UNLINK = "DELETE FROM identity WHERE account_id = $1 AND provider = $2 AND subject = $3";
    /// An address is an account's as long as one of its identities proves it.
    DISOWN_EMAILS = "
        DELETE FROM account_email
        WHERE account_id = $1
          AND NOT EXISTS (SELECT 1 FROM identity i WHERE i.account_id = account_email.account_id AND i.email = account_email.email)";
    LEFT = "SELECT COUNT(*) AS identities FROM identity WHERE account_id = $1";
    /// A password goes with an address that an identity of the account proves: somebody else may have that one from now on.
    ORPHANED = "
        SELECT subject FROM identity
        WHERE account_id = $1 AND provider = 'password'
          AND NOT EXISTS (SELECT 1 FROM identity o WHERE o.account_id = identity.account_id AND o.email = identity.subject)";
    RENAME = "UPDATE identity SET label = $4 WHERE account_id = $1 AND provider = $2 AND subject = $3";
}

impl Store {
    /// [`Store::sign_in_by`] an identity of whose email address nothing is known: then there is always an account.
    pub async fn sign_in(&self, provider: &Provider, subject: &str, new_id: AccountId, now: Timestamp) -> Result<SignIn, StoreError> {
        let proved = Proved { provider: provider.clone(), subject: subject.to_owned(), label: String::new(), email: None };
        match self.sign_in_by(&proved, new_id, now).await? {
            SignedIn::Account { id, created, disabled } => Ok(SignIn { account_id: id, created, disabled }),
            SignedIn::EmailElsewhere => Err(StoreError::Corrupt("an identity without an email address has one".to_owned())),
        }
    }

    /// Signs in by an identity that was just proved; a new account of id `new_id` when nobody has proved it before.
    /// Two first sign-ins at once end in one account.
    pub async fn sign_in_by(&self, proved: &Proved, new_id: AccountId, now: Timestamp) -> Result<SignedIn, StoreError> {
        if let Some(known) = self.use_proved(proved, now).await? {
            return Ok(known);
        }
        let new = proved.clone();
        let made =
            self.transaction(move |mut conn| Box::pin(async move { create(&mut conn, new_id, Profile::default(), new, now).await })).await;
        match made {
            Ok(()) => return Ok(SignedIn::Account { id: new_id, created: true, disabled: false }),
            Err(StoreError::Conflict(Conflict::Email)) => return Ok(SignedIn::EmailElsewhere),
            // Another sign-in made it between the two looks; the account that came too late was rolled back.
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
        let gone = || StoreError::Corrupt("an identity was there and is not there".to_owned());
        self.use_proved(proved, now).await?.ok_or_else(gone)
    }

    /// Adds an identity that was just proved to an account whose person has just proved to be it.
    pub async fn link_identity(&self, account: AccountId, proved: &Proved, now: Timestamp) -> Result<Linked, StoreError> {
        let new = proved.clone();
        let linked = self.transaction(move |mut conn| Box::pin(async move { add(&mut conn, account, new, now).await })).await;
        match linked {
            Err(StoreError::Conflict(Conflict::Email)) => Ok(Linked::EmailElsewhere),
            other => other,
        }
    }

    /// Takes an identity from an account, never the last one, and ends all that was begun with it, but not the session `keep`.
    pub async fn unlink_identity(
        &self,
        account: AccountId,
        provider: &Provider,
        subject: &str,
        keep: SessionId,
        now: Timestamp,
    ) -> Result<Unlinked, StoreError> {
        let (provider, subject) = (provider.clone(), subject.to_owned());
        let unlinked = self
            .transaction(move |mut conn| {
                Box::pin(async move {
                    if on!(conn, execute(HOLD, account))? == 0 {
                        return Ok(Unlinked::Unknown);
                    }
                    let count: Option<Count> = on!(conn, row(COUNT, account, &provider, &subject))?;
                    match count {
                        None | Some(Count { mine: 0, .. }) => return Ok(Unlinked::Unknown),
                        Some(Count { identities: 1, .. }) => return Ok(Unlinked::Last),
                        Some(_) => {}
                    }
                    let name: Option<String> = on!(conn, value(NAME, &provider, &subject))?;
                    let removed_way = Subject::WayRemoved { provider: provider.clone(), name: name.unwrap_or_default() };
                    notices::put(&mut conn, account, &removed_way, now).await?;
                    on!(conn, execute(UNLINK, account, &provider, &subject))?;
                    let mut gone = drop_orphans(&mut conn, account).await?;
                    gone.push((provider, subject));
                    endings::end_those_of(&mut conn, account, &gone, Some(keep), now).await?;
                    match on!(conn, value(LEFT, account))? {
                        // The password that was left went with its address: nothing is changed.
                        None | Some(0_i64) => Err(StoreError::Conflict(Conflict::LastIdentity)),
                        Some(_) => Ok(Unlinked::Now),
                    }
                })
            })
            .await;
        match unlinked {
            Err(StoreError::Conflict(Conflict::LastIdentity)) => Ok(Unlinked::Last),
            other => other,
        }
    }

    /// Whose an identity is.
    pub async fn owner_of_identity(&self, provider: &Provider, subject: &str) -> Result<Option<AccountId>, StoreError> {
        read!(self, value(WHOSE, provider, subject))
    }

    /// Calls an identity of an account something else. False: the account has no such identity.
    pub async fn rename_identity(&self, account: AccountId, provider: &Provider, subject: &str, label: &str) -> Result<bool, StoreError> {
        let (provider, subject, label) = (provider.clone(), subject.to_owned(), label.to_owned());
        Ok(write_one!(self, execute(RENAME, account, provider, subject, label))? > 0)
    }

    async fn use_proved(&self, proved: &Proved, now: Timestamp) -> Result<Option<SignedIn>, StoreError> {
        let (provider, subject, label) = (proved.provider.clone(), proved.subject.clone(), proved.label.clone());
        let known: Option<Known> = write_one!(self, row(USE, provider, subject, now, label))?;
        let Some(known) = known else { return Ok(None) };
        if proved.email.is_some() && proved.email != known.email {
            self.follow_email(known.account_id, proved, now).await?;
        }
        Ok(Some(SignedIn::Account { id: known.account_id, created: false, disabled: known.disabled }))
    }

    // The provider vouches for another address than before. One that is somebody else's here stays theirs.
    async fn follow_email(&self, account: AccountId, proved: &Proved, now: Timestamp) -> Result<(), StoreError> {
        let proved = proved.clone();
        let followed = self
            .transaction(move |mut conn| {
                Box::pin(async move {
                    if on!(conn, execute(HOLD, account))? == 0 {
                        return Ok(());
                    }
                    own_email(&mut conn, proved.email.clone(), account, now).await?;
                    on!(conn, execute(SET_EMAIL, proved.provider, proved.subject, proved.email))?;
                    let gone = drop_orphans(&mut conn, account).await?;
                    endings::end_those_of(&mut conn, account, &gone, None, now).await
                })
            })
            .await;
        match followed {
            Err(StoreError::Conflict(Conflict::Email)) => Ok(()),
            other => other,
        }
    }
}

/// Makes an account of one identity.
pub(super) async fn create(conn: &mut Conn<'_>, id: AccountId, profile: Profile, new: Proved, now: Timestamp) -> Result<(), StoreError> {
    on!(*conn, execute(CREATE_ACCOUNT, id, Json(profile), now))?;
    on!(*conn, execute(CREATE, new.provider, new.subject, id, new.label, new.email.clone(), now))?;
    own_email(conn, new.email, id, now).await
}

/// Adds an identity that was just proved to an account. That its email address is another account's is a conflict.
pub(super) async fn add(conn: &mut Conn<'_>, account: AccountId, new: Proved, now: Timestamp) -> Result<Linked, StoreError> {
    if on!(*conn, execute(HOLD, account))? == 0 {
        return Ok(Linked::NoAccount);
    }
    let name = if new.label.is_empty() { &new.subject } else { &new.label };
    let way_added = Subject::WayAdded { provider: new.provider.clone(), name: name.clone() };
    let added = on!(*conn, execute(LINK, &new.provider, &new.subject, account, new.label, new.email.clone(), now))?;
    if added == 0 {
        let owner: Option<AccountId> = on!(*conn, value(WHOSE, new.provider, new.subject))?;
        return Ok(if owner == Some(account) { Linked::Already } else { Linked::Another });
    }
    own_email(conn, new.email, account, now).await?;
    notices::put(conn, account, &way_added, now).await?;
    Ok(Linked::Now)
}

// Takes away the addresses that no identity of the account proves any more, and the passwords for them, which are told.
async fn drop_orphans(conn: &mut Conn<'_>, account: AccountId) -> Result<Vec<(Provider, String)>, StoreError> {
    let orphaned: Vec<String> = on!(*conn, values(ORPHANED, account))?;
    let provider = Provider::new(Provider::PASSWORD);
    for subject in &orphaned {
        on!(*conn, execute(UNLINK, account, &provider, subject))?;
    }
    on!(*conn, execute(DISOWN_EMAILS, account))?;
    Ok(orphaned.into_iter().map(|subject| (provider.clone(), subject)).collect())
}

// Makes an address the account's.
async fn own_email(conn: &mut Conn<'_>, email: Option<Email>, account: AccountId, now: Timestamp) -> Result<(), StoreError> {
    let Some(email) = email else { return Ok(()) };
    if on!(*conn, execute(OWN_EMAIL, email.clone(), account, now))? > 0 {
        return Ok(());
    }
    let owner: Option<AccountId> = on!(*conn, value(WHOSE_EMAIL, email))?;
    if owner == Some(account) { Ok(()) } else { Err(StoreError::Conflict(Conflict::Email)) }
}
