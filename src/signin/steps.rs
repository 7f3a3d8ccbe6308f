//! The forms of the sign-in and consent pages. Each does one thing and returns to the dispatcher; none decides what comes next.

use actix_web::HttpResponse;
use actix_web::web::Path;

use super::{assets, device, dispatch};
use crate::domain::InteractionId;
use crate::endpoints::Endpoint;
use crate::policy::authorize::Step;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::params::Params;
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::visit::{self, Purpose, Visit, VisitFault};
use crate::web::{decision, posted, reply, session};

/// `POST /interaction/{id}/consent`: `decision=allow` or anything else.
pub async fn consent(ctx: Ctx, id: Path<InteractionId>, body: Body) -> HttpResponse {
    decide_consent(&ctx, *id, &body).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

/// `POST /interaction/{id}/switch`: not this account; sign in with another.
pub async fn switch(ctx: Ctx, id: Path<InteractionId>, body: Body) -> HttpResponse {
    leave_account(&ctx, *id, &body).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

/// `POST /interaction/{id}/cancel`: back to the app without signing in.
pub async fn cancel(ctx: Ctx, id: Path<InteractionId>, body: Body) -> HttpResponse {
    give_up(&ctx, *id, &body).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

async fn decide_consent(ctx: &Ctx, id: InteractionId, body: &Body) -> Result<HttpResponse, Fault> {
    let (visit, form) = form(ctx, id, body).await?;
    let request = match &visit.purpose {
        Purpose::Authorize(request) => request,
        Purpose::Device(device) => return device::decide(ctx, &visit, *device, &form).await,
        Purpose::Account | Purpose::Link(_) | Purpose::Confirm(..) => return Err(Fault::Visit(VisitFault::Over)),
    };
    if form.get("decision")? != Some("allow") {
        let error = OAuthError::new(ErrorCode::AccessDenied, "the person did not allow it");
        return dispatch::refuse(ctx, &visit, request, error).await;
    }
    // Whoever is signed in now is who agrees; without a session the dispatcher asks for a sign-in first.
    if let Some(session) = session::current(ctx).await? {
        // The page named an account: what a different one would agree to was never asked.
        if form.get("account")? != Some(session.account_id.to_string().as_str()) {
            return Ok(reply::see_other(&visit.path()));
        }
        // Only who is asked answers: a request that wants a new sign-in first has not asked yet.
        let client = dispatch::returnable(ctx, request).await?;
        let (step, _) = decision::next(ctx, &client, (**request).clone(), Some((visit.id, visit.began))).await?;
        if !matches!(step, Step::Consent { .. }) {
            return Ok(reply::see_other(&visit.path()));
        }
        if request.details.is_empty() {
            ctx.state.store.save_consent(session.account_id, &request.client_id, &request.consent_scope(), ctx.now).await?;
            return Ok(reply::see_other(&visit.path()));
        }
        let choices = assets::chosen(&form, &request.details)?;
        if let Err(declined) = assets::agree(ctx, &visit, request, &session, &choices).await? {
            return dispatch::consent(ctx, &visit, (&client, request), &session, false, Some((&choices, &declined))).await;
        }
    }
    Ok(reply::see_other(&visit.path()))
}

async fn leave_account(ctx: &Ctx, id: InteractionId, body: &Body) -> Result<HttpResponse, Fault> {
    let (visit, _) = form(ctx, id, body).await?;
    session::end(ctx).await?;
    let mut response = reply::see_other(&visit.path());
    session::forget(ctx, &mut response);
    Ok(response)
}

async fn give_up(ctx: &Ctx, id: InteractionId, body: &Body) -> Result<HttpResponse, Fault> {
    let (visit, _) = form(ctx, id, body).await?;
    match &visit.purpose {
        Purpose::Authorize(request) => {
            let error = OAuthError::new(ErrorCode::AccessDenied, "the person did not sign in");
            dispatch::refuse(ctx, &visit, request, error).await
        }
        Purpose::Account => {
            ctx.state.store.end_interaction(visit.id, &visit.browser.hash()).await?;
            Ok(reply::see_other("/"))
        }
        Purpose::Link(_) | Purpose::Confirm(..) => {
            ctx.state.store.end_interaction(visit.id, &visit.browser.hash()).await?;
            Ok(reply::see_other("/account"))
        }
        // Who has not signed in decides nothing: the device goes on waiting.
        Purpose::Device(_) => {
            ctx.state.store.end_interaction(visit.id, &visit.browser.hash()).await?;
            Ok(reply::see_other(Endpoint::DeviceVerification.path()))
        }
    }
}

async fn form(ctx: &Ctx, id: InteractionId, body: &Body) -> Result<(Visit, Params), Fault> {
    let form = posted::own(ctx, body)?;
    Ok((visit::load(ctx, id).await?, form))
}
