//! Ethereum addresses, shown with their EIP-55 checksum.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha3::{Digest, Keccak256};

/// A 20-byte account address. Its text is always checksummed (EIP-55); input may be checksummed, or all lower or all upper case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address([u8; 20]);

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
    pub const fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// The address of an uncompressed public key: the last 20 bytes of the Keccak-256 of its 64 coordinate bytes.
    #[must_use]
    pub fn of_public_key(coordinates: &[u8; 64]) -> Self {
        let hash = Keccak256::digest(coordinates);
        let mut bytes = [0; 20];
        bytes.copy_from_slice(&hash[12..]);
        Self(bytes)
    }

    /// `0x` and 40 digits with the case of EIP-55.
    #[must_use]
    pub fn checksummed(&self) -> String {
        let mut text = String::with_capacity(42);
        text.push_str("0x");
        text.extend(self.digits().map(char::from));
        text
    }

    // A sign-in by wallet writes its address eight times over: no text is grown digit by digit here.
    fn digits(&self) -> [u8; 40] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut digits = [0; 40];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
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
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let digits = text.strip_prefix("0x").ok_or(AddressError::Malformed)?;
        if digits.len() != 40 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(AddressError::Malformed);
        }
        let mut bytes = [0; 20];
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[place * 2..place * 2 + 2], 16).map_err(|_| AddressError::Malformed)?;
        }
        let address = Self(bytes);
        let one_case = !digits.bytes().any(|b| b.is_ascii_uppercase()) || !digits.bytes().any(|b| b.is_ascii_lowercase());
        if one_case || address.digits() == digits.as_bytes() { Ok(address) } else { Err(AddressError::Checksum) }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.checksummed())
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
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = text.parse::<Address>();
        }
    }
}
