//! The account page.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::{profile, ways};
use crate::protocol::params::Params;
use crate::store::{Account, Consent, Profile, Session};
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::pages::{AccountPage, AppLine, Link, SessionLine};
use crate::web::respond::with_query;
use crate::web::visit::{self, Purpose};
use crate::web::words::{day, device, scope_lines};
use crate::web::{reply, session};

/// `GET /account`; who is not signed in is asked to, and comes back.
pub async fn get(ctx: Ctx) -> HttpResponse {
    show(&ctx).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

async fn show(ctx: &Ctx) -> Result<HttpResponse, Fault> {
    let Some((current, account)) = signed_in(ctx).await? else { return visit::begin(ctx, &Purpose::Account).await };
    let params = Params::decode(ctx.request.query_string());
    let profile = account.profile.clone();
    let said = Said { saved: params.has("saved"), notice: notice(&params), problem: None };
    render(ctx, &current, &account, &profile, said).await
}

/// What the page says of what was done just now.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// The profile was saved.
    pub saved: bool,
    /// Why it was not.
    pub problem: Option<String>,
    /// What became of the ways of signing in.
    pub notice: Option<&'static str>,
}

fn notice(params: &Params) -> Option<&'static str> {
    let words = [
        ("added", "It is added. From now on you can sign in with it too."),
        ("known", "You had that one already. Nothing was changed."),
        ("removed", "It is removed. Nobody can sign in to this account with it any more."),
    ];
    words.into_iter().find(|(name, _)| params.has(name)).map(|(_, words)| words)
}

/// The session of this browser and its account, when it has one.
pub(super) async fn signed_in(ctx: &Ctx) -> Result<Option<(Session, Account)>, Fault> {
    let Some(current) = session::current(ctx).await? else { return Ok(None) };
    let account = ctx.state.store.account(current.account_id).await?;
    Ok(account.map(|account| (current, account)))
}

/// The page, with `shown` in its form.
pub(super) async fn render(ctx: &Ctx, current: &Session, account: &Account, shown: &Profile, said: Said) -> Result<HttpResponse, Fault> {
    let consents = ctx.state.store.consents(account.id).await?;
    let mut sessions = ctx.state.store.sessions(account.id, ctx.now).await?;
    sessions.retain(|session| ctx.now.since(session.last_seen_at) <= ctx.state.config.session.idle);
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
        identities: ways::lines(ctx, current, account),
        notice: said.notice.map(str::to_owned),
        passwords: ctx.state.passwords.is_some(),
        account_id: account.id.to_string(),
        apps,
        sessions: sessions
            .iter()
            .map(|session| SessionLine {
                id: session.id.to_string(),
                way: ways::way_of(ctx, session, account),
                device: device(&session.user_agent),
                since: day(session.authenticated_at),
                last_seen: day(session.last_seen_at),
                current: session.id == current.id,
            })
            .collect(),
        profile: profile::fields(shown),
        saved: said.saved,
        problem: said.problem,
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
