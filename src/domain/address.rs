//! Ethereum addresses, shown with their EIP-55 checksum.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha3::{Digest, Keccak256};

/// A 20-byte account address. Its text is always checksummed (EIP-55); input may be checksummed, or all lower or all upper case.
///
/// It carries its digits with it: their checksum is a hash, and a sign-in by wallet writes its address eight times over.
#[derive(Clone, Copy)]
pub struct Address {
    bytes: [u8; 20],
    digits: [u8; 40],
}

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("an address is 0x and 40 hexadecimal digits")]
    Malformed,
    #[error("the letters' case does not fit the address's checksum (EIP-55): a digit may be mistyped")]
    Checksum,
}

impl Address {
    #[must_use]
    pub fn from_bytes(bytes: [u8; 20]) -> Self {
        Self { bytes, digits: checksummed(&bytes) }
    }

    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.bytes
    }

    /// The address of an uncompressed public key: the last 20 bytes of the Keccak-256 of its 64 coordinate bytes.
    #[must_use]
    pub fn of_public_key(coordinates: &[u8; 64]) -> Self {
        let hash = Keccak256::digest(coordinates);
        let mut bytes = [0; 20];
        bytes.copy_from_slice(&hash[12..]);
        Self::from_bytes(bytes)
    }

    /// `0x` and 40 digits with the case of EIP-55.
    #[must_use]
    pub fn checksummed(&self) -> String {
        let mut text = String::with_capacity(42);
        text.push_str("0x");
        text.push_str(self.digits());
        text
    }

    // They are ASCII.
    fn digits(&self) -> &str {
        std::str::from_utf8(&self.digits).unwrap_or_default()
    }
}

// The digits of an address with the case of EIP-55.
fn checksummed(bytes: &[u8; 20]) -> [u8; 40] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [0; 40];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    let hash = Keccak256::digest(digits);
    // EIP-55: a letter is upper case where the hash's nibble of the same place is 8 or more.
    for (pair, byte) in digits.chunks_exact_mut(2).zip(hash) {
        if byte & 0x80 != 0 {
            pair[0] = pair[0].to_ascii_uppercase();
        }
        if byte & 0x08 != 0 {
            pair[1] = pair[1].to_ascii_uppercase();
        }
    }
    digits
}

// The bytes of a text, and its digits as they are.
fn read(text: &str) -> Result<([u8; 20], [u8; 40]), AddressError> {
    let digits = text.strip_prefix("0x").and_then(|digits| <[u8; 40]>::try_from(digits.as_bytes()).ok()).ok_or(AddressError::Malformed)?;
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok()).ok_or(AddressError::Malformed);
    let mut bytes = [0; 20];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Ok((bytes, digits))
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (bytes, digits) = read(text)?;
        let address = Self::from_bytes(bytes);
        let one_case = !digits.iter().any(u8::is_ascii_uppercase) || !digits.iter().any(u8::is_ascii_lowercase);
        if one_case || address.digits == digits { Ok(address) } else { Err(AddressError::Checksum) }
    }
}

// An address is its bytes: the digits are only how it is written.
impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Address {}

impl PartialOrd for Address {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Address {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes.cmp(&other.bytes)
    }
}

impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        f.write_str(self.digits())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_examples_of_eip_55_hold() {
        for text in [
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
            "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
            "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        ] {
            assert_eq!(text.parse::<Address>().map(|a| a.to_string()).as_deref(), Ok(text));
            assert_eq!(text.to_lowercase().parse::<Address>(), text.parse());
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let wrong_case = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed";
        assert_eq!(wrong_case.parse::<Address>(), Err(AddressError::Checksum));
        for text in ["", "0x", "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeA", "0xé"] {
            assert_eq!(text.parse::<Address>(), Err(AddressError::Malformed));
        }
    }

    proptest! {
        #[test]
        fn text_and_back(bytes in any::<[u8; 20]>()) {
            let address = Address::from_bytes(bytes);
            prop_assert_eq!(address.to_string().parse::<Address>(), Ok(address));
            prop_assert_eq!(address.to_string().to_uppercase().replacen('X', "x", 1).parse::<Address>().unwrap().to_string(), address.to_string());
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = text.parse::<Address>();
        }
    }
}
