//! Mails that nobody waits for: notices, and codes whose mail could not be sent when they were asked for.
//!
//! A mail is claimed before it is sent, so that replicas do not send it side by side; one whose holder died is due again when the claim is
//! over. A code that is dead meanwhile is sent no more.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

use crate::state::State;
use crate::web::post;

/// How often is looked for mails.
const LOOK: Duration = Duration::from_secs(1);
/// How many are on their way at once: fewer than the mail server is spoken to for, so that those who wait for a code find a place.
const AT_ONCE: usize = 4;

/// Sends what is due, for ever.
pub(super) async fn deliver(state: Arc<State>) {
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sending = JoinSet::new();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            // Only where there was no room for more is the end of one a reason to look.
            Some(_) = sending.join_next(), if sending.len() >= AT_ONCE => {}
        }
        while sending.try_join_next().is_some() {}
        let room = u32::try_from(AT_ONCE.saturating_sub(sending.len())).unwrap_or(0);
        // An outage is the store's to log; the next look comes by itself.
        for id in state.store.due_mails(state.clock.now(), room).await.unwrap_or_default() {
            sending.spawn(attempt(Arc::clone(&state), id));
        }
    }
}

async fn attempt(state: Arc<State>, id: Uuid) {
    if let Ok(Some(mail)) = state.store.claim_mail(id, state.clock.now(), post::claim(&state)).await {
        post::send(&state, &mail).await;
    }
}
