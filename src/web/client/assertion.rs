//! A client that proves itself by an assertion (`private_key_jwt`): claims decided, keys loaded, signature checked, `jti` used up.

use std::sync::Arc;

use crate::domain::TokenHash;
use crate::endpoints::Endpoint;
use crate::keys::{ClientKeys, NotTheirs};
use crate::policy::client_assertion;
use crate::protocol::client_assertion::ClientAssertion;
use crate::protocol::error::ErrorCode;
use crate::state::NoKeys;
use crate::store::ClientRecord;
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;

/// Looks at an assertion of a client that may send one.
///
/// # Errors
/// `invalid_client`, with what is wrong; an outage when the client's keys cannot be had, which says nothing of the assertion.
pub(super) async fn prove(ctx: &Ctx, client: &ClientRecord, assertion: &ClientAssertion) -> Result<(), Fault> {
    // Each that is good leaves a row behind, and each that is not costs the look at its signature.
    ctx.charge_client(client)?;
    let issuer = ctx.state.issuer();
    let token_endpoint = format!("{issuer}{}", Endpoint::Token.path());
    // RFC 9126 §2: "the authorization server MUST accept its issuer identifier, token endpoint URL, or pushed authorization request
    // endpoint URL as values that identify it as an intended audience."
    let here = format!("{issuer}{}", ctx.request.path());
    let over = client_assertion::check(assertion, client, &[issuer, &token_endpoint, &here], ctx.now)?;
    let refuse = |why: NotTheirs| Fault::new(ErrorCode::InvalidClient, format!("client_assertion is refused: {why}"));
    let (message, signature) = assertion.signed();
    let verify = |keys: &ClientKeys| keys.verify(assertion.alg, assertion.kid.as_deref(), message, signature);
    let keys = keys(ctx, client, None).await?;
    match verify(&keys) {
        Ok(()) => {}
        // A key that the client began to use after we fetched its keys.
        Err(NotTheirs::UnknownKey) if client.metadata.jwks_uri.is_some() => {
            let newer = self::keys(ctx, client, Some(&keys)).await?;
            verify(&newer).map_err(refuse)?;
        }
        Err(why) => return Err(refuse(why)),
    }
    // Last, so that only the client itself can use up its ids.
    if ctx.state.store.use_assertion(&client.id, &TokenHash::of(&assertion.claims.jti), over).await? {
        Ok(())
    } else {
        let why = "client_assertion was used before: each needs a jti of its own (RFC 7523 section 3)";
        Err(Fault::new(ErrorCode::InvalidClient, why))
    }
}

async fn keys(ctx: &Ctx, client: &ClientRecord, unlike: Option<&Arc<ClientKeys>>) -> Result<Arc<ClientKeys>, Fault> {
    ctx.state.client_keys(client, unlike, ctx.now).await.map_err(|reason| match reason {
        NoKeys::Unusable(why) => Fault::new(ErrorCode::InvalidClient, format!("the registered keys of this client cannot be used: {why}")),
        NoKeys::Unavailable { retry_after } => Fault::ClientKeys { retry_after },
    })
}
