//! The claims of access tokens, ID tokens and userinfo: pure functions of what is known about the sign-in.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::acr;
use super::subject::{self, Person};
use crate::domain::{Address, ClaimsProfile, Email, Provider, Scope, SessionId, SubjectType, Timestamp};
use crate::store::ClientRecord;

/// Where a person is reached, as far as they have proved it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reach<'a> {
    /// The wallet of the sign-in, else the account's oldest one.
    pub wallet: Option<Address>,
    /// The address that the sign-in proves, else another one that the account has proved.
    pub email: Option<&'a Email>,
}

/// Everything that tokens are made from. One value for all of them, so that they cannot disagree.
#[derive(Clone, Copy, Debug)]
pub struct SignIn<'a> {
    pub issuer: &'a str,
    pub client: &'a ClientRecord,
    pub subject: &'a str,
    pub scope: &'a Scope,
    pub provider: &'a Provider,
    pub reach: Reach<'a>,
    pub amr: &'a [String],
    pub authenticated_at: Timestamp,
    pub session_id: Option<SessionId>,
    pub nonce: Option<&'a str>,
    /// The resources that the access token is for (RFC 8707); `None`: the client itself.
    pub resource: Option<&'a [String]>,
    /// What the ID token tells of the person because it was asked for by name.
    pub told: &'a Map<String, Value>,
    pub now: Timestamp,
}

/// What consumers of the earlier stack read in both tokens (`claims_profile = compat`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CompatClaims {
    pub provider_id: String,
    /// One that the person has proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Always there, as consumers expect it, and false while the person has proved no address.
    pub email_verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ethereum_address: Option<Address>,
}

/// RFC 7519 §4.1.3: "In the special case when the JWT has one audience, the "aud" value MAY be a single case-sensitive string".
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Audience<'a> {
    One(&'a str),
    Several(&'a [String]),
}

impl<'a> Audience<'a> {
    /// The resources that a token is for (RFC 8707).
    // RFC 9068 §3: without a resource indicator the audience is the default one; here the client itself, which existing consumers check.
    #[must_use]
    pub const fn of(client: &'a str, resource: Option<&'a [String]>) -> Self {
        match resource {
            None | Some([]) => Self::One(client),
            Some([one]) => Self::One(one.as_str()),
            Some(several) => Self::Several(several),
        }
    }
}

/// RFC 9068 §2.2.
#[derive(Clone, Debug, Serialize)]
pub struct AccessClaims<'a> {
    pub iss: &'a str,
    pub sub: &'a str,
    pub aud: Audience<'a>,
    pub exp: i64,
    pub iat: i64,
    pub jti: String,
    pub client_id: &'a str,
    pub scope: String,
    pub auth_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<&'static str>,
    pub amr: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<&'a str>,
    #[serde(flatten)]
    pub compat: Option<CompatClaims>,
}

/// RFC 9068 §2.2, of a token that a client has in its own name.
#[derive(Clone, Debug, Serialize)]
pub struct ClientClaims<'a> {
    pub iss: &'a str,
    /// RFC 9068 §2.2: "In cases of access tokens obtained through grants where no resource owner is involved, … the value of sub SHOULD
    /// correspond to an identifier the authorization server uses to indicate the client application."
    pub sub: &'a str,
    pub aud: Audience<'a>,
    pub exp: i64,
    pub iat: i64,
    pub jti: String,
    pub client_id: &'a str,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
}

/// OpenID Connect Core §2.
#[derive(Clone, Debug, Serialize)]
pub struct IdClaims<'a> {
    pub iss: &'a str,
    pub sub: &'a str,
    pub aud: &'a str,
    pub exp: i64,
    pub iat: i64,
    pub jti: String,
    pub auth_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<&'static str>,
    pub amr: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<&'a str>,
    pub at_hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub c_hash: Option<String>,
    #[serde(flatten)]
    pub told: Map<String, Value>,
    #[serde(flatten)]
    pub compat: Option<CompatClaims>,
}

/// Back-Channel Logout §2.4: "A nonce Claim MUST NOT be present", so that it never passes for an ID token.
#[derive(Clone, Debug, Serialize)]
pub struct LogoutClaims<'a> {
    pub iss: &'a str,
    pub sub: &'a str,
    pub aud: &'a str,
    pub iat: i64,
    pub exp: i64,
    pub jti: Uuid,
    pub sid: SessionId,
    pub events: LogoutEvents,
}

/// Which event it is: the member is its name, and its value an empty object.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LogoutEvents {
    #[serde(rename = "http://schemas.openid.net/event/backchannel-logout")]
    backchannel_logout: NothingMore,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct NothingMore {}

impl LogoutClaims<'_> {
    pub const EVENTS: LogoutEvents = LogoutEvents { backchannel_logout: NothingMore {} };
}

impl<'a> SignIn<'a> {
    #[must_use]
    pub fn access(&self, jti: String, lifetime: Duration) -> AccessClaims<'a> {
        let compat = self.compat();
        AccessClaims {
            iss: self.issuer,
            sub: self.subject,
            aud: Audience::of(self.client.id.as_str(), self.resource),
            exp: self.now.plus(lifetime).seconds(),
            iat: self.now.seconds(),
            jti,
            client_id: self.client.id.as_str(),
            scope: self.scope.to_string(),
            auth_time: self.authenticated_at.seconds(),
            acr: acr::of(self.provider, self.amr),
            amr: self.amr,
            sid: self.session_id,
            // Only the earlier stack put the nonce here.
            nonce: self.nonce.filter(|_| compat.is_some()),
            compat,
        }
    }

    #[must_use]
    pub fn id(&self, jti: String, lifetime: Duration, at_hash: String, c_hash: Option<String>) -> IdClaims<'a> {
        let compat = self.compat();
        IdClaims {
            iss: self.issuer,
            sub: self.subject,
            aud: self.client.id.as_str(),
            exp: self.now.plus(lifetime).seconds(),
            iat: self.now.seconds(),
            jti,
            auth_time: self.authenticated_at.seconds(),
            acr: acr::of(self.provider, self.amr),
            amr: self.amr,
            sid: self.session_id,
            nonce: self.nonce,
            at_hash,
            c_hash,
            told: self.told(compat.as_ref()),
            compat,
        }
    }

    // What the compat profile says of its own is said once. By itself it says no `email` that only the person has told: apps of the earlier
    // stack know it as one that was proved. Who asks for it by name reads `email_verified` too.
    fn told(&self, compat: Option<&CompatClaims>) -> Map<String, Value> {
        let mut told = self.told.clone();
        if compat.is_some() {
            told.retain(|name, _| !matches!(name.as_str(), "email_verified" | "ethereum_address" | "provider_id"));
            if compat.is_some_and(|compat| compat.email.is_some()) {
                told.remove("email");
            }
        }
        told
    }

    fn compat(&self) -> Option<CompatClaims> {
        (self.client.claims_profile == ClaimsProfile::Compat).then(|| {
            let covered = self.scope.contains(Scope::EMAIL);
            let proved = self.reach.email.map(|email| email.as_str().to_owned());
            // Also of an address that was asked for by name.
            let by_name = || proved.is_some() && self.told.get("email").and_then(Value::as_str) == proved.as_deref();
            CompatClaims {
                provider_id: self.provider.as_str().to_owned(),
                email_verified: if covered { proved.is_some() } else { by_name() },
                email: proved.filter(|_| covered),
                ethereum_address: self.reach.wallet.filter(|_| covered),
            }
        })
    }
}

/// The `sub` of a person at `client`, by the client's own form or else the server's.
#[must_use]
pub fn subject_for(client: &ClientRecord, default: SubjectType, person: Person<'_>, secret: &[u8; 32]) -> String {
    let form = client.subject_type.unwrap_or(default);
    let sector = if form == SubjectType::Pairwise { client.sector().unwrap_or_default() } else { String::new() };
    subject::subject(form, person, &sector, secret)
}
