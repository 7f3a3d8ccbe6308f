//! What a run came to: a Markdown table for people, JSON to keep, with the machine and the bounds beside the numbers.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::Failure;
use crate::bare::Bare;
use crate::measure::Row;
use crate::passwords::Passwords;

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    command: &'static str,
    machine: String,
    cores: usize,
    bare_signatures_cpu_us: Bare,
    databases: Vec<DatabaseReport>,
}

#[derive(Debug, Serialize)]
pub(crate) struct DatabaseReport {
    database: &'static str,
    first_start_ms: f64,
    warm_start_ms_median: f64,
    warm_starts: usize,
    resident_mib_after_start: f64,
    resident_mib_after_logins: f64,
    operations: Vec<Row>,
    #[serde(skip_serializing_if = "Option::is_none")]
    passwords: Option<Passwords>,
}

impl Report {
    pub(crate) fn new(bare: Bare, mut databases: Vec<DatabaseReport>) -> Result<Self, Failure> {
        for row in databases.iter_mut().flat_map(|database| &mut database.operations) {
            with_bounds(row);
        }
        let info = std::fs::read_to_string("/proc/cpuinfo")?;
        let model = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
        Ok(Self {
            command: "scripts/bench",
            machine: model.trim_start_matches(['\t', ' ', ':']).to_owned(),
            cores: std::thread::available_parallelism()?.get(),
            bare_signatures_cpu_us: bare,
            databases,
        })
    }

    pub(crate) fn write(&self, out: &Path) -> Result<(), Failure> {
        if let Some(folder) = out.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(out, serde_json::to_string_pretty(self)? + "\n")?;
        Ok(())
    }

    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("{}, {} cores. ", self.machine, self.cores);
        let bare = &self.bare_signatures_cpu_us;
        let _ = writeln!(
            text,
            "Bare signatures: RSA-2048 sign {:.0} µs, P-256 sign {:.0} µs and verify {:.0} µs, secp256k1 recover {:.0} µs of CPU.\n",
            bare.rs256_sign, bare.es256_sign, bare.es256_verify, bare.secp256k1_recover
        );
        text.push_str(
            "| database | operation | callers | requests/s | p50 ms | p99 ms | server CPU µs | bare signatures µs | allowed µs |\n",
        );
        text.push_str("|---|---|--:|--:|--:|--:|--:|--:|--:|\n");
        for database in &self.databases {
            for row in &database.operations {
                let _ = writeln!(
                    text,
                    "| {} | {} | {} | {:.0} | {:.2} | {:.2} | {:.0} | {} | {} |",
                    database.database,
                    row.operation,
                    row.callers,
                    row.per_second,
                    row.p50_ms,
                    row.p99_ms,
                    row.cpu_us,
                    row.bare_us.map_or(String::new(), |bare| format!("{bare:.0}")),
                    row.allowed_us
                        .map_or(String::new(), |most| format!("{most:.0}{}", if row.cpu_us > most { " **exceeded**" } else { "" })),
                );
            }
        }
        text.push_str("\n| database | first start ms | warm start ms (median of 20) | resident MiB, started | after the logins |\n|---|--:|--:|--:|--:|\n");
        for database in &self.databases {
            let _ = writeln!(
                text,
                "| {} | {:.0} | {:.0} | {:.1} | {:.1} |",
                database.database,
                database.first_start_ms,
                database.warm_start_ms_median,
                database.resident_mib_after_start,
                database.resident_mib_after_logins
            );
        }
        for database in &self.databases {
            if let Some(passwords) = &database.passwords {
                let _ = write!(text, "\n{}: {}\n", database.database, passwords.words());
            }
        }
        text
    }
}

impl DatabaseReport {
    pub(crate) fn new(
        database: &'static str,
        first_start: Duration,
        mut warm_starts: Vec<Duration>,
        [before, after]: [f64; 2],
        operations: Vec<Row>,
        passwords: Option<Passwords>,
    ) -> Self {
        warm_starts.sort_unstable();
        let median = warm_starts.get(warm_starts.len() / 2).copied().unwrap_or_default();
        Self {
            database,
            first_start_ms: first_start.as_secs_f64() * 1e3,
            warm_start_ms_median: median.as_secs_f64() * 1e3,
            warm_starts: warm_starts.len(),
            resident_mib_after_start: before,
            resident_mib_after_logins: after,
            operations,
            passwords,
        }
    }
}

// A redemption and a refresh make two tokens; a sign-in by API recovers a key and makes two tokens. A client's own token is one signature
// made, where two are allowed; with an assertion, one more is checked. Beside the signatures stand 150, 250 and 100 µs for everything
// else, asked for at the larger number of callers.
fn with_bounds(row: &mut Row) {
    let Some(bare) = row.bare else { return };
    let (bare_us, more) = match row.operation {
        "code redemption, RS256" => (2.0 * bare.rs256_sign, 150.0),
        // One signature made, where one and a half are allowed; the access token's own is checked too.
        "exchange, 1,000 grants" | "exchange, 1,000,000 grants" => (1.5 * bare.rs256_sign, 150.0),
        "code redemption, ES256" | "refresh, ES256" => (2.0 * bare.es256_sign, 150.0),
        "challenge + submit" => (bare.secp256k1_recover + 2.0 * bare.rs256_sign, 250.0),
        "client_credentials, ES256" => (2.0 * bare.es256_sign, 100.0),
        "client_credentials, private_key_jwt, ES256" => (bare.es256_verify + bare.es256_sign, 100.0),
        _ => return,
    };
    row.bare_us = Some(bare_us);
    row.allowed_us = (row.callers > 1).then_some(bare_us + more);
}
