//! `/userinfo` (OpenID Connect Core §5.3): what the scopes of an access token cover, as it is now.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};

use super::living::{Living, living};
use crate::domain::{ClaimsProfile, Provider, Scope};
use crate::keys::{TokenKind, VerifiedClaims};
use crate::policy::claims::UserInfo;
use crate::protocol::error::ErrorCode;
use crate::protocol::params::Params;
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
        Ok(info) => reply::json(StatusCode::OK, &info),
        Err(refusal) => challenge(&refusal),
    }
}

async fn answer(ctx: &Ctx, body: &Body) -> Result<UserInfo, Refusal> {
    let token = bearer(ctx, body)?;
    let claims = ctx.state.keys.verify(TokenKind::AccessToken, &token).await.map_err(|reason| {
        tracing::debug!(?reason, "an access token was refused");
        invalid("the access token is not one of ours, has expired, or was changed")
    })?;
    let client_id = claims.text("client_id").and_then(|id| id.parse().ok()).ok_or_else(|| invalid("the access token names no client"))?;
    let client = ctx.state.client(&client_id).await?.ok_or_else(|| invalid("the client of this access token is disabled"))?;
    let ended = || invalid("the access token was revoked, or its account, its client or its API key is disabled");
    let info = match living(ctx, &claims).await?.ok_or_else(ended)? {
        Living::Person(person) => {
            needs_openid(&person.scope)?;
            about_person(&claims, &client, *person)
        }
        Living::Developer(token) => {
            needs_openid(&token.scope)?;
            about_license(&claims, &token)
        }
        // RFC 6749 §4.4: a client's own token speaks of nobody.
        Living::Client => return Err(no_openid().into()),
    };
    Ok(info)
}

fn about_person(claims: &VerifiedClaims, client: &ClientRecord, person: PersonToken) -> UserInfo {
    let email = person.scope.contains(Scope::EMAIL);
    let profile = person.scope.contains(Scope::PROFILE);
    let compat = client.claims_profile == ClaimsProfile::Compat;
    UserInfo {
        // OpenID Connect Core §5.3.2: "The sub Claim in the UserInfo Response MUST be verified to exactly match the sub Claim in the ID Token".
        sub: claims.sub().to_owned(),
        profile: profile.then_some(person.profile),
        updated_at: profile.then(|| person.account_updated_at.seconds()),
        provider_id: compat.then(|| person.provider.as_str().to_owned()),
        email_verified: compat.then_some(false),
        ethereum_address: person.wallet.filter(|_| email),
    }
}

fn about_license(claims: &VerifiedClaims, token: &DeveloperToken) -> UserInfo {
    UserInfo {
        sub: claims.sub().to_owned(),
        profile: None,
        updated_at: None,
        provider_id: Some(Provider::WEB3.to_owned()),
        email_verified: Some(false),
        ethereum_address: token.client_id.as_address().filter(|_| token.scope.contains(Scope::EMAIL)),
    }
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

// RFC 6750 §3: the header says which scheme is wanted and, once a token was sent, what is wrong with it.
fn challenge(refusal: &Refusal) -> HttpResponse {
    let (mut response, value) = match refusal {
        Refusal::NoToken => (HttpResponse::Unauthorized().finish(), Some("Bearer".to_owned())),
        Refusal::Fault(fault) => {
            let value = match fault {
                Fault::OAuth(error) => {
                    Some(format!("Bearer error=\"{}\", error_description=\"{}\"", error.code.as_str(), error.description))
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
