//! `/v1/grants`: what an owner shares, and what an app has been given.

pub mod one;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};

use super::access::{Caller, Refusal, caller};
use super::view::{GrantView, GrantsView};
use crate::domain::{AssetMethod, Grant, GrantId, GrantSource, PermissionSet, Vocabulary};
use crate::endpoints::Endpoint;
use crate::policy::api_access::Deed;
use crate::policy::grants::{GivingError, Terms, Wish, check_wish, may_give};
use crate::protocol::error::ErrorCode;
use crate::protocol::grant_request::{NewGrantRequest, did};
use crate::protocol::paging::Paging;
use crate::protocol::params::Params;
use crate::protocol::problem::Problem;
use crate::store::{Actor, GrantOutcome, GrantPage, Granting, NewGrant};
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::reply;

/// `GET /v1/grants`.
pub async fn list(ctx: Ctx) -> HttpResponse {
    page(&ctx).await.unwrap_or_else(|refusal| refusal.answer(&ctx, Endpoint::GrantsResource))
}

/// `POST /v1/grants`.
pub async fn post(ctx: Ctx, body: Body) -> HttpResponse {
    make(&ctx, &body).await.unwrap_or_else(|refusal| refusal.answer(&ctx, Endpoint::GrantsResource))
}

async fn page(ctx: &Ctx) -> Result<HttpResponse, Refusal> {
    let caller = caller(ctx, Deed::ReadGrants).await?;
    let params = Params::decode(ctx.request.query_string());
    let paging = Paging::<GrantId>::parse(&params)?;
    let grantee = params.get("grantee")?.map(|text| text.parse().map_err(|reason| Problem::of("grantee", reason))).transpose()?;
    let living_at = match params.get("status")? {
        None | Some("living") => Some(ctx.now),
        Some("all") => None,
        Some(_) => return Err(Problem::of("status", "living or all").into()),
    };
    let asset = params.get("asset")?.map(|text| did("asset", text)).transpose()?;
    let page = GrantPage { asset, grantee, living_at, after: paging.after, limit: paging.limit };
    let grants = match caller.person {
        Some(person) => ctx.state.store.grants_of_owner(person, &page).await?,
        None => ctx.state.store.grants_of_grantee(&caller.client, &page).await?,
    };
    let next = paging.next(grants.len(), grants.last().map(|grant| grant.id));
    let grants = grants.iter().map(|grant| GrantView::of(grant, ctx.now)).collect();
    Ok(reply::json(StatusCode::OK, &GrantsView { grants, next }))
}

async fn make(ctx: &Ctx, body: &Body) -> Result<HttpResponse, Refusal> {
    let caller = caller(ctx, Deed::Grant).await?;
    let vocabulary = &ctx.state.config.vocabulary;
    let asked = NewGrantRequest::parse(body.json(ctx)?, vocabulary)?;
    let (person, longest) = (caller.person()?, ctx.state.config.assets.longest_grant);
    let known = known(vocabulary, asked.asset.map(|asset| asset.method()));
    let terms = Terms { known: &known, longest };
    // What is said to have begun before was not shared then.
    let effective_at = asked.effective_at.map_or(ctx.now, |given| given.max(ctx.now));
    let expires_at = asked.expires_at.unwrap_or_else(|| ctx.now.plus(longest));
    let wish = Wish { permissions: &asked.permissions, events: &asked.events, effective_at, expires_at };
    let asset = if let Some(asset) = asked.asset {
        let standing = ctx.state.store.asset_standing(&asset).await?;
        may_give(person, standing.as_ref(), &wish, &terms, ctx.now).map_err(|error| told(&error))?;
        // Never by mistake all that they have.
        Some((asset, standing.ok_or_else(|| told(&GivingError::NotYours))?.epoch))
    } else {
        check_wish(&wish, &terms, ctx.now).map_err(|error| told(&error))?;
        None
    };
    let new = NewGrant {
        id: GrantId(ctx.state.entropy.uuid(ctx.now)),
        asset,
        grantee: asked.grantee,
        permissions: asked.permissions,
        events: asked.events,
        effective_at,
        expires_at,
        template: asked.template,
        purpose: None,
    };
    let grant = created(ctx, &caller, new).await?;
    let mut response = shown(ctx, StatusCode::CREATED, &grant);
    if let Ok(location) = HeaderValue::from_str(&format!("{}/{}", Endpoint::Grants.path(), grant.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

async fn created(ctx: &Ctx, caller: &Caller, new: NewGrant) -> Result<Grant, Refusal> {
    let by = Actor::Owner { account: caller.person()?, by: Some(caller.client.clone()) };
    let granting = Granting { by, source: GrantSource::Api, visit: None, replaces: false };
    let not_yours = || told(&GivingError::NotYours);
    match ctx.state.store.create_grants(granting, vec![new], ctx.now).await? {
        GrantOutcome::Made(grants) => Ok(grants.into_iter().next().ok_or_else(not_yours)?),
        // It changed hands meanwhile.
        GrantOutcome::NotTheirs(_) => Err(not_yours().into()),
        GrantOutcome::NoGrantee(_) => Err(Problem::of("grantee", "there is no such client, or it is disabled").into()),
        GrantOutcome::TooMany(_) => {
            let words = "grantee: this client has as many grants there as there may be; end or change some of them";
            Err(Problem::new(ErrorCode::Conflict, words).at("grantee").into())
        }
    }
}

/// A grant as it is, with the tag that a change of it may name.
fn shown(ctx: &Ctx, status: StatusCode, grant: &Grant) -> HttpResponse {
    let mut response = reply::json(status, &GrantView::of(grant, ctx.now));
    if let Ok(tag) = HeaderValue::from_str(&etag(grant)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

fn etag(grant: &Grant) -> String {
    format!("\"{}\"", grant.updated_at.micros())
}

// Of all assets of an account: the permissions of every kind.
fn known(vocabulary: &Vocabulary, method: Option<AssetMethod>) -> PermissionSet {
    match method {
        Some(method) => vocabulary.known(method).clone(),
        None => AssetMethod::ALL.iter().fold(PermissionSet::new(), |all, method| all.union(vocabulary.known(*method))),
    }
}

fn told(error: &GivingError) -> Problem {
    match error {
        GivingError::NotYours => Problem::not_found("there is no such asset of yours").at("asset"),
        GivingError::Nothing => Problem::of("permissions", error),
        GivingError::Unknown(names) => {
            Problem::of("permissions", format_args!("there are no such permissions for this asset: {}", names.names().join(", ")))
        }
        GivingError::TooManyEvents => Problem::of("events", error),
        GivingError::Ended | GivingError::TooLong(_) => Problem::of("expires_at", error),
        GivingError::Wider => Problem::new(ErrorCode::InsufficientScope, error.to_string()),
    }
}
