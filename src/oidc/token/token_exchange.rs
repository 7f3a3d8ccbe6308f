//! The token exchange (RFC 8693): an app's own token, for one of an asset that was shared with it; or, with an actor token, on behalf of the
//! person or app whose token was sent to it. It gives what `POST /v1/tokens/exchange` gives, by the same move.

use crate::domain::AssetDid;
use crate::keys::{TokenKind, VerifiedClaims};
use crate::policy::exchange::{Shown, check_parties};
use crate::policy::grants::Granted;
use crate::protocol::authorization_details::{AssetAccess, Assets};
use crate::protocol::error::ErrorCode;
use crate::protocol::params::Params;
use crate::protocol::token_exchange::TokenExchange;
use crate::store::ClientRecord;
use crate::tokens::{OnBehalf, TokenResponse};
use crate::web::ctx::Ctx;
use crate::web::exchange::{self, Refusal, Wish, client_of, is_asset_token};
use crate::web::fault::Fault;
use crate::web::living::living;

/// Exchanges the token.
pub(super) async fn grant(ctx: &Ctx, client: &ClientRecord, params: &Params) -> Result<TokenResponse, Fault> {
    let asked = TokenExchange::parse(params, &ctx.state.config.vocabulary)?;
    let subject = verified(ctx, "subject_token", &asked.subject_token).await?;
    let actor = match &asked.actor_token {
        Some(token) => Some(verified(ctx, "actor_token", token).await?),
        None => None,
    };
    let none = || invalid("a token names no client");
    let (subject_client, subject_audience) = (client_of(&subject).ok_or_else(none)?, subject.audience());
    let actor_client = actor.as_ref().map(|actor| client_of(actor).ok_or_else(none)).transpose()?;
    let actor_audience = actor.as_ref().map(VerifiedClaims::audience).unwrap_or_default();
    check_parties(
        &client.id,
        Shown { client: &subject_client, audience: &subject_audience },
        actor_client.as_ref().map(|client| Shown { client, audience: &actor_audience }),
        &exchange::address(&ctx.state),
        &ctx.state.config.resources,
    )?;
    let ended = || invalid("a token was revoked, or its account, its client or its API key is disabled");
    if actor.is_some() && living(ctx, &subject).await?.is_none() {
        return Err(ended());
    }
    let wish =
        Wish { asset: asked.asset, permissions: &asked.permissions, events: &asked.events, audience: &asked.audience, partial: false };
    let on_behalf = actor.as_ref().map(|actor| OnBehalf { actor, subject: &subject });
    let exchanged = exchange::exchange(ctx, actor.as_ref().unwrap_or(&subject), on_behalf, &wish).await;
    let exchanged = exchanged.map_err(|refusal| match refusal {
        Refusal::Dead => ended(),
        Refusal::Fault(fault) => fault,
    })?;
    Ok(TokenResponse {
        access_token: exchanged.token,
        token_type: "Bearer",
        expires_in: exchanged.ends.since(ctx.now.whole_second()).as_secs(),
        id_token: None,
        scope: exchanged.granted.permissions.to_string(),
        // RFC 8693 §2.2.1: a refresh token is for when "the client of the token exchange needs the ability to access a resource even when the
        // original credential is no longer valid", which nobody needs here: the grant is asked each time.
        refresh_token: None,
        issued_token_type: Some(asked.issued_token_type),
        authorization_details: Some(told(&asked.asset, &exchanged.granted)?),
    })
}

// RFC 9396 §7: "the AS MUST also return the "authorization_details" as granted".
fn told(asset: &AssetDid, granted: &Granted) -> Result<serde_json::Value, Fault> {
    let detail = AssetAccess::to(Assets::These(vec![*asset]), granted.permissions.clone(), granted.events.clone());
    serde_json::to_value([detail]).map_err(|reason| Fault::Broken(format!("authorization_details: {reason}")))
}

// What cannot be exchanged again for more is said to be that, and not merely unknown.
async fn verified(ctx: &Ctx, name: &'static str, token: &str) -> Result<VerifiedClaims, Fault> {
    match ctx.state.keys.verify(TokenKind::AccessToken, token).await {
        Ok(claims) => Ok(claims),
        Err(_) if is_asset_token(&ctx.state, token) => Err(invalid(format!("{name} is an asset token, which cannot be exchanged again"))),
        Err(reason) => {
            tracing::debug!(?reason, name, "a token was refused");
            Err(invalid(format!("{name} is no access token of ours, has expired, or was changed")))
        }
    }
}

// RFC 8693 §2.2.2: "The value of the "error" parameter MUST be the "invalid_request" error code" for a token that is not accepted.
fn invalid(description: impl Into<std::borrow::Cow<'static, str>>) -> Fault {
    Fault::new(ErrorCode::InvalidRequest, description)
}
