//! What `sub` is, in the three forms that a deployment may choose (OpenID Connect Core §8).

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::{AccountId, Provider, SubjectType};

/// Whose subject it is.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    pub account_id: AccountId,
    pub provider: &'a Provider,
    /// The identity's own name at its provider; a checksummed address for a wallet.
    pub subject: &'a str,
}

/// The `sub` of `person` at a client of that sector; `secret` is the server's own.
#[must_use]
pub fn subject(form: SubjectType, person: Person<'_>, sector: &str, secret: &[u8; 32]) -> String {
    match form {
        SubjectType::Account => person.account_id.to_string(),
        SubjectType::Pairwise => pairwise(person.account_id, sector, secret),
        SubjectType::Connector => connector(person.subject, person.provider.as_str()),
    }
}

/// The form of earlier deployments: base64url without padding of the protobuf `{1: user_id, 2: connector_id}`.
#[must_use]
pub fn connector(user_id: &str, connector_id: &str) -> String {
    let mut bytes = Vec::with_capacity(user_id.len() + connector_id.len() + 6);
    for (tag, text) in [(0x0a, user_id), (0x12, connector_id)] {
        bytes.push(tag);
        push_varint(&mut bytes, text.len());
        bytes.extend_from_slice(text.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

// Protocol Buffers Encoding, "Base 128 Varints": seven bits a byte, the lowest first, the top bit says that more follow.
fn push_varint(bytes: &mut Vec<u8>, value: usize) {
    let low = value.to_le_bytes()[0] & 0x7f;
    match value >> 7 {
        0 => bytes.push(low),
        rest => {
            bytes.push(low | 0x80);
            push_varint(bytes, rest);
        }
    }
}

// OpenID Connect Core §8.1: sub = SHA-256 ( sector_identifier || local_account_id || salt ) is the example; a keyed hash is the same
// idea without its pitfalls.
fn pairwise(account_id: AccountId, sector: &str, secret: &[u8; 32]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let mut context = hmac::Context::with_key(&key);
    context.update(account_id.0.as_bytes());
    context.update(sector.as_bytes());
    URL_SAFE_NO_PAD.encode(context.sign())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_connector_form_is_the_one_that_existing_consumers_know() {
        let sub = connector("0xf9D26323Ab49179A6d57C26515B01De018553787", "web3");
        assert_eq!(sub, "CioweGY5RDI2MzIzQWI0OTE3OUE2ZDU3QzI2NTE1QjAxRGUwMTg1NTM3ODcSBHdlYjM");
        let bytes = URL_SAFE_NO_PAD.decode(&sub).unwrap();
        assert_eq!(&bytes[..2], [0x0a, 0x2a]);
        assert_eq!(&bytes[44..], b"\x12\x04web3");
    }

    #[test]
    fn long_ids_have_a_length_of_two_bytes() {
        let bytes = URL_SAFE_NO_PAD.decode(connector(&"x".repeat(200), "c")).unwrap();
        assert_eq!(&bytes[..3], [0x0a, 0xc8, 0x01]);
    }

    #[test]
    fn pairwise_differs_by_sector_and_by_secret_only() {
        let web3 = Provider::web3();
        let person = Person { account_id: AccountId(Uuid::from_u128(1)), provider: &web3, subject: "" };
        let sub = |host: &str, secret: u8| subject(SubjectType::Pairwise, person, host, &[secret; 32]);
        assert_eq!(sub("a.example", 1), sub("a.example", 1));
        assert_ne!(sub("a.example", 1), sub("b.example", 1));
        assert_ne!(sub("a.example", 1), sub("a.example", 2));
    }
}
