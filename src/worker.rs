//! What happens by itself: sweeping what has expired, rotating and re-reading keys, taking over a new certificate, delivering messages
//! and mails, writing notes, forgetting quiet callers.

mod mails;
mod messages;

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, mpsc};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval};

use crate::domain::{Address, Provider, SessionId, Timestamp};
use crate::state::{Note, State};
use crate::store::StoreError;
use crate::tls::Tls;

/// How often each thing is done.
const SWEEP: Duration = Duration::from_mins(1);
const RELOAD_KEYS: Duration = Duration::from_secs(30);
const RELOAD_CERTIFICATE: Duration = Duration::from_secs(10);
const ROTATE: Duration = Duration::from_hours(1);
const NOTES: Duration = Duration::from_secs(5);
const QUIET: Duration = Duration::from_mins(5);

/// All of it, running.
#[derive(Debug)]
pub struct Worker {
    tasks: JoinSet<()>,
    notes: JoinHandle<()>,
    enough: Arc<Notify>,
}

impl Worker {
    /// Ends all of it; notes that wait are written first.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
        self.enough.notify_one();
        if self.notes.await.is_err() {
            tracing::error!("the writer of notes had failed");
        }
    }
}

/// Starts all of it.
pub fn start(state: &Arc<State>, notes: mpsc::Receiver<Note>, tls: Option<Arc<Tls>>) -> Worker {
    let mut tasks = JoinSet::new();
    tasks.spawn(every(SWEEP, Arc::clone(state), |state| async move {
        // An outage is the store's to log.
        if let Ok(swept) = state.store.sweep(state.clock.now()).await {
            tracing::debug!(?swept, "swept");
        }
    }));
    tasks.spawn(every(RELOAD_KEYS, Arc::clone(state), |state| async move {
        if let Err(reason) = state.keys.reload().await {
            tracing::debug!(%reason, "the keys could not be read again");
        }
    }));
    tasks.spawn(every(ROTATE, Arc::clone(state), |state| async move {
        match state.keys.rotate_if_due(state.config.keys.rotate_every).await {
            Ok(rotated) if rotated.is_empty() => {}
            Ok(rotated) => tracing::info!(?rotated, "the signing keys were rotated"),
            Err(reason) => tracing::warn!(%reason, "the signing keys could not be rotated"),
        }
    }));
    tasks.spawn(messages::deliver(Arc::clone(state)));
    if state.mail.is_some() {
        tasks.spawn(mails::deliver(Arc::clone(state)));
    }
    tasks.spawn(every(QUIET, Arc::clone(state), |state| async move { state.limits.forget_quiet(state.clock.now()) }));
    if let Some(tls) = tls {
        tasks.spawn(watch_certificate(tls));
    }
    let enough = Arc::new(Notify::new());
    let notes = tokio::spawn(write_notes(Arc::clone(state), notes, Arc::clone(&enough)));
    Worker { tasks, notes, enough }
}

async fn every<F: Future<Output = ()>>(period: Duration, state: Arc<State>, act: impl Fn(Arc<State>) -> F) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        act(Arc::clone(&state)).await;
    }
}

// At its pace, and at once when the operator says so (SIGHUP).
async fn watch_certificate(tls: Arc<Tls>) {
    let mut ticks = interval(RELOAD_CERTIFICATE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut hangups = signal(SignalKind::hangup()).ok();
    loop {
        let hangup = async {
            match &mut hangups {
                Some(hangups) => hangups.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = ticks.tick() => {}
            _ = hangup => {}
        }
        let tls = Arc::clone(&tls);
        // It reads files, which may lie on a slow disk.
        let _ = tokio::task::spawn_blocking(move || tls.reload()).await;
    }
}

async fn write_notes(state: Arc<State>, mut notes: mpsc::Receiver<Note>, enough: Arc<Notify>) {
    let mut ticks = interval(NOTES);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = false;
    while !last {
        last = tokio::select! {
            _ = ticks.tick() => false,
            () = enough.notified() => true,
        };
        if write_batch(&state, &mut notes).await.is_err() {
            tracing::debug!("some notes are lost to an outage");
        }
    }
}

// What was noted several times is written once, as it was last.
async fn write_batch(state: &State, notes: &mut mpsc::Receiver<Note>) -> Result<(), StoreError> {
    let mut sessions: HashMap<SessionId, Timestamp> = HashMap::new();
    let mut wallets: HashMap<Address, Timestamp> = HashMap::new();
    while let Ok(note) = notes.try_recv() {
        match note {
            Note::SessionSeen(id, at) => drop(sessions.insert(id, at)),
            Note::WalletUsed(address, at) => drop(wallets.insert(address, at)),
        }
    }
    for (id, at) in sessions {
        state.store.touch_session(id, at).await?;
    }
    for (address, at) in wallets {
        state.store.touch_identity(&Provider::web3(), &address.checksummed(), at).await?;
    }
    Ok(())
}
