//! Signatures of externally owned accounts over messages (`personal_sign`, EIP-191 version 0x45).
//!
//! In comes a message and a signature's text from a wallet, out goes the address whose key signed it. Whether that address is
//! the right one is for the caller to say; contract accounts (EIP-1271) have no key and are not found here.

use std::str::FromStr;

use k256::ecdsa::{self, RecoveryId, VerifyingKey};
use sha3::{Digest, Keccak256};

use crate::domain::Address;

/// A well-formed secp256k1 signature with its recovery bit: r and s in range, s in the lower half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    rs: ecdsa::Signature,
    y_is_odd: bool,
}

/// Why a text is no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("a signature is 0x and 130 hexadecimal digits, or 128 in the compact form of EIP-2098")]
    Malformed,
    #[error("the last byte of a signature is 0, 1, 27 or 28")]
    RecoveryByte,
    #[error("a number of the signature is zero or too large")]
    OutOfRange,
    #[error("the signature's s is in the upper half of its range (EIP-2)")]
    HighS,
}

impl FromStr for Signature {
    type Err = SignatureError;

    /// Reads `0x` and hex of 65 bytes (r, s, v with v of 0, 1, 27 or 28) or of 64 (EIP-2098: the top bit of s is the parity of y).
    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let digits = text.strip_prefix("0x").ok_or(SignatureError::Malformed)?.as_bytes();
        let mut bytes = [0; 65];
        if !matches!(digits.len(), 128 | 130) {
            return Err(SignatureError::Malformed);
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = hex_byte(pair).ok_or(SignatureError::Malformed)?;
        }
        let y_is_odd = match (digits.len(), bytes[64]) {
            // EIP-2098: yParityAndS = (yParity << 255) | s, which leaves s its lower half only.
            (128, _) => {
                let odd = bytes[32] & 0x80 != 0;
                bytes[32] &= 0x7f;
                odd
            }
            (_, 0 | 27) => false,
            (_, 1 | 28) => true,
            _ => return Err(SignatureError::RecoveryByte),
        };
        let rs = ecdsa::Signature::from_slice(&bytes[..64]).map_err(|_| SignatureError::OutOfRange)?;
        // EIP-2: with (r, s) the pair (r, n − s) verifies too; only the one with the lower s is a signature.
        if rs.normalize_s() != rs {
            return Err(SignatureError::HighS);
        }
        Ok(Self { rs, y_is_odd })
    }
}

/// The address whose key signed `message` with `personal_sign`, or `None` when no key could have.
///
/// Any well-formed signature recovers to *some* address: compare it with the one that was to sign.
#[must_use]
pub fn recover(message: &str, signature: &Signature) -> Option<Address> {
    // The recovery id's second bit (r was reduced modulo n) cannot be written in 0, 1, 27 or 28, and no wallet makes such an r.
    let recovery_id = RecoveryId::new(signature.y_is_odd, false);
    let key = VerifyingKey::recover_from_prehash(&message_hash(message), &signature.rs, recovery_id).ok()?;
    let point = key.to_sec1_point(false);
    let coordinates: &[u8; 64] = point.as_bytes().get(1..)?.try_into().ok()?;
    Some(Address::of_public_key(coordinates))
}

/// What `personal_sign` signs (EIP-191, version 0x45): the Keccak-256 of the prefix, the length in bytes in decimal, and the message.
#[must_use]
pub fn message_hash(message: &str) -> [u8; 32] {
    let mut hasher = Keccak256::new();
    hasher.update(b"\x19Ethereum Signed Message:\n");
    hasher.update(message.len().to_string());
    hasher.update(message);
    hasher.finalize().into()
}

fn hex_byte(pair: &[u8]) -> Option<u8> {
    let [high, low] = pair else { return None };
    let digit = |b: &u8| char::from(*b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests {
    use k256::ecdsa::SigningKey;
    use proptest::prelude::*;

    use super::*;

    /// The first account of the well-known development mnemonic `test test … junk`.
    const KEY: [u8; 32] = [
        0xac, 0x09, 0x74, 0xbe, 0xc3, 0x9a, 0x17, 0xe3, 0x6b, 0xa4, 0xa6, 0xb4, 0xd2, 0x38, 0xff, 0x94, 0x4b, 0xac, 0xb4, 0x78, 0xcb, 0xed,
        0x5e, 0xfc, 0xae, 0x78, 0x4d, 0x7b, 0xf4, 0xf2, 0xff, 0x80,
    ];
    const ADDRESS: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    /// Half of the curve's order, rounded down: the greatest low s (EIP-2).
    const HALF_ORDER: &str = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0";
    const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().flat_map(|b| [b >> 4, b & 15]).filter_map(|nibble| char::from_digit(nibble.into(), 16)).collect()
    }

    /// r, s and the parity, as a wallet with `KEY` signs.
    fn sign(message: &str) -> (String, String, u8) {
        let (signature, id) = SigningKey::from_slice(&KEY).unwrap().sign_prehash_recoverable(&message_hash(message));
        let bytes = signature.to_bytes();
        (hex(&bytes[..32]), hex(&bytes[32..]), u8::from(id.is_y_odd()))
    }

    fn recovered(message: &str, signature: &str) -> Option<String> {
        recover(message, &signature.parse().unwrap()).map(|address| address.to_string())
    }

    #[test]
    fn the_hash_is_that_of_eip_191() {
        // keccak256("\x19Ethereum Signed Message:\n11hello world"), as every wallet library documents it.
        assert_eq!(hex(&message_hash("hello world")), "d9eba16ed0ecae432b71fe008c98cc872bb4cc214d3220a36f365326cf807d68");
        // The length counts bytes, not characters.
        assert_eq!(
            message_hash("é"),
            <[u8; 32]>::from(Keccak256::digest([b"\x19Ethereum Signed Message:\n2".as_slice(), "é".as_bytes()].concat()))
        );
    }

    #[test]
    fn a_signature_made_elsewhere_recovers() {
        // The example of web3.js and eth-account: "Some data" signed with 0x4c0883a6…f362318.
        let signature = "0xb91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a0291c";
        assert_eq!(recovered("Some data", signature).as_deref(), Some("0x2c7536E3605D9C16a7a3D7b1898e529396a65c23"));
    }

    #[test]
    fn every_form_of_a_signature_recovers_its_signer() {
        for message in [
            "",
            "one",
            "two\nlines",
            "ünïcode",
            "a longer message of more than one hundred bytes, so that its length has three digits …………………………",
        ] {
            let (r, s, parity) = sign(message);
            let compact_s = format!("{:02x}{}", u8::from_str_radix(&s[..2], 16).unwrap() | parity << 7, &s[2..]);
            for form in [
                format!("0x{r}{s}{parity:02x}"),
                format!("0x{r}{s}{:02x}", parity + 27),
                format!("0x{}{}{:02X}", r.to_uppercase(), s.to_uppercase(), parity + 27),
                format!("0x{r}{compact_s}"),
            ] {
                assert_eq!(recovered(message, &form).as_deref(), Some(ADDRESS), "{form}");
            }
            assert_ne!(recovered("another message", &format!("0x{r}{s}{parity:02x}")).as_deref(), Some(ADDRESS));
            assert_ne!(recovered(message, &format!("0x{r}{s}{:02x}", 1 - parity)).as_deref(), Some(ADDRESS));
        }
    }

    #[test]
    fn high_s_is_refused() {
        let (r, ..) = sign("one");
        assert!(format!("0x{r}{HALF_ORDER}1b").parse::<Signature>().is_ok());
        let above = format!("{}a1", &HALF_ORDER[..62]);
        assert_eq!(format!("0x{r}{above}1b").parse::<Signature>(), Err(SignatureError::HighS));
        // The compact form: the parity bit is set aside before s is judged.
        assert_eq!(format!("0x{r}{above}").parse::<Signature>(), Err(SignatureError::HighS));
        assert_eq!(format!("0x{r}ff{}", &above[2..]).parse::<Signature>(), Err(SignatureError::HighS));
        // n − s of a real signature, which other servers would take.
        let key = SigningKey::from_slice(&KEY).unwrap();
        let (signature, id) = key.sign_prehash_recoverable(&message_hash("one"));
        let flipped = ecdsa::Signature::from_scalars(signature.r(), -signature.s()).unwrap();
        let text = format!("0x{}{:02x}", hex(&flipped.to_bytes()), 27 + u8::from(!id.is_y_odd()));
        assert_eq!(text.parse::<Signature>(), Err(SignatureError::HighS));
    }

    #[test]
    fn what_is_out_of_range_is_refused() {
        let (r, s, _) = sign("one");
        let zero = "0".repeat(64);
        for text in [format!("0x{zero}{s}1b"), format!("0x{r}{zero}1b"), format!("0x{ORDER}{s}1b"), format!("0x{r}{ORDER}1b")] {
            assert_eq!(text.parse::<Signature>(), Err(SignatureError::OutOfRange), "{text}");
        }
    }

    #[test]
    fn other_recovery_bytes_are_refused() {
        let (r, s, _) = sign("one");
        for v in (0..=u8::MAX).filter(|v| !matches!(v, 0 | 1 | 27 | 28)) {
            assert_eq!(format!("0x{r}{s}{v:02x}").parse::<Signature>(), Err(SignatureError::RecoveryByte));
        }
    }

    #[test]
    fn every_other_length_is_malformed() {
        for length in (0..300).filter(|length| !matches!(length, 128 | 130)) {
            assert_eq!(format!("0x{}", "1".repeat(length)).parse::<Signature>(), Err(SignatureError::Malformed), "{length}");
        }
        let (r, s, _) = sign("one");
        for text in [
            format!("{r}{s}1b"),
            format!("0X{r}{s}1b"),
            format!("0x{r}{s}1g"),
            format!("0x{r}{s}+b"),
            format!(" 0x{r}{s}1b"),
            format!("0x{r}{s}é"),
        ] {
            assert_eq!(text.parse::<Signature>(), Err(SignatureError::Malformed), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 63..67), message in ".*") {
            if let Ok(signature) = format!("0x{}", hex(&bytes)).parse::<Signature>() {
                let _ = recover(&message, &signature);
            }
        }

        #[test]
        fn numbers_in_range_never_panic(r in any::<[u8; 32]>(), s in any::<[u8; 32]>(), parity in 0..2u8) {
            let mut s = s;
            s[0] &= 0x3f;
            if let Ok(signature) = format!("0x{}{}{parity:02x}", hex(&r), hex(&s)).parse::<Signature>() {
                let _ = recover("any", &signature);
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,140}") {
            let _ = text.parse::<Signature>();
        }
    }
}
