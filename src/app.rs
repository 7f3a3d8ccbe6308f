//! The server, put together in one place for `serve`, for `dev` and for tests: store, keys, listeners, workers.

mod demo;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App, HttpServer, dev::Server};
use tokio::sync::mpsc;

use crate::config::Config;
use crate::domain::{Clock, Entropy};
use crate::egress::Egress;
use crate::mail::Mailer;
use crate::passwords::Passwords;
use crate::playground::Playground;
use crate::state::{Note, State};
use crate::tls::Tls;
use crate::web::observe::observe;
use crate::{opening, operations, routes, worker};

pub use crate::state::Mode;

/// The most connections that one worker holds open: below what a process may have of files, so that the database keeps its share.
const MOST_CONNECTIONS: usize = 4_096;

/// A server that listens but does not answer yet.
#[derive(Debug)]
pub struct Application {
    state: Arc<State>,
    notes: mpsc::Receiver<Note>,
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    operations: Option<TcpListener>,
    demo: Option<demo::Demo>,
}

impl Application {
    /// Binds the ports, opens the database and the keys, and brings all up to date. Nothing is served before all of it succeeded.
    ///
    /// # Errors
    /// A sentence for the operator: which part, what is wrong, what to do.
    pub async fn build(config: Config, mode: Mode, clock: Clock, entropy: Entropy) -> Result<Self, String> {
        // The ports come first: they are the likeliest to be wrong, and cost nothing to give back.
        let listener = bind(config.server.listen, "server.listen")?;
        let operations = config.server.operations_listen.map(|address| bind(address, "server.operations_listen")).transpose()?;
        let tls = Tls::open(&config.tls).map_err(|reason| reason.to_string())?;
        let egress = Egress::new(&config.egress).map_err(|reason| reason.to_string())?;
        let mail = Mailer::new(&config).map_err(|reason| reason.to_string())?;
        check_key_addresses(&config, &egress)?;
        let store = opening::store(&config).await?;
        let keys = opening::keys(&config, &store, &clock, &entropy).await?;
        store
            .replace_config_clients(&config.client_records(clock.now()), clock.now())
            .await
            .map_err(|reason| format!("the clients of the configuration cannot be stored: {reason}"))?;
        // Nobody signs in to the server of an API.
        for id in config.resources.iter().flat_map(|resource| &resource.clients) {
            store.keep_client(id).await.map_err(|reason| format!("the clients of the resources cannot be kept: {reason}"))?;
        }
        if mode == Mode::Dev {
            config.make_data_dir()?;
        }
        let demo = match mode {
            Mode::Dev => Some(demo::prepare(&config, &store, clock.now(), &entropy).await?),
            Mode::Serve => None,
        };
        let passwords = config.passwords.enabled.then(|| Passwords::start(&config.passwords, &entropy)).transpose()?;
        let (mut state, notes) = State::new(config, mode, store, keys, egress, clock, entropy);
        state.passwords = passwords;
        state.mail = mail.or_else(|| (mode == Mode::Dev).then(Mailer::to_the_log));
        Ok(Self { state: Arc::new(state), notes, listener, tls, operations, demo })
    }

    /// The server's parts.
    #[must_use]
    pub fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// Where it listens; the port is the real one where the configuration says 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap_or(self.state.config.server.listen)
    }

    /// Serves until the process is told to stop.
    pub async fn run(self) -> Result<(), String> {
        self.run_until(stop_signal()).await
    }

    /// Serves until `stop` is done; requests in flight are finished.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> Result<(), String> {
        operations::metrics();
        let sorting = tokio::spawn(operations::sort_measurements());
        let address = self.address();
        let Self { state, notes, listener, tls, operations, demo } = self;
        let server = serve(&state, listener, tls.as_ref())?;
        warn(&state.config, tls.as_deref());
        if state.mail.as_ref().is_some_and(Mailer::is_the_log) {
            tracing::warn!("no mail server is set (mail.smtp_url): this development server shows its mails here, with the codes in them");
        }
        let tasks = worker::start(&state, notes, tls);
        let operations = operations.map(|listener| serve_operations(&state, listener)).transpose()?;
        let handle = server.handle();
        let operations_handle = operations.as_ref().map(Server::handle);
        tracing::info!(%address, issuer = state.issuer(), mode = ?state.mode, "ready");
        if let Some(demo) = demo {
            demo.announce(&state);
        }
        let serving = tokio::spawn(server);
        let operating = operations.map(tokio::spawn);
        tokio::pin!(serving);
        let result = tokio::select! {
            () = stop => {
                tracing::info!("stopping: requests in flight are finished");
                handle.stop(true).await;
                serving.await
            }
            ended = &mut serving => ended,
        };
        if let Some(handle) = operations_handle {
            handle.stop(false).await;
        }
        if let Some(operating) = operating {
            operating.abort();
        }
        sorting.abort();
        tasks.stop().await;
        state.store.close().await;
        tracing::info!("stopped");
        match result {
            Ok(Ok(())) => Ok(()),
            Ok(Err(reason)) => Err(format!("the server stopped: {reason}")),
            Err(reason) => Err(format!("the server stopped by itself: {reason}")),
        }
    }
}

/// Builds and runs the server: the whole of `latchkey serve` and `latchkey dev`.
pub async fn run(config: Config, mode: Mode) -> Result<(), String> {
    Application::build(config, mode, Clock::System, Entropy::System).await?.run().await
}

// An address that may never be fetched from is a mistake of the file, to be told now and not to the app at its first request.
fn check_key_addresses(config: &Config, egress: &Egress) -> Result<(), String> {
    for client in &config.clients {
        if let Some(uri) = &client.metadata.jwks_uri {
            egress.check_url(uri).map_err(|reason| format!("the jwks_uri of the client {} cannot be used: {reason}", client.id))?;
        }
    }
    for upstream in &config.upstreams {
        let checked = egress.for_operators().check_url(&upstream.issuer);
        checked.map_err(|reason| format!("the issuer of the provider {} cannot be used: {reason}", upstream.id.as_str()))?;
    }
    Ok(())
}

fn bind(address: SocketAddr, setting: &str) -> Result<TcpListener, String> {
    let explain = |reason: std::io::Error| match reason.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!("{address} is taken by another program: stop it, or choose another address with {setting}")
        }
        std::io::ErrorKind::PermissionDenied => {
            format!("{address} may not be listened on by this user: choose a port of 1024 or more with {setting}")
        }
        _ => format!("{address} cannot be listened on ({reason}): choose another address with {setting}"),
    };
    TcpListener::bind(address).map_err(explain)
}

fn serve(state: &Arc<State>, listener: TcpListener, tls: Option<&Arc<Tls>>) -> Result<Server, String> {
    let mode = state.mode;
    let data = Data::from(Arc::clone(state));
    let playground = playground(state)?;
    let workers = match state.config.server.workers {
        0 => std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
        workers => workers,
    };
    let server = HttpServer::new(move || {
        let app = App::new().app_data(data.clone()).wrap(from_fn(observe));
        let app = if let Some(playground) = &playground { app.app_data(playground.clone()) } else { app };
        app.configure(routes::configure(mode))
    });
    let server = server
        .workers(workers)
        .disable_signals()
        .shutdown_timeout(state.config.server.shutdown_timeout.as_secs())
        .max_connections(MOST_CONNECTIONS)
        .client_request_timeout(Duration::from_secs(10))
        .keep_alive(Duration::from_secs(75))
        .tls_handshake_timeout(Duration::from_secs(10));
    let listening = match tls {
        Some(tls) => server.listen_rustls_0_23(listener, tls.server().map_err(|reason| reason.to_string())?),
        None => server.listen(listener),
    };
    Ok(listening.map_err(|reason| format!("the server cannot listen: {reason}"))?.run())
}

// What an operator may have wanted, but should know.
fn warn(config: &Config, tls: Option<&Tls>) {
    if let Some(file) = &config.egress.extra_ca_file {
        tracing::warn!(file = %file.display(), "egress.extra_ca_file is set: whoever holds its keys can pass for any app's server");
    }
    if config.egress.allow_private_networks {
        tracing::warn!(
            "egress.allow_private_networks is set: apps can make this server fetch from its own network, by plain http too. For development alone"
        );
    }
    if config.server.issuer.is_secure() && config.server.trusted_proxies.is_empty() && tls.is_none() {
        tracing::warn!(
            "the issuer is https, but server.trusted_proxies is empty: behind a proxy, limits would count all callers as one. Name the proxy there"
        );
    }
    if let Some(tls) = tls
        && !tls.is_for(&config.issuer_host())
    {
        tracing::warn!(issuer = %config.server.issuer, "the certificate is not for the issuer's host: browsers and apps will refuse it, unless a proxy answers them");
    }
}

fn playground(state: &State) -> Result<Option<Data<Playground>>, String> {
    if state.mode != Mode::Dev {
        return Ok(None);
    }
    let issuer = state.issuer().to_owned();
    let redirect_uri = crate::playground::redirect_uri(&issuer);
    let client_id = crate::playground::CLIENT_ID.to_owned();
    let playground = Playground::new(issuer, client_id, redirect_uri, state.egress.tls(), state.clock.clone(), state.entropy.clone());
    playground.map(|playground| Some(Data::new(playground))).map_err(|reason| reason.to_string())
}

fn serve_operations(state: &Arc<State>, listener: TcpListener) -> Result<Server, String> {
    let data = Data::new(Arc::clone(state));
    let server = HttpServer::new(move || App::new().app_data(data.clone()).configure(operations::configure));
    let server =
        server.workers(1).disable_signals().listen(listener).map_err(|reason| format!("the operations port cannot listen: {reason}"))?;
    Ok(server.run())
}

async fn stop_signal() {
    let interrupt = tokio::signal::ctrl_c();
    let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
        let _ = interrupt.await;
        return;
    };
    tokio::select! {
        _ = interrupt => {}
        _ = terminate.recv() => {}
    }
}
