//! `/auth`: an app sends a browser here. Parse the request, load who is signed in and what they agreed to, decide, and either send the
//! browser back with a code or begin a visit.

use actix_web::HttpResponse;

use super::par;
use crate::policy::authorize::{Approved, Step};
use crate::protocol::authorize::{NoReturnPath, ReturnPath, client_id};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::store::ClientRecord;
use crate::tokens;
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::respond::{self, Outcome};
use crate::web::visit::{self, Purpose};
use crate::web::{decision, documents, posted, request};

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
    let request = match request::read(ctx, &params, &client, &return_path).await {
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

// RFC 6749 §4.1.2.1: "the authorization server SHOULD inform the resource owner of the error and MUST NOT automatically redirect the
// user-agent to the invalid redirection URI."
pub(super) fn unreturnable(reason: NoReturnPath) -> Fault {
    match reason {
        NoReturnPath::Client(error) | NoReturnPath::RedirectUri(error) => Fault::OAuth(error),
    }
}
