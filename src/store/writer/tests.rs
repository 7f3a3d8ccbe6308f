//! The writer by itself: what one job does must not harm another.

use sqlx::error::BoxDynError;
use sqlx::sqlite::SqliteArguments;
use sqlx::{ConnectOptions, Executor, Row, SqliteConnection};
use tokio::sync::oneshot;

use super::super::{StoreError, sqlite};
use super::single::{Answer, Binds};
use super::{Conn, Work, Writer};

struct Bench {
    writer: Writer,
    folder: std::path::PathBuf,
}

impl Bench {
    async fn new(name: &str) -> Self {
        Self::with(name, "").await
    }

    // A disk that is full after four pages.
    async fn small(name: &str) -> Self {
        Self::with(name, "PRAGMA max_page_count = 4").await
    }

    async fn with(name: &str, pragma: &'static str) -> Self {
        let folder = std::env::temp_dir().join(format!("latchkey_writer_{}_{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let options = sqlite::writing(&folder.join("w.db")).create_if_missing(true);
        let mut conn = options.connect().await.unwrap();
        conn.execute("CREATE TABLE seen (word TEXT PRIMARY KEY) STRICT").await.unwrap();
        conn.execute(pragma).await.unwrap();
        Self { writer: Writer::start(options, conn).unwrap(), folder }
    }

    // Keeps the writer busy until the sender is used: what is asked for meanwhile is a group.
    fn busy(&self) -> (oneshot::Sender<()>, impl Future<Output = ()>) {
        let (go, gone) = oneshot::channel::<()>();
        let held = self.writer.transaction(|_| {
            Box::pin(async move {
                gone.await.unwrap();
                Ok(())
            })
        });
        // It may be of the group itself, and share its fate.
        (go, async move { drop(held.await) })
    }

    async fn connect(&self) -> SqliteConnection {
        sqlite::writing(&self.folder.join("w.db")).connect().await.unwrap()
    }

    // Nobody holds the file's write lock.
    async fn is_free(&self) {
        let mut other = self.connect().await;
        other.execute("PRAGMA busy_timeout = 0").await.unwrap();
        other.execute("BEGIN IMMEDIATE").await.unwrap();
        other.execute("ROLLBACK").await.unwrap();
    }

    // Read by a connection of its own: only what is committed is seen.
    async fn seen(&self) -> Vec<String> {
        let mut conn = sqlite::reading(&self.folder.join("w.db")).connect().await.unwrap();
        let rows = conn.fetch_all("SELECT word FROM seen ORDER BY word").await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    async fn end(self) {
        self.writer.close().await;
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}

fn insert<'c>(conn: Conn<'c>, words: &'static [&'static str]) -> Work<'c, ()> {
    Box::pin(async move {
        let Conn::Sqlite(conn) = conn else { unreachable!("the writer writes to SQLite") };
        for word in words {
            sqlx::query("INSERT INTO seen VALUES ($1)").bind(*word).execute(&mut *conn).await?;
        }
        Ok(())
    })
}

#[tokio::test]
async fn an_answer_comes_after_its_commit() {
    let bench = Bench::new("commit").await;
    bench.writer.statement(|conn| insert(conn, &["a"])).await.unwrap();
    assert_eq!(bench.seen().await, ["a"]);
    bench.end().await;
}

#[tokio::test]
async fn a_refused_job_of_a_group_spoils_none_of_the_others() {
    let bench = Bench::new("refused").await;
    bench.writer.statement(|conn| insert(conn, &["taken"])).await.unwrap();
    let (go, held) = bench.busy();
    let ((), before, refused, halfway, after, ()) = tokio::join!(
        held,
        bench.writer.statement(|conn| insert(conn, &["before"])),
        bench.writer.statement(|conn| insert(conn, &["taken"])),
        bench.writer.transaction(|conn| insert(conn, &["half", "taken"])),
        bench.writer.transaction(|conn| insert(conn, &["after", "all"])),
        async { go.send(()).unwrap() },
    );
    assert_eq!((before, after), (Ok(()), Ok(())));
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    assert!(matches!(halfway, Err(StoreError::Conflict(_))), "{halfway:?}");
    assert_eq!(bench.seen().await, ["after", "all", "before", "taken"]);
    bench.end().await;
}

#[tokio::test]
async fn a_panic_ends_its_job_alone() {
    let bench = Bench::new("panic").await;
    let (go, held) = bench.busy();
    let ((), before, panicked, halfway, after, ()) = tokio::join!(
        held,
        bench.writer.statement(|conn| insert(conn, &["before"])),
        bench.writer.statement::<(), _>(|_| panic!("on purpose, before the work")),
        bench.writer.transaction::<(), _>(|conn| {
            Box::pin(async move {
                insert(conn, &["half"]).await?;
                panic!("on purpose, in the middle of the work")
            })
        }),
        bench.writer.statement(|conn| insert(conn, &["after"])),
        async { go.send(()).unwrap() },
    );
    assert_eq!((before, after), (Ok(()), Ok(())));
    assert!(matches!(panicked, Err(StoreError::Corrupt(_))), "{panicked:?}");
    assert!(matches!(halfway, Err(StoreError::Corrupt(_))), "{halfway:?}");
    bench.writer.statement(|conn| insert(conn, &["later"])).await.unwrap();
    assert_eq!(bench.seen().await, ["after", "before", "later"]);
    bench.end().await;
}

#[tokio::test]
async fn a_group_whose_database_fails_is_not_kept() {
    let bench = Bench::new("fails").await;
    let (go, held) = bench.busy();
    let ((), before, failed, ()) = tokio::join!(
        held,
        bench.writer.statement(|conn| insert(conn, &["before"])),
        bench.writer.statement::<(), _>(|_| Box::pin(std::future::ready(Err(StoreError::Unavailable("the disk".to_owned()))))),
        async { go.send(()).unwrap() },
    );
    assert!(matches!(before, Err(StoreError::Unavailable(_))), "{before:?}");
    assert_eq!(failed, Err(StoreError::Unavailable("the disk".to_owned())));
    assert!(bench.seen().await.is_empty());
    bench.writer.statement(|conn| insert(conn, &["later"])).await.unwrap();
    assert_eq!(bench.seen().await, ["later"]);
    bench.end().await;
}

#[tokio::test]
async fn who_has_given_up_waiting_writes_nothing() {
    let bench = Bench::new("gone").await;
    let (go, held) = bench.busy();
    tokio::join!(held, async {
        // Polled once, so that the job is in the queue; then dropped, as a request is whose browser has left.
        let gone = bench.writer.statement(|conn| insert(conn, &["gone"]));
        assert!(futures_util::FutureExt::now_or_never(gone).is_none());
        let gone = bench.writer.single(PUT, words("gone", "too"));
        assert!(futures_util::FutureExt::now_or_never(gone).is_none());
        go.send(()).unwrap();
    });
    bench.writer.statement(|conn| insert(conn, &["here"])).await.unwrap();
    assert_eq!(bench.seen().await, ["here"]);
    bench.end().await;
}

#[tokio::test]
async fn a_closed_writer_finishes_what_waits_and_takes_no_more() {
    let bench = Bench::new("close").await;
    let (written, ()) = tokio::join!(bench.writer.statement(|conn| insert(conn, &["last"])), bench.writer.close());
    written.unwrap();
    assert!(matches!(bench.writer.statement(|conn| insert(conn, &["late"])).await, Err(StoreError::Unavailable(_))));
    assert_eq!(bench.seen().await, ["last"]);
    bench.end().await;
}

#[tokio::test]
async fn a_full_disk_is_an_outage_and_not_the_end() {
    let bench = Bench::small("full").await;
    let mut kept = 0;
    let refused = loop {
        match bench.writer.statement(move |conn| insert_long(conn, kept)).await {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < 100, "four pages never fill up");
    };
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    assert_eq!(bench.seen().await.len(), kept);
    // The same by one statement.
    let alone = bench.writer.single(PUT, words("alone", &"x".repeat(20_000))).await;
    assert!(matches!(alone, Err(StoreError::Unavailable(_))), "{alone:?}");
    assert_eq!(bench.seen().await.len(), kept);
    bench.is_free().await;
    bench.writer.statement(empty).await.unwrap();
    assert!(bench.seen().await.is_empty());
    bench.end().await;
}

const PUT: &str = "INSERT INTO seen VALUES ($1 || $2) RETURNING word, $1";

fn words(first: &str, second: &str) -> (String, (String, ())) {
    (first.to_owned(), (second.to_owned(), ()))
}

#[tokio::test]
async fn statements_of_one_text_have_each_their_own_outcome() {
    let bench = Bench::new("alike").await;
    bench.writer.single(PUT, words("taken", "")).await.unwrap();
    // Twenty together, more than one text holds; the fourth and the twelfth are refused, and some of another text are among them.
    let (go, held) = bench.busy();
    let alike = (0..20).map(async |number| {
        let binds = if number == 3 || number == 11 { words("tak", "en") } else { words(&format!("{number:02}"), "!") };
        let other = async {
            if number % 8 != 0 {
                return None;
            }
            let from = if number == 8 { "nobody" } else { "taken" };
            Some(bench.writer.single("UPDATE seen SET word = $1 WHERE word = $2", words("taken", from)).await)
        };
        tokio::join!(bench.writer.single(PUT, binds), other)
    });
    let ((), outcomes, ()) = tokio::join!(held, futures_util::future::join_all(alike), async { go.send(()).unwrap() });
    let (outcomes, others): (Vec<_>, Vec<_>) = outcomes.into_iter().unzip();
    let changed: Vec<_> = others.into_iter().flatten().map(|outcome| outcome.and_then(Answer::execute)).collect();
    assert_eq!(changed, [Ok(1), Ok(0), Ok(1)]);
    for (number, outcome) in outcomes.into_iter().enumerate() {
        if number == 3 || number == 11 {
            assert!(matches!(outcome, Err(StoreError::Conflict(_))), "{outcome:?}");
        } else {
            let told: Option<(String, String)> = outcome.and_then(Answer::row).unwrap();
            assert_eq!(told, Some((format!("{number:02}!"), format!("{number:02}"))));
        }
    }
    assert_eq!(bench.seen().await.len(), 19);
    bench.end().await;
}

#[tokio::test]
async fn no_transaction_is_left_open() {
    let bench = Bench::new("open").await;
    bench.writer.single(PUT, words("taken", "")).await.unwrap();
    // Alone and refused.
    let refused = bench.writer.single(PUT, words("tak", "en")).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    bench.is_free().await;
    // While somebody else has the file, the writer waits to begin; those who come meanwhile are told together, a refused one among them.
    let mut other = bench.connect().await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let many = (0..8).map(|number| bench.writer.single(PUT, if number == 3 { words("tak", "en") } else { words(&number.to_string(), "") }));
    let (first, many, ()) = tokio::join!(bench.writer.single(PUT, words("first", "")), futures_util::future::join_all(many), async {
        other.execute("ROLLBACK").await.unwrap();
    });
    assert_eq!(first.and_then(Answer::value), Ok(Some("first".to_owned())));
    for (number, outcome) in many.into_iter().enumerate() {
        let kept = outcome.and_then(Answer::value::<String>);
        assert!(if number == 3 { matches!(kept, Err(StoreError::Conflict(_))) } else { kept == Ok(Some(number.to_string())) }, "{kept:?}");
    }
    bench.is_free().await;
    assert_eq!(bench.seen().await, ["0", "1", "2", "4", "5", "6", "7", "first", "taken"]);
    bench.end().await;
}

#[tokio::test]
async fn what_cannot_be_begun_or_committed_is_an_error_and_not_the_end() {
    let bench = Bench::with("unkept", "PRAGMA busy_timeout = 0").await;
    let mut other = bench.connect().await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let (one, two) = tokio::join!(bench.writer.single(PUT, words("one", "")), bench.writer.single(PUT, words("two", "")));
    assert!(matches!(one, Err(StoreError::Unavailable(_))), "{one:?}");
    assert!(matches!(two, Err(StoreError::Unavailable(_))), "{two:?}");
    // A reference that is looked at by the commit alone.
    let later = "CREATE TABLE later (word TEXT REFERENCES seen (word) DEFERRABLE INITIALLY DEFERRED) STRICT; COMMIT";
    other.execute(later).await.unwrap();
    let (go, held) = bench.busy();
    let unkept = bench.writer.single("INSERT INTO later VALUES ($1)", ("nobody".to_owned(), ()));
    let ((), unkept, beside, ()) =
        tokio::join!(held, unkept, bench.writer.single(PUT, words("beside", "")), async { go.send(()).unwrap() });
    // Those beside it are told of an outage: the rule was none of theirs.
    assert!(matches!(unkept, Err(StoreError::Unavailable(_))), "{unkept:?}");
    assert!(matches!(beside, Err(StoreError::Unavailable(_))), "{beside:?}");
    bench.is_free().await;
    bench.writer.single(PUT, words("kept", "")).await.unwrap();
    assert_eq!(bench.writer.single("INSERT INTO later VALUES ($1)", ("kept".to_owned(), ())).await.and_then(Answer::execute), Ok(1));
    assert_eq!(bench.seen().await, ["kept"]);
    bench.end().await;
}

#[tokio::test]
async fn statements_of_one_text_see_what_those_before_them_did() {
    let bench = Bench::new("once").await;
    bench.writer.single(PUT, words("one", "")).await.unwrap();
    let (go, held) = bench.busy();
    let takers = (0..50).map(|_| bench.writer.single("DELETE FROM seen WHERE word = $1 RETURNING word", ("one".to_owned(), ())));
    let ((), outcomes, ()) = tokio::join!(held, futures_util::future::join_all(takers), async { go.send(()).unwrap() });
    let taken = outcomes.into_iter().filter_map(|outcome| outcome.and_then(Answer::value::<String>).unwrap());
    assert_eq!(taken.collect::<Vec<_>>(), ["one"]);
    bench.end().await;
}

struct Unfit {
    panics: bool,
}

impl Binds for Unfit {
    fn many(&self) -> usize {
        2
    }

    fn add_to(&self, _: &mut SqliteArguments) -> Result<(), BoxDynError> {
        assert!(!self.panics, "on purpose, in a parameter");
        Err("on purpose".into())
    }
}

#[tokio::test]
async fn a_parameter_that_does_not_fit_fails_alone() {
    let bench = Bench::new("unfit").await;
    let (go, held) = bench.busy();
    let ((), before, unfit, panicked, few, many, after, ()) = tokio::join!(
        held,
        bench.writer.single(PUT, words("before", "")),
        bench.writer.single(PUT, Unfit { panics: false }),
        bench.writer.single(PUT, Unfit { panics: true }),
        bench.writer.single("DELETE FROM seen WHERE word = $2", ("before".to_owned(), ())),
        bench.writer.single(PUT, ("man".to_owned(), ("y".to_owned(), ("superfluous".to_owned(), ())))),
        bench.writer.single(PUT, words("after", "")),
        async { go.send(()).unwrap() },
    );
    assert!(matches!(unfit, Err(StoreError::Corrupt(_))), "{unfit:?}");
    assert!(matches!(panicked, Err(StoreError::Corrupt(_))), "{panicked:?}");
    assert!(matches!(few, Err(StoreError::Corrupt(_))), "{few:?}");
    assert_eq!(many.and_then(Answer::value), Ok(Some("many".to_owned())));
    assert_eq!(before.and_then(Answer::value), Ok(Some("before".to_owned())));
    assert_eq!(after.and_then(Answer::value), Ok(Some("after".to_owned())));
    assert_eq!(bench.seen().await, ["after", "before", "many"]);
    bench.end().await;
}

#[tokio::test]
async fn a_full_disk_keeps_none_of_the_statements_told_together() {
    let bench = Bench::small("together").await;
    let (go, held) = bench.busy();
    let many = (0..50).map(|number| bench.writer.single(PUT, words(&number.to_string(), &"x".repeat(500))));
    let ((), outcomes, ()) = tokio::join!(held, futures_util::future::join_all(many), async { go.send(()).unwrap() });
    // Those before the one that found no room went with it; those behind it had their turn in other transactions.
    let kept = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert!(outcomes.iter().all(|outcome| outcome.is_ok() || matches!(outcome, Err(StoreError::Unavailable(_)))), "{outcomes:?}");
    assert!(outcomes[0].is_err(), "the first was told together with one that found no room");
    assert!(kept < 50, "four pages never fill up");
    assert_eq!(bench.seen().await.len(), kept);
    bench.writer.statement(empty).await.unwrap();
    bench.writer.single(PUT, words("later", "")).await.unwrap();
    assert_eq!(bench.seen().await, ["later"]);
    bench.end().await;
}

fn insert_long(conn: Conn<'_>, number: usize) -> Work<'_, ()> {
    Box::pin(async move {
        let Conn::Sqlite(conn) = conn else { unreachable!("the writer writes to SQLite") };
        let word = format!("{number} {}", "x".repeat(500));
        sqlx::query("INSERT INTO seen VALUES ($1)").bind(word).execute(conn).await?;
        Ok(())
    })
}

fn empty(conn: Conn<'_>) -> Work<'_, ()> {
    Box::pin(async move {
        let Conn::Sqlite(conn) = conn else { unreachable!("the writer writes to SQLite") };
        conn.execute("DELETE FROM seen").await?;
        Ok(())
    })
}
