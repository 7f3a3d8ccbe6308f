//! Delivery of the outbox: to each app that wants to know, that a session has ended (OpenID Connect Back-Channel Logout 1.0 §2.5).
//!
//! In come messages that were written when it happened; out go logout tokens, minted at each attempt. A message is claimed before it is
//! sent, so that replicas do not send it side by side; one whose holder died is due again when the claim is over.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use url::Url;
use uuid::Uuid;

use crate::state::State;
use crate::store::Message;
use crate::tokens;

/// How often is looked for messages that nobody woke us for: those of commands and of other replicas, and those to be tried again.
const LOOK: Duration = Duration::from_secs(1);
/// How long a claim holds: longer than the egress client lets an attempt take.
const CLAIM: Duration = Duration::from_secs(15);
/// How many are on their way at once.
const AT_ONCE: usize = 64;

/// How long after an attempt comes the next one: soon at first, since most outages are restarts, and hourly in the end.
const PAUSES: &[u64] = &[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600];

/// What came of an attempt.
enum Outcome {
    /// The app heard it: well, or so that it will never want to hear it.
    Heard(u16),
    /// The app is gone or disabled.
    Nobody,
    /// To be tried again, because of this.
    NotYet(String),
}

/// Delivers what is due, for ever.
pub(super) async fn deliver(state: Arc<State>) {
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sending = JoinSet::new();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = state.messages.notified() => {}
            // Only where there was no room for more is the end of one a reason to look.
            Some(_) = sending.join_next(), if sending.len() >= AT_ONCE => {}
        }
        while sending.try_join_next().is_some() {}
        let room = u32::try_from(AT_ONCE.saturating_sub(sending.len())).unwrap_or(0);
        // An outage is the store's to log; the next look comes by itself.
        for id in state.store.due_messages(state.clock.now(), room).await.unwrap_or_default() {
            sending.spawn(attempt(Arc::clone(&state), id));
        }
    }
}

async fn attempt(state: Arc<State>, id: Uuid) {
    let now = state.clock.now();
    let Ok(Some(message)) = state.store.claim_message(id, now, now.plus(CLAIM)).await else { return };
    let client = &message.client_id;
    // Where the store fails here, the message is due again when the claim is over: an app may hear twice, under one `jti`.
    let stored = match send(&state, &message).await {
        Outcome::Heard(status) => {
            count("heard");
            tracing::debug!(%client, status, "an app was told that a session has ended");
            state.store.finish_message(id).await.is_ok()
        }
        Outcome::Nobody => state.store.finish_message(id).await.is_ok(),
        Outcome::NotYet(reason) => {
            count("failed");
            let pause = pause_after(message.attempts);
            tracing::info!(%client, attempt = message.attempts, next_s = pause.as_secs(), %reason, "an app could not be told that a session has ended");
            state.store.postpone_message(&message, state.clock.now().plus(pause)).await.is_ok()
        }
    };
    if !stored {
        tracing::debug!(%client, "what came of a message could not be stored");
    }
}

async fn send(state: &State, message: &Message) -> Outcome {
    let client = match state.client(&message.client_id).await {
        Ok(Some(client)) => client,
        Ok(None) => return Outcome::Nobody,
        Err(reason) => return Outcome::NotYet(reason.to_string()),
    };
    let Ok(destination) = Url::parse(&message.destination) else { return Outcome::Nobody };
    let token = match tokens::for_logout(state, &client, message, state.clock.now()) {
        Ok(token) => token,
        Err(reason) => return Outcome::NotYet(reason.to_string()),
    };
    match state.egress.post_form(&destination, &[("logout_token", &token)]).await {
        // Back-Channel Logout §2.8: "If the logout succeeded, the RP MUST respond with HTTP 200 OK. However, note that some Web frameworks
        // will substitute an HTTP 204 No Content response"; "If the logout request was invalid or the logout failed, the RP MUST respond
        // with HTTP 400 Bad Request": it was told, and the same message again would be refused again.
        Ok(status @ (200 | 204 | 400)) => Outcome::Heard(status),
        Ok(status) => Outcome::NotYet(format!("it answered {status}")),
        Err(reason) => Outcome::NotYet(reason.to_string()),
    }
}

fn pause_after(attempts: i64) -> Duration {
    let place = usize::try_from(attempts.saturating_sub(1)).unwrap_or(0);
    Duration::from_secs(PAUSES.get(place).or(PAUSES.last()).copied().unwrap_or(60))
}

fn count(outcome: &'static str) {
    metrics::counter!("latchkey_logout_messages_total", "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_that_is_down_for_a_minute_hears_soon_after() {
        let pauses: Vec<u64> = (1..=14).map(|attempts| pause_after(attempts).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 3_600, 3_600]);
        let tries = pauses.iter().scan(0, |when, pause| {
            *when += pause;
            Some(*when)
        });
        assert_eq!(tries.into_iter().find(|when| *when >= 60), Some(63));
        assert_eq!(pause_after(i64::MAX), Duration::from_hours(1));
        assert_eq!(pause_after(0), Duration::from_secs(1));
    }
}
