//! The signed-in session of a request.

use actix_web::HttpResponse;

use super::cookies::Jar;
use super::ctx::Ctx;
use super::visit::add_cookie;
use crate::domain::{ClientId, Secret};
use crate::state::Note;
use crate::store::{Agreement, Session, StoreError};

/// The live session, if the browser has one.
pub async fn current(ctx: &Ctx) -> Result<Option<Session>, StoreError> {
    let Some(token) = ctx.session_token() else { return Ok(None) };
    let session = ctx.state.store.session(&token.hash(), ctx.now).await?;
    Ok(session.filter(|session| in_use(ctx, session)))
}

/// The live session and what its account has agreed to at that client, in one read.
pub async fn standing(ctx: &Ctx, client: &ClientId) -> Result<Option<(Session, Option<Agreement>)>, StoreError> {
    let Some(token) = ctx.session_token() else { return Ok(None) };
    let standing = ctx.state.store.standing(&token.hash(), client, ctx.now).await?;
    Ok(standing.filter(|(session, _)| in_use(ctx, session)))
}

// A session that nobody used for too long is over; one in use is noted as such, in batches, by the worker.
fn in_use(ctx: &Ctx, session: &Session) -> bool {
    let quiet = ctx.now.since(session.last_seen_at);
    if quiet > ctx.state.config.session.idle {
        return false;
    }
    if quiet.as_secs() >= 60 {
        ctx.state.note(Note::SessionSeen(session.id, ctx.now));
    }
    true
}

/// Sets the cookie of a session that was just started.
pub fn begin(ctx: &Ctx, response: &mut HttpResponse, token: &Secret) {
    add_cookie(response, &Jar::Session.set(token, Some(ctx.state.config.session.lifetime), ctx.secure()));
}

/// Ends the session of this browser in the store. Apps are told afterwards, by the worker: nobody waits for them.
pub async fn end(ctx: &Ctx) -> Result<(), StoreError> {
    if let Some(token) = ctx.session_token() {
        ctx.state.store.end_session(&token.hash(), ctx.now).await?;
        ctx.state.messages.notify_one();
    }
    Ok(())
}

/// Makes the browser forget its session.
pub fn forget(ctx: &Ctx, response: &mut HttpResponse) {
    add_cookie(response, &Jar::Session.clear(ctx.secure()));
}
