//! The device grant (RFC 8628 §3.4): a device polls until its person has decided. One statement is the poll; the one that finds a yes spends
//! it, and stores the record of the tokens in the same transaction.

use serde_json::Map;

use crate::domain::{CodeId, FamilyId, RedirectUri, RefreshToken, TokenHash};
use crate::endpoints::Endpoint;
use crate::policy::claims::Reach;
use crate::policy::device;
use crate::policy::refresh;
use crate::protocol::params::Params;
use crate::protocol::resource::{self, Known};
use crate::store::{ClientRecord, DevicePoll, GrantedDevice, IssuedToDevice, NewCode};
use crate::tokens::{self, TokenResponse};
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;

/// Answers one poll, with tokens once the person has let the device in.
pub(super) async fn grant(ctx: &Ctx, client: &ClientRecord, params: &Params) -> Result<TokenResponse, Fault> {
    let code = TokenHash::of(params.need("device_code")?);
    let asked = params.all("resource")?;
    let userinfo = ctx.state.userinfo();
    let known = Known { resources: &ctx.state.config.resources, userinfo: &userinfo };
    // What nobody could have been granted spends nothing.
    known.named(&asked)?;

    let record_of = recorder(ctx, client)?;
    let refresh_token = tokens::new_refresh_token(&ctx.state, FamilyId(ctx.state.entropy.uuid(ctx.now)));
    let issue = issuing(ctx, client, record_of.clone(), &refresh_token);
    let granted = match ctx.state.store.poll_device(&code, &client.id, ctx.now, issue).await? {
        DevicePoll::Granted(granted) => *granted,
        DevicePoll::Pending => return Err(device::pending().into()),
        DevicePoll::TooSoon => return Err(device::too_soon().into()),
        DevicePoll::Nothing => {
            let state = ctx.state.store.device_state(&code).await?;
            return Err(device::not_granted(state.as_ref(), &client.id, ctx.now).into());
        }
    };
    device::decide(&granted)?;
    metrics::counter!("latchkey_devices_total", "outcome" => "connected").increment(1);
    let record = record_of(&granted);
    let due = refresh::binding(client, &record).is_some();
    // RFC 8707 §2.2: what is granted stays with the record; this access token may be for less of it.
    let resource = resource::narrow(record.resource.as_deref(), &asked)?;
    let scope = known.applicable(&record.scope, resource.as_deref());
    let record = NewCode { scope, resource, ..record };
    let reach = Reach { wallet: granted.wallet, email: granted.email.as_ref() };
    let mut response = tokens::for_person(&ctx.state, client, &record, reach, &Map::new(), None, ctx.now)?;
    if due {
        response.refresh_token = Some(refresh_token.expose().to_owned());
    }
    Ok(response)
}

// The record of the tokens that this poll gives, if it gives any.
fn recorder(ctx: &Ctx, client: &ClientRecord) -> Result<impl Fn(&GrantedDevice) -> NewCode + Clone + Send + 'static + use<>, Fault> {
    let page = format!("{}{}", ctx.state.issuer(), Endpoint::DeviceVerification.path());
    let page: RedirectUri = page.parse().map_err(|reason| Fault::Broken(format!("{page}: {reason}")))?;
    let (id, now, of_tokens) = (CodeId(ctx.state.entropy.uuid(ctx.now)), ctx.now, tokens::longest_lifetime(&ctx.state, client));
    Ok(move |granted: &GrantedDevice| device::record(granted, id, page.clone(), now, of_tokens))
}

// What is stored is decided inside the transaction that spends the device: one that is refused begins no family.
fn issuing<R: Fn(&GrantedDevice) -> NewCode + Send + 'static>(
    ctx: &Ctx,
    client: &ClientRecord,
    record_of: R,
    refresh_token: &RefreshToken,
) -> impl FnOnce(&GrantedDevice) -> Option<IssuedToDevice> + Send + 'static + use<R> {
    let never_given = ctx.state.entropy.secret().hash();
    let lifetimes = tokens::refresh_lifetimes(&ctx.state, client, ctx.now);
    let (token, client) = (refresh_token.clone(), client.clone());
    move |granted| {
        device::decide(granted).ok()?;
        let record = record_of(granted);
        let family = refresh::binding(&client, &record).map(|binding| lifetimes.family(&token, binding));
        Some(IssuedToDevice { record, record_hash: never_given, family })
    }
}
