//! The refresh token grant (RFC 6749 §6): one statement uses the token and returns all that the new tokens are made from.

use crate::domain::{RefreshToken, Scope};
use crate::policy::claims::Reach;
use crate::policy::redeem::NotSpent;
use crate::policy::refresh;
use crate::protocol::claims_request::ClaimsRequest;
use crate::protocol::params::Params;
use crate::protocol::resource::{self, Known};
use crate::store::{ClientRecord, Refresh};
use crate::tokens::{self, Access, TokenResponse};
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::granted;

/// Uses the refresh token and mints new tokens.
pub(super) async fn grant(ctx: &Ctx, client: &ClientRecord, params: &Params) -> Result<TokenResponse, Fault> {
    let text = params.need("refresh_token")?;
    let asked = params.get("scope")?;
    let resources = params.all("resource")?;
    let userinfo = ctx.state.userinfo();
    let known = Known { resources: &ctx.state.config.resources, userinfo: &userinfo };
    // What nobody could have been granted costs nothing.
    known.named(&resources)?;
    let presented = RefreshToken::parse(text, &ctx.state.keys.pairwise_secret()).ok_or_else(refresh::unknown)?;
    let narrowed = match asked {
        Some(asked) => narrowed(ctx, client, &presented, asked).await?,
        None => None,
    };
    let next = refresh::rotates(client).then(|| tokens::new_refresh_token(&ctx.state, presented.family()));
    let lifetimes = tokens::refresh_lifetimes(&ctx.state, client, ctx.now);
    let refreshed = ctx.state.store.refresh(Refresh {
        family: presented.family(),
        client_id: client.id.clone(),
        presented: presented.hash(),
        next: next.as_ref().map(RefreshToken::hash),
        now: ctx.now,
        idle_expires_at: lifetimes.idle,
        kept_at_least: lifetimes.kept_at_least,
        kept_until: lifetimes.kept_until,
        seen_since: tokens::sessions_seen_since(&ctx.state, ctx.now),
    });
    let Some(family) = refreshed.await? else { return Err(why_not(ctx, client, &presented).await?) };
    // RFC 8707 §2.2: the access token may be for less than the family; what was asked for beyond it leaves the token that was presented
    // in force, as after any reply that was lost.
    let resource = resource::narrow(family.resource.as_deref(), &resources)?;
    let scope = known.applicable(narrowed.as_ref().unwrap_or(&family.scope), resource.as_deref());
    let access = Access { scope: &scope, resource: resource.as_deref() };
    let claims = ClaimsRequest::stored(family.claims.as_ref()).narrowed(&family.scope, &scope).to_stored();
    let reach = Reach { wallet: family.wallet, email: family.email.as_ref() };
    let told = tokens::told(&ctx.state, family.account_id, claims.as_ref(), reach).await?;
    let mut response = tokens::for_refresh(&ctx.state, client, &family, access, &told, next.as_ref().unwrap_or(&presented), ctx.now)?;
    response.authorization_details = granted::told(ctx, family.account_id, &client.id, family.authorization_details.as_ref()).await?;
    Ok(response)
}

// Looked at before the token is used, so that asking for too much costs nothing; the scope of a family never changes. Nothing: the token
// is none of this client's, which the use itself will say.
async fn narrowed(ctx: &Ctx, client: &ClientRecord, presented: &RefreshToken, asked: &str) -> Result<Option<Scope>, Fault> {
    let state = ctx.state.store.family_state(presented.family()).await?;
    match state.filter(|state| state.client_id == client.id) {
        Some(state) => Ok(Some(refresh::narrowed(&state.scope, asked)?)),
        None => Ok(None),
    }
}

async fn why_not(ctx: &Ctx, client: &ClientRecord, presented: &RefreshToken) -> Result<Fault, Fault> {
    let state = ctx.state.store.family_state(presented.family()).await?;
    match refresh::not_refreshed(state.as_ref(), &client.id, &presented.hash(), ctx.now) {
        NotSpent::Refuse(error) => Ok(error.into()),
        NotSpent::RevokeAndRefuse(error) => {
            // A revocation that could not be stored is an error of its own, never a plain refusal.
            ctx.state.store.end_family(presented.family(), &client.id, ctx.now).await?;
            tracing::warn!(client_id = %client.id, "a spent refresh token was presented: its family is revoked");
            Ok(error.into())
        }
    }
}
