//! `/register/{client_id}` (RFC 7592): a client reads, replaces and removes its own registration.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web::Path;
use serde_json::{Map, Value};

use super::access::{self, Refusal};
use super::view::{self, Issued};
use super::{is_on, members};
use crate::domain::ClientId;
use crate::limits::Try;
use crate::policy::registration::{check_change, has_secret, is_another, keep_held};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::store::{ClientRecord, ClientSource};
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::{logo, registration, reply};

/// `GET /register/{client_id}` (RFC 7592 §2.1).
pub async fn get(ctx: Ctx, id: Path<String>) -> HttpResponse {
    show(&ctx, &id).await.unwrap_or_else(|refusal| refusal.answer())
}

/// `PUT /register/{client_id}` (RFC 7592 §2.2).
pub async fn put(ctx: Ctx, id: Path<String>, body: Body) -> HttpResponse {
    replace(&ctx, &id, &body).await.unwrap_or_else(|refusal| refusal.answer())
}

/// `DELETE /register/{client_id}` (RFC 7592 §2.3).
pub async fn delete(ctx: Ctx, id: Path<String>) -> HttpResponse {
    remove(&ctx, &id).await.unwrap_or_else(|refusal| refusal.answer())
}

async fn show(ctx: &Ctx, id: &str) -> Result<HttpResponse, Refusal> {
    is_on(ctx)?;
    let (client, token) = access::own(ctx, id).await?;
    Ok(reply::json(StatusCode::OK, &view::of(ctx, &client, &Issued { secret: None, token: &token })))
}

async fn replace(ctx: &Ctx, id: &str, body: &Body) -> Result<HttpResponse, Refusal> {
    is_on(ctx)?;
    let (before, presented) = access::own(ctx, id).await?;
    // It may fetch from other sites, as a registration does.
    ctx.charge(Try::Registration)?;
    let members = members(ctx, body)?;
    check_identity(&before.id, &members)?;
    check_secret(&before, &members)?;
    // RFC 7592 §2.2: "The authorization server MUST … treat … omitted fields … as … removing": nothing of before is read but this.
    // Who was not vouched for when it registered is not by a token that was asked for later.
    let terms = registration::terms(ctx, before.operator.vouched);
    let wished = registration::accept(ctx, before.id.clone(), ClientSource::Registration, &members, terms).await?;
    let (token, new_secret) = (ctx.state.entropy.secret(), ctx.state.entropy.secret());
    // RFC 7592 §5: the token may be rotated with an update.
    let (next, spare, moment) = (token.hash(), new_secret.hash(), ctx.now);
    // Decided over the client as it is then: while addresses were looked at, an operator may have changed it, its secret too.
    let plan = move |now: &ClientRecord| -> Result<ClientRecord, OAuthError> {
        check_secret(now, &members)?;
        let wished = keep_held(now, wished);
        check_change(now, &wished, terms)?;
        Ok(ClientRecord {
            // A client that has a secret keeps it; one that has none and needs one gets one.
            secret_hash: has_secret(wished.auth_method).then(|| now.secret_hash.unwrap_or(spare)),
            registration_hash: Some(next),
            sector: now.sector.clone().or_else(|| wished.sector()),
            created_at: now.created_at,
            unused_until: now.unused_until,
            consent_from: if is_another(now, &wished) { Some(moment) } else { now.consent_from },
            ..wished
        })
    };
    let Some(after) = ctx.state.store.update_registration(&before.id, presented.hash(), plan).await? else {
        return Err(Refusal::Token { presented: true });
    };
    let after = after?;
    ctx.state.forget_client(&after.id).await;
    logo::prepare(ctx, &after).await;
    let secret = Some(&new_secret).filter(|_| after.secret_hash == Some(spare));
    Ok(reply::json(StatusCode::OK, &view::of(ctx, &after, &Issued { secret, token: &token })))
}

async fn remove(ctx: &Ctx, id: &str) -> Result<HttpResponse, Refusal> {
    is_on(ctx)?;
    let (client, presented) = access::own(ctx, id).await?;
    if !ctx.state.store.delete_registration(&client.id, presented.hash()).await? {
        return Err(Refusal::Token { presented: true });
    }
    ctx.state.forget_client(&client.id).await;
    tracing::info!(client = %client.id, "an app deleted its registration");
    // RFC 7592 §2.3: "204 No Content", with what §3 says of caches.
    Ok(HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, "no-store")).finish())
}

// RFC 7592 §2.2: "The updated client metadata fields request MUST include the "client_id" field and it MUST be the same as its currently
// issued client identifier."
fn check_identity(id: &ClientId, members: &Map<String, Value>) -> Result<(), OAuthError> {
    if members.get("client_id").and_then(Value::as_str) != Some(id.as_str()) {
        return Err(OAuthError::new(
            ErrorCode::InvalidRequest,
            "client_id must be in the body, and be that of the address (RFC 7592 section 2.2)",
        ));
    }
    // "The updated client metadata fields request MUST NOT include …"
    for name in ["registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"] {
        if members.contains_key(name) {
            return Err(OAuthError::new(ErrorCode::InvalidRequest, format!("{name} must not be in an update (RFC 7592 section 2.2)")));
        }
    }
    Ok(())
}

// RFC 7592 §2.2: "If the client includes the "client_secret" field in the request, the value of this field MUST match the currently issued client
// secret for that client. The client MUST NOT be allowed to overwrite its existing client secret with its own chosen value."
fn check_secret(client: &ClientRecord, members: &Map<String, Value>) -> Result<(), OAuthError> {
    let Some(given) = members.get("client_secret").filter(|value| !value.is_null()) else { return Ok(()) };
    let matches = given.as_str().zip(client.secret_hash).is_some_and(|(given, hash)| hash.matches(given));
    if matches {
        return Ok(());
    }
    Err(OAuthError::new(ErrorCode::InvalidClientMetadata, "client_secret is not this client's; a secret cannot be chosen, so leave it out"))
}
