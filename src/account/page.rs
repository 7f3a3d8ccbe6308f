//! The account page.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::profile;
use crate::protocol::params::Params;
use crate::store::{Account, Consent, Profile, Session};
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::pages::{AccountPage, AppLine, IdentityLine, Link, SessionLine};
use crate::web::respond::with_query;
use crate::web::visit::{self, Purpose};
use crate::web::words::{day, device, provider_name, scope_lines};
use crate::web::{reply, session};

/// `GET /account`; who is not signed in is asked to, and comes back.
pub async fn get(ctx: Ctx) -> HttpResponse {
    show(&ctx).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

async fn show(ctx: &Ctx) -> Result<HttpResponse, Fault> {
    let Some((current, account)) = signed_in(ctx).await? else { return visit::begin(ctx, &Purpose::Account).await };
    let saved = Params::decode(ctx.request.query_string()).has("saved");
    let profile = account.profile.clone();
    render(ctx, &current, &account, &profile, saved, None).await
}

/// The session of this browser and its account, when it has one.
pub(super) async fn signed_in(ctx: &Ctx) -> Result<Option<(Session, Account)>, Fault> {
    let Some(current) = session::current(ctx).await? else { return Ok(None) };
    let account = ctx.state.store.account(current.account_id).await?;
    Ok(account.map(|account| (current, account)))
}

/// The page, with `shown` in its form.
pub(super) async fn render(
    ctx: &Ctx,
    current: &Session,
    account: &Account,
    shown: &Profile,
    saved: bool,
    problem: Option<String>,
) -> Result<HttpResponse, Fault> {
    let consents = ctx.state.store.consents(account.id).await?;
    let sessions = ctx.state.store.sessions(account.id, ctx.now).await?;
    let mut apps = Vec::with_capacity(consents.len());
    for consent in &consents {
        apps.push(AppLine {
            client_id: consent.client_id.to_string(),
            name: consent.client_name.clone(),
            scopes: scope_lines(&consent.scope, &ctx.state.config.resources).into_iter().map(|line| line.title).collect(),
            since: day(consent.created_at),
            start: start(ctx, consent).await?,
        });
    }
    let browser = ctx.browser();
    let frame = reply::frame(&ctx.state, &ctx.request_id(), "Your account");
    let page = AccountPage {
        frame: frame.clone(),
        csrf: browser.csrf(),
        identities: account
            .identities
            .iter()
            .map(|identity| IdentityLine {
                provider_name: provider_name(&identity.provider).to_owned(),
                subject: identity.subject.clone(),
                since: day(identity.created_at),
                last_used: day(identity.last_used_at),
            })
            .collect(),
        account_id: account.id.to_string(),
        apps,
        sessions: sessions
            .iter()
            .map(|session| SessionLine {
                device: device(&session.user_agent),
                since: day(session.authenticated_at),
                last_seen: day(session.last_seen_at),
                current: session.id == current.id,
            })
            .collect(),
        profile: profile::fields(shown),
        saved,
        problem,
    };
    let status = if page.problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let mut response = reply::page(status, &frame, &page, None);
    if browser.new {
        visit::add_cookie(&mut response, &browser.cookie(ctx.secure()));
    }
    Ok(response)
}

// OpenID Connect Core §4: a sign-in that is begun here is begun by the app, which is told who asks: "iss REQUIRED".
async fn start(ctx: &Ctx, consent: &Consent) -> Result<Option<Link>, Fault> {
    let client = ctx.state.client(&consent.client_id).await?;
    let uri = client.as_ref().and_then(|client| client.metadata.initiate_login_uri.as_deref());
    Ok(uri.map(|uri| Link {
        href: with_query(uri, &[("iss".to_owned(), ctx.state.issuer().to_owned())]),
        label: format!("Open {}", consent.client_name),
    }))
}
