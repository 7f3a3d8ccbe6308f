//! Discovery and the key set: what this server can do, said by the same constants that do it.

use std::collections::BTreeMap;
use std::iter;

use actix_web::HttpResponse;
use actix_web::http::header;
use serde::Serialize;

use super::token::GRANT_TYPES;
use super::userinfo::SIGNED_WITH;
use crate::config::WebPage;
use crate::domain::{AuthMethod, GrantType, KeyPurpose, SigningAlg, SubjectType};
use crate::endpoints::Endpoint;
use crate::protocol::authorization_details;
use crate::protocol::authorize::SCOPES;
use crate::protocol::pkce;
use crate::protocol::standard_claims::StandardClaim;
use crate::state::State;
use crate::web::ctx::Ctx;
use crate::web::{reply, ways};

/// OpenID Connect Discovery §3, RFC 8414 §2.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the standards' own metadata are that many yes or no")]
struct Metadata<'a> {
    issuer: String,
    #[serde(flatten)]
    endpoints: BTreeMap<&'static str, String>,
    scopes_supported: Vec<&'a str>,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 2],
    grant_types_supported: &'static [GrantType],
    subject_types_supported: Vec<&'static str>,
    id_token_signing_alg_values_supported: Vec<&'static str>,
    userinfo_signing_alg_values_supported: Vec<&'static str>,
    acr_values_supported: Vec<&'static str>,
    token_endpoint_auth_methods_supported: [&'static str; 4],
    token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    revocation_endpoint_auth_methods_supported: [&'static str; 4],
    revocation_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    introspection_endpoint_auth_methods_supported: [&'static str; 3],
    introspection_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    code_challenge_methods_supported: [&'static str; 1],
    prompt_values_supported: [&'static str; 5],
    claims_supported: Vec<&'static str>,
    claim_types_supported: [&'static str; 1],
    ui_locales_supported: [&'static str; 1],
    backchannel_logout_supported: bool,
    backchannel_logout_session_supported: bool,
    /// RFC 9728 §4.
    protected_resources: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_documentation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    op_policy_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    op_tos_uri: Option<&'a str>,
    authorization_response_iss_parameter_supported: bool,
    /// RFC 9396 §10.
    authorization_details_types_supported: &'static [&'static str],
    claims_parameter_supported: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    /// draft-ietf-oauth-client-id-metadata-document.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    client_id_metadata_document_supported: bool,
    require_pushed_authorization_requests: bool,
}

/// The claims of tokens that are not about the person's profile; the others stand in their own table.
const OF_TOKENS: &[&str] =
    &["iss", "sub", "aud", "exp", "iat", "jti", "auth_time", "nonce", "acr", "amr", "sid", "at_hash", "c_hash", "provider_id"];

const AUTH_METHODS: [&str; 4] = [
    AuthMethod::ClientSecretBasic.as_str(),
    AuthMethod::ClientSecretPost.as_str(),
    AuthMethod::PrivateKeyJwt.as_str(),
    AuthMethod::None.as_str(),
];

impl<'a> Metadata<'a> {
    fn of(state: &'a State) -> Self {
        let named = |endpoint: &Endpoint| endpoint.member().map(|member| (member, format!("{}{}", state.issuer(), endpoint.path())));
        let offered = |endpoint: &&Endpoint| **endpoint != Endpoint::Registration || state.config.registration.enabled;
        let resources = &state.config.resources;
        let of_resources = resources.iter().flat_map(|resource| resource.scopes.keys().map(String::as_str));
        let page = |page: Option<&'a WebPage>| page.map(WebPage::as_str);
        let algs = || SigningAlg::ALL.iter().map(|alg| alg.as_str()).collect();
        Self {
            issuer: state.issuer().to_owned(),
            endpoints: Endpoint::ALL.iter().filter(offered).filter_map(named).collect(),
            scopes_supported: SCOPES.iter().copied().chain(of_resources).collect(),
            response_types_supported: ["code"],
            response_modes_supported: ["query", "form_post"],
            grant_types_supported: GRANT_TYPES,
            // OpenID Connect Core §8 knows two; `account` and `connector` are both public.
            subject_types_supported: if state.config.tokens.subject == SubjectType::Pairwise {
                vec!["pairwise", "public"]
            } else {
                vec!["public", "pairwise"]
            },
            id_token_signing_alg_values_supported: SigningAlg::ALL.iter().map(|alg| alg.as_str()).collect(),
            userinfo_signing_alg_values_supported: SIGNED_WITH.iter().map(|alg| alg.as_str()).collect(),
            acr_values_supported: ways::levels(state),
            token_endpoint_auth_methods_supported: AUTH_METHODS,
            // RFC 8414 §2: "The value "none" MUST NOT be used."
            token_endpoint_auth_signing_alg_values_supported: algs(),
            // RFC 8414 §2: the clients that have tokens are those that give them up, in the same ways.
            revocation_endpoint_auth_methods_supported: AUTH_METHODS,
            revocation_endpoint_auth_signing_alg_values_supported: algs(),
            introspection_endpoint_auth_methods_supported: [
                AuthMethod::ClientSecretBasic.as_str(),
                AuthMethod::ClientSecretPost.as_str(),
                AuthMethod::PrivateKeyJwt.as_str(),
            ],
            introspection_endpoint_auth_signing_alg_values_supported: algs(),
            code_challenge_methods_supported: [pkce::METHOD],
            prompt_values_supported: ["none", "login", "consent", "select_account", "create"],
            claims_supported: OF_TOKENS.iter().copied().chain(StandardClaim::ALL.iter().map(|claim| claim.as_str())).collect(),
            claim_types_supported: ["normal"],
            ui_locales_supported: ["en"],
            backchannel_logout_supported: true,
            backchannel_logout_session_supported: true,
            protected_resources: iter::once(state.userinfo()).chain(resources.iter().map(|resource| resource.uri.to_string())).collect(),
            service_documentation: page(state.config.server.service_documentation.as_ref()),
            op_policy_uri: page(state.config.server.policy_uri.as_ref()),
            op_tos_uri: page(state.config.server.tos_uri.as_ref()),
            authorization_response_iss_parameter_supported: true,
            authorization_details_types_supported: authorization_details::TYPES,
            claims_parameter_supported: true,
            request_parameter_supported: false,
            // Only what was pushed here can be named (RFC 9126 §5); no address of an app's is fetched.
            request_uri_parameter_supported: false,
            client_id_metadata_document_supported: state.config.registration.client_id_documents,
            require_pushed_authorization_requests: state.config.pushed_requests.required,
        }
    }
}

/// `GET /.well-known/openid-configuration` and `GET /.well-known/oauth-authorization-server`.
pub async fn discovery(ctx: Ctx) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "public, max-age=300")).json(Metadata::of(&ctx.state))
}

/// `GET /keys`: the keys of all that is about signing in.
pub async fn keys(ctx: Ctx) -> HttpResponse {
    reply::jwks(&ctx, KeyPurpose::Signin)
}
