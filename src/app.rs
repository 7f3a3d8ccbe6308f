//! The running server.

use crate::config::Config;

/// How the server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// On one machine, for trying things: with the playground, its client and the local chain.
    Dev,
    /// For real.
    Serve,
}

/// Runs the server until it is told to stop.
///
/// # Errors
/// A sentence that says why it could not start.
#[expect(clippy::unused_async, reason = "what runs here will wait")]
pub async fn run(config: Config, mode: Mode) -> Result<(), String> {
    Err(format!("{mode:?} at {} is not there yet", config.server.listen))
}
