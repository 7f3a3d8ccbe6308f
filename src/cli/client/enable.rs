//! `latchkey client enable`.

use clap::Args;

use super::set_disabled;
use crate::cli::desk::Desk;
use crate::cli::out::Done;
use crate::domain::{ClientId, ClientKind};

/// Enable a disabled app again
#[derive(Debug, Args)]
pub(in crate::cli) struct Enable {
    /// The client id
    id: ClientId,
}

impl Enable {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        Ok(set_disabled(desk, &self.id, ClientKind::Oauth, None).await?.words("the client is enabled"))
    }
}
