//! The page of devices (RFC 8628 §3.3): a person types the code that their device shows, signs in as on any visit, and says yes or no.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::page::{self, Asked, Leads, Sign};
use crate::domain::{DeviceId, Scope, UserCode};
use crate::limits::{MINUTE, Try};
use crate::policy::device::{Facts, Step, next_step};
use crate::protocol::params::Params;
use crate::protocol::resource::Known;
use crate::store::{ClientRecord, Device};
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::pages::{DeviceDonePage, DevicePage};
use crate::web::visit::{self, Purpose, Visit};
use crate::web::{posted, reply, session};

/// The same for a code that never was, one that was used and one that has expired: who tries codes learns nothing of them.
const NOT_KNOWN: &str = "This code does not work. Compare it with the one that your device shows. If it is the same, it may have expired or been used: \
                         ask the device for a new one.";
const OVER: &str = "This code does not work any more: it was used already, or it took too long. Ask your device for a new one.";

/// `GET /device`, with `user_code` where the person followed a link or a picture of one.
pub async fn get(ctx: Ctx) -> HttpResponse {
    // Nothing is looked up: a code in an address is only shown, to be compared and sent by a press.
    match Params::decode(ctx.request.query_string()).get("user_code") {
        Ok(code) => ask(&ctx, StatusCode::OK, code.and_then(UserCode::parse).as_ref(), None),
        Err(error) => Fault::from(error).as_page(&ctx),
    }
}

/// `POST /device`: the code was typed, or is the one that the page showed.
pub async fn post(ctx: Ctx, body: Body) -> HttpResponse {
    look_up(&ctx, &body).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

async fn look_up(ctx: &Ctx, body: &Body) -> Result<HttpResponse, Fault> {
    let form = posted::own(ctx, body)?;
    // Charged only now: another site's page can make a browser post, and must not be able to use up its tries.
    ctx.charge(Try::SignIn)?;
    charge(ctx).await?;
    let code = UserCode::parse(form.get("user_code")?.unwrap_or_default());
    // What is no code at all is looked for like any other, so that it takes as long.
    let hash = code.as_ref().map_or_else(|| ctx.state.entropy.secret().hash(), |code| code.hash(&ctx.state.keys.pairwise_secret()));
    match ctx.state.store.waiting_device(&hash, ctx.now).await? {
        Some(device) => visit::begin(ctx, &Purpose::Device(device)).await,
        None => Ok(ask(ctx, StatusCode::BAD_REQUEST, None, Some(NOT_KNOWN))),
    }
}

// RFC 8628 §5.1: "the authorization server SHOULD rate-limit user code attempts", so that the odds of a guess stay small. Who has many
// addresses is held by the last count.
async fn charge(ctx: &Ctx) -> Result<(), Fault> {
    let limits = &ctx.state.config.limits;
    let (network, browser) = (ctx.network(), ctx.browser().hash());
    let (most, in_all) = (limits.user_codes_per_minute.get(), limits.user_codes_in_all_per_minute.get());
    let counts = [
        ("user code, network", most, network.as_bytes()),
        ("user code, browser", most, browser.as_bytes()),
        ("user code, all", in_all, b""),
    ];
    ctx.charge_each(MINUTE, &counts).await
}

fn ask(ctx: &Ctx, status: StatusCode, code: Option<&UserCode>, problem: Option<&str>) -> HttpResponse {
    let browser = ctx.browser();
    let frame = reply::frame(&ctx.state, &ctx.request_id(), "Connect a device");
    let page =
        DevicePage { frame: frame.clone(), csrf: browser.csrf(), code: code.map(ToString::to_string), problem: problem.map(str::to_owned) };
    let mut response = reply::page(status, &frame, &page, None);
    if browser.new {
        visit::add_cookie(&mut response, &browser.cookie(ctx.secure()));
    }
    response
}

/// The app that a visit's device wants to use.
pub(super) async fn client_of(ctx: &Ctx, id: DeviceId) -> Result<Option<Arc<ClientRecord>>, Fault> {
    let Some(device) = ctx.state.store.device(id).await? else { return Ok(None) };
    Ok(ctx.state.client(&device.client_id).await?)
}

/// What is next in a visit with that device.
pub(super) async fn step(ctx: &Ctx, visit: &Visit, id: DeviceId) -> Result<HttpResponse, Fault> {
    let (device, session) = (ctx.state.store.device(id).await?, session::current(ctx).await?);
    let step = next_step(Facts { session: session.as_ref(), device: device.as_ref(), now: ctx.now });
    let Some(device) = device else { return Ok(ask(ctx, StatusCode::GONE, None, Some(OVER))) };
    // A client that was disabled meanwhile: its devices wait in vain.
    let Some(client) = ctx.state.client(&device.client_id).await? else { return Ok(ask(ctx, StatusCode::GONE, None, Some(OVER))) };
    let code = UserCode::of(id, &ctx.state.keys.pairwise_secret());
    Ok(match (step, session) {
        (Step::Ask, Some(session)) => {
            let scope = consent_scope(ctx, &device);
            let asked = Asked { client: &client, scope: &scope, already: false, assets: Vec::new(), problem: None };
            page::consent(ctx, visit, asked, &session, Leads::Device(&code)).await
        }
        (Step::SignIn, _) | (Step::Ask, None) => page::sign_in(ctx, visit, &Sign::Device(&client, &code)).await,
        (Step::Allowed, _) => done(ctx, &client, true),
        (Step::Denied, _) => done(ctx, &client, false),
        (Step::Over, _) => ask(ctx, StatusCode::GONE, None, Some(OVER)),
    })
}

/// The answer of the consent page: `decision=allow` or anything else. What came of it is on the next page.
pub(super) async fn decide(ctx: &Ctx, visit: &Visit, id: DeviceId, form: &Params) -> Result<HttpResponse, Fault> {
    let store = &ctx.state.store;
    if form.get("decision")? != Some("allow") {
        if store.deny_device(id, ctx.now).await? {
            metrics::counter!("latchkey_devices_total", "outcome" => "denied").increment(1);
        }
        return Ok(reply::see_other(&visit.path()));
    }
    // Whoever is signed in now is who agrees, if that is whom the page named; without a session the next page asks for a sign-in.
    let session = session::current(ctx).await?;
    if let Some((session, device)) = session.zip(store.device(id).await?)
        && form.get("account")? == Some(session.account_id.to_string().as_str())
        && store.approve_device(id, &session, &consent_scope(ctx, &device), ctx.now).await?
    {
        metrics::counter!("latchkey_devices_total", "outcome" => "allowed").increment(1);
    }
    Ok(reply::see_other(&visit.path()))
}

// What the person agrees to: the scopes, and the resources by their URI.
fn consent_scope(ctx: &Ctx, device: &Device) -> Scope {
    let userinfo = ctx.state.userinfo();
    let known = Known { resources: &ctx.state.config.resources, userinfo: &userinfo };
    device.scope.union(&known.to_agree_to(device.resource.as_deref()))
}

fn done(ctx: &Ctx, client: &ClientRecord, allowed: bool) -> HttpResponse {
    let title = if allowed { "Device connected" } else { "Device not connected" };
    let frame = reply::frame(&ctx.state, &ctx.request_id(), title);
    reply::page(StatusCode::OK, &frame, &DeviceDonePage { frame: frame.clone(), client_name: client.name.clone(), allowed }, None)
}
