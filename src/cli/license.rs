//! `latchkey license …`: developer licenses, their redirect URIs and their API keys.

mod create;
mod disable;
mod enable;
mod key;
mod list;
mod redirect_uri;
mod show;
mod update;

use clap::Subcommand;

use super::desk::Desk;
use super::out::Done;

/// Developer licenses: clients whose id is an address, and whose API keys are key pairs
#[derive(Debug, Subcommand)]
pub(super) enum License {
    Create(create::Create),
    List(list::List),
    Show(show::Show),
    Update(update::Update),
    Disable(disable::Disable),
    Enable(enable::Enable),
    #[command(subcommand)]
    RedirectUri(redirect_uri::RedirectUriCommand),
    #[command(subcommand)]
    Key(key::Key),
}

impl License {
    pub(super) async fn run(self, desk: &Desk) -> Done {
        match self {
            Self::Create(create) => create.run(desk).await,
            Self::List(list) => list.run(desk).await,
            Self::Show(show) => show.run(desk).await,
            Self::Update(update) => update.run(desk).await,
            Self::Disable(disable) => disable.run(desk).await,
            Self::Enable(enable) => enable.run(desk).await,
            Self::RedirectUri(uri) => uri.run(desk).await,
            Self::Key(key) => key.run(desk).await,
        }
    }
}
