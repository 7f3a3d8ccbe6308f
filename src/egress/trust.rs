//! Which servers are believed to be who they say: the public certificate authorities, and those of the operator.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::EgressError;

/// TLS 1.2 or 1.3 with the authorities that Mozilla trusts (they are in the program: an image needs no files for it) and those of `extra`.
pub(super) fn client(extra: Option<&Path>) -> Result<ClientConfig, EgressError> {
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|problem| EgressError::Setup(format!("TLS cannot be set up: {problem}")))?;
    Ok(config.with_root_certificates(roots(extra)?).with_no_client_auth())
}

fn roots(extra: Option<&Path>) -> Result<RootCertStore, EgressError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(file) = extra {
        add(&mut roots, file).map_err(|why| EgressError::Setup(format!("egress.extra_ca_file {} {why}", file.display())))?;
    }
    Ok(roots)
}

fn add(roots: &mut RootCertStore, file: &Path) -> Result<(), String> {
    let text = std::fs::read(file).map_err(|problem| format!("cannot be read: {problem}"))?;
    let mut found = false;
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|problem| format!("is not PEM: {problem}"))?;
        roots.add(certificate).map_err(|problem| format!("holds a certificate that cannot be read: {problem}"))?;
        found = true;
    }
    if found {
        Ok(())
    } else {
        Err("holds no certificate: it should have blocks of PEM that begin with -----BEGIN CERTIFICATE-----".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operators_authorities_come_beside_the_public_ones() {
        let public = roots(None).unwrap();
        assert!(public.roots.iter().any(|root| root.subject.windows(12).any(|words| words == b"ISRG Root X1")));
        let file = std::env::temp_dir().join(format!("latchkey-egress-roots-{}", std::process::id()));
        let own = || rcgen::generate_simple_self_signed(["own.test".to_owned()]).unwrap().cert.pem();
        std::fs::write(&file, own() + &own()).unwrap();
        assert_eq!(roots(Some(&file)).unwrap().len(), public.len() + 2);
        let _ = std::fs::remove_file(&file);
    }
}
