//! The soak: very many refreshes over a few families, each by its own caller, and then as many rows as families live.

use std::time::{Duration, Instant};

use sqlx::Connection as _;

use crate::Failure;
use crate::measure::{Row, Sample, side_by_side};
use crate::operations::{Caller, PUBLIC};
use crate::person::Person;
use crate::server::{Place, Server};
use crate::wallet::Wallet;

const FAMILIES: u64 = 16;

/// A caller with a refresh token of its own, of the public client: each use replaces it.
pub(crate) async fn family(server: &Server, number: u64) -> Result<(Caller, String), Failure> {
    let code = Person::new(server.address, Wallet::number(500_000 + number)?).offline_code(PUBLIC).await?;
    let mut caller = Caller::new(server.address, number)?;
    let token = caller.redeem_for_refresh(&code).await?;
    Ok((caller, token))
}

/// Refreshes for a stretch of time to warm up, and for another that is measured.
pub(crate) async fn measured(server: &Server, operation: &'static str, callers: usize, time: Duration) -> Result<Row, Failure> {
    let mut sample = Sample::default();
    let mut families = Vec::new();
    for number in 0..callers {
        families.push(family(server, number as u64).await?);
    }
    let stretch = |families: Vec<(Caller, String)>, time: Duration| {
        families.into_iter().map(move |(mut caller, mut token)| async move {
            let start = Instant::now();
            let mut latencies = Vec::new();
            while start.elapsed() < time {
                let sent = Instant::now();
                token = caller.refresh(&token).await?;
                latencies.push(sent.elapsed());
            }
            Ok((latencies, (caller, token)))
        })
    };
    let warm = side_by_side(stretch(families, time / 10).collect()).await?;
    let families: Vec<_> = warm.into_iter().map(|(_, family)| family).collect();
    let shares = stretch(families, time).map(|share| async move { share.await.map(|(latencies, _)| latencies) });
    sample.stretch(server, shares.collect()).await?;
    Ok(sample.row(operation, callers))
}

/// So many refreshes on the database of `place`.
///
/// # Errors
/// When one of them is refused, or when more or fewer rows are there at the end than families that live.
pub(crate) async fn run(place: &Place, name: &str, refreshes: u64) -> Result<(), Failure> {
    let server = place.start().await?;
    let start = Instant::now();
    let mut shares = Vec::new();
    for number in 0..FAMILIES {
        let (mut caller, mut token) = family(&server, number).await?;
        let uses = refreshes / FAMILIES + u64::from(number < refreshes % FAMILIES);
        shares.push(async move {
            for _ in 0..uses {
                token = caller.refresh(&token).await?;
            }
            Ok((caller, token))
        });
    }
    let ends = side_by_side(shares).await?;
    let took = start.elapsed();
    let rows = rows(place.database()).await?;
    // Each of them lives: it can be used once more.
    let mut living = 0;
    for (mut caller, token) in ends {
        caller.refresh(&token).await?;
        living += 1;
    }
    server.stop()?;
    if rows != living {
        return Err(format!("{name}: {rows} rows, but {living} families live").into());
    }
    println!(
        "{name}: {refreshes} refreshes in {:.0} s ({:.0} a second) left {rows} rows for {living} living families",
        took.as_secs_f64(),
        refreshes as f64 / took.as_secs_f64()
    );
    Ok(())
}

async fn rows(database: &str) -> Result<i64, Failure> {
    let count = "SELECT COUNT(*) FROM refresh_token";
    Ok(if database.starts_with("sqlite:") {
        sqlx::query_scalar(count).fetch_one(&mut sqlx::SqliteConnection::connect(database).await?).await?
    } else {
        sqlx::query_scalar(count).fetch_one(&mut sqlx::PgConnection::connect(database).await?).await?
    })
}
