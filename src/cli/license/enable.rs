//! `latchkey license enable`.

use clap::Args;

use crate::cli::client::set_disabled;
use crate::cli::desk::Desk;
use crate::cli::out::Done;
use crate::domain::{Address, ClientId, ClientKind};

/// Enable a disabled license again
#[derive(Debug, Args)]
pub(in crate::cli) struct Enable {
    /// The license's client id
    #[arg(value_name = "0x…")]
    license: Address,
}

impl Enable {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        let id = ClientId::from(self.license);
        Ok(set_disabled(desk, &id, ClientKind::License, None).await?.words("the license is enabled"))
    }
}
