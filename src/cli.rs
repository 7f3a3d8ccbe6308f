//! The command line: the operator's surface. `latchkey --help` is the manual.
//!
//! In come arguments; out go JSON on standard output for programs, words on standard error for people, and an exit code:
//! 0 done, 1 refused or failed, 2 not understood. Each command has a file of its own and works beside a running server.

mod account;
mod asset;
mod asset_limits;
mod client;
mod config;
mod desk;
mod dev;
mod doctor;
mod grant;
mod health;
mod keys;
mod license;
mod logging;
mod migrate;
mod options;
mod out;
mod serve;
mod sweep;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use out::Done;

use crate::config::Flags;

/// An OAuth 2.1 and OpenID Connect server for people who own assets by wallet, and for the apps they let in.
///
/// Begin with `latchkey dev`: it needs no configuration. Settings come from a TOML file (--config), from LATCHKEY_…
/// environment variables and from flags, the last winning; `latchkey config` prints all of them.
///
/// Commands that make, change or list things print JSON on standard output and words for people on standard error.
/// They can be used while the server runs: they work on the same database.
#[derive(Debug, Parser)]
#[command(name = "latchkey", version, after_long_help = EXAMPLES)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  latchkey dev
      A server at http://localhost:8080 with everything in ./data, to try things with.

  latchkey serve --issuer https://id.example --listen 0.0.0.0:8080 --database postgres://latchkey@db/latchkey
      A server for real, behind a proxy that ends TLS.

  latchkey client create --name 'My app' --redirect-uri https://app.example/callback
      Registers an app; its client id and secret are printed once.

  latchkey license create --alias my-license --owner 0x… --redirect-uri https://app.example/callback
  latchkey license key add --license 0x…
      A developer license, and an API key for it.

  latchkey asset import fleet.ndjson
  latchkey grant create --asset did:erc721:… --grantee 0x… --permission privilege:GetLiveData
      Assets, and what an app may do with one of them, in its owner's name.

  latchkey doctor
      Says what is wrong, if anything is.

Exit codes: 0 done; 1 refused or failed, with the reason on standard error; 2 the command line was not understood.";

const COMMON: &str = "Options of every command";

/// What every command takes.
#[derive(Debug, Args)]
struct Common {
    /// The configuration file (TOML)
    #[arg(long, value_name = "FILE", global = true, env = "LATCHKEY_CONFIG", help_heading = COMMON)]
    config: Option<PathBuf>,
    /// The database: `sqlite://PATH` or `postgres://USER:PASSWORD@HOST:PORT/NAME` [default: the file latchkey.db in the data folder]
    ///
    /// Other users of this machine can read a password in a command line: better set `LATCHKEY_DATABASE_URL`.
    #[arg(long, value_name = "URL", global = true, help_heading = COMMON)]
    database: Option<String>,
    /// The folder of the sealing key and of the SQLite file [default: ./data]
    #[arg(long, value_name = "DIR", global = true, help_heading = COMMON)]
    data: Option<String>,
}

impl Common {
    fn flags(&self) -> Flags {
        Flags { database: self.database.clone(), data: self.data.clone(), ..Flags::default() }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    Dev(dev::Dev),
    Serve(serve::Serve),
    Doctor(doctor::Doctor),
    Health(health::Health),
    Config(config::ConfigCommand),
    #[command(flatten)]
    AtDesk(Box<AtDesk>),
}

/// The commands that work on the open database.
#[derive(Debug, Subcommand)]
enum AtDesk {
    Migrate(migrate::Migrate),
    #[command(subcommand)]
    Keys(keys::Keys),
    Sweep(sweep::Sweep),
    #[command(subcommand)]
    Client(client::Client),
    #[command(subcommand)]
    License(license::License),
    #[command(subcommand)]
    Account(account::Account),
    #[command(subcommand)]
    Asset(asset::Asset),
    #[command(subcommand)]
    Grant(grant::Grant),
}

/// Reads the process's arguments, carries the command out, and says how it went.
#[must_use]
pub fn main() -> ExitCode {
    let Cli { common, command } = Cli::parse();
    match command {
        Command::Dev(dev) => out::finish(dev.run(&common)),
        Command::Serve(serve) => out::finish(serve.run(&common)),
        Command::Config(config) => out::finish(config.run(&common)),
        Command::Doctor(doctor) => out::finish(desk::block_on(doctor.run(&common))),
        Command::Health(health) => out::finish(desk::block_on(health.run(&common))),
        Command::AtDesk(command) => out::finish(desk::block_on(command.run(&common))),
    }
}

impl AtDesk {
    async fn run(self, common: &Common) -> Done {
        let desk = desk::Desk::open(common).await?;
        let done = match self {
            Self::Migrate(migrate) => migrate.run(&desk),
            Self::Sweep(sweep) => sweep.run(&desk).await,
            Self::Keys(keys) => keys.run(&desk).await,
            Self::Client(client) => client.run(&desk).await,
            Self::License(license) => license.run(&desk).await,
            Self::Account(account) => account.run(&desk).await,
            Self::Asset(asset) => asset.run(&desk).await,
            Self::Grant(grant) => grant.run(&desk).await,
        };
        desk.store.close().await;
        done
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    // The manual: no command and no option without words.
    #[test]
    fn every_command_and_option_is_explained() {
        fn check(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            assert!(command.get_about().is_some(), "{path}");
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{path}: {}", argument.get_id());
            }
            command.get_subcommands().for_each(|inner| check(inner, &path));
        }
        check(&Cli::command(), "");
    }
}
