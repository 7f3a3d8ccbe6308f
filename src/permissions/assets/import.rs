//! `POST /v1/assets`: assets brought into the registry by a client that is a part of the house, by the rules of `latchkey asset import`.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use crate::domain::{AssetDid, Secret, Timestamp};
use crate::endpoints::Endpoint;
use crate::permissions::access::{Refusal, caller};
use crate::policy::api_access::Deed;
use crate::protocol::error::ErrorCode;
use crate::protocol::grant_request::json;
use crate::protocol::problem::Problem;
use crate::store::{AssetImport, AssetsImported, Conflict, Imported, StoreError};
use crate::web::asset_import::{Line, lines};
use crate::web::body::{Body, is_of};
use crate::web::ctx::Ctx;
use crate::web::reply;

/// The most assets of one request: they are one transaction.
const MOST: usize = 500;
/// So many problems are told of at most.
const MOST_TOLD: usize = 20;
/// How long a claim code works.
const CLAIM: Duration = Duration::from_hours(90 * 24);

/// `POST /v1/assets`.
pub async fn post(ctx: Ctx, body: Body) -> HttpResponse {
    import(&ctx, &body).await.unwrap_or_else(|refusal| refusal.answer(&ctx, Endpoint::AssetsResource))
}

#[derive(Debug, Serialize)]
struct Told {
    did: AssetDid,
    outcome: &'static str,
    /// Shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    claim_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim_expires_at: Option<String>,
}

async fn import(ctx: &Ctx, body: &Body) -> Result<HttpResponse, Refusal> {
    #[derive(Serialize)]
    struct Done {
        assets: Vec<Told>,
    }
    caller(ctx, Deed::Import).await?;
    let lines = read(ctx, body)?;
    let expires_at = ctx.now.plus(CLAIM);
    let codes: Vec<Option<Secret>> = lines.iter().map(|line| line.asset.owner.is_none().then(|| ctx.state.entropy.secret())).collect();
    let claim = |code: &Option<Secret>| code.as_ref().map(|code| (code.hash(), expires_at));
    let assets = lines.iter().zip(&codes).map(|(line, code)| AssetImport { claim: claim(code), ..line.asset.clone() }).collect();
    // No asset changes hands here: that is its owner's doing, or the operator's by the command line.
    let outcomes = match ctx.state.store.import_assets(assets, false, ctx.now).await {
        Ok(AssetsImported::All(outcomes)) => outcomes,
        Ok(AssetsImported::OtherOwners(dids)) => {
            let names = dids.iter().take(MOST_TOLD).map(ToString::to_string).collect::<Vec<_>>().join(", ");
            return Err(Problem::new(ErrorCode::Conflict, format!("nothing is imported: these have another owner: {names}")).into());
        }
        Err(StoreError::Conflict(Conflict::Asset)) => {
            return Err(Problem::new(ErrorCode::Conflict, "one of the assets was imported at this very moment; try again").into());
        }
        Err(StoreError::Conflict(Conflict::Other(_))) => return Err(Problem::of("owner", "there is no such account").into()),
        Err(error) => return Err(error.into()),
    };
    let assets = lines.iter().zip(codes).zip(outcomes).map(|((line, code), outcome)| told(line, code, outcome, expires_at)).collect();
    Ok(reply::json(StatusCode::OK, &Done { assets }))
}

// One object a line, or an array of them.
fn read(ctx: &Ctx, body: &Body) -> Result<Vec<Line>, Refusal> {
    let bytes = body.bytes()?;
    let text = if is_of(ctx, "application/json") {
        let entries: Vec<Value> = json(bytes)?;
        entries.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
    } else if is_of(ctx, "application/x-ndjson") {
        String::from_utf8(bytes.to_vec()).map_err(|_| Problem::new(ErrorCode::InvalidRequest, "the body is no UTF-8"))?
    } else {
        return Err(Problem::new(ErrorCode::InvalidRequest, "the content type must be application/json or application/x-ndjson").into());
    };
    let lines = lines(&text).map_err(|mut problems| {
        problems.truncate(MOST_TOLD);
        Problem::new(ErrorCode::InvalidRequest, format!("nothing is imported: {}", problems.join("; ")))
    })?;
    if lines.is_empty() || lines.len() > MOST {
        return Err(Problem::new(ErrorCode::InvalidRequest, format!("send from 1 to {MOST} assets at once")).into());
    }
    Ok(lines)
}

fn told(line: &Line, code: Option<Secret>, outcome: Imported, expires_at: Timestamp) -> Told {
    let code = code.filter(|_| outcome == Imported::Created);
    Told {
        did: line.asset.did,
        outcome: match outcome {
            Imported::Created => "created",
            Imported::Updated => "updated",
            Imported::Transferred => "transferred",
        },
        claim_expires_at: code.as_ref().map(|_| expires_at.rfc3339()),
        claim_code: code.map(|code| code.expose().to_owned()),
    }
}
