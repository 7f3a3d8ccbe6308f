//! What is wrong with a configuration: every problem, with its path, where it came from and what was expected.

use std::fmt;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The table of settings.
    Default,
    /// The configuration file, by the path as it was given.
    File(String),
    /// An environment variable, by name.
    Environment(String),
    /// A flag of the command line, with its dashes.
    Flag(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {path}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// One problem. Its text holds no value of a secret setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// `server.listen`, `clients[0].secret`; empty when the file as a whole cannot be read.
    pub path: String,
    pub source: Source,
    /// What was wrong.
    pub problem: String,
    /// What would have been right.
    pub expected: Option<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "{}: ", self.source)?,
            path => write!(f, "{path} ({}): ", self.source)?,
        }
        f.write_str(&self.problem)?;
        self.expected.as_ref().map_or(Ok(()), |expected| write!(f, "; expected {expected}"))
    }
}

/// All problems of one reading; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("the configuration has a problem:")?,
            many => write!(f, "the configuration has {many} problems:")?,
        }
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for ConfigErrors {}

/// Of `known`, what somebody who wrote `given` most likely meant: at most a third of its letters differ.
pub(super) fn did_you_mean<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_ascii_lowercase();
    known
        .map(|word| (distance(&given, &word.to_ascii_lowercase()), word))
        .filter(|(distance, word)| *distance <= (word.len().min(given.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

// Edits between two words (Levenshtein), one row of the matrix at a time.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let edit = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = edit.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        let known = ["server.listen", "server.issuer", "data.dir"];
        assert_eq!(did_you_mean("server.lisen", known.into_iter()), Some("server.listen"));
        assert_eq!(did_you_mean("SERVER.ISSUER", known.into_iter()), Some("server.issuer"));
        assert_eq!(did_you_mean("colour", known.into_iter()), None);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
