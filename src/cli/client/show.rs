//! `latchkey client show`.

use clap::Args;

use super::View;
use crate::cli::desk::Desk;
use crate::cli::out::{Done, Said};
use crate::domain::{ClientId, ClientKind};

/// Show one app
#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    /// The client id
    id: ClientId,
}

impl Show {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        Said::json(&View::of(&desk.client(&self.id, ClientKind::Oauth).await?))
    }
}
