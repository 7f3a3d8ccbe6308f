//! `latchkey account …`.

mod create;
mod disable;
mod enable;
mod list;

use clap::Subcommand;
use serde::Serialize;

use super::desk::Desk;
use super::out::{Done, Failure, Said};
use crate::domain::{AccountId, Timestamp};
use crate::store::{Account as Record, Profile};

/// People's accounts
#[derive(Debug, Subcommand)]
pub(super) enum Account {
    Create(create::Create),
    List(list::List),
    Disable(disable::Disable),
    Enable(enable::Enable),
}

impl Account {
    pub(super) async fn run(self, desk: &Desk) -> Done {
        match self {
            Self::Create(create) => create.run(desk).await,
            Self::List(list) => list.run(desk).await,
            Self::Disable(disable) => disable.run(desk).await,
            Self::Enable(enable) => enable.run(desk).await,
        }
    }
}

/// An account as it is printed.
#[derive(Serialize)]
struct View<'a> {
    id: AccountId,
    identities: Vec<IdentityView<'a>>,
    profile: &'a Profile,
    created_at: String,
    updated_at: String,
    disabled_at: Option<String>,
}

#[derive(Serialize)]
struct IdentityView<'a> {
    provider: &'a str,
    subject: &'a str,
    created_at: String,
    last_used_at: String,
}

impl<'a> From<&'a Record> for View<'a> {
    fn from(account: &'a Record) -> Self {
        let identities = account.identities.iter().map(|identity| IdentityView {
            provider: identity.provider.as_str(),
            subject: &identity.subject,
            created_at: identity.created_at.rfc3339(),
            last_used_at: identity.last_used_at.rfc3339(),
        });
        Self {
            id: account.id,
            identities: identities.collect(),
            profile: &account.profile,
            created_at: account.created_at.rfc3339(),
            updated_at: account.updated_at.rfc3339(),
            disabled_at: account.disabled_at.map(Timestamp::rfc3339),
        }
    }
}

async fn set_disabled(desk: &Desk, id: AccountId, at: Option<Timestamp>, words: &str) -> Done {
    let unknown = || Failure(format!("there is no account {id}"));
    if !desk.store.set_account_disabled(id, at, desk.now()).await? {
        return Err(unknown());
    }
    let account = desk.store.account(id).await?.ok_or_else(unknown)?;
    Ok(Said::json(&View::from(&account))?.words(words))
}
