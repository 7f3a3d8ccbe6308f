//! What is next for an authorization request in this browser: the facts loaded, the policy asked.

use super::ctx::Ctx;
use super::session;
use crate::domain::{InteractionId, Timestamp};
use crate::policy::authorize::{Facts, Step, next_step};
use crate::protocol::authorize::AuthorizeRequest;
use crate::store::{ClientRecord, Session, StoreError};
use crate::tokens;

/// The next step, and the session that it was decided for. `interaction` is the request's visit, once it has one.
pub async fn next(
    ctx: &Ctx,
    client: &ClientRecord,
    request: AuthorizeRequest,
    interaction: Option<(InteractionId, Timestamp)>,
) -> Result<(Step, Option<Session>), StoreError> {
    let standing = session::standing(ctx, &client.id).await?;
    let (session, consent) = standing.map_or((None, None), |(session, consent)| (Some(session), consent));
    let subject = session.as_ref().map(|session| tokens::subject_of(&ctx.state, client, session));
    let facts = Facts { session: session.as_ref(), subject: subject.as_deref(), consent: consent.as_ref(), interaction, now: ctx.now };
    let step = next_step(request, facts);
    Ok((step, session))
}
