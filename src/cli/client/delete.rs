//! `latchkey client delete`.

use clap::Args;
use serde_json::json;

use crate::cli::desk::{Desk, unknown};
use crate::cli::out::{Done, Failure, Said};
use crate::domain::{ClientId, ClientKind};
use crate::store::ClientSource;

/// Delete an app with its consents, codes and tokens; `disable` is the way that can be taken back
#[derive(Debug, Args)]
pub(in crate::cli) struct Delete {
    /// The client id
    id: ClientId,
}

impl Delete {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        let record = desk.client(&self.id, ClientKind::Oauth).await?;
        if record.source == ClientSource::Config && record.disabled_at.is_none() {
            return Err(Failure(format!(
                "{} is declared in the configuration file: take it out there and start the server again, which disables it; then delete it",
                record.id
            )));
        }
        if !desk.store.delete_client(&record.id).await? {
            return Err(unknown(record.kind, &record.id));
        }
        Ok(Said::json(&json!({ "client_id": record.id, "deleted": true }))?.words("the client is deleted"))
    }
}
