//! `latchkey account disable`.

use clap::Args;

use super::set_disabled;
use crate::cli::desk::Desk;
use crate::cli::out::Done;
use crate::domain::AccountId;

/// Disable an account: it is signed out everywhere, cannot sign in, and its tokens are refused
#[derive(Debug, Args)]
pub(in crate::cli) struct Disable {
    /// The account's id, as `latchkey account list` prints it
    id: AccountId,
}

impl Disable {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        set_disabled(desk, self.id, Some(desk.now()), "the account is disabled, and signed out everywhere").await
    }
}
