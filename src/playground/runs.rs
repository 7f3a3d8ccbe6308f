//! The sign-ins under way, in memory: one a browser, found by its cookie. Bounded and short-lived, so that nothing grows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::relying_party::Pending;
use super::report::Report;
use crate::domain::{Timestamp, TokenHash};

const LIFETIME: Duration = Duration::from_hours(1);
const MOST: usize = 200;

#[derive(Debug, Default)]
pub(super) struct Runs(Mutex<HashMap<TokenHash, Run>>);

#[derive(Debug)]
struct Run {
    /// What is needed to go on after the server's answer; gone once an answer has come.
    pending: Option<Box<Pending>>,
    report: Arc<Report>,
    expires_at: Timestamp,
}

/// What became of an answer that a browser brought.
#[derive(Debug)]
pub(super) enum Claimed {
    /// It is the one that was waited for. It cannot be claimed again.
    Pending(Box<Pending>),
    /// An answer has come before: the page was reloaded.
    Already,
    /// This browser waits for an answer with another `state`; it goes on waiting.
    OtherState,
    /// This browser waits for nothing.
    Unknown,
}

impl Runs {
    /// Keeps a sign-in that goes off to the server. When the place is full the oldest one makes room.
    pub(super) fn start(&self, browser: TokenHash, pending: Option<Box<Pending>>, report: Report, now: Timestamp) {
        let mut runs = self.lock();
        runs.retain(|_, run| run.expires_at > now);
        while runs.len() >= MOST {
            let Some(oldest) = runs.iter().min_by_key(|(_, run)| run.expires_at).map(|(browser, _)| *browser) else { break };
            runs.remove(&oldest);
        }
        runs.insert(browser, Run { pending, report: Arc::new(report), expires_at: now.plus(LIFETIME) });
    }

    /// Claims the sign-in that an answer with `state` belongs to. Of several at once, one gets it: a code is redeemed once.
    pub(super) fn claim(&self, browser: &TokenHash, state: Option<&str>, now: Timestamp) -> Claimed {
        let mut runs = self.lock();
        let Some(run) = runs.get_mut(browser).filter(|run| run.expires_at > now) else { return Claimed::Unknown };
        match run.pending.take() {
            None => Claimed::Already,
            Some(pending) if state.is_some_and(|state| pending.is_for(state)) => Claimed::Pending(pending),
            other => {
                run.pending = other;
                Claimed::OtherState
            }
        }
    }

    /// Keeps what came of a claimed sign-in; nothing, when the browser has begun another one meanwhile.
    pub(super) fn finish(&self, browser: &TokenHash, report: Report) {
        if let Some(run) = self.lock().get_mut(browser).filter(|run| run.pending.is_none()) {
            run.report = Arc::new(report);
        }
    }

    pub(super) fn report(&self, browser: &TokenHash, now: Timestamp) -> Option<Arc<Report>> {
        self.lock().get(browser).filter(|run| run.expires_at > now).map(|run| Arc::clone(&run.report))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TokenHash, Run>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::choices::Choices;
    use super::super::report::{Outcome, Problem};
    use super::*;

    fn browser(number: usize) -> TokenHash {
        TokenHash::of(&number.to_string())
    }

    fn report(now: Timestamp) -> Report {
        Report::new(Choices::default(), now)
    }

    #[test]
    fn an_answer_is_claimed_once_and_by_its_state_only() {
        let (runs, now) = (Runs::default(), Timestamp::from_seconds(1_000));
        assert!(matches!(runs.claim(&browser(1), Some("a"), now), Claimed::Unknown));

        runs.start(browser(1), Some(Box::new(Pending::for_tests("a"))), report(now), now);
        assert!(matches!(runs.claim(&browser(2), Some("a"), now), Claimed::Unknown));
        assert!(matches!(runs.claim(&browser(1), Some("b"), now), Claimed::OtherState));
        assert!(matches!(runs.claim(&browser(1), None, now), Claimed::OtherState));
        assert!(matches!(runs.claim(&browser(1), Some("a"), now), Claimed::Pending(_)));
        assert!(matches!(runs.claim(&browser(1), Some("a"), now), Claimed::Already));

        let mut failed = report(now);
        failed.fail(Problem { title: "Refused", words: String::new(), code: None });
        runs.finish(&browser(1), failed);
        let kept = runs.report(&browser(1), now).expect("it is kept");
        assert!(matches!(&kept.outcome, Outcome::Failed(problem) if problem.title == "Refused"));
    }

    #[test]
    fn the_end_of_one_sign_in_does_not_overwrite_the_next() {
        let (runs, now) = (Runs::default(), Timestamp::from_seconds(1_000));
        runs.start(browser(1), Some(Box::new(Pending::for_tests("a"))), report(now), now);
        assert!(matches!(runs.claim(&browser(1), Some("a"), now), Claimed::Pending(_)));
        runs.start(browser(1), Some(Box::new(Pending::for_tests("b"))), report(now), now);
        let mut late = report(now);
        late.outcome = Outcome::SignedIn;
        runs.finish(&browser(1), late);
        assert!(runs.report(&browser(1), now).is_some_and(|report| matches!(report.outcome, Outcome::AtServer(_))));
    }

    #[test]
    fn it_forgets_after_an_hour_and_holds_only_so_many() {
        let (runs, now) = (Runs::default(), Timestamp::from_seconds(1_000));
        for number in 0..MOST + 20 {
            let then = now.plus(Duration::from_secs(number as u64));
            runs.start(browser(number), None, report(then), then);
        }
        let last = now.plus(Duration::from_secs(MOST as u64 + 19));
        assert_eq!(runs.lock().len(), MOST);
        assert!(runs.report(&browser(19), last).is_none());
        assert!(runs.report(&browser(20), last).is_some());

        let later = last.plus(LIFETIME);
        assert!(runs.report(&browser(MOST + 19), later).is_none());
        runs.start(browser(0), None, report(later), later);
        assert_eq!(runs.lock().len(), 1);
    }
}
