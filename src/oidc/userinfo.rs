//! `/userinfo` (OpenID Connect Core §5.3): what the scopes of an access token cover, as it is now.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::{ClaimsProfile, Provider, Scope, SigningAlg};
use crate::endpoints::Endpoint;
use crate::keys::TokenKind;
use crate::policy::claims::Reach;
use crate::policy::person_claims::{self, Known as Person};
use crate::protocol::authorize::SCOPES;
use crate::protocol::claims_request::ClaimsRequest;
use crate::protocol::error::ErrorCode;
use crate::protocol::resource::Known;
use crate::store::{ClientRecord, DeveloperToken, PersonToken};
use crate::web::bearer::{Refusal, invalid};
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::living::{Living, living};
use crate::web::{bearer, reply};

/// `GET` and `POST /userinfo`.
pub async fn userinfo(ctx: Ctx, body: Body) -> HttpResponse {
    match answer(&ctx, &body).await {
        Ok(Answer::Plain(info)) => reply::json(StatusCode::OK, &info),
        Ok(Answer::Signed(jwt)) => reply::jwt(jwt),
        Err(refusal) => challenge(&ctx, &refusal),
    }
}

/// The algorithms with which userinfo can be signed, as discovery lists them: those that a client may register.
pub const SIGNED_WITH: &[SigningAlg] = SigningAlg::ALL;

/// How a token may be sent here (RFC 6750 §2.1, §2.2), as the resource's metadata lists it.
const BEARER_METHODS: [&str; 2] = ["header", "body"];

/// `GET /.well-known/oauth-protected-resource/userinfo` (RFC 9728 §2).
pub async fn metadata(ctx: Ctx) -> HttpResponse {
    #[derive(Serialize)]
    struct Metadata<'a> {
        resource: String,
        authorization_servers: [&'a str; 1],
        scopes_supported: Vec<&'a str>,
        bearer_methods_supported: [&'a str; 2],
        resource_signing_alg_values_supported: Vec<&'a str>,
        resource_name: &'a str,
    }
    let metadata = Metadata {
        resource: ctx.state.userinfo(),
        authorization_servers: [ctx.state.issuer()],
        scopes_supported: SCOPES.iter().copied().filter(|token| !Scope::OF_APIS.contains(token)).collect(),
        bearer_methods_supported: BEARER_METHODS,
        resource_signing_alg_values_supported: SIGNED_WITH.iter().map(|alg| alg.as_str()).collect(),
        resource_name: "UserInfo",
    };
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "public, max-age=300")).json(metadata)
}

/// What is told, in the form that the client registered.
enum Answer {
    Plain(Map<String, Value>),
    Signed(String),
}

async fn answer(ctx: &Ctx, body: &Body) -> Result<Answer, Refusal> {
    let token = bearer::in_header_or_form(ctx, body)?;
    let (client_id, claims) = bearer::verified(ctx, &token).await?;
    let client = ctx.state.client(&client_id).await?.ok_or_else(|| invalid("the client of this access token is disabled"))?;
    // A token for another surface was not given to its holder to ask us who the person is (RFC 9068 §4: "the resource server … MUST validate
    // that the aud claim contains a resource indicator value corresponding to an identifier the resource server expects for itself").
    let userinfo = ctx.state.userinfo();
    let known = Known { resources: &ctx.state.config.resources, userinfo: &userinfo };
    if !known.for_userinfo(&claims.audience(), &client.id) {
        return Err(invalid("the access token is for another resource; get one for the client itself, or for userinfo alone").into());
    }
    let info = match living(ctx, &claims).await?.ok_or_else(bearer::ended)? {
        Living::Person(person) => {
            needs_openid(&person.scope)?;
            about_person(claims.sub(), &client, &person)
        }
        Living::Developer(token) => {
            needs_openid(&token.scope)?;
            about_license(claims.sub(), &token)
        }
        // RFC 6749 §4.4: a client's own token speaks of nobody.
        Living::Client => return Err(no_openid().into()),
    };
    sealed(ctx, &client, info)
}

// OpenID Connect Core §5.3.2: "If signed, the UserInfo Response MUST contain the Claims iss (issuer) and aud (audience) as members. The
// iss value MUST be the OP's Issuer Identifier URL. The aud value MUST be or include the RP's Client ID value."
fn sealed(ctx: &Ctx, client: &ClientRecord, mut info: Map<String, Value>) -> Result<Answer, Refusal> {
    let Some(alg) = client.metadata.userinfo_signed_response_alg else { return Ok(Answer::Plain(info)) };
    info.insert("iss".to_owned(), ctx.state.issuer().into());
    info.insert("aud".to_owned(), client.id.as_str().into());
    Ok(Answer::Signed(ctx.state.keys.sign(TokenKind::UserInfo, alg, &info)?))
}

// OpenID Connect Core §5.3.2: "The sub Claim in the UserInfo Response MUST be verified to exactly match the sub Claim in the ID Token".
fn about_person(sub: &str, client: &ClientRecord, person: &PersonToken) -> Map<String, Value> {
    let asked = ClaimsRequest::stored(person.claims.as_ref());
    let reach = Reach { wallet: person.wallet, email: person.email.as_ref() };
    let known = Person { profile: &person.profile, updated_at: person.account_updated_at, reach };
    let compat = (client.claims_profile == ClaimsProfile::Compat).then_some(&person.provider);
    person_claims::userinfo(sub, &person.scope, &asked, known, compat)
}

fn about_license(sub: &str, token: &DeveloperToken) -> Map<String, Value> {
    let told = [
        ("sub", Some(sub.into())),
        ("provider_id", Some(Provider::WEB3.into())),
        ("email_verified", Some(false.into())),
        (
            "ethereum_address",
            token.client_id.as_address().filter(|_| token.scope.contains(Scope::EMAIL)).map(|address| address.to_string().into()),
        ),
    ];
    told.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn needs_openid(scope: &Scope) -> Result<(), Refusal> {
    if scope.contains(Scope::OPENID) { Ok(()) } else { Err(no_openid().into()) }
}

fn no_openid() -> Fault {
    Fault::new(ErrorCode::InsufficientScope, "userinfo needs an access token of a person, with the scope openid")
}

fn challenge(ctx: &Ctx, refusal: &Refusal) -> HttpResponse {
    let response = match refusal {
        Refusal::NoToken => HttpResponse::Unauthorized().finish(),
        Refusal::Fault(fault) => fault.as_json(),
    };
    bearer::challenged(ctx, response, refusal, Endpoint::UserInfoResource)
}
