//! The client credentials grant (RFC 6749 §4.4): a client that proved itself gets a token in its own name. Nothing is stored.

use crate::domain::AuthMethod;
use crate::policy::client_credentials::{self, Terms};
use crate::protocol::error::ErrorCode;
use crate::protocol::params::Params;
use crate::protocol::resource::Known;
use crate::store::ClientRecord;
use crate::tokens::{self, Access, TokenResponse};
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;

/// Mints the client's own token.
pub(super) async fn grant(ctx: &Ctx, client: &ClientRecord, params: &Params) -> Result<TokenResponse, Fault> {
    let (config, userinfo) = (&ctx.state.config, ctx.state.userinfo());
    let known = Known { resources: &config.resources, userinfo: &userinfo };
    let resource = known.named(&params.all("resource")?)?;
    let terms = Terms { known, self_made: config.registration.client_credentials_scope.as_ref() };
    let scope = client_credentials::scope(client, params.get("scope")?, resource.as_deref(), terms)?;
    // What is known of the client may be two seconds old; no record of the token would tell later that it was disabled before. The
    // statement that used up an assertion has looked already.
    if client.auth_method != AuthMethod::PrivateKeyJwt && !ctx.state.store.client_is_enabled(&client.id).await? {
        return Err(Fault::new(ErrorCode::InvalidClient, "this client is disabled"));
    }
    Ok(tokens::for_client(&ctx.state, client, Access { scope: &scope, resource: resource.as_deref() }, ctx.now)?)
}
