//! `latchkey license list`.

use clap::Args;

use crate::cli::client::View;
use crate::cli::desk::Desk;
use crate::cli::out::{Done, Said};
use crate::domain::ClientKind;

/// List the licenses
#[derive(Debug, Args)]
pub(in crate::cli) struct List {}

impl List {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        let licenses = desk.store.clients(Some(ClientKind::License)).await?;
        Said::json(&licenses.iter().map(View::of).collect::<Vec<_>>())
    }
}
