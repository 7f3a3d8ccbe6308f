//! `/openapi.json`: the JSON interfaces in OpenAPI 3.1, for those who generate clients. One row for each operation; tests hold the rows to the
//! routes, and the schemas to what is answered.

mod schemas;

use actix_web::HttpResponse;
use actix_web::http::header;
use serde_json::{Map, Value, json};

use crate::domain::Scope;
use crate::endpoints::Endpoint;
use crate::web::ctx::Ctx;
use schemas::{reference, schemas};

/// `GET /openapi.json`.
pub async fn get(ctx: Ctx) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "public, max-age=300")).json(document(ctx.state.issuer()))
}

/// The document of the server that is called so.
#[must_use]
pub fn document(issuer: &str) -> Value {
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = operation.object();
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Latchkey",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The JSON interfaces of this server. What OAuth and OpenID Connect define is described by its discovery document.",
        },
        "servers": [{ "url": issuer }],
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "at+jwt" },
                "client": { "type": "http", "scheme": "basic", "description": "A client id and its secret, both form-encoded (RFC 6749, section 2.3.1)." },
            },
        },
    })
}

/// Who may call an operation.
#[derive(Clone, Copy)]
enum Needs {
    Nothing,
    /// An access token; with that scope, where one is named.
    Token(Option<&'static str>),
    /// A client's own token, or its secret.
    Client,
}

/// What a body or an answer is.
#[derive(Clone, Copy)]
enum Shape {
    Json(&'static str),
    Form(&'static str),
    /// Text of that type.
    Text(&'static str),
    /// JSON, or the same as one object a line.
    JsonOrLines(&'static str),
    Nothing,
}

struct Operation {
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    needs: Needs,
    query: &'static [&'static str],
    body: Shape,
    status: &'static str,
    answer: Shape,
    /// How an error is told.
    error: &'static str,
}

const PROBLEM: &str = "Problem";

// The last column says how errors are told.
macro_rules! operations {
    ($($method:ident $path:expr, $id:literal, $summary:literal, $needs:expr, $query:expr, $body:expr, $status:literal $answer:expr, $error:expr;)*) => {
        &[$(Operation {
            method: stringify!($method), path: $path, id: $id, summary: $summary, needs: $needs, query: $query, body: $body,
            status: $status, answer: $answer, error: $error,
        }),*]
    };
}

const OPERATIONS: &[Operation] = operations! {
    post "/auth/web3/generate_challenge", "generateChallenge", "The message that a wallet or an API key is to sign",
        Needs::Nothing, &[], Shape::Form("ChallengeRequest"), "200" Shape::Json("Challenge"), "Error";
    post "/auth/web3/submit_challenge", "submitChallenge", "Its signature, for tokens",
        Needs::Nothing, &[], Shape::Form("ChallengeAnswer"), "200" Shape::Json("Tokens"), "Error";
    post Endpoint::Exchange.path(), "exchangeToken", "An app's own token, for one of an asset that was shared with it",
        Needs::Token(None), &[], Shape::Json("ExchangeRequest"), "200" Shape::Json("ExchangedToken"), "Error";
    get Endpoint::Grants.path(), "listGrants", "What a person shares, or what a client was given, the latest first",
        Needs::Token(Some(Scope::GRANTS_READ)), &["limit", "cursor", "asset", "grantee", "status"], Shape::Nothing, "200" Shape::Json("Grants"), PROBLEM;
    post Endpoint::Grants.path(), "makeGrant", "Share something of an asset with a client",
        Needs::Token(Some(Scope::GRANTS_WRITE)), &[], Shape::Json("NewGrant"), "201" Shape::Json("Grant"), PROBLEM;
    get "/v1/grants/{id}", "readGrant", "One grant",
        Needs::Token(Some(Scope::GRANTS_READ)), &[], Shape::Nothing, "200" Shape::Json("Grant"), PROBLEM;
    patch "/v1/grants/{id}", "changeGrant", "Change what is shared, or until when",
        Needs::Token(Some(Scope::GRANTS_WRITE)), &[], Shape::Json("GrantChange"), "200" Shape::Json("Grant"), PROBLEM;
    delete "/v1/grants/{id}", "endGrant", "End it, as its owner or as the client that has it",
        Needs::Token(Some(Scope::GRANTS_WRITE)), &[], Shape::Nothing, "204" Shape::Nothing, PROBLEM;
    get "/v1/grants/{id}/history", "readGrantHistory", "All that became of a grant, the oldest first",
        Needs::Token(Some(Scope::GRANTS_READ)), &[], Shape::Nothing, "200" Shape::Json("GrantHistory"), PROBLEM;
    get "/v1/grants/{id}/receipt", "readGrantReceipt", "A signed proof of a grant, to be verified by the keys for assets",
        Needs::Token(Some(Scope::GRANTS_READ)), &[], Shape::Nothing, "200" Shape::Text("application/jwt"), PROBLEM;
    get Endpoint::Assets.path(), "listAssets", "What a person owns, or what is shared with a client",
        Needs::Token(Some(Scope::ASSETS_READ)), &["limit", "cursor", "method", "make", "model", "powertrain", "year"], Shape::Nothing,
        "200" Shape::Json("Assets"), PROBLEM;
    post Endpoint::Assets.path(), "importAssets", "Bring assets in; for a client that is a part of the house",
        Needs::Token(Some(Scope::ASSETS_WRITE)), &[], Shape::JsonOrLines("AssetImports"), "200" Shape::Json("ImportedAssets"), PROBLEM;
    post "/v1/assets/claim", "claimAsset", "Take an asset over by its claim code",
        Needs::Token(Some(Scope::ASSETS_WRITE)), &[], Shape::Json("Claim"), "200" Shape::Json("Asset"), PROBLEM;
    get "/v1/assets/{did}", "readAsset", "One asset",
        Needs::Token(Some(Scope::ASSETS_READ)), &[], Shape::Nothing, "200" Shape::Json("Asset"), PROBLEM;
    post "/v1/assets/{did}/transfer", "transferAsset", "Pass an asset on: the grants that are on it end",
        Needs::Token(Some(Scope::ASSETS_WRITE)), &[], Shape::Json("Transfer"), "200" Shape::Json("Transferred"), PROBLEM;
    post Endpoint::AuthZen.path(), "evaluate", "Whether a client has a permission on an asset (AuthZEN Authorization API 1.0)",
        Needs::Client, &[], Shape::Json("Evaluation"), "200" Shape::Json("Decision"), PROBLEM;
    post Endpoint::AuthZenBatch.path(), "evaluateMany", "The same for several questions at once",
        Needs::Client, &[], Shape::Json("Evaluations"), "200" Shape::Json("Decisions"), PROBLEM;
    post Endpoint::Registration.path(), "registerClient", "An app registers itself (RFC 7591), where that is switched on",
        Needs::Nothing, &[], Shape::Json("ClientMetadata"), "201" Shape::Json("ClientMetadata"), "OAuthError";
    get "/register/{client_id}", "readClient", "An app reads its registration (RFC 7592)",
        Needs::Token(None), &[], Shape::Nothing, "200" Shape::Json("ClientMetadata"), "OAuthError";
    put "/register/{client_id}", "replaceClient", "An app replaces its registration (RFC 7592)",
        Needs::Token(None), &[], Shape::Json("ClientMetadata"), "200" Shape::Json("ClientMetadata"), "OAuthError";
    delete "/register/{client_id}", "deleteClient", "An app removes itself (RFC 7592)",
        Needs::Token(None), &[], Shape::Nothing, "204" Shape::Nothing, "OAuthError";
};

impl Operation {
    fn object(&self) -> Value {
        let mut object = json!({ "operationId": self.id, "summary": self.summary, "security": self.security() });
        let parameters = self.parameters();
        if !parameters.is_empty() {
            object["parameters"] = parameters.into();
        }
        if let Some(content) = self.body.content() {
            object["requestBody"] = json!({ "required": true, "content": content });
        }
        let mut done = json!({ "description": "Done" });
        if let Some(content) = self.answer.content() {
            done["content"] = content;
        }
        let kind = if self.error == PROBLEM { "application/problem+json" } else { "application/json" };
        let refused = json!({ "description": "Refused, with the reason", "content": { kind: { "schema": reference(self.error) } } });
        object["responses"] = json!({ self.status: done, "default": refused });
        object
    }

    fn security(&self) -> Value {
        match self.needs {
            Needs::Nothing => json!([]),
            // OpenAPI 3.1: for schemes that are no OAuth flows of the document the list "MAY contain a list of role names".
            Needs::Token(scope) => json!([{ "bearer": scope.into_iter().collect::<Vec<_>>() }]),
            Needs::Client => json!([{ "bearer": [] }, { "client": [] }]),
        }
    }

    fn parameters(&self) -> Vec<Value> {
        let text = json!({ "type": "string" });
        let in_path = self.path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
        let in_path = in_path.map(|name| json!({ "name": name, "in": "path", "required": true, "schema": text }));
        let in_query = self.query.iter().map(|name| {
            let schema = match *name {
                "limit" => json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 50 }),
                "year" => json!({ "type": "integer" }),
                "status" => json!({ "enum": ["living", "all"], "default": "living" }),
                "method" => json!({ "enum": ["erc721", "ethr"] }),
                "make" | "model" | "powertrain" => json!({ "type": "array", "items": text }),
                _ => text.clone(),
            };
            json!({ "name": name, "in": "query", "schema": schema })
        });
        in_path.chain(in_query).collect()
    }
}

impl Shape {
    fn content(self) -> Option<Value> {
        match self {
            Self::Json(name) => Some(json!({ "application/json": { "schema": reference(name) } })),
            Self::Form(name) => Some(json!({ "application/x-www-form-urlencoded": { "schema": reference(name) } })),
            Self::Text(kind) => Some(json!({ kind: { "schema": { "type": "string" } } })),
            Self::JsonOrLines(name) => Some(json!({
                "application/json": { "schema": reference(name) },
                "application/x-ndjson": { "schema": { "type": "string", "description": "One object a line" } },
            })),
            Self::Nothing => None,
        }
    }
}
