//! `/auth`: an app sends a browser here. Parse the request, load who is signed in and what they agreed to, decide, and either send the
//! browser back with a code or begin a visit.

use actix_web::HttpResponse;

use super::par;
use crate::domain::{AuthMethod, ClientKind, GrantType, Pkce, Scope};
use crate::keys::TokenKind;
use crate::policy::authorize::{Approved, Step};
use crate::protocol::authorize::{AuthorizeRequest, NoReturnPath, ReturnPath, client_id};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::params::Params;
use crate::store::ClientRecord;
use crate::tokens;
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::respond::{self, Outcome};
use crate::web::visit::{self, Purpose};
use crate::web::{decision, documents, posted};

/// `GET /auth` (OpenID Connect Core §3.1.2.1).
pub async fn get(ctx: Ctx) -> HttpResponse {
    authorize(&ctx).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

/// `POST /auth`: OpenID Connect Core §3.1.2.1: "Authorization Servers MUST support the use of the HTTP GET and POST methods". A form
/// from another site arrives without our cookies, so it is kept and fetched by a page of ours.
pub async fn post(ctx: Ctx, body: Body) -> HttpResponse {
    posted::keep(&ctx, "/auth", &body).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

async fn authorize(ctx: &Ctx) -> Result<HttpResponse, Fault> {
    let (params, pushed) = par::unfold(ctx, posted::params(ctx, "/auth").await?).await?;
    let id = client_id(&params).map_err(unreturnable)?;
    let Some(client) = documents::client(ctx, &id).await? else {
        return Err(Fault::new(ErrorCode::InvalidClient, format!("client_id {id} is not registered here, or is disabled")));
    };
    let return_path = ReturnPath::find(&params, &client.redirect_uris).map_err(unreturnable)?;
    if !pushed && (ctx.state.config.pushed_requests.required || client.metadata.require_pushed_authorization_requests) {
        return Ok(respond::to_app(ctx, &return_path, &Outcome::Error(par::must_push())));
    }
    let request = match read(ctx, &params, &client, &return_path).await {
        Ok(request) => request,
        Err(error) => return Ok(respond::to_app(ctx, &return_path, &Outcome::Error(error))),
    };
    let (step, _) = decision::next(ctx, &client, request.clone(), None).await?;
    match step {
        Step::Approve(approved) => approve(ctx, &client, &approved).await,
        Step::Refuse(error) => Ok(respond::to_app(ctx, &return_path, &Outcome::Error(error))),
        Step::SignIn | Step::Consent { .. } => visit::begin(ctx, &Purpose::Authorize(Box::new(request))).await,
    }
}

/// What is asked, with the hint's signature checked: whom an ID Token names is believed only if it is ours.
pub(super) async fn read(
    ctx: &Ctx,
    params: &Params,
    client: &ClientRecord,
    return_path: &ReturnPath,
) -> Result<AuthorizeRequest, OAuthError> {
    let mut request = AuthorizeRequest::parse(params, client.id.clone(), return_path.clone(), pkce_for(client))?;
    if !client.may(GrantType::AuthorizationCode) {
        return Err(OAuthError::new(ErrorCode::UnauthorizedClient, "this client is not registered for the grant authorization_code"));
    }
    // OpenID Connect Core §11: offline_access asks for a refresh token; of a client that could not use one it is ignored.
    if !client.may(GrantType::RefreshToken) {
        request.scope = request.scope.without(&[Scope::OFFLINE_ACCESS]);
        if request.scope.is_empty() {
            return Err(OAuthError::new(ErrorCode::InvalidScope, "this client is not registered for the grant refresh_token"));
        }
    }
    if let Some(hint) = params.get("id_token_hint")? {
        let claims = ctx.state.keys.verify(TokenKind::IdTokenHint, hint).await;
        let claims = claims.map_err(|_| OAuthError::new(ErrorCode::InvalidRequest, "id_token_hint is no ID Token of this server"))?;
        request.expected_subject = Some(claims.sub().to_owned());
    }
    Ok(request)
}

// Already signed in and already agreed: no page, no visit.
async fn approve(ctx: &Ctx, client: &ClientRecord, approved: &Approved) -> Result<HttpResponse, Fault> {
    let (record, code) = tokens::new_code(&ctx.state, client, approved, ctx.now);
    let path = &approved.request().return_path;
    if ctx.state.store.put_code(&record, &code.hash()).await? {
        Ok(respond::to_app(ctx, path, &Outcome::Code(code)))
    } else {
        let error = OAuthError::new(ErrorCode::AccessDenied, "the account or the client was disabled");
        Ok(respond::to_app(ctx, path, &Outcome::Error(error)))
    }
}

// RFC 9700 §2.1.1: public clients MUST use PKCE. Only a license has a named switch for its older apps.
fn pkce_for(client: &ClientRecord) -> Pkce {
    if client.auth_method == AuthMethod::None && client.kind == ClientKind::Oauth { Pkce::Required } else { client.pkce }
}

// RFC 6749 §4.1.2.1: "the authorization server SHOULD inform the resource owner of the error and MUST NOT automatically redirect the
// user-agent to the invalid redirection URI."
pub(super) fn unreturnable(reason: NoReturnPath) -> Fault {
    match reason {
        NoReturnPath::Client(error) | NoReturnPath::RedirectUri(error) => Fault::OAuth(error),
    }
}
