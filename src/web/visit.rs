//! A visit: what a browser came for and has not finished. It is bound to the browser that began it; its id in a URL is never enough.

use actix_web::HttpResponse;
use actix_web::http::header::HeaderName;
use serde::{Deserialize, Serialize};

use super::cookies::Browser;
use super::ctx::Ctx;
use super::fault::Fault;
use super::reply;
use super::respond::with_query;
use crate::domain::{AccountId, DeviceId, InteractionId, Provider, Timestamp};
use crate::limits::Try;
use crate::protocol::authorize::AuthorizeRequest;
use crate::store::Interaction;

const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const SEC_PURPOSE: HeaderName = HeaderName::from_static("sec-purpose");

/// What a browser came for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// An app sent it, with this request.
    Authorize(Box<AuthorizeRequest>),
    /// It came to `/account` itself.
    Account,
    /// Its person typed the code of this device.
    Device(DeviceId),
    /// Somebody who is signed in to this account wants another way to sign in to it.
    Link(AccountId),
    /// Somebody who is signed in to this account is to show once more that it is they, and then to go on there.
    Confirm(AccountId, Then),
}

/// Where somebody goes on who has shown once more that it is they.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// To their account's ways of signing in.
    Ways,
    /// To the page that takes this one away, which is not the one to show it with.
    Remove { provider: Provider, subject: String },
    /// To set a password.
    Password,
}

impl Then {
    #[must_use]
    pub fn path(&self) -> String {
        match self {
            Self::Ways => "/account#ways".to_owned(),
            Self::Password => "/account/password".to_owned(),
            Self::Remove { provider, subject } => removal_path(provider, subject),
        }
    }

    /// Whether a proof of this identity is enough for it.
    #[must_use]
    pub fn shown_by(&self, provider: &Provider, subject: &str) -> bool {
        self.except() != Some((provider, subject))
    }

    /// The identity that shows nothing here.
    #[must_use]
    pub fn except(&self) -> Option<(&Provider, &str)> {
        match self {
            Self::Ways | Self::Password => None,
            Self::Remove { provider, subject } => Some((provider, subject)),
        }
    }
}

/// Why a visit cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VisitFault {
    /// Finished, expired, never there, or another browser's.
    Over,
    /// The browser sent no cookie of ours at all.
    NoCookie,
    /// The form did not come from our own page.
    Forged,
}

/// A visit that is known to belong to the browser that asks.
#[derive(Clone, Debug)]
pub struct Visit {
    pub id: InteractionId,
    pub purpose: Purpose,
    pub began: Timestamp,
    pub browser: Browser,
}

impl Visit {
    #[must_use]
    pub fn path(&self) -> String {
        path(self.id)
    }
}

/// Whether the browser goes to this page itself, as far as it says: it is no part of another page, nor fetched before anybody asked.
#[must_use]
pub fn is_navigation(ctx: &Ctx) -> bool {
    ctx.header(SEC_FETCH_DEST).is_none_or(|dest| dest == "document") && ctx.header(SEC_PURPOSE).is_none()
}

/// Begins a visit and sends the browser to its page.
pub async fn begin(ctx: &Ctx, purpose: &Purpose) -> Result<HttpResponse, Fault> {
    // Fetch Metadata: a picture or a script of another site's page must not begin visits in somebody's name. What a browser does
    // not say (older ones, programs) is let through.
    if ctx.header(SEC_FETCH_DEST).is_some_and(|dest| !matches!(dest, "document" | "iframe")) {
        return Err(Fault::Visit(VisitFault::Forged));
    }
    // A visit leaves a row behind before anybody has proved anything.
    ctx.charge(Try::Visit)?;
    let browser = ctx.browser();
    let id = InteractionId(ctx.state.entropy.uuid(ctx.now));
    let purpose = serde_json::to_value(purpose).map_err(|reason| Fault::Broken(reason.to_string()))?;
    let expires_at = ctx.now.plus(ctx.state.config.interaction.lifetime);
    ctx.state.store.put_interaction(&Interaction { id, purpose, created_at: ctx.now, expires_at }, &browser.hash()).await?;
    let mut response = reply::see_other(&path(id));
    if browser.new {
        add_cookie(&mut response, &browser.cookie(ctx.secure()));
    }
    Ok(response)
}

/// The visit of that id, if this browser began it and it is not over.
///
/// # Errors
/// [`VisitFault`]: finished, expired and somebody else's look alike, because whoever asks may be anybody.
pub async fn load(ctx: &Ctx, id: InteractionId) -> Result<Visit, Fault> {
    let Some(browser) = ctx.known_browser() else { return Err(Fault::Visit(VisitFault::NoCookie)) };
    let Some(interaction) = ctx.state.store.interaction(id, &browser.hash(), ctx.now).await? else {
        return Err(Fault::Visit(VisitFault::Over));
    };
    let purpose = serde_json::from_value(interaction.purpose).map_err(|reason| Fault::Broken(reason.to_string()))?;
    Ok(Visit { id, purpose, began: interaction.created_at, browser })
}

/// Adds a cookie to a finished response.
pub fn add_cookie(response: &mut HttpResponse, cookie: &actix_web::cookie::Cookie<'_>) {
    if let Err(reason) = response.add_cookie(cookie) {
        tracing::error!(%reason, "a cookie could not be set");
    }
}

/// The page that takes a way of signing in from an account.
#[must_use]
pub fn removal_path(provider: &Provider, subject: &str) -> String {
    with_query("/account/ways/remove", &[("provider".to_owned(), provider.as_str().to_owned()), ("subject".to_owned(), subject.to_owned())])
}

fn path(id: InteractionId) -> String {
    format!("/interaction/{id}")
}
