//! The code that is mailed to an address and typed into a page of ours.
//!
//! It is made from its row's id and the server's own secret, so it need not be kept: a mail that could not be sent at once is written
//! again from the row, and whoever reads the database learns no code. What is stored is a hash with the same secret and the visit. Of a
//! plain one all million codes could be tried in a second.

use std::fmt;

use super::keyed::{derived, number};
use super::{EmailCodeId, InteractionId, TokenHash};

/// A million codes: what an attacker gets from guesses is bounded by the tries of each code, and by how many codes an address gets.
const LENGTH: usize = 6;
/// Nobody types more, with whatever they put between the digits.
const LONGEST: usize = 32;

/// Six digits.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailCode(String);

impl EmailCode {
    /// The code of that row; `key` is the server's own secret, the same on every replica.
    #[must_use]
    pub fn of(id: EmailCodeId, key: &[u8; 32]) -> Self {
        let number = number(&derived(key, b"email code"), id.0.as_bytes()) % 1_000_000;
        Self(format!("{number:06}"))
    }

    /// Reads a code as somebody typed it; `None` when it cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let digits: String = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '\u{2013}' | '.')).collect();
        (digits.len() == LENGTH && digits.bytes().all(|b| b.is_ascii_digit())).then_some(Self(digits))
    }

    /// What is kept of it: good in that visit alone.
    #[must_use]
    pub fn hash(&self, visit: InteractionId, key: &[u8; 32]) -> TokenHash {
        TokenHash::keyed(key, "hash of an email code", &[visit.0.as_bytes(), self.0.as_bytes()].concat())
    }

    /// The digits. Call it where the code leaves for its holder, nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EmailCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use uuid::Uuid;

    use super::*;
    use crate::domain::Secret;

    const KEY: [u8; 32] = [7; 32];
    const VISIT: InteractionId = InteractionId(Uuid::from_u128(9));

    fn code(number: u128) -> EmailCode {
        EmailCode::of(EmailCodeId(Uuid::from_u128(number)), &KEY)
    }

    #[test]
    fn a_row_has_one_code_and_only_this_server_knows_it() {
        assert_eq!(code(1), code(1));
        assert_ne!(code(1), EmailCode::of(EmailCodeId(Uuid::from_u128(1)), &[8; 32]));
        assert_ne!(code(1).hash(VISIT, &KEY), code(1).hash(VISIT, &[8; 32]));
        assert_ne!(code(1).hash(VISIT, &KEY), code(1).hash(InteractionId(Uuid::from_u128(8)), &KEY), "another visit's is another");
        assert_ne!(code(1).hash(VISIT, &KEY), Secret::new(code(1).expose()).hash());
        let many: BTreeSet<String> = (0..5_000).map(|number| code(number).expose().to_owned()).collect();
        assert!(many.len() > 4_950, "they are spread over all there are: {}", many.len());
        assert!(many.iter().all(|code| code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit())));
        assert!(many.iter().any(|code| code.starts_with('0')), "a zero in front is a digit like any other");
    }

    #[test]
    fn it_is_read_as_people_type_it() {
        let digits = code(1).expose().to_owned();
        for text in [&digits, &format!(" {} {}\n", &digits[..3], &digits[3..]), &format!("{}-{}", &digits[..3], &digits[3..])] {
            assert_eq!(EmailCode::parse(text).as_ref(), Some(&code(1)), "{text}");
        }
        for text in ["", "12345", "1234567", "12345a", "１２３４５６", "+12345", &format!("{digits}{}", " ".repeat(40))] {
            assert_eq!(EmailCode::parse(text), None, "{text}");
        }
        assert!(!format!("{:?}", code(1)).contains(&digits));
    }
}
