//! Whether a provider's answer is one to what it was asked, for this server, and for now (OpenID Connect Core §3.1.3.7, RFC 9207 §2.4);
//! and what of it counts. The signature is looked at elsewhere.

use std::time::Duration;

use aws_lc_rs::hmac;

use crate::domain::{Email, Secret, Timestamp, TokenHash, UpstreamKind};
use crate::protocol::client_assertion::{Audience, NumericDate};
use crate::protocol::hash_claims;
use crate::protocol::pkce::{CodeChallenge, CodeVerifier, CodeVerifierError};
use crate::protocol::upstream::github::User;
use crate::protocol::upstream::id_token::{IdToken, IdTokenClaims};

/// How long a person has at the provider.
pub const LIFETIME: Duration = Duration::from_mins(10);
/// How far the provider's clock may be from ours.
const SKEW: Duration = Duration::from_mins(1);
/// OpenID Connect Core §2: sub "MUST NOT exceed 255 ASCII characters in length".
const LONGEST_SUBJECT: usize = 255;
/// Of what is only shown.
const LONGEST_LABEL: usize = 100;
/// The most methods that are passed on, and the longest of them: RFC 8176 has none of more than eight letters.
const MOST_METHODS: usize = 8;
const LONGEST_METHOD: usize = 32;

/// What goes along with a `state`: made from it and the server's own secret, so that it need not be kept. Who has the database and a
/// `state` has neither.
#[derive(Debug)]
pub struct Companions {
    /// OpenID Connect Core §3.1.2.1.
    pub nonce: String,
    /// RFC 7636 §4.1.
    pub code_verifier: Secret,
}

impl Companions {
    /// Those of that `state`; `key` is the server's own secret, the same on every replica.
    #[must_use]
    pub fn of(state: &TokenHash, key: &[u8; 32]) -> Self {
        let make = |what: &[u8]| {
            // The server's secret makes other things too; each use here is one of its own.
            let own = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), what);
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, own.as_ref()), state.as_bytes());
            Secret::from_bytes(tag.as_ref())
        };
        Self { nonce: make(b"nonce for a provider").expose().to_owned(), code_verifier: make(b"code verifier for a provider") }
    }

    /// # Errors
    /// None: a verifier of ours has the right shape.
    pub fn code_challenge(&self) -> Result<CodeChallenge, CodeVerifierError> {
        Ok(self.code_verifier.expose().parse::<CodeVerifier>()?.challenge())
    }
}

/// What was asked of a provider, to which its answer must fit.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub kind: UpstreamKind,
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a str,
    /// What came beside the ID token.
    pub access_token: &'a Secret,
    /// When, where the person was to prove it anew.
    pub anew_since: Option<Timestamp>,
}

/// Why an answer is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    #[error("it names another issuer")]
    OtherIssuer,
    #[error("it is for another client")]
    OtherAudience,
    #[error("it has expired, or is not valid yet")]
    OtherTime,
    #[error("its nonce is not the one of this sign-in")]
    OtherNonce,
    #[error("its at_hash is that of another access token")]
    OtherAccessToken,
    #[error("its auth_time lies before the person was asked to sign in anew")]
    NotAnew,
    #[error("its sub is empty or too long")]
    NoSubject,
}

/// Who came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub subject: String,
    /// What they know it by.
    pub label: String,
    /// Only one that the provider vouches for.
    pub email: Option<Email>,
    /// What the provider says of how they proved it (RFC 8176).
    pub amr: Vec<String>,
}

/// Decides over the `iss` of an authorization response; `always`: whether the provider says that it sends one with each.
// RFC 9207 §2.4: "Clients MUST extract the value of the iss parameter from authorization responses they receive if the parameter is
// present. Clients MUST then … compare the result to the issuer identifier of the authorization server where the authorization request was
// sent to … If the value does not match the expected issuer identifier, clients MUST reject the authorization response"; "clients MUST
// reject authorization responses that do not contain the iss parameter from authorization servers that do support it".
pub fn check_sender(iss: Option<&str>, issuer: &str, always: bool) -> Result<(), Refusal> {
    match iss {
        Some(iss) if iss == issuer => Ok(()),
        None if !always => Ok(()),
        Some(_) | None => Err(Refusal::OtherIssuer),
    }
}

/// Decides over the claims of an ID token whose signature is the provider's.
pub fn person(token: &IdToken, asked: &Asked<'_>, now: Timestamp) -> Result<Person, Refusal> {
    let claims = &token.claims;
    // OpenID Connect Core §3.1.3.7, 2: "The Issuer Identifier … MUST exactly match the value of the iss (issuer) Claim."
    if claims.iss != asked.issuer {
        return Err(Refusal::OtherIssuer);
    }
    // 3: "The ID Token MUST be rejected if the ID Token does not list the Client as a valid audience, or if it contains additional
    // audiences not trusted by the Client." None other is, unless the token was made for this one.
    // 5: "If an azp (authorized party) Claim is present, the Client SHOULD verify that its client_id is the Claim Value."
    let for_us = claims.aud.names(asked.client_id) && claims.azp.as_deref().is_none_or(|azp| azp == asked.client_id);
    let shared = matches!(&claims.aud, Audience::Several(several) if several.len() > 1) && claims.azp.is_none();
    if !for_us || shared {
        return Err(Refusal::OtherAudience);
    }
    let moment = |date: NumericDate| Timestamp::from_seconds(date.0);
    // 9: "The current time MUST be before the time represented by the exp Claim."
    let over = moment(claims.exp).plus(SKEW) <= now;
    if over || [Some(claims.iat), claims.nbf].into_iter().flatten().any(|date| moment(date) > now.plus(SKEW)) {
        return Err(Refusal::OtherTime);
    }
    // 11: "If a nonce value was sent in the Authentication Request, a nonce Claim MUST be present and its value checked to verify that it
    // is the same value as the one that was sent".
    if claims.nonce.as_deref() != Some(asked.nonce) {
        return Err(Refusal::OtherNonce);
    }
    // §3.1.3.8: the hash of the access token, where the provider gives it.
    if claims.at_hash.as_ref().is_some_and(|hash| *hash != hash_claims::at_hash(token.alg, asked.access_token.expose())) {
        return Err(Refusal::OtherAccessToken);
    }
    // 13: with max_age, "the Client SHOULD check the auth_time Claim value and request re-authentication if it determines too much time has
    // elapsed"; §2: with max_age "this Claim is REQUIRED". The address by which a person goes there can be changed on the way, so without it
    // nobody knows whether they were asked. Those that are never asked with max_age are believed that they asked.
    if let Some(since) = asked.anew_since {
        match claims.auth_time {
            Some(proved) if moment(proved).plus(SKEW) < since => return Err(Refusal::NotAnew),
            None if asked.kind == UpstreamKind::Oidc => return Err(Refusal::NotAnew),
            Some(_) | None => {}
        }
    }
    if claims.sub.is_empty() || claims.sub.len() > LONGEST_SUBJECT || claims.sub.contains('\0') {
        return Err(Refusal::NoSubject);
    }
    let email = vouched_for(claims, asked.kind);
    let names = [email.as_ref().map(Email::as_str), claims.name.as_deref(), claims.preferred_username.as_deref()];
    Ok(Person { subject: claims.sub.clone(), label: label(names), email, amr: methods(claims) })
}

/// Who it is by GitHub's API.
#[must_use]
pub fn github_person(user: &User, email: Option<Email>) -> Person {
    let label = label([email.as_ref().map(Email::as_str), Some(user.login.as_str())]);
    Person { subject: user.id.to_string(), label, email, amr: Vec::new() }
}

/// The first of these texts that is something, made fit to be shown: it came from elsewhere.
pub fn label<'a>(texts: impl IntoIterator<Item = Option<&'a str>>) -> String {
    let plain = |text: &str| text.chars().filter(|c| !c.is_control()).take(LONGEST_LABEL).collect::<String>().trim().to_owned();
    texts.into_iter().flatten().map(plain).find(|text| !text.is_empty()).unwrap_or_default()
}

// OpenID Connect Core §5.1: email_verified: "True if the End-User's e-mail address has been verified; otherwise false." Where it is not
// there, nobody vouches for the address.
fn vouched_for(claims: &IdTokenClaims, kind: UpstreamKind) -> Option<Email> {
    let verified = claims.email_verified.as_ref().is_some_and(|verified| verified.holds(kind == UpstreamKind::Apple));
    claims.email.as_deref().filter(|_| verified)?.parse().ok()
}

// Passed on as they are, as far as they are words.
fn methods(claims: &IdTokenClaims) -> Vec<String> {
    let word = |method: &&String| (1..=LONGEST_METHOD).contains(&method.len()) && method.bytes().all(|b| b.is_ascii_graphic());
    claims.amr.iter().flatten().filter(word).take(MOST_METHODS).cloned().collect()
}

#[cfg(test)]
mod tests;
