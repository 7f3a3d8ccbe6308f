//! What a command works with: the configuration, the database at this version's tables, the clock and chance.

use std::future::Future;

use super::Common;
use super::out::{Done, Failure};
use crate::config::{Config, Flags};
use crate::domain::{ClientId, ClientKind, Clock, Entropy, Timestamp};
use crate::keys::Keyring;
use crate::opening;
use crate::store::{ClientRecord, ClientSource, Store};

/// An open database and what goes with it.
pub(super) struct Desk {
    pub(super) config: Config,
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) entropy: Entropy,
}

impl Desk {
    /// Reads the configuration, opens the database and brings its tables to this version.
    pub(super) async fn open(common: &Common) -> Result<Self, Failure> {
        let config = load(common, &common.flags())?;
        let store = opening::store(&config).await?;
        Ok(Self { config, store, clock: Clock::System, entropy: Entropy::System })
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The client of this id and kind, or a sentence why there is none.
    pub(super) async fn client(&self, id: &ClientId, kind: ClientKind) -> Result<ClientRecord, Failure> {
        let record = self.store.client(id).await?.ok_or_else(|| unknown(kind, id))?;
        match (kind, record.kind) {
            (ClientKind::Oauth, ClientKind::License) => Err(Failure(format!("{id} is a license: use `latchkey license`"))),
            (ClientKind::License, ClientKind::Oauth) => Err(Failure(format!("{id} is not a license: use `latchkey client`"))),
            _ => Ok(record),
        }
    }

    /// The same, where it is about to be changed for good: a client of the file is changed there.
    pub(super) async fn changeable_client(&self, id: &ClientId, kind: ClientKind) -> Result<ClientRecord, Failure> {
        let record = self.client(id, kind).await?;
        match record.source {
            ClientSource::Command | ClientSource::Registration => Ok(record),
            ClientSource::Document => Err(Failure(format!("{id} is described by the document at that address: it is changed there"))),
            ClientSource::Config => {
                Err(Failure(format!("{id} is declared in the configuration file: change it there, and start the server again")))
            }
        }
    }

    pub(super) async fn keyring(&self) -> Result<Keyring, Failure> {
        Ok(opening::keys(&self.config, &self.store, &self.clock, &self.entropy).await?)
    }
}

/// The configuration as file, environment and flags say.
pub(super) fn load(common: &Common, flags: &Flags) -> Result<Config, Failure> {
    // A name or value that is not Unicode is kept in replaced characters, and then refused as what it is.
    let env = std::env::vars_os().map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()));
    Ok(Config::load(common.config.as_deref(), env, flags)?)
}

pub(super) fn unknown(kind: ClientKind, id: &ClientId) -> Failure {
    Failure(match kind {
        ClientKind::Oauth => format!("there is no client {id}"),
        ClientKind::License => format!("there is no license {id}"),
    })
}

/// Runs a command that ends by itself.
pub(super) fn block_on(command: impl Future<Output = Done>) -> Done {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|problem| no_runtime(&problem))?.block_on(command)
}

/// Runs a server: on as many threads as there are cores.
pub(super) fn block_on_server(server: impl Future<Output = Result<(), String>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|problem| no_runtime(&problem))?;
    Ok(runtime.block_on(server)?)
}

fn no_runtime(problem: &std::io::Error) -> Failure {
    Failure(format!("the system gives no threads or sockets: {problem}"))
}
