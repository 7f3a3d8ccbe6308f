//! `/v1/grants/{id}`: one grant, its history and its receipt; changed by its owner, ended by its owner or the app that has it.
//!
//! Whoever may not see a grant is told the same as if there were none.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web::Path;
use serde::Serialize;

use super::{etag, known, shown, told};
use crate::domain::{Grant, GrantId, KeyPurpose, SigningAlg};
use crate::endpoints::Endpoint;
use crate::keys::TokenKind;
use crate::permissions::access::{Caller, Refusal, caller};
use crate::permissions::view::EventView;
use crate::policy::api_access::Deed;
use crate::policy::asset_claims::ReceiptClaims;
use crate::policy::grants::{Change, Ender, Terms, check_change, may_end};
use crate::protocol::error::ErrorCode;
use crate::protocol::grant_request::GrantChangeRequest;
use crate::protocol::problem::Problem;
use crate::store::{Actor, GrantChange};
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::reply;

/// `GET /v1/grants/{id}`.
pub async fn get(ctx: Ctx, id: Path<String>) -> HttpResponse {
    show(&ctx, &id).await.unwrap_or_else(|refusal| refusal.answer(&ctx, Endpoint::GrantsResource))
}

/// `PATCH /v1/grants/{id}`.
pub async fn patch(ctx: Ctx, id: Path<String>, body: Body) -> HttpResponse {
    change(&ctx, &id, &body).await.unwrap_or_else(|refusal| refusal.answer(&ctx, Endpoint::GrantsResource))
}

/// `DELETE /v1/grants/{id}`.
pub async fn delete(ctx: Ctx, id: Path<String>) -> HttpResponse {
    end(&ctx, &id).await.unwrap_or_else(|refusal| refusal.answer(&ctx, Endpoint::GrantsResource))
}

/// `GET /v1/grants/{id}/history`.
pub async fn history(ctx: Ctx, id: Path<String>) -> HttpResponse {
    past(&ctx, &id).await.unwrap_or_else(|refusal| refusal.answer(&ctx, Endpoint::GrantsResource))
}

/// `GET /v1/grants/{id}/receipt`: a proof of the grant as it is now, which anybody can verify by the keys for assets.
pub async fn receipt(ctx: Ctx, id: Path<String>) -> HttpResponse {
    proof(&ctx, &id).await.unwrap_or_else(|refusal| refusal.answer(&ctx, Endpoint::GrantsResource))
}

async fn show(ctx: &Ctx, id: &str) -> Result<HttpResponse, Refusal> {
    let caller = caller(ctx, Deed::ReadGrants).await?;
    let grant = visible(ctx, &caller, id).await?;
    Ok(shown(ctx, StatusCode::OK, &grant))
}

async fn change(ctx: &Ctx, id: &str, body: &Body) -> Result<HttpResponse, Refusal> {
    let caller = caller(ctx, Deed::ChangeGrant).await?;
    let grant = visible(ctx, &caller, id).await?;
    let asked = GrantChangeRequest::parse(body.json(ctx)?)?;
    if ctx.header(header::IF_MATCH).is_some_and(|tags| tags != "*" && !tags.split(',').any(|tag| tag.trim() == etag(&grant))) {
        return Err(Problem::new(ErrorCode::PreconditionFailed, "the grant is not any more as If-Match says").into());
    }
    if grant.ended_at.is_some() || grant.expires_at <= ctx.now {
        return Err(over().into());
    }
    let known = known(&ctx.state.config.vocabulary, grant.asset.map(|asset| asset.method()));
    let terms = Terms { known: &known, longest: ctx.state.config.assets.longest_grant };
    let wish = Change { permissions: asked.permissions.as_ref(), events: asked.events.as_deref(), expires_at: asked.expires_at };
    check_change(&grant, &wish, caller.first_party, &terms, ctx.now).map_err(|error| told(&error))?;
    // What was decided holds for the grant as it was seen.
    let GrantChangeRequest { permissions, events, expires_at } = asked;
    let change = GrantChange { permissions, events, expires_at, seen: Some(grant.updated_at) };
    let changed = ctx.state.store.change_grant(grant.id, caller.person()?, Some(caller.client), change, ctx.now).await?;
    Ok(shown(ctx, StatusCode::OK, &changed.ok_or_else(over)?))
}

async fn end(ctx: &Ctx, id: &str) -> Result<HttpResponse, Refusal> {
    let caller = caller(ctx, Deed::EndGrant).await?;
    let grant = visible(ctx, &caller, id).await?;
    let by = match caller.person {
        Some(account) => Actor::Owner { account, by: Some(caller.client) },
        None => Actor::Grantee(caller.client),
    };
    // RFC 9110 §9.2.2: DELETE is idempotent. One that is over is over for whoever asks again.
    ctx.state.store.end_grant(grant.id, by, ctx.now).await?;
    Ok(HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, "no-store")).finish())
}

async fn past(ctx: &Ctx, id: &str) -> Result<HttpResponse, Refusal> {
    #[derive(Serialize)]
    struct History<'a> {
        history: Vec<EventView<'a>>,
    }
    let caller = caller(ctx, Deed::ReadGrants).await?;
    let grant = visible(ctx, &caller, id).await?;
    let events = ctx.state.store.grant_history(grant.id).await?;
    Ok(reply::json(StatusCode::OK, &History { history: events.iter().map(EventView::from).collect() }))
}

async fn proof(ctx: &Ctx, id: &str) -> Result<HttpResponse, Refusal> {
    let caller = caller(ctx, Deed::ReadGrants).await?;
    let grant = visible(ctx, &caller, id).await?;
    if grant.ended_at.is_some() {
        return Err(over().into());
    }
    let keys = &ctx.state.keys;
    let claims = ReceiptClaims::of(keys.issuer(KeyPurpose::Assets), &grant);
    Ok(reply::jwt(keys.sign(TokenKind::GrantReceipt, SigningAlg::Rs256, &claims)?))
}

// The grant, if it is one of theirs: granted by the person, or on what the person owns now; or given to the client whose own token it is.
async fn visible(ctx: &Ctx, caller: &Caller, id: &str) -> Result<Grant, Refusal> {
    let none = || Problem::not_found("there is no such grant of yours");
    let id: GrantId = id.parse().map_err(|_| none())?;
    let grant = ctx.state.store.grant(id).await?.ok_or_else(none)?;
    let standing = match (caller.person, grant.asset) {
        (Some(_), Some(asset)) => ctx.state.store.asset_standing(&asset).await?,
        _ => None,
    };
    let who = caller.person.map_or(Ender::Client(&caller.client), Ender::Person);
    // A new owner has no business with what was granted before them.
    let before = caller.person.is_some() && grant.grantor_account != caller.person && grant.epoch != standing.as_ref().map(|now| now.epoch);
    Ok(may_end(&grant, standing.as_ref(), who).filter(|_| !before).map(|_| grant).ok_or_else(none)?)
}

fn over() -> Problem {
    Problem::new(ErrorCode::Conflict, "the grant has ended, has expired, or was changed at this very moment")
}
