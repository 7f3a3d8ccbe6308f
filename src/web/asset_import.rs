//! Reading the lines of an import: each is one asset, and all that is wrong is told at once, with the number of its line.

use std::collections::HashMap;
use std::fmt::Display;

use serde::Deserialize;

use crate::domain::{AccountId, Address, AssetDid, Owner, Timestamp};
use crate::store::AssetImport;

/// The longest line, in bytes.
const LONGEST_LINE: usize = 64 * 1_024;
const LONGEST_WORD: usize = 100;

/// A line that was understood, and its number.
#[derive(Debug)]
pub struct Line {
    pub number: usize,
    pub asset: AssetImport,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    did: String,
    owner: Option<String>,
    make: Option<String>,
    model: Option<String>,
    year: Option<i64>,
    powertrain: Option<String>,
    name: Option<String>,
    attributes: Option<serde_json::Map<String, serde_json::Value>>,
    minted_at: Option<String>,
}

/// Every asset of a file; or every problem of it, in words.
pub fn lines(text: &str) -> Result<Vec<Line>, Vec<String>> {
    let (mut lines, mut problems) = (Vec::new(), Vec::new());
    let mut first: HashMap<AssetDid, usize> = HashMap::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        match asset(line) {
            Err(problem) => problems.push(told(number, problem)),
            Ok(asset) => match first.insert(asset.did, number) {
                Some(before) => problems.push(told(number, format_args!("the same asset as in line {before}"))),
                None => lines.push(Line { number, asset }),
            },
        }
    }
    if problems.is_empty() { Ok(lines) } else { Err(problems) }
}

/// A problem with the number of its line.
pub fn told(number: usize, problem: impl Display) -> String {
    format!("line {number}: {problem}")
}

/// An owner as an operator writes it: an address, or the id of an account.
///
/// # Errors
/// What is wrong with it, in words.
pub fn owner_of(text: &str) -> Result<Owner, String> {
    // What begins like an address is told what is wrong with it as one.
    if text.starts_with("0x") {
        return text.parse::<Address>().map(Owner::Address).map_err(|problem| problem.to_string());
    }
    text.parse::<AccountId>().map(Owner::Account).map_err(|_| "an owner is an address (0x…) or the id of an account".to_owned())
}

fn asset(line: &str) -> Result<AssetImport, String> {
    if line.len() > LONGEST_LINE {
        return Err(format!("longer than {LONGEST_LINE} bytes"));
    }
    // The parser's own words end with a place in the line, which is always its first.
    let entry: Entry = serde_json::from_str(line).map_err(|problem| problem.to_string().replace(" at line 1 column ", " at column "))?;
    let owner = entry.owner.map(|owner| owner_of(&owner).map_err(|problem| format!("`owner`: {problem}"))).transpose()?;
    if entry.year.is_some_and(|year| !(1..=9_999).contains(&year)) {
        return Err("`year` is a number from 1 to 9999".to_owned());
    }
    let minted_at = entry.minted_at.map(|moment| {
        Timestamp::parse_rfc3339(&moment).ok_or_else(|| "`minted_at` is written like 2027-01-31T12:00:00Z (RFC 3339)".to_owned())
    });
    Ok(AssetImport {
        did: entry.did.parse().map_err(|problem| format!("`did`: {problem}"))?,
        owner,
        make: word("make", entry.make)?,
        model: word("model", entry.model)?,
        year: entry.year,
        powertrain: word("powertrain", entry.powertrain)?,
        name: word("name", entry.name)?,
        attributes: entry.attributes,
        minted_at: minted_at.transpose()?,
        claim: None,
    })
}

fn word(name: &str, given: Option<String>) -> Result<Option<String>, String> {
    let fits = |word: &String| (1..=LONGEST_WORD).contains(&word.chars().count()) && !word.chars().any(char::is_control);
    match given {
        Some(word) if !fits(&word) => Err(format!("`{name}` has 1 to {LONGEST_WORD} characters, and no control characters")),
        given => Ok(given),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DID: &str = "did:erc721:137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF:7";

    #[test]
    fn a_line_is_an_asset() {
        let text = format!(
            "\n{{\"did\":\"{DID}\",\"owner\":\"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed\",\"make\":\"Ford\",\"year\":2022,\
             \"minted_at\":\"2026-01-01T00:00:00Z\",\"attributes\":{{\"a\":1}}}}\r\n  \n{{\"did\":\"{}8\"}}\n",
            &DID[..DID.len() - 1]
        );
        let read = lines(&text).unwrap();
        assert_eq!(read.iter().map(|line| line.number).collect::<Vec<_>>(), [2, 4]);
        let asset = &read[0].asset;
        assert_eq!((asset.did.to_string().as_str(), asset.make.as_deref(), asset.year), (DID, Some("Ford"), Some(2022)));
        assert!(matches!(asset.owner, Some(Owner::Address(_))));
        assert_eq!(asset.minted_at, Some(Timestamp::from_seconds(1_767_225_600)));
        assert_eq!((read[1].asset.owner, &read[1].asset.attributes), (None, &None));
    }

    #[test]
    fn every_problem_is_told_with_its_line() {
        let text = [
            "{",
            &format!("{{\"did\":\"{DID}\"}}"),
            &format!("{{\"did\":\"{DID}\",\"owner\":\"me\"}}"),
            &format!("{{\"did\":\"{DID}\",\"owner\":\"0x1\"}}"),
            &format!("{{\"did\":\"{DID}\",\"color\":\"red\"}}"),
            &format!("{{\"did\":\"{DID}\",\"make\":\"\"}}"),
            &format!("{{\"did\":\"{DID}\",\"model\":\"a\\nb\"}}"),
            &format!("{{\"did\":\"{DID}\",\"year\":0}}"),
            &format!("{{\"did\":\"{DID}\",\"minted_at\":\"yesterday\"}}"),
            &format!("{{\"did\":\"{DID}\",\"name\":\"{}\"}}", "x".repeat(101)),
            &format!("{{\"did\":\"{DID}\",\"attributes\":[]}}"),
            "{\"did\":\"did:erc721:137:0x1:1\"}",
            "{\"owner\":null}",
            &format!("{{\"did\":\"{}\"}}", DID.to_lowercase()),
            &"x".repeat(LONGEST_LINE + 1),
        ]
        .join("\n");
        insta::assert_snapshot!(lines(&text).unwrap_err().join("\n"));
    }
}
