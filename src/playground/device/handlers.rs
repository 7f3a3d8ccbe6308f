//! The device's URLs: it begins, shows where it stands, and polls.

use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};

use super::view::DevicePage;
use super::{Device, begin, poll_once};
use crate::domain::TokenHash;
use crate::playground::{Playground, reply};

const COOKIE: &str = "latchkey_playground_device";
const PAGE: &str = "/playground/device";

/// `GET /playground/device/start`.
pub(in crate::playground) async fn start(playground: web::Data<Playground>) -> HttpResponse {
    let browser = playground.entropy.secret();
    let device = begin(&playground).await;
    playground.devices.put(browser.hash(), device, playground.clock.now());
    let cookie = Cookie::build(COOKIE, browser.expose())
        .path(PAGE)
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(playground.issuer.starts_with("https:"))
        .finish();
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, PAGE))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .cookie(cookie)
        .finish()
}

/// `GET /playground/device`.
pub(in crate::playground) async fn page(request: HttpRequest, playground: web::Data<Playground>) -> HttpResponse {
    match of_browser(&request, &playground) {
        Some((_, device)) => reply::html(&request, &playground, StatusCode::OK, "Playground: a device", |frame| {
            DevicePage::new(frame, playground.clock.now(), &device)
        }),
        None => HttpResponse::SeeOther().insert_header((header::LOCATION, "/playground")).finish(),
    }
}

/// `POST /playground/device/poll`.
pub(in crate::playground) async fn poll(request: HttpRequest, playground: web::Data<Playground>) -> HttpResponse {
    if let Some((browser, device)) = of_browser(&request, &playground) {
        let device = poll_once(&playground, device).await;
        playground.devices.put(browser, device, playground.clock.now());
    }
    HttpResponse::SeeOther().insert_header((header::LOCATION, PAGE)).insert_header((header::CACHE_CONTROL, "no-store")).finish()
}

fn of_browser(request: &HttpRequest, playground: &Playground) -> Option<(TokenHash, Device)> {
    let browser = TokenHash::of(request.cookie(COOKIE)?.value());
    playground.devices.get(&browser, playground.clock.now()).map(|device| (browser, device))
}
