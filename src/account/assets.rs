//! `/account/assets`: what belongs to a person, which apps may use it, and the end of that.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::page::signed_in;
use crate::domain::{Asset, AssetDid, Grant, GrantEnd, GrantId, TokenHash};
use crate::limits::Try;
use crate::protocol::params::Params;
use crate::store::{Account, Actor, AssetFilter, AssetPage, AssetsOf, GrantPage, LONGEST_PAGE};
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::pages::{AccountAssetsPage, AssetLine, GrantLine};
use crate::web::visit::{self, Purpose};
use crate::web::{posted, reply, words};

/// How many of those that are over are shown.
const OVER: usize = 20;

/// `GET /account/assets`; who is not signed in is asked to.
pub async fn get(ctx: Ctx) -> HttpResponse {
    show(&ctx).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

/// `POST /account/grants/end`: over, from this moment on.
pub async fn end(ctx: Ctx, body: Body) -> HttpResponse {
    end_grant(&ctx, &body).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

/// `POST /account/assets/claim`: takes over an asset by its claim code.
pub async fn claim(ctx: Ctx, body: Body) -> HttpResponse {
    take_over(&ctx, &body).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

async fn show(ctx: &Ctx) -> Result<HttpResponse, Fault> {
    let Some((_, account)) = signed_in(ctx).await? else { return visit::begin(ctx, &Purpose::Account).await };
    let claimed = Params::decode(ctx.request.query_string()).get("claimed")?.and_then(|did| did.parse::<AssetDid>().ok());
    // The address says which; whether it is theirs is looked up.
    let claimed = match claimed {
        Some(did) => ctx.state.store.owned_asset(&did, account.id).await?,
        None => None,
    };
    render(ctx, &account, claimed.as_ref(), None).await
}

async fn end_grant(ctx: &Ctx, body: &Body) -> Result<HttpResponse, Fault> {
    let form = posted::own(ctx, body)?;
    if let (Some((_, account)), Some(grant)) = (signed_in(ctx).await?, form.get("grant")?.and_then(|id| id.parse::<GrantId>().ok())) {
        ctx.state.store.end_grant(grant, Actor::Owner { account: account.id, by: None }, ctx.now).await?;
    }
    Ok(reply::see_other("/account/assets"))
}

async fn take_over(ctx: &Ctx, body: &Body) -> Result<HttpResponse, Fault> {
    let form = posted::own(ctx, body)?;
    ctx.charge(Try::SignIn)?;
    let Some((_, account)) = signed_in(ctx).await? else { return Ok(reply::see_other("/account/assets")) };
    ctx.charge_claim_code(account.id).await?;
    let code = form.get("code")?.unwrap_or_default().trim();
    match ctx.state.store.take_asset_claim(&TokenHash::of(code), account.id, ctx.now).await? {
        Some(did) => Ok(reply::see_other(&format!("/account/assets?claimed={did}#claim"))),
        // One sentence for all: who guesses learns nothing.
        None => {
            render(ctx, &account, None, Some("This code is not known, was used already, or is too old. Ask whoever gave it to you.")).await
        }
    }
}

async fn render(ctx: &Ctx, account: &Account, claimed: Option<&Asset>, problem: Option<&str>) -> Result<HttpResponse, Fault> {
    let store = &ctx.state.store;
    let first = AssetPage { after: None, before: None, last: false, limit: LONGEST_PAGE };
    let mine = store.assets(&AssetsOf::Account(account.id), &AssetFilter::default(), &first).await?;
    // Those that live first, and all of them that fit: each has its button.
    let all = GrantPage { limit: LONGEST_PAGE, ..GrantPage::default() };
    let (mut living, mut over) = (Vec::new(), Vec::new());
    for grant in store.grants_of_owner(account.id, &GrantPage { living_at: Some(ctx.now), ..all.clone() }).await? {
        living.push(line(ctx, &grant, &mine).await?);
    }
    for grant in store.grants_of_owner(account.id, &all).await? {
        if over.len() < OVER && (grant.ended_at.is_some() || grant.expires_at <= ctx.now) {
            over.push(line(ctx, &grant, &mine).await?);
        }
    }
    let browser = ctx.browser();
    let frame = reply::frame(&ctx.state, &ctx.request_id(), "What is yours");
    let page = AccountAssetsPage {
        frame: frame.clone(),
        csrf: browser.csrf(),
        living,
        over,
        mine: mine.iter().map(asset_line).collect(),
        claimed: claimed.map(words::asset_name),
        problem: problem.map(str::to_owned),
    };
    let status = if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let mut response = reply::page(status, &frame, &page, None);
    if browser.new {
        visit::add_cookie(&mut response, &browser.cookie(ctx.secure()));
    }
    Ok(response)
}

async fn line(ctx: &Ctx, grant: &Grant, mine: &[Asset]) -> Result<GrantLine, Fault> {
    let client = ctx.state.client(&grant.grantee).await?;
    let asset = match grant.asset {
        None => "everything that is yours".to_owned(),
        Some(did) => mine.iter().find(|asset| asset.did == did).map_or_else(|| words::end_of(&did), words::asset_name),
    };
    let terms = ctx.state.config.vocabulary.terms().iter().filter(|term| grant.permissions.contains(&term.name));
    let events = (!grant.events.is_empty()).then(|| "See documents and events about it".to_owned());
    Ok(GrantLine {
        id: grant.id.to_string(),
        app: client.map_or_else(|| grant.grantee.to_string(), |client| client.name.clone()),
        asset,
        may: terms.map(|term| term.title.clone()).chain(events).collect(),
        purpose: grant.purpose.clone(),
        since: words::day(grant.effective_at),
        until: ended(grant).unwrap_or_else(|| words::day(grant.expires_at)),
    })
}

// How it ended before its time.
fn ended(grant: &Grant) -> Option<String> {
    let day = words::day(grant.ended_at?);
    Some(match grant.ended {
        Some(GrantEnd::Owner) | None => format!("ended on {day}"),
        Some(GrantEnd::Grantee) => format!("given back by the app on {day}"),
        Some(GrantEnd::Operator) => format!("ended by the people who run this site on {day}"),
        Some(GrantEnd::Transfer) => format!("ended with the change of owner on {day}"),
        Some(GrantEnd::Replaced) => format!("replaced by a later one on {day}"),
    })
}

fn asset_line(asset: &Asset) -> AssetLine {
    let name = words::asset_name(asset);
    AssetLine {
        name: name.clone(),
        id: Some(words::end_of(&asset.did)).filter(|id| *id != name).unwrap_or_default(),
        did: asset.did.to_string(),
        value: String::new(),
        chosen: false,
    }
}
