//! `/userinfo` (OpenID Connect Core §5.3): what the scopes of an access token cover, as it is now.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};

use serde::Serialize;
use serde_json::{Map, Value};

use super::living::{Living, living};
use crate::domain::{ClaimsProfile, Provider, Scope, SigningAlg};
use crate::endpoints::Endpoint;
use crate::keys::TokenKind;
use crate::policy::person_claims::{self, Known as Person};
use crate::protocol::authorize::SCOPES;
use crate::protocol::claims_request::ClaimsRequest;
use crate::protocol::error::ErrorCode;
use crate::protocol::params::Params;
use crate::protocol::resource::Known;
use crate::store::{ClientRecord, DeveloperToken, PersonToken};
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::{posted, reply};

/// Why nothing is told (RFC 6750 §3).
enum Refusal {
    /// RFC 6750 §3.1: without any token, "the resource server SHOULD NOT include an error code or other error information".
    NoToken,
    Fault(Fault),
}

impl<E: Into<Fault>> From<E> for Refusal {
    fn from(fault: E) -> Self {
        Self::Fault(fault.into())
    }
}

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
        scopes_supported: &'a [&'a str],
        bearer_methods_supported: [&'a str; 2],
        resource_signing_alg_values_supported: Vec<&'a str>,
        resource_name: &'a str,
    }
    let metadata = Metadata {
        resource: ctx.state.userinfo(),
        authorization_servers: [ctx.state.issuer()],
        scopes_supported: SCOPES,
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
    let token = bearer(ctx, body)?;
    let claims = ctx.state.keys.verify(TokenKind::AccessToken, &token).await.map_err(|reason| {
        tracing::debug!(?reason, "an access token was refused");
        invalid("the access token is not one of ours, has expired, or was changed")
    })?;
    let client_id = claims.text("client_id").and_then(|id| id.parse().ok()).ok_or_else(|| invalid("the access token names no client"))?;
    let client = ctx.state.client(&client_id).await?.ok_or_else(|| invalid("the client of this access token is disabled"))?;
    // A token for another surface was not given to its holder to ask us who the person is (RFC 9068 §4: "the resource server … MUST validate
    // that the aud claim contains a resource indicator value corresponding to an identifier the resource server expects for itself").
    let userinfo = ctx.state.userinfo();
    let known = Known { resources: &ctx.state.config.resources, userinfo: &userinfo };
    if !known.for_userinfo(&claims.audience(), &client.id) {
        return Err(invalid("the access token is for another resource; get one for the client itself, or for userinfo alone").into());
    }
    let ended = || invalid("the access token was revoked, or its account, its client or its API key is disabled");
    let info = match living(ctx, &claims).await?.ok_or_else(ended)? {
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
    let known = Person { profile: &person.profile, updated_at: person.account_updated_at, wallet: person.wallet };
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

// RFC 6750 §2: "Clients MUST NOT use more than one method to transmit the token in each request." A token in the query is not looked at.
fn bearer(ctx: &Ctx, body: &Body) -> Result<String, Refusal> {
    let header = match ctx.header(header::AUTHORIZATION) {
        None => None,
        Some(value) => match value.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Some(token.trim().to_owned()),
            _ => return Err(Refusal::NoToken),
        },
    };
    let form = if body.is_empty() { None } else { Params::decode(posted::form_text(ctx, body)?).get("access_token")?.map(str::to_owned) };
    match (header, form) {
        (Some(_), Some(_)) => {
            Err(Fault::new(ErrorCode::InvalidRequest, "the access token was sent twice, in the header and in the form; send it once")
                .into())
        }
        (Some(token), None) | (None, Some(token)) => Ok(token),
        (None, None) => Err(Refusal::NoToken),
    }
}

fn invalid(description: &'static str) -> Fault {
    Fault::new(ErrorCode::InvalidToken, description)
}

// RFC 6750 §3: the header says which scheme is wanted and, once a token was sent, what is wrong with it. RFC 9728 §5.1: resource_metadata is
// "the URL of the protected resource metadata".
fn challenge(ctx: &Ctx, refusal: &Refusal) -> HttpResponse {
    let metadata = format!("resource_metadata=\"{}{}\"", ctx.state.issuer(), Endpoint::UserInfoResource.path());
    let (mut response, value) = match refusal {
        Refusal::NoToken => (HttpResponse::Unauthorized().finish(), Some(format!("Bearer {metadata}"))),
        Refusal::Fault(fault) => {
            let value = match fault {
                Fault::OAuth(error) => {
                    Some(format!("Bearer error=\"{}\", error_description=\"{}\", {metadata}", error.code.as_str(), error.description))
                }
                Fault::TooMany(_) | Fault::Unavailable | Fault::ClientKeys { .. } | Fault::Broken(_) | Fault::Visit(_) => None,
            };
            (fault.as_json(), value)
        }
    };
    if let Some(value) = value.and_then(|text| HeaderValue::from_str(&text).ok()) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    response
}
