//! `latchkey account list`.

use clap::Args;

use super::View;
use crate::cli::desk::Desk;
use crate::cli::out::{Done, Said};

/// List the accounts with their identities, the oldest first
#[derive(Debug, Args)]
pub(in crate::cli) struct List {}

impl List {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        let accounts = desk.store.accounts().await?;
        Said::json(&accounts.iter().map(View::from).collect::<Vec<_>>())
    }
}
