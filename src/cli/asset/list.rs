//! `latchkey asset list`.

use clap::Args;

use super::{OwnerText, View};
use crate::cli::desk::Desk;
use crate::cli::out::{Done, Said};
use crate::domain::Owner;
use crate::store::{AssetFilter, AssetPage, AssetsOf, LONGEST_PAGE};

/// List the assets, in the order of their DIDs
#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// Only those of this owner: an address, or the id of an account, whose wallets count too
    #[arg(long, value_name = "0x…|ACCOUNT")]
    owner: Option<OwnerText>,
    /// Only those of these makes; one or more
    #[arg(long = "make", value_name = "MAKE", num_args = 1..)]
    makes: Vec<String>,
}

impl List {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        let of = match self.owner {
            Some(OwnerText(Owner::Address(address))) => AssetsOf::Address(address),
            Some(OwnerText(Owner::Account(account))) => AssetsOf::Account(account),
            None => AssetsOf::All,
        };
        let filter = AssetFilter { makes: self.makes, ..AssetFilter::default() };
        let mut page = AssetPage { after: None, before: None, last: false, limit: LONGEST_PAGE };
        let mut assets = Vec::new();
        loop {
            let found = desk.store.assets(&of, &filter, &page).await?;
            page.after = found.last().map(|asset| asset.did);
            assets.extend(found);
            if page.after.is_none() {
                return Said::json(&assets.iter().map(View::from).collect::<Vec<_>>());
            }
        }
    }
}
