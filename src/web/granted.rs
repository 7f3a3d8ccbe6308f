//! `authorization_details` in responses (RFC 9396 §7, §9.2): what was granted on assets with a sign-in, as it is at this moment.

use serde_json::Value;

use super::ctx::Ctx;
use super::fault::Fault;
use crate::domain::{AccountId, ClientId};
use crate::policy::asset_access::of_living;

/// What of the grants in a record still lives; `None` where the sign-in asked for nothing on assets. `stored` is the record's.
pub async fn told(ctx: &Ctx, account: AccountId, client: &ClientId, stored: Option<&Value>) -> Result<Option<Value>, Fault> {
    let Some(stored) = stored else { return Ok(None) };
    let living = ctx.state.store.living_grants(account, client, ctx.now).await?;
    let told = of_living(stored, &living, ctx.now);
    serde_json::to_value(told).map(Some).map_err(|reason| Fault::Broken(format!("authorization_details: {reason}")))
}
