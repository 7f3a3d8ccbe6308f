//! Client ID metadata documents (draft-ietf-oauth-client-id-metadata-document): which client ids are addresses of one, and what a
//! document must hold beyond what every registration does.

use serde_json::{Map, Value};
use url::Url;

use super::error::{ErrorCode, OAuthError};
use crate::domain::ClientId;

/// Whether a client id may be the address of its document at all; [`url`] says whether it is a good one.
#[must_use]
pub fn is_address(id: &ClientId) -> bool {
    id.as_str().starts_with("https://")
}

/// The address of a client's document.
///
/// # Errors
/// `invalid_client` with what the standard does not allow in it (§2).
pub fn url(id: &ClientId) -> Result<Url, OAuthError> {
    let text = id.as_str();
    let refuse = |why: &str| Err(OAuthError::new(ErrorCode::InvalidClient, format!("client_id is an https URL, but {why}")));
    let Some(rest) = text.strip_prefix("https://") else { return refuse("it does not begin with https://") };
    // "MUST NOT contain a fragment component".
    if text.contains('#') {
        return refuse("it has a fragment (the part behind #)");
    }
    if text.contains('\\') {
        return refuse("it holds a backslash");
    }
    let Ok(url) = Url::parse(text) else { return refuse("it is not a URL that can be read") };
    // "MUST NOT contain a userinfo component".
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('@') {
        return refuse("it holds a user name or password");
    }
    // "MUST contain a path component": of the text, since a parser adds one.
    let path = rest.strip_prefix(authority).and_then(|tail| tail.split('?').next()).unwrap_or_default();
    if !path.starts_with('/') {
        return refuse("it has no path");
    }
    // "MUST NOT contain single-dot or double-dot path components": they are looked for in the text too, encoded or not.
    if path.split('/').any(|part| matches!(part.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")) {
        return refuse("its path has dot segments");
    }
    // What is fetched is the very text that the client is known by.
    if url.as_str() != text {
        return refuse("it is not in its normal form (a lower-case host, no default port, escapes only where they are needed)");
    }
    Ok(url)
}

/// Whether a document speaks for `id` and holds nothing that only its client and this server may know.
///
/// # Errors
/// `invalid_client_metadata`.
pub fn check(id: &ClientId, members: &Map<String, Value>) -> Result<(), OAuthError> {
    let refuse = |why: String| Err(OAuthError::new(ErrorCode::InvalidClientMetadata, why));
    // "The Client ID Metadata Document MUST contain a client_id property whose value MUST match the Client Identifier URL …;
    // comparisons MUST be made using simple string comparison".
    match members.get("client_id").and_then(Value::as_str) {
        Some(named) if named == id.as_str() => {}
        Some(_) => return refuse(format!("client_id must be the document's own address, {id}, character for character")),
        None => return refuse(format!("client_id is missing; it must be the document's own address, {id}")),
    }
    // "the client_secret and client_secret_expires_at properties MUST NOT be used".
    if let Some(name) = ["client_secret", "client_secret_expires_at"].iter().find(|name| members.contains_key(**name)) {
        return refuse(format!("{name} must not be in a document that everybody can read"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Result<Url, String> {
        url(&text.parse().unwrap()).map_err(|error| error.description.into_owned())
    }

    #[test]
    fn which_urls_are_client_ids() {
        for text in
            ["https://app.example/client", "https://app.example/", "https://app.example:8443/a/b.json?v=1", "https://app.example/a%2fb"]
        {
            assert_eq!(read(text).unwrap().as_str(), text);
        }
        for (text, why) in [
            ("http://app.example/client", "does not begin with https://"),
            ("https://app.example", "no path"),
            ("https://app.example?x=/", "no path"),
            ("https://app.example/client#x", "fragment"),
            ("https://app.example/client#", "fragment"),
            ("https://user@app.example/client", "user name"),
            ("https://:@app.example/client", "user name"),
            ("https://app.example/a/../client", "dot segments"),
            ("https://app.example/./client", "dot segments"),
            ("https://app.example/a/..", "dot segments"),
            ("https://app.example/%2e%2E/client", "dot segments"),
            ("https://app.example\\@evil.example/client", "backslash"),
            ("https://APP.example/client", "normal form"),
            ("https://app.example:443/client", "normal form"),
            ("https://127.1/client", "normal form"),
            ("https:///client", "normal form"),
            ("https://[/client", "not a URL"),
        ] {
            let told = read(text).expect_err(text);
            assert!(told.contains(why), "{text}: {told}");
        }
    }

    #[test]
    fn a_document_speaks_for_its_own_address_alone() {
        let id: ClientId = "https://app.example/client".parse().unwrap();
        let says = |value: Value| check(&id, value.as_object().unwrap()).map_err(|error| error.description.into_owned());
        assert_eq!(says(json!({"client_id": "https://app.example/client"})), Ok(()));
        for value in [
            json!({}),
            json!({"client_id": "https://app.example/client/"}),
            json!({"client_id": "https://APP.example/client"}),
            json!({"client_id": ["https://app.example/client"]}),
        ] {
            assert!(says(value.clone()).unwrap_err().contains("the document's own address"), "{value}");
        }
        assert!(says(json!({"client_id": id, "client_secret": "x"})).unwrap_err().starts_with("client_secret must not"));
        assert!(says(json!({"client_id": id, "client_secret_expires_at": 0})).unwrap_err().starts_with("client_secret_expires_at"));
    }
}
