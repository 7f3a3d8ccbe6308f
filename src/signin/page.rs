//! The sign-in page and the consent page.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use crate::domain::{ClientKind, Scope};
use crate::protocol::authorize::AuthorizeRequest;
use crate::state::{Mode, State};
use crate::store::{ClientRecord, Session};
use crate::web::ctx::Ctx;
use crate::web::pages::{Chain, ConsentPage, SignInPage};
use crate::web::reply;
use crate::web::visit::Visit;
use crate::web::words::scope_lines;

/// The page on which a person chooses a wallet. Without an app they are signing in to their own account page.
pub(super) fn sign_in(ctx: &Ctx, visit: &Visit, app: Option<(&ClientRecord, &AuthorizeRequest)>) -> HttpResponse {
    let title = app.map_or_else(|| "Sign in".to_owned(), |(client, _)| format!("Sign in to {}", client.name));
    let frame = reply::frame(&ctx.state, &ctx.request_id(), title);
    let page = SignInPage {
        frame: frame.clone(),
        client_name: app.map(|(client, _)| client.name.clone()),
        client_host: app.map(|(_, request)| request.return_path.redirect_uri.host()),
        interaction: visit.id.to_string(),
        csrf: visit.browser.csrf(),
        chains: chains(&ctx.state),
        login_hint: app.and_then(|(_, request)| request.login_hint.clone()),
    };
    reply::page(StatusCode::OK, &frame, &page, app.map(|(_, request)| &request.return_path.redirect_uri))
}

/// The page on which a person lets an app have what it asks for, or not.
pub(super) fn consent(
    ctx: &Ctx,
    visit: &Visit,
    client: &ClientRecord,
    request: &AuthorizeRequest,
    session: &Session,
    already: Option<&Scope>,
) -> HttpResponse {
    let frame = reply::frame(&ctx.state, &ctx.request_id(), format!("Allow {}", client.name));
    let page = ConsentPage {
        frame: frame.clone(),
        client_name: client.name.clone(),
        client_host: request.return_path.redirect_uri.host(),
        client_id: client.id.to_string(),
        license: client.kind == ClientKind::License,
        scopes: scope_lines(&request.consent_scope(), &ctx.state.config.resources),
        identity: session.subject.clone(),
        already: already.is_some_and(|scope| !request.consent_scope().is_subset(scope)),
        interaction: visit.id.to_string(),
        csrf: visit.browser.csrf(),
    };
    reply::page(StatusCode::OK, &frame, &page, Some(&request.return_path.redirect_uri))
}

/// The networks on which a wallet may sign, the preferred one first. `dev` adds the local test network.
#[must_use]
pub fn chains(state: &State) -> Vec<Chain> {
    let local = (state.mode == Mode::Dev).then_some(31_337);
    state.config.wallet.chains.iter().copied().chain(local).map(|id| Chain { id, name: chain_name(id) }).collect()
}

fn chain_name(id: u64) -> String {
    match id {
        1 => "Ethereum".into(),
        10 => "Optimism".into(),
        137 => "Polygon".into(),
        8_453 => "Base".into(),
        31_337 => "Local test network".into(),
        42_161 => "Arbitrum One".into(),
        80_002 => "Polygon Amoy".into(),
        11_155_111 => "Sepolia".into(),
        other => format!("Network {other}"),
    }
}
