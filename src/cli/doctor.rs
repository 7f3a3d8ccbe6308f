//! `latchkey doctor`: everything that a server needs, tried one by one.

mod checks;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::out::{Done, Failure, Said};
use super::serve::Where;
use super::{Common, desk};

/// Check that a server can start and work here
///
/// Tries configuration, data folder, database, tables, sealing key, signing keys, certificate, mail server, clock and ports, and says of each how it is.
/// Takes the options of `serve`, so that it looks at what `serve` would. It makes and changes nothing: what a first start makes is
/// said to be missing yet. A server that runs already is no problem.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    place: Where,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    ok: bool,
    detail: String,
}

impl Finding {
    fn of(check: &'static str, outcome: Result<String, String>) -> Self {
        let ok = outcome.is_ok();
        Self { check, ok, detail: outcome.unwrap_or_else(|problem| problem) }
    }
}

impl Doctor {
    pub(super) async fn run(self, common: &Common) -> Done {
        let checks = match desk::load(common, &self.place.flags(common)) {
            Ok(config) => checks::all(&config).await,
            // Nothing else can be tried without it.
            Err(Failure(problem)) => vec![Finding::of("configuration", Err(problem))],
        };
        let ok = checks.iter().all(|check| check.ok);
        let lines = checks.iter().map(|check| format!("{:>4}  {}: {}", if check.ok { "ok" } else { "BAD" }, check.check, check.detail));
        let words = lines.collect::<Vec<_>>().join("\n");
        Ok(Said::json(&json!({ "ok": ok, "checks": checks }))?.words(words).failed_if(!ok))
    }
}
