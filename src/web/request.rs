//! A request as a client may make it, by a browser or from a device: its parameters read under that client's terms, its hint checked.

use super::ctx::Ctx;
use crate::domain::{AuthMethod, ClientKind, GrantType, Pkce, Scope};
use crate::keys::TokenKind;
use crate::policy::asset_access;
use crate::protocol::authorize::{AuthorizeRequest, ReturnPath, Terms};
use crate::protocol::device::DeviceRequest;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::params::Params;
use crate::protocol::resource::Known;
use crate::state::State;
use crate::store::ClientRecord;

/// Reads what is asked. Whom an `id_token_hint` names is believed only if the token is ours.
pub async fn read(ctx: &Ctx, params: &Params, client: &ClientRecord, return_path: &ReturnPath) -> Result<AuthorizeRequest, OAuthError> {
    let userinfo = ctx.state.userinfo();
    let terms = terms(&ctx.state, client, &userinfo);
    let mut request = AuthorizeRequest::parse(params, client.id.clone(), return_path.clone(), terms)?;
    if !client.may(GrantType::AuthorizationCode) {
        return Err(OAuthError::new(ErrorCode::UnauthorizedClient, "this client is not registered for the grant authorization_code"));
    }
    request.scope = usable(client, request.scope)?;
    let limits = asset_access::Terms { vocabulary: &ctx.state.config.vocabulary, limit: client.metadata.permissions.as_ref() };
    asset_access::admit(&request.details, limits)?;
    if let Some(hint) = params.get("id_token_hint")? {
        let claims = ctx.state.keys.verify(TokenKind::IdTokenHint, hint).await;
        let claims = claims.map_err(|_| OAuthError::new(ErrorCode::InvalidRequest, "id_token_hint is no ID Token of this server"))?;
        request.expected_subject = Some(claims.sub().to_owned());
    }
    Ok(request)
}

/// Reads what a device asks.
pub fn of_device(ctx: &Ctx, params: &Params, client: &ClientRecord) -> Result<DeviceRequest, OAuthError> {
    if params.has("authorization_details") {
        // RFC 9396 §5: what cannot be done is refused, not left out.
        let words = "authorization_details cannot be asked for from a device: the page on which assets are chosen belongs to /auth";
        return Err(OAuthError::new(ErrorCode::InvalidAuthorizationDetails, words));
    }
    let userinfo = ctx.state.userinfo();
    let request = DeviceRequest::parse(params, terms(&ctx.state, client, &userinfo))?;
    Ok(DeviceRequest { scope: usable(client, request.scope)?, ..request })
}

// OpenID Connect Core §11: offline_access asks for a refresh token; of a client that could not use one it is ignored.
fn usable(client: &ClientRecord, scope: Scope) -> Result<Scope, OAuthError> {
    if client.may(GrantType::RefreshToken) {
        return Ok(scope);
    }
    let scope = scope.without(&[Scope::OFFLINE_ACCESS]);
    if scope.is_empty() {
        return Err(OAuthError::new(ErrorCode::InvalidScope, "this client is not registered for the grant refresh_token"));
    }
    Ok(scope)
}

fn terms<'a>(state: &'a State, client: &'a ClientRecord, userinfo: &'a str) -> Terms<'a> {
    Terms {
        pkce: pkce_for(client),
        scope: client.metadata.scope.as_ref(),
        default_max_age: client.metadata.default_max_age,
        default_acr_values: &client.metadata.default_acr_values,
        known: Known { resources: &state.config.resources, userinfo },
    }
}

// RFC 9700 §2.1.1: public clients MUST use PKCE. Only a license has a named switch for its older apps.
fn pkce_for(client: &ClientRecord) -> Pkce {
    if client.auth_method == AuthMethod::None && client.kind == ClientKind::Oauth { Pkce::Required } else { client.pkce }
}
