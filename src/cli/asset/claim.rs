//! `latchkey asset claim`.

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use crate::cli::desk::Desk;
use crate::cli::options::claim_lifetime;
use crate::cli::out::{Done, Failure, Said};
use crate::domain::AssetDid;

/// Make a new claim code for an asset that has no owner; those before it stop working
#[derive(Debug, Args)]
pub(in crate::cli) struct Claim {
    /// The asset's DID
    did: AssetDid,
    /// How long the claim code works
    #[arg(long, value_name = "SPAN", default_value = "90d", value_parser = claim_lifetime)]
    claim_lifetime: Duration,
}

#[derive(Serialize)]
struct View<'a> {
    did: AssetDid,
    claim_code: &'a str,
    claim_expires_at: String,
}

impl Claim {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        let (code, now) = (desk.entropy.secret(), desk.now());
        let expires_at = now.plus(self.claim_lifetime);
        if !desk.store.put_asset_claim(&self.did, code.hash(), expires_at, now).await? {
            return Err(Failure(format!("there is no asset {} without an owner", self.did)));
        }
        let view = View { did: self.did, claim_code: code.expose(), claim_expires_at: expires_at.rfc3339() };
        Ok(Said::json(&view)?.words("the claim code is shown this once"))
    }
}
