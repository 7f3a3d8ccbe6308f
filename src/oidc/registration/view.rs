//! A registered client as it is told to itself (RFC 7591 §3.2.1, RFC 7592 §3): all that was taken from its wishes.

use serde_json::{Map, Value, json};

use super::address;
use crate::domain::{GrantType, Secret, SubjectType};
use crate::store::ClientRecord;
use crate::web::ctx::Ctx;

/// What a client gets to keep.
pub(super) struct Issued<'a> {
    /// Its secret, when it was made just now: only its hash is kept.
    pub(super) secret: Option<&'a Secret>,
    /// The token for its registration.
    pub(super) token: &'a Secret,
}

pub(super) fn of(ctx: &Ctx, client: &ClientRecord, issued: &Issued<'_>) -> Value {
    let pairwise = client.subject_type.unwrap_or(ctx.state.config.tokens.subject) == SubjectType::Pairwise;
    let code = client.metadata.grant_types.contains(&GrantType::AuthorizationCode);
    let mut view = metadata(client);
    let mut put = |name: &str, value: Value| view.insert(name.to_owned(), value);
    put("client_id", json!(client.id));
    put("client_id_issued_at", json!(client.created_at.seconds()));
    if let Some(secret) = issued.secret {
        put("client_secret", json!(secret.expose()));
        // RFC 7591 §3.2.1: "REQUIRED if "client_secret" is issued. … or 0 if it will not expire."
        put("client_secret_expires_at", json!(0));
    }
    put("registration_access_token", json!(issued.token.expose()));
    put("registration_client_uri", json!(address(ctx, &client.id)));
    put("client_name", json!(client.name));
    put("redirect_uris", json!(client.redirect_uris));
    if !client.post_logout_redirect_uris.is_empty() {
        put("post_logout_redirect_uris", json!(client.post_logout_redirect_uris));
    }
    put("response_types", if code { json!(["code"]) } else { json!([]) });
    put("token_endpoint_auth_method", json!(client.auth_method));
    put("subject_type", json!(if pairwise { "pairwise" } else { "public" }));
    put("id_token_signed_response_alg", json!(client.signing_alg));
    if let Some(uri) = &client.backchannel_logout_uri {
        put("backchannel_logout_uri", json!(uri));
    }
    Value::Object(view)
}

// The record's own names are those of the standards, but for what they do not have.
fn metadata(client: &ClientRecord) -> Map<String, Value> {
    let Ok(Value::Object(mut members)) = serde_json::to_value(&client.metadata) else { return Map::new() };
    members.remove("refresh_with_session");
    if let Some(Value::Object(localized)) = members.remove("localized") {
        members.extend(localized);
    }
    members
}
