//! The forms of the account page.

use actix_web::HttpResponse;
use uuid::Uuid;

use super::page::Said;
use super::{page, profile};
use crate::domain::{ClientId, SessionId};
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::{posted, reply, session};

/// `POST /account/profile`.
pub async fn save_profile(ctx: Ctx, body: Body) -> HttpResponse {
    save(&ctx, &body).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

/// `POST /account/sign-out`: here.
pub async fn sign_out(ctx: Ctx, body: Body) -> HttpResponse {
    leave(&ctx, &body, false).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

/// `POST /account/sign-out-everywhere`: in every browser.
pub async fn sign_out_everywhere(ctx: Ctx, body: Body) -> HttpResponse {
    leave(&ctx, &body, true).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

/// `POST /account/sessions/end`: in one browser, this or another.
pub async fn end_session(ctx: Ctx, body: Body) -> HttpResponse {
    end_one(&ctx, &body).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

/// `POST /account/apps/withdraw`: the app must ask again, and what it holds stops working now.
pub async fn withdraw(ctx: Ctx, body: Body) -> HttpResponse {
    withdraw_app(&ctx, &body).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

async fn save(ctx: &Ctx, body: &Body) -> Result<HttpResponse, Fault> {
    let form = posted::own(ctx, body)?;
    let Some((current, account)) = page::signed_in(ctx).await? else { return Ok(reply::see_other("/account")) };
    match profile::parse(&form) {
        Ok(profile) => {
            ctx.state.store.save_profile(account.id, &profile, ctx.now).await?;
            Ok(reply::see_other("/account?saved=1#profile"))
        }
        Err(refused) => {
            let (typed, problem) = *refused;
            page::render(ctx, &current, &account, &typed, Said { problem: Some(problem), ..Said::default() }).await
        }
    }
}

async fn leave(ctx: &Ctx, body: &Body, everywhere: bool) -> Result<HttpResponse, Fault> {
    posted::own(ctx, body)?;
    if everywhere && let Some((_, account)) = page::signed_in(ctx).await? {
        ctx.state.store.end_sessions(account.id, ctx.now).await?;
    }
    session::end(ctx).await?;
    let mut response = reply::see_other("/logged-out");
    session::forget(ctx, &mut response);
    Ok(response)
}

async fn end_one(ctx: &Ctx, body: &Body) -> Result<HttpResponse, Fault> {
    let form = posted::own(ctx, body)?;
    if let (Some((_, account)), Some(id)) =
        (page::signed_in(ctx).await?, form.get("session")?.and_then(|id| id.parse::<Uuid>().ok()).map(SessionId))
    {
        ctx.state.store.end_own_session(account.id, id, ctx.now).await?;
        ctx.state.messages.notify_one();
    }
    Ok(reply::see_other("/account#sessions"))
}

async fn withdraw_app(ctx: &Ctx, body: &Body) -> Result<HttpResponse, Fault> {
    let form = posted::own(ctx, body)?;
    if let (Some((_, account)), Some(client)) =
        (page::signed_in(ctx).await?, form.get("client_id")?.and_then(|id| id.parse::<ClientId>().ok()))
    {
        ctx.state.store.withdraw_consent(account.id, &client, ctx.now).await?;
        ctx.state.messages.notify_one();
    }
    Ok(reply::see_other("/account"))
}
