//! A line of the log for people, without colours: that of the library, letter for letter, at a part of its cost. There is one for each
//! request. Where a value has control characters, all of them are written as escapes, line breaks too.

use std::fmt::{self, Debug, Write};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// Time, level, spans with their fields, target, message, fields.
pub(super) struct Text;

impl<S, N> FormatEvent<S, N> for Text
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut line: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let meta = event.metadata();
        SystemTime.format_time(&mut line)?;
        line.write_str(match *meta.level() {
            Level::ERROR => " ERROR ",
            Level::WARN => "  WARN ",
            Level::INFO => "  INFO ",
            Level::DEBUG => " DEBUG ",
            Level::TRACE => " TRACE ",
        })?;
        if let Some(spans) = context.event_scope() {
            for span in spans.from_root() {
                line.write_str(span.name())?;
                if let Some(fields) = span.extensions().get::<FormattedFields<N>>()
                    && !fields.is_empty()
                {
                    line.write_char('{')?;
                    line.write_str(fields)?;
                    line.write_char('}')?;
                }
                line.write_char(':')?;
            }
            line.write_char(' ')?;
        }
        line.write_str(meta.target())?;
        line.write_str(": ")?;
        let mut fields = Fields { line, empty: true, outcome: Ok(()) };
        event.record(&mut fields);
        fields.outcome?;
        fields.line.write_char('\n')
    }
}

struct Fields<'a> {
    line: Writer<'a>,
    empty: bool,
    outcome: fmt::Result,
}

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        let name = field.name();
        let put = |line: &mut Writer<'_>, empty: bool| {
            if !empty {
                line.write_char(' ')?;
            }
            if name != "message" {
                line.write_str(name.strip_prefix("r#").unwrap_or(name))?;
                line.write_char('=')?;
            }
            value(line)
        };
        if self.outcome.is_ok() {
            self.outcome = put(&mut self.line, self.empty);
            self.empty = false;
        }
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.put(field, |line| Careful(line).write_str(value)),
            // As `Debug` writes it, which asks for each character's properties.
            _ if value.bytes().all(|byte| is_plain(byte) && byte != b'"' && byte != b'\\') => self.put(field, |line| {
                line.write_char('"')?;
                line.write_str(value)?;
                line.write_char('"')
            }),
            _ => self.record_debug(field, &value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, |line| write!(Careful(line), "{value:?}"));
    }
}

// Writes control characters as escapes: no value begins a line of its own, or commands the terminal of who reads the log.
struct Careful<'a, 'b>(&'a mut Writer<'b>);

impl Write for Careful<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // Nearly always all of it stands as it is.
        if text.bytes().all(is_plain) {
            return self.0.write_str(text);
        }
        text.chars().try_for_each(|c| if c.is_control() { write!(self.0, "{}", c.escape_default()) } else { self.0.write_char(c) })
    }
}

const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use tracing_subscriber::fmt::MakeWriter;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Kept {
        fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Kept {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    impl Kept {
        // The lines without their times.
        fn lines(&self) -> Vec<String> {
            let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
            text.lines().map(|line| line.split_once('Z').map_or("no time", |(_, rest)| rest).to_owned()).collect()
        }
    }

    fn logged(act: impl FnOnce()) -> (Vec<String>, Vec<String>) {
        let (ours, theirs) = (Kept::default(), Kept::default());
        let subscriber = tracing_subscriber::registry()
            .with(tracing_subscriber::fmt::layer().with_ansi(false).with_writer(ours.clone()).event_format(Text))
            .with(tracing_subscriber::fmt::layer().with_ansi(false).with_writer(theirs.clone()));
        tracing::subscriber::with_default(subscriber, act);
        (ours.lines(), theirs.lines())
    }

    #[test]
    fn it_is_the_librarys_line() {
        let (ours, theirs) = logged(|| {
            tracing::info!("alone");
            tracing::error!(reason = %"a b", "with a reason");
            let span = tracing::info_span!("request", id = "Ab-9_");
            span.in_scope(|| {
                tracing::info!(method = "POST", route = "/token", status = 200_u16, ms = 1.25, "answered");
                tracing::warn!(quoted = "a \"b\" \\ \n\u{1b}[31m é", some = ?Some("x"), none = true, small = -1_i64);
                tracing::debug_span!("inner").in_scope(|| tracing::info!(r#type = "raw", "said \"{}\" é", "in a line"));
                tracing::info!(text = "first", "{} words", 2);
            });
        });
        assert_eq!(ours, theirs);
        assert_eq!(ours.len(), 6);
        assert!(
            ours[2].starts_with("  INFO request{id=\"Ab-9_\"}: latchkey::cli::logging::text::tests: answered method=\"POST\""),
            "{ours:?}"
        );
    }

    #[test]
    fn no_value_begins_a_line_or_commands_a_terminal() {
        let (ours, _) = logged(|| {
            tracing::info!(reason = %"a\n2026-11-27T00:00:00Z  INFO forged\u{1b}[2J\u{9b}", "said {}", "\r\n\u{7f}é");
        });
        assert_eq!(ours.len(), 1);
        assert!(ours[0].ends_with(r": said \r\n\u{7f}é reason=a\n2026-11-27T00:00:00Z  INFO forged\u{1b}[2J\u{9b}"), "{ours:?}");
    }
}
