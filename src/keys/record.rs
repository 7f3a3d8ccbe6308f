//! Keys and secrets on their way into the database and out of it: sealed there, opened here.

use zeroize::Zeroizing;

use super::key::KeyPair;
use super::rotation::{KeyTimes, Make};
use super::{KeysError, SealingKey};
use crate::domain::{KeyPurpose, SigningAlg, Timestamp};
use crate::store::SigningKeyRecord;

/// The name of the secret that pairwise subjects are made with.
pub(super) const PAIRWISE: &str = "pairwise";

/// A new key of a purpose as the step `make` wants it, sealed.
pub(super) fn seal_new(purpose: KeyPurpose, make: Make, sealing: &SealingKey, now: Timestamp) -> Result<SigningKeyRecord, KeysError> {
    let (pair, pkcs8) = KeyPair::generate(make.alg)?;
    Ok(SigningKeyRecord {
        sealed: sealing.seal(&key_aad(purpose, make.alg, pair.kid()), &pkcs8)?,
        kid: pair.kid().to_owned(),
        purpose,
        alg: make.alg,
        generation: make.generation,
        public_jwk: pair.public_jwk(),
        created_at: now,
        active_from: make.active_from,
        retire_at: None,
    })
}

/// Opens and parses a stored key.
pub(super) fn open(record: &SigningKeyRecord, sealing: &SealingKey) -> Result<KeyPair, KeysError> {
    let what = format!("the signing key {}", record.kid);
    let pkcs8 = sealing.open(&key_aad(record.purpose, record.alg, &record.kid), &record.sealed, &what)?;
    let Ok(pair) = KeyPair::from_pkcs8(record.alg, &pkcs8) else {
        return Err(KeysError::Damaged { what, why: "it cannot be parsed" });
    };
    if pair.kid() == record.kid { Ok(pair) } else { Err(KeysError::Damaged { what, why: "its private half is another key's" }) }
}

pub(super) fn times(record: &SigningKeyRecord) -> KeyTimes {
    KeyTimes {
        kid: record.kid.clone(),
        alg: record.alg,
        generation: record.generation,
        created_at: record.created_at,
        active_from: record.active_from,
        retire_at: record.retire_at,
    }
}

pub(super) fn seal_pairwise(secret: &[u8; 32], sealing: &SealingKey) -> Result<Vec<u8>, KeysError> {
    sealing.seal(&secret_aad(PAIRWISE), secret)
}

pub(super) fn open_pairwise(sealed: &[u8], sealing: &SealingKey) -> Result<Zeroizing<[u8; 32]>, KeysError> {
    let what = "the secret of pairwise subjects";
    let opened = sealing.open(&secret_aad(PAIRWISE), sealed, what)?;
    let damaged = |_| KeysError::Damaged { what: what.to_owned(), why: "it has not 32 bytes" };
    opened.as_slice().try_into().map(Zeroizing::new).map_err(damaged)
}

/// Names the purpose, algorithm and key, so that no sealed key can be put in the place of another.
fn key_aad(purpose: KeyPurpose, alg: SigningAlg, kid: &str) -> Vec<u8> {
    format!("latchkey/signing-key/{purpose}/{alg}/{kid}").into_bytes()
}

fn secret_aad(name: &str) -> Vec<u8> {
    format!("latchkey/server-secret/{name}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

    fn sealing() -> SealingKey {
        SealingKey::from_text(&"5a".repeat(32)).unwrap()
    }

    fn record(alg: SigningAlg) -> SigningKeyRecord {
        seal_new(KeyPurpose::Signin, Make { alg, generation: 3, active_from: Some(NOW) }, &sealing(), NOW).unwrap()
    }

    #[test]
    fn a_key_comes_back_as_it_went() {
        for &alg in SigningAlg::ALL {
            let record = record(alg);
            let pair = open(&record, &sealing()).unwrap();
            assert_eq!((pair.kid(), pair.alg()), (record.kid.as_str(), alg));
            assert_eq!(pair.public_jwk(), record.public_jwk);
            assert_eq!(times(&record).generation, 3);
        }
    }

    #[test]
    fn a_key_in_the_place_of_another_does_not_open() {
        let (one, other) = (record(SigningAlg::Es256), record(SigningAlg::Es256));
        let swapped = SigningKeyRecord { sealed: other.sealed.clone(), ..one.clone() };
        assert!(matches!(open(&swapped, &sealing()), Err(KeysError::WrongSealingKey { .. })));
        let renamed = SigningKeyRecord { alg: SigningAlg::EdDsa, ..one.clone() };
        assert!(matches!(open(&renamed, &sealing()), Err(KeysError::WrongSealingKey { .. })));
        let of_assets = SigningKeyRecord { purpose: KeyPurpose::Assets, ..one.clone() };
        assert!(matches!(open(&of_assets, &sealing()), Err(KeysError::WrongSealingKey { .. })));
        // Sealed under this name by someone who has the sealing key: the thumbprint still tells.
        let pkcs8 = sealing().open(&key_aad(other.purpose, other.alg, &other.kid), &other.sealed, "it").unwrap();
        let forged = SigningKeyRecord { sealed: sealing().seal(&key_aad(one.purpose, one.alg, &one.kid), &pkcs8).unwrap(), ..one.clone() };
        assert_eq!(
            open(&forged, &sealing()).unwrap_err().to_string(),
            format!("the signing key {} in the database is damaged: its private half is another key's", one.kid)
        );
        let garbage = SigningKeyRecord { sealed: sealing().seal(&key_aad(one.purpose, one.alg, &one.kid), b"no key").unwrap(), ..one };
        assert!(matches!(open(&garbage, &sealing()), Err(KeysError::Damaged { why: "it cannot be parsed", .. })));
    }

    #[test]
    fn the_pairwise_secret_comes_back_as_it_went() {
        let sealed = seal_pairwise(&[7; 32], &sealing()).unwrap();
        assert_eq!(*open_pairwise(&sealed, &sealing()).unwrap(), [7; 32]);
        let short = sealing().seal(&secret_aad(PAIRWISE), &[7; 31]).unwrap();
        assert!(matches!(open_pairwise(&short, &sealing()), Err(KeysError::Damaged { .. })));
    }
}
