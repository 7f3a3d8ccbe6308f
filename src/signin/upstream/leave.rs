//! On the way to a provider.
//!
//! The answer to the button is a page that leads on by itself, not a redirect. Chromium applies the `form-action` of the sign-in page to
//! every redirect behind its forms, also to those that a provider makes among its own hosts, and nobody can list these. A page ends the
//! form's way.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use url::Url;

use super::trouble::Trouble;
use super::{VisitPath, anew, find};
use crate::config::Upstream;
use crate::domain::{Email, UpstreamKind};
use crate::limits::Try;
use crate::policy::upstream::{Companions, LIFETIME};
use crate::protocol::upstream::github;
use crate::protocol::upstream::request::AuthorizationRequest;
use crate::store::UpstreamVisit;
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::pages::LeavePage;
use crate::web::visit::{self, Purpose, Visit};
use crate::web::{posted, reply};

/// `POST /interaction/{id}/upstream/{upstream}`: on to a provider.
pub async fn start(ctx: Ctx, path: VisitPath, body: Body) -> HttpResponse {
    leave(&ctx, path, &body).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

async fn leave(ctx: &Ctx, path: VisitPath, body: &Body) -> Result<HttpResponse, Fault> {
    let (id, upstream) = path.into_inner();
    posted::own(ctx, body)?;
    // Charged only now: another site's page can make a browser ask, and must not be able to use up its tries.
    ctx.charge(Try::SignIn)?;
    let visit = visit::load(ctx, id).await?;
    let upstream = find(ctx, &upstream)?;
    let endpoint = match endpoint(ctx, upstream).await {
        Ok(endpoint) => endpoint,
        Err(trouble) => return trouble.tell(ctx, &visit, upstream).await,
    };
    let state = ctx.state.entropy.secret();
    let companions = Companions::of(&state.hash(), &ctx.state.keys.pairwise_secret());
    let code_challenge = companions.code_challenge().map_err(|reason| Fault::Broken(reason.to_string()))?;
    let sent = UpstreamVisit { interaction_id: id, upstream: upstream.id.clone(), created_at: ctx.now, expires_at: ctx.now.plus(LIFETIME) };
    ctx.state.store.put_upstream_visit(&sent, &state.hash(), &visit.browser.hash()).await?;
    let request = AuthorizationRequest {
        kind: upstream.kind,
        client_id: &upstream.client_id,
        redirect_uri: &ctx.state.config.server.issuer.url(&upstream.callback_path()),
        scopes: &upstream.scopes,
        state: &state,
        nonce: &companions.nonce,
        code_challenge,
        fresh: anew(&visit),
        login_hint: login_hint(&visit, upstream),
    };
    let frame = reply::frame(&ctx.state, &ctx.request_id(), format!("On to {}", upstream.name));
    let page = LeavePage {
        frame: frame.clone(),
        name: upstream.name.clone(),
        host: endpoint.host_str().unwrap_or_default().to_owned(),
        href: request.url(&endpoint).into(),
    };
    Ok(reply::page(StatusCode::OK, &frame, &page, None))
}

async fn endpoint(ctx: &Ctx, upstream: &Upstream) -> Result<Url, Trouble> {
    if upstream.kind == UpstreamKind::Github {
        return Ok(github::Endpoints::of(&upstream.issuer).map_err(|reason| Fault::Broken(reason.to_string()))?.authorization);
    }
    Ok(ctx.state.upstream_metadata(upstream, ctx.now).await?.authorization_endpoint.clone())
}

// The app's hint, where it is one that the provider could know. GitHub knows logins of its own alone.
fn login_hint<'a>(visit: &'a Visit, upstream: &Upstream) -> Option<&'a str> {
    let Purpose::Authorize(request) = &visit.purpose else { return None };
    let is_address = |hint: &&str| hint.parse::<Email>().is_ok();
    request.login_hint.as_deref().filter(|_| upstream.kind != UpstreamKind::Github).filter(is_address)
}
