//! The log: lines for people or JSON, on standard error.

mod lines;
mod text;

use std::io::{self, IsTerminal};

use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use self::lines::{Lines, Writing};
use self::text::Text;
use crate::config::{Log, LogFormat, log_filter};

/// The log. Dropped, it is written to its end.
#[must_use]
pub(super) struct Logging {
    _writing: Option<Writing>,
}

/// Begins to log as the configuration says.
///
/// # Errors
/// A sentence, when the filter cannot be read, the process logs already, or the system has no thread to give.
pub(super) fn start(log: &Log) -> Result<Logging, String> {
    let refused = |problem: &dyn std::fmt::Display| format!("the log cannot be started: {problem}");
    let filter = log_filter(&log.filter).map_err(|problem| format!("log.filter: {problem}"))?;
    // Somebody who looks on sees each line as it comes.
    let person = io::stderr().is_terminal();
    let (writer, writing) = if person {
        (BoxMakeWriter::new(io::stderr), None)
    } else {
        let (lines, writing) = Lines::to(io::stderr()).map_err(|problem| refused(&problem))?;
        (BoxMakeWriter::new(lines), Some(writing))
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    let log_to = tracing_subscriber::registry().with(filter);
    let begun = match log.format {
        LogFormat::Text if person => log_to.with(lines).try_init(),
        LogFormat::Text => log_to.with(lines.with_ansi(false).event_format(Text)).try_init(),
        LogFormat::Json => log_to.with(lines.json().flatten_event(true).with_current_span(true).with_span_list(false)).try_init(),
    };
    begun.map_err(|problem| refused(&problem))?;
    Ok(Logging { _writing: writing })
}
