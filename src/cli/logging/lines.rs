//! The lines of the log on their way to a file or a pipe: written together.
//!
//! A write for each line costs a request more than the line itself. So they are gathered, and written when the oldest has waited for
//! [`LONGEST`]; a warning or an error takes all of them along at once, and whoever logs faster than they can be written waits.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// How long a line may wait.
const LONGEST: Duration = Duration::from_millis(50);
/// How many bytes may wait.
const MOST: usize = 1 << 20;

/// Where lines are gathered.
#[derive(Clone)]
pub(super) struct Lines(Arc<Shared>);

struct Shared {
    waiting: Mutex<Waiting>,
    // That there is a line, that one is urgent, that there are no more.
    come: Condvar,
    // That those that waited are being written.
    gone: Condvar,
}

#[derive(Default)]
struct Waiting {
    text: Vec<u8>,
    urgent: bool,
    ended: bool,
}

/// The thread that writes. Dropped, it has written all there is; a line that is made later is written by who makes it.
pub(super) struct Writing {
    lines: Lines,
    thread: Option<JoinHandle<()>>,
}

impl Lines {
    /// Begins to write to `out`.
    pub(super) fn to(mut out: impl Write + Send + 'static) -> io::Result<(Self, Writing)> {
        let shared = Shared { waiting: Mutex::default(), come: Condvar::new(), gone: Condvar::new() };
        let lines = Self(Arc::new(shared));
        let its = lines.clone();
        let thread = std::thread::Builder::new().name("log".to_owned()).spawn(move || its.write_to(&mut out))?;
        Ok((lines.clone(), Writing { lines, thread: Some(thread) }))
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_to(&self, out: &mut impl Write) {
        let mut text = Vec::new();
        loop {
            let nothing = |waiting: &mut Waiting| waiting.text.is_empty() && !waiting.ended;
            let waiting = self.0.come.wait_while(self.lock(), nothing).unwrap_or_else(PoisonError::into_inner);
            let more_may_come = |waiting: &mut Waiting| !waiting.urgent && !waiting.ended && waiting.text.len() < MOST;
            let waited = self.0.come.wait_timeout_while(waiting, LONGEST, more_may_come);
            let (mut waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut waiting.text, &mut text);
            waiting.urgent = false;
            let last = waiting.ended;
            drop(waiting);
            self.0.gone.notify_all();
            // There is nobody to tell when the log itself cannot be written.
            let _ = out.write_all(&text).and_then(|()| out.flush());
            text.clear();
            if last {
                return;
            }
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.lines.lock().ended = true;
        self.lines.0.come.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Takes one line.
pub(super) struct Line<'a> {
    lines: &'a Lines,
    urgent: bool,
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let full = |waiting: &mut Waiting| waiting.text.len() >= MOST && !waiting.ended;
        let mut waiting = self.lines.0.gone.wait_while(self.lines.lock(), full).unwrap_or_else(PoisonError::into_inner);
        if waiting.ended {
            drop(waiting);
            return io::stderr().write(line);
        }
        let wakes = waiting.text.is_empty() || self.urgent;
        waiting.urgent |= self.urgent;
        waiting.text.extend_from_slice(line);
        let wakes = wakes || waiting.text.len() >= MOST;
        drop(waiting);
        if wakes {
            self.lines.0.come.notify_all();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { lines: self, urgent: false }
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Line<'a> {
        Line { lines: self, urgent: *meta.level() <= Level::WARN }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    // Tells each write, which takes until somebody hears of it.
    struct Told(Sender<Vec<u8>>, Receiver<()>);

    impl Write for Told {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            let _ = self.1.recv();
            let _ = self.0.send(text.to_vec());
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn begin() -> (Lines, Writing, Sender<()>, Receiver<Vec<u8>>) {
        let ((go, may), (tell, told)) = (channel(), channel());
        let (lines, writing) = Lines::to(Told(tell, may)).unwrap();
        (lines, writing, go, told)
    }

    fn say(lines: &Lines, text: &str) {
        lines.make_writer().write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn what_comes_while_another_is_written_is_written_together_and_in_order() {
        let (lines, writing, go, told) = begin();
        say(&lines, "a\n");
        // Once it may write, what waits from now on waits for the next time: nothing is told before that.
        while !lines.lock().text.is_empty() {
            std::thread::yield_now();
        }
        say(&lines, "b\n");
        say(&lines, "c\n");
        go.send(()).unwrap();
        assert_eq!(told.recv().unwrap(), b"a\n");
        go.send(()).unwrap();
        assert_eq!(told.recv().unwrap(), b"b\nc\n");
        drop(go);
        drop(writing);
        assert_eq!(told.try_recv().ok(), None);
    }

    #[test]
    fn at_the_end_nothing_is_lost() {
        let (lines, writing, go, told) = begin();
        for line in ["a\n", "b\n", "c\n"] {
            say(&lines, line);
        }
        drop(go);
        drop(writing);
        assert_eq!(told.iter().flatten().collect::<Vec<u8>>(), b"a\nb\nc\n");
        // Nobody writes what is gathered any more: it goes to standard error at once.
        say(&lines, "said after the end\n");
        assert!(lines.lock().text.is_empty());
    }

    #[test]
    fn who_logs_faster_than_can_be_written_waits() {
        let (lines, writing, go, told) = begin();
        let line = "x".repeat(MOST / 2);
        let its = lines.clone();
        let logging = std::thread::spawn(move || {
            for _ in 0..8 {
                say(&its, &line);
            }
        });
        // One write at a time, and each only when there is as much as may wait, or no more to come.
        for _ in 0..8 {
            while lines.lock().text.len() < MOST && !logging.is_finished() {
                std::thread::yield_now();
            }
            (0..1000).for_each(|_| std::thread::yield_now());
            let _ = go.send(());
        }
        logging.join().unwrap();
        drop(go);
        drop(writing);
        let told: Vec<_> = told.iter().map(|text| text.len()).collect();
        assert_eq!(told.iter().sum::<usize>(), 4 * MOST);
        assert!(told.iter().all(|length| *length <= MOST), "{told:?}");
    }
}
