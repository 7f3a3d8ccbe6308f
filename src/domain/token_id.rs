//! The ids of tokens: numbers of 256 bits, written in decimal.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The id of a token (EIP-721): a number of 256 bits. Big-endian, so that the order of the bytes is that of the numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenId([u8; 32]);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token id is a decimal number from 0 to 2^256 - 1, without sign, exponent or leading zeros")]
pub struct TokenIdError;

impl TokenId {
    /// The digits of 2^256 − 1.
    const MOST_DIGITS: usize = 78;

    #[must_use]
    pub const fn from_be_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    #[must_use]
    pub const fn as_be_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The id as a number, where 64 bits hold it.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        let (high, low) = self.0.split_last_chunk::<8>()?;
        high.iter().all(|byte| *byte == 0).then(|| u64::from_be_bytes(*low))
    }
}

impl From<u64> for TokenId {
    fn from(number: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[24..].copy_from_slice(&number.to_be_bytes());
        Self(bytes)
    }
}

impl FromStr for TokenId {
    type Err = TokenIdError;

    fn from_str(text: &str) -> Result<Self, TokenIdError> {
        if !is_plain_decimal(text) || text.len() > Self::MOST_DIGITS {
            return Err(TokenIdError);
        }
        let mut bytes = [0; 32];
        for digit in text.bytes() {
            // The number so far, times ten, and the digit.
            let mut carry = u16::from(digit - b'0');
            for byte in bytes.iter_mut().rev() {
                let [high, low] = (u16::from(*byte) * 10 + carry).to_be_bytes();
                *byte = low;
                carry = u16::from(high);
            }
            if carry > 0 {
                return Err(TokenIdError);
            }
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        let mut digits = Vec::with_capacity(Self::MOST_DIGITS);
        while digits.is_empty() || rest.iter().any(|byte| *byte > 0) {
            // Long division by ten: its remainder is the next digit from the right.
            let mut remainder = 0;
            for byte in &mut rest {
                let part = (remainder << 8) | u16::from(*byte);
                [_, *byte] = (part / 10).to_be_bytes();
                remainder = part % 10;
            }
            digits.push(char::from_digit(u32::from(remainder), 10).unwrap_or('0'));
        }
        f.write_str(&digits.iter().rev().collect::<String>())
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenId({self})")
    }
}

impl TryFrom<String> for TokenId {
    type Error = TokenIdError;

    fn try_from(text: String) -> Result<Self, TokenIdError> {
        text.parse()
    }
}

impl From<TokenId> for String {
    fn from(id: TokenId) -> Self {
        id.to_string()
    }
}

/// Digits alone, and only the number 0 begins with a zero.
pub(super) fn is_plain_decimal(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GREATEST: &str = "115792089237316195423570985008687907853269984665640564039457584007913129639935";

    #[test]
    fn token_ids_have_256_bits() {
        for (text, fits) in [
            ("0", true),
            ("7", true),
            (GREATEST, true),
            ("115792089237316195423570985008687907853269984665640564039457584007913129639936", false),
            ("999999999999999999999999999999999999999999999999999999999999999999999999999999", false),
            ("1157920892373161954235709850086879078532699846656405640394575840079131296399350", false),
            ("", false),
            ("00", false),
            ("07", false),
            ("-1", false),
            ("+1", false),
            ("1e3", false),
            ("1.0", false),
            ("0x7", false),
            (" 7", false),
            ("7 ", false),
            ("1_000", false),
            ("\u{0667}", false),
            ("seven", false),
        ] {
            let expected = if fits { Ok(text.to_owned()) } else { Err(TokenIdError) };
            assert_eq!(text.parse::<TokenId>().map(|id| id.to_string()), expected, "{text}");
        }
        assert_eq!(GREATEST.parse(), Ok(TokenId::from_be_bytes([255; 32])));
        assert_eq!((TokenId::from(u64::MAX).as_u64(), TokenId::from_be_bytes([1; 32]).as_u64()), (Some(u64::MAX), None));
        assert_eq!("18446744073709551616".parse::<TokenId>().unwrap().as_u64(), None);
    }

    proptest! {
        #[test]
        fn text_and_back(bytes in any::<[u8; 32]>()) {
            prop_assert_eq!(TokenId(bytes).to_string().parse(), Ok(TokenId(bytes)));
        }

        #[test]
        fn small_token_ids_read_as_numbers(a in any::<u64>(), b in any::<u64>()) {
            let ids = [a, b].map(TokenId::from);
            prop_assert_eq!(ids[0].to_string(), a.to_string());
            prop_assert_eq!(a.to_string().parse(), Ok(ids[0]));
            prop_assert_eq!(ids[0].as_u64(), Some(a));
            prop_assert_eq!(ids[0].cmp(&ids[1]), a.cmp(&b));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,90}") {
            let _ = text.parse::<TokenId>();
        }
    }
}
