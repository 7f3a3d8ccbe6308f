//! What people who sign in by password cost those who ask for tokens: the p99 of `/token`, alone and beside a pool of hashes that is never
//! idle, in pairs that follow each other; and whether an address that is known takes as long as one that is not.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use latchkey::domain::{AccountId, Clock, Entropy};
use latchkey::store::{DatabaseSettings, NewAccount, Store};
use serde::Serialize;
use tokio::task::LocalSet;

use crate::Failure;
use crate::measure::Sample;
use crate::operations::Caller;
use crate::person::Person;
use crate::server::Server;
use crate::wallet::Wallet;

pub(crate) const NAME: &str = "passwords";
const CALLERS: u64 = 32;
/// As many as keep one thread busy and its queue filled.
const STORM: u64 = 8;
const PAIRS: usize = 9;
/// What the median of their quotients may be.
const ALLOWED: f64 = 1.25;
const TRIES: usize = 200;
const KNOWN: &str = "known@example.com";
const UNKNOWN: &str = "nobody@example.com";

/// What was seen.
#[derive(Debug, Serialize)]
pub(crate) struct Passwords {
    /// The p99 of a client's own token at 32 callers, of each pair, in milliseconds.
    alone_p99_ms: Vec<f64>,
    beside_p99_ms: Vec<f64>,
    /// The median of their quotients, and what it may be.
    ratio_median: f64,
    ratio_allowed: f64,
    /// Passwords that were compared meanwhile, a second.
    compared_per_second: f64,
    /// 200 wrong passwords each: quartiles in milliseconds.
    known_ms: [f64; 3],
    unknown_ms: [f64; 3],
}

impl Passwords {
    pub(crate) fn words(&self) -> String {
        format!(
            "p99 of a token at {CALLERS} callers beside a full pool of passwords: {:.2} times that without (median of {PAIRS} pairs; {ALLOWED} allowed{}), with {:.0} \
             passwords compared a second. A wrong password takes {:.1} / {:.1} / {:.1} ms (quartiles of {TRIES}) for an address that is known, \
             {:.1} / {:.1} / {:.1} ms for one that is not.",
            self.ratio_median,
            if self.ratio_median > ALLOWED { ", **exceeded**" } else { "" },
            self.compared_per_second,
            self.known_ms[0],
            self.known_ms[1],
            self.known_ms[2],
            self.unknown_ms[0],
            self.unknown_ms[1],
            self.unknown_ms[2],
        )
    }
}

/// Measures both.
pub(crate) async fn measure(server: &Server, database: &str, time: Duration) -> Result<Passwords, Failure> {
    let store = Store::open(&DatabaseSettings { url: database.to_owned(), max_connections: 1 }).await?;
    let (now, entropy) = (Clock::System.now(), Entropy::System);
    // The hash of a password that nobody tries here.
    let config = latchkey::config::Config::load(None, std::iter::empty(), &latchkey::config::Flags::default())?;
    let pool = latchkey::passwords::Passwords::start(&config.passwords, &entropy)?;
    let password = Some(pool.hash(entropy.secret()).await?);
    let new = NewAccount { id: AccountId(entropy.uuid(now)), email: KNOWN.parse()?, name: None, password };
    store.create_account(new, now).await?;
    store.close().await;

    let [known_ms, unknown_ms] = times(server).await?;
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    let (mut compared, mut seconds) = (0, 0.0);
    for _ in 0..PAIRS {
        alone.push(tokens(server, time).await?);
        let begun = Instant::now();
        let (p99, tried) = storm(server, time).await?;
        beside.push(p99);
        compared += tried;
        seconds += begun.elapsed().as_secs_f64();
    }
    let mut ratios: Vec<f64> = alone.iter().zip(&beside).map(|(alone, beside)| beside / alone).collect();
    ratios.sort_by(f64::total_cmp);
    Ok(Passwords {
        alone_p99_ms: alone,
        beside_p99_ms: beside,
        ratio_median: ratios[PAIRS / 2],
        ratio_allowed: ALLOWED,
        compared_per_second: f64::from(compared) / seconds,
        known_ms,
        unknown_ms,
    })
}

// The p99 of a client's own token.
async fn tokens(server: &Server, time: Duration) -> Result<f64, Failure> {
    let mut shares = Vec::new();
    for number in 0..CALLERS {
        let mut caller = Caller::new(server.address, number)?;
        shares.push(async move {
            let (start, mut latencies) = (Instant::now(), Vec::new());
            while start.elapsed() < time {
                let sent = Instant::now();
                caller.client_credentials().await?;
                latencies.push(sent.elapsed());
            }
            Ok(latencies)
        });
    }
    let mut sample = Sample::default();
    sample.stretch(server, shares).await?;
    Ok(sample.row(NAME, CALLERS as usize).p99_ms)
}

// The same while people try passwords, and how many they tried.
async fn storm(server: &Server, time: Duration) -> Result<(f64, u32), Failure> {
    let (over, tried) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(0)));
    LocalSet::new()
        .run_until(async {
            let mut people = Vec::new();
            for number in 0..STORM {
                let mut person = Person::new(server.address, Wallet::number(number)?);
                let (over, tried) = (Rc::clone(&over), Rc::clone(&tried));
                people.push(tokio::task::spawn_local(async move {
                    let visit = person.begin().await.map_err(|reason| reason.to_string())?;
                    while !over.get() {
                        person.try_password(&visit, KNOWN).await.map_err(|reason| reason.to_string())?;
                        tried.set(tried.get() + 1);
                    }
                    Ok::<(), String>(())
                }));
            }
            let p99 = tokens(server, time).await;
            over.set(true);
            for person in people {
                person.await??;
            }
            Ok((p99?, tried.get()))
        })
        .await
}

// Known and unknown take turns, so that whatever else happens on the machine happens to both.
async fn times(server: &Server) -> Result<[[f64; 3]; 2], Failure> {
    let mut person = Person::new(server.address, Wallet::number(0)?);
    let visit = person.begin().await?;
    let mut took = [Vec::new(), Vec::new()];
    for _ in 0..TRIES {
        for (times, email) in took.iter_mut().zip([KNOWN, UNKNOWN]) {
            let sent = Instant::now();
            person.try_password(&visit, email).await?;
            times.push(sent.elapsed().as_secs_f64() * 1e3);
        }
    }
    Ok(took.map(|mut times| {
        times.sort_by(f64::total_cmp);
        [TRIES / 4, TRIES / 2, TRIES * 3 / 4].map(|place| times[place])
    }))
}
