//! The shapes of bodies and answers (JSON Schema 2020-12).

use serde_json::{Value, json};

use crate::protocol::authzen;

/// A reference to one of them.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// All of them, by name.
pub(super) fn schemas() -> Value {
    let (mut all, more) = (of_assets(), of_others());
    if let (Some(all), Value::Object(more)) = (all.as_object_mut(), more) {
        all.extend(more);
    }
    all
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn texts() -> Value {
    json!({ "type": "array", "items": { "type": "string" } })
}

fn maybe() -> Value {
    json!({ "type": ["string", "null"] })
}

fn moment() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

fn object(required: &[&str], properties: &Value) -> Value {
    json!({ "type": "object", "required": required, "properties": properties })
}

// Of which no other member is taken.
fn closed(required: &[&str], properties: &Value) -> Value {
    let mut schema = object(required, properties);
    schema["additionalProperties"] = false.into();
    schema
}

fn list(of: &str) -> Value {
    json!({ "type": "array", "items": reference(of) })
}

fn of_assets() -> Value {
    let filters = list("EventFilter");
    json!({
        "EventFilter": closed(&[], &json!({ "event_type": text(), "source": text(), "ids": texts(), "tags": texts() })),
        "Grant": object(
            &["id", "asset", "grantee", "permissions", "events", "effective_at", "expires_at", "status", "source", "created_at", "updated_at"],
            &json!({
                "id": { "type": "string", "format": "uuid" },
                "asset": { "type": "string", "description": "A DID, or all: every asset of the grantor" },
                "grantor": maybe(), "grantee": text(), "permissions": texts(), "events": filters,
                "effective_at": moment(), "expires_at": moment(),
                "status": { "enum": ["pending", "active", "expired", "ended"] },
                "source": { "enum": ["consent", "api", "operator"] },
                "template": maybe(), "purpose": maybe(), "created_at": moment(), "updated_at": moment(), "ended_at": maybe(),
                "ended": { "enum": ["owner", "grantee", "operator", "transfer", "replaced", null] },
            }),
        ),
        "Grants": object(&["grants"], &json!({ "grants": list("Grant"), "next": text() })),
        "NewGrant": closed(&["asset", "grantee"], &json!({
            "asset": text(), "grantee": text(), "permissions": texts(), "events": filters, "effective_at": moment(),
            "expires_at": moment(), "template": text(),
        })),
        "GrantChange": closed(&[], &json!({ "permissions": texts(), "events": filters, "expires_at": moment() })),
        "GrantEvent": object(&["at", "what", "actor", "why"], &json!({
            "at": moment(), "what": { "enum": ["made", "changed", "ended"] }, "actor": { "enum": ["owner", "grantee", "operator"] },
            "client": maybe(), "why": text(), "permissions": texts(), "events": filters, "expires_at": moment(),
        })),
        "GrantHistory": object(&["history"], &json!({ "history": list("GrantEvent") })),
        "Asset": object(&["did"], &json!({
            "did": text(), "make": maybe(), "model": maybe(), "year": { "type": ["integer", "null"] }, "powertrain": maybe(),
            "name": maybe(), "attributes": { "type": "object" }, "owner": maybe(), "minted_at": moment(), "updated_at": moment(),
            "permissions": texts(),
        })),
        "Assets": object(&["assets"], &json!({ "assets": list("Asset"), "next": text() })),
        "AssetImport": closed(&["did"], &json!({
            "did": text(), "owner": maybe(), "make": maybe(), "model": maybe(), "year": { "type": ["integer", "null"] },
            "powertrain": maybe(), "name": maybe(), "attributes": { "type": ["object", "null"] }, "minted_at": maybe(),
        })),
        "AssetImports": list("AssetImport"),
        "ImportedAsset": object(&["did", "outcome"], &json!({
            "did": text(), "outcome": { "enum": ["created", "updated"] }, "claim_code": text(), "claim_expires_at": moment(),
        })),
        "ImportedAssets": object(&["assets"], &json!({ "assets": list("ImportedAsset") })),
        "Claim": closed(&["code"], &json!({ "code": text() })),
        "Transfer": closed(&["to"], &json!({ "to": text(), "asset": text() })),
        "Transferred": object(&["did", "owner"], &json!({ "did": text(), "owner": text() })),
        "Problem": object(&["type", "title", "status", "detail", "instance", "code"], &json!({
            "type": text(), "title": text(), "status": { "type": "integer" }, "detail": text(), "instance": text(), "code": text(),
            "member": text(),
        })),
    })
}

fn of_others() -> Value {
    let entity = object(&["type", "id"], &json!({ "type": text(), "id": text(), "properties": { "type": "object" } }));
    let action = object(&["name"], &json!({ "name": text(), "properties": { "type": "object" } }));
    let question = json!({ "subject": entity, "resource": entity, "action": action, "context": { "type": "object" } });
    let mut questions = question.clone();
    questions["evaluations"] = json!({ "type": "array", "maxItems": authzen::MOST, "items": object(&[], &question) });
    questions["options"] =
        object(&[], &json!({ "evaluations_semantic": { "enum": ["execute_all", "deny_on_first_deny", "permit_on_first_permit"] } }));
    let event = closed(&[], &json!({ "eventType": text(), "source": text(), "ids": texts(), "tags": texts() }));
    json!({
        "Evaluation": object(&["subject", "resource", "action"], &question),
        "Evaluations": object(&[], &questions),
        "Decision": object(&["decision"], &json!({
            "decision": { "type": "boolean" },
            "context": object(&[], &json!({
                "expires_at": moment(), "reason": text(),
                "error": object(&["status", "message"], &json!({ "status": { "type": "integer" }, "message": text() })),
            })),
        })),
        "Decisions": object(&[], &json!({
            "evaluations": list("Decision"), "decision": { "type": "boolean" }, "context": { "type": "object" },
        })),
        "ExchangeRequest": object(&[], &json!({
            "asset": text(), "permissions": texts(), "audience": texts(), "partial": { "type": "boolean" },
            "cloudEvents": object(&[], &json!({ "events": { "type": "array", "items": event } })),
            "nftContractAddress": text(), "tokenId": { "type": ["integer", "string"] },
            "privileges": { "type": "array", "items": { "type": "integer" } },
        })),
        "ExchangedToken": object(&["token", "token_type", "expires_in", "expires_at"], &json!({
            "token": text(), "token_type": text(), "expires_in": { "type": "integer" }, "expires_at": moment(), "granted": texts(),
            "missing": texts(), "missing_events": list("EventFilter"),
        })),
        "Error": object(&["error", "error_description", "status", "code", "message"], &json!({
            "error": text(), "error_description": text(), "status": { "type": "integer" }, "code": { "type": "integer" },
            "message": text(), "reason": text(), "missing": texts(), "missing_events": list("EventFilter"), "granted": texts(),
        })),
        "OAuthError": object(&["error"], &json!({ "error": text(), "error_description": text() })),
        "ChallengeRequest": object(&["client_id", "domain", "scope", "response_type", "address"], &json!({
            "client_id": text(), "domain": text(), "scope": text(), "response_type": { "const": "code" }, "address": text(),
            "state": text(), "nonce": text(), "code_challenge": text(), "code_challenge_method": { "const": "S256" },
        })),
        "Challenge": object(&["state", "challenge"], &json!({ "state": text(), "challenge": text() })),
        "ChallengeAnswer": object(&["client_id", "domain", "state", "signature", "grant_type"], &json!({
            "client_id": text(), "domain": text(), "state": text(), "signature": text(), "grant_type": { "const": "authorization_code" },
            "code_verifier": text(), "client_secret": text(),
        })),
        "Tokens": object(&["access_token", "token_type", "expires_in"], &json!({
            "access_token": text(), "token_type": text(), "expires_in": { "type": "integer" }, "id_token": text(), "scope": text(),
        })),
        "ClientMetadata": { "type": "object", "description": "As RFC 7591 and OpenID Connect Dynamic Client Registration name them" },
    })
}
