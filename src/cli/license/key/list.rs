//! `latchkey license key list`.

use clap::Args;

use crate::cli::client::KeyView;
use crate::cli::desk::Desk;
use crate::cli::out::{Done, Said};
use crate::domain::{Address, ClientId, ClientKind};

/// List the API keys of one license or of all, disabled and expired ones too
#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// The license's client id [default: all licenses]
    #[arg(long, value_name = "0x…")]
    license: Option<Address>,
}

impl List {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        let license = self.license.map(ClientId::from);
        if let Some(license) = &license {
            desk.client(license, ClientKind::License).await?;
        }
        let keys = desk.store.license_keys(license.as_ref()).await?;
        Said::json(&keys.iter().map(KeyView::from).collect::<Vec<_>>())
    }
}
