//! The door: every URL of the server in one table.

mod door;

use actix_web::error::InternalError;
use actix_web::web::{self, PathConfig, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::endpoints::Endpoint;
use crate::protocol::error::ErrorCode;
use crate::state::Mode;
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::{account, home, identity, oidc, permissions, playground, signin};
use door::{Door, delete, get, patch, post, put, resource};

/// Adds every route.
pub fn configure(mode: Mode) -> impl FnOnce(&mut ServiceConfig) {
    move |app| {
        // An id in a path that is no id leads nowhere, like any other address that we do not know.
        app.app_data(
            PathConfig::default().error_handler(|error, request| InternalError::from_response(error, nothing_here(request)).into()),
        );

        // For any app's browser code: read without cookies, so any origin may. What is asked for most comes first: the table is read from
        // its beginning for every request.
        app.service(api(Endpoint::Token.path()).route(post().to(oidc::token::post)))
            .service(api("/auth/web3/generate_challenge").route(post().to(signin::api::generate)))
            .service(api("/auth/web3/submit_challenge").route(post().to(signin::api::submit)))
            .service(api(Endpoint::UserInfo.path()).route(get().to(oidc::userinfo::userinfo)).route(post().to(oidc::userinfo::userinfo)))
            .service(api(Endpoint::Exchange.path()).route(post().to(permissions::exchange::post)))
            .service(api(Endpoint::Introspection.path()).route(post().to(oidc::introspect::post)))
            .service(api(Endpoint::AuthZen.path()).route(post().to(permissions::authzen::evaluation)))
            .service(api(Endpoint::Discovery.path()).route(get().to(oidc::metadata::discovery)))
            .service(api(Endpoint::ServerMetadata.path()).route(get().to(oidc::metadata::discovery)))
            .service(api(Endpoint::Keys.path()).route(get().to(oidc::metadata::keys)))
            .service(api(Endpoint::JwksJson.path()).route(get().to(oidc::metadata::keys)))
            .service(api(Endpoint::AssetKeys.path()).route(get().to(permissions::metadata::keys)))
            .service(api(Endpoint::AssetDiscovery.path()).route(get().to(permissions::metadata::discovery)))
            .service(api(Endpoint::AssetServerMetadata.path()).route(get().to(permissions::metadata::discovery)))
            .service(api(Endpoint::PushedAuthorizationRequest.path()).route(post().to(oidc::par::post)))
            .service(api(Endpoint::DeviceAuthorization.path()).route(post().to(oidc::device::post)))
            .service(api(Endpoint::Revocation.path()).route(post().to(oidc::revoke::post)))
            .service(api(Endpoint::UserInfoResource.path()).route(get().to(oidc::userinfo::metadata)))
            .service(api(Endpoint::ExchangeResource.path()).route(get().to(permissions::exchange::metadata)))
            .service(api(Endpoint::Grants.path()).route(get().to(permissions::grants::list)).route(post().to(permissions::grants::post)))
            .service(
                managed("/v1/grants/{id}")
                    .route(get().to(permissions::grants::one::get))
                    .route(patch().to(permissions::grants::one::patch))
                    .route(delete().to(permissions::grants::one::delete)),
            )
            .service(api("/v1/grants/{id}/history").route(get().to(permissions::grants::one::history)))
            .service(api("/v1/grants/{id}/receipt").route(get().to(permissions::grants::one::receipt)))
            .service(api(Endpoint::GrantsResource.path()).route(get().to(permissions::metadata::grants)))
            .service(
                api(Endpoint::Assets.path()).route(get().to(permissions::assets::list)).route(post().to(permissions::assets::import::post)),
            )
            .service(api("/v1/assets/claim").route(post().to(permissions::assets::take)))
            .service(api("/v1/assets/{did}").route(get().to(permissions::assets::get)))
            .service(api("/v1/assets/{did}/transfer").route(post().to(permissions::assets::pass_on)))
            .service(api(Endpoint::AssetsResource.path()).route(get().to(permissions::metadata::assets)))
            .service(api(Endpoint::OpenApi.path()).route(get().to(permissions::openapi::get)))
            .service(api(Endpoint::AuthZenBatch.path()).route(post().to(permissions::authzen::evaluations)))
            .service(api(Endpoint::AuthZenConfiguration.path()).route(get().to(permissions::authzen::metadata)))
            .service(api(Endpoint::AuthZenResource.path()).route(get().to(permissions::metadata::decisions)))
            .service(api(Endpoint::Identity.path()).route(post().to(identity::query::post)))
            .service(api(Endpoint::IdentityResource.path()).route(get().to(identity::query::metadata)))
            .service(api(Endpoint::Registration.path()).route(post().to(oidc::registration::post)))
            .service(
                managed("/register/{client_id}")
                    .route(get().to(oidc::registration::management::get))
                    .route(put().to(oidc::registration::management::put))
                    .route(delete().to(oidc::registration::management::delete)),
            );

        // For people: pages of ours, with cookies, never for another origin.
        app.service(resource(Endpoint::Authorization.path()).route(get().to(oidc::authorize::get)).route(post().to(oidc::authorize::post)))
            .service(
                resource(Endpoint::DeviceVerification.path()).route(get().to(signin::device::get)).route(post().to(signin::device::post)),
            )
            .service(resource("/clients/{id}/logo").route(get().to(oidc::logo::get)))
            .service(resource("/interaction/{id}").route(get().to(signin::dispatch::get)))
            .service(resource("/interaction/{id}/wallet/challenge").route(post().to(signin::wallet::challenge)))
            .service(resource("/interaction/{id}/wallet/signature").route(post().to(signin::wallet::signature)))
            .service(resource("/interaction/{id}/passkey/options").route(post().to(signin::passkey::options)))
            .service(resource("/interaction/{id}/passkey/assertion").route(post().to(signin::passkey::assertion)))
            .service(resource("/interaction/{id}/passkey/register-options").route(post().to(signin::passkey::register_options)))
            .service(resource("/interaction/{id}/passkey/registration").route(post().to(signin::passkey::registration)))
            .service(resource("/interaction/{id}/upstream/{upstream}").route(post().to(signin::upstream::start)))
            .service(
                resource("/upstream/{upstream}/callback").route(get().to(signin::upstream::get)).route(post().to(signin::upstream::post)),
            )
            .service(resource("/interaction/{id}/password").route(post().to(signin::password::post)))
            .service(resource("/interaction/{id}/email").route(get().to(signin::email::get)).route(post().to(signin::email::ask)))
            .service(resource("/interaction/{id}/email/code").route(post().to(signin::email::code)))
            .service(resource("/interaction/{id}/consent").route(post().to(signin::steps::consent)))
            .service(resource("/interaction/{id}/switch").route(post().to(signin::steps::switch)))
            .service(resource("/interaction/{id}/cancel").route(post().to(signin::steps::cancel)))
            .service(resource(Endpoint::Logout.path()).route(get().to(oidc::logout::get)).route(post().to(oidc::logout::post)))
            .service(resource("/logout/confirm").route(post().to(oidc::logout::confirm)))
            .service(resource("/logged-out").route(get().to(oidc::logout::logged_out)))
            .service(resource("/account").route(get().to(account::page::get)))
            .service(resource("/account/password").route(get().to(account::password::get)).route(post().to(account::password::post)))
            .service(resource("/account/profile").route(post().to(account::steps::save_profile)))
            .service(resource("/account/sign-out").route(post().to(account::steps::sign_out)))
            .service(resource("/account/sign-out-everywhere").route(post().to(account::steps::sign_out_everywhere)))
            .service(resource("/account/sessions/end").route(post().to(account::steps::end_session)))
            .service(resource("/account/ways/add").route(post().to(account::ways::add)))
            .service(resource("/account/ways/remove").route(get().to(account::ways::ask)).route(post().to(account::ways::remove)))
            .service(resource("/account/ways/rename").route(post().to(account::ways::rename)))
            .service(resource("/account/assets").route(get().to(account::assets::get)))
            .service(resource("/account/assets/claim").route(post().to(account::assets::claim)))
            .service(resource("/account/grants/end").route(post().to(account::assets::end)))
            .service(resource("/account/apps/withdraw").route(post().to(account::steps::withdraw)))
            .service(resource("/").route(get().to(home::page)))
            .service(resource("/favicon.ico").route(get().to(home::favicon)))
            .service(resource("/robots.txt").route(get().to(home::robots)))
            .service(resource("/static/{path:.*}").route(get().to(home::file)));

        if mode == Mode::Dev {
            app.configure(playground::configure);
        }
        app.default_service(web::route().to(not_found));
    }
}

async fn not_found(request: HttpRequest) -> HttpResponse {
    nothing_here(&request)
}

fn nothing_here(request: &HttpRequest) -> HttpResponse {
    let fault = Fault::new(ErrorCode::NotFound, "there is nothing at this address");
    Ctx::of(request).map_or_else(|| fault.as_json(), |ctx| fault.as_page(&ctx))
}

// For any app's browser code.
fn api(path: &str) -> Door {
    resource(path).readable(&["GET", "POST"])
}

// An API over a thing that can be changed or replaced, and removed.
fn managed(path: &str) -> Door {
    resource(path).readable(&["GET", "PUT", "PATCH", "DELETE"])
}
