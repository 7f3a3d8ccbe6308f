//! `latchkey account enable`.

use clap::Args;

use super::set_disabled;
use crate::cli::desk::Desk;
use crate::cli::out::Done;
use crate::domain::AccountId;

/// Enable a disabled account again
#[derive(Debug, Args)]
pub(in crate::cli) struct Enable {
    /// The account's id, as `latchkey account list` prints it
    id: AccountId,
}

impl Enable {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        set_disabled(desk, self.id, None, "the account is enabled").await
    }
}
