//! `latchkey license create`.

use std::time::Duration;

use clap::Args;

use crate::cli::client::View;
use crate::cli::desk::Desk;
use crate::cli::options::{ClientSettings, developer_token_lifetime, each_once, name};
use crate::cli::out::{Done, Said};
use crate::domain::{Address, ClaimsProfile, ClientId, ClientKind, RedirectUri};
use crate::store::{ClientRecord, License};

/// Make a developer license
///
/// In a browser a license is a public client; by itself it signs in with an API key (`latchkey license key add`).
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  latchkey license create --alias my-license --owner 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed \\
      --redirect-uri https://app.example/callback")]
pub(in crate::cli) struct Create {
    /// A name that no other license has; people see it when they sign in
    #[arg(long, value_parser = name)]
    alias: String,
    /// The account that owns the license
    #[arg(long, value_name = "0x…")]
    owner: Address,
    /// Where people are sent back to, compared byte for byte; one or more
    #[arg(long = "redirect-uri", value_name = "URI", num_args = 1.., required = true)]
    redirect_uris: Vec<RedirectUri>,
    /// The license's client id [default: a random one]
    #[arg(long, value_name = "0x…")]
    client_id: Option<Address>,
    /// How long the tokens live that its API keys get, like 14d; at most 14d
    #[arg(long, value_name = "SPAN", value_parser = developer_token_lifetime)]
    token_lifetime: Option<Duration>,
    #[command(flatten)]
    settings: ClientSettings,
}

impl Create {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        let now = desk.now();
        let tokens = &desk.config.tokens;
        let id = ClientId::from(self.client_id.unwrap_or_else(|| Address::from_bytes(desk.entropy.bytes())));
        let mut record = ClientRecord {
            kind: ClientKind::License,
            claims_profile: ClaimsProfile::Compat,
            redirect_uris: each_once(self.redirect_uris),
            license: Some(License {
                alias: self.alias.clone(),
                owner: self.owner,
                developer_token: self.token_lifetime.unwrap_or(tokens.developer_token),
            }),
            ..ClientRecord::new(id, self.alias, tokens.access_token, now)
        };
        self.settings.apply(&mut record, desk)?;
        desk.store.create_client(&record).await?;
        Ok(Said::json(&View::of(&record))?.words("the license is made; `latchkey license key add` gives it an API key"))
    }
}
