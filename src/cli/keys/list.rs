//! `latchkey keys list`.

use clap::Args;

use crate::cli::desk::Desk;
use crate::cli::out::{Done, Said};

/// List the signing keys: next (published, not yet signing), active, and retired (until their tokens are dead)
///
/// Where there are none yet, the first ones are made.
#[derive(Debug, Args)]
pub(in crate::cli) struct List {}

impl List {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        Said::json(&desk.keyring().await?.list())
    }
}
