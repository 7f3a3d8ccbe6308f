//! The two files of a certificate, read and held to each other.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use zeroize::Zeroizing;

use super::TlsError;

/// More than any chain of certificates has, in bytes.
const MOST: u64 = 1024 * 1024;

/// Where certificate and key lie.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// A certificate with its key, and a digest of what was in the files.
pub(super) struct Loaded {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) digest: [u8; 32],
}

impl Files {
    /// Reads both files.
    pub(super) fn load(&self) -> Result<Loaded, TlsError> {
        let chain_pem = self.read_certificate()?;
        let key_pem = self.read_key()?;
        let chain = self.chain(&chain_pem)?;
        let key = self.key(&key_pem)?;
        let provider = default_provider();
        let private = provider.key_provider.load_private_key(key).map_err(|_| TlsError::UnusableKey(self.key.clone()))?;
        let certified = CertifiedKey::new(chain, private);
        match certified.keys_match() {
            Ok(()) => {}
            Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch | InconsistentKeys::Unknown)) => {
                return Err(TlsError::Mismatch { certificate: self.certificate.clone(), key: self.key.clone() });
            }
            Err(_) => return Err(TlsError::MalformedCertificate(self.certificate.clone())),
        }
        Ok(Loaded { key: Arc::new(certified), digest: digest(&chain_pem, &key_pem) })
    }

    fn read_certificate(&self) -> Result<Vec<u8>, TlsError> {
        let read = || {
            let mut pem = Vec::new();
            File::open(&self.certificate)?.take(MOST).read_to_end(&mut pem)?;
            io::Result::Ok(pem)
        };
        read().map_err(|reason| TlsError::CertificateFile { path: self.certificate.clone(), reason })
    }

    fn read_key(&self) -> Result<Zeroizing<Vec<u8>>, TlsError> {
        let failed = |reason| TlsError::KeyFile { path: self.key.clone(), reason };
        let file = File::open(&self.key).map_err(failed)?;
        // Asked of the open file, so that it cannot be exchanged between the question and the reading.
        let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(TlsError::LooseKeyFile { path: self.key.clone(), mode });
        }
        let mut pem = Zeroizing::new(Vec::new());
        file.take(MOST).read_to_end(&mut pem).map_err(failed)?;
        Ok(pem)
    }

    fn chain(&self, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|_| TlsError::MalformedCertificate(self.certificate.clone()))?;
        if chain.is_empty() { Err(TlsError::NoCertificate(self.certificate.clone())) } else { Ok(chain) }
    }

    // What the parser says of a bad file may quote it, so that is not passed on.
    fn key(&self, pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
        PrivateKeyDer::from_pem_slice(pem).map_err(|_| {
            let sealed = pem.windows(b"ENCRYPTED".len()).any(|window| window == b"ENCRYPTED");
            let path: &Path = &self.key;
            if sealed { TlsError::SealedKey(path.to_owned()) } else { TlsError::NoKey(path.to_owned()) }
        })
    }
}

fn digest(chain: &[u8], key: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    let mut context = Context::new(&SHA256);
    context.update(&u64::try_from(chain.len()).unwrap_or(u64::MAX).to_be_bytes());
    context.update(chain);
    context.update(key);
    digest.copy_from_slice(context.finish().as_ref());
    digest
}
