//! Who was sent to a provider: one answer is taken, in time, from there, in that browser.

use latchkey::domain::{InteractionId, Provider, Timestamp};
use latchkey::store::{AnswerTaken, UpstreamVisit};

use super::harness::{Fresh, both};
use super::made::{at, hash, uuid};
use super::races::fifty;

both! {
    /// The answer is its browser's, its provider's and its time's.
    an_answer_is_taken_once
    /// Fifty answers at once, one look at the code.
    one_takes_an_answer
}

/// A browser that was sent to `google` and has until second 600.
pub(crate) fn upstream_visit(number: u8) -> UpstreamVisit {
    UpstreamVisit {
        interaction_id: InteractionId(uuid(u128::from(number))),
        upstream: Provider::new("google"),
        created_at: at(0),
        expires_at: at(600),
    }
}

async fn an_answer_is_taken_once(fresh: &Fresh) {
    let store = &fresh.store;
    let visit = upstream_visit(1);
    store.put_upstream_visit(&visit, &hash("state"), &hash("browser")).await.unwrap();
    let take = async |state: &str, browser: &str, upstream: &str, now: Timestamp| {
        store.take_upstream_visit(&hash(state), &hash(browser), &Provider::new(upstream), now).await.unwrap()
    };
    for (state, browser, upstream) in [("other", "browser", "google"), ("state", "other", "google"), ("state", "browser", "apple")] {
        assert_eq!(take(state, browser, upstream, at(1)).await, AnswerTaken::Unknown, "{state} {browser} {upstream}");
    }
    assert_eq!(take("state", "browser", "google", at(600)).await, AnswerTaken::Expired(visit.interaction_id));
    assert_eq!(take("state", "browser", "google", at(599)).await, AnswerTaken::Now(visit.clone()));
    assert_eq!(take("state", "browser", "google", at(1)).await, AnswerTaken::Already(visit.interaction_id));
    assert_eq!(take("state", "browser", "google", at(601)).await, AnswerTaken::Already(visit.interaction_id));
    assert_eq!(take("state", "other", "google", at(1)).await, AnswerTaken::Unknown, "who else asks learns nothing");
    // A state is for one.
    assert!(store.put_upstream_visit(&visit, &hash("state"), &hash("other")).await.is_err());
}

async fn one_takes_an_answer(fresh: &Fresh) {
    fresh.store.put_upstream_visit(&upstream_visit(1), &hash("state"), &hash("browser")).await.unwrap();
    let taken = fifty(fresh, |store, _| async move {
        store.take_upstream_visit(&hash("state"), &hash("browser"), &Provider::new("google"), at(1)).await.unwrap()
    })
    .await;
    assert_eq!(taken.iter().filter(|taken| matches!(taken, AnswerTaken::Now(_))).count(), 1);
    assert_eq!(taken.iter().filter(|taken| matches!(taken, AnswerTaken::Already(_))).count(), 49);
}
