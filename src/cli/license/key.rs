//! `latchkey license key …`.

mod add;
mod disable;
mod list;

use clap::Subcommand;

use crate::cli::desk::Desk;
use crate::cli::out::Done;

/// A license's API keys: addresses whose signature signs the license in
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Key {
    Add(add::Add),
    List(list::List),
    Disable(disable::Disable),
}

impl Key {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        match self {
            Self::Add(add) => add.run(desk).await,
            Self::List(list) => list.run(desk).await,
            Self::Disable(disable) => disable.run(desk).await,
        }
    }
}
