//! A site of an app's own, by https on this machine: it serves what a test puts there, and remembers what it was asked for.

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{App, HttpMessage as _, HttpRequest, HttpResponse, HttpServer, web};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::Value;
use tokio::sync::Semaphore;

/// What a path answers with.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Page {
    pub(crate) fn of(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, headers: vec![("content-type", content_type.to_owned())], body: body.into() }
    }

    pub(crate) fn json(value: &Value) -> Self {
        Self::of("application/json", value.to_string())
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }
}

#[derive(Clone, Default)]
struct Shelf {
    pages: Arc<Mutex<HashMap<String, Page>>>,
    asked: Arc<Mutex<Vec<String>>>,
    posted: Arc<Mutex<HashMap<String, Vec<Posted>>>>,
    doors: Arc<Mutex<HashMap<String, Arc<Semaphore>>>>,
}

/// What came by POST.
#[derive(Clone, Debug)]
pub(crate) struct Posted {
    pub(crate) content_type: String,
    /// The header `Authorization`.
    pub(crate) authorization: String,
    pub(crate) body: String,
}

pub(crate) struct Site {
    port: u16,
    shelf: Shelf,
}

impl Site {
    pub(crate) fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shelf = Shelf::default();
        let lent = shelf.clone();
        let server = HttpServer::new(move || App::new().app_data(Data::new(lent.clone())).default_service(web::to(serve)));
        tokio::spawn(server.workers(1).disable_signals().listen_rustls_0_23(listener, certified().1.clone()).unwrap().run());
        Self { port, shelf }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    pub(crate) fn put(&self, path: &str, page: Page) {
        self.shelf.pages.lock().unwrap().insert(path.to_owned(), page);
    }

    /// How often a path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.shelf.asked.lock().unwrap().iter().filter(|asked| *asked == path).count()
    }

    /// Lets nobody have an answer at that path until [`Self::open_door`].
    pub(crate) fn close_door(&self, path: &str) {
        self.shelf.doors.lock().unwrap().insert(path.to_owned(), Arc::new(Semaphore::new(0)));
    }

    pub(crate) fn open_door(&self, path: &str) {
        self.shelf.doors.lock().unwrap()[path].add_permits(1_000);
    }

    /// Waits until somebody has asked for a path.
    pub(crate) async fn is_asked(&self, path: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.asked(path) == 0 {
            assert!(Instant::now() < deadline, "nobody asks for {path}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// What was posted to a path, once there is something; it comes by itself, soon.
    pub(crate) async fn posted(&self, path: &str) -> Vec<Posted> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let posted = self.shelf.posted.lock().unwrap().get(path).cloned();
            if let Some(posted) = posted {
                return posted;
            }
            assert!(Instant::now() < deadline, "nobody called {path}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn serve(request: HttpRequest, body: String, shelf: Data<Shelf>) -> HttpResponse {
    if request.method() == Method::POST {
        let authorization = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        let posted = Posted { content_type: request.content_type().to_owned(), authorization, body };
        shelf.posted.lock().unwrap().entry(request.path().to_owned()).or_default().push(posted);
    }
    shelf.asked.lock().unwrap().push(request.path().to_owned());
    let door = shelf.doors.lock().unwrap().get(request.path()).cloned();
    if let Some(door) = door {
        drop(door.acquire().await);
    }
    let Some(page) = shelf.pages.lock().unwrap().get(request.path()).cloned() else { return HttpResponse::NotFound().finish() };
    let mut response = HttpResponse::build(StatusCode::from_u16(page.status).unwrap());
    for (name, value) in page.headers {
        response.insert_header((name, value));
    }
    response.body(page.body)
}

/// The file of the authority that every site of these tests is certified by.
pub(crate) fn authority() -> &'static str {
    &certified().0
}

fn certified() -> &'static (String, ServerConfig) {
    static MADE: OnceLock<(String, ServerConfig)> = OnceLock::new();
    MADE.get_or_init(|| {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("authority-{}.pem", std::process::id()));
        std::fs::write(&file, params.self_signed(&key).unwrap().pem()).unwrap();
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        (file.display().to_string(), tls.with_single_cert(vec![certificate.der().clone()], key).unwrap())
    })
}
