//! The one way from a proof of identity into an account: every method of signing in ends here, and each returns to its visit.
//!
//! What a proof does follows from what the visit is for. It signs in; it shows once more that somebody is who they are; or it is added to
//! the account of who showed that a moment before.

mod new_passkey;

use std::time::Duration;

use actix_web::HttpResponse;

use super::cookies;
use super::ctx::Ctx;
use super::fault::Fault;
use super::visit::{Purpose, Visit, add_cookie};
use super::{known, session};
use crate::domain::{AccountId, Provider, Secret, SessionId};
use crate::store::{Linked, Proved, Session, SessionDevice, SignedIn, StoreError};

pub use new_passkey::register;

/// How recently somebody must have proved to be who they are, to change how they sign in.
pub const FRESH: Duration = Duration::from_mins(10);

/// What somebody has just proved, in a visit of theirs.
#[derive(Clone, Debug)]
pub struct Proof {
    pub identity: Proved,
    /// How (RFC 8176).
    pub amr: Vec<String>,
    /// Whether the person proved it just now. A provider may only have known them from before.
    pub anew: bool,
}

/// A proof that was taken: where the browser goes on, with its new session if it has one.
#[derive(Debug)]
pub struct Entered {
    pub next: String,
    begun: Option<Begun>,
}

// A session that begins, and by which way.
#[derive(Debug)]
struct Begun {
    token: Secret,
    account: AccountId,
    provider: Provider,
}

impl Entered {
    /// Gives the browser its session.
    pub fn begin(&self, ctx: &Ctx, response: &mut HttpResponse) {
        if let Some(Begun { token, account, provider }) = &self.begun {
            session::begin(ctx, response, token);
            add_cookie(response, &known::mark(ctx, *account));
            add_cookie(response, &cookies::last_way(provider, ctx.secure()));
        }
    }
}

/// Why a proof led nowhere.
#[derive(Debug)]
pub enum Refused {
    Fault(Fault),
    AccountDisabled,
    /// Nobody signs in with it yet, and the email address that comes with it belongs to an account: that one is to be signed in to first.
    EmailElsewhere,
    /// It was to be added to one account and belongs to another.
    Anothers,
    /// Somebody was to show that they are who they are, and is somebody else.
    NotYou,
    /// It is they, but this is the way that they are about to remove.
    NotThisOne,
}

impl<E: Into<Fault>> From<E> for Refused {
    fn from(fault: E) -> Self {
        Self::Fault(fault.into())
    }
}

impl Refused {
    /// The word by which scripts of ours tell them apart.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Fault(_) => "failed",
            Self::AccountDisabled => "account_disabled",
            Self::EmailElsewhere => "email_elsewhere",
            Self::Anothers => "another_account",
            Self::NotYou => "not_you",
            Self::NotThisOne => "not_this_one",
        }
    }

    /// The refusal of that word, where it is one that a page may tell.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        [Self::AccountDisabled, Self::EmailElsewhere, Self::Anothers, Self::NotYou, Self::NotThisOne]
            .into_iter()
            .find(|refused| refused.code() == word)
    }

    /// A title and a sentence for a person.
    #[must_use]
    pub const fn words(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Fault(_) => None,
            Self::AccountDisabled => Some(("This account is switched off", "Ask the people who run this site.")),
            Self::EmailElsewhere => Some((
                "You have an account here already",
                "The email address that comes with it belongs to an account. Sign in the way you did before; then you can add this way on your account page.",
            )),
            Self::Anothers => Some((
                "This belongs to another account",
                "Somebody signs in to another account with it. To move it here, sign in to that account first and remove it there.",
            )),
            Self::NotYou => Some((
                "That is another account",
                "To change how you sign in, prove once more that you are you, in a way that you have set up already.",
            )),
            Self::NotThisOne => {
                Some(("This is the one you want to remove", "Use one that stays: that shows that you can still sign in afterwards."))
            }
        }
    }
}

/// Takes a proof.
pub async fn enter(ctx: &Ctx, visit: &Visit, proof: Proof) -> Result<Entered, Refused> {
    match &visit.purpose {
        Purpose::Authorize(_) | Purpose::Account | Purpose::Device(_) => sign_in(ctx, visit, proof).await,
        Purpose::Confirm(_, then) if !then.shown_by(&proof.identity.provider, &proof.identity.subject) => Err(Refused::NotThisOne),
        Purpose::Confirm(account, _) => confirm(ctx, visit, *account, proof).await,
        Purpose::Link(account) => match fresh(ctx, *account).await? {
            Some(_) => link(ctx, visit, *account, proof).await,
            None => confirm(ctx, visit, *account, proof).await,
        },
    }
}

/// The same of a proof that never makes an account: what it proves was set in one.
pub async fn enter_known(ctx: &Ctx, visit: &Visit, proof: Proof) -> Result<Entered, Refused> {
    match ctx.state.store.owner_of_identity(&proof.identity.provider, &proof.identity.subject).await? {
        Some(_) => enter(ctx, visit, proof).await,
        None => Err(Refused::NotYou),
    }
}

/// The session of this browser, if it is that account's and was proved a moment ago.
pub async fn fresh(ctx: &Ctx, account: AccountId) -> Result<Option<Session>, StoreError> {
    Ok(session::current(ctx).await?.filter(|session| session.account_id == account && recent(ctx, session)))
}

/// Whether its person proved a moment ago to be who they are.
#[must_use]
pub fn recent(ctx: &Ctx, session: &Session) -> bool {
    session.proved_at.is_some_and(|proved| ctx.now.since(proved) <= FRESH)
}

async fn sign_in(ctx: &Ctx, visit: &Visit, proof: Proof) -> Result<Entered, Refused> {
    let new = AccountId(ctx.state.entropy.uuid(ctx.now));
    match ctx.state.store.sign_in_by(&proof.identity, new, ctx.now).await? {
        SignedIn::EmailElsewhere => Err(Refused::EmailElsewhere),
        SignedIn::Account { disabled: true, .. } => Err(Refused::AccountDisabled),
        // Nobody needs to be told of the browser in which they have just made their account.
        SignedIn::Account { id, created, .. } => {
            let device = if created || known::knows(ctx, id) { SessionDevice::Known } else { SessionDevice::New };
            begin(ctx, visit, id, device, proof).await
        }
    }
}

// Nobody gets an account by this, and nobody is signed out: it is the same person, or nothing.
async fn confirm(ctx: &Ctx, visit: &Visit, account: AccountId, proof: Proof) -> Result<Entered, Refused> {
    match ctx.state.store.owner_of_identity(&proof.identity.provider, &proof.identity.subject).await? {
        Some(owner) if owner == account => sign_in(ctx, visit, proof).await,
        _ => Err(Refused::NotYou),
    }
}

async fn link(ctx: &Ctx, visit: &Visit, account: AccountId, proof: Proof) -> Result<Entered, Refused> {
    match ctx.state.store.link_identity(account, &proof.identity, ctx.now).await? {
        Linked::Now => ended(ctx, visit, "/account?added=1#ways").await,
        Linked::Already => ended(ctx, visit, "/account?known=1#ways").await,
        Linked::Another => Err(Refused::Anothers),
        Linked::EmailElsewhere => Err(Refused::EmailElsewhere),
        Linked::NoAccount => Err(Refused::AccountDisabled),
    }
}

async fn ended(ctx: &Ctx, visit: &Visit, next: &str) -> Result<Entered, Refused> {
    ctx.state.store.end_interaction(visit.id, &visit.browser.hash()).await?;
    Ok(Entered { next: next.to_owned(), begun: None })
}

async fn begin(ctx: &Ctx, visit: &Visit, account_id: AccountId, device: SessionDevice, proof: Proof) -> Result<Entered, Refused> {
    let token = ctx.state.entropy.secret();
    let Proof { identity, amr, anew } = proof;
    metrics::counter!("latchkey_sign_ins_total", "provider" => identity.provider.as_str().to_owned()).increment(1);
    let session = Session {
        id: SessionId(ctx.state.entropy.uuid(ctx.now)),
        account_id,
        provider: identity.provider.clone(),
        subject: identity.subject,
        label: identity.label,
        proved_at: anew.then_some(ctx.now),
        amr,
        authenticated_at: ctx.now,
        interaction_id: visit.id,
        user_agent: ctx.user_agent(),
        last_seen_at: ctx.now,
        expires_at: ctx.now.plus(ctx.state.config.session.lifetime),
    };
    // A new cookie at every sign-in: one that was planted before is worth nothing after.
    let former = ctx.session_token().map(|old| old.hash());
    ctx.state.store.start_session_on(device, &session, &token.hash(), former.as_ref()).await?;
    if former.is_some() {
        ctx.state.messages.notify_one();
    }
    Ok(Entered { next: visit.path(), begun: Some(Begun { token, account: account_id, provider: identity.provider }) })
}
