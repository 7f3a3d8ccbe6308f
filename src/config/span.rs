//! Spans of time as people write them: `60s`, `10m`, `1h30m`, `14d`.

use std::time::Duration;

const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Reads whole numbers with units, the largest first, each unit at most once: `1h30m`. Errors are a sentence.
pub fn parse_span(text: &str) -> Result<Duration, String> {
    let refuse = || format!("`{text}` is not a span of time");
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!("`{text}` has no unit: {text}s is seconds, {text}m minutes"));
    }
    let mut units = UNITS.iter();
    let mut seconds = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(refuse)?;
        let (number, tail) = rest.split_at(digits);
        let number: u64 = number.parse().map_err(|_| refuse())?;
        let unit = tail.chars().next().ok_or_else(refuse)?;
        let (_, size) = units.find(|(letter, _)| *letter == unit).ok_or_else(refuse)?;
        seconds = number.checked_mul(*size).and_then(|more| seconds.checked_add(more)).ok_or_else(refuse)?;
        rest = &tail[unit.len_utf8()..];
    }
    if text.is_empty() { Err(refuse()) } else { Ok(Duration::from_secs(seconds)) }
}

/// The span as [`parse_span`] reads it: `14d`, `1h30m`, `0s`.
#[must_use]
pub fn span_words(span: Duration) -> String {
    let mut left = span.as_secs();
    let mut words = String::new();
    for (letter, size) in UNITS {
        if left >= size {
            words.push_str(&(left / size).to_string());
            words.push(letter);
            left %= size;
        }
    }
    if words.is_empty() { "0s".to_owned() } else { words }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_people_write() {
        for (text, seconds) in [("60s", 60), ("10m", 600), ("1h30m", 5_400), ("14d", 1_209_600), ("1d1s", 86_401), ("0s", 0), ("090s", 90)]
        {
            assert_eq!(parse_span(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in
            ["", "s", "1", "1x", "-1s", "1.5h", "1 h", "30m1h", "1h1h", "1hé", "é", "99999999999999999999s", "18446744073709551615d"]
        {
            assert!(parse_span(text).is_err(), "{text}");
        }
        assert!(parse_span("60").is_err_and(|told| told.contains("60s")));
    }

    proptest! {
        #[test]
        fn words_and_back(seconds in 0_u64..1_000_000_000_000) {
            let span = Duration::from_secs(seconds);
            prop_assert_eq!(parse_span(&span_words(span)), Ok(span));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,20}") {
            let _ = parse_span(&text);
        }
    }
}
