//! Decisions for services, by the OpenID AuthZEN Authorization API 1.0: whether a client has a permission on an asset at this moment. It is
//! the decision of the exchange, from the same facts.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;
use serde::Serialize;

use super::access::{Refusal, shown};
use crate::domain::{AuthMethod, ClientId, PermissionSet};
use crate::endpoints::Endpoint;
use crate::policy::exchange::{decide, may_ask_about};
use crate::policy::grants::Ask;
use crate::protocol::authzen::{Batch, Question, batch, single};
use crate::protocol::error::ErrorCode;
use crate::protocol::params::Params;
use crate::protocol::problem::Problem;
use crate::store::Bearer;
use crate::web::bearer;
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::living::Living;
use crate::web::{client, observe, reply};

/// The longest id of a request that comes back, in bytes.
const LONGEST_ID: usize = 200;

/// `POST /access/v1/evaluation`.
pub async fn evaluation(ctx: Ctx, body: Body) -> HttpResponse {
    under_its_id(&ctx, one(&ctx, &body).await)
}

/// `POST /access/v1/evaluations`.
pub async fn evaluations(ctx: Ctx, body: Body) -> HttpResponse {
    under_its_id(&ctx, several(&ctx, &body).await)
}

/// `GET /.well-known/authzen-configuration` (Authorization API 1.0 §9.1).
pub async fn metadata(ctx: Ctx) -> HttpResponse {
    #[derive(Serialize)]
    struct Metadata<'a> {
        policy_decision_point: &'a str,
        access_evaluation_endpoint: String,
        access_evaluations_endpoint: String,
    }
    let issuer = ctx.state.issuer();
    let at = |endpoint: Endpoint| format!("{issuer}{}", endpoint.path());
    let metadata = Metadata {
        policy_decision_point: issuer,
        access_evaluation_endpoint: at(Endpoint::AuthZen),
        access_evaluations_endpoint: at(Endpoint::AuthZenBatch),
    };
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "public, max-age=300")).json(metadata)
}

#[derive(Debug, Serialize)]
struct Decision {
    decision: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Context>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Context {
    /// When the grants end that it rests on.
    ExpiresAt(String),
    /// Why not, in the words of the exchange.
    Reason(&'static str),
    /// This question could not be answered.
    Error { status: u16, message: String },
}

async fn one(ctx: &Ctx, body: &Body) -> Result<HttpResponse, Refusal> {
    let caller = asker(ctx).await?;
    let question = single(body.json(ctx)?)?;
    let decision = answered(ctx, &caller, &question).await?;
    Ok(told(&decision))
}

async fn several(ctx: &Ctx, body: &Body) -> Result<HttpResponse, Refusal> {
    #[derive(Serialize)]
    struct Decisions {
        evaluations: Vec<Decision>,
    }
    let caller = asker(ctx).await?;
    let (semantic, questions) = match batch(body.json(ctx)?)? {
        Batch::One(question) => return Ok(told(&answered(ctx, &caller, &question).await?)),
        Batch::Many { semantic, questions } => (semantic, questions),
    };
    let mut evaluations = Vec::with_capacity(questions.len());
    for question in questions {
        let answer = match question {
            Ok(question) => answered(ctx, &caller, &question).await,
            Err(problem) => Err(problem.into()),
        };
        let decision = match answer {
            Ok(decision) => decision,
            Err(Refusal::Problem(problem)) => {
                let (status, message) = (problem.error.code.status(), problem.error.description.into_owned());
                Decision { decision: false, context: Some(Context::Error { status, message }) }
            }
            // An outage is no decision.
            Err(refusal @ Refusal::Bearer(_)) => return Err(refusal),
        };
        let ends = semantic.ends_with(decision.decision);
        evaluations.push(decision);
        if ends {
            break;
        }
    }
    Ok(told(&Decisions { evaluations }))
}

async fn answered(ctx: &Ctx, caller: &ClientId, question: &Question) -> Result<Decision, Refusal> {
    if !may_ask_about(caller, &question.subject, &ctx.state.config.resources) {
        let words = "subject: a client learns of itself; of others only the servers of the operator's resources do";
        return Err(Problem::new(ErrorCode::InsufficientScope, words).at("subject").into());
    }
    let refused = |reason| Decision { decision: false, context: Some(Context::Reason(reason)) };
    let bearer = Bearer::Named(question.subject.clone());
    let Some(found) = ctx.state.store.exchange_facts(&bearer, &question.asset, ctx.now).await? else {
        // Of a client that is not there, or disabled, nothing more is said.
        return Ok(refused(crate::policy::grants::Reason::NotShared.as_str()));
    };
    let permissions = PermissionSet::from_iter([question.action.clone()]);
    let ask = Ask { permissions: &permissions, events: &[], partial: false };
    Ok(match decide(&found, &question.asset, &ask, &ctx.state.config.vocabulary, ctx.now) {
        Ok(granted) => Decision { decision: true, context: granted.until.map(|until| Context::ExpiresAt(until.rfc3339())) },
        Err(reason) => refused(reason.reason.as_str()),
    })
}

// Authorization API 1.0 §10.1.2: the caller may give its request an id, and then "the PDP MUST include a request identifier in the response"
// that is the same.
fn under_its_id(ctx: &Ctx, answer: Result<HttpResponse, Refusal>) -> HttpResponse {
    let mut response = answer.unwrap_or_else(|refusal| refusal.answer(ctx, Endpoint::AuthZenResource));
    if let Some(id) = ctx.request.headers().get(observe::HEADER).filter(|id| (1..=LONGEST_ID).contains(&id.len())) {
        response.headers_mut().insert(observe::HEADER, id.clone());
    }
    response
}

/// The client that asks: by its secret, or by a token of its own.
async fn asker(ctx: &Ctx) -> Result<ClientId, Refusal> {
    let is_basic = |value: &str| value.split_once(' ').is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
    if ctx.header(header::AUTHORIZATION).is_some_and(is_basic) {
        let client = client::authenticated(ctx, &Params::default()).await?;
        // A public client proves nothing by its name.
        if client.auth_method == AuthMethod::None {
            return Err(Fault::new(ErrorCode::InvalidClient, "this client is public and cannot prove itself").into());
        }
        return Ok(client.id.clone());
    }
    match shown(ctx).await? {
        (client, Living::Developer(_) | Living::Client, _) => Ok(client),
        (_, Living::Person(_), _) => Err(bearer::invalid("the access token is a person's; show one of the client itself").into()),
    }
}

fn told(answer: &impl Serialize) -> HttpResponse {
    reply::json(StatusCode::OK, answer)
}
