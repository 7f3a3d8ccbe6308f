//! A place elsewhere whose answer is kept: fetched once for all who ask at once, used as long as it is fresh, fetched again when what is
//! looked for is not in it, but not more often than once a minute, whoever asks: nobody can make this server knock at another's door.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::domain::Timestamp;

/// How long an answer is used after its time while a newer one cannot be had: a key that was taken away must end some day.
const STALE_AT_MOST: Duration = Duration::from_hours(24);
/// The least time between two fetches.
const BETWEEN: Duration = Duration::from_mins(1);
/// The same where there is nothing to go on with: then nobody can do anything.
pub(super) const BETWEEN_FAILURES: Duration = Duration::from_secs(10);

/// What is known of one place.
#[derive(Debug)]
pub(super) struct Place<T> {
    known: Mutex<Fetched<T>>,
    /// Held while fetching, so that those who come meanwhile wait for that fetch and begin none.
    fetching: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug)]
struct Fetched<T> {
    answer: Option<Arc<T>>,
    fresh_until: Option<Timestamp>,
    tried_at: Option<Timestamp>,
}

// By hand: a derived one would want the answer to have a default.
impl<T> Default for Place<T> {
    fn default() -> Self {
        Self { known: Mutex::new(Fetched { answer: None, fresh_until: None, tried_at: None }), fetching: Arc::default() }
    }
}

impl<T: Send + Sync + 'static> Place<T> {
    /// The answer. `unlike`: one in which what is looked for is not; another is fetched if it is time for that. `fetch` gives the answer
    /// and how long it is fresh, or says itself why there is none.
    pub(super) async fn get(
        self: &Arc<Self>,
        unlike: Option<&Arc<T>>,
        now: Timestamp,
        fetch: impl Future<Output = Option<(T, Duration)>> + Send + 'static,
    ) -> Option<Arc<T>> {
        if let Some(answer) = self.look(|known| known.fresh(unlike, now)) {
            return Some(answer);
        }
        let only = Arc::clone(&self.fetching).lock_owned().await;
        // Somebody else may just have fetched it, or tried to.
        if self.look(|known| known.is_settled(unlike, now)) {
            return self.look(|known| known.fresh(unlike, now).or_else(|| known.usable(now)));
        }
        // Noted before anything leaves the house, and fetched by a task of its own: whoever asked may hang up, and the next one must
        // neither begin anew nor go without.
        self.look(|known| known.tried_at = Some(now));
        let place = Arc::clone(self);
        let fetched = tokio::spawn(async move {
            if let Some((answer, kept)) = fetch.await {
                place.look(|known| {
                    known.answer = Some(Arc::new(answer));
                    known.fresh_until = Some(now.plus(kept));
                });
            }
            drop(only);
        });
        if fetched.await.is_err() {
            tracing::error!("a fetch from another server broke off");
        }
        self.look(|known| known.usable(now))
    }

    fn look<R>(&self, look: impl FnOnce(&mut Fetched<T>) -> R) -> R {
        look(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> Fetched<T> {
    // An answer that was not looked into yet and is still believed.
    fn fresh(&self, unlike: Option<&Arc<T>>, now: Timestamp) -> Option<Arc<T>> {
        let seen = |answer: &Arc<T>| unlike.is_some_and(|unlike| Arc::ptr_eq(unlike, answer));
        let fresh = self.fresh_until.is_some_and(|until| now < until);
        self.answer.clone().filter(|answer| fresh && !seen(answer))
    }

    // Whether there is nothing to fetch, when nobody is fetching: what is looked for may be there, or it is not time yet.
    fn is_settled(&self, unlike: Option<&Arc<T>>, now: Timestamp) -> bool {
        let between = if self.usable(now).is_some() { BETWEEN } else { BETWEEN_FAILURES };
        let lately = self.tried_at.is_some_and(|tried| tried <= now && now < tried.plus(between));
        lately || self.fresh(unlike, now).is_some()
    }

    fn usable(&self, now: Timestamp) -> Option<Arc<T>> {
        let in_time = self.fresh_until.is_some_and(|until| now < until.plus(STALE_AT_MOST));
        self.answer.clone().filter(|_| in_time)
    }
}
