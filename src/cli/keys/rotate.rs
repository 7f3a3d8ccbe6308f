//! `latchkey keys rotate`.

use clap::Args;

use crate::cli::desk::Desk;
use crate::cli::out::{Done, Said};

/// Let the next signing key of each algorithm take over, and make a new next one
///
/// The old key stays published until its last token is dead. A key that was not published for long enough
/// (`keys.publish_ahead`) begins to sign later; `active_from` says when. Running servers notice within half a minute.
#[derive(Debug, Args)]
pub(in crate::cli) struct Rotate {}

impl Rotate {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        let rotated = desk.keyring().await?.rotate().await?;
        let words = match rotated.len() {
            0 => "no key was rotated: the last rotation has not taken effect yet".to_owned(),
            1 => "one key was rotated".to_owned(),
            many => format!("{many} keys were rotated"),
        };
        Ok(Said::json(&rotated)?.words(words))
    }
}
