//! Minting: the token response for a person and for a license, from records that are stored already. The only caller of the keyring's
//! signatures for sign-in tokens.

use std::time::Duration;

use serde::Serialize;
use uuid::Uuid;

use crate::domain::{Address, ClaimsProfile, CodeId, Provider, Scope, SubjectType, Timestamp};
use crate::keys::{KeysError, TokenKind};
use crate::policy::claims::{LogoutClaims, SignIn, subject_for};
use crate::policy::subject::{self, Person};
use crate::protocol::hash_claims::{at_hash, c_hash};
use crate::state::State;
use crate::store::{ClientRecord, DeveloperToken, Message, NewCode, Session};

/// Back-Channel Logout §4: "OPs are encouraged to use short expiration times in Logout Tokens, preferably at most two minutes in the
/// future". Each attempt makes a new one.
const LOGOUT_TOKEN: Duration = Duration::from_mins(2);

/// RFC 6749 §5.1 with OpenID Connect Core §3.1.3.3.
#[derive(Clone, Debug, Serialize)]
pub struct TokenResponse {
    pub access_token: String,
    pub token_type: &'static str,
    /// Seconds.
    pub expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    pub scope: String,
}

/// What the `jti` of an access token names: where its record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// The code that it came from.
    Code(CodeId),
    /// A license's own token.
    Developer(Uuid),
}

impl Record {
    #[must_use]
    pub fn jti(self) -> String {
        match self {
            Self::Code(id) => format!("c_{id}"),
            Self::Developer(id) => format!("d_{id}"),
        }
    }

    /// Reads a `jti` of ours.
    #[must_use]
    pub fn parse(jti: &str) -> Option<Self> {
        let id = |text: &str| text.parse::<Uuid>().ok();
        match jti.split_at_checked(2)? {
            ("c_", text) => id(text).map(|id| Self::Code(CodeId(id))),
            ("d_", text) => id(text).map(Self::Developer),
            _ => None,
        }
    }
}

/// The tokens of a person's sign-in. `code` is the authorization code as the app presented it.
pub fn for_person(
    state: &State,
    client: &ClientRecord,
    record: &NewCode,
    wallet: Option<Address>,
    code: Option<&str>,
    now: Timestamp,
) -> Result<TokenResponse, KeysError> {
    let person = Person { account_id: record.account_id, provider: &record.provider, subject: &record.subject };
    let subject = subject_at(state, client, person);
    let sign_in = SignIn {
        issuer: state.issuer(),
        client,
        subject: &subject,
        scope: &record.scope,
        provider: &record.provider,
        wallet,
        amr: &record.amr,
        authenticated_at: record.authenticated_at,
        session_id: record.session_id,
        nonce: record.nonce.as_deref(),
        now,
    };
    mint(state, &sign_in, Record::Code(record.id), (client.access_token, state.config.tokens.id_token), code)
}

/// The `sub` that the person of a session has at `client`.
#[must_use]
pub fn subject_of(state: &State, client: &ClientRecord, session: &Session) -> String {
    subject_at(state, client, Person { account_id: session.account_id, provider: &session.provider, subject: &session.subject })
}

/// What [`NewCode::told_as`] is for a code of that client.
#[must_use]
pub fn told_as(state: &State, client: &ClientRecord, code: &NewCode) -> Option<String> {
    let person = Person { account_id: code.account_id, provider: &code.provider, subject: &code.subject };
    client.backchannel_logout_uri.as_ref().map(|_| subject_at(state, client, person))
}

/// The logout token of a message to that client (Back-Channel Logout §2.4).
pub fn for_logout(state: &State, client: &ClientRecord, message: &Message, now: Timestamp) -> Result<String, KeysError> {
    let claims = LogoutClaims {
        iss: state.issuer(),
        sub: &message.payload.sub,
        aud: client.id.as_str(),
        iat: now.seconds(),
        exp: now.plus(LOGOUT_TOKEN).seconds(),
        jti: message.id,
        sid: message.payload.sid,
        events: LogoutClaims::EVENTS,
    };
    state.keys.sign(TokenKind::LogoutToken, client.signing_alg, &claims)
}

fn subject_at(state: &State, client: &ClientRecord, person: Person<'_>) -> String {
    subject_for(client, state.config.tokens.subject, person, &state.keys.pairwise_secret())
}

/// The tokens of a license that one of its API keys signed in: they speak of the license, not of a person.
pub fn for_developer(
    state: &State,
    client: &ClientRecord,
    token: &DeveloperToken,
    nonce: Option<&str>,
) -> Result<TokenResponse, KeysError> {
    let provider = Provider::web3();
    let address = client.id.as_str();
    let subject = match client.subject_type.unwrap_or(state.config.tokens.subject) {
        SubjectType::Connector => subject::connector(address, provider.as_str()),
        SubjectType::Account | SubjectType::Pairwise => address.to_owned(),
    };
    let sign_in = SignIn {
        issuer: state.issuer(),
        client,
        subject: &subject,
        scope: &token.scope,
        provider: &provider,
        wallet: client.id.as_address(),
        amr: &["pop".to_owned()],
        authenticated_at: token.issued_at,
        session_id: None,
        nonce,
        now: token.issued_at,
    };
    let lifetime = developer_lifetime(state, client);
    mint(state, &sign_in, Record::Developer(token.id), (lifetime, lifetime), None)
}

/// How long a license's own token lives.
#[must_use]
pub fn developer_lifetime(state: &State, client: &ClientRecord) -> Duration {
    client.license.as_ref().map_or(state.config.tokens.developer_token, |license| license.developer_token)
}

/// How long the record of a person's tokens must be kept: as long as the longest of them lives.
#[must_use]
pub fn longest_lifetime(state: &State, client: &ClientRecord) -> Duration {
    client.access_token.max(state.config.tokens.id_token)
}

fn mint(
    state: &State,
    sign_in: &SignIn<'_>,
    record: Record,
    lifetimes: (Duration, Duration),
    code: Option<&str>,
) -> Result<TokenResponse, KeysError> {
    let (access_lifetime, id_lifetime) = lifetimes;
    let alg = sign_in.client.signing_alg;
    let access_token = state.keys.sign(TokenKind::AccessToken, alg, &sign_in.access(record.jti(), access_lifetime))?;
    let id_token = if sign_in.scope.contains(Scope::OPENID) {
        let claims = sign_in.id(record.jti(), id_lifetime, at_hash(alg, &access_token), code.map(|code| c_hash(alg, code)));
        Some(state.keys.sign(TokenKind::IdToken, alg, &claims)?)
    } else {
        None
    };
    Ok(TokenResponse {
        access_token,
        // RFC 6749 §5.1: "Value is case insensitive"; clients of the earlier stack compare it with lower case.
        token_type: if sign_in.client.claims_profile == ClaimsProfile::Compat { "bearer" } else { "Bearer" },
        expires_in: access_lifetime.as_secs(),
        id_token,
        scope: sign_in.scope.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jti_names_its_record() {
        let id = Uuid::from_u128(5);
        for record in [Record::Code(CodeId(id)), Record::Developer(id)] {
            assert_eq!(Record::parse(&record.jti()), Some(record));
        }
        for text in ["", "c", "c_", "x_00000000-0000-0000-0000-000000000005", "é", "c_é"] {
            assert_eq!(Record::parse(text), None);
        }
    }
}
