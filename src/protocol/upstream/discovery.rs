//! A provider's discovery document (OpenID Connect Discovery §3), as far as a client needs it.

use serde::Deserialize;
use url::Url;

/// What a provider says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderMetadata {
    pub authorization_endpoint: Url,
    pub token_endpoint: Url,
    pub jwks_uri: Url,
    pub how: TokenEndpointAuth,
    /// RFC 9207 §3: whether each of its authorization responses has `iss`.
    pub names_itself: bool,
}

/// How a client's secret is sent (OpenID Connect Core §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenEndpointAuth {
    Basic,
    Post,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// Where an issuer's document is.
// OpenID Connect Discovery §4.1: "If the Issuer value contains a path component, any terminating / MUST be removed before appending
// /.well-known/openid-configuration."
#[must_use]
pub fn address(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.strip_suffix('/').unwrap_or(issuer))
}

impl ProviderMetadata {
    /// Reads the document of `issuer`.
    ///
    /// # Errors
    /// What is wrong with it, for the operator.
    pub fn read(body: &[u8], issuer: &str) -> Result<Self, String> {
        let document: Document = serde_json::from_slice(body).map_err(|why| format!("its discovery document cannot be read: {why}"))?;
        // OpenID Connect Discovery §4.3: "The issuer value returned MUST be identical to the Issuer URL that was used as the prefix to
        // /.well-known/openid-configuration to retrieve the configuration information."
        if document.issuer != issuer {
            return Err("its discovery document is that of another issuer: compare `issuer` there with the one in [[upstreams]]".to_owned());
        }
        let secure = issuer.starts_with("https:");
        for endpoint in [&document.authorization_endpoint, &document.token_endpoint, &document.jwks_uri] {
            if endpoint.scheme() != "https" && (secure || endpoint.scheme() != "http") {
                return Err("its discovery document names an endpoint that is not https".to_owned());
            }
        }
        // OpenID Connect Discovery §3: "If omitted, the default is client_secret_basic".
        let offers =
            |method: &str| document.token_endpoint_auth_methods_supported.as_ref().is_some_and(|all| all.iter().any(|one| one == method));
        let how = match (offers("client_secret_basic"), offers("client_secret_post"), &document.token_endpoint_auth_methods_supported) {
            (true, _, _) | (_, _, None) => TokenEndpointAuth::Basic,
            (false, true, _) => TokenEndpointAuth::Post,
            (false, false, Some(_)) => return Err("it takes no client secret at its token endpoint".to_owned()),
        };
        Ok(Self {
            authorization_endpoint: document.authorization_endpoint,
            token_endpoint: document.token_endpoint,
            jwks_uri: document.jwks_uri,
            how,
            names_itself: document.authorization_response_iss_parameter_supported,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn document() -> Value {
        json!({
            "issuer": "https://id.example", "authorization_endpoint": "https://id.example/auth", "token_endpoint": "https://id.example/token",
            "jwks_uri": "https://id.example/keys",
        })
    }

    fn read(name: &str, value: Value) -> Result<ProviderMetadata, String> {
        let mut document = document();
        document[name] = value;
        ProviderMetadata::read(document.to_string().as_bytes(), "https://id.example")
    }

    #[test]
    fn a_document_is_found_and_read() {
        assert_eq!(address("https://id.example"), "https://id.example/.well-known/openid-configuration");
        assert_eq!(address("https://id.example/a/"), "https://id.example/a/.well-known/openid-configuration");
        let read = read("authorization_response_iss_parameter_supported", json!(true)).unwrap();
        assert_eq!(
            (read.token_endpoint.as_str(), read.how, read.names_itself),
            ("https://id.example/token", TokenEndpointAuth::Basic, true)
        );
    }

    #[test]
    fn the_way_of_the_secret_is_one_that_it_takes() {
        let how = |methods| read("token_endpoint_auth_methods_supported", methods).map(|read| read.how);
        assert_eq!(how(json!(["client_secret_post"])), Ok(TokenEndpointAuth::Post));
        assert_eq!(how(json!(["client_secret_post", "client_secret_basic"])), Ok(TokenEndpointAuth::Basic));
        assert!(how(json!(["private_key_jwt"])).unwrap_err().contains("no client secret"));
    }

    #[test]
    fn another_issuer_and_other_schemes_are_refused() {
        for issuer in ["https://id.example/", "https://ID.example", "https://evil.example", ""] {
            assert!(read("issuer", json!(issuer)).unwrap_err().contains("another issuer"), "{issuer}");
        }
        for (name, bad) in [
            ("authorization_endpoint", json!("javascript:alert(1)")),
            ("authorization_endpoint", json!("http://id.example/auth")),
            ("token_endpoint", json!("http://id.example/token")),
            ("jwks_uri", json!("file:///etc/passwd")),
            ("jwks_uri", json!("/keys")),
            ("jwks_uri", json!(null)),
            ("issuer", json!(["https://id.example"])),
            ("authorization_response_iss_parameter_supported", json!("true")),
        ] {
            assert!(read(name, bad.clone()).is_err(), "{name} {bad}");
        }
    }
}
