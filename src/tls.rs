//! TLS in this process: which certificate `server.listen` shows, and how it is exchanged for a newer one while the server runs.
//!
//! In come two files of the operator's, out goes what the listener shakes hands with. A certificate is taken over only whole:
//! read, parsed, with the key that fits. What cannot be used is told once, and the one before it stays.

mod files;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::client::verify_server_name;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::config;
use files::{Files, Loaded};

/// Why TLS cannot be had. Each is a sentence for the operator; none holds key material.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("tls.certificate_file {} cannot be read: {reason}", path.display())]
    CertificateFile { path: PathBuf, reason: std::io::Error },
    #[error("tls.certificate_file {} holds no certificate: it should have PEM that begins with -----BEGIN CERTIFICATE-----", .0.display())]
    NoCertificate(PathBuf),
    #[error("tls.certificate_file {} is damaged: what is in it is no certificate", .0.display())]
    MalformedCertificate(PathBuf),
    #[error("tls.key_file {} cannot be read: {reason}", path.display())]
    KeyFile { path: PathBuf, reason: std::io::Error },
    #[error("tls.key_file {0} can be used by others than its owner (mode {mode:04o}): run `chmod 600 {0}`", path.display())]
    LooseKeyFile { path: PathBuf, mode: u32 },
    #[error("tls.key_file {} holds no private key: it should have PEM that begins with -----BEGIN PRIVATE KEY-----", .0.display())]
    NoKey(PathBuf),
    #[error("tls.key_file {} is sealed with a password: `openssl pkey` writes it without one", .0.display())]
    SealedKey(PathBuf),
    #[error("tls.key_file {} holds a key that TLS cannot use: it should be RSA of 2048 to 8192 bits, P-256, P-384 or Ed25519", .0.display())]
    UnusableKey(PathBuf),
    #[error("tls.key_file {} is not the key of the certificate in tls.certificate_file {}", key.display(), certificate.display())]
    Mismatch { certificate: PathBuf, key: PathBuf },
    #[error("TLS cannot be set up: {0}")]
    Setup(rustls::Error),
}

/// The certificate in use and the files that it came from. Shared by the listener and by whoever reads the files again.
pub struct Tls {
    files: Files,
    current: RwLock<Loaded>,
    /// What was wrong at the last look, so that it is told once.
    told: Mutex<Option<String>>,
}

impl Tls {
    /// Reads the files that the settings name; `None` where they name none.
    pub fn open(settings: &config::Tls) -> Result<Option<Arc<Self>>, TlsError> {
        let (Some(certificate), Some(key)) = (&settings.certificate_file, &settings.key_file) else { return Ok(None) };
        let files = Files { certificate: certificate.clone(), key: key.clone() };
        let current = RwLock::new(files.load()?);
        Ok(Some(Arc::new(Self { files, current, told: Mutex::default() })))
    }

    /// What a listener needs: TLS 1.2 or 1.3, with whichever certificate is in use when a connection begins.
    pub fn server(self: &Arc<Self>) -> Result<ServerConfig, TlsError> {
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let config = config.with_safe_default_protocol_versions().map_err(TlsError::Setup)?;
        Ok(config.with_no_client_auth().with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>))
    }

    /// Looks at the files and takes over what is new in them. Reads from the disk: not for a thread that answers requests.
    pub fn reload(&self) {
        let outcome = self.files.load();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(loaded) => {
                *told = None;
                let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
                if loaded.digest != current.digest {
                    *current = loaded;
                    tracing::info!(file = %self.files.certificate.display(), "the new certificate is in use");
                }
            }
            Err(problem) => {
                let problem = problem.to_string();
                if told.as_ref() != Some(&problem) {
                    tracing::error!(%problem, "the new certificate cannot be used; the one before it stays");
                    *told = Some(problem);
                }
            }
        }
    }

    /// Whether the certificate in use is for `host`, a name or an address.
    #[must_use]
    pub fn is_for(&self, host: &str) -> bool {
        let key = self.key();
        let Ok(name) = ServerName::try_from(host.trim_matches(['[', ']'])) else { return false };
        let certificate = key.end_entity_cert().and_then(ParsedCertificate::try_from);
        certificate.is_ok_and(|certificate| verify_server_name(&certificate, &name).is_ok())
    }

    fn key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).key)
    }
}

impl ResolvesServerCert for Tls {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.key())
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
