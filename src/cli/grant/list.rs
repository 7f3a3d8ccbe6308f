//! `latchkey grant list`.

use clap::Args;

use super::{View, all};
use crate::cli::desk::Desk;
use crate::cli::out::{Done, Said};
use crate::domain::{AssetDid, ClientId};
use crate::store::GrantPage;

/// List the grants that live, the latest first
#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// Only those on this asset
    #[arg(long, value_name = "DID")]
    asset: Option<AssetDid>,
    /// Only those of this client or license
    #[arg(long, value_name = "ID")]
    grantee: Option<ClientId>,
    /// Those that have ended or expired too, as long as they are kept
    #[arg(long)]
    all: bool,
}

impl List {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        let living_at = (!self.all).then(|| desk.now());
        let grants = all(desk, GrantPage { asset: self.asset, grantee: self.grantee, living_at, ..GrantPage::default() }).await?;
        Said::json(&grants.iter().map(View::from).collect::<Vec<_>>())
    }
}
