//! `latchkey client …`: ordinary OAuth clients.

mod create;
mod delete;
mod disable;
mod enable;
mod list;
mod registration;
mod show;
mod update;
mod view;

pub(super) use view::{KeyView, View};

use clap::Subcommand;

use super::desk::{Desk, unknown};
use super::out::{Done, Failure, Said};
use crate::domain::{ClientId, ClientKind, Timestamp};

/// The apps that people sign in to
#[derive(Debug, Subcommand)]
pub(super) enum Client {
    Create(Box<create::Create>),
    List(list::List),
    Show(show::Show),
    Update(Box<update::Update>),
    Disable(disable::Disable),
    Enable(enable::Enable),
    Delete(delete::Delete),
}

impl Client {
    pub(super) async fn run(self, desk: &Desk) -> Done {
        match self {
            Self::Create(create) => create.run(desk).await,
            Self::List(list) => list.run(desk).await,
            Self::Show(show) => show.run(desk).await,
            Self::Update(update) => update.run(desk).await,
            Self::Disable(disable) => disable.run(desk).await,
            Self::Enable(enable) => enable.run(desk).await,
            Self::Delete(delete) => delete.run(desk).await,
        }
    }
}

/// Disables a client or license at a moment, or enables it.
pub(super) async fn set_disabled(desk: &Desk, id: &ClientId, kind: ClientKind, at: Option<Timestamp>) -> Result<Said, Failure> {
    desk.client(id, kind).await?;
    if !desk.store.set_client_disabled(id, at, desk.now()).await? {
        return Err(unknown(kind, id));
    }
    Said::json(&View::of(&desk.client(id, kind).await?))
}
