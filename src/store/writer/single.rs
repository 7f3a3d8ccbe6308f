//! Writes of one statement that are alike: told to the driver together.
//!
//! Each text that is told to SQLite is handed to the driver's thread and its outcome handed back, which costs more than most statements
//! do. Under load those that wait are mostly the same statement with other parameters; so they are made one text, and handed over once.
//! Each of them stays what it was: one that is refused undoes itself only (SQLite, "ON CONFLICT", ABORT).

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::TryStreamExt;
use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Either, Encode, Executor, FromRow, SqlSafeStr, SqlStr, Sqlite, SqliteConnection, Type};
use tokio::sync::oneshot;

use super::After;
use crate::store::StoreError;

/// At most so many statements in one text: beyond that the next ones save little, and every length is a text that SQLite keeps parsed.
const MOST: usize = 8;

/// A statement's parameters, which can be given again where others beside it failed. A list is a pair of its first and the others.
pub(in crate::store) trait Binds: Send + 'static {
    /// How many they are.
    fn many(&self) -> usize;
    fn add_to(&self, arguments: &mut SqliteArguments) -> Result<(), BoxDynError>;
}

impl Binds for () {
    fn many(&self) -> usize {
        0
    }

    fn add_to(&self, _: &mut SqliteArguments) -> Result<(), BoxDynError> {
        Ok(())
    }
}

impl<First, Others> Binds for (First, Others)
where
    First: for<'q> Encode<'q, Sqlite> + Type<Sqlite> + Send + 'static,
    Others: Binds,
{
    fn many(&self) -> usize {
        1 + self.1.many()
    }

    fn add_to(&self, arguments: &mut SqliteArguments) -> Result<(), BoxDynError> {
        arguments.add(&self.0)?;
        self.1.add_to(arguments)
    }
}

/// What one statement came to. The ways to read it have the names of the ways to run a text ([`super::super::dialect::on!`]).
#[derive(Debug)]
pub(in crate::store) struct Answer {
    rows: Vec<SqliteRow>,
    changed: u64,
}

impl Answer {
    // All of them may fail but this one, and who calls one calls it by the name of its way.
    #[expect(clippy::unnecessary_wraps, reason = "one of several that are called alike")]
    pub(in crate::store) fn execute(self) -> Result<u64, StoreError> {
        Ok(self.changed)
    }

    pub(in crate::store) fn row<T: for<'r> FromRow<'r, SqliteRow>>(self) -> Result<Option<T>, StoreError> {
        self.rows.first().map(T::from_row).transpose().map_err(StoreError::from)
    }

    pub(in crate::store) fn value<T>(self) -> Result<Option<T>, StoreError>
    where
        (T,): for<'r> FromRow<'r, SqliteRow>,
    {
        Ok(self.row::<(T,)>()?.map(|(value,)| value))
    }
}

/// A statement that waits for its turn.
pub(super) struct Single {
    pub(super) text: &'static str,
    pub(super) binds: Box<dyn Binds>,
    pub(super) outcome: Option<Result<Answer, StoreError>>,
    pub(super) reply: oneshot::Sender<Result<Answer, StoreError>>,
}

impl Single {
    /// Whether the two can be told together: the same text, with as many parameters.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.text == other.text && self.binds.many() == other.binds.many()
    }
}

/// The texts that were put together, by the one text, how many parameters it is given and how often it is in it.
#[derive(Default)]
pub(super) struct Texts(HashMap<(&'static str, usize, usize), SqlStr>);

impl Texts {
    // `each`: how many parameters one statement is given. `None` when its text names more: the next one's would be taken for them.
    fn times(&mut self, text: &'static str, each: usize, times: usize) -> Option<SqlStr> {
        if let Some(known) = self.0.get(&(text, each, times)) {
            return Some(known.clone());
        }
        let together = AssertSqlSafe(repeated(text, each, times)?).into_sql_str();
        self.0.insert((text, each, times), together.clone());
        Some(together)
    }
}

/// Runs statements of one text inside a transaction. When the database fails, those that were not run have no outcome.
pub(super) async fn run(conn: &mut SqliteConnection, texts: &mut Texts, mut alike: &mut [Single]) -> After {
    while !alike.is_empty() {
        // 8, 4, 2 or 1: few lengths, so that few texts are parsed and kept.
        let times = 1 << alike.len().min(MOST).ilog2();
        let Ok(answered) = together(conn, texts, &mut alike[..times]).await else { return After::GiveUp };
        alike = &mut alike[answered..];
    }
    After::GoOn
}

// Gives the statements' outcomes until one fails: those behind it were not run. How many have an outcome; an error when the database
// failed and the transaction is lost.
async fn together(conn: &mut SqliteConnection, texts: &mut Texts, jobs: &mut [Single]) -> Result<usize, ()> {
    let mut arguments = SqliteArguments::default();
    for (place, job) in jobs.iter().enumerate() {
        if let Err(error) = added(job, &mut arguments) {
            // It would never fit; the others are asked for again without it.
            jobs[place].outcome = Some(Err(error));
            jobs[..=place].rotate_right(1);
            return Ok(1);
        }
    }
    let Some(text) = texts.times(jobs[0].text, jobs[0].binds.many(), jobs.len()) else {
        for job in &mut *jobs {
            job.outcome = Some(Err(StoreError::Corrupt("a statement was given too few parameters".to_owned())));
        }
        return Ok(jobs.len());
    };
    let mut told = conn.fetch_many(sqlx::query_with(text, arguments));
    let (mut answered, mut rows) = (0, Vec::new());
    while let Some(job) = jobs.get_mut(answered) {
        job.outcome = match told.try_next().await {
            Ok(Some(Either::Right(row))) => {
                rows.push(row);
                continue;
            }
            Ok(Some(Either::Left(done))) => Some(Ok(Answer { rows: std::mem::take(&mut rows), changed: done.rows_affected() })),
            // The driver is gone; the commit will say so.
            Ok(None) => None,
            Err(error) => {
                let refused = StoreError::from(error);
                let lost = matches!(refused, StoreError::Unavailable(_));
                job.outcome = Some(Err(refused));
                return if lost { Err(()) } else { Ok(answered + 1) };
            }
        };
        answered += 1;
    }
    Ok(answered)
}

// A panic is the fault of one statement's value: it ends that statement, not the writer.
fn added(job: &Single, arguments: &mut SqliteArguments) -> Result<(), StoreError> {
    let added = catch_unwind(AssertUnwindSafe(|| job.binds.add_to(arguments)));
    let added = added.unwrap_or_else(|_| Err("a parameter of a write panicked".into()));
    added.map_err(|error| StoreError::from(sqlx::Error::Encode(error)))
}

// A text several times over, each with parameters of its own: `$1` of the second is the one behind the last of the first.
fn repeated(text: &str, each: usize, times: usize) -> Option<String> {
    let (before, parameters) = text.split_at(text.find('$').unwrap_or(text.len()));
    let parameters = parameters.split('$').skip(1).map(|part| {
        let digits = part.find(|character: char| !character.is_ascii_digit()).unwrap_or(part.len());
        let number = part[..digits].parse().ok().filter(|number| (1..=each).contains(number))?;
        Some((number, &part[digits..]))
    });
    let parameters: Vec<(usize, &str)> = parameters.collect::<Option<_>>()?;
    let once = |round: usize| {
        let rest = parameters.iter().map(|(number, words)| format!("${}{words}", round * each + number));
        std::iter::once(before.to_owned()).chain(rest).collect::<String>()
    };
    Some((0..times).map(once).collect::<Vec<_>>().join(";\n"))
}

#[cfg(test)]
mod tests {
    use super::repeated;

    #[test]
    fn a_text_is_repeated_with_parameters_of_its_own() {
        let repeated = |text, times, each| repeated(text, each, times).unwrap();
        assert_eq!(repeated("SELECT $1, $12 WHERE $1 > x", 1, 12), "SELECT $1, $12 WHERE $1 > x");
        assert_eq!(repeated("SELECT $1, $2 WHERE $1", 3, 2), "SELECT $1, $2 WHERE $1;\nSELECT $3, $4 WHERE $3;\nSELECT $5, $6 WHERE $5");
        assert_eq!(repeated("SELECT $1", 2, 3), "SELECT $1;\nSELECT $4");
        assert_eq!(repeated("DELETE FROM t", 2, 0), "DELETE FROM t;\nDELETE FROM t");
    }

    #[test]
    fn a_text_that_would_take_anothers_parameters_is_not_repeated() {
        for text in ["SELECT $1, $3", "SELECT $0", "SELECT '$.a'"] {
            assert_eq!(repeated(text, 2, 2), None, "{text}");
        }
    }
}
