//! What is registered of a client besides what the protocol's decisions always need (RFC 7591 §2, OpenID Connect Registration §2).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{GrantType, PermissionSet, SigningAlg};

/// Kept as one JSON text. Addresses are `https` (or `http` on this machine) and were checked when they were registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "the standards' own metadata are that many yes or no")]
pub struct ClientMetadata {
    /// The grants that `/token` gives it (RFC 7591 §2, `grant_types`).
    pub grant_types: BTreeSet<GrantType>,
    /// Refresh tokens without `offline_access`: they end with the session that they come from.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub refresh_with_session: bool,
    /// The scopes that it may ask for; `None`: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<super::Scope>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// Its public keys, by value (a JWK set) or by address; never both (RFC 7591 §2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// The only algorithm of its assertions; `None`: any that this server verifies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg: Option<SigningAlg>,
    /// `None`: userinfo is plain JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<SigningAlg>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<String>,
    /// Seconds (OpenID Connect Registration §2, `default_max_age`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub require_auth_time: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub default_acr_values: Vec<String>,
    /// Third-party initiated login (OpenID Connect Core §4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub backchannel_logout_session_required: bool,
    /// RFC 9126 §6.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub require_pushed_authorization_requests: bool,
    /// `web` or `native` (OpenID Connect Registration §2); `None`: it was not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
    /// What was registered in a language (`client_name#de`), given back as it came (RFC 7591 §2.2).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub localized: BTreeMap<String, String>,
    /// The audiences that its asset tokens may have; `None`: those of the server's own setting. The operator's to say, as what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audiences: Option<Vec<String>>,
    /// The most that it can ever be given on an asset, whatever owners grant; `None`: no such limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<PermissionSet>,
    /// Whether it acts with the authority that its user has as an owner.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub first_party: bool,
}

impl ClientMetadata {
    /// These metadata with the operator's settings of `before`: an app that says anew what it is changes nothing of what it may.
    #[must_use]
    pub fn keeping_operators(self, before: &Self) -> Self {
        Self { audiences: before.audiences.clone(), permissions: before.permissions.clone(), first_party: before.first_party, ..self }
    }
}

impl Default for ClientMetadata {
    fn default() -> Self {
        Self {
            // Whether a refresh token is given depends on the request and the person; being able to use one needs no setting.
            grant_types: [GrantType::AuthorizationCode, GrantType::RefreshToken].into(),
            refresh_with_session: false,
            scope: None,
            client_uri: None,
            logo_uri: None,
            policy_uri: None,
            tos_uri: None,
            contacts: Vec::new(),
            jwks: None,
            jwks_uri: None,
            token_endpoint_auth_signing_alg: None,
            userinfo_signed_response_alg: None,
            sector_identifier_uri: None,
            default_max_age: None,
            require_auth_time: false,
            default_acr_values: Vec::new(),
            initiate_login_uri: None,
            backchannel_logout_session_required: false,
            require_pushed_authorization_requests: false,
            application_type: None,
            software_id: None,
            software_version: None,
            localized: BTreeMap::new(),
            audiences: None,
            permissions: None,
            first_party: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_of_before_has_the_usual_grants() {
        let read: ClientMetadata = serde_json::from_str("{}").unwrap();
        assert_eq!(read, ClientMetadata::default());
        let text = serde_json::to_string(&read).unwrap();
        assert_eq!(text, r#"{"grant_types":["authorization_code","refresh_token"]}"#);
    }

    #[test]
    fn what_the_operator_said_outlives_what_the_app_says() {
        let set = ClientMetadata {
            audiences: Some(vec!["my-app".to_owned()]),
            permissions: Some("privilege:GetLiveData".parse().unwrap()),
            first_party: true,
            client_uri: Some("https://old.example".to_owned()),
            ..ClientMetadata::default()
        };
        assert_eq!(serde_json::from_str::<ClientMetadata>(&serde_json::to_string(&set).unwrap()).unwrap(), set);
        let said = ClientMetadata { client_uri: Some("https://new.example".to_owned()), ..ClientMetadata::default() };
        let kept = said.clone().keeping_operators(&set);
        assert_eq!(kept, ClientMetadata { client_uri: said.client_uri.clone(), ..set.clone() });
        // Nor does it bring any of its own.
        let bare = ClientMetadata { client_uri: set.client_uri.clone(), ..ClientMetadata::default() };
        assert_eq!(set.keeping_operators(&said), bare);
    }
}
