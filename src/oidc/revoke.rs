//! `/token/revoke` (RFC 7009): a client is done with a token.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;

use super::client_form;
use crate::domain::RefreshToken;
use crate::keys::{TokenKind, TokenRefusal, VerifiedClaims};
use crate::protocol::error::ErrorCode;
use crate::store::ClientRecord;
use crate::tokens::{AssetTokenId, Record};
use crate::web::body::Body;
use crate::web::client;
use crate::web::ctx::Ctx;
use crate::web::exchange::is_asset_token;
use crate::web::fault::Fault;

/// `POST /token/revoke`.
pub async fn post(ctx: Ctx, body: Body) -> HttpResponse {
    match revoke(&ctx, &body).await {
        // RFC 7009 §2.2: "The authorization server responds with HTTP status code 200 if the token has been revoked successfully or if the
        // client submitted an invalid token."
        Ok(()) => HttpResponse::build(StatusCode::OK).insert_header((header::CACHE_CONTROL, "no-store")).finish(),
        Err(fault) => client::refusal(&ctx, &fault),
    }
}

// `token_type_hint` is not looked at: §2.1: "An authorization server MAY ignore this parameter, particularly if it is able to detect the
// token type automatically."
async fn revoke(ctx: &Ctx, body: &Body) -> Result<(), Fault> {
    let params = client_form::read(ctx, body)?;
    let client = client::authenticated(ctx, &params).await?;
    let text = params.need("token")?;
    if RefreshToken::looks_like(text) {
        if let Some(token) = RefreshToken::parse(text, &ctx.state.keys.pairwise_secret()) {
            // §2.1: "If the particular token is a refresh token …, then the authorization server SHOULD also invalidate all access tokens
            // based on the same authorization grant." One that was replaced ends its family too: whoever gives it up wants the end.
            ctx.state.store.end_family(token.family(), &client.id, ctx.now).await?;
        }
        return Ok(());
    }
    if is_asset_token(&ctx.state, text) {
        return asset_token(ctx, &client, text).await;
    }
    match ctx.state.keys.verify(TokenKind::AccessToken, text).await {
        Ok(claims) => access_token(ctx, &client, &claims).await,
        Err(TokenRefusal::WrongType) => no_id_token(ctx, &client, text).await,
        Err(TokenRefusal::UnknownKey) => {
            // A key of another replica is looked for in the database: only if that answers is the token known to be invalid.
            Ok(ctx.state.store.ping().await?)
        }
        Err(_) => Ok(()),
    }
}

// §2.1: the server "verifies whether the token was issued to the client making the revocation request". Whoever asks about another's
// token is told the same as of one that never was. The client's other tokens live on: to end them all, it revokes its refresh token.
async fn access_token(ctx: &Ctx, client: &ClientRecord, claims: &VerifiedClaims) -> Result<(), Fault> {
    if claims.text("client_id") != Some(client.id.as_str()) {
        return Ok(());
    }
    let store = &ctx.state.store;
    match claims.jti().and_then(Record::parse) {
        Some(Record::Code(id)) => store.revoke_code_token(id, &client.id, ctx.now).await?,
        Some(Record::Wallet(id)) => store.revoke_wallet_token(id, &client.id, ctx.now).await?,
        Some(Record::Refresh(_, token) | Record::Client(token)) => store.revoke_token(token, &client.id, claims.expires_at()).await?,
        Some(Record::Developer(id)) => store.revoke_developer_token(id, &client.id, ctx.now).await?,
        None => {}
    }
    Ok(())
}

// Whoever looks at it offline goes on to believe it until it ends; introspection does not. The grant lives on: to end that, there is the grant.
async fn asset_token(ctx: &Ctx, client: &ClientRecord, text: &str) -> Result<(), Fault> {
    match ctx.state.keys.verify(TokenKind::AssetToken, text).await {
        Ok(claims) if claims.text("client_id") == Some(client.id.as_str()) => {
            if let Some(token) = claims.jti().and_then(AssetTokenId::parse) {
                ctx.state.store.revoke_token(token.id, &client.id, claims.expires_at()).await?;
            }
            Ok(())
        }
        Err(TokenRefusal::UnknownKey) => Ok(ctx.state.store.ping().await?),
        _ => Ok(()),
    }
}

// §2.2.1: unsupported_token_type: "The authorization server does not support the revocation of the presented token type." Only for an ID
// Token of the caller's own: nobody learns from it what another's text is.
async fn no_id_token(ctx: &Ctx, client: &ClientRecord, text: &str) -> Result<(), Fault> {
    match ctx.state.keys.verify(TokenKind::IdToken, text).await {
        Ok(claims) if claims.audience() == [client.id.as_str()] => Err(Fault::new(
            ErrorCode::UnsupportedTokenType,
            "token is an ID Token, which cannot be revoked; send the access token or the refresh token",
        )),
        _ => Ok(()),
    }
}
