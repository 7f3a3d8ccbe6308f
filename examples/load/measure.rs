//! Runs callers side by side and keeps what was seen: how long each request took, and what the server's CPU spent meanwhile.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::LocalSet;

use crate::Failure;
use crate::bare::Bare;
use crate::server::Server;

/// What one operation at one number of callers came to.
#[derive(Debug, Default)]
pub(crate) struct Sample {
    latencies: Vec<Duration>,
    wall: Duration,
    cpu: Duration,
}

/// The numbers of a sample that are written down.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct Row {
    pub(crate) operation: &'static str,
    pub(crate) callers: usize,
    pub(crate) requests: usize,
    pub(crate) per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Server CPU for one operation, in microseconds.
    pub(crate) cpu_us: f64,
    /// What one of each signature cost before and after it.
    #[serde(skip)]
    pub(crate) bare: Option<Bare>,
    /// The bare signatures of one operation, in microseconds, where it has some.
    pub(crate) bare_us: Option<f64>,
    /// What one operation may cost at 32 callers, where that is laid down.
    pub(crate) allowed_us: Option<f64>,
}

impl Sample {
    /// Adds a stretch: every caller's share of the work, all at once on this thread.
    pub(crate) async fn stretch<F>(&mut self, server: &Server, shares: Vec<F>) -> Result<(), Failure>
    where
        F: Future<Output = Result<Vec<Duration>, Failure>> + 'static,
    {
        let (start, before) = (Instant::now(), server.cpu()?);
        for latencies in side_by_side(shares).await? {
            self.latencies.extend(latencies);
        }
        self.wall += start.elapsed();
        self.cpu += server.cpu()?.saturating_sub(before);
        Ok(())
    }

    pub(crate) fn row(mut self, operation: &'static str, callers: usize) -> Row {
        self.latencies.sort_unstable();
        let requests = self.latencies.len();
        let at = |share: f64| {
            let place = ((requests as f64 - 1.0) * share).round().max(0.0) as usize;
            self.latencies.get(place).map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
        };
        Row {
            operation,
            callers,
            requests,
            per_second: requests as f64 / self.wall.as_secs_f64(),
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            cpu_us: self.cpu.as_secs_f64() * 1e6 / requests as f64,
            bare: None,
            bare_us: None,
            allowed_us: None,
        }
    }
}

impl Row {
    pub(crate) fn beside(self, bare: Bare) -> Self {
        Self { bare: Some(bare), ..self }
    }
}

/// Runs all at once and gives their results; the first failure ends it.
pub(crate) async fn side_by_side<T: 'static, F>(shares: Vec<F>) -> Result<Vec<T>, Failure>
where
    F: Future<Output = Result<T, Failure>> + 'static,
{
    let together = LocalSet::new();
    let results = Rc::new(RefCell::new(Vec::with_capacity(shares.len())));
    let tasks: Vec<_> = shares
        .into_iter()
        .map(|share| {
            let results = Rc::clone(&results);
            together.spawn_local(async move {
                let result = share.await?;
                results.borrow_mut().push(result);
                Ok::<(), Failure>(())
            })
        })
        .collect();
    together
        .run_until(async {
            for task in tasks {
                task.await??;
            }
            Ok::<(), Failure>(())
        })
        .await?;
    Ok(results.take())
}
