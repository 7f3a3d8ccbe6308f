//! `latchkey license redirect-uri add`.

use clap::Args;

use crate::cli::client::View;
use crate::cli::desk::{Desk, unknown};
use crate::cli::out::{Done, Said};
use crate::domain::{Address, ClientId, ClientKind, RedirectUri};
use crate::store::UriPurpose;

/// Register one more redirect URI of a license
#[derive(Debug, Args)]
pub(in crate::cli) struct Add {
    /// The license's client id
    #[arg(long, value_name = "0x…")]
    license: Address,
    /// The URI, compared byte for byte
    #[arg(value_name = "URI")]
    uri: RedirectUri,
}

impl Add {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        let id = ClientId::from(self.license);
        desk.changeable_client(&id, ClientKind::License).await?;
        if !desk.store.add_redirect_uri(&id, UriPurpose::Redirect, &self.uri, desk.now()).await? {
            return Err(unknown(ClientKind::License, &id));
        }
        Ok(Said::json(&View::of(&desk.client(&id, ClientKind::License).await?))?.words("the redirect URI is registered"))
    }
}
