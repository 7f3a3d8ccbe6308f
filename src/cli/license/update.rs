//! `latchkey license update`.

use std::time::Duration;

use clap::Args;

use crate::cli::client::View;
use crate::cli::desk::{Desk, unknown};
use crate::cli::options::{ClientSettings, developer_token_lifetime, name};
use crate::cli::out::{Done, Failure, Said};
use crate::domain::{Address, ClientId, ClientKind};

/// Change a license's settings; what is not named stays as it is
///
/// Its redirect URIs are changed by `latchkey license redirect-uri`, its API keys by `latchkey license key`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Update {
    /// The license's client id
    #[arg(value_name = "0x…")]
    license: Address,
    /// A name that no other license has; people see it when they sign in
    #[arg(long, value_parser = name)]
    alias: Option<String>,
    /// The account that owns the license
    #[arg(long, value_name = "0x…")]
    owner: Option<Address>,
    /// How long the tokens live that its API keys get, like 14d; at most 14d
    #[arg(long, value_name = "SPAN", value_parser = developer_token_lifetime)]
    token_lifetime: Option<Duration>,
    #[command(flatten)]
    settings: ClientSettings,
}

impl Update {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        let mut record = desk.changeable_client(&ClientId::from(self.license), ClientKind::License).await?;
        if self.alias.is_none() && self.owner.is_none() && self.token_lifetime.is_none() && self.settings.is_empty() {
            return Err(Failure("nothing to change: name an option, such as --alias (see `latchkey license update --help`)".to_owned()));
        }
        if let Some(license) = &mut record.license {
            license.owner = self.owner.unwrap_or(license.owner);
            license.developer_token = self.token_lifetime.unwrap_or(license.developer_token);
            if let Some(alias) = self.alias {
                record.name.clone_from(&alias);
                license.alias = alias;
            }
        }
        self.settings.apply(&mut record, desk)?;
        record.updated_at = desk.now();
        if !desk.store.update_client(&record, &[]).await? {
            return Err(unknown(record.kind, &record.id));
        }
        // As it is now: its URIs may have been changed by others meanwhile.
        let record = desk.client(&record.id, record.kind).await?;
        Ok(Said::json(&View::of(&record))?.words("the license is changed"))
    }
}
