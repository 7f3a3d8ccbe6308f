//! The program with a certificate of its own: real handshakes, certificates that change under it, and starts that must fail.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, StreamOwned, SupportedProtocolVersion};

use super::operator::Operator;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn secured(port: u16) -> Operator {
    Operator::new()
        .with("LATCHKEY_SERVER_LISTEN", &format!("127.0.0.1:{port}"))
        .with("LATCHKEY_SERVER_OPERATIONS_LISTEN", "off")
        .with("LATCHKEY_TLS_CERTIFICATE_FILE", "certificate.pem")
        .with("LATCHKEY_TLS_KEY_FILE", "key.pem")
}

/// A certificate for `localhost`, signed by its own key, and both as PEM.
fn certificate() -> (CertificateDer<'static>, String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    (certificate.der().clone(), certificate.pem(), key.serialize_pem())
}

fn put(operator: &Operator, certificate: &str, key: &str) {
    operator.file("certificate.pem", certificate);
    let path: PathBuf = operator.file("key.pem", key);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// The server with its log, killed when it is dropped.
struct Server {
    child: Child,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
    port: u16,
}

impl Server {
    fn start(operator: &Operator, port: u16) -> Self {
        let mut child = operator.command(&["serve"]).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap());
        let log = Arc::new(Mutex::new(String::new()));
        let written = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                written.lock().unwrap().extend([line.as_str(), "\n"]);
            }
        });
        let server = Self { child, log, reader: Some(reader), port };
        server.until("it is ready", |server| server.log().contains("ready"));
        server
    }

    fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    fn until(&self, what: &str, done: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !done(self) {
            assert!(begun.elapsed() < PATIENCE, "not within a minute: {what}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn hang_up(&self) {
        assert!(Command::new("kill").args(["-HUP", &self.child.id().to_string()]).status().unwrap().success());
    }

    /// The certificate that it shows to a new connection.
    fn shows(&self, believed: &[&CertificateDer<'static>]) -> CertificateDer<'static> {
        self.ask(believed, rustls::ALL_VERSIONS).0
    }

    /// The certificate, the version of TLS, and the answer to a request for the server's metadata.
    fn ask(
        &self,
        believed: &[&CertificateDer<'static>],
        versions: &[&'static SupportedProtocolVersion],
    ) -> (CertificateDer<'static>, ProtocolVersion, String) {
        let mut roots = RootCertStore::empty();
        for certificate in believed {
            roots.add((*certificate).clone()).unwrap();
        }
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
        let mut config = config.with_protocol_versions(versions).unwrap().with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let client = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut stream = StreamOwned::new(client, stream);
        stream.write_all(b"GET /.well-known/openid-configuration HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
        let shown = stream.conn.peer_certificates().unwrap()[0].clone().into_owned();
        (shown, stream.conn.protocol_version().unwrap(), answer)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = self.reader.take().map(JoinHandle::join);
    }
}

#[test]
fn it_speaks_https_itself() {
    let port = free_port();
    let operator = secured(port);
    let (own, pem, key) = certificate();
    put(&operator, &pem, &key);
    let server = Server::start(&operator, port);
    for (version, name) in [(&rustls::version::TLS12, ProtocolVersion::TLSv1_2), (&rustls::version::TLS13, ProtocolVersion::TLSv1_3)] {
        let (shown, spoken, answer) = server.ask(&[&own], &[version]);
        assert_eq!((shown, spoken), (own.clone(), name));
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(&format!("\"https://localhost:{port}\"")), "{answer}");
    }
    let mut plain = TcpStream::connect(("127.0.0.1", port)).unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/"), "{}", String::from_utf8_lossy(&answer));
    // No proxy is missing, and the certificate is for the issuer's host.
    assert!(!server.log().contains("WARN"), "{}", server.log());

    assert_eq!(operator.json(&["health"])["ready"], true);
    let report = operator.json(&["doctor"]);
    let said = |check: &str| {
        let found = report["checks"].as_array().unwrap().iter().find(|found| found["check"] == check).unwrap();
        found["detail"].as_str().unwrap().to_owned()
    };
    assert_eq!(said("certificate"), "it is for localhost, and the key fits");
    assert_eq!(said("port"), format!("127.0.0.1:{port} is the running server's"));
}

#[test]
fn a_new_certificate_is_shown_without_a_restart_and_a_broken_one_never() {
    let port = free_port();
    let operator = secured(port);
    let [(first, first_pem, first_key), (second, second_pem, second_key), (third, third_pem, third_key)] =
        [certificate(), certificate(), certificate()];
    let all = [&first, &second, &third];
    put(&operator, &first_pem, &first_key);
    let server = Server::start(&operator, port);
    assert_eq!(server.shows(&all), first);

    put(&operator, &second_pem, &second_key);
    server.hang_up();
    server.until("told to, it shows the new certificate", |server| server.shows(&all) == second);

    operator.file("certificate.pem", "no certificate any more");
    let complaints = |server: &Server| server.log().matches("the new certificate cannot be used; the one before it stays").count();
    server.hang_up();
    server.until("it complains", |server| complaints(server) == 1);
    // However often it looks at it again, that is said once.
    for _ in 0..5 {
        server.hang_up();
        assert_eq!(server.shows(&all), second);
    }

    // Nobody tells it of the third one.
    put(&operator, &third_pem, &third_key);
    server.until("by itself, it shows the newest certificate", |server| server.shows(&all) == third);
    assert_eq!(complaints(&server), 1, "{}", server.log());
}

#[test]
fn a_certificate_for_another_host_is_warned_about() {
    let port = free_port();
    let operator = secured(port).with("LATCHKEY_SERVER_ISSUER", "https://id.example");
    let (_, pem, key) = certificate();
    put(&operator, &pem, &key);
    let server = Server::start(&operator, port);
    assert!(server.log().contains("the certificate is not for the issuer's host"), "{}", server.log());
    assert!(!server.log().contains("trusted_proxies"), "{}", server.log());
}

#[test]
fn nothing_starts_without_a_certificate_that_can_be_used() {
    let operator = secured(free_port());
    let told = operator.refused(&["serve"]);
    assert!(
        told.ends_with("error: tls.certificate_file certificate.pem cannot be read: No such file or directory (os error 2)\n"),
        "{told}"
    );
    let (_, pem, key) = certificate();
    put(&operator, &pem, &certificate().2);
    let told = operator.refused(&["serve"]);
    assert!(told.contains("tls.key_file key.pem is not the key of the certificate in tls.certificate_file certificate.pem"), "{told}");
    put(&operator, &pem, &key);
    std::fs::set_permissions(operator.folder.join("key.pem"), std::fs::Permissions::from_mode(0o644)).unwrap();
    for command in ["serve", "doctor"] {
        let ended = operator.run(&[command]);
        assert_eq!(ended.code, 1, "{ended:?}");
        assert!(
            ended.err.contains("tls.key_file key.pem can be used by others than its owner (mode 0644): run `chmod 600 key.pem`"),
            "{ended:?}"
        );
    }
}

#[test]
fn half_a_setting_is_told() {
    let operator = Operator::new().with("LATCHKEY_TLS_CERTIFICATE_FILE", "certificate.pem");
    let told = operator.refused(&["serve"]);
    assert!(told.contains("tls.key_file (default): is not set, but tls.certificate_file is; expected both, or none"), "{told}");
    let operator = secured(free_port()).with("LATCHKEY_SERVER_ISSUER", "http://localhost:8080");
    let told = operator.refused(&["serve"]);
    assert!(told.contains("server.issuer (environment LATCHKEY_SERVER_ISSUER): http://localhost:8080 is http, but"), "{told}");
}
