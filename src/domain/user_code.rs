//! The code that a person reads on a device and types into a page of ours (RFC 8628 §6.1).
//!
//! It is made from the device's id and the server's own secret, so it need not be kept: the page makes it again to show it. What is
//! stored is a hash with the same secret. Of a plain one all codes could be tried in minutes.

use std::fmt;

use super::keyed::{derived, number};
use super::{DeviceId, TokenHash};

// RFC 8628 §6.1: "The following example user code … uses A-Z characters (in upper case) … removed vowels to avoid randomly creating
// words": no two of these look or sound alike in print, and none needs another keyboard.
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// 20^8 codes, 34 bits: what an attacker gets from them is bounded by the limits on tries, and by how long a code lives.
const LENGTH: usize = 8;
/// Nobody types more, with whatever they put between the letters.
const LONGEST: usize = 64;

/// A user code, without what is put between its letters.
#[derive(Clone, PartialEq, Eq)]
pub struct UserCode(String);

impl UserCode {
    /// The code of that device; `key` is the server's own secret, the same on every replica.
    #[must_use]
    pub fn of(device: DeviceId, key: &[u8; 32]) -> Self {
        let mut number = number(&derived(key, b"user code"), device.0.as_bytes());
        let mut letters = String::with_capacity(LENGTH);
        for _ in 0..LENGTH {
            let place = usize::try_from(number % 20).unwrap_or_default();
            letters.extend(ALPHABET.get(place).map(|letter| char::from(*letter)));
            number /= 20;
        }
        Self(letters)
    }

    /// Reads a code as somebody typed it; `None` when it cannot be one.
    // RFC 8628 §6.1: "the server should ignore any characters like punctuation that are not in the user-code character set. Provided that
    // the character set doesn't include characters of different case, the comparison should be case insensitive."
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let letters: String =
            text.chars().map(|c| c.to_ascii_uppercase()).filter(|c| ALPHABET.iter().any(|known| char::from(*known) == *c)).collect();
        (letters.len() == LENGTH).then_some(Self(letters))
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self, key: &[u8; 32]) -> TokenHash {
        TokenHash::keyed(key, "hash of a user code", self.0.as_bytes())
    }
}

/// In two halves, as people read it: `BCDF-GHJK`.
impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (head, tail) = self.0.split_at(LENGTH / 2);
        write!(f, "{head}-{tail}")
    }
}

impl fmt::Debug for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use uuid::Uuid;

    use super::*;
    use crate::domain::Secret;

    const KEY: [u8; 32] = [7; 32];

    fn code(number: u128) -> UserCode {
        UserCode::of(DeviceId(Uuid::from_u128(number)), &KEY)
    }

    #[test]
    fn a_device_has_one_code_and_only_this_server_knows_it() {
        assert_eq!(code(1), code(1));
        assert_ne!(code(1), UserCode::of(DeviceId(Uuid::from_u128(1)), &[8; 32]));
        assert_ne!(code(1).hash(&KEY), code(1).hash(&[8; 32]));
        assert_ne!(code(1).hash(&KEY), Secret::new(code(1).to_string()).hash());
        let many: BTreeSet<String> = (0..5_000).map(|number| code(number).to_string()).collect();
        assert_eq!(many.len(), 5_000, "they are spread over all there are");
        let letters: BTreeSet<char> = many.iter().flat_map(|code| code.chars()).collect();
        assert_eq!(letters.into_iter().collect::<String>(), "-BCDFGHJKLMNPQRSTVWXZ");
    }

    #[test]
    fn it_is_read_as_people_type_it() {
        let code = code(1);
        let shown = code.to_string();
        assert_eq!((shown.len(), shown.as_bytes()[4]), (9, b'-'));
        let bare = shown.replace('-', "");
        for text in [&shown, &bare, &shown.to_lowercase(), &format!(" {} – {}. ", &bare[..3], &bare[3..]), &bare.replace("", "-")] {
            assert_eq!(UserCode::parse(text).as_ref(), Some(&code), "{text}");
        }
        for text in ["", "BCDF-GHJ", "BCDF-GHJKL", "AEIOUY12", &"-".repeat(70), &format!("{shown}{}", " ".repeat(60)), "ＢＣＤＦＧＨＪＫ"]
        {
            assert_eq!(UserCode::parse(text), None, "{text}");
        }
        assert!(!format!("{code:?}").contains(&bare[..4]));
    }
}
