//! Files that are right, files that are wrong, and files that change.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU32, Ordering};

use ::aws_lc_rs::encoding::{AsDer, EcPrivateKeyRfc5915Der};
use ::aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair, PKCS_ED25519, PKCS_RSA_SHA256};
use rustls::pki_types::CertificateDer;

use super::*;

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let folder = std::env::temp_dir().join(format!("latchkey-tls-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn settings(&self) -> config::Tls {
        config::Tls { certificate_file: Some(self.0.join("certificate.pem")), key_file: Some(self.0.join("key.pem")) }
    }

    fn open(&self) -> Result<Arc<Tls>, TlsError> {
        Tls::open(&self.settings()).map(|tls| tls.expect("both files are named"))
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Writes a new certificate for `host` and its key; the certificate.
    fn make(&self, host: &str) -> CertificateDer<'static> {
        let (certificate, pem, key) = made(host, &KeyPair::generate().unwrap());
        self.write("certificate.pem", &pem);
        self.write("key.pem", &key);
        certificate
    }

    /// Why the files cannot be used, without the folder's name.
    fn refusal(&self) -> String {
        self.open().unwrap_err().to_string().replace(&format!("{}/", self.0.display()), "")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn made(host: &str, key: &KeyPair) -> (CertificateDer<'static>, String, String) {
    let certificate = CertificateParams::new([host.to_owned()]).unwrap().self_signed(key).unwrap();
    (certificate.der().clone(), certificate.pem(), key.serialize_pem())
}

fn pem(kind: &str, der: &[u8]) -> String {
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", STANDARD.encode(der))
}

fn shown(tls: &Tls) -> CertificateDer<'static> {
    tls.key().cert[0].clone()
}

#[test]
fn without_both_files_there_is_no_tls() {
    assert!(Tls::open(&config::Tls { certificate_file: None, key_file: None }).unwrap().is_none());
}

#[test]
fn every_form_of_a_key_is_read() {
    let folder = Folder::new();
    for algorithm in [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &PKCS_ED25519, &PKCS_RSA_SHA256] {
        let (certificate, pem, key) = made("id.example", &KeyPair::generate_for(algorithm).unwrap());
        folder.write("certificate.pem", &pem);
        folder.write("key.pem", &key);
        assert_eq!(shown(&folder.open().unwrap()), certificate, "{algorithm:?}");
    }
    // The older forms: SEC 1 of curves, and PKCS#1 of RSA, which PKCS#8 holds behind a head of 26 bytes.
    let curve = KeyPair::generate().unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &curve.serialize_der()).unwrap();
    let sec1: EcPrivateKeyRfc5915Der<'_> = pair.private_key().as_der().unwrap();
    let rsa = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    for (key, older) in [(&curve, pem("EC PRIVATE KEY", sec1.as_ref())), (&rsa, pem("RSA PRIVATE KEY", &rsa.serialize_der()[26..]))] {
        let (certificate, chain, _) = made("id.example", key);
        folder.write("certificate.pem", &chain);
        folder.write("key.pem", &older);
        assert_eq!(shown(&folder.open().unwrap()), certificate, "{older}");
    }
}

#[test]
fn what_cannot_be_used_is_a_sentence_each() {
    let folder = Folder::new();
    assert_eq!(folder.refusal(), "tls.certificate_file certificate.pem cannot be read: No such file or directory (os error 2)");
    folder.make("id.example");
    assert!(folder.open().is_ok());
    fs::remove_file(folder.0.join("key.pem")).unwrap();
    assert_eq!(folder.refusal(), "tls.key_file key.pem cannot be read: No such file or directory (os error 2)");

    folder.make("id.example");
    for mode in [0o640, 0o604, 0o660, 0o644] {
        fs::set_permissions(folder.0.join("key.pem"), fs::Permissions::from_mode(mode)).unwrap();
        let told = format!("tls.key_file key.pem can be used by others than its owner (mode {mode:04o}): run `chmod 600 key.pem`");
        assert_eq!(folder.refusal(), told);
    }

    folder.make("id.example");
    let (_, _, other) = made("id.example", &KeyPair::generate().unwrap());
    folder.write("key.pem", &other);
    assert_eq!(folder.refusal(), "tls.key_file key.pem is not the key of the certificate in tls.certificate_file certificate.pem");

    let key = |text: &str| {
        folder.make("id.example");
        folder.write("key.pem", text);
        folder.refusal()
    };
    assert!(key("").contains("holds no private key"));
    assert!(key("-----BEGIN PRIVATE KEY-----\nc2VjcmV0").contains("holds no private key"));
    assert!(
        key("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n").contains("is sealed with a password")
    );
    assert!(key("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").contains("a key that TLS cannot use"));

    let certificate = |text: &str| {
        folder.make("id.example");
        folder.write("certificate.pem", text);
        folder.refusal()
    };
    assert!(certificate("").contains("holds no certificate"));
    assert!(certificate("-----BEGIN CERTIFICATE-----\nAAAA").contains("is damaged"));
    assert!(certificate("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").contains("is damaged"));
}

#[test]
fn a_new_certificate_is_taken_over_whole_or_not_at_all() {
    let folder = Folder::new();
    let first = folder.make("first.example");
    let tls = folder.open().unwrap();
    tls.reload();
    assert_eq!(shown(&tls), first);
    assert!(tls.is_for("first.example") && !tls.is_for("second.example"));

    // Half of the change: a certificate without its key.
    let (second, pem, key) = made("second.example", &KeyPair::generate().unwrap());
    folder.write("certificate.pem", &pem);
    tls.reload();
    assert_eq!(shown(&tls), first);
    folder.write("key.pem", &key);
    tls.reload();
    assert_eq!(shown(&tls), second);
    assert!(tls.is_for("second.example") && !tls.is_for("first.example"));

    for name in ["certificate.pem", "key.pem"] {
        fs::rename(folder.0.join(name), folder.0.join("away")).unwrap();
        tls.reload();
        assert_eq!(shown(&tls), second, "without {name}");
        fs::rename(folder.0.join("away"), folder.0.join(name)).unwrap();
    }
    assert_eq!(tls.told.lock().unwrap().as_deref().map(|told| told.contains("key.pem cannot be read")), Some(true));
    tls.reload();
    assert_eq!(*tls.told.lock().unwrap(), None);
}

#[test]
fn hosts_may_be_addresses() {
    let folder = Folder::new();
    for (host, other) in [("127.0.0.1", "127.0.0.2"), ("::1", "[::2]")] {
        folder.make(host);
        let tls = folder.open().unwrap();
        assert!(tls.is_for(host) && tls.is_for(&format!("[{host}]")) && !tls.is_for(other), "{host}");
    }
}

#[test]
fn debug_shows_no_key() {
    let folder = Folder::new();
    folder.make("id.example");
    let files = format!("certificate: {:?}, key: {:?}", folder.0.join("certificate.pem"), folder.0.join("key.pem"));
    assert_eq!(format!("{:?}", folder.open().unwrap()), format!("Tls {{ files: Files {{ {files} }}, .. }}"));
}
