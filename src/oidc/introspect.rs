//! `/token/introspect` (RFC 7662): a client that can prove itself asks whether a token that is meant for it holds, and what it says.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use super::client_form;
use crate::domain::{AuthMethod, ClientId, KeyPurpose, RefreshToken};
use crate::keys::{TokenKind, VerifiedClaims};
use crate::policy::introspection::{may_see, may_see_asset_token};
use crate::policy::subject::Person;
use crate::protocol::error::ErrorCode;
use crate::store::ClientRecord;
use crate::tokens;
use crate::web::body::Body;
use crate::web::client;
use crate::web::ctx::Ctx;
use crate::web::exchange::{client_of, is_asset_token, still_holds};
use crate::web::fault::Fault;
use crate::web::granted;
use crate::web::living::{Living, living};
use crate::web::reply;

/// RFC 7662 §2.2. A token that does not live, or is not for the caller, has no member but `active`.
#[derive(Debug, Serialize)]
struct Introspection {
    active: bool,
    #[serde(flatten)]
    told: Option<Told>,
}

#[derive(Debug, Serialize)]
struct Told {
    scope: String,
    client_id: String,
    sub: String,
    aud: serde_json::Value,
    iss: String,
    exp: i64,
    iat: i64,
    /// `Bearer`; of a refresh token another word, so that no resource server takes one for an access token.
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<String>,
    /// RFC 9396 §9.2: "the authorization details … as assigned to the access token", as they are now.
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_details: Option<serde_json::Value>,
    #[serde(flatten)]
    asset: Option<OfAsset>,
}

/// What an asset token says besides (RFC 7662 §2.2: "Specific implementations MAY extend this structure").
#[derive(Debug, Serialize)]
struct OfAsset {
    nbf: i64,
    asset: serde_json::Value,
    permissions: serde_json::Value,
    cloud_events: serde_json::Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<serde_json::Value>,
}

/// `POST /token/introspect`.
pub async fn post(ctx: Ctx, body: Body) -> HttpResponse {
    match introspect(&ctx, &body).await {
        Ok(told) => reply::json(StatusCode::OK, &Introspection { active: told.is_some(), told }),
        Err(fault) => client::refusal(&ctx, &fault),
    }
}

async fn introspect(ctx: &Ctx, body: &Body) -> Result<Option<Told>, Fault> {
    let params = client_form::read(ctx, body)?;
    let caller = client::authenticated(ctx, &params).await?;
    // RFC 7662 §2.1: "To prevent token scanning attacks, the endpoint MUST also require some form of authorization to access this endpoint".
    if caller.auth_method == AuthMethod::None {
        let words = "this client is public: only a client that proves itself may ask about tokens";
        return Err(Fault::new(ErrorCode::InvalidClient, words));
    }
    let text = params.need("token")?;
    if RefreshToken::looks_like(text) {
        return refresh_token(ctx, &caller, text).await;
    }
    let kind = if is_asset_token(&ctx.state, text) { TokenKind::AssetToken } else { TokenKind::AccessToken };
    match ctx.state.keys.verify(kind, text).await {
        Ok(claims) if kind == TokenKind::AssetToken => asset_token(ctx, &caller, &claims).await,
        Ok(claims) => access_token(ctx, &caller, &claims).await,
        Err(_) => Ok(None),
    }
}

// It holds as long as what it says is granted: a grant that was revoked or narrowed, an asset that was passed on, end it here at once.
async fn asset_token(ctx: &Ctx, caller: &ClientRecord, claims: &VerifiedClaims) -> Result<Option<Told>, Fault> {
    let Some(client) = client_of(claims) else { return Ok(None) };
    if !may_see_asset_token(&caller.id, &client, &claims.audience(), &ctx.state.config.resources) || !still_holds(ctx, claims).await? {
        return Ok(None);
    }
    let claim = |name: &str| claims.as_map().get(name).cloned();
    let permissions = claim("permissions").unwrap_or_default();
    let names: Vec<&str> = permissions.as_array().into_iter().flatten().filter_map(serde_json::Value::as_str).collect();
    Ok(Some(Told {
        scope: names.join(" "),
        client_id: client.to_string(),
        sub: claims.sub().to_owned(),
        aud: claim("aud").unwrap_or_default(),
        iss: ctx.state.keys.issuer(KeyPurpose::Assets).to_owned(),
        exp: claims.expires_at().seconds(),
        iat: claims.issued_at().seconds(),
        token_type: "Bearer",
        jti: claims.jti().map(str::to_owned),
        auth_time: None,
        acr: None,
        asset: Some(OfAsset {
            nbf: claims.issued_at().seconds(),
            asset: claim("asset").unwrap_or_default(),
            permissions,
            cloud_events: claim("cloud_events").unwrap_or_default(),
            act: claim("act"),
        }),
        authorization_details: None,
    }))
}

async fn access_token(ctx: &Ctx, caller: &ClientRecord, claims: &VerifiedClaims) -> Result<Option<Told>, Fault> {
    let Some(client) = claims.text("client_id").and_then(|id| id.parse::<ClientId>().ok()) else { return Ok(None) };
    if !may_see(&caller.id, &client, &claims.audience(), &ctx.state.config.resources) {
        return Ok(None);
    }
    let Some(living) = living(ctx, claims).await? else { return Ok(None) };
    let authorization_details = match &living {
        Living::Person(person) => granted::told(ctx, person.account_id, &client, person.authorization_details.as_ref()).await?,
        Living::Developer(_) | Living::Client => None,
    };
    Ok(Some(Told {
        scope: claims.text("scope").unwrap_or_default().to_owned(),
        client_id: client.to_string(),
        sub: claims.sub().to_owned(),
        aud: claims.as_map().get("aud").cloned().unwrap_or_default(),
        iss: ctx.state.issuer().to_owned(),
        exp: claims.expires_at().seconds(),
        iat: claims.issued_at().seconds(),
        token_type: "Bearer",
        jti: claims.jti().map(str::to_owned),
        auth_time: claims.auth_time().map(crate::domain::Timestamp::seconds),
        acr: claims.text("acr").map(str::to_owned),
        authorization_details,
        asset: None,
    }))
}

// A refresh token is for this server alone: no resource server has business with it, only its own client.
async fn refresh_token(ctx: &Ctx, caller: &ClientRecord, text: &str) -> Result<Option<Told>, Fault> {
    let Some(token) = RefreshToken::parse(text, &ctx.state.keys.pairwise_secret()) else { return Ok(None) };
    let seen_since = tokens::sessions_seen_since(&ctx.state, ctx.now);
    let found = ctx.state.store.living_refresh_token(token.family(), &caller.id, &token.hash(), ctx.now, seen_since).await?;
    Ok(found.map(|found| Told {
        scope: found.scope.to_string(),
        client_id: caller.id.to_string(),
        sub: tokens::subject_at(
            &ctx.state,
            caller,
            Person { account_id: found.account_id, provider: &found.provider, subject: &found.subject },
        ),
        aud: ctx.state.issuer().into(),
        iss: ctx.state.issuer().to_owned(),
        exp: found.idle_expires_at.min(found.expires_at).seconds(),
        iat: found.issued_at.seconds(),
        token_type: "refresh_token",
        jti: None,
        auth_time: Some(found.authenticated_at.seconds()),
        acr: None,
        authorization_details: None,
        asset: None,
    }))
}
