//! `latchkey client disable`.

use clap::Args;

use super::set_disabled;
use crate::cli::desk::Desk;
use crate::cli::out::Done;
use crate::domain::{ClientId, ClientKind};

/// Disable an app: nobody can sign in to it, and its tokens are refused
#[derive(Debug, Args)]
pub(in crate::cli) struct Disable {
    /// The client id
    id: ClientId,
}

impl Disable {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        Ok(set_disabled(desk, &self.id, ClientKind::Oauth, Some(desk.now())).await?.words("the client is disabled"))
    }
}
