//! `latchkey keys …`.

mod list;
mod rotate;

use clap::Subcommand;

use super::desk::Desk;
use super::out::Done;

/// The keys that sign tokens
#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    List(list::List),
    Rotate(rotate::Rotate),
}

impl Keys {
    pub(super) async fn run(self, desk: &Desk) -> Done {
        match self {
            Self::List(list) => list.run(desk).await,
            Self::Rotate(rotate) => rotate.run(desk).await,
        }
    }
}
