//! `latchkey license key disable`.

use clap::Args;

use crate::cli::client::KeyView;
use crate::cli::desk::Desk;
use crate::cli::out::{Done, Failure, Said};
use crate::domain::{Address, ClientId, ClientKind};

/// Disable an API key for good: it cannot sign in, and the tokens it got are refused at once
#[derive(Debug, Args)]
pub(in crate::cli) struct Disable {
    /// The license's client id
    #[arg(long, value_name = "0x…")]
    license: Address,
    /// The key's address
    #[arg(long, value_name = "0x…")]
    address: Address,
}

impl Disable {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        let license = ClientId::from(self.license);
        desk.client(&license, ClientKind::License).await?;
        let disabled = desk.store.disable_license_key(&license, &self.address, desk.now()).await?;
        let keys = desk.store.license_keys(Some(&license)).await?;
        let Some(key) = keys.iter().find(|key| key.address == self.address) else {
            return Err(Failure(format!("{license} has no key {}", self.address)));
        };
        let words = if disabled { "the key is disabled" } else { "the key was disabled before" };
        Ok(Said::json(&KeyView::from(key))?.words(words))
    }
}
