//! `latchkey asset show`.

use clap::Args;
use serde::Serialize;

use super::View;
use crate::cli::desk::Desk;
use crate::cli::grant::{View as GrantView, all};
use crate::cli::out::{Done, Failure, Said};
use crate::domain::{AccountId, AssetDid};
use crate::store::GrantPage;

/// Show an asset, the account that owns it, and the grants on it that live
#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    /// The asset's DID
    did: AssetDid,
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    asset: View<'a>,
    /// The account that the owner is, or that the owner's address is a wallet of.
    owner_account: Option<AccountId>,
    grants: Vec<GrantView<'a>>,
}

impl Show {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        let unknown = || Failure(format!("there is no asset {}", self.did));
        let asset = desk.store.asset(&self.did).await?.ok_or_else(unknown)?;
        let standing = desk.store.asset_standing(&self.did).await?.ok_or_else(unknown)?;
        let page = GrantPage { asset: Some(self.did), living_at: Some(desk.now()), ..GrantPage::default() };
        let grants = all(desk, page).await?;
        Said::json(&Shown {
            asset: View::from(&asset),
            owner_account: standing.owner_account,
            grants: grants.iter().map(GrantView::from).collect(),
        })
    }
}
