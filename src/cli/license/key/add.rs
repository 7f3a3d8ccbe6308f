//! `latchkey license key add`.

use clap::Args;
use k256::ecdsa::SigningKey;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::cli::client::KeyView;
use crate::cli::desk::{Desk, unknown};
use crate::cli::options::moment;
use crate::cli::out::{Done, Failure, Said};
use crate::domain::{Address, ClientId, ClientKind, Entropy, Timestamp};
use crate::store::LicenseKey;

/// Give a license an API key
///
/// Without --address a key pair is made and its private key printed once, in the JSON: it is kept nowhere.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  latchkey license key add --license 0x… > key.json
  latchkey license key add --license 0x… --address 0x… --expires 2027-12-31T23:59:59Z")]
pub(in crate::cli) struct Add {
    /// The license's client id
    #[arg(long, value_name = "0x…")]
    license: Address,
    /// The address of a key pair that you have already
    #[arg(long, value_name = "0x…")]
    address: Option<Address>,
    /// When the key stops working (RFC 3339) [default: never]
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    expires: Option<Timestamp>,
}

/// A new key for standard output; the names are those that existing tools for key pairs read.
#[derive(Serialize)]
struct NewKey<'a> {
    #[serde(rename = "privateKey", skip_serializing_if = "Option::is_none")]
    private_key: Option<&'a str>,
    #[serde(flatten)]
    key: KeyView,
}

impl Add {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        let (license, now) = (ClientId::from(self.license), desk.now());
        desk.client(&license, ClientKind::License).await?;
        if self.expires.is_some_and(|expires| expires <= now) {
            return Err(Failure("--expires lies in the past".to_owned()));
        }
        let pair = if self.address.is_none() { Some(KeyPair::new(&desk.entropy)) } else { None };
        let Some(address) = self.address.or(pair.as_ref().map(|pair| pair.address)) else {
            return Err(Failure("no address was given and no key was made".to_owned()));
        };
        let key = LicenseKey { license, address, created_at: now, expires_at: self.expires, disabled_at: None };
        if !desk.store.add_license_key(&key).await? {
            return Err(unknown(ClientKind::License, &key.license));
        }
        let private_key = pair.as_ref().map(|pair| pair.private_key.as_str());
        let words =
            if pair.is_some() { "the key is added; its private key is shown this once, and kept nowhere" } else { "the key is added" };
        Ok(Said::json(&NewKey { private_key, key: KeyView::from(&key) })?.words(words))
    }
}

struct KeyPair {
    address: Address,
    /// `0x` and 64 digits.
    private_key: Zeroizing<String>,
}

impl KeyPair {
    fn new(entropy: &Entropy) -> Self {
        loop {
            let scalar = Zeroizing::new(entropy.bytes::<32>());
            // Of 2^128 numbers, one is no private key; then another is drawn.
            let Ok(key) = SigningKey::from_slice(scalar.as_slice()) else { continue };
            // SEC 1 §2.3.3: 4, then the coordinates.
            let point = key.verifying_key().to_sec1_point(false);
            let mut coordinates = [0; 64];
            coordinates.copy_from_slice(&point.as_bytes()[1..]);
            let mut private_key = Zeroizing::new(String::with_capacity(66));
            private_key.push_str("0x");
            for byte in scalar.iter() {
                for nibble in [byte >> 4, byte & 15] {
                    private_key.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
                }
            }
            return Self { address: Address::of_public_key(&coordinates), private_key };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The pair of the private key 1 is public knowledge.
    #[test]
    fn a_key_pair_is_one() {
        let pair = KeyPair::new(&Entropy::seeded(7));
        assert_eq!(pair.private_key.len(), 66);
        assert_ne!(pair.address, KeyPair::new(&Entropy::seeded(8)).address);
        let one = SigningKey::from_slice(&{
            let mut one = [0; 32];
            one[31] = 1;
            one
        })
        .unwrap();
        let point = one.verifying_key().to_sec1_point(false);
        let coordinates: [u8; 64] = point.as_bytes()[1..].try_into().unwrap();
        assert_eq!(Address::of_public_key(&coordinates).to_string(), "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf");
    }
}
