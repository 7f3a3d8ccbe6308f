//! The load generator of `scripts/bench`: starts the release server as a process of its own, on SQLite and on Postgres, drives it with
//! real flows, checks every answer, prints a Markdown table and writes the numbers as JSON.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are small, and rates are for reading"
)]

mod bare;
mod exchange;
mod http;
mod machine;
mod measure;
mod operations;
mod passwords;
mod person;
mod report;
mod server;
mod soak;
mod wallet;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Parser;

use crate::bare::Bare;
use crate::measure::{Row, Sample, side_by_side};
use crate::operations::Caller;
use crate::person::Person;
use crate::report::{DatabaseReport, Report};
use crate::server::{Place, Server};
use crate::wallet::Wallet;

/// Why a run ended early; always worth reading by a person, never by a program.
pub(crate) type Failure = Box<dyn std::error::Error>;

const CALLERS: [usize; 2] = [1, 32];
const WARM_STARTS: usize = 20;
const PEOPLE: u64 = 16;
// Codes live for 60 s: no more at a time than are redeemed long before.
const CODES_AT_A_TIME: usize = 1_600;

#[derive(Debug, Parser)]
struct Options {
    /// The server, built for release.
    #[arg(long)]
    program: PathBuf,
    /// An empty Postgres database; without it only SQLite is measured.
    #[arg(long)]
    postgres: Option<String>,
    /// A folder for databases and logs of this run.
    #[arg(long)]
    folder: PathBuf,
    /// Where to write the numbers.
    #[arg(long)]
    out: PathBuf,
    /// Seconds for each operation.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Logins before memory is read.
    #[arg(long, default_value_t = 10_000)]
    logins: u64,
    /// Only the operations whose name has this text in it, for a quick look; no numbers are written.
    #[arg(long)]
    only: Option<String>,
    /// Only so many refreshes over a few families, and a look at what they leave behind; no numbers are written.
    #[arg(long)]
    soak: Option<u64>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let options = Options::parse();
    let mut bare = Vec::new();
    let mut databases = Vec::new();
    let postgres = options.postgres.as_deref();
    for (name, url) in [("sqlite", None), ("postgres", postgres)].into_iter().filter(|(name, url)| *name == "sqlite" || url.is_some()) {
        if let Some(refreshes) = options.soak {
            soak::run(&Place::new(&options.program, &options.folder, name, url)?, name, refreshes).await?;
            continue;
        }
        databases.push(database(&options, name, url, &mut bare).await?);
    }
    if options.soak.is_some() {
        return Ok(());
    }
    let report = Report::new(Bare::mean(&bare), databases)?;
    println!("{}", report.markdown());
    if options.only.is_some() { Ok(()) } else { report.write(&options.out) }
}

async fn database(options: &Options, name: &'static str, url: Option<&str>, bare: &mut Vec<Bare>) -> Result<DatabaseReport, Failure> {
    let place = Place::new(&options.program, &options.folder, name, url)?;
    let time = Duration::from_secs(options.seconds);
    let mut server = place.start().await?;
    let first_start = server.ready_after;
    let mut operations = Vec::new();
    for callers in CALLERS {
        for operation in OPERATIONS.iter().filter(|name| options.only.as_deref().is_none_or(|only| name.contains(only))) {
            eprintln!("{name}, {callers} at once: {operation}");
            let before = bare::measure()?;
            let row = measured(&server, operation, callers, time).await?;
            let beside = [before, bare::measure()?];
            bare.extend(beside);
            operations.push(row.beside(Bare::mean(&beside)));
        }
    }
    let passwords = if options.only.as_deref().is_none_or(|only| passwords::NAME.contains(only)) {
        eprintln!("{name}: passwords");
        server.stop()?;
        let with_passwords = place.start_with_passwords().await?;
        let passwords = passwords::measure(&with_passwords, place.database(), time).await?;
        with_passwords.stop()?;
        server = place.start().await?;
        Some(passwords)
    } else {
        None
    };
    // Last of all, because from here on there is much in the store.
    let mut before = 0;
    let wanted = |name: &&str| options.only.as_deref().is_none_or(|only| name.contains(only));
    for (size, names) in exchange::SIZES.into_iter().filter(|(_, names)| names.iter().any(wanted)) {
        eprintln!("{name}: {size} grants, filling");
        if before == 0 {
            exchange::prepare(place.database()).await?;
        }
        exchange::fill(place.database(), before + 1, size).await?;
        before = size;
        for (operation, callers) in names.iter().copied().filter(wanted).flat_map(|operation| CALLERS.map(|callers| (operation, callers))) {
            eprintln!("{name}, {callers} at once: {operation}");
            let before = bare::measure()?;
            let row = match operation {
                exchange::VEHICLES => pages(&server, operation, callers, time).await?,
                _ => over_grants(&server, operation, callers, time).await?,
            };
            let beside = [before, bare::measure()?];
            bare.extend(beside);
            operations.push(row.beside(Bare::mean(&beside)));
        }
        eprintln!(
            "{name}, the plan with {size} grants:\n{}",
            exchange::plan(place.database(), names.first().copied().unwrap_or_default()).await?
        );
    }
    if options.only.is_some() {
        server.stop()?;
        return Ok(DatabaseReport::new(name, first_start, Vec::new(), [0.0; 2], operations, passwords));
    }
    server.stop()?;

    eprintln!("{name}: {WARM_STARTS} warm starts");
    let mut warm_starts = Vec::new();
    for _ in 0..WARM_STARTS {
        let server = place.start().await?;
        warm_starts.push(server.ready_after);
        server.stop()?;
    }
    eprintln!("{name}: {} logins", options.logins);
    let server = place.start().await?;
    let resident_before = server.resident()?;
    let logins = logins(&server, options.logins).await?;
    let resident_after = server.resident()?;
    server.stop()?;
    operations.push(logins);
    Ok(DatabaseReport::new(name, first_start, warm_starts, [resident_before, resident_after], operations, passwords))
}

/// What is measured, as the tables name it.
const OPERATIONS: [&str; 11] = [
    "discovery",
    "keys",
    "challenge + submit",
    "code redemption, RS256",
    "code redemption, ES256",
    "client_credentials, ES256",
    "client_credentials, private_key_jwt, ES256",
    "PAR",
    "userinfo",
    "introspection",
    "refresh, ES256",
];

async fn measured(server: &Server, operation: &'static str, callers: usize, time: Duration) -> Result<Row, Failure> {
    match operation {
        "discovery" => timed(server, operation, callers, time, async |caller: &mut Caller| caller.discovery().await).await,
        "keys" => timed(server, operation, callers, time, async |caller: &mut Caller| caller.keys().await).await,
        "challenge + submit" => {
            timed(server, operation, callers, time, async |caller: &mut Caller| caller.challenge_and_submit().await).await
        }
        "code redemption, RS256" => redemption(server, operation, "load-rs256", "RS256", callers, time).await,
        "code redemption, ES256" => redemption(server, operation, "load-es256", "ES256", callers, time).await,
        "client_credentials, ES256" => {
            timed(server, operation, callers, time, async |caller: &mut Caller| caller.client_credentials().await).await
        }
        "client_credentials, private_key_jwt, ES256" => {
            timed(server, operation, callers, time, async |caller: &mut Caller| caller.client_credentials_by_assertion().await).await
        }
        "PAR" => timed(server, operation, callers, time, async |caller: &mut Caller| caller.push().await).await,
        "userinfo" => {
            let token = token(server).await?;
            timed(server, operation, callers, time, async move |caller: &mut Caller| caller.userinfo(&token).await).await
        }
        "introspection" => {
            let token = token(server).await?;
            timed(server, operation, callers, time, async move |caller: &mut Caller| caller.introspect("load-rs256", &token).await).await
        }
        "refresh, ES256" => soak::measured(server, operation, callers, time).await,
        _ => Err(format!("no operation {operation}").into()),
    }
}

async fn over_grants(server: &Server, operation: &'static str, callers: usize, time: Duration) -> Result<Row, Failure> {
    let token = Caller::new(server.address, exchange::KEY)?.developer_token(exchange::LICENSE).await?;
    if operation.starts_with("AuthZEN") {
        let decide = async move |caller: &mut Caller| caller.decide(&token, exchange::LICENSE, exchange::ASSET).await;
        return timed(server, operation, callers, time, decide).await;
    }
    timed(server, operation, callers, time, async move |caller: &mut Caller| caller.exchange(&token, exchange::ASSET).await).await
}

async fn pages(server: &Server, operation: &'static str, callers: usize, time: Duration) -> Result<Row, Failure> {
    timed(server, operation, callers, time, async |caller: &mut Caller| caller.vehicles(exchange::LICENSE).await).await
}

async fn token(server: &Server) -> Result<String, Failure> {
    let code = Person::new(server.address, Wallet::number(0)?).code("load-rs256").await?;
    Caller::new(server.address, 0)?.redeem("load-rs256", "RS256", &code).await
}

/// Every caller again and again until the time is over, after a tenth of that to warm up.
async fn timed<F>(server: &Server, operation: &'static str, callers: usize, time: Duration, once: F) -> Result<Row, Failure>
where
    F: AsyncFn(&mut Caller) -> Result<(), Failure> + Clone + 'static,
{
    let mut sample = Sample::default();
    for (place, stretch) in [time / 10, time].into_iter().enumerate() {
        let mut shares = Vec::new();
        for number in 0..callers {
            let (mut caller, once) = (Caller::new(server.address, number as u64)?, once.clone());
            shares.push(async move {
                let start = Instant::now();
                let mut latencies = Vec::new();
                while start.elapsed() < stretch {
                    let sent = Instant::now();
                    once(&mut caller).await?;
                    latencies.push(sent.elapsed());
                }
                Ok(latencies)
            });
        }
        if place == 0 {
            side_by_side(shares).await?;
        } else {
            sample.stretch(server, shares).await?;
        }
    }
    Ok(sample.row(operation, callers))
}

/// Codes by the real flow, then their redemption, in rounds until enough time was measured.
async fn redemption(
    server: &Server,
    operation: &'static str,
    client: &'static str,
    alg: &'static str,
    callers: usize,
    time: Duration,
) -> Result<Row, Failure> {
    let mut people = people(server, client).await?;
    let mut sample = Sample::default();
    let (mut warm, mut measured) = (false, Duration::ZERO);
    while measured < time {
        let codes;
        (people, codes) = more_codes(people, client, if warm { CODES_AT_A_TIME } else { CODES_AT_A_TIME / 10 }).await?;
        let mut shares = Vec::new();
        for (number, codes) in deal(codes, callers).into_iter().enumerate() {
            let mut caller = Caller::new(server.address, number as u64)?;
            shares.push(async move {
                let mut latencies = Vec::with_capacity(codes.len());
                for code in codes {
                    let sent = Instant::now();
                    caller.redeem(client, alg, &code).await?;
                    latencies.push(sent.elapsed());
                }
                Ok(latencies)
            });
        }
        let start = Instant::now();
        if warm {
            sample.stretch(server, shares).await?;
            measured += start.elapsed();
        } else {
            side_by_side(shares).await?;
        }
        warm = true;
    }
    Ok(sample.row(operation, callers))
}

/// People who have signed in at this client once, each in a browser of their own.
async fn people(server: &Server, client: &'static str) -> Result<Vec<Person>, Failure> {
    let mut shares = Vec::new();
    for number in 0..PEOPLE {
        let mut person = Person::new(server.address, Wallet::number(number)?);
        shares.push(async move {
            person.code(client).await?;
            Ok(person)
        });
    }
    side_by_side(shares).await
}

async fn more_codes(people: Vec<Person>, client: &'static str, count: usize) -> Result<(Vec<Person>, Vec<String>), Failure> {
    let each = count.div_ceil(people.len());
    let shares = people.into_iter().map(|mut person| async move {
        let mut codes = Vec::with_capacity(each);
        for _ in 0..each {
            codes.push(person.code(client).await?);
        }
        Ok((person, codes))
    });
    let (people, codes): (Vec<_>, Vec<_>) = side_by_side(shares.collect()).await?.into_iter().unzip();
    Ok((people, codes.concat()))
}

fn deal(codes: Vec<String>, hands: usize) -> Vec<Vec<String>> {
    let mut dealt = vec![Vec::new(); hands];
    for (place, code) in codes.into_iter().enumerate() {
        dealt[place % hands].push(code);
    }
    dealt
}

/// Whole logins of different people: every page, the wallet's signature, consent, and the code redeemed.
async fn logins(server: &Server, count: u64) -> Result<Row, Failure> {
    let callers = CALLERS[1] as u64;
    let mut sample = Sample::default();
    let mut shares = Vec::new();
    for caller in 0..callers {
        let mut app = Caller::new(server.address, caller)?;
        let address = server.address;
        shares.push(async move {
            let mut latencies = Vec::new();
            for number in (caller..count).step_by(callers as usize) {
                let sent = Instant::now();
                let code = Person::new(address, Wallet::number(1_000_000 + number)?).code("load-rs256").await?;
                app.redeem("load-rs256", "RS256", &code).await?;
                latencies.push(sent.elapsed());
            }
            Ok(latencies)
        });
    }
    sample.stretch(server, shares).await?;
    Ok(sample.row("whole login", CALLERS[1]))
}
