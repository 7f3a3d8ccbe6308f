//! The playground's URLs: the first page, the way out to the server, the way back, the account of what happened; and the
//! throw-away wallet's files.

use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use url::{Host, Url};

use super::choices::Choices;
use super::relying_party::{self, Answer, Begun};
use super::report::{Outcome, Problem, Report};
use super::runs::Claimed;
use super::view::{IndexPage, RunPage};
use super::{Playground, device, query, reply};
use crate::domain::TokenHash;
use crate::web::assets::{self, Shelf};

const COOKIE: &str = "latchkey_playground";
const RUN: &str = "/playground/run";

/// Adds the playground's routes. The app's data must hold a [`Playground`].
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/playground", web::get().to(index))
        .route("/playground/start", web::get().to(start))
        .route("/playground/callback", web::get().to(answer_in_query))
        .route("/playground/callback", web::post().to(answer_in_form))
        .route(RUN, web::get().to(run))
        .route("/playground/query", web::get().to(query::page))
        .route("/playground/device", web::get().to(device::page))
        .route("/playground/device/start", web::get().to(device::start))
        .route("/playground/device/poll", web::post().to(device::poll))
        .route("/dev/{file}", web::get().to(wallet_file));
}

async fn index(request: HttpRequest, playground: web::Data<Playground>) -> HttpResponse {
    if let Some(home) = home(&request, &playground) {
        return home;
    }
    let read = Choices::parse(request.query_string());
    first_page(&request, &playground, read.clone().unwrap_or_default(), read.err())
}

async fn start(request: HttpRequest, playground: web::Data<Playground>) -> HttpResponse {
    if let Some(home) = home(&request, &playground) {
        return home;
    }
    let choices = match Choices::parse(request.query_string()) {
        Ok(choices) => choices,
        Err(problem) => return first_page(&request, &playground, Choices::default(), Some(problem)),
    };
    let browser = playground.entropy.secret();
    let (location, pending, report) = match relying_party::begin(&playground, choices).await {
        Begun::Away { url, pending, report } => (url.to_string(), Some(pending), report),
        Begun::Failed(report) => (RUN.to_owned(), None, report),
    };
    playground.runs.start(browser.hash(), pending, report, playground.clock.now());
    // Lax goes along with the server's redirect back, and with its form: both pages are of one site.
    let cookie = Cookie::build(COOKIE, browser.expose())
        .path("/playground")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(playground.issuer.starts_with("https:"))
        .finish();
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, location))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .cookie(cookie)
        .finish()
}

async fn answer_in_query(request: HttpRequest, playground: web::Data<Playground>) -> HttpResponse {
    answered(&request, &playground, Answer::in_query(&playground.redirect_uri, request.query_string())).await
}

async fn answer_in_form(request: HttpRequest, body: web::Bytes, playground: web::Data<Playground>) -> HttpResponse {
    answered(&request, &playground, Answer::in_form(&playground.redirect_uri, &String::from_utf8_lossy(&body))).await
}

async fn answered(request: &HttpRequest, playground: &Playground, answer: Answer) -> HttpResponse {
    let now = playground.clock.now();
    let claimed = browser(request).map(|browser| (playground.runs.claim(&browser, answer.get("state"), now), browser));
    let stray = match claimed {
        Some((Claimed::Pending(pending), browser)) => {
            let report = relying_party::finish(playground, *pending, &answer).await;
            playground.runs.finish(&browser, report);
            None
        }
        // A reload: the code is spent, and what came of it is kept.
        Some((Claimed::Already, _)) => None,
        Some((Claimed::OtherState, _)) => Some((
            "An answer to another question",
            "Its state is not the one that this browser was sent with. Either another tab began a newer sign-in, or somebody tried to slip an answer in.",
        )),
        Some((Claimed::Unknown, _)) | None => Some((
            "No sign-in is under way",
            "This browser did not begin a sign-in here, or it did so more than an hour ago, or before the server was started anew.",
        )),
    };
    match stray {
        None => HttpResponse::SeeOther().insert_header((header::LOCATION, RUN)).insert_header((header::CACHE_CONTROL, "no-store")).finish(),
        Some((title, words)) => {
            let mut report = Report::new(Choices::default(), now);
            report.outcome = Outcome::Failed(Problem { title, words: words.to_owned(), code: None });
            run_page(request, playground, &report, StatusCode::BAD_REQUEST)
        }
    }
}

async fn run(request: HttpRequest, playground: web::Data<Playground>) -> HttpResponse {
    let report = browser(&request).and_then(|browser| playground.runs.report(&browser, playground.clock.now()));
    match report {
        Some(report) => run_page(&request, &playground, &report, StatusCode::OK),
        None => HttpResponse::SeeOther().insert_header((header::LOCATION, "/playground")).finish(),
    }
}

/// The wallet's modules and its style. The rest of `static/dev` is nobody's business, and `serve` has no such route.
async fn wallet_file(request: HttpRequest, file: web::Path<String>) -> HttpResponse {
    let found = Some(file.into_inner())
        .filter(|file| ["wallet.js", "provider.js", "signer.js", "wallet.css"].contains(&file.as_str()))
        .and_then(|file| assets::find(&format!("dev/{file}"), Shelf::Dev));
    let Some(asset) = found else { return HttpResponse::NotFound().finish() };
    let known = request.headers().get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == asset.etag.as_bytes());
    let mut response = HttpResponse::build(if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
    response.insert_header((header::ETAG, asset.etag)).insert_header((header::CACHE_CONTROL, "no-cache"));
    if known { response.finish() } else { response.content_type(asset.content_type).body(asset.bytes) }
}

fn first_page(request: &HttpRequest, playground: &Playground, choices: Choices, problem: Option<&'static str>) -> HttpResponse {
    let status = if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let title = "Playground";
    reply::html(request, playground, status, title, |frame| IndexPage {
        frame,
        issuer: playground.issuer.clone(),
        client_id: playground.client_id.clone(),
        redirect_uri: playground.redirect_uri.clone(),
        choices,
        problem,
    })
}

fn run_page(request: &HttpRequest, playground: &Playground, report: &Report, status: StatusCode) -> HttpResponse {
    let title = match report.outcome {
        Outcome::SignedIn => "Playground: signed in",
        Outcome::AtServer(_) => "Playground: under way",
        Outcome::Failed(_) => "Playground: not signed in",
    };
    reply::html(request, playground, status, title, |frame| RunPage::new(frame, playground, report))
}

/// Leads from one name of this machine to the issuer's: on `127.0.0.1` the cookie that is set there would be missing when
/// the answer comes back to `localhost`. Any other host is left alone, since a proxy may have named it.
fn home(request: &HttpRequest, playground: &Playground) -> Option<HttpResponse> {
    let own = Url::parse(&playground.issuer).ok()?;
    let asked = Url::parse(&format!("http://{}", request.headers().get(header::HOST)?.to_str().ok()?)).ok()?;
    let strays = is_loopback(&own) && is_loopback(&asked) && own.host() != asked.host();
    let path = request.uri().path_and_query()?;
    let location = format!("{}{path}", playground.issuer);
    strays.then(|| HttpResponse::SeeOther().insert_header((header::LOCATION, location)).finish())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn browser(request: &HttpRequest) -> Option<TokenHash> {
    request.cookie(COOKIE).map(|cookie| TokenHash::of(cookie.value()))
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody;
    use actix_web::dev::ServiceResponse;
    use actix_web::{App, test};

    use super::super::{CLIENT_ID, redirect_uri};
    use super::*;
    use crate::domain::{Clock, Entropy};

    /// An issuer at which nobody listens: port 1 is reserved and closed.
    const NOBODY: &str = "http://localhost:1";

    async fn ask(request: test::TestRequest) -> ServiceResponse<impl MessageBody> {
        let playground = Playground::new(
            NOBODY.to_owned(),
            CLIENT_ID.to_owned(),
            redirect_uri(NOBODY),
            crate::playground::recorder::no_tls(),
            Clock::System,
            Entropy::seeded(7),
        )
        .expect("it starts");
        let app = test::init_service(App::new().app_data(web::Data::new(playground)).configure(configure)).await;
        let response = test::call_service(&app, request.to_request()).await;
        // What the browser would do next, with the cookie that it was given.
        match response.response().cookies().next() {
            Some(cookie) => test::call_service(&app, test::TestRequest::get().uri(RUN).cookie(cookie.into_owned()).to_request()).await,
            None => response,
        }
    }

    fn location<B>(response: &ServiceResponse<B>) -> &str {
        response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    async fn text(response: ServiceResponse<impl MessageBody>) -> String {
        String::from_utf8_lossy(&test::read_body(response).await).into_owned()
    }

    #[actix_web::test]
    async fn the_first_page_shows_the_registration_and_keeps_what_was_chosen() {
        let page = text(ask(test::TestRequest::get().uri("/playground?scope=email&max_age=90&prompt=login")).await).await;
        assert!(page.contains("http://localhost:1/playground/callback"));
        assert!(page.contains(r#"value="email" checked"#) && !page.contains(r#"value="profile" checked"#));
        assert!(page.contains(r#"value="90""#) && page.contains(r#"value="login" selected"#));
    }

    #[actix_web::test]
    async fn a_choice_that_cannot_be_is_told() {
        let response = ask(test::TestRequest::get().uri("/playground/start?max_age=soon")).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        assert!(text(response).await.contains("whole number of seconds"));
    }

    #[actix_web::test]
    async fn a_server_that_does_not_answer_is_told_with_the_request_that_failed() {
        let response = ask(test::TestRequest::get().uri("/playground/start?scope=email")).await;
        assert_eq!(response.status(), StatusCode::OK);
        let page = text(response).await;
        assert!(page.contains("metadata cannot be used") && page.contains("cannot be reached"), "{page}");
        assert!(page.contains("GET http://localhost:1/.well-known/openid-configuration"));
        assert!(page.contains(r#"href="/playground/start?scope=openid&#38;scope=email&#38;response_mode=query""#), "{page}");
    }

    #[actix_web::test]
    async fn an_answer_that_nobody_waits_for_is_refused_either_way() {
        let hostile = "code=x&state=%3Cscript%3E&iss=y";
        for request in [
            test::TestRequest::get().uri(&format!("/playground/callback?{hostile}")),
            test::TestRequest::post().uri("/playground/callback").set_payload(hostile),
            test::TestRequest::get().uri("/playground/callback").cookie(Cookie::new(COOKIE, "made-up")),
        ] {
            let response = ask(request).await;
            assert_eq!(response.status(), StatusCode::BAD_REQUEST);
            let page = text(response).await;
            assert!(page.contains("No sign-in is under way") && !page.contains("<script>"));
        }
        assert_eq!(location(&ask(test::TestRequest::get().uri(RUN)).await), "/playground");
    }

    #[actix_web::test]
    async fn another_name_of_this_machine_leads_to_the_issuer() {
        for host in ["127.0.0.1:1", "[::1]:1"] {
            let request = test::TestRequest::get().uri("/playground?scope=email").insert_header((header::HOST, host));
            assert_eq!(location(&ask(request).await), "http://localhost:1/playground?scope=email");
        }
        for host in ["localhost:9", "example.com", "192.168.1.2"] {
            let request = test::TestRequest::get().uri("/playground").insert_header((header::HOST, host));
            assert_eq!(ask(request).await.status(), StatusCode::OK);
        }
    }

    #[actix_web::test]
    async fn the_wallet_is_served_and_nothing_beside_it() {
        let first = ask(test::TestRequest::get().uri("/dev/wallet.js")).await;
        assert_eq!(first.status(), StatusCode::OK);
        assert_eq!(
            first.headers().get(header::CONTENT_TYPE).map(header::HeaderValue::as_bytes),
            Some(&b"text/javascript; charset=utf-8"[..])
        );
        let tag = first.headers().get(header::ETAG).expect("a tag").clone();
        let again = ask(test::TestRequest::get().uri("/dev/wallet.js").insert_header((header::IF_NONE_MATCH, tag))).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        for path in ["/dev/nothing.js", "/dev/..%2fapp.css", "/dev/"] {
            assert_eq!(ask(test::TestRequest::get().uri(path)).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }
}
