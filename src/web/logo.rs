//! The pictures of apps: fetched from where an app has its own, looked at, kept, and served by this server alone, so that no page of
//! ours tells another site who is looking at it.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::ctx::Ctx;
use crate::domain::{ClientId, Timestamp, TokenHash};
use crate::egress::{EgressError, Fetched, Want};
use crate::state::State;
use crate::store::{ClientLogo, ClientRecord};

/// The longest picture, in bytes.
const PICTURE: Want = Want { accept: "image/png, image/jpeg, image/webp, image/gif", most: 256 * 1024 };

/// How old a picture gets before it is fetched again.
const FRESH: Duration = Duration::from_hours(24);

/// Where the picture of a client is on this server, if it has one that was fetched already; if not, that is begun.
pub async fn ready(ctx: &Ctx, client: &ClientRecord) -> Option<String> {
    let uri = client.metadata.logo_uri.as_deref()?;
    let there = if let Some(logo) = ctx.state.remembered_logo(&client.id, uri).await {
        logo.is_some()
    } else {
        // A page does not wait for another site; it is shown without the picture this once.
        prepare(ctx, client).await;
        ctx.state.store.client_logo(&client.id).await.ok().flatten().is_some_and(|logo| logo.uri == uri)
    };
    there.then(|| path(&client.id, uri))
}

/// Begins to fetch the picture of a client that is new or has changed.
#[expect(clippy::unused_async, reason = "it must be called within the runtime that the fetch goes on in")]
pub async fn prepare(ctx: &Ctx, client: &ClientRecord) {
    if let Some(uri) = client.metadata.logo_uri.clone() {
        let (state, id, now) = (ctx.state.clone(), client.id.clone(), ctx.now);
        tokio::spawn(async move { picture(&state, &id, &uri, now).await });
    }
}

/// The picture of a client at that address: as remembered, as stored, or as fetched now.
pub async fn picture(state: &Data<State>, id: &ClientId, uri: &str, now: Timestamp) -> Option<Arc<ClientLogo>> {
    state.logo_by(id, uri, load(state, id, uri, now)).await
}

async fn load(state: &State, id: &ClientId, uri: &str, now: Timestamp) -> Option<Arc<ClientLogo>> {
    let stored = state.store.client_logo(id).await.ok().flatten().filter(|logo| logo.uri == uri);
    if let Some(logo) = &stored
        && logo.fetched_at.plus(FRESH) > now
    {
        return stored.map(Arc::new);
    }
    match fetch(state, uri, now).await {
        Ok(logo) => {
            if let Err(reason) = state.store.put_client_logo(id, &logo).await {
                tracing::info!(client = %id, %reason, "a client's logo could not be stored");
            }
            Some(Arc::new(logo))
        }
        Err(reason) => {
            tracing::info!(client = %id, %reason, "a client's logo could not be fetched");
            stored.map(Arc::new)
        }
    }
}

async fn fetch(state: &State, uri: &str, now: Timestamp) -> Result<ClientLogo, EgressError> {
    let url = state.egress.check_url(uri)?;
    let fetched = state.egress.get(&url, PICTURE).await.and_then(Fetched::ok)?;
    let media_type = sniff(&fetched.body).ok_or_else(|| EgressError::Forbidden("it is no PNG, JPEG, WebP or GIF picture".to_owned()))?;
    Ok(ClientLogo { uri: uri.to_owned(), media_type: media_type.to_owned(), body: fetched.body, fetched_at: now })
}

/// What a picture is by its first bytes, whatever its server says; an SVG can hold script and is none.
fn sniff(body: &[u8]) -> Option<&'static str> {
    match body {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

// The address changes with that of the picture, so that a browser may keep what it has.
fn path(id: &ClientId, uri: &str) -> String {
    let version = URL_SAFE_NO_PAD.encode(&TokenHash::of(uri).as_bytes()[..6]);
    let id: String = url::form_urlencoded::byte_serialize(id.as_str().as_bytes()).collect();
    // A form writes a space as `+`; a client id has none.
    format!("/clients/{id}/logo?v={version}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_by_its_bytes() {
        for (body, media_type) in [
            (&b"\x89PNG\r\n\x1a\n...."[..], Some("image/png")),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"GIF89a", Some("image/gif")),
            (b"GIF87a", Some("image/gif")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"RIFF\0\0\0\0WAVE", None),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
            (b"<html>", None),
            (b" \x89PNG\r\n\x1a\n", None),
            (b"", None),
        ] {
            assert_eq!(sniff(body), media_type, "{body:?}");
        }
    }

    #[test]
    fn a_client_id_is_one_part_of_the_path() {
        let id: ClientId = "https://app.example/a?b=c".parse().unwrap();
        let path = path(&id, "https://app.example/logo.png");
        assert!(path.starts_with("/clients/https%3A%2F%2Fapp.example%2Fa%3Fb%3Dc/logo?v="), "{path}");
        assert_eq!(path.len() - path.find("?v=").unwrap(), 3 + 8);
    }
}
