//! `latchkey license show`.

use clap::Args;

use crate::cli::client::View;
use crate::cli::desk::Desk;
use crate::cli::out::{Done, Said};
use crate::domain::{Address, ClientId, ClientKind};

/// Show one license with its API keys
#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    /// The license's client id
    #[arg(value_name = "0x…")]
    license: Address,
}

impl Show {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        let record = desk.client(&ClientId::from(self.license), ClientKind::License).await?;
        let keys = desk.store.license_keys(Some(&record.id)).await?;
        Said::json(&View::of(&record).with_keys(&keys))
    }
}
