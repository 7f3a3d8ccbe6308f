//! `/v1/assets`: what an owner has, and what is shared with an app; brought in by the operator, claimed, and passed on.

pub mod import;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use serde::Serialize;

use super::access::{Caller, Refusal, caller};
use super::view::{AssetView, AssetsView};
use crate::domain::{Address, AssetDid, EventFilter, Owner, PermissionSet};
use crate::endpoints::Endpoint;
use crate::limits::Try;
use crate::policy::api_access::Deed;
use crate::policy::exchange::decide;
use crate::policy::grants::Ask;
use crate::protocol::grant_request::{claim, transfer};
use crate::protocol::paging::Paging;
use crate::protocol::params::Params;
use crate::protocol::problem::Problem;
use crate::store::{AssetFilter, AssetPage, AssetsOf, Bearer, Transfer};
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::reply;

/// `GET /v1/assets`.
pub async fn list(ctx: Ctx) -> HttpResponse {
    page(&ctx).await.unwrap_or_else(|refusal| refusal.answer(&ctx, Endpoint::AssetsResource))
}

/// `GET /v1/assets/{did}`.
pub async fn get(ctx: Ctx, did: Path<String>) -> HttpResponse {
    show(&ctx, &did).await.unwrap_or_else(|refusal| refusal.answer(&ctx, Endpoint::AssetsResource))
}

/// `POST /v1/assets/{did}/transfer`.
pub async fn pass_on(ctx: Ctx, did: Path<String>, body: Body) -> HttpResponse {
    give(&ctx, &did, &body).await.unwrap_or_else(|refusal| refusal.answer(&ctx, Endpoint::AssetsResource))
}

/// `POST /v1/assets/claim`.
pub async fn take(ctx: Ctx, body: Body) -> HttpResponse {
    taken(&ctx, &body).await.unwrap_or_else(|refusal| refusal.answer(&ctx, Endpoint::AssetsResource))
}

async fn page(ctx: &Ctx) -> Result<HttpResponse, Refusal> {
    let caller = caller(ctx, Deed::ReadAssets).await?;
    let params = Params::decode(ctx.request.query_string());
    let paging = Paging::<AssetDid>::parse(&params)?;
    let several = |name: &str| params.all(name).map(|values| values.into_iter().map(str::to_owned).collect::<Vec<_>>());
    let year = params.get("year")?.map(|text| text.parse().map_err(|_| Problem::of("year", "a number"))).transpose()?;
    let method = params.get("method")?.map(|text| text.parse().map_err(|reason| Problem::of("method", reason))).transpose()?;
    let filter =
        AssetFilter { method, makes: several("make")?, models: several("model")?, powertrains: several("powertrain")?, year, owner: None };
    let of = match caller.person {
        Some(person) => AssetsOf::Account(person),
        None => AssetsOf::SharedWith(caller.client, ctx.now),
    };
    let part = AssetPage { after: paging.after, before: None, last: false, limit: paging.limit };
    let assets = ctx.state.store.assets(&of, &filter, &part).await?;
    let next = paging.next(assets.len(), assets.last().map(|asset| asset.did));
    let view = |asset| if caller.person.is_some() { AssetView::owned(asset) } else { AssetView::shared(asset, None) };
    Ok(reply::json(StatusCode::OK, &AssetsView { assets: assets.iter().map(view).collect(), next }))
}

async fn show(ctx: &Ctx, did: &str) -> Result<HttpResponse, Refusal> {
    let caller = caller(ctx, Deed::ReadAssets).await?;
    let did = named(did)?;
    let shared = if let Some(person) = caller.person {
        let standing = ctx.state.store.asset_standing(&did).await?;
        if standing.is_none_or(|standing| standing.owner_account != Some(person)) {
            return Err(none().into());
        }
        None
    } else {
        Some(shared_with(ctx, &caller, &did).await?)
    };
    let asset = ctx.state.store.asset(&did).await?.ok_or_else(none)?;
    let view = match shared {
        Some(permissions) => AssetView::shared(&asset, Some(permissions)),
        None => AssetView::owned(&asset),
    };
    Ok(reply::json(StatusCode::OK, &view))
}

// What a client may do with an asset: all that the one decision gives it, if anything, of permissions or of events.
async fn shared_with(ctx: &Ctx, caller: &Caller, did: &AssetDid) -> Result<PermissionSet, Refusal> {
    let found = ctx.state.store.exchange_facts(&Bearer::Named(caller.client.clone()), did, ctx.now).await?.ok_or_else(none)?;
    let vocabulary = &ctx.state.config.vocabulary;
    let events: Vec<EventFilter> = found.grants.iter().flat_map(|grant| grant.events.iter().cloned()).collect();
    let ask = Ask { permissions: vocabulary.known(did.method()), events: &events, partial: true };
    let granted = decide(&found, did, &ask, vocabulary, ctx.now).map_err(|_| none())?;
    Ok(granted.permissions)
}

async fn give(ctx: &Ctx, did: &str, body: &Body) -> Result<HttpResponse, Refusal> {
    #[derive(Serialize)]
    struct Given {
        did: AssetDid,
        owner: Address,
    }
    let caller = caller(ctx, Deed::Transfer).await?;
    let did = named(did)?;
    let to = transfer(body.json(ctx)?, &did)?;
    let person = caller.person()?;
    let standing = ctx.state.store.asset_standing(&did).await?;
    let epoch = standing.filter(|standing| standing.owner_account == Some(person)).ok_or_else(none)?.epoch;
    let transfer = Transfer { did, epoch, from: person, by: Some(caller.client), to: Owner::Address(to) };
    // `None`: it changed hands meanwhile.
    ctx.state.store.transfer_asset(transfer, ctx.now).await?.ok_or_else(none)?;
    Ok(reply::json(StatusCode::OK, &Given { did, owner: to }))
}

async fn taken(ctx: &Ctx, body: &Body) -> Result<HttpResponse, Refusal> {
    let caller = caller(ctx, Deed::Claim).await?;
    let code = claim(body.json(ctx)?)?;
    let unknown = || Problem::not_found("code: unknown, expired, or used already").at("code");
    let person = caller.person()?;
    ctx.charge(Try::SignIn)?;
    ctx.charge_claim_code(person).await?;
    let did = ctx.state.store.take_asset_claim(&code.hash(), person, ctx.now).await?.ok_or_else(unknown)?;
    let asset = ctx.state.store.asset(&did).await?.ok_or_else(unknown)?;
    Ok(reply::json(StatusCode::OK, &AssetView::owned(&asset)))
}

// A text that names no asset names none of theirs either, but what is wrong with it is no secret.
fn named(text: &str) -> Result<AssetDid, Problem> {
    crate::protocol::grant_request::did("did", text)
}

fn none() -> Problem {
    Problem::not_found("there is no such asset of yours")
}
