//! The home page and the static files.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::Path;

use crate::protocol::error::ErrorCode;
use crate::state::Mode;
use crate::web::assets::{self, Asset, Shelf};
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::pages::HomePage;
use crate::web::reply;

/// `GET /`.
pub async fn page(ctx: Ctx) -> HttpResponse {
    let frame = reply::frame(&ctx.state, &ctx.request_id(), "Sign in with what you own");
    reply::page(StatusCode::OK, &frame, &HomePage { frame: frame.clone(), issuer: ctx.state.issuer().to_owned() }, None)
}

/// `GET /static/{path}`.
pub async fn file(ctx: Ctx, path: Path<String>) -> HttpResponse {
    let shelf = match ctx.state.mode {
        Mode::Dev => Shelf::Dev,
        Mode::Serve => Shelf::Serve,
    };
    match assets::find(&path, shelf) {
        Some(asset) => send(&ctx, asset),
        None => Fault::new(ErrorCode::NotFound, "there is no such file").as_page(&ctx),
    }
}

/// `GET /favicon.ico`, which browsers ask for by themselves.
pub async fn favicon(ctx: Ctx) -> HttpResponse {
    match assets::find("favicon.svg", Shelf::Serve) {
        Some(asset) => send(&ctx, asset),
        None => HttpResponse::NotFound().finish(),
    }
}

/// `GET /robots.txt`: nothing here is for search engines.
pub async fn robots() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("User-agent: *\nDisallow: /\n")
}

fn send(ctx: &Ctx, asset: Asset) -> HttpResponse {
    let version = ctx.request.query_string().strip_prefix("v=");
    let cache = asset.cache_control(version);
    let known = reply::is_known(ctx, &asset.etag);
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::ETAG, asset.etag))
        .insert_header((header::CACHE_CONTROL, cache))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    if known { response.finish() } else { response.content_type(asset.content_type).body(asset.bytes.into_owned()) }
}
