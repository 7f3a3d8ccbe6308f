//! `latchkey migrate`.

use clap::Args;
use serde_json::json;

use super::desk::Desk;
use super::out::{Done, Said};

/// Bring the database's tables to this version
///
/// The server and every command that works on the database do the same before they begin, so this is for those who want it as a step of its own.
/// Tables are only ever brought forward.
#[derive(Debug, Args)]
pub(super) struct Migrate {}

impl Migrate {
    // The desk has migrated when it opened.
    #[expect(clippy::unused_self, reason = "every command is run the same way")]
    pub(super) fn run(self, desk: &Desk) -> Done {
        let database = desk.config.database_url().to_string();
        Ok(Said::json(&json!({ "database": database, "schema": "current" }))?.words("the tables are those of this version"))
    }
}
