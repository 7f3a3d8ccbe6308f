//! `latchkey dev`.

use clap::Args;

use super::Common;
use super::out::{Done, Said};
use super::serve::{self, Where};
use crate::app::Mode;

/// Run a server to try things with: no configuration, everything in ./data
///
/// At `http://localhost:8080`, with SQLite and keys in the data folder, a playground app at /playground that shows every
/// request and token of a sign-in, a throw-away wallet for those who have none, and a demo license with an API key.
/// Not for real use: the playground and its wallet are absent from `serve`.
#[derive(Debug, Args)]
pub(super) struct Dev {
    #[command(flatten)]
    place: Where,
}

impl Dev {
    pub(super) fn run(self, common: &Common) -> Done {
        serve::run(self.place, common, Mode::Dev)?;
        Ok(Said::nothing())
    }
}
