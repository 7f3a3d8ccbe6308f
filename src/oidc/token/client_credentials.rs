//! The client credentials grant (RFC 6749 §4.4): a client that proved itself gets a token in its own name. Nothing is stored.

use crate::domain::AuthMethod;
use crate::policy::client_credentials;
use crate::protocol::error::ErrorCode;
use crate::protocol::params::Params;
use crate::store::ClientRecord;
use crate::tokens::{self, TokenResponse};
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;

/// Mints the client's own token.
pub(super) async fn grant(ctx: &Ctx, client: &ClientRecord, params: &Params) -> Result<TokenResponse, Fault> {
    let scope = client_credentials::scope(client, params.get("scope")?)?;
    // What is known of the client may be two seconds old; no record of the token would tell later that it was disabled before. The
    // statement that used up an assertion has looked already.
    if client.auth_method != AuthMethod::PrivateKeyJwt && !ctx.state.store.client_is_enabled(&client.id).await? {
        return Err(Fault::new(ErrorCode::InvalidClient, "this client is disabled"));
    }
    Ok(tokens::for_client(&ctx.state, client, &scope, ctx.now)?)
}
