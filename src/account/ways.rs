//! A person's ways of signing in: one more, one less, another name. Adding and removing need a proof from a moment ago.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::page;
use crate::domain::Provider;
use crate::policy::ways::{Removal, SignedInBy, removal};
use crate::protocol::error::ErrorCode;
use crate::protocol::params::Params;
use crate::store::{Account, Identity, Session, Unlinked};
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::pages::{IdentityLine, RemovableWay, RemoveWayPage, WayName};
use crate::web::visit::{self, Purpose, Then};
use crate::web::words::{day, provider_name};
use crate::web::{entry, posted, reply, ways};

const WAYS: &str = "/account#ways";
/// Characters of a name.
const LONGEST: usize = 60;

/// `POST /account/ways/add`: to a visit in which the person proves what they add, and who they are unless they did so a moment ago.
pub async fn add(ctx: Ctx, body: Body) -> HttpResponse {
    begin_adding(&ctx, &body).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

/// `GET /account/ways/remove`: what goes with this way, and what remains.
pub async fn ask(ctx: Ctx) -> HttpResponse {
    show(&ctx).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

/// `POST /account/ways/remove`.
pub async fn remove(ctx: Ctx, body: Body) -> HttpResponse {
    take_away(&ctx, &body).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

/// `POST /account/ways/rename`.
pub async fn rename(ctx: Ctx, body: Body) -> HttpResponse {
    call(&ctx, &body).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

async fn begin_adding(ctx: &Ctx, body: &Body) -> Result<HttpResponse, Fault> {
    posted::own(ctx, body)?;
    let Some((_, account)) = page::signed_in(ctx).await? else { return Ok(reply::see_other("/account")) };
    visit::begin(ctx, &Purpose::Link(account.id)).await
}

async fn show(ctx: &Ctx) -> Result<HttpResponse, Fault> {
    let Some((session, account)) = page::signed_in(ctx).await? else { return Ok(reply::see_other("/account")) };
    let params = Params::decode(ctx.request.query_string());
    let which = which(&params)?;
    let on = ways::on(&ctx.state);
    let identity = find(&account, which);
    let removable = match removal(&account.identities, which, &on, by(ctx, &session)) {
        Removal::Unknown => return Ok(reply::see_other(WAYS)),
        Removal::Last => RemovableWay::Last,
        Removal::Prove { left } => RemovableWay::Yes { left: names(ctx, &left), prove: true },
        Removal::Now { left } => RemovableWay::Yes { left: names(ctx, &left), prove: false },
    };
    let Some(identity) = identity else { return Ok(reply::see_other(WAYS)) };
    let frame = reply::frame(&ctx.state, &ctx.request_id(), "Remove a way to sign in");
    let proved_elsewhere = account.identities.iter().any(|other| other != identity && other.email == identity.email);
    let page = RemoveWayPage {
        frame: frame.clone(),
        csrf: ctx.browser().csrf(),
        way: way_name(ctx, identity),
        provider: identity.provider.as_str().to_owned(),
        subject: identity.subject.clone(),
        wallet: identity.provider.as_str() == Provider::WEB3,
        email: identity.email.as_ref().filter(|_| !proved_elsewhere).map(ToString::to_string),
        removable,
    };
    Ok(reply::page(StatusCode::OK, &frame, &page, None))
}

async fn take_away(ctx: &Ctx, body: &Body) -> Result<HttpResponse, Fault> {
    let form = posted::own(ctx, body)?;
    let Some((session, account)) = page::signed_in(ctx).await? else { return Ok(reply::see_other("/account")) };
    let which = which(&form)?;
    let (provider, subject) = (Provider::new(which.0), which.1);
    let on = ways::on(&ctx.state);
    match removal(&account.identities, which, &on, by(ctx, &session)) {
        Removal::Unknown => Ok(reply::see_other(WAYS)),
        Removal::Last => Ok(reply::see_other(&visit::removal_path(&provider, subject))),
        Removal::Prove { .. } => {
            visit::begin(ctx, &Purpose::Confirm(account.id, Then::Remove { provider, subject: subject.to_owned() })).await
        }
        // The store decides once more, with the account held: of two who take away two ways at once, one is too late.
        Removal::Now { .. } => match ctx.state.store.unlink_identity(account.id, &provider, subject, session.id, ctx.now).await? {
            Unlinked::Now => {
                ctx.state.messages.notify_one();
                Ok(reply::see_other("/account?removed=1#ways"))
            }
            Unlinked::Last => Ok(reply::see_other(&visit::removal_path(&provider, subject))),
            Unlinked::Unknown => Ok(reply::see_other(WAYS)),
        },
    }
}

async fn call(ctx: &Ctx, body: &Body) -> Result<HttpResponse, Fault> {
    let form = posted::own(ctx, body)?;
    let Some((_, account)) = page::signed_in(ctx).await? else { return Ok(reply::see_other("/account")) };
    let which = which(&form)?;
    let name = form.get("name")?.unwrap_or_default().trim();
    let fits = name.chars().count() <= LONGEST && !name.chars().any(char::is_control);
    if !fits {
        return Err(Fault::new(ErrorCode::InvalidRequest, "a name has at most 60 letters and signs that can be seen"));
    }
    let own = find(&account, which).is_some_and(|identity| is_renamable(&identity.provider));
    // An empty name is no name: then the wallet's address stands there again. A passkey has nothing else to be known by.
    if own && (!name.is_empty() || which.0 == Provider::WEB3) {
        ctx.state.store.rename_identity(account.id, &Provider::new(which.0), which.1, name).await?;
    }
    Ok(reply::see_other(WAYS))
}

/// The lines of the account page.
pub(super) fn lines(ctx: &Ctx, session: &Session, account: &Account) -> Vec<IdentityLine> {
    let on = ways::on(&ctx.state);
    let line = |identity: &Identity| {
        let which = (identity.provider.as_str(), identity.subject.as_str());
        let last = matches!(removal(&account.identities, which, &on, by(ctx, session)), Removal::Last);
        let way = way_name(ctx, identity);
        let named = way.name != identity.subject;
        IdentityLine {
            provider: identity.provider.as_str().to_owned(),
            subject: identity.subject.clone(),
            address: (named && identity.provider.as_str() == Provider::WEB3).then(|| identity.subject.clone()),
            since: day(identity.created_at),
            last_used: day(identity.last_used_at),
            current: session.provider == identity.provider && session.subject == identity.subject,
            off: !on.contains(&which.0),
            renamable: is_renamable(&identity.provider),
            remove: (!last).then(|| visit::removal_path(&identity.provider, &identity.subject)),
            way,
        }
    };
    account.identities.iter().map(line).collect()
}

/// How a session was begun, by the name that the way has now.
pub(super) fn way_of(ctx: &Ctx, session: &Session, account: &Account) -> WayName {
    let known = find(account, (session.provider.as_str(), &session.subject));
    known.map_or_else(|| way(ctx, &session.provider, &session.subject, &session.label), |identity| way_name(ctx, identity))
}

fn way_name(ctx: &Ctx, identity: &Identity) -> WayName {
    way(ctx, &identity.provider, &identity.subject, &identity.label)
}

fn way(ctx: &Ctx, provider: &Provider, subject: &str, label: &str) -> WayName {
    let name = if label.is_empty() { subject } else { label };
    WayName { kind: provider_name(provider, &ctx.state.config.upstreams).to_owned(), name: name.to_owned() }
}

fn names(ctx: &Ctx, identities: &[&Identity]) -> Vec<WayName> {
    identities.iter().map(|identity| way_name(ctx, identity)).collect()
}

// What other providers call a person is theirs to say.
fn is_renamable(provider: &Provider) -> bool {
    [Provider::WEB3, Provider::PASSKEY].contains(&provider.as_str())
}

fn by<'a>(ctx: &Ctx, session: &'a Session) -> SignedInBy<'a> {
    SignedInBy { provider: &session.provider, subject: &session.subject, fresh: entry::recent(ctx, session) }
}

// The identity that a form or an address names. Whose it is, is looked for among those of the account alone.
fn which(params: &Params) -> Result<(&str, &str), Fault> {
    Ok((params.get("provider")?.unwrap_or_default(), params.get("subject")?.unwrap_or_default()))
}

fn find<'a>(account: &'a Account, (provider, subject): (&str, &str)) -> Option<&'a Identity> {
    account.identities.iter().find(|identity| identity.provider.as_str() == provider && identity.subject == subject)
}
