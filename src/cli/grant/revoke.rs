//! `latchkey grant revoke`.

use clap::Args;

use super::{View, known};
use crate::cli::desk::Desk;
use crate::cli::out::{Done, Failure, Said};
use crate::domain::GrantId;
use crate::store::Actor;

/// End a grant: the next exchange by it is refused
#[derive(Debug, Args)]
pub(in crate::cli) struct Revoke {
    /// The grant's id, as `latchkey grant list` prints it
    id: GrantId,
}

impl Revoke {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        known(desk, self.id).await?;
        if !desk.store.end_grant(self.id, Actor::Operator, desk.now()).await? {
            return Err(Failure(format!("the grant {} is over already", self.id)));
        }
        Ok(Said::json(&View::from(&known(desk, self.id).await?))?.words("the grant has ended"))
    }
}
