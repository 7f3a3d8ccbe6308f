//! `latchkey license redirect-uri remove`.

use clap::Args;

use crate::cli::client::View;
use crate::cli::desk::Desk;
use crate::cli::out::{Done, Failure, Said};
use crate::domain::{Address, ClientId, ClientKind, RedirectUri};
use crate::store::UriPurpose;

/// Remove a redirect URI of a license
#[derive(Debug, Args)]
pub(in crate::cli) struct Remove {
    /// The license's client id
    #[arg(long, value_name = "0x…")]
    license: Address,
    /// The URI as it is registered
    #[arg(value_name = "URI")]
    uri: RedirectUri,
}

impl Remove {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        let id = ClientId::from(self.license);
        desk.changeable_client(&id, ClientKind::License).await?;
        if !desk.store.remove_redirect_uri(&id, UriPurpose::Redirect, &self.uri).await? {
            return Err(Failure(format!("{id} has no redirect URI {}", self.uri)));
        }
        Ok(Said::json(&View::of(&desk.client(&id, ClientKind::License).await?))?.words("the redirect URI is removed"))
    }
}
