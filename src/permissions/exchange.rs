//! `POST /v1/tokens/exchange`: an app shows its own token, and gets one for an asset that was shared with it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use crate::domain::{EventFilter, PermissionSet};
use crate::endpoints::Endpoint;
use crate::policy::exchange::Shown;
use crate::protocol::asset_exchange::{ExchangeRequest, Terms};
use crate::web::bearer::{Refusal, invalid};
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::exchange::{self, Exchanged, Wish};
use crate::web::{bearer, reply};

/// The answer. The last three are there only where a part was wanted.
#[derive(Debug, Serialize)]
struct Reply {
    token: String,
    token_type: &'static str,
    /// Seconds.
    expires_in: u64,
    /// RFC 3339.
    expires_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    granted: Option<PermissionSet>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<PermissionSet>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_events: Option<Vec<EventFilter>>,
}

/// `POST /v1/tokens/exchange`.
pub async fn post(ctx: Ctx, body: Body) -> HttpResponse {
    match answer(&ctx, &body).await {
        Ok(reply) => reply::json(StatusCode::OK, &reply),
        Err(refusal) => {
            let response = match &refusal {
                Refusal::NoToken => invalid("an access token is missing: send it in the header Authorization, as Bearer").as_wire_json(),
                Refusal::Fault(fault) => fault.as_wire_json(),
            };
            bearer::challenged(&ctx, response, &refusal, Endpoint::ExchangeResource)
        }
    }
}

/// `GET /.well-known/oauth-protected-resource/v1/tokens/exchange`.
pub async fn metadata(ctx: Ctx) -> HttpResponse {
    bearer::resource_metadata(&ctx, Endpoint::Exchange, "Token exchange", &[])
}

async fn answer(ctx: &Ctx, body: &Body) -> Result<Reply, Refusal> {
    let token = bearer::in_header(ctx)?;
    let (client, claims) = bearer::verified(ctx, token).await?;
    let shown = Shown { client: &client, audience: &claims.audience() };
    if !shown.is_for(&exchange::address(&ctx.state)) {
        return Err(bearer::for_another().into());
    }
    let config = &ctx.state.config;
    let terms = Terms { vocabulary: &config.vocabulary, contracts: &config.assets.contracts };
    let asked = ExchangeRequest::parse(body.json(ctx)?, terms)?;
    let wish = Wish {
        asset: asked.asset,
        permissions: &asked.permissions,
        events: &asked.events,
        audience: &asked.audience,
        partial: asked.partial,
    };
    let Exchanged { token, ends, granted } = exchange::exchange(ctx, &claims, None, &wish).await.map_err(|refusal| match refusal {
        exchange::Refusal::Dead => bearer::ended(),
        exchange::Refusal::Fault(fault) => fault,
    })?;
    let told = asked.partial.then_some(granted);
    Ok(Reply {
        token,
        token_type: "Bearer",
        expires_in: ends.since(ctx.now.whole_second()).as_secs(),
        expires_at: ends.rfc3339(),
        granted: told.as_ref().map(|granted| granted.permissions.clone()),
        missing: told.as_ref().map(|granted| granted.missing.clone()),
        missing_events: told.map(|granted| granted.missing_events).filter(|events| !events.is_empty()),
    })
}
