//! `latchkey client list`.

use clap::Args;

use super::View;
use crate::cli::desk::Desk;
use crate::cli::out::{Done, Said};
use crate::domain::ClientKind;

/// List the registered apps, those of the configuration file too; licenses are listed by `latchkey license list`
#[derive(Debug, Args)]
pub(in crate::cli) struct List {}

impl List {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        let clients = desk.store.clients(Some(ClientKind::Oauth)).await?;
        Said::json(&clients.iter().map(View::of).collect::<Vec<_>>())
    }
}
