//! What is next for an authorization request in this browser: the facts loaded, the policy asked.

use super::ctx::Ctx;
use super::{session, ways};
use crate::domain::{Grant, InteractionId, Timestamp};
use crate::policy::asset_access::Held;
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
    let (living, of_visit) = held(ctx, client, &request, session.as_ref(), interaction.map(|(id, _)| id)).await?;
    let levels = ways::levels(&ctx.state);
    let facts = Facts {
        session: session.as_ref(),
        subject: subject.as_deref(),
        levels: &levels,
        consent: consent.as_ref(),
        held: Held { living: &living, of_visit: &of_visit },
        interaction,
        now: ctx.now,
    };
    let step = next_step(request, facts);
    Ok((step, session))
}

// What this person has granted to the client on assets, and what of it in this visit; read only where the request asks for such a thing.
async fn held(
    ctx: &Ctx,
    client: &ClientRecord,
    request: &AuthorizeRequest,
    session: Option<&Session>,
    visit: Option<InteractionId>,
) -> Result<(Vec<Grant>, Vec<Grant>), StoreError> {
    let Some(session) = session.filter(|_| !request.details.is_empty()) else { return Ok((Vec::new(), Vec::new())) };
    let living = ctx.state.store.living_grants(session.account_id, &client.id, ctx.now).await?;
    let of_visit = match visit {
        Some(visit) => ctx.state.store.grants_of_visit(visit).await?,
        None => Vec::new(),
    };
    // Somebody else may have signed in since, in the same visit.
    let theirs = |grant: &Grant| grant.grantor_account == Some(session.account_id) && grant.grantee == client.id;
    Ok((living, of_visit.into_iter().filter(theirs).collect()))
}
