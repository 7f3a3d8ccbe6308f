//! The authorization code grant (RFC 6749 §4.1.3): one statement spends the code and returns all that the tokens are made from. Where a
//! refresh token is due, its family is stored in the same transaction.

use crate::domain::{FamilyId, RefreshToken, TokenHash};
use crate::policy::redeem::{self, NotSpent, Presented};
use crate::policy::refresh::{self, Binding};
use crate::protocol::params::Params;
use crate::store::{ClientRecord, NewFamily, RedeemedCode};
use crate::tokens::{self, TokenResponse};
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;

/// Spends the code and mints its tokens.
pub(super) async fn grant(ctx: &Ctx, client: &ClientRecord, params: &Params) -> Result<TokenResponse, Fault> {
    let code = params.need("code")?;
    let presented = Presented { redirect_uri: params.get_any(&["redirect_uri", "domain"])?, code_verifier: params.get("code_verifier")? };
    let hash = TokenHash::of(code);
    let (redeemed, refresh_token) = if refresh::is_marked(code) || client.metadata.refresh_with_session {
        with_refresh_token(ctx, client, &hash, presented).await?
    } else {
        (ctx.state.store.redeem_code(&hash, &client.id, ctx.now).await?, None)
    };
    let Some(redeemed) = redeemed else { return Err(why_not(ctx, client, &hash).await?) };
    redeem::decide(&redeemed, presented)?;
    let mut response = tokens::for_person(&ctx.state, client, &redeemed.code, redeemed.wallet, Some(code), ctx.now)?;
    if let Some(token) = refresh_token.filter(|_| refresh::binding(client, &redeemed.code).is_some()) {
        response.refresh_token = Some(token.expose().to_owned());
    }
    Ok(response)
}

// A code that is refused begins no family: whether it is, is decided inside the transaction that spends it.
async fn with_refresh_token(
    ctx: &Ctx,
    client: &ClientRecord,
    hash: &TokenHash,
    presented: Presented<'_>,
) -> Result<(Option<RedeemedCode>, Option<RefreshToken>), Fault> {
    let token = tokens::new_refresh_token(&ctx.state, FamilyId(ctx.state.entropy.uuid(ctx.now)));
    let lifetimes = tokens::refresh_lifetimes(&ctx.state, client, ctx.now);
    let (id, current) = (token.family(), token.hash());
    let (client_then, redirect_uri, code_verifier) =
        (client.clone(), presented.redirect_uri.map(str::to_owned), presented.code_verifier.map(str::to_owned));
    let plan = move |redeemed: &RedeemedCode| {
        let presented = Presented { redirect_uri: redirect_uri.as_deref(), code_verifier: code_verifier.as_deref() };
        redeem::decide(redeemed, presented).ok()?;
        let session_id = match refresh::binding(&client_then, &redeemed.code)? {
            Binding::Offline => None,
            Binding::Session(id) => Some(id),
        };
        Some(NewFamily {
            id,
            current,
            session_id,
            idle_expires_at: lifetimes.idle.min(lifetimes.absolute),
            expires_at: lifetimes.absolute,
            kept_until: lifetimes.kept_until,
        })
    };
    let redeemed = ctx.state.store.redeem_code_for_family(hash, &client.id, ctx.now, plan).await?;
    Ok((redeemed, Some(token)))
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
