//! Wallets by number, so that a run is the same each time: an address, and `personal_sign` (EIP-191).

use std::fmt::Write as _;

use k256::ecdsa::SigningKey;
use latchkey::domain::Address;
use sha3::{Digest, Keccak256};

use crate::Failure;

#[derive(Debug)]
pub(crate) struct Wallet {
    key: SigningKey,
    address: String,
}

impl Wallet {
    /// The wallet of this number: its private key is a hash of it.
    pub(crate) fn number(number: u64) -> Result<Self, Failure> {
        let key = SigningKey::from_slice(&Keccak256::digest(format!("load wallet {number}")))?;
        let point = key.verifying_key().to_sec1_point(false);
        let coordinates: &[u8; 64] = point.as_bytes()[1..].try_into()?;
        Ok(Self { address: Address::of_public_key(coordinates).checksummed(), key })
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// `0x` and 65 bytes: r, s, v.
    pub(crate) fn sign(&self, message: &str) -> String {
        let (signature, recovery) = self.key.sign_prehash_recoverable(&personal_hash(message));
        let mut text = String::from("0x");
        for byte in signature.to_bytes().iter().chain(&[27 + recovery.to_byte()]) {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

/// What `personal_sign` hashes of a text (EIP-191 version 0x45).
pub(crate) fn personal_hash(message: &str) -> [u8; 32] {
    Keccak256::digest(format!("\x19Ethereum Signed Message:\n{}{message}", message.len())).into()
}
