//! `POST /query`: one GraphQL request (GraphQL over HTTP, `application/json`), read only.

use std::sync::{Arc, LazyLock};

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use async_graphql::{EmptyMutation, EmptySubscription, Response, Schema};

use super::request::{self, Unread};
use super::scene::Scene;
use super::schema::Query;
use super::viewer;
use crate::endpoints::Endpoint;
use crate::web::bearer::{self, Refusal};
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::reply;

/// What a request may ask for: an answer has about as many values.
const MOST_COST: usize = 10_000;
/// The introspection that tools ask for goes 15 levels deep; nothing else goes half as far.
const DEEPEST: usize = 16;
/// On one field.
const MOST_DIRECTIVES: usize = 4;

static SCHEMA: LazyLock<Schema<Query, EmptyMutation, EmptySubscription>> = LazyLock::new(|| {
    Schema::build(Query, EmptyMutation, EmptySubscription)
        .limit_complexity(MOST_COST)
        .limit_depth(DEEPEST)
        .limit_directives(MOST_DIRECTIVES)
        .finish()
});

/// `POST /query`.
pub async fn post(ctx: Ctx, body: Body) -> HttpResponse {
    match answer(&ctx, &body).await {
        Ok(response) => reply::json(StatusCode::OK, &response),
        Err(refusal) => {
            let response = match &refusal {
                Refusal::NoToken => HttpResponse::Unauthorized().finish(),
                Refusal::Fault(fault) => fault.as_wire_json(),
            };
            bearer::challenged(&ctx, response, &refusal, Endpoint::IdentityResource)
        }
    }
}

/// `GET /.well-known/oauth-protected-resource/query` (RFC 9728 §2).
pub async fn metadata(ctx: Ctx) -> HttpResponse {
    bearer::resource_metadata(&ctx, Endpoint::Identity, "Identity API", &[])
}

// What is wrong with the query itself is told in GraphQL's own form, with status 200: existing clients read it there.
async fn answer(ctx: &Ctx, body: &Body) -> Result<Response, Refusal> {
    let request = match request::read(body.json(ctx)?) {
        Ok(request) => request,
        Err(Unread::Body(fault)) => return Err(fault.into()),
        Err(Unread::Query(error)) => return Ok(Response::from_errors(vec![error])),
    };
    let scene = Arc::new(Scene::new(ctx.state.clone(), viewer::of(ctx).await?, ctx.now));
    let response = SCHEMA.execute(request.data(Arc::clone(&scene))).await;
    match scene.take_fault() {
        Some(fault) => Err(fault.into()),
        None => Ok(response),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_the_one_that_clients_know() {
        insta::assert_snapshot!(SCHEMA.sdl());
    }
}
