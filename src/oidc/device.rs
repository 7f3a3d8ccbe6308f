//! `/device/code` (RFC 8628 §3.1): a device without a browser asks for two codes, one to poll with and one for its person to type.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use super::client_form;
use crate::domain::{AuthMethod, DeviceId, GrantType, UserCode};
use crate::endpoints::Endpoint;
use crate::limits::Try;
use crate::protocol::error::ErrorCode;
use crate::store::{Conflict, NewDevice, StoreError};
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::{client, reply, request};

/// Two devices with one user code are as rare as a right guess; that it happens so often in a row, more than that.
const ATTEMPTS: usize = 5;

/// RFC 8628 §3.2.
#[derive(Serialize)]
struct Waiting {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    /// Seconds.
    expires_in: u64,
    /// Seconds.
    interval: u64,
}

/// `POST /device/code`.
pub async fn post(ctx: Ctx, body: Body) -> HttpResponse {
    match begin(&ctx, &body).await {
        Ok(waiting) => reply::json(StatusCode::OK, &waiting),
        Err(fault) => client::refusal(&ctx, &fault),
    }
}

async fn begin(ctx: &Ctx, body: &Body) -> Result<Waiting, Fault> {
    let params = client_form::read(ctx, body)?;
    let client = client::authenticated(ctx, &params).await?;
    if !client.may(GrantType::DeviceCode) {
        let words = format!("this client is not registered for the grant {}; add it to its grant_types", GrantType::DeviceCode);
        return Err(Fault::new(ErrorCode::UnauthorizedClient, words));
    }
    if client.auth_method == AuthMethod::None {
        ctx.charge(Try::Device)?;
    }
    ctx.charge_client(&client)?;
    let asked = request::of_device(ctx, &params, &client)?;
    let (key, device_code) = (ctx.state.keys.pairwise_secret(), ctx.state.entropy.secret());
    let settings = &ctx.state.config.devices;
    let mut device = NewDevice {
        id: DeviceId(ctx.state.entropy.uuid(ctx.now)),
        client_id: client.id.clone(),
        scope: asked.scope,
        resource: asked.resource,
        created_at: ctx.now,
        expires_at: ctx.now.plus(settings.lifetime),
        interval: settings.interval,
    };
    for _ in 0..ATTEMPTS {
        let user_code = UserCode::of(device.id, &key);
        match ctx.state.store.put_device(&device, &device_code.hash(), &user_code.hash(&key)).await {
            Ok(true) => {
                metrics::counter!("latchkey_devices_total", "outcome" => "asked").increment(1);
                let page = format!("{}{}", ctx.state.issuer(), Endpoint::DeviceVerification.path());
                return Ok(Waiting {
                    device_code: device_code.expose().to_owned(),
                    // RFC 8628 §3.2: "which includes the "user_code" (or other information with the same function as the "user_code")".
                    verification_uri_complete: format!("{page}?user_code={user_code}"),
                    user_code: user_code.to_string(),
                    verification_uri: page,
                    expires_in: settings.lifetime.as_secs(),
                    interval: settings.interval.as_secs(),
                });
            }
            Ok(false) => return Err(Fault::new(ErrorCode::InvalidClient, "this client is disabled")),
            // Another device has this code: this one becomes another device.
            Err(StoreError::Conflict(Conflict::UserCode)) => device.id = DeviceId(ctx.state.entropy.uuid(ctx.now)),
            Err(error) => return Err(error.into()),
        }
    }
    Err(Fault::Broken("no user code was free".to_owned()))
}
