//! The playground: a relying party inside the binary, for `dev` only. It signs in at this very server by real HTTP, made
//! with an ordinary client library, and shows every request, response, token and check of the way.
//!
//! In: the server's issuer and the demo client's registration. Out: pages under `/playground` and the throw-away wallet
//! under `/dev`. It must not know how the server works inside: everything it learns, it learns as a client.

mod choices;
mod claims;
mod curl;
mod device;
mod exchange;
mod handlers;
mod query;
mod recorder;
mod relying_party;
mod reply;
mod report;
mod runs;
mod token;
mod view;

use crate::domain::{Clock, Entropy};

use device::Devices;
pub use handlers::configure;
use recorder::Transport;
use runs::Runs;

/// The demo client's id: a public client (no secret) that is registered when `dev` starts.
pub const CLIENT_ID: &str = "playground";

/// The demo client's one redirect URI under an issuer, which has no slash at its end.
#[must_use]
pub fn redirect_uri(issuer: &str) -> String {
    format!("{issuer}/playground/callback")
}

/// Where the demo client asks to be led after signing out, under an issuer.
#[must_use]
pub fn post_logout_redirect_uri(issuer: &str) -> String {
    format!("{issuer}/playground")
}

/// The relying party and the sign-ins that browsers have under way with it. Kept once for all workers.
#[derive(Debug)]
pub struct Playground {
    issuer: String,
    client_id: String,
    redirect_uri: String,
    clock: Clock,
    entropy: Entropy,
    transport: Transport,
    runs: Runs,
    devices: Devices,
}

/// The playground's HTTP client could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the playground's HTTP client does not start: {0}")]
pub struct PlaygroundError(#[from] reqwest::Error);

impl Playground {
    /// A relying party for the server at `issuer`, which is believed to be who it says by `tls`.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(
        issuer: String,
        client_id: String,
        redirect_uri: String,
        tls: rustls::ClientConfig,
        clock: Clock,
        entropy: Entropy,
    ) -> Result<Self, PlaygroundError> {
        let transport = Transport::new(tls, clock.clone())?;
        Ok(Self { issuer, client_id, redirect_uri, clock, entropy, transport, runs: Runs::default(), devices: Devices::default() })
    }
}
