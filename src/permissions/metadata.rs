//! The issuer of asset tokens as resource servers find it: who it is, and its keys.

use actix_web::HttpResponse;
use actix_web::http::header;
use serde::Serialize;

use crate::domain::{GrantType, KeyPurpose, Scope, SigningAlg};
use crate::endpoints::Endpoint;
use crate::state::State;
use crate::web::bearer;
use crate::web::ctx::Ctx;
use crate::web::reply;

/// RFC 8414 §2, OpenID Connect Discovery §3: as much of it as is true of an issuer that nobody signs in at.
#[derive(Debug, Serialize)]
struct Metadata<'a> {
    issuer: &'a str,
    jwks_uri: String,
    /// Required by RFC 8414; there is no authorization endpoint here.
    response_types_supported: [&'static str; 0],
    /// Left out, it would mean `authorization_code` and `implicit`.
    grant_types_supported: [GrantType; 0],
    subject_types_supported: [&'static str; 1],
    /// Libraries take it for the algorithms of any token of the issuer.
    id_token_signing_alg_values_supported: [SigningAlg; 1],
}

impl<'a> Metadata<'a> {
    fn of(state: &'a State) -> Self {
        Self {
            issuer: state.keys.issuer(KeyPurpose::Assets),
            // Served here, whatever the issuer is called.
            jwks_uri: format!("{}{}", state.issuer(), Endpoint::AssetKeys.path()),
            response_types_supported: [],
            grant_types_supported: [],
            subject_types_supported: ["public"],
            id_token_signing_alg_values_supported: [SigningAlg::Rs256],
        }
    }
}

/// `GET /assets/.well-known/openid-configuration` and `GET /.well-known/oauth-authorization-server/assets`.
pub async fn discovery(ctx: Ctx) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "public, max-age=300")).json(Metadata::of(&ctx.state))
}

/// `GET /.well-known/oauth-protected-resource/v1/grants`.
pub async fn grants(ctx: Ctx) -> HttpResponse {
    bearer::resource_metadata(&ctx, Endpoint::Grants, "Grants", &[Scope::GRANTS_READ, Scope::GRANTS_WRITE])
}

/// `GET /.well-known/oauth-protected-resource/v1/assets`.
pub async fn assets(ctx: Ctx) -> HttpResponse {
    bearer::resource_metadata(&ctx, Endpoint::Assets, "Assets", &[Scope::ASSETS_READ, Scope::ASSETS_WRITE])
}

/// `GET /.well-known/oauth-protected-resource/access/v1/evaluation`.
pub async fn decisions(ctx: Ctx) -> HttpResponse {
    bearer::resource_metadata(&ctx, Endpoint::AuthZen, "Access decisions", &[])
}

/// `GET /assets/keys`: the keys of asset tokens and of receipts.
pub async fn keys(ctx: Ctx) -> HttpResponse {
    reply::jwks(&ctx, KeyPurpose::Assets)
}
