//! `/clients/{id}/logo`: the picture that an app has registered, from our own origin.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Path;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::ClientId;
use crate::protocol::error::ErrorCode;
use crate::store::ClientLogo;
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::{logo, reply};

/// `GET /clients/{id}/logo`.
pub async fn get(ctx: Ctx, id: Path<ClientId>) -> HttpResponse {
    serve(&ctx, &id).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

async fn serve(ctx: &Ctx, id: &ClientId) -> Result<HttpResponse, Fault> {
    let client = ctx.state.client(id).await?;
    let uri = client.as_ref().and_then(|client| client.metadata.logo_uri.as_deref());
    let picture = match uri {
        Some(uri) => logo::picture(&ctx.state, id, uri, ctx.now).await,
        None => None,
    };
    picture.map(|picture| send(ctx, &picture)).ok_or_else(|| Fault::new(ErrorCode::NotFound, "there is no picture at this address"))
}

fn send(ctx: &Ctx, picture: &ClientLogo) -> HttpResponse {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &picture.body);
    let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(digest.as_ref().get(..16).unwrap_or_default()));
    let known = reply::is_known(ctx, &etag);
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::ETAG, etag))
        .insert_header((header::CACHE_CONTROL, "public, max-age=3600"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        // Whoever opens it by itself gets a picture and nothing that could act as a page of ours.
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox"))
        .insert_header(("Cross-Origin-Resource-Policy", "same-origin"));
    if known { response.finish() } else { response.content_type(picture.media_type.as_str()).body(picture.body.clone()) }
}
