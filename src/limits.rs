//! Limits on what can be guessed or filled up. What fills something up is counted in this process, for a minute and an address; what can be
//! guessed, or sends mail, is counted in the database for all replicas together ([`Allowance`]).

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter};

use crate::config::Limits as LimitsConfig;
use crate::domain::{ClientId, Timestamp};

/// The windows of what all replicas count together.
pub const MINUTE: Duration = Duration::from_mins(1);
pub const HOUR: Duration = Duration::from_hours(1);
pub const DAY: Duration = Duration::from_hours(24);

/// One counter for each kind of try; a try is charged to where it came from.
pub struct Limits {
    challenges: PerAddress,
    visits: PerAddress,
    sign_ins: PerAddress,
    registrations: PerAddress,
    self_registered: DefaultKeyedRateLimiter<(IpAddr, ClientId)>,
    devices: PerAddress,
    failures: DefaultKeyedRateLimiter<Guesser>,
    // Who failed too often, and until when nothing of theirs is looked at, right or wrong. It is remembered here, so that who proves
    // itself costs no look at the database; another replica learns of it at the next failure there.
    shut_out: Mutex<HashMap<Guesser, Timestamp>>,
    clock: DefaultClock,
}

type PerAddress = DefaultKeyedRateLimiter<IpAddr>;

/// Who guesses at what: an address, at one client. One app that is set up wrongly must not shut out its neighbours at the same address.
type Guesser = (IpAddr, ClientId, Proof);

/// What is guessed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Proof {
    /// What a client authenticates with.
    Client,
    /// The registration access token by which it changes its registration (RFC 7592).
    Registration,
}

impl Proof {
    /// Under which word all replicas count it.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Client => "client's proof",
            Self::Registration => "registration access token",
        }
    }
}

/// Too many tries: how many whole seconds to wait before the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    pub retry_after: u64,
}

/// How much there is of something that all replicas count together, in the database: so much in windows of that length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// What is counted: the same words are the same counter.
    pub kind: &'static str,
    pub most: u32,
    pub within: Duration,
}

impl Allowance {
    /// Whether so many tries are too many; if so, until when to wait.
    pub fn judge(self, tries: i64, until: Timestamp, now: Timestamp) -> Result<(), TooMany> {
        if tries <= i64::from(self.most) { Ok(()) } else { Err(TooMany { retry_after: seconds(until.since(now)) }) }
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Try {
    /// A challenge asked for through `/auth/web3`.
    Challenge,
    /// A visit begun: anybody's page can send a browser here to begin one, so it has a counter of its own.
    Visit,
    /// A step of a sign-in on our own page: a challenge, a signature.
    SignIn,
    /// An app that registers itself, or the fetch of the document by which one is known.
    Registration,
    /// A device of a public app that asks to be connected: a row is left behind, and whoever asked has proved nothing.
    Device,
}

impl Limits {
    #[must_use]
    pub fn new(config: &LimitsConfig) -> Self {
        let per_minute = |n: NonZeroU32| RateLimiter::keyed(Quota::per_minute(n));
        Self {
            challenges: per_minute(config.challenges_per_minute),
            visits: per_minute(config.visits_per_minute),
            sign_ins: per_minute(config.signins_per_minute),
            registrations: per_minute(config.registrations_per_minute),
            self_registered: RateLimiter::keyed(Quota::per_minute(config.self_registered_per_minute)),
            devices: per_minute(config.devices_per_minute),
            failures: RateLimiter::keyed(Quota::per_minute(config.failures_per_minute)),
            shut_out: Mutex::default(),
            clock: DefaultClock::default(),
        }
    }

    /// Counts one try of `address`.
    ///
    /// # Errors
    /// When it had too many.
    pub fn charge(&self, what: Try, address: IpAddr) -> Result<(), TooMany> {
        self.counter(what).check_key(&network(address)).map_err(|until| self.too_many(&until))
    }

    /// Counts what a client leaves behind of its own right, where it gave itself that right.
    ///
    /// # Errors
    /// When it left too much from this address.
    pub fn charge_client(&self, address: IpAddr, client: &ClientId) -> Result<(), TooMany> {
        self.self_registered.check_key(&(network(address), client.clone())).map_err(|until| self.too_many(&until))
    }

    /// Lets a client's attempt through, unless it was shut out at this address.
    ///
    /// # Errors
    /// When it was.
    pub fn admit(&self, address: IpAddr, client: &ClientId, proof: Proof, now: Timestamp) -> Result<(), TooMany> {
        let shut_out = self.shut_out.lock().unwrap_or_else(PoisonError::into_inner);
        if shut_out.is_empty() {
            return Ok(());
        }
        match shut_out.get(&(network(address), client.clone(), proof)) {
            Some(until) if *until > now => Err(TooMany { retry_after: seconds(until.since(now)) }),
            _ => Ok(()),
        }
    }

    /// Counts a failed attempt in this process: at once, whatever becomes of the request and of the database.
    pub fn failed(&self, address: IpAddr, client: &ClientId, proof: Proof, now: Timestamp) {
        if let Err(until) = self.failures.check_key(&(network(address), client.clone(), proof)) {
            self.shut_out(address, client, proof, now.plus(until.wait_time_from(self.clock.now())));
        }
    }

    /// Shuts a client out at an address, until then.
    pub fn shut_out(&self, address: IpAddr, client: &ClientId, proof: Proof, until: Timestamp) {
        self.shut_out.lock().unwrap_or_else(PoisonError::into_inner).insert((network(address), client.clone(), proof), until);
    }

    /// Forgets addresses that have been quiet; the worker calls it, so that the counters do not grow for ever.
    pub fn forget_quiet(&self, now: Timestamp) {
        for counter in [&self.challenges, &self.visits, &self.sign_ins, &self.registrations, &self.devices] {
            counter.retain_recent();
            counter.shrink_to_fit();
        }
        self.self_registered.retain_recent();
        self.self_registered.shrink_to_fit();
        self.failures.retain_recent();
        self.failures.shrink_to_fit();
        self.shut_out.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, until| *until > now);
    }

    fn counter(&self, what: Try) -> &PerAddress {
        match what {
            Try::Challenge => &self.challenges,
            Try::Visit => &self.visits,
            Try::SignIn => &self.sign_ins,
            Try::Registration => &self.registrations,
            Try::Device => &self.devices,
        }
    }

    fn too_many(&self, until: &NotUntil<<DefaultClock as Clock>::Instant>) -> TooMany {
        TooMany { retry_after: until.wait_time_from(self.clock.now()).as_secs() + 1 }
    }
}

// Whole seconds, after which it is over.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// The network that an address counts as: whoever has one IPv6 address usually has the whole /64 around it.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        },
    }
}

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Limits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(challenges: u32, signins: u32) -> Limits {
        let number = |n| NonZeroU32::new(n).unwrap();
        Limits::new(&LimitsConfig {
            challenges_per_minute: number(challenges),
            signins_per_minute: number(signins),
            failures_per_minute: number(1),
            visits_per_minute: number(signins),
            registrations_per_minute: number(signins),
            self_registered_per_minute: number(signins),
            devices_per_minute: number(signins),
            user_codes_per_minute: number(1),
            user_codes_in_all_per_minute: number(1),
        })
    }

    #[test]
    fn the_next_try_waits_and_neighbours_do_not() {
        let limits = limits(2, 1);
        let (here, there): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        assert!(limits.charge(Try::Challenge, here).is_ok());
        assert!(limits.charge(Try::Challenge, here).is_ok());
        let wait = limits.charge(Try::Challenge, here).unwrap_err().retry_after;
        assert!((1..=31).contains(&wait), "{wait}");
        assert!(limits.charge(Try::Challenge, there).is_ok());
        assert!(limits.charge(Try::SignIn, here).is_ok());
    }

    #[test]
    fn who_is_shut_out_waits_and_neighbours_do_not() {
        let limits = limits(1, 1);
        let at = Timestamp::from_seconds;
        let (here, there): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let (app, neighbour): (ClientId, ClientId) = ("app".parse().unwrap(), "neighbour".parse().unwrap());
        let admitted = |address, client, seconds| limits.admit(address, client, Proof::Client, at(seconds)).is_ok();
        assert!(admitted(here, &app, 0));
        limits.shut_out(here, &app, Proof::Client, at(60));
        assert_eq!(limits.admit(here, &app, Proof::Client, at(18)), Err(TooMany { retry_after: 42 }));
        let later = at(18).plus(Duration::from_millis(100));
        assert_eq!(limits.admit(here, &app, Proof::Client, later), Err(TooMany { retry_after: 42 }), "not a moment too soon");
        assert!(limits.admit(here, &app, Proof::Registration, at(18)).is_ok(), "another proof");
        assert!(admitted(here, &neighbour, 18) && admitted(there, &app, 18));
        limits.forget_quiet(at(59));
        assert!(!admitted(here, &app, 59) && admitted(here, &app, 60));
        limits.forget_quiet(at(60));
        assert!(limits.shut_out.lock().unwrap().is_empty());
    }

    #[test]
    fn who_guesses_is_shut_out_even_with_the_right_secret() {
        let limits = limits(1, 1);
        let (here, now): (IpAddr, Timestamp) = ("192.0.2.1".parse().unwrap(), Timestamp::from_seconds(0));
        let (app, neighbour): (ClientId, ClientId) = ("app".parse().unwrap(), "neighbour".parse().unwrap());
        limits.failed(here, &app, Proof::Client, now);
        assert!(limits.admit(here, &app, Proof::Client, now).is_ok());
        limits.failed(here, &app, Proof::Client, now);
        assert!(limits.admit(here, &app, Proof::Client, now).is_err());
        assert!(limits.admit(here, &neighbour, Proof::Client, now).is_ok());
        assert!(limits.admit("192.0.2.2".parse().unwrap(), &app, Proof::Client, now).is_ok());
    }

    #[test]
    fn what_a_client_leaves_is_counted_for_it_at_its_address() {
        let limits = limits(1, 2);
        let here: IpAddr = "192.0.2.1".parse().unwrap();
        let (app, neighbour): (ClientId, ClientId) = ("app".parse().unwrap(), "neighbour".parse().unwrap());
        assert!(limits.charge_client(here, &app).is_ok() && limits.charge_client(here, &app).is_ok());
        assert!(limits.charge_client(here, &app).is_err());
        assert!(limits.charge_client(here, &neighbour).is_ok());
        assert!(limits.charge_client("192.0.2.2".parse().unwrap(), &app).is_ok());
    }

    #[test]
    fn what_replicas_count_together_is_judged_alone() {
        let allowance = Allowance { kind: "x", most: 2, within: Duration::from_mins(1) };
        let at = Timestamp::from_seconds;
        let judged: Vec<_> = (1..=3).map(|tries| allowance.judge(tries, at(60), at(18))).collect();
        assert_eq!(judged, [Ok(()), Ok(()), Err(TooMany { retry_after: 42 })]);
        assert_eq!(allowance.judge(3, at(60), at(18).plus(Duration::from_millis(100))), Err(TooMany { retry_after: 42 }));
    }

    #[test]
    fn one_ipv6_network_is_one_caller() {
        assert_eq!(network("2001:db8::1".parse().unwrap()), network("2001:db8::ffff:1".parse().unwrap()));
        assert_ne!(network("2001:db8::1".parse().unwrap()), network("2001:db8:0:1::1".parse().unwrap()));
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), "192.0.2.1".parse::<IpAddr>().unwrap());
    }
}
