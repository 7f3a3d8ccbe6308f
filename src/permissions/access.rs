//! Who asks at the interfaces over assets and grants, and how a refusal is told there.

use actix_web::HttpResponse;

use crate::domain::{AccountId, ClientId, Scope};
use crate::endpoints::Endpoint;
use crate::keys::VerifiedClaims;
use crate::policy::api_access::{Deed, Holder, Lacks, check};
use crate::protocol::error::ErrorCode;
use crate::protocol::problem::Problem;
use crate::web::bearer::{self, invalid};
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::living::{Living, living};

/// Whoever shows a token that holds, and that is good for what is to be done.
#[derive(Debug)]
pub(super) struct Caller {
    pub client: ClientId,
    /// Whose token it is; `None`: the client's own.
    pub person: Option<AccountId>,
    pub first_party: bool,
}

impl Caller {
    /// The person whose token it is.
    ///
    /// # Errors
    /// When it is the client's own.
    pub(super) fn person(&self) -> Result<AccountId, Fault> {
        self.person.ok_or_else(|| lacks(Lacks::Person))
    }
}

/// Why nothing is done.
#[derive(Debug)]
pub(super) enum Refusal {
    Bearer(bearer::Refusal),
    Problem(Problem),
}

impl From<bearer::Refusal> for Refusal {
    fn from(refusal: bearer::Refusal) -> Self {
        Self::Bearer(refusal)
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl<E: Into<Fault>> From<E> for Refusal {
    fn from(fault: E) -> Self {
        Self::Bearer(bearer::Refusal::Fault(fault.into()))
    }
}

impl Refusal {
    /// `metadata` is where the protected resource is described.
    pub(super) fn answer(&self, ctx: &Ctx, metadata: Endpoint) -> HttpResponse {
        match self {
            Self::Problem(problem) => Fault::OAuth(problem.error.clone()).as_problem(ctx, problem.member),
            Self::Bearer(refusal) => {
                let missing = || invalid("an access token is missing: send it in the header Authorization, as Bearer");
                let response = match refusal {
                    bearer::Refusal::NoToken => missing().as_problem(ctx, None),
                    bearer::Refusal::Fault(fault) => fault.as_problem(ctx, None),
                };
                bearer::challenged(ctx, response, refusal, metadata)
            }
        }
    }
}

/// Whoever asks, if the token that is shown may do this.
pub(super) async fn caller(ctx: &Ctx, deed: Deed) -> Result<Caller, Refusal> {
    let (client, living, claims) = shown(ctx).await?;
    let (person, scope) = match living {
        Living::Person(token) => (Some(token.account_id), token.scope),
        Living::Developer(token) => (None, token.scope),
        Living::Client => (None, claims.text("scope").and_then(|scope| scope.parse().ok()).unwrap_or_default()),
    };
    let first_party = is_first_party(ctx, &client, &scope, deed).await?;
    check(&Holder { scope: &scope, of_person: person.is_some(), first_party }, deed).map_err(lacks)?;
    Ok(Caller { client, person, first_party })
}

/// The client whose token is shown, what the token speaks of, and its claims; it holds, and was given to the client for itself.
pub(super) async fn shown(ctx: &Ctx) -> Result<(ClientId, Living, VerifiedClaims), Refusal> {
    let token = bearer::in_header(ctx)?;
    let (client, claims) = bearer::verified(ctx, token).await?;
    // RFC 9068 §4. One that some API holds too is refused, or that API could act here in the app's name.
    if !matches!(claims.audience()[..], [one] if one == client.as_str()) {
        return Err(bearer::for_another().into());
    }
    let living = living(ctx, &claims).await?.ok_or_else(bearer::ended)?;
    Ok((client, living, claims))
}

// What decides access is never remembered: it is read where it can make a difference.
async fn is_first_party(ctx: &Ctx, client: &ClientId, scope: &Scope, deed: Deed) -> Result<bool, Fault> {
    if !scope.contains(deed.scope()) {
        return Ok(false);
    }
    let record = ctx.state.store.client(client).await?;
    Ok(record.is_some_and(|record| record.disabled_at.is_none() && record.metadata.first_party))
}

fn lacks(lacks: Lacks) -> Fault {
    Fault::new(ErrorCode::InsufficientScope, lacks.to_string())
}
