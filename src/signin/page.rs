//! The sign-in page and the consent page.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use url::Url;

use super::upstream;
use crate::domain::{ClientKind, RedirectUri, Scope, UserCode};
use crate::policy;
use crate::policy::ways::{Offer, Wanted};
use crate::protocol::authorize::AuthorizeRequest;
use crate::protocol::params::Params;
use crate::state::{Mode, State};
use crate::store::{ClientRecord, ClientSource, Session};
use crate::web::ctx::Ctx;
use crate::web::entry::Refused;
use crate::web::pages::{Aim, AssetBlock, Chain, ConsentPage, Destination, Link, Problem, SignInPage, Vouching, Ways};
use crate::web::visit::Visit;
use crate::web::words::scope_lines;
use crate::web::{cookies, logo, reply, ways};

/// What a person signs in for.
pub(super) enum Sign<'a> {
    /// Their own account page.
    Account,
    /// To show once more that it is they, by one of these ways.
    Confirm(Vec<String>),
    /// To add another way of signing in.
    Link,
    App(&'a ClientRecord, &'a AuthorizeRequest),
    /// The app on a device, which shows this code.
    Device(&'a ClientRecord, &'a UserCode),
}

/// A way that was tried and led nowhere.
pub(super) struct Tried {
    pub status: StatusCode,
    pub problem: Problem,
}

/// The page on which a person signs in, by one of the ways that are offered.
pub(super) async fn sign_in(ctx: &Ctx, visit: &Visit, sign: &Sign<'_>) -> HttpResponse {
    sign_in_after(ctx, visit, sign, None).await
}

/// The same after a way that led nowhere.
pub(super) async fn sign_in_after(ctx: &Ctx, visit: &Visit, sign: &Sign<'_>, tried: Option<Tried>) -> HttpResponse {
    let (status, problem) = tried.map_or((StatusCode::OK, None), |tried| (tried.status, Some(tried.problem)));
    let (client, request, user_code) = match sign {
        Sign::Account | Sign::Confirm(_) | Sign::Link => (None, None, None),
        Sign::App(client, request) => (Some(*client), Some(*request), None),
        Sign::Device(client, user_code) => (Some(*client), None, Some(*user_code)),
    };
    let title = match sign {
        Sign::Account => "Sign in".to_owned(),
        Sign::Confirm(_) => "Is it you?".to_owned(),
        Sign::Link => "Add a way to sign in".to_owned(),
        Sign::App(client, _) | Sign::Device(client, _) => format!("Sign in to {}", client.name),
    };
    let frame = reply::frame(&ctx.state, &ctx.request_id(), title);
    let return_to = request.map(|request| &request.return_path.redirect_uri);
    let page = SignInPage {
        frame: frame.clone(),
        aim: match sign {
            Sign::Confirm(_) => Aim::Confirm,
            Sign::Link => Aim::Link,
            Sign::Account | Sign::App(..) | Sign::Device(..) => Aim::SignIn,
        },
        ways: Ways { problem: problem.or_else(|| told(ctx)), ..offered(ctx, sign) },
        client_name: client.map(|client| client.name.clone()),
        client_host: return_to.map(|uri| uri.host().to_owned()),
        client_logo: match client {
            Some(client) => logo::ready(ctx, client).await,
            None => None,
        },
        user_code: user_code.map(ToString::to_string),
        interaction: visit.id.to_string(),
        csrf: visit.browser.csrf(),
        chains: chains(&ctx.state),
        login_hint: request.and_then(|request| request.login_hint.clone()),
    };
    reply::page(status, &frame, &page, return_to)
}

// What is on here, narrowed to what the app asks for, the last used first.
fn offered(ctx: &Ctx, sign: &Sign<'_>) -> Ways {
    let last = cookies::last_way_of(&ctx.request, ctx.secure());
    let (on, all) = (ways::on(&ctx.state), Params::decode(ctx.request.query_string()).has("all"));
    let mut wanted = Wanted { last: last.as_deref(), all, ..Wanted::default() };
    match sign {
        Sign::App(_, request) => {
            wanted.connector = request.connector_id.as_deref();
            wanted.required = request.claims.required_acr();
            wanted.preferred = request.acr_values.iter().map(String::as_str).chain(request.claims.preferred_acr()).collect();
        }
        Sign::Confirm(able) => wanted.able = Some(able.iter().map(String::as_str).collect()),
        Sign::Account | Sign::Link | Sign::Device(..) => {}
    }
    let Offer { ways, more } = policy::ways::offer(&on, &wanted);
    let has = |way: &str| ways.contains(&way);
    Ways {
        upstreams: upstream::buttons(&ctx.state).into_iter().filter(|button| has(&button.id)).collect(),
        problem: None,
        last: last.filter(|last| ways.len() > 1 && has(last)),
        order: ways.into_iter().map(str::to_owned).collect(),
        more,
    }
}

// What a form of the page led to, by a word of ours in the address: whoever makes up an address can only choose among these.
fn told(ctx: &Ctx) -> Option<Problem> {
    let params = Params::decode(ctx.request.query_string());
    let (title, sentence) = match params.get("wrong").ok().flatten()? {
        "password" => (
            "That did not fit",
            "The email address and the password do not go together. If you have never set a password here, sign in another way; you can set one on your account page.",
        ),
        word => Refused::named(word)?.words()?,
    };
    Some(Problem { title: title.to_owned(), message: sentence.to_owned() })
}

/// What a person is asked.
pub(super) struct Asked<'a> {
    pub client: &'a ClientRecord,
    pub scope: &'a Scope,
    /// Whether they allowed less to it before.
    pub already: bool,
    /// What the app would do with their assets.
    pub assets: Vec<AssetBlock>,
    /// Why what they answered before could not be.
    pub problem: Option<String>,
}

/// Where their answer leads.
#[derive(Clone, Copy)]
pub(super) enum Leads<'a> {
    To(&'a RedirectUri),
    /// To the device that shows this code.
    Device(&'a UserCode),
}

/// The page on which a person lets an app have what it asks for, or not.
pub(super) async fn consent(ctx: &Ctx, visit: &Visit, asked: Asked<'_>, session: &Session, leads: Leads<'_>) -> HttpResponse {
    let Asked { client, scope, already, assets, problem } = asked;
    let frame = reply::frame(&ctx.state, &ctx.request_id(), format!("Allow {}", client.name));
    let page = ConsentPage {
        frame: frame.clone(),
        client_name: client.name.clone(),
        destination: match leads {
            Leads::To(uri) => Destination::Host(uri.host().to_owned()),
            Leads::Device(code) => Destination::Device(code.to_string()),
        },
        client_id: client.id.to_string(),
        client_logo: logo::ready(ctx, client).await,
        vouching: vouching(client),
        client_pages: client_pages(client),
        license: client.kind == ClientKind::License,
        scopes: scope_lines(scope, &ctx.state.config.resources),
        assets,
        problem,
        identity: if session.label.is_empty() { session.subject.clone() } else { session.label.clone() },
        account: session.account_id.to_string(),
        already,
        interaction: visit.id.to_string(),
        csrf: visit.browser.csrf(),
    };
    let target = match leads {
        Leads::To(uri) => Some(uri),
        Leads::Device(_) => None,
    };
    let status = if page.problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    reply::page(status, &frame, &page, target)
}

fn vouching(client: &ClientRecord) -> Vouching {
    match client.source {
        ClientSource::Command | ClientSource::Config => Vouching::Operator,
        ClientSource::Registration => Vouching::Itself,
        // The draft, "OAuth Phishing Attacks": "The authorization server SHOULD display the hostname of the client_id".
        ClientSource::Document => {
            let url = Url::parse(client.id.as_str()).ok();
            let host = url.as_ref().and_then(|url| Some((url.host_str()?, url.port())));
            Vouching::Site(host.map_or_else(
                || client.id.to_string(),
                |(host, port)| port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
            ))
        }
    }
}

// OpenID Connect Registration §2: the server "SHOULD display this URL to the End-User if it is given".
fn client_pages(client: &ClientRecord) -> Vec<Link> {
    let metadata = &client.metadata;
    [("Privacy policy", &metadata.policy_uri), ("Terms of service", &metadata.tos_uri), ("Website", &metadata.client_uri)]
        .into_iter()
        .filter_map(|(label, uri)| Some(Link { href: uri.clone()?, label: label.to_owned() }))
        .collect()
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
