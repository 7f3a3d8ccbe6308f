//! A client or license as it is printed.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::config::span_words;
use crate::domain::{
    Address, AuthMethod, ClaimsProfile, ClientId, ClientKind, ClientMetadata, GrantType, OperatorsWord, PermissionSet, Pkce, RedirectUri,
    Scope, Secret, SigningAlg, SubjectType, Timestamp,
};
use crate::store::{ClientRecord, LicenseKey};

/// A client's record for standard output; the fields of a license are there for licenses only.
#[derive(Serialize)]
pub(in crate::cli) struct View<'a> {
    client_id: &'a ClientId,
    /// Only when it was generated in this very command.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    kind: ClientKind,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    alias: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<Address>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_lifetime: Option<String>,
    /// The registered names (RFC 7591 §2) of the ways in which it may prove itself at the token endpoint.
    token_endpoint_auth_methods: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    token_endpoint_auth_signing_alg: Option<SigningAlg>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks: Option<&'a serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant_types: Option<&'a BTreeSet<GrantType>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a Scope>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    require_pushed_authorization_requests: bool,
    pkce: Pkce,
    claims_profile: ClaimsProfile,
    /// `null`: the server's own setting.
    subject: Option<SubjectType>,
    signing_alg: SigningAlg,
    access_token_lifetime: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    audiences: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permission_limit: Option<&'a PermissionSet>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    first_party: bool,
    redirect_uris: &'a [RedirectUri],
    post_logout_redirect_uris: &'a [RedirectUri],
    backchannel_logout_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<Vec<KeyView>>,
    /// What else an app that registered itself, or is known by a document, says of itself (RFC 7591 §2).
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a ClientMetadata>,
    /// What the operator has said of an app that registered itself: whether he let it in, and what of it his commands hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<&'a OperatorsWord>,
    source: &'static str,
    /// Of a client that is known by a document of its own: until when that is not fetched again.
    #[serde(skip_serializing_if = "Option::is_none")]
    document_until: Option<String>,
    created_at: String,
    updated_at: String,
    disabled_at: Option<String>,
}

impl<'a> View<'a> {
    pub(in crate::cli) fn of(client: &'a ClientRecord) -> Self {
        let license = client.license.as_ref();
        Self {
            client_id: &client.id,
            client_secret: None,
            kind: client.kind,
            name: &client.name,
            alias: license.map(|license| license.alias.as_str()),
            owner: license.map(|license| license.owner),
            token_lifetime: license.map(|license| span_words(license.developer_token)),
            token_endpoint_auth_methods: auth_methods(client.auth_method),
            token_endpoint_auth_signing_alg: client.metadata.token_endpoint_auth_signing_alg,
            jwks: client.metadata.jwks.as_ref(),
            jwks_uri: client.metadata.jwks_uri.as_deref(),
            grant_types: license.is_none().then_some(&client.metadata.grant_types),
            scope: client.metadata.scope.as_ref(),
            require_pushed_authorization_requests: client.metadata.require_pushed_authorization_requests,
            pkce: client.pkce,
            claims_profile: client.claims_profile,
            subject: client.subject_type,
            signing_alg: client.signing_alg,
            access_token_lifetime: span_words(client.access_token),
            audiences: client.metadata.audiences.as_deref(),
            permission_limit: client.metadata.permissions.as_ref(),
            first_party: client.metadata.first_party,
            redirect_uris: &client.redirect_uris,
            post_logout_redirect_uris: &client.post_logout_redirect_uris,
            backchannel_logout_uri: client.backchannel_logout_uri.as_deref(),
            keys: None,
            metadata: client.is_self_made().then_some(&client.metadata),
            operator: (client.operator != OperatorsWord::default()).then_some(&client.operator),
            source: client.source.as_str(),
            document_until: client.document_until.map(Timestamp::rfc3339),
            created_at: client.created_at.rfc3339(),
            updated_at: client.updated_at.rfc3339(),
            disabled_at: client.disabled_at.map(Timestamp::rfc3339),
        }
    }

    /// With the secret that was generated for it.
    pub(in crate::cli) fn with_secret(self, secret: Option<&'a Secret>) -> Self {
        Self { client_secret: secret.map(Secret::expose), ..self }
    }

    /// With a license's keys.
    pub(in crate::cli) fn with_keys(self, keys: &[LicenseKey]) -> Self {
        Self { keys: Some(keys.iter().map(KeyView::from).collect()), ..self }
    }
}

fn auth_methods(method: AuthMethod) -> &'static [&'static str] {
    match method {
        AuthMethod::None => &["none"],
        AuthMethod::ClientSecretBasic => &["client_secret_basic"],
        AuthMethod::ClientSecretPost => &["client_secret_post"],
        AuthMethod::ClientSecret => &["client_secret_basic", "client_secret_post"],
        AuthMethod::PrivateKeyJwt => &["private_key_jwt"],
    }
}

/// A license's API key for standard output.
#[derive(Serialize)]
pub(in crate::cli) struct KeyView {
    license: ClientId,
    pub(in crate::cli) address: Address,
    created_at: String,
    expires_at: Option<String>,
    disabled_at: Option<String>,
}

impl From<&LicenseKey> for KeyView {
    fn from(key: &LicenseKey) -> Self {
        Self {
            license: key.license.clone(),
            address: key.address,
            created_at: key.created_at.rfc3339(),
            expires_at: key.expires_at.map(Timestamp::rfc3339),
            disabled_at: key.disabled_at.map(Timestamp::rfc3339),
        }
    }
}
