//! The authorization code grant (RFC 6749 §4.1.3): one statement spends the code and returns all that the tokens are made from. Where a
//! refresh token is due, its family is stored in the same transaction.

use crate::domain::{FamilyId, RefreshToken, TokenHash};
use crate::policy::claims::Reach;
use crate::policy::redeem::{self, NotSpent, Presented};
use crate::policy::refresh;
use crate::protocol::params::Params;
use crate::protocol::resource::{self, Known};
use crate::store::{ClientRecord, NewCode, RedeemedCode};
use crate::tokens::{self, TokenResponse};
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::granted;

/// Spends the code and mints its tokens.
pub(super) async fn grant(ctx: &Ctx, client: &ClientRecord, params: &Params) -> Result<TokenResponse, Fault> {
    let code = params.need("code")?;
    let presented = Presented { redirect_uri: params.get_any(&["redirect_uri", "domain"])?, code_verifier: params.get("code_verifier")? };
    let asked = params.all("resource")?;
    let userinfo = ctx.state.userinfo();
    let known = Known { resources: &ctx.state.config.resources, userinfo: &userinfo };
    // What nobody could have been granted spends no code.
    known.named(&asked)?;
    let hash = TokenHash::of(code);
    let (redeemed, refresh_token) = if refresh::is_marked(code) || client.metadata.refresh_with_session {
        with_refresh_token(ctx, client, &hash, presented).await?
    } else {
        (ctx.state.store.redeem_code(&hash, &client.id, ctx.now).await?, None)
    };
    let Some(redeemed) = redeemed else { return Err(why_not(ctx, client, &hash).await?) };
    redeem::decide(&redeemed, presented)?;
    let due = refresh::binding(client, &redeemed.code).is_some();
    // RFC 8707 §2.2: what is granted stays with the code's record; this access token may be for less of it.
    let resource = resource::narrow(redeemed.code.resource.as_deref(), &asked)?;
    let scope = known.applicable(&redeemed.code.scope, resource.as_deref());
    let record = NewCode { scope, resource, ..redeemed.code };
    let reach = Reach { wallet: redeemed.wallet, email: redeemed.email.as_ref() };
    let told = tokens::told(&ctx.state, record.account_id, record.claims.as_ref(), reach).await?;
    let mut response = tokens::for_person(&ctx.state, client, &record, reach, &told, Some(code), ctx.now)?;
    response.authorization_details = granted::told(ctx, record.account_id, &client.id, record.authorization_details.as_ref()).await?;
    if let Some(token) = refresh_token.filter(|_| due) {
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
    let begun = token.clone();
    let (client_then, redirect_uri, code_verifier) =
        (client.clone(), presented.redirect_uri.map(str::to_owned), presented.code_verifier.map(str::to_owned));
    let plan = move |redeemed: &RedeemedCode| {
        let presented = Presented { redirect_uri: redirect_uri.as_deref(), code_verifier: code_verifier.as_deref() };
        redeem::decide(redeemed, presented).ok()?;
        Some(lifetimes.family(&begun, refresh::binding(&client_then, &redeemed.code)?))
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
