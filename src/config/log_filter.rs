//! What is logged, as the operator says it: `info`, or `info,latchkey=debug,sqlx=off`.

use tracing_subscriber::filter::{LevelFilter, Targets};

/// Reads a list of levels, parted by commas: one for everything, others for the targets that begin with a name.
///
/// # Errors
/// A sentence that names the part that cannot be read.
pub fn log_filter(text: &str) -> Result<Targets, String> {
    let mut targets = Targets::new();
    let mut parts = text.split(',').map(str::trim).filter(|part| !part.is_empty()).peekable();
    if parts.peek().is_none() {
        return Err("names no level".to_owned());
    }
    for part in parts {
        let (target, level) = part.split_once('=').map_or((None, part), |(target, level)| (Some(target.trim_end()), level.trim_start()));
        // The library reads an empty word as `error`.
        let level = Some(level).filter(|level| !level.is_empty()).and_then(|level| level.parse::<LevelFilter>().ok());
        let level = level.ok_or_else(|| format!("`{part}` has no level: error, warn, info, debug, trace or off"))?;
        targets = match target {
            None => targets.with_default(level),
            Some(target) if is_target(target) => targets.with_target(target, level),
            Some(_) => return Err(format!("`{part}` names no target, which is a path like latchkey or latchkey::store")),
        };
    }
    Ok(targets)
}

fn is_target(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn levels_are_for_everything_or_for_targets() {
        let filter = log_filter(" info, latchkey = debug ,sqlx=off,").unwrap();
        for (target, level, shown) in [
            ("other", Level::INFO, true),
            ("other", Level::DEBUG, false),
            ("latchkey::store", Level::DEBUG, true),
            ("latchkey::store", Level::TRACE, false),
            ("sqlx::query", Level::ERROR, false),
        ] {
            assert_eq!(filter.would_enable(target, &level), shown, "{target} {level}");
        }
        assert!(log_filter("WARN").unwrap().would_enable("any", &Level::WARN));
    }

    #[test]
    fn what_would_silence_the_log_by_mistake_is_refused() {
        for (text, said) in [
            ("", "names no level"),
            (" , ", "names no level"),
            ("ifno", "`ifno` has no level"),
            ("info,latchkey", "`latchkey` has no level"),
            ("latchkey=", "`latchkey=` has no level"),
            ("latchkey=loud", "`latchkey=loud` has no level"),
            ("latchkey[request]=debug", "`latchkey[request]=debug` names no target"),
            ("=debug", "`=debug` names no target"),
            ("!!!", "`!!!` has no level"),
        ] {
            let refused = log_filter(text).unwrap_err();
            assert!(refused.starts_with(said), "{text}: {refused}");
        }
    }
}
