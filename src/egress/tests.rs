//! Fetches from a real server with TLS, some of whose names and addresses are inside.

use std::collections::HashMap;
use std::net::{IpAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::web::{Bytes, Data, Path, Query};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

use super::*;

const WANT: Want = Want { accept: "application/json", most: 10_000 };
/// It counts as public here.
const OUTSIDE: &str = "127.0.0.1";
/// It is the same server, but its address is not public.
const INSIDE: &str = "127.0.0.2";

/// How many requests the server has got.
type Requests = Arc<AtomicUsize>;

struct Stage {
    port: u16,
    requests: Requests,
    folder: PathBuf,
}

impl Stage {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let folder =
            std::env::temp_dir().join(format!("latchkey-egress-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed)));
        std::fs::create_dir_all(&folder).unwrap();
        let (authority, tls) = certificates();
        std::fs::write(folder.join("ca.pem"), authority).unwrap();
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Requests::default();
        let counted = requests.clone();
        let server = HttpServer::new(move || App::new().app_data(Data::new(counted.clone())).configure(routes));
        tokio::spawn(server.workers(1).disable_signals().listen_rustls_0_23(listener, tls).unwrap().run());
        Self { port, requests, folder }
    }

    fn settings(&self) -> config::Egress {
        config::Egress { extra_ca_file: Some(self.folder.join("ca.pem")), allow_private_networks: false }
    }

    fn egress(&self) -> Egress {
        self.bounded(Bounds::default())
    }

    fn bounded(&self, bounds: Bounds) -> Egress {
        let walls = Walls { taken_for_public: vec![OUTSIDE.parse().unwrap()], ..Walls::default() };
        Egress::build(&self.settings(), walls, names(), bounds).unwrap()
    }

    /// The URL of a path at `host`, a name or an address.
    fn url(&self, host: &str, path: &str) -> Url {
        Url::parse(&format!("https://{host}:{}{path}", self.port)).unwrap()
    }

    fn outside(&self, path: &str) -> Url {
        self.url("outside.test", path)
    }

    async fn get(&self, url: &Url) -> Result<Fetched, EgressError> {
        self.egress().get(url, WANT).await
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn names() -> Names {
    let list: HashMap<String, Vec<IpAddr>> = [
        ("outside.test", vec![OUTSIDE]),
        ("inside.test", vec![INSIDE]),
        ("both.test", vec![OUTSIDE, INSIDE]),
        ("metadata.test", vec!["169.254.169.254"]),
        ("mapped.test", vec!["::ffff:127.0.0.2"]),
        ("stranger.test", vec![OUTSIDE]),
    ]
    .into_iter()
    .map(|(name, addresses)| (name.to_owned(), addresses.into_iter().map(|address| address.parse().unwrap()).collect()))
    .collect();
    Names::Fixed(Arc::new(list))
}

/// An authority (PEM), and the server's configuration with a certificate of it; `stranger.test` is not in the certificate.
fn certificates() -> (String, ServerConfig) {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let hosts = ["outside.test", "inside.test", "both.test", OUTSIDE, INSIDE].map(str::to_owned);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(hosts).unwrap().signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    (authority, tls.with_single_cert(vec![certificate.der().clone()], key).unwrap())
}

fn routes(app: &mut web::ServiceConfig) {
    app.route("/echo", web::to(echo))
        .route("/to", web::to(to))
        .route("/hops/{left}", web::get().to(hops))
        .route("/long/{length}", web::get().to(long))
        .route("/stream/{length}", web::get().to(stream))
        .route("/trickle", web::to(trickle))
        .route("/silent", web::to(silent))
        .route("/missing", web::get().to(missing));
}

/// What arrived: method, headers and body, as text.
async fn echo(request: HttpRequest, body: Bytes, requests: Data<Requests>) -> HttpResponse {
    requests.fetch_add(1, Ordering::SeqCst);
    let headers: Vec<String> = request.headers().iter().map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap())).collect();
    HttpResponse::Ok()
        .insert_header(("content-type", "application/json; charset=utf-8"))
        .insert_header(("cache-control", "max-age=300"))
        .body(format!("{}\n{}\n{}", request.method(), headers.concat(), String::from_utf8_lossy(&body)))
}

async fn to(Query(query): Query<HashMap<String, String>>, requests: Data<Requests>) -> HttpResponse {
    requests.fetch_add(1, Ordering::SeqCst);
    HttpResponse::TemporaryRedirect()
        .insert_header(("location", query["url"].clone()))
        .insert_header(("set-cookie", "crumb=1; Path=/"))
        .finish()
}

async fn hops(left: Path<u32>) -> HttpResponse {
    match left.into_inner() {
        0 => HttpResponse::Ok().body("arrived"),
        left => HttpResponse::Found().insert_header(("location", format!("../hops/{}", left - 1))).finish(),
    }
}

async fn missing() -> HttpResponse {
    HttpResponse::NotFound().body("none")
}

async fn long(length: Path<usize>) -> HttpResponse {
    HttpResponse::Ok().body("x".repeat(*length))
}

// In chunks, so that no length is told before.
async fn stream(length: Path<usize>) -> HttpResponse {
    let chunks = (0..*length / 1_000).map(|_| Ok::<_, actix_web::Error>(Bytes::from(vec![b'x'; 1_000])));
    HttpResponse::Ok().streaming(futures_util::stream::iter(chunks))
}

// A byte now and then, for ever.
async fn trickle() -> HttpResponse {
    let bytes = futures_util::stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Some((Ok::<_, actix_web::Error>(Bytes::from_static(b"x")), ()))
    });
    HttpResponse::Ok().streaming(bytes)
}

async fn silent() -> HttpResponse {
    std::future::pending().await
}

fn forbidden<T: std::fmt::Debug>(result: Result<T, EgressError>) -> String {
    match result {
        Err(EgressError::Forbidden(why)) => why,
        other => panic!("not forbidden: {other:?}"),
    }
}

fn unreachable<T: std::fmt::Debug>(result: Result<T, EgressError>) -> String {
    match result {
        Err(EgressError::Unreachable(why)) => why,
        other => panic!("not unreachable: {other:?}"),
    }
}

/// What must end, and long before the bounds that the test has set aside would end it.
async fn ends<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), what).await.expect("it ends")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_fetched_comes_whole_and_nothing_of_ours_goes_along() {
    let stage = Stage::new();
    let fetched = stage.get(&stage.outside("/to?url=/echo")).await.unwrap();
    assert_eq!((fetched.status, fetched.max_age), (200, Some(Duration::from_mins(5))));
    assert_eq!(fetched.content_type.as_deref(), Some("application/json; charset=utf-8"));
    let seen = String::from_utf8(fetched.body).unwrap();
    assert!(seen.starts_with("GET\n") && seen.contains("accept: application/json\n"), "{seen}");
    assert!(seen.contains(&format!("user-agent: Latchkey/{}\n", env!("CARGO_PKG_VERSION"))), "{seen}");
    for header in ["cookie:", "referer:", "authorization:", "accept-encoding:", "origin:"] {
        assert!(!seen.contains(header), "{seen}");
    }
    let fetched = stage.get(&stage.outside("/missing")).await.unwrap();
    assert_eq!((fetched.status, fetched.ok()), (404, Err(EgressError::Status(404))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_is_posted_and_no_redirect_followed() {
    let stage = Stage::new();
    let form = [("logout_token", "a.b.c"), ("note", "ü & =")];
    assert_eq!(stage.egress().post_form(&stage.outside("/echo"), &form).await, Ok(200));
    assert_eq!(stage.egress().post_form(&stage.outside("/to?url=/echo"), &form).await, Ok(307));
    assert_eq!(stage.requests(), 2);
    // An answer without end has a status all the same.
    let hurried = Bounds { connect: Duration::from_millis(300), ..Bounds::default() };
    assert_eq!(stage.bounded(hurried).post_form(&stage.outside("/trickle"), &form).await, Ok(200));
    assert!(forbidden(stage.egress().post_form(&stage.url(INSIDE, "/echo"), &form).await).contains("not at a public address"));
    assert!(forbidden(stage.egress().post_form(&stage.url("inside.test", "/echo"), &form).await).contains("not at a public address"));
    assert_eq!(stage.requests(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_leads_inside_is_refused_when_it_is_resolved() {
    let stage = Stage::new();
    for name in ["inside.test", "both.test", "metadata.test", "mapped.test"] {
        let why = forbidden(stage.get(&stage.url(name, "/echo")).await);
        assert_eq!(why, format!("{name} is not at a public address"));
    }
    assert_eq!(stage.requests(), 0);
    assert!(unreachable(stage.get(&stage.url("nowhere.test", "/echo")).await).contains("nowhere.test has no address"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_inside_is_refused_though_nobody_resolves_it() {
    let stage = Stage::new();
    for host in [INSIDE, "127.2", "0x7f000002", "2130706434", "[::ffff:127.0.0.2]", "10.0.0.1", "169.254.169.254", "localhost"] {
        assert!(forbidden(stage.get(&stage.url(host, "/echo")).await).contains("not at a public address"), "{host}");
    }
    assert_eq!(stage.requests(), 0);
    assert_eq!(stage.get(&stage.url(OUTSIDE, "/echo")).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_redirect_is_looked_at_and_three_are_enough() {
    let stage = Stage::new();
    let to = |url: &str| stage.outside(&format!("/to?url={}", url::form_urlencoded::byte_serialize(url.as_bytes()).collect::<String>()));
    for target in ["inside.test", INSIDE, "both.test", "metadata.test", "localhost"] {
        let url = stage.url(target, "/echo");
        assert!(forbidden(stage.get(&to(url.as_str())).await).contains("not at a public address"), "{target}");
        // A second hop is as good as the first.
        assert!(forbidden(stage.get(&to(to(url.as_str()).as_str())).await).contains("not at a public address"), "{target}");
    }
    let plain = format!("http://outside.test:{}/echo", stage.port);
    assert!(forbidden(stage.get(&to(&plain)).await).contains("is not https"));
    assert!(forbidden(stage.get(&to("file:///etc/passwd")).await).contains("is not https"));
    assert!(forbidden(stage.get(&to("https://user:pass@outside.test/")).await).contains("user name"));
    assert!(forbidden(stage.get(&to("https://")).await).contains("no URL"));
    assert_eq!(stage.get(&stage.outside("/hops/3")).await.unwrap().body, b"arrived");
    assert!(forbidden(stage.get(&stage.outside("/hops/4")).await).contains("more than 3 times"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_http_and_the_inside_are_for_development_alone() {
    let stage = Stage::new();
    let settings = config::Egress { allow_private_networks: true, ..stage.settings() };
    let egress = Egress::with_names(&settings, names()).unwrap();
    for url in [stage.url("inside.test", "/echo"), stage.url(INSIDE, "/echo")] {
        assert_eq!(egress.get(&url, WANT).await.unwrap().status, 200);
    }
    assert!(forbidden(egress.get(&stage.url("metadata.test", "/"), WANT).await).contains("not at a public address"));
    // Nothing answers plain http there, but it was tried.
    unreachable(egress.get(&Url::parse("http://127.0.0.1:1/").unwrap(), WANT).await);
    assert!(forbidden(stage.get(&Url::parse("http://127.0.0.1:1/").unwrap()).await).contains("is not https"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_no_longer_than_was_asked_for() {
    let stage = Stage::new();
    for path in ["/long", "/stream"] {
        assert_eq!(stage.get(&stage.outside(&format!("{path}/10000"))).await.unwrap().body.len(), 10_000);
        assert_eq!(stage.get(&stage.outside(&format!("{path}/11000"))).await, Err(EgressError::TooLarge(10_000)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fetch_ends_in_time_whatever_the_server_does() {
    let stage = Stage::new();
    let egress = stage.bounded(Bounds { total: Duration::from_millis(500), ..Bounds::default() });
    for path in ["/silent", "/trickle"] {
        let late = ends(egress.get(&stage.outside(path), WANT)).await;
        assert!(unreachable(late.clone()).contains("no whole answer within 0.5 s"), "{late:?}");
        assert!(late.unwrap_err().may_be_retried());
    }
    unreachable(ends(egress.post_form(&stage.outside("/silent"), &[])).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_takes_a_connection_and_says_nothing_is_given_up() {
    let stage = Stage::new();
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("https://outside.test:{}/", mute.local_addr().unwrap().port())).unwrap();
    let egress = stage.bounded(Bounds { connect: Duration::from_millis(300), total: Duration::from_mins(1), ..Bounds::default() });
    unreachable(ends(egress.get(&url, WANT)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_servers_do_not_take_more_than_their_places() {
    let stage = Stage::new();
    let most = Most { at_host: 2, nearby: 2, in_all: 3 };
    let egress = stage.bounded(Bounds { total: Duration::from_mins(1), most, ..Bounds::default() });
    // More than all places there are, at one host, once by way of another one.
    let redirected = stage.url(OUTSIDE, &format!("/to?url={}", stage.outside("/silent")));
    let slow = [stage.outside("/silent"), stage.outside("/silent"), stage.outside("/silent"), redirected];
    let waiting: Vec<_> = slow
        .map(|url| {
            tokio::spawn({
                let egress = egress.clone();
                async move { egress.get(&url, WANT).await }
            })
        })
        .into();
    ends(async {
        while stage.requests() < 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    // Another host is served at once; that one is not, until one of those who wait there gives up.
    assert_eq!(ends(egress.get(&stage.url(OUTSIDE, "/echo"), WANT)).await.unwrap().status, 200);
    let hurried = tokio::time::timeout(Duration::from_millis(300), egress.get(&stage.outside("/echo"), WANT)).await;
    assert!(hurried.is_err() && waiting.iter().all(|task| !task.is_finished()), "{hurried:?}");
    for task in waiting {
        task.abort();
    }
    assert_eq!(ends(egress.get(&stage.outside("/echo"), WANT)).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_must_prove_its_name_to_an_authority_that_is_believed() {
    let stage = Stage::new();
    let why = unreachable(stage.get(&stage.url("stranger.test", "/echo")).await);
    assert!(why.contains("certificate"), "{why}");
    let walls = Walls { taken_for_public: vec![OUTSIDE.parse().unwrap()], ..Walls::default() };
    let settings = config::Egress { extra_ca_file: None, allow_private_networks: false };
    let egress = Egress::build(&settings, walls, names(), Bounds::default()).unwrap();
    let why = unreachable(egress.get(&stage.outside("/echo"), WANT).await);
    assert!(why.contains("UnknownIssuer"), "{why}");
    assert_eq!(stage.requests(), 0);
}

#[test]
fn a_file_of_authorities_that_cannot_be_used_is_a_sentence() {
    let stage = std::env::temp_dir().join(format!("latchkey-egress-ca-{}", std::process::id()));
    let told = |text: Option<&str>| {
        let _ = std::fs::remove_file(&stage);
        if let Some(text) = text {
            std::fs::write(&stage, text).unwrap();
        }
        let settings = config::Egress { extra_ca_file: Some(stage.clone()), allow_private_networks: false };
        Egress::new(&settings).unwrap_err().to_string()
    };
    assert!(told(None).contains("cannot be read: No such file"), "{}", told(None));
    assert!(told(Some("nothing")).contains("holds no certificate"));
    assert!(told(Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")).contains("cannot be read"));
    assert!(told(Some("-----BEGIN CERTIFICATE-----\n")).contains("is not PEM"));
    let _ = std::fs::remove_file(&stage);
}

// The environment is the whole process's, so this asks another one.
#[test]
fn a_proxy_of_the_environment_is_not_used() {
    let test = "egress::tests::what_is_fetched_comes_whole_and_nothing_of_ours_goes_along";
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", test]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        again.env(name, "http://127.0.0.1:1").env(name.to_ascii_lowercase(), "http://127.0.0.1:1");
    }
    let output = again.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
