//! `/logout`: RP-Initiated Logout 1.0. In comes an app's wish that a person be signed out; the session ends, of which other apps are told
//! afterwards, and the browser goes to a registered address or stays on our page.
//!
//! Whom do we ask first? A link to `/logout` can be put anywhere, so a wish alone ends nothing: the page asks, and its form carries the
//! browser's token. One wish needs no question: the `id_token_hint` is an ID token of this very session. Nobody has that but the app
//! and the person, so the wish is the app's own, and the person has just asked the app for it (§2 would rather have us ask again; a
//! second question for one wish is what people click away without reading). It names one session and cannot end another;
//! whoever stole it could end that session, and do nothing else with it. It counts only where the browser itself goes to our page.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use crate::domain::{ClientId, RedirectUri};
use crate::keys::TokenKind;
use crate::protocol::params::Params;
use crate::store::{ClientRecord, Session};
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::pages::{LoggedOutPage, LogoutPage};
use crate::web::respond::with_query;
use crate::web::{posted, reply, session, visit};

// What the confirm page carries on. `logout_hint` and `ui_locales` are read nowhere: the person of the session is the one who leaves, and
// our pages have one language.
const CARRIED: &[&str] = &["client_id", "id_token_hint", "post_logout_redirect_uri", "state"];

/// `GET /logout`.
pub async fn get(ctx: Ctx) -> HttpResponse {
    hear(&ctx).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

/// `POST /logout`: RP-Initiated Logout §2: "OpenID Providers MUST support the use of the HTTP GET and POST methods".
pub async fn post(ctx: Ctx, body: Body) -> HttpResponse {
    posted::keep(&ctx, "/logout", &body).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

/// `POST /logout/confirm`: the person said yes.
pub async fn confirm(ctx: Ctx, body: Body) -> HttpResponse {
    confirmed(&ctx, &body).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

/// `GET /logged-out`.
pub async fn logged_out(ctx: Ctx) -> HttpResponse {
    let frame = reply::frame(&ctx.state, &ctx.request_id(), "Signed out");
    reply::page(StatusCode::OK, &frame, &LoggedOutPage { frame: frame.clone() }, None)
}

async fn hear(ctx: &Ctx) -> Result<HttpResponse, Fault> {
    let params = posted::params(ctx, "/logout").await?;
    let wish = Wish::read(ctx, &params).await?;
    match session::current(ctx).await? {
        None => Ok(reply::see_other(wish.destination())),
        Some(session) if wish.is_of(&session) && visit::is_navigation(ctx) => leave(ctx, &wish).await,
        // RP-Initiated Logout §2: "the OP MUST ask the End-User this question if an id_token_hint was not provided or if the supplied ID
        // Token does not belong to the current OP session with the RP and/or currently logged in End-User."
        Some(_) => ask(ctx, &params, &wish),
    }
}

fn ask(ctx: &Ctx, params: &Params, wish: &Wish) -> Result<HttpResponse, Fault> {
    let browser = ctx.browser();
    let frame = reply::frame(&ctx.state, &ctx.request_id(), "Sign out");
    let mut hidden = Vec::new();
    for name in CARRIED {
        if let Some(value) = params.get(name)? {
            hidden.push(((*name).to_owned(), value.to_owned()));
        }
    }
    let page = LogoutPage {
        frame: frame.clone(),
        csrf: browser.csrf(),
        client_name: wish.client.as_ref().map(|client| client.name.clone()),
        stays: wish.stays,
        hidden,
    };
    let uri = wish.target.as_ref().map(|target| &target.registered);
    let mut response = reply::page(StatusCode::OK, &frame, &page, uri);
    if browser.new {
        visit::add_cookie(&mut response, &browser.cookie(ctx.secure()));
    }
    Ok(response)
}

async fn confirmed(ctx: &Ctx, body: &Body) -> Result<HttpResponse, Fault> {
    let params = posted::own(ctx, body)?;
    let wish = Wish::read(ctx, &params).await?;
    leave(ctx, &wish).await
}

async fn leave(ctx: &Ctx, wish: &Wish) -> Result<HttpResponse, Fault> {
    session::end(ctx).await?;
    let mut response = reply::see_other(wish.destination());
    session::forget(ctx, &mut response);
    Ok(response)
}

/// What an app asks for, as far as it may.
struct Wish {
    client: Option<Arc<ClientRecord>>,
    /// The `sid` of the hint, if that is an ID token of ours.
    hinted_session: Option<String>,
    target: Option<Target>,
    /// An address was named, and it is none to go to.
    stays: bool,
}

struct Target {
    registered: RedirectUri,
    location: String,
}

impl Wish {
    // RP-Initiated Logout §2: the client is that of the hint; `client_id`: "when both client_id and id_token_hint are present, the OP MUST
    // verify that the Client Identifier matches the one used when issuing the ID Token".
    async fn read(ctx: &Ctx, params: &Params) -> Result<Self, Fault> {
        let named = params.get("client_id")?;
        let (id, hinted_session) = match params.get("id_token_hint")? {
            None => (named.and_then(|id| id.parse::<ClientId>().ok()), None),
            // A hint that is not ours is no hint, and whoever sent it is not believed to be the app that `client_id` names.
            Some(hint) => match ctx.state.keys.verify(TokenKind::IdTokenHint, hint).await {
                Ok(claims) => {
                    let hinted = claims.audience().first().and_then(|id| id.parse::<ClientId>().ok());
                    let agree = named.is_none_or(|named| named.parse().ok() == hinted);
                    (hinted.filter(|_| agree), claims.text("sid").map(str::to_owned))
                }
                Err(_) => (None, None),
            },
        };
        let client = match id {
            Some(id) => ctx.state.client(&id).await?,
            None => None,
        };
        let target = target(params, client.as_deref())?;
        let stays = target.is_none() && params.get("post_logout_redirect_uri")?.is_some();
        Ok(Self { client, hinted_session, target, stays })
    }

    /// Whether it comes from an app that this session signed in to, and is right in every part.
    fn is_of(&self, session: &Session) -> bool {
        self.client.is_some() && !self.stays && self.hinted_session.as_deref() == Some(session.id.to_string().as_str())
    }

    fn destination(&self) -> &str {
        self.target.as_ref().map_or("/logged-out", |target| &target.location)
    }
}

// RP-Initiated Logout §3: "the OP MUST NOT perform post-logout redirection if the post_logout_redirect_uri value supplied does not
// exactly match one of the previously registered post_logout_redirect_uris values". Then the person stays on our page.
fn target(params: &Params, client: Option<&ClientRecord>) -> Result<Option<Target>, Fault> {
    // §2, `state`: "If included in the logout request, the OP passes this value back to the RP using the state parameter".
    let state: Vec<(String, String)> = params.get("state")?.map(|state| ("state".to_owned(), state.to_owned())).into_iter().collect();
    let (Some(uri), Some(client)) = (params.get("post_logout_redirect_uri")?, client) else { return Ok(None) };
    let Some(registered) = client.post_logout_redirect_uris.iter().find(|registered| registered.as_str() == uri) else { return Ok(None) };
    let location = if state.is_empty() { uri.to_owned() } else { with_query(uri, &state) };
    Ok(Some(Target { registered: registered.clone(), location }))
}
