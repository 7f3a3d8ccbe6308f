//! Access to assets on the consent page (RFC 9396, type `asset_access`): what the owner may agree to, as it is at this moment, and what
//! they have agreed to, recomputed from the request that was stored. A form only chooses among what the request holds.

use crate::domain::{AccountId, Asset, AssetDid, GrantId, GrantSource, Permission, PermissionSet};
use crate::policy::asset_access::{Chosen, Declined, Giving, Offer, fits};
use crate::protocol::authorization_details::{AssetAccess, Assets, Filter};
use crate::protocol::authorize::AuthorizeRequest;
use crate::protocol::params::Params;
use crate::store::{Actor, Agreed, Agreeing, AssetFilter, AssetPage, AssetsOf, Granting, LONGEST_PAGE, NewGrant, Session, StoreError};
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::visit::{Visit, VisitFault};

/// A detail of a request, with the owner's assets that it is about.
pub(super) struct Found<'a> {
    detail: &'a AssetAccess,
    assets: Vec<Asset>,
    has_any: bool,
}

impl Found<'_> {
    pub(super) fn offer(&self, ctx: &Ctx) -> Offer<'_> {
        Offer { detail: self.detail, assets: &self.assets, has_any: self.has_any, longest: ctx.state.config.assets.longest_grant }
    }
}

/// Looks up what each detail is about.
pub(super) async fn find<'a>(ctx: &Ctx, details: &'a [AssetAccess], account: AccountId) -> Result<Vec<Found<'a>>, StoreError> {
    let mut found = Vec::with_capacity(details.len());
    let has_any = !details.is_empty() && !page(ctx, account, AssetFilter::default(), 1).await?.is_empty();
    for detail in details {
        let assets = match &detail.assets {
            Assets::These(dids) => named(ctx, dids, account).await?,
            Assets::All => page(ctx, account, AssetFilter::default(), LONGEST_PAGE).await?,
            Assets::Pick(pick) => {
                let mut assets = page(ctx, account, filter(&pick.filter), LONGEST_PAGE).await?;
                assets.retain(|asset| fits(detail, &asset.did, &ctx.state.config.vocabulary));
                assets
            }
        };
        found.push(Found { detail, assets, has_any });
    }
    Ok(found)
}

async fn named(ctx: &Ctx, dids: &[AssetDid], account: AccountId) -> Result<Vec<Asset>, StoreError> {
    let mut assets = Vec::with_capacity(dids.len());
    for did in dids {
        assets.extend(ctx.state.store.owned_asset(did, account).await?);
    }
    Ok(assets)
}

async fn page(ctx: &Ctx, account: AccountId, filter: AssetFilter, limit: u32) -> Result<Vec<Asset>, StoreError> {
    let first = AssetPage { after: None, before: None, last: false, limit };
    ctx.state.store.assets(&AssetsOf::Account(account), &filter, &first).await
}

fn filter(filter: &Filter) -> AssetFilter {
    AssetFilter {
        method: None,
        makes: filter.make.clone(),
        models: filter.model.clone(),
        powertrains: filter.powertrain.clone(),
        year: filter.year,
        owner: None,
    }
}

/// The names of a block's fields.
pub(super) fn asset_field(number: usize, place: usize) -> String {
    format!("asset.{number}.{place}")
}

pub(super) fn optional_field(number: usize, permission: &str) -> String {
    format!("optional.{number}.{permission}")
}

pub(super) fn span_field(number: usize) -> String {
    format!("span.{number}")
}

/// What the form says of each detail.
///
/// # Errors
/// A field came twice.
pub(super) fn chosen(form: &Params, details: &[AssetAccess]) -> Result<Vec<Chosen>, Fault> {
    let mut all = Vec::with_capacity(details.len());
    for (number, detail) in details.iter().enumerate() {
        let mut chosen = Chosen::default();
        for place in 0..LONGEST_PAGE as usize {
            let Some(value) = form.get(&asset_field(number, place))? else { continue };
            // Nothing of ours writes anything else.
            let shown = value.split_once(' ').and_then(|(epoch, did)| Some((did.parse().ok()?, epoch.parse().ok()?)));
            chosen.assets.extend(shown);
        }
        let mut optional: Vec<Permission> = Vec::new();
        for permission in detail.optional_actions.iter() {
            if form.get(&optional_field(number, permission.as_str()))?.is_some() {
                optional.push(permission.clone());
            }
        }
        chosen.optional = optional.into_iter().collect::<PermissionSet>();
        chosen.span = form.get(&span_field(number))?.and_then(|seconds| seconds.parse().ok());
        all.push(chosen);
    }
    Ok(all)
}

/// Stores the consent and what was chosen, all of it or nothing.
///
/// # Errors
/// The inner one: why it cannot be granted; the page asks again.
pub(super) async fn agree(
    ctx: &Ctx,
    visit: &Visit,
    request: &AuthorizeRequest,
    session: &Session,
    choices: &[Chosen],
) -> Result<Result<(), Declined>, Fault> {
    let found = find(ctx, &request.details, session.account_id).await?;
    let mut grants = Vec::new();
    for (found, chosen) in found.iter().zip(choices) {
        match found.offer(ctx).grant(chosen, &ctx.state.config.vocabulary) {
            Ok(givings) => grants.extend(givings.into_iter().map(|giving| new_grant(ctx, request, giving))),
            Err(declined) => return Ok(Err(declined)),
        }
    }
    let agreeing = Agreeing {
        visit: visit.id,
        browser: visit.browser.hash(),
        account: session.account_id,
        client: request.client_id.clone(),
        scope: request.consent_scope(),
        granting: Granting {
            by: Actor::Owner { account: session.account_id, by: None },
            source: GrantSource::Consent,
            visit: Some(visit.id),
            replaces: true,
        },
        grants,
    };
    match ctx.state.store.agree(agreeing, ctx.now).await? {
        Agreed::Over => Err(Fault::Visit(VisitFault::Over)),
        // It has changed hands between the look at it and the commit.
        Agreed::NotTheirs(Some(did)) => Ok(Err(Declined::Changed(did))),
        // Where the account or the app has been disabled meanwhile, the next page says so.
        Agreed::Done | Agreed::NotTheirs(None) => Ok(Ok(())),
    }
}

/// Ends what was granted in a visit.
pub(super) async fn take_back(ctx: &Ctx, visit: &Visit) -> Result<(), StoreError> {
    for grant in ctx.state.store.grants_of_visit(visit.id).await? {
        if let Some(account) = grant.grantor_account {
            ctx.state.store.end_grant(grant.id, Actor::Owner { account, by: None }, ctx.now).await?;
        }
    }
    Ok(())
}

fn new_grant(ctx: &Ctx, request: &AuthorizeRequest, giving: Giving) -> NewGrant {
    NewGrant {
        id: GrantId(ctx.state.entropy.uuid(ctx.now)),
        asset: giving.asset,
        grantee: request.client_id.clone(),
        permissions: giving.permissions,
        events: giving.events,
        effective_at: ctx.now,
        expires_at: ctx.now.plus(giving.span),
        template: None,
        purpose: giving.purpose,
    }
}
