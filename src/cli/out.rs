//! How a command ends: JSON and words on their streams, and the exit code.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use serde::Serialize;

use crate::config::ConfigErrors;
use crate::keys::KeysError;
use crate::store::StoreError;

/// What a command has to say when it is done.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// For standard output.
    text: String,
    /// For people, on standard error.
    words: String,
    failed: bool,
}

/// Why a command did not do its work: a sentence.
#[derive(Debug)]
pub(super) struct Failure(pub(super) String);

pub(super) type Done = Result<Said, Failure>;

impl Said {
    pub(super) fn nothing() -> Self {
        Self::default()
    }

    /// Plain text for standard output.
    pub(super) fn text(text: String) -> Self {
        Self { text, ..Self::default() }
    }

    /// JSON for standard output.
    pub(super) fn json(value: &impl Serialize) -> Result<Self, Failure> {
        let json =
            serde_json::to_string_pretty(value).map_err(|problem| Failure(format!("the answer cannot be written as JSON: {problem}")))?;
        Ok(Self::text(json + "\n"))
    }

    pub(super) fn words(self, words: impl Into<String>) -> Self {
        Self { words: words.into(), ..self }
    }

    /// The command did its work, and what it found is bad: exit code 1.
    pub(super) fn failed_if(self, failed: bool) -> Self {
        Self { failed, ..self }
    }
}

/// Prints what was said and gives the exit code.
pub(super) fn finish(done: Done) -> ExitCode {
    let said = done.unwrap_or_else(|Failure(reason)| Said { words: format!("error: {reason}"), failed: true, ..Said::default() });
    // Words go first, so that on a terminal the JSON stands last, ready to be copied.
    if !said.words.is_empty() {
        let _ = writeln!(io::stderr(), "{}", said.words);
    }
    let mut stdout = io::stdout().lock();
    match stdout.write_all(said.text.as_bytes()).and_then(|()| stdout.flush()) {
        // A reader that has seen enough, such as `head`, is no failure of ours.
        Err(problem) if problem.kind() != ErrorKind::BrokenPipe => {
            let _ = writeln!(io::stderr(), "error: standard output cannot be written: {problem}");
            ExitCode::FAILURE
        }
        _ if said.failed => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

macro_rules! told_as_failure {
    ($($error:ty),*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self(error.to_string())
            }
        }
    )*};
}

told_as_failure!(ConfigErrors, StoreError, KeysError, String, &str);
