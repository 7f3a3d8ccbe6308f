//! `/logout`: RP-Initiated Logout 1.0, with a page that asks first.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use crate::domain::ClientId;
use crate::keys::TokenKind;
use crate::protocol::params::Params;
use crate::store::ClientRecord;
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::pages::{LoggedOutPage, LogoutPage};
use crate::web::respond::with_query;
use crate::web::{posted, reply, session, visit};

// What the confirm page carries on.
const CARRIED: &[&str] = &["client_id", "id_token_hint", "post_logout_redirect_uri", "state"];

/// `GET /logout`.
pub async fn get(ctx: Ctx) -> HttpResponse {
    ask(&ctx).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

/// `POST /logout`: RP-Initiated Logout §2: "OpenID Providers MUST support the use of the HTTP GET and POST methods".
pub async fn post(ctx: Ctx, body: Body) -> HttpResponse {
    posted::keep(&ctx, "/logout", &body).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

/// `POST /logout/confirm`: the person said yes.
pub async fn confirm(ctx: Ctx, body: Body) -> HttpResponse {
    end(&ctx, &body).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

/// `GET /logged-out`.
pub async fn logged_out(ctx: Ctx) -> HttpResponse {
    let frame = reply::frame(&ctx.state, &ctx.request_id(), "Signed out");
    reply::page(StatusCode::OK, &frame, &LoggedOutPage { frame: frame.clone() }, None)
}

async fn ask(ctx: &Ctx) -> Result<HttpResponse, Fault> {
    let params = posted::params(ctx, "/logout").await?;
    let client = client_of(ctx, &params).await?;
    let target = target(&params, client.as_deref())?;
    if session::current(ctx).await?.is_none() {
        return Ok(target.map_or_else(|| reply::see_other("/logged-out"), |target| reply::see_other(&target.location)));
    }
    let browser = ctx.browser();
    let frame = reply::frame(&ctx.state, &ctx.request_id(), "Sign out");
    let mut hidden = Vec::new();
    for name in CARRIED {
        if let Some(value) = params.get(name)? {
            hidden.push(((*name).to_owned(), value.to_owned()));
        }
    }
    let page =
        LogoutPage { frame: frame.clone(), csrf: browser.csrf(), client_name: client.as_ref().map(|client| client.name.clone()), hidden };
    let uri = target.as_ref().map(|target| &target.registered);
    let mut response = reply::page(StatusCode::OK, &frame, &page, uri);
    if browser.new {
        visit::add_cookie(&mut response, &browser.cookie(ctx.secure()));
    }
    Ok(response)
}

async fn end(ctx: &Ctx, body: &Body) -> Result<HttpResponse, Fault> {
    let params = posted::own(ctx, body)?;
    let client = client_of(ctx, &params).await?;
    let target = target(&params, client.as_deref())?;
    session::end(ctx).await?;
    let mut response = reply::see_other(target.as_ref().map_or("/logged-out", |target| &target.location));
    session::forget(ctx, &mut response);
    Ok(response)
}

struct Target {
    registered: crate::domain::RedirectUri,
    location: String,
}

// RP-Initiated Logout §3: "the OP MUST NOT perform post-logout redirection if … the post_logout_redirect_uri value supplied does not
// exactly match one of the … values registered". Then the person stays on our page, signed out all the same.
fn target(params: &Params, client: Option<&ClientRecord>) -> Result<Option<Target>, Fault> {
    let (Some(uri), Some(client)) = (params.get("post_logout_redirect_uri")?, client) else { return Ok(None) };
    let Some(registered) = client.post_logout_redirect_uris.iter().find(|registered| registered.as_str() == uri) else { return Ok(None) };
    let state: Vec<(String, String)> = params.get("state")?.map(|state| ("state".to_owned(), state.to_owned())).into_iter().collect();
    let location = if state.is_empty() { uri.to_owned() } else { with_query(uri, &state) };
    Ok(Some(Target { registered: registered.clone(), location }))
}

// RP-Initiated Logout §2: the client is that of the hint; `client_id` "when both client_id and id_token_hint are present … MUST match".
async fn client_of(ctx: &Ctx, params: &Params) -> Result<Option<std::sync::Arc<ClientRecord>>, Fault> {
    let named: Option<ClientId> = params.get("client_id")?.and_then(|id| id.parse().ok());
    let hinted: Option<ClientId> = match params.get("id_token_hint")? {
        None => None,
        // A hint that is not ours is no hint.
        Some(hint) => match ctx.state.keys.verify(TokenKind::IdTokenHint, hint).await {
            Ok(claims) => claims.audience().first().and_then(|id| id.parse().ok()),
            Err(_) => return Ok(None),
        },
    };
    let id = match (named, hinted) {
        (Some(named), Some(hinted)) if named != hinted => return Ok(None),
        (named, hinted) => hinted.or(named),
    };
    match id {
        Some(id) => Ok(ctx.state.client(&id).await?),
        None => Ok(None),
    }
}
