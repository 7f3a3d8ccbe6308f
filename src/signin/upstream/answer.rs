//! From a provider's answer to a person: sender and code looked at, code redeemed, and what was given for it checked.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use url::{Url, form_urlencoded};

use super::trouble::Trouble;
use crate::config::{Upstream, UpstreamCredential};
use crate::domain::{Secret, Timestamp, UpstreamKind};
use crate::egress::{Ask, EgressError, Fetched, Want};
use crate::keys::{ClientKeys, NotTheirs};
use crate::policy::upstream::{self as policy, Asked, Companions, Person};
use crate::protocol::params::Params;
use crate::protocol::upstream::discovery::{ProviderMetadata, TokenEndpointAuth};
use crate::protocol::upstream::id_token::IdToken;
use crate::protocol::upstream::token_response::{self, NotRedeemed, TokenResponse};
use crate::protocol::upstream::{LONGEST_ANSWER, apple, github, request};
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;

const JSON: Want = Want { accept: "application/json", most: LONGEST_ANSWER };
const GITHUB_JSON: Want = Want { accept: "application/vnd.github+json", most: LONGEST_ANSWER };
/// Seconds; Apple takes one of up to half a year, and there is no reason for that here.
const SECRET_LIFETIME: i64 = 300;

/// What a browser was sent to a provider with.
pub(super) struct Sent<'a> {
    pub upstream: &'a Upstream,
    pub companions: Companions,
    /// When, where the person was to prove it anew.
    pub anew_since: Option<Timestamp>,
}

/// Who came back.
pub(super) async fn person(ctx: &Ctx, sent: &Sent<'_>, params: &Params) -> Result<Person, Trouble> {
    if sent.upstream.kind == UpstreamKind::Github {
        return github_person(ctx, sent, params).await;
    }
    let metadata = ctx.state.upstream_metadata(sent.upstream, ctx.now).await?;
    // Before anything else that it says is read: an answer of somebody else's is no reason to do anything.
    let iss = params.get("iss").map_err(|_| Trouble::Unreadable)?;
    policy::check_sender(iss, &sent.upstream.issuer, metadata.names_itself)?;
    let code = code(sent, params)?;
    let redeemed = redeem(ctx, sent, &code, &metadata.token_endpoint, metadata.how).await?;
    let Some(text) = &redeemed.id_token else {
        tracing::warn!(upstream = sent.upstream.id.as_str(), "the provider gave no ID token; do its `scopes` have openid?");
        return Err(Trouble::Unreadable);
    };
    let token = IdToken::parse(text.expose()).map_err(|reason| not_believed(sent, &reason))?;
    verify(ctx, sent, &metadata, &token).await?;
    let asked = Asked {
        kind: sent.upstream.kind,
        issuer: &sent.upstream.issuer,
        client_id: &sent.upstream.client_id,
        nonce: &sent.companions.nonce,
        access_token: &redeemed.access_token,
        anew_since: sent.anew_since,
    };
    let mut person = policy::person(&token, &asked, ctx.now)?;
    // Apple tells the name once, beside the ID token and unsigned: enough to show, no more.
    if person.label.is_empty()
        && let Some(user) = params.get("user").ok().flatten().filter(|_| sent.upstream.kind == UpstreamKind::Apple)
    {
        person.label = policy::label([apple::name(user).as_deref()]);
    }
    Ok(person)
}

// GitHub names no issuer: that its answers come to an address of their own is what keeps them apart from others (RFC 9700 §4.4.2).
async fn github_person(ctx: &Ctx, sent: &Sent<'_>, params: &Params) -> Result<Person, Trouble> {
    let endpoints = github::Endpoints::of(&sent.upstream.issuer).map_err(|reason| Fault::Broken(reason.to_string()))?;
    let code = code(sent, params)?;
    let redeemed = redeem(ctx, sent, &code, &endpoints.token, TokenEndpointAuth::Post).await?;
    let bearer = Secret::new(format!("Bearer {}", redeemed.access_token.expose()));
    let user = ask(ctx, sent, Ask { url: &endpoints.user, authorization: Some(&bearer), form: None, want: GITHUB_JSON }).await?;
    let user = github::user(&user.body).filter(|_| user.status == 200).ok_or_else(|| unreadable(sent, "/user"))?;
    let emails = ask(ctx, sent, Ask { url: &endpoints.emails, authorization: Some(&bearer), form: None, want: GITHUB_JSON }).await?;
    // Without the scope for them there are none to be had, and the person is who they are all the same.
    let email = if emails.status == 200 { github::email(&emails.body) } else { None };
    Ok(policy::github_person(&user, email))
}

// RFC 6749 §4.1.2, §4.1.2.1.
fn code(sent: &Sent<'_>, params: &Params) -> Result<Secret, Trouble> {
    match (params.get("error"), params.get("code")) {
        // Apple has a word of its own.
        (Ok(Some("access_denied" | "user_cancelled_authorize")), _) => Err(Trouble::Denied),
        (Ok(Some(error)), _) => {
            tracing::warn!(
                upstream = sent.upstream.id.as_str(),
                error = token_response::word(error),
                "a provider sent somebody back with an error"
            );
            Err(Trouble::TheirError)
        }
        (Ok(None), Ok(Some(code))) => Ok(Secret::new(code)),
        _ => Err(Trouble::Unreadable),
    }
}

async fn redeem(ctx: &Ctx, sent: &Sent<'_>, code: &Secret, endpoint: &Url, how: TokenEndpointAuth) -> Result<TokenResponse, Trouble> {
    let upstream = sent.upstream;
    let (authorization, in_form) = match (&upstream.credential, how) {
        (UpstreamCredential::Secret(secret), TokenEndpointAuth::Basic) => (Some(basic(&upstream.client_id, secret)), None),
        (UpstreamCredential::Secret(secret), TokenEndpointAuth::Post) => (None, Some(secret.clone())),
        // Apple, "Creating a client secret": iss is the team, sub the client, aud Apple's issuer.
        (UpstreamCredential::Key { team_id, key_id, key }, _) => {
            let now = ctx.now.seconds();
            let claims =
                json!({ "iss": team_id, "iat": now, "exp": now + SECRET_LIFETIME, "aud": upstream.issuer, "sub": upstream.client_id });
            (None, Some(key.sign(key_id, &claims).map_err(Fault::from)?))
        }
    };
    let redirect_uri = ctx.state.config.server.issuer.url(&upstream.callback_path());
    let form = request::redemption(code, &redirect_uri, &upstream.client_id, &sent.companions.code_verifier, in_form.as_ref());
    let answer = ask(ctx, sent, Ask { url: endpoint, authorization: authorization.as_ref(), form: Some(&form), want: JSON }).await?;
    token_response::read(&answer.body).map_err(|reason| match reason {
        NotRedeemed::Refused(error) => {
            // `invalid_client` is for the operator to mend; of the rest it tells what the person saw.
            tracing::warn!(upstream = upstream.id.as_str(), error, "a provider did not redeem its code");
            Trouble::NotRedeemed
        }
        NotRedeemed::Unreadable => unreadable(sent, "the token endpoint"),
    })
}

// An answer, of whatever status, unless the provider is out of order.
async fn ask(ctx: &Ctx, sent: &Sent<'_>, ask: Ask<'_>) -> Result<Fetched, Trouble> {
    let answer = ctx.state.upstream_egress(sent.upstream, ask.url).ask(ask).await;
    let answer = answer.and_then(|answer| {
        let status = EgressError::Status(answer.status);
        if status.may_be_retried() { Err(status) } else { Ok(answer) }
    });
    answer.map_err(|reason| {
        tracing::warn!(upstream = sent.upstream.id.as_str(), path = ask.url.path(), %reason, "a provider does not answer");
        Trouble::Unavailable(crate::state::Unavailable::default())
    })
}

async fn verify(ctx: &Ctx, sent: &Sent<'_>, metadata: &ProviderMetadata, token: &IdToken) -> Result<(), Trouble> {
    let (message, signature) = token.signed();
    let verify = |keys: &ClientKeys| keys.verify(token.alg, token.kid.as_deref(), message, signature);
    let keys: Arc<ClientKeys> = ctx.state.upstream_keys(sent.upstream, metadata, None, ctx.now).await?;
    let outcome = match verify(&keys) {
        // A key that the provider began to use after we fetched its keys.
        Err(NotTheirs::UnknownKey) => {
            let newer = ctx.state.upstream_keys(sent.upstream, metadata, Some(&keys), ctx.now).await?;
            verify(&newer)
        }
        other => other,
    };
    outcome.map_err(|reason| not_believed(sent, &reason))
}

fn not_believed(sent: &Sent<'_>, reason: &dyn std::fmt::Display) -> Trouble {
    tracing::warn!(upstream = sent.upstream.id.as_str(), %reason, "a provider's ID token is not believed");
    Trouble::NotTheirs
}

fn unreadable(sent: &Sent<'_>, place: &str) -> Trouble {
    tracing::warn!(upstream = sent.upstream.id.as_str(), place, "a provider's answer cannot be read");
    Trouble::Unreadable
}

// RFC 6749 §2.3.1: both "encoded using the "application/x-www-form-urlencoded" encoding algorithm".
fn basic(id: &str, secret: &Secret) -> Secret {
    let half = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    Secret::new(format!("Basic {}", STANDARD.encode(format!("{}:{}", half(id), half(secret.expose())))))
}
