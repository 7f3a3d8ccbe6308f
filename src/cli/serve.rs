//! `latchkey serve`.

use clap::Args;

use super::out::{Done, Failure, Said};
use super::{Common, desk, logging};
use crate::app::{self, Mode};
use crate::config::Flags;

/// Run the server
///
/// Tables are brought to this version first. The server stops on SIGTERM or Ctrl-C, after the requests in flight.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  latchkey serve --issuer https://id.example --listen 0.0.0.0:8080
  LATCHKEY_SERVER_ISSUER=https://id.example LATCHKEY_DATABASE_URL=postgres://latchkey:…@db/latchkey latchkey serve
  latchkey serve --config /etc/latchkey.toml

`latchkey config` prints every setting; `latchkey doctor`, with the same options, says whether the server can start.")]
pub(super) struct Serve {
    #[command(flatten)]
    place: Where,
}

/// Where a server is reached.
#[derive(Debug, Args)]
pub(super) struct Where {
    /// The address and port to answer on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// The public URL of the server, as browsers and apps see it [default: `http://localhost:PORT`]
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
}

impl Where {
    pub(super) fn flags(self, common: &Common) -> Flags {
        Flags { listen: self.listen, issuer: self.issuer, ..common.flags() }
    }
}

impl Serve {
    pub(super) fn run(self, common: &Common) -> Done {
        run(self.place, common, Mode::Serve)?;
        Ok(Said::nothing())
    }
}

/// What `serve` and `dev` share.
pub(super) fn run(place: Where, common: &Common, mode: Mode) -> Result<(), Failure> {
    let config = desk::load(common, &place.flags(common))?;
    let _log = logging::start(&config.log)?;
    config.make_data_dir()?;
    desk::block_on_server(app::run(config, mode))
}
