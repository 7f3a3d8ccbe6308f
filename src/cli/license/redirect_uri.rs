//! `latchkey license redirect-uri …`.

mod add;
mod remove;

use clap::Subcommand;

use crate::cli::desk::Desk;
use crate::cli::out::Done;

/// Where a license sends people back to
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RedirectUriCommand {
    Add(add::Add),
    Remove(remove::Remove),
}

impl RedirectUriCommand {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        match self {
            Self::Add(add) => add.run(desk).await,
            Self::Remove(remove) => remove.run(desk).await,
        }
    }
}
