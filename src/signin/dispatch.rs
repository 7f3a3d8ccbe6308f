//! `/interaction/{id}`: after every step the browser comes back here, and the facts say what is next: sign in, agree, or go on.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::Path;

use super::page::{self, Asked, Leads, Sign, Tried};
use super::{asset_words, assets, device};
use crate::domain::{AccountId, InteractionId, UserCode};
use crate::policy::asset_access::{Chosen, Declined};
use crate::policy::authorize::{Approved, Step};
use crate::protocol::authorize::AuthorizeRequest;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::store::{ClientRecord, Session};
use crate::tokens;
use crate::web::ctx::Ctx;
use crate::web::entry;
use crate::web::fault::Fault;
use crate::web::respond::{self, Outcome};
use crate::web::visit::{self, Purpose, Then, Visit, VisitFault};
use crate::web::{decision, reply, session, ways};

/// `GET /interaction/{id}`.
pub async fn get(ctx: Ctx, id: Path<InteractionId>) -> HttpResponse {
    dispatch(&ctx, *id).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

async fn dispatch(ctx: &Ctx, id: InteractionId) -> Result<HttpResponse, Fault> {
    let visit = visit::load(ctx, id).await?;
    match visit.purpose.clone() {
        Purpose::Account => account(ctx, &visit).await,
        Purpose::Link(account) => link(ctx, &visit, account).await,
        Purpose::Confirm(account, then) => confirm(ctx, &visit, account, &then).await,
        Purpose::Device(device) => device::step(ctx, &visit, device).await,
        Purpose::Authorize(request) => authorize(ctx, &visit, *request).await,
    }
}

async fn account(ctx: &Ctx, visit: &Visit) -> Result<HttpResponse, Fault> {
    if session::current(ctx).await?.is_none() {
        return Ok(page::sign_in(ctx, visit, &Sign::Account).await);
    }
    ctx.state.store.end_interaction(visit.id, &visit.browser.hash()).await?;
    Ok(reply::see_other("/account"))
}

/// The sign-in page once more, after a way that led nowhere.
pub(super) async fn sign_in_again(ctx: &Ctx, visit: &Visit, tried: Tried) -> Result<HttpResponse, Fault> {
    let tried = Some(tried);
    match &visit.purpose {
        Purpose::Account => Ok(page::sign_in_after(ctx, visit, &Sign::Account, tried).await),
        Purpose::Link(account) => Ok(page::sign_in_after(ctx, visit, &linking(ctx, *account).await?, tried).await),
        Purpose::Confirm(account, then) => {
            let able = ways::of_account(ctx, *account, then.except()).await?;
            Ok(page::sign_in_after(ctx, visit, &Sign::Confirm(able), tried).await)
        }
        Purpose::Device(id) => {
            let client = device::client_of(ctx, *id).await?.ok_or(Fault::Visit(VisitFault::Over))?;
            let code = UserCode::of(*id, &ctx.state.keys.pairwise_secret());
            Ok(page::sign_in_after(ctx, visit, &Sign::Device(&client, &code), tried).await)
        }
        Purpose::Authorize(request) => {
            let client = returnable(ctx, request).await?;
            Ok(page::sign_in_after(ctx, visit, &Sign::App(&client, request), tried).await)
        }
    }
}

async fn link(ctx: &Ctx, visit: &Visit, account: AccountId) -> Result<HttpResponse, Fault> {
    Ok(page::sign_in(ctx, visit, &linking(ctx, account).await?).await)
}

// First who they are, then what else they can prove.
async fn linking(ctx: &Ctx, account: AccountId) -> Result<Sign<'static>, Fault> {
    if entry::fresh(ctx, account).await?.is_some() {
        return Ok(Sign::Link);
    }
    Ok(Sign::Confirm(ways::of_account(ctx, account, None).await?))
}

async fn confirm(ctx: &Ctx, visit: &Visit, account: AccountId, then: &Then) -> Result<HttpResponse, Fault> {
    let shown = entry::fresh(ctx, account).await?.is_some_and(|session| then.shown_by(&session.provider, &session.subject));
    if !shown {
        return Ok(page::sign_in(ctx, visit, &Sign::Confirm(ways::of_account(ctx, account, then.except()).await?)).await);
    }
    ctx.state.store.end_interaction(visit.id, &visit.browser.hash()).await?;
    Ok(reply::see_other(&then.path()))
}

async fn authorize(ctx: &Ctx, visit: &Visit, request: AuthorizeRequest) -> Result<HttpResponse, Fault> {
    let client = returnable(ctx, &request).await?;
    match decision::next(ctx, &client, request.clone(), Some((visit.id, visit.began))).await? {
        (Step::SignIn, _) | (Step::Consent { .. }, None) => Ok(page::sign_in(ctx, visit, &Sign::App(&client, &request)).await),
        (Step::Consent { already }, Some(session)) => {
            let already = already.is_some_and(|already| !request.consent_scope().is_subset(&already));
            consent(ctx, visit, (&client, &request), &session, already, None).await
        }
        (Step::Approve(approved), _) => finish(ctx, visit, &client, &approved).await,
        (Step::Refuse(error), _) => refuse(ctx, visit, &request, error).await,
    }
}

/// The consent page; `again` is what was chosen on it before, and why that cannot be.
pub(super) async fn consent(
    ctx: &Ctx,
    visit: &Visit,
    (client, request): (&ClientRecord, &AuthorizeRequest),
    session: &Session,
    already: bool,
    again: Option<(&[Chosen], &Declined)>,
) -> Result<HttpResponse, Fault> {
    let found = assets::find(ctx, &request.details, session.account_id).await?;
    let scope = request.consent_scope();
    let asked = Asked {
        client,
        scope: &scope,
        already,
        assets: asset_words::blocks(ctx, &found, again.map(|(choices, _)| choices)),
        problem: again.map(|(_, declined)| asset_words::problem(declined)),
    };
    Ok(page::consent(ctx, visit, asked, session, Leads::To(&request.return_path.redirect_uri)).await)
}

// The visit ends and the code begins in one transaction: however often the page is loaded, there is one code.
async fn finish(ctx: &Ctx, visit: &Visit, client: &ClientRecord, approved: &Approved) -> Result<HttpResponse, Fault> {
    let (record, code) = tokens::new_code(&ctx.state, client, approved, ctx.now);
    if ctx.state.store.finish_interaction(visit.id, &visit.browser.hash(), &record, &code.hash(), ctx.now).await? {
        Ok(respond::to_app(ctx, &approved.request().return_path, &Outcome::Code(code)))
    } else {
        Err(Fault::Visit(VisitFault::Over))
    }
}

/// Ends the visit and tells the app no.
pub(super) async fn refuse(ctx: &Ctx, visit: &Visit, request: &AuthorizeRequest, error: OAuthError) -> Result<HttpResponse, Fault> {
    returnable(ctx, request).await?;
    // Who allowed it a moment ago, in another tab, and says no now, has said no.
    if !request.details.is_empty() {
        assets::take_back(ctx, visit).await?;
    }
    if ctx.state.store.end_interaction(visit.id, &visit.browser.hash()).await? {
        Ok(respond::to_app(ctx, &request.return_path, &Outcome::Error(error)))
    } else {
        Err(Fault::Visit(VisitFault::Over))
    }
}

// The client of a request, if it may be answered where it asked for it: a visit lasts longer than a redirect URI may be registered.
// RFC 6749 §4.1.2.1: "the authorization server … MUST NOT automatically redirect the user-agent to the invalid redirection URI."
pub(super) async fn returnable(ctx: &Ctx, request: &AuthorizeRequest) -> Result<Arc<ClientRecord>, Fault> {
    let id = &request.client_id;
    let Some(client) = ctx.state.client(id).await? else {
        return Err(Fault::new(ErrorCode::InvalidClient, format!("client_id {id} is not registered here any more, or is disabled")));
    };
    if client.returns_to(&request.return_path.redirect_uri) {
        return Ok(client);
    }
    Err(Fault::new(ErrorCode::InvalidRequest, "redirect_uri is not registered for this client any more"))
}
