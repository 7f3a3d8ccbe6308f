//! The life of a signing key, derived from its times, and the plain decisions about making and promoting keys.
//!
//! A key is published from the moment it is made, signs from `active_from` on until the next one takes over, and stays
//! published until `retire_at`, when the last token it signed is dead. There is no state column that could say otherwise.

use std::time::Duration;

use serde::Serialize;

use crate::domain::{SigningAlg, Timestamp};

/// What a key is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// Published, so that everyone knows it before it signs.
    Next,
    /// It signs.
    Active,
    /// Still published, for the tokens that it signed.
    Retired,
}

/// One key's place in the line of keys of its algorithm. Each purpose has lines of its own, which are looked at apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyTimes {
    pub kid: String,
    pub alg: SigningAlg,
    pub generation: i64,
    pub created_at: Timestamp,
    /// `None` until it is promoted.
    pub active_from: Option<Timestamp>,
    /// `None` until its successor is promoted.
    pub retire_at: Option<Timestamp>,
}

/// A key to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Make {
    pub alg: SigningAlg,
    pub generation: i64,
    /// `None`: it waits to be promoted.
    pub active_from: Option<Timestamp>,
}

/// A next key to promote, and the one that it takes over from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Promote {
    pub alg: SigningAlg,
    pub next: String,
    pub active_from: Timestamp,
    pub old: String,
    pub retire_at: Timestamp,
}

/// What a replica that has not heard of a promotion yet may still sign after it, and the slowest consumer's clock.
const GRACE: Duration = Duration::from_mins(5);

/// The key of `alg` that signs at `now`: the one with the greatest `active_from` that has come.
///
/// Where none has come yet (another replica, whose clock is a moment ahead, has just made the first one) it is the earliest.
pub(super) fn active(keys: &[KeyTimes], alg: SigningAlg, now: Timestamp) -> Option<&KeyTimes> {
    let promoted = || keys.iter().filter(|key| key.alg == alg).filter_map(|key| key.active_from.map(|from| ((from, key.generation), key)));
    let begun = promoted().filter(|((from, _), _)| *from <= now).max_by_key(|(order, _)| *order);
    begun.or_else(|| promoted().min_by_key(|(order, _)| *order)).map(|(_, key)| key)
}

/// What `key`, one of `keys`, is at `now`.
pub(super) fn state(key: &KeyTimes, keys: &[KeyTimes], now: Timestamp) -> KeyState {
    match (active(keys, key.alg, now), key.active_from) {
        (Some(active), _) if active.kid == key.kid => KeyState::Active,
        (_, None) => KeyState::Next,
        (_, Some(from)) if from > now => KeyState::Next,
        _ => KeyState::Retired,
    }
}

/// The keys that are lacking: each of the algorithms has one that signs and one that waits.
pub(super) fn missing(keys: &[KeyTimes], algs: &[SigningAlg], now: Timestamp) -> Vec<Make> {
    let mut steps = Vec::new();
    for &alg in algs {
        let line = || keys.iter().filter(|key| key.alg == alg);
        let mut generation = line().map(|key| key.generation).max().unwrap_or(0);
        if !line().any(|key| key.active_from.is_some()) {
            generation += 1;
            steps.push(Make { alg, generation, active_from: Some(now) });
        }
        if !line().any(|key| key.active_from.is_none()) {
            generation += 1;
            steps.push(Make { alg, generation, active_from: None });
        }
    }
    steps
}

/// The promotions of a rotation at `now`. An algorithm whose last rotation has not taken effect yet has none, nor has one that
/// lacks its next key: then somebody else is in the middle of it.
pub(super) fn promotions(
    keys: &[KeyTimes],
    algs: &[SigningAlg],
    now: Timestamp,
    publish_ahead: Duration,
    token_lifetime_max: Duration,
) -> Vec<Promote> {
    let of = |&alg: &SigningAlg| {
        let line = || keys.iter().filter(|key| key.alg == alg);
        let old = active(keys, alg, now)?;
        let next = line().filter(|key| key.active_from.is_none()).min_by_key(|key| key.generation)?;
        if line().any(|key| key.active_from.is_some_and(|from| from > now)) {
            return None;
        }
        // Everyone who keeps a copy of the key set must have had the time to see the next key in it.
        let active_from = now.max(next.created_at.plus(publish_ahead));
        // The old key signs until then, and what it signs last lives for `token_lifetime_max`.
        let retire_at = active_from.plus(token_lifetime_max).plus(GRACE);
        Some(Promote { alg, next: next.kid.clone(), active_from, old: old.kid.clone(), retire_at })
    };
    algs.iter().filter_map(of).collect()
}

/// Whether the key of `alg` has signed for `every` or longer.
pub(super) fn is_due(keys: &[KeyTimes], alg: SigningAlg, now: Timestamp, every: Duration) -> bool {
    active(keys, alg, now).and_then(|key| key.active_from).is_some_and(|from| from.plus(every) <= now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALG: SigningAlg = SigningAlg::Es256;
    const AHEAD: Duration = Duration::from_mins(10);
    const LIFETIME: Duration = Duration::from_hours(24);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn key(generation: i64, created: i64, active_from: Option<i64>) -> KeyTimes {
        let (created_at, active_from) = (at(created), active_from.map(at));
        KeyTimes { kid: format!("k{generation}"), alg: ALG, generation, created_at, active_from, retire_at: None }
    }

    fn states(keys: &[KeyTimes], now: i64) -> Vec<KeyState> {
        keys.iter().map(|key| state(key, keys, at(now))).collect()
    }

    fn promote(keys: &[KeyTimes], now: i64) -> Option<Promote> {
        promotions(keys, SigningAlg::ALL, at(now), AHEAD, LIFETIME).into_iter().next()
    }

    #[test]
    fn the_state_follows_from_the_times() {
        use KeyState::{Active, Next, Retired};
        let keys = [key(1, 0, Some(0)), key(2, 0, Some(1_000)), key(3, 900, None)];
        for (now, expected) in [
            (0, [Active, Next, Next]),
            (999, [Active, Next, Next]),
            (1_000, [Retired, Active, Next]),
            (99_999, [Retired, Active, Next]),
            // Before anything began, by a clock that is behind: the earliest signs.
            (-5, [Active, Next, Next]),
        ] {
            assert_eq!(states(&keys, now), expected, "{now}");
        }
        assert_eq!(active(&keys, SigningAlg::Rs256, at(0)), None);
    }

    #[test]
    fn of_two_that_begin_at_once_the_younger_signs() {
        let keys = [key(2, 0, Some(5)), key(1, 0, Some(5))];
        assert_eq!(active(&keys, ALG, at(5)).map(|key| key.generation), Some(2));
    }

    #[test]
    fn what_is_lacking_is_made_once() {
        assert_eq!(missing(&[], &[ALG], at(7)).len(), 2);
        let all = missing(&[], SigningAlg::ALL, at(7));
        assert_eq!(all.len(), 2 * SigningAlg::ALL.len());
        assert_eq!(all[0], Make { alg: SigningAlg::Rs256, generation: 1, active_from: Some(at(7)) });
        assert_eq!(all[1], Make { alg: SigningAlg::Rs256, generation: 2, active_from: None });
        let mine =
            |keys: &[KeyTimes], now| missing(keys, SigningAlg::ALL, at(now)).into_iter().filter(|make| make.alg == ALG).collect::<Vec<_>>();
        assert_eq!(mine(&[key(1, 0, Some(0)), key(2, 0, None)], 9), []);
        // A start that was cut short, and a rotation that was.
        assert_eq!(mine(&[key(1, 0, Some(0))], 9), [Make { alg: ALG, generation: 2, active_from: None }]);
        assert_eq!(mine(&[key(4, 0, Some(0)), key(5, 0, Some(20))], 9), [Make { alg: ALG, generation: 6, active_from: None }]);
        // A first key that begins in our future is another replica's, whose clock is ahead.
        assert_eq!(mine(&[key(1, 9, Some(9)), key(2, 9, None)], 8), []);
    }

    #[test]
    fn a_next_key_is_published_before_it_signs() {
        let fresh = [key(1, 0, Some(0)), key(2, 100, None)];
        let expected = Promote { alg: ALG, next: "k2".into(), active_from: at(700), old: "k1".into(), retire_at: at(700 + 86_400 + 300) };
        assert_eq!(promote(&fresh, 200), Some(expected));
        // One that has been published for long begins at once.
        assert_eq!(promote(&fresh, 5_000).map(|promote| promote.active_from), Some(at(5_000)));
    }

    #[test]
    fn a_rotation_under_way_is_not_overtaken() {
        assert_eq!(promote(&[key(1, 0, Some(0)), key(2, 0, Some(600)), key(3, 100, None)], 200), None);
        assert!(promote(&[key(1, 0, Some(0)), key(2, 0, Some(600)), key(3, 100, None)], 600).is_some_and(|promote| promote.old == "k2"));
        assert_eq!(promote(&[key(1, 0, Some(0))], 200), None, "no next key: somebody is between two steps");
        assert_eq!(promote(&[], 200), None);
    }

    #[test]
    fn a_key_is_due_when_it_has_signed_long_enough() {
        let keys = [key(1, 0, Some(100)), key(2, 0, None)];
        let every = Duration::from_secs(50);
        assert!(!is_due(&keys, ALG, at(149), every));
        assert!(is_due(&keys, ALG, at(150), every));
        assert!(!is_due(&keys, SigningAlg::Rs256, at(150), every));
        // The one that was just promoted is not.
        assert!(!is_due(&[key(1, 0, Some(100)), key(2, 0, Some(150))], ALG, at(150), every));
    }
}
