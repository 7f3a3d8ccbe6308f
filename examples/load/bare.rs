//! What the signatures cost alone: the CPU time of one RSA-2048, one P-256 made and one checked, and one secp256k1 recovery, with the
//! libraries that the server signs, checks and recovers with, in this run on this machine.

use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, ParsedPublicKey, RSA_PKCS1_SHA256,
};
use k256::ecdsa::{RecoveryId, Signature, SigningKey, VerifyingKey};

use crate::Failure;
use crate::wallet::personal_hash;

const LONG_ENOUGH: Duration = Duration::from_millis(250);

/// Microseconds of CPU for one operation each.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(crate) struct Bare {
    pub(crate) rs256_sign: f64,
    pub(crate) es256_sign: f64,
    pub(crate) es256_verify: f64,
    pub(crate) secp256k1_recover: f64,
}

impl Bare {
    /// The mean of several measurements: a machine that others share is not equally fast all the time, so one is made before and one
    /// after each operation that is compared with them.
    pub(crate) fn mean(all: &[Self]) -> Self {
        let mean = |of: fn(&Self) -> f64| all.iter().map(of).sum::<f64>() / all.len() as f64;
        Self {
            rs256_sign: mean(|one| one.rs256_sign),
            es256_sign: mean(|one| one.es256_sign),
            es256_verify: mean(|one| one.es256_verify),
            secp256k1_recover: mean(|one| one.secp256k1_recover),
        }
    }
}

/// Measures all four, a second long. Call it with nothing else running.
pub(crate) fn measure() -> Result<Bare, Failure> {
    let random = SystemRandom::new();
    let message = [b'x'; 700]; // about what a token's header and claims are

    let rsa = KeyPair::generate(KeySize::Rsa2048)?;
    let mut signature = vec![0; rsa.public_modulus_len()];
    let rs256_sign = each(|| Ok(rsa.sign(&RSA_PKCS1_SHA256, &random, &message, &mut signature)?))?;

    let p256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
    let es256_sign = each(|| {
        std::hint::black_box(p256.sign(&random, &message)?);
        Ok(())
    })?;

    let (public, signature) = (ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, p256.public_key().as_ref())?, p256.sign(&random, &message)?);
    let es256_verify = each(|| Ok(public.verify_sig(std::hint::black_box(&message), signature.as_ref())?))?;

    let key = SigningKey::from_slice(&[7; 32])?;
    let hash = personal_hash("Sign in");
    let (signature, recovery): (Signature, RecoveryId) = key.sign_prehash_recoverable(&hash);
    let secp256k1_recover = each(|| {
        let found = VerifyingKey::recover_from_prehash(std::hint::black_box(&hash), &signature, recovery)?;
        if found == *key.verifying_key() { Ok(()) } else { Err("recovered another key".into()) }
    })?;
    Ok(Bare { rs256_sign, es256_sign, es256_verify, secp256k1_recover })
}

fn each(mut once: impl FnMut() -> Result<(), Failure>) -> Result<f64, Failure> {
    for _ in 0..50 {
        once()?;
    }
    let (start, before) = (Instant::now(), own_cpu()?);
    let mut rounds = 0.0;
    while start.elapsed() < LONG_ENOUGH {
        for _ in 0..50 {
            once()?;
        }
        rounds += 50.0;
    }
    Ok(own_cpu()?.saturating_sub(before).as_secs_f64() * 1e6 / rounds)
}

// Time on the CPU of this thread, in nanoseconds: the first number of its schedstat.
fn own_cpu() -> Result<Duration, Failure> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos = text.split(' ').next().ok_or("schedstat is empty")?.parse()?;
    Ok(Duration::from_nanos(nanos))
}
