//! `latchkey license disable`.

use clap::Args;

use crate::cli::client::set_disabled;
use crate::cli::desk::Desk;
use crate::cli::out::Done;
use crate::domain::{Address, ClientId, ClientKind};

/// Disable a license: nobody can sign in with it, and its tokens and those of its keys are refused
#[derive(Debug, Args)]
pub(in crate::cli) struct Disable {
    /// The license's client id
    #[arg(value_name = "0x…")]
    license: Address,
}

impl Disable {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        let id = ClientId::from(self.license);
        Ok(set_disabled(desk, &id, ClientKind::License, Some(desk.now())).await?.words("the license is disabled"))
    }
}
