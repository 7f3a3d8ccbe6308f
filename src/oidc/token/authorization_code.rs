//! The authorization code grant (RFC 6749 §4.1.3): one statement spends the code and returns all that the tokens are made from.

use crate::domain::TokenHash;
use crate::policy::redeem::{self, NotSpent, Presented};
use crate::protocol::params::Params;
use crate::protocol::resource::{self, Known};
use crate::store::{ClientRecord, NewCode};
use crate::tokens::{self, TokenResponse};
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;

/// Spends the code and mints its tokens.
pub(super) async fn redeem(ctx: &Ctx, client: &ClientRecord, params: &Params) -> Result<TokenResponse, Fault> {
    let code = params.need("code")?;
    let presented = Presented { redirect_uri: params.get_any(&["redirect_uri", "domain"])?, code_verifier: params.get("code_verifier")? };
    let asked = params.all("resource")?;
    let userinfo = ctx.state.userinfo();
    let known = Known { resources: &ctx.state.config.resources, userinfo: &userinfo };
    // What nobody could have been granted spends no code.
    known.named(&asked)?;
    let hash = TokenHash::of(code);
    let Some(redeemed) = ctx.state.store.redeem_code(&hash, &client.id, ctx.now).await? else {
        return Err(why_not(ctx, client, &hash).await?);
    };
    redeem::decide(&redeemed, presented)?;
    // RFC 8707 §2.2: what is granted stays with the code's record; this access token may be for less of it.
    let resource = resource::narrow(redeemed.code.resource.as_deref(), &asked)?;
    let scope = known.applicable(&redeemed.code.scope, resource.as_deref());
    let record = NewCode { scope, resource, ..redeemed.code };
    let told = tokens::told(&ctx.state, &record, redeemed.wallet).await?;
    Ok(tokens::for_person(&ctx.state, client, &record, redeemed.wallet, &told, Some(code), ctx.now)?)
}

async fn why_not(ctx: &Ctx, client: &ClientRecord, hash: &TokenHash) -> Result<Fault, Fault> {
    let state = ctx.state.store.code_state(hash).await?;
    let same_client = state.as_ref().is_some_and(|state| state.client_id == client.id);
    match redeem::not_spent(state.as_ref(), same_client) {
        NotSpent::Refuse(error) => Ok(error.into()),
        NotSpent::RevokeAndRefuse(error) => {
            // A revocation that could not be stored is an error of its own, never a plain refusal.
            ctx.state.store.revoke_code(hash, ctx.now).await?;
            tracing::warn!(client_id = %client.id, "a code was presented again: its tokens are revoked");
            Ok(error.into())
        }
    }
}
