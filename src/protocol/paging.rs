//! Pages of a list: how long, and from where on.
//!
//! A cursor is the text of the last thing on the page before, which apps need not understand. It is read into the type of that thing and says
//! nothing else: whose list it is, the token says.

use std::fmt::Display;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::params::Params;
use super::problem::Problem;

/// How many there are on a page where nobody says.
const USUAL: u32 = 50;
/// The most on a page.
pub const MOST: u32 = 100;
/// The longest cursor, in characters.
const LONGEST: usize = 300;

/// A part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging<T> {
    /// The last of the page before.
    pub after: Option<T>,
    pub limit: u32,
}

impl<T: FromStr + Display> Paging<T> {
    /// Reads `cursor` and `limit`.
    ///
    /// # Errors
    /// Which of them is wrong.
    pub fn parse(params: &Params) -> Result<Self, Problem> {
        let limit = match params.get("limit")? {
            None => USUAL,
            Some(text) => {
                let number = text.parse().ok().filter(|number| (1..=MOST).contains(number));
                number.ok_or_else(|| Problem::of("limit", format_args!("a number from 1 to {MOST}")))?
            }
        };
        let after = params.get("cursor")?.map(|text| read(text).ok_or_else(|| Problem::of("cursor", "none that this list gave")));
        Ok(Self { after: after.transpose()?, limit })
    }

    /// The cursor of the next page, if there may be one: this page is full, and `last` is its last.
    #[must_use]
    pub fn next(&self, count: usize, last: Option<T>) -> Option<String> {
        let full = u32::try_from(count).is_ok_and(|count| count >= self.limit);
        last.filter(|_| full).map(|last| URL_SAFE_NO_PAD.encode(last.to_string()))
    }
}

fn read<T: FromStr + Display>(text: &str) -> Option<T> {
    let bytes = if text.len() > LONGEST { None } else { URL_SAFE_NO_PAD.decode(text).ok() }?;
    let text = String::from_utf8(bytes).ok()?;
    // Only as it was given out: no other way of writing the same thing.
    text.parse::<T>().ok().filter(|thing| thing.to_string() == text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{AssetDid, GrantId};

    const DID: &str = "did:erc721:137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF:7";

    fn parse<T: FromStr + Display>(query: &str) -> Result<Paging<T>, Option<&'static str>> {
        Paging::parse(&Params::decode(query)).map_err(|problem| problem.member)
    }

    #[test]
    fn a_cursor_names_the_last_thing_and_nothing_else() {
        let first = parse::<AssetDid>("limit=2").unwrap();
        assert_eq!((first.after, first.limit), (None, 2));
        let did: AssetDid = DID.parse().unwrap();
        assert_eq!(first.next(1, Some(did)), None);
        let cursor = first.next(2, Some(did)).unwrap();
        assert_eq!(parse::<AssetDid>(&format!("cursor={cursor}")).unwrap(), Paging { after: Some(did), limit: 50 });
        // Of another list, written in another way, or made up.
        let grant = URL_SAFE_NO_PAD.encode("0199aabb-0000-7000-8000-000000000001");
        assert!(parse::<GrantId>(&format!("cursor={grant}")).is_ok());
        assert_eq!(parse::<AssetDid>(&format!("cursor={grant}")).unwrap_err(), Some("cursor"));
        let spellings = [DID.to_lowercase(), format!("{DID}' OR 1=1 --"), String::new(), format!("{DID}\n"), "x".repeat(1_000)];
        for text in
            spellings.iter().map(|text| URL_SAFE_NO_PAD.encode(text)).filter(|text| !text.is_empty()).chain(["%".into(), "a".into()])
        {
            assert_eq!(parse::<AssetDid>(&format!("cursor={}", text.replace('%', "%25"))).unwrap_err(), Some("cursor"), "{text}");
        }
        for limit in ["0", "101", "-1", "x", "1e1", "99999999999"] {
            assert_eq!(parse::<GrantId>(&format!("limit={limit}")).unwrap_err(), Some("limit"), "{limit}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,120}", bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = read::<AssetDid>(&text);
            let _ = read::<GrantId>(&URL_SAFE_NO_PAD.encode(bytes));
        }
    }
}
