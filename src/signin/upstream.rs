//! Providers elsewhere (`[[upstreams]]`): the browser is sent to one and comes back with an answer, which is a proof or none.
//!
//! Each has a callback of its own. An answer is taken once, by the browser that was sent, before anything is fetched for it. Whatever
//! goes wrong then is told on the sign-in page of the visit, where another way can be chosen.

mod answer;
mod leave;
mod trouble;

pub use leave::start;

use actix_web::HttpResponse;
use actix_web::web::Path;

use crate::config::Upstream;
use crate::domain::{InteractionId, TokenHash};
use crate::policy::upstream::Companions;
use crate::protocol::authorize::Prompt;
use crate::protocol::error::ErrorCode;
use crate::protocol::params::Params;
use crate::state::State;
use crate::store::{AnswerTaken, Proved};
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::entry::{self, Entered, Proof};
use crate::web::fault::Fault;
use crate::web::pages::UpstreamButton;
use crate::web::visit::{self, Purpose, Visit, VisitFault};
use crate::web::{posted, reply};
use trouble::Trouble;

/// `GET /upstream/{upstream}/callback`: a provider's answer (RFC 6749 §4.1.2).
pub async fn get(ctx: Ctx, upstream: Path<String>) -> HttpResponse {
    come_back(&ctx, &upstream).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

/// `POST /upstream/{upstream}/callback`: the same from a provider's own page, where the browser sends us no cookies.
pub async fn post(ctx: Ctx, upstream: Path<String>, body: Body) -> HttpResponse {
    keep(&ctx, &upstream, &body).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

/// The providers as buttons.
pub(super) fn buttons(state: &State) -> Vec<UpstreamButton> {
    let button = |upstream: &Upstream| UpstreamButton { id: upstream.id.as_str().to_owned(), name: upstream.name.clone() };
    state.config.upstreams.iter().map(button).collect()
}

async fn keep(ctx: &Ctx, upstream: &str, body: &Body) -> Result<HttpResponse, Fault> {
    let upstream = find(ctx, upstream)?;
    if !upstream.kind.posts_its_answer() {
        return Err(nothing_here());
    }
    posted::keep(ctx, &upstream.callback_path(), body).await
}

async fn come_back(ctx: &Ctx, upstream: &str) -> Result<HttpResponse, Fault> {
    let upstream = find(ctx, upstream)?;
    let params = posted::params(ctx, &upstream.callback_path()).await?;
    let browser = ctx.known_browser().ok_or(Fault::Visit(VisitFault::NoCookie))?;
    let state = TokenHash::of(params.get("state")?.ok_or(Fault::Visit(VisitFault::Over))?);
    // Whoever brings another browser's answer, or that of another provider, looks like somebody who never was sent anywhere.
    let (id, taken) = match ctx.state.store.take_upstream_visit(&state, &browser.hash(), &upstream.id, ctx.now).await? {
        AnswerTaken::Now(sent) => (sent.interaction_id, Ok(sent)),
        AnswerTaken::Expired(id) => (id, Err(Trouble::Expired)),
        AnswerTaken::Already(id) => (id, Err(Trouble::Used)),
        AnswerTaken::Unknown => return Err(Fault::Visit(VisitFault::Over)),
    };
    let visit = visit::load(ctx, id).await?;
    let entered = match taken {
        Ok(sent) => {
            let companions = Companions::of(&state, &ctx.state.keys.pairwise_secret());
            let sent = answer::Sent { upstream, companions, anew_since: anew(&visit).then_some(sent.created_at) };
            prove(ctx, &visit, &sent, &params).await
        }
        Err(trouble) => Err(trouble),
    };
    match entered {
        Ok(entered) => {
            let mut response = reply::see_other(&entered.next);
            entered.begin(ctx, &mut response);
            Ok(response)
        }
        Err(trouble) => trouble.tell(ctx, &visit, upstream).await,
    }
}

async fn prove(ctx: &Ctx, visit: &Visit, sent: &answer::Sent<'_>, params: &Params) -> Result<Entered, Trouble> {
    let person = answer::person(ctx, sent, params).await?;
    let identity = Proved { provider: sent.upstream.id.clone(), subject: person.subject, label: person.label, email: person.email };
    entry::enter(ctx, visit, Proof { identity, amr: person.amr, anew: sent.anew_since.is_some() }).await.map_err(Trouble::Refused)
}

fn find<'a>(ctx: &'a Ctx, id: &str) -> Result<&'a Upstream, Fault> {
    ctx.state.upstream(id).ok_or_else(nothing_here)
}

fn nothing_here() -> Fault {
    Fault::new(ErrorCode::NotFound, "there is nothing at this address")
}

// Whether a session that the person has at the provider is not enough: who changes how an account is signed in to shows that it is they,
// and what an app asked of us we ask there.
fn anew(visit: &Visit) -> bool {
    match &visit.purpose {
        Purpose::Link(_) | Purpose::Confirm(..) => true,
        Purpose::Authorize(request) => request.prompts(Prompt::Login) || request.max_age.is_some(),
        Purpose::Account | Purpose::Device(_) => false,
    }
}

// What stands in the form of a visit's page.
type VisitPath = Path<(InteractionId, String)>;
