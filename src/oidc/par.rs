//! Pushed authorization requests (RFC 9126): an app's server hands in the whole request, and the browser brings a name for it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use super::authorize;
use crate::domain::{AuthMethod, TokenHash};
use crate::limits::Try;
use crate::protocol::authorize::{ReturnPath, client_id};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::params::Params;
use crate::store::ClientRecord;
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::{client, posted, reply, request};

// RFC 9126 §2.2: "The format of the request_uri value is at the discretion of the authorization server"; this is the form of its example.
/// What every `request_uri` of ours begins with.
const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";
/// What proves the client is for this request alone, and is never kept.
const CREDENTIALS: &[&str] = &["client_secret", "client_assertion", "client_assertion_type"];
/// Bytes, as for a form that a browser posts.
const LONGEST: usize = 16 * 1024;

#[derive(Serialize)]
struct Pushed {
    request_uri: String,
    /// Seconds.
    expires_in: u64,
}

/// `POST /par`.
pub async fn post(ctx: Ctx, body: Body) -> HttpResponse {
    match push(&ctx, &body).await {
        // RFC 9126 §2.2: "a 201 HTTP status code".
        Ok(pushed) => reply::json(StatusCode::CREATED, &pushed),
        Err(fault) => client::refusal(&ctx, &fault),
    }
}

async fn push(ctx: &Ctx, body: &Body) -> Result<Pushed, Fault> {
    let params = Params::decode(posted::form_text(ctx, body)?);
    if let Some(name) = params.doubled() {
        return Err(Fault::new(ErrorCode::InvalidRequest, format!("{name} was sent more than once; send it once")));
    }
    // RFC 9126 §2.1: "the request_uri authorization request parameter … MUST NOT be provided in this case".
    if params.has("request_uri") {
        return Err(Fault::new(ErrorCode::InvalidRequest, "request_uri cannot be pushed; push the parameters themselves"));
    }
    let client = client::authenticated(ctx, &params).await?;
    if client.auth_method == AuthMethod::None {
        // A row is left behind, and whoever asked has proved nothing.
        ctx.charge(Try::Visit)?;
    }
    ctx.charge_client(&client)?;
    let params = params.without(CREDENTIALS).with("client_id", client.id.as_str());
    check(ctx, &client, &params).await?;
    let text = params.encode();
    if text.len() > LONGEST {
        return Err(Fault::new(ErrorCode::InvalidRequest, "the request is longer than 16384 bytes"));
    }
    let (secret, lifetime) = (ctx.state.entropy.secret(), ctx.state.config.pushed_requests.lifetime);
    if !ctx.state.store.put_pushed_request(&secret.hash(), &client.id, &text, ctx.now, ctx.now.plus(lifetime)).await? {
        return Err(Fault::new(ErrorCode::InvalidClient, "this client is disabled"));
    }
    Ok(Pushed { request_uri: format!("{PREFIX}{}", secret.expose()), expires_in: lifetime.as_secs() })
}

// RFC 9126 §2.1: "The AS … validates the pushed request as it would an authorization request sent to the authorization endpoint."
async fn check(ctx: &Ctx, client: &ClientRecord, params: &Params) -> Result<(), Fault> {
    let return_path = ReturnPath::find(params, &client.redirect_uris).map_err(authorize::unreturnable)?;
    request::read(ctx, params, client, &return_path).await?;
    Ok(())
}

/// What a client is told that sends to `/auth` what it has to push.
pub(super) fn must_push() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, "request_uri is missing: this request must be pushed to /par first (RFC 9126)")
}

/// The parameters of a request to `/auth`: what was pushed where `request_uri` is one of ours, else what was sent. The flag says which.
///
/// # Errors
/// `invalid_request_uri`, for a page: where to answer would be known only from the request that is not there.
pub(super) async fn unfold(ctx: &Ctx, params: Params) -> Result<(Params, bool), Fault> {
    let named = params.get("request_uri").ok().flatten().and_then(|uri| uri.strip_prefix(PREFIX));
    let Some(secret) = named else { return Ok((params, false)) };
    let id = client_id(&params).map_err(authorize::unreturnable)?;
    // RFC 9126 §4: "The authorization server MUST validate that the client_id … matches"; RFC 9101 §5: parameters beside request_uri
    // are not used, but for client_id.
    match ctx.state.store.take_pushed_request(&TokenHash::of(secret), &id, ctx.now).await? {
        Some(pushed) => Ok((Params::decode(&pushed), true)),
        None => Err(Fault::new(
            ErrorCode::InvalidRequestUri,
            "request_uri is unknown, expired, used already or another client's; push the request again",
        )),
    }
}
