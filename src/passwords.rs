//! The bounded pool that hashes passwords: argon2id is slow on purpose, and must not slow down anything else.
//!
//! It has threads of its own, few, of low priority, with a short queue. Who comes when the queue is full is told to come again; nobody
//! waits behind a storm, and the threads that answer requests never hash. Where others want the processors too, each thread of the pool
//! takes a fortieth of one at the most: priority alone does not help those who wait behind a step of the scheduler.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use tokio::sync::oneshot;

use crate::config::Passwords as Config;
use crate::domain::{Entropy, Secret};

/// How far below the threads that answer requests these ones are: as far as there is.
const NICE: i32 = 19;
/// A thread that had to share its processor begins the next hash after so many times the work of the last one.
const SHARE: u32 = 40;
/// Whoever found the queue full comes again after so many seconds: on a busy machine about half of the usual one is through by then.
pub const COME_AGAIN: u64 = 10;

type Job = Box<dyn FnOnce(&mut Hasher) + Send>;

/// The pool. Cheap to share; its threads end with it.
pub struct Passwords {
    jobs: SyncSender<Job>,
    params: Params,
    // Compared with where there is nobody of that name, so that it takes as long.
    nobody: String,
    entropy: Entropy,
}

/// Why a password was not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotHashed {
    #[error("too many people sign in by password at this moment")]
    Busy,
    #[error("a password could not be hashed")]
    Failed,
}

/// What a typed password came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    Wrong,
    Right,
    /// Right, and kept with other parameters than those of today: this is what to keep from now on.
    Rehashed(String),
}

impl Passwords {
    /// Starts the threads.
    ///
    /// # Errors
    /// The parameters do not go together, or the system has no thread to give.
    pub fn start(config: &Config, entropy: &Entropy) -> Result<Self, String> {
        let params = Params::new(config.memory_kib.get(), config.iterations.get(), 1, None)
            .map_err(|reason| format!("the parameters of passwords do not go together: {reason}"))?;
        let (jobs, queue) = sync_channel::<Job>(usize::try_from(config.queue.get()).unwrap_or(usize::MAX));
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..config.threads.get() {
            let (queue, mut hasher) = (Arc::clone(&queue), Hasher::new(&params)?);
            std::thread::Builder::new()
                .name("passwords".to_owned())
                .spawn(move || work(&queue, &mut hasher))
                .map_err(|reason| format!("the system gives no thread for passwords: {reason}"))?;
        }
        let nobody = Hasher::new(&params)?.hash(&entropy.secret(), entropy.bytes()).map_err(|reason| reason.to_string())?;
        Ok(Self { jobs, params, nobody, entropy: entropy.clone() })
    }

    /// The text under which a password is kept: a PHC string with parameters, salt and hash.
    pub async fn hash(&self, password: Secret) -> Result<String, NotHashed> {
        let salt = self.entropy.bytes();
        self.run(move |hasher| hasher.hash(&password, salt)).await?
    }

    /// Compares what was typed with what is kept; `None`: nobody of that name has a password. Both take as long.
    pub async fn check(&self, typed: Secret, kept: Option<String>) -> Result<Checked, NotHashed> {
        let (known, kept) = (kept.is_some(), kept.unwrap_or_else(|| self.nobody.clone()));
        let (salt, today) = (self.entropy.bytes(), self.params.clone());
        self.run(move |hasher| {
            let Ok(kept) = PasswordHash::new(&kept) else {
                tracing::error!("a password's hash in the database cannot be read");
                return Ok(Checked::Wrong);
            };
            let Some((right, then)) = hasher.compare(&typed, &kept)? else {
                tracing::error!("a password's hash in the database is not one of argon2id");
                return Ok(Checked::Wrong);
            };
            let same = (then.m_cost(), then.t_cost(), then.p_cost()) == (today.m_cost(), today.t_cost(), today.p_cost());
            match (right && known, same) {
                (false, _) => Ok(Checked::Wrong),
                (true, true) => Ok(Checked::Right),
                (true, false) => hasher.hash(&typed, salt).map(Checked::Rehashed),
            }
        })
        .await?
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce(&mut Hasher) -> T + Send + 'static) -> Result<T, NotHashed> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |hasher| {
            // Nobody waits any more: the request was given up before its turn came.
            if !reply.is_closed() {
                let _ = reply.send(work(hasher));
            }
        });
        match self.jobs.try_send(job) {
            Ok(()) => answer.await.map_err(|_| NotHashed::Failed),
            Err(TrySendError::Full(_)) => Err(NotHashed::Busy),
            Err(TrySendError::Disconnected(_)) => Err(NotHashed::Failed),
        }
    }
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passwords").field("params", &self.params).finish_non_exhaustive()
    }
}

// What hashes on one thread. Its memory is got once: got anew for each password, page by page, it would hold up all threads of the process.
struct Hasher {
    params: Params,
    memory: Vec<Block>,
}

impl Hasher {
    fn new(params: &Params) -> Result<Self, String> {
        let mut hasher = Self { memory: Vec::new(), params: params.clone() };
        hasher.hold(params).ok_or_else(|| format!("there is no memory for passwords: {} KiB are too many", params.m_cost()))?;
        Ok(hasher)
    }

    // Gets what is missing of the memory for those parameters; `None`: the system has none to give.
    fn hold(&mut self, params: &Params) -> Option<()> {
        let missing = params.block_count().saturating_sub(self.memory.len());
        self.memory.try_reserve_exact(missing).ok()?;
        self.memory.resize(self.memory.len() + missing, Block::new());
        Some(())
    }

    fn hash(&mut self, password: &Secret, salt: [u8; 16]) -> Result<String, NotHashed> {
        self.kept(password, &salt).map(|kept| kept.to_string()).ok_or(NotHashed::Failed)
    }

    fn kept(&mut self, password: &Secret, salt: &[u8]) -> Option<PasswordHash> {
        let params = self.params.clone();
        let hash = Some(self.output(password, salt, &params, Params::DEFAULT_OUTPUT_LEN)?);
        let (version, salt) = (Some(Version::V0x13.into()), Some(Salt::new(salt).ok()?));
        Some(PasswordHash { algorithm: ARGON2ID_IDENT, version, params: ParamsString::try_from(&params).ok()?, salt, hash })
    }

    // Whether a password is the kept one, in constant time, and the parameters of then; `None`: what is kept is none of ours.
    fn compare(&mut self, typed: &Secret, kept: &PasswordHash) -> Result<Option<(bool, Params)>, NotHashed> {
        let ours = kept.algorithm == ARGON2ID_IDENT && kept.version == Some(Version::V0x13.into());
        let (Some(salt), Some(hash), Ok(params), true) = (&kept.salt, &kept.hash, Params::try_from(kept), ours) else { return Ok(None) };
        let output = self.output(typed, salt, &params, hash.len()).ok_or(NotHashed::Failed)?;
        Ok(Some((output == *hash, params)))
    }

    // RFC 9106 §4: argon2id, version 0x13.
    fn output(&mut self, password: &Secret, salt: &[u8], params: &Params, length: usize) -> Option<Output> {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
        self.hold(params)?;
        let mut output = [0; Output::MAX_LENGTH];
        let output = output.get_mut(..length)?;
        argon2.hash_password_into_with_memory(password.expose().as_bytes(), salt, output, &mut self.memory).ok()?;
        Output::new(output).ok()
    }
}

fn work(queue: &Mutex<Receiver<Job>>, hasher: &mut Hasher) {
    // On Linux a thread has a priority of its own; elsewhere it would be the whole process's.
    #[cfg(target_os = "linux")]
    if let Err(reason) = rustix::process::setpriority_process(None, NICE) {
        tracing::warn!(%reason, "the threads that hash passwords keep the priority of the others");
    }
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        let (begun, worked) = (Instant::now(), processor_time());
        job(hasher);
        std::thread::sleep(rest(processor_time().saturating_sub(worked), begun.elapsed()));
    }
}

// What this thread has had of the processors until now.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

// How long to stay away after work that took so long: not at all where nobody else wanted the processor.
fn rest(worked: Duration, took: Duration) -> Duration {
    // The clocks differ a little, and a moment's interruption is no company.
    let alone = took <= worked + worked / 8;
    if alone { Duration::ZERO } else { (worked * SHARE).saturating_sub(took) }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn config(iterations: u32, queue: u32) -> Config {
        let number = |number| NonZeroU32::new(number).unwrap();
        Config {
            enabled: true,
            memory_kib: number(64),
            iterations: number(iterations),
            threads: number(1),
            queue: number(queue),
            per_address_per_hour: number(1),
            per_network_per_hour: number(1),
            in_all_per_hour: number(1),
        }
    }

    #[tokio::test]
    async fn a_password_is_right_wrong_or_nobodys() {
        let pool = Passwords::start(&config(1, 8), &Entropy::seeded(1)).unwrap();
        let kept = pool.hash(Secret::new("correct horse battery")).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{kept}");
        let check = |typed: &str, kept: Option<&String>| pool.check(Secret::new(typed), kept.cloned());
        assert_eq!(check("correct horse battery", Some(&kept)).await, Ok(Checked::Right));
        assert_eq!(check("correct horse batterz", Some(&kept)).await, Ok(Checked::Wrong));
        assert_eq!(check("correct horse battery", None).await, Ok(Checked::Wrong));
        assert_eq!(check("x", Some(&"plain".to_owned())).await, Ok(Checked::Wrong));
        // Of the test vectors of the reference implementation.
        let vector = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4".to_owned();
        assert!(matches!(check("password", Some(&vector)).await, Ok(Checked::Rehashed(_))));
        assert_eq!(check("Password", Some(&vector)).await, Ok(Checked::Wrong));
        assert_eq!(check("password", Some(&vector.replace("argon2id", "argon2i"))).await, Ok(Checked::Wrong));
        assert_ne!(pool.hash(Secret::new("correct horse battery")).await.unwrap(), kept, "each has its salt");
    }

    #[tokio::test]
    async fn other_parameters_are_followed() {
        let old = Passwords::start(&config(1, 8), &Entropy::seeded(1)).unwrap();
        let new = Passwords::start(&config(2, 8), &Entropy::seeded(2)).unwrap();
        let kept = old.hash(Secret::new("correct horse battery")).await.unwrap();
        assert_eq!(new.check(Secret::new("wrong"), Some(kept.clone())).await, Ok(Checked::Wrong));
        match new.check(Secret::new("correct horse battery"), Some(kept)).await {
            Ok(Checked::Rehashed(kept)) => {
                assert!(kept.contains("t=2"), "{kept}");
                assert_eq!(new.check(Secret::new("correct horse battery"), Some(kept)).await, Ok(Checked::Right));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn who_shares_a_processor_takes_a_fortieth_of_it() {
        let rests = |worked, took| rest(Duration::from_millis(worked), Duration::from_millis(took)).as_millis();
        assert_eq!([rests(16, 16), rests(16, 18), rests(16, 19), rests(16, 50), rests(16, 640), rests(16, 900)], [0, 0, 621, 590, 0, 0]);
    }

    #[tokio::test]
    async fn a_full_queue_turns_people_away() {
        let pool = Passwords::start(&config(1, 1), &Entropy::seeded(1)).unwrap();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let (begun, begins) = oneshot::channel();
        let first = pool.run(move |_| {
            let _ = begun.send(());
            released.recv().is_ok()
        });
        tokio::pin!(first);
        tokio::select! { biased; _ = &mut first => unreachable!("it is held"), _ = begins => {} }
        let second = pool.hash(Secret::new("waits in the queue"));
        tokio::pin!(second);
        assert!(futures_util::poll!(&mut second).is_pending());
        assert_eq!(pool.hash(Secret::new("finds it full")).await, Err(NotHashed::Busy));
        release.send(()).unwrap();
        assert_eq!(first.await, Ok(true));
        assert!(second.await.is_ok());
    }
}
