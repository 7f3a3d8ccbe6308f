//! Minting: the token response for a person and for a license, from records that are stored already. The only caller of the keyring's
//! signatures for sign-in tokens.

mod asset;
mod lifetimes;
mod record;

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::{AccountId, ClaimsProfile, CodeId, FamilyId, Provider, RefreshToken, Scope, Secret, SubjectType, Timestamp};
use crate::keys::{KeysError, TokenKind};
use crate::policy::authorize::Approved;
use crate::policy::claims::{Audience, ClientClaims, LogoutClaims, Reach, SignIn, subject_for};
use crate::policy::person_claims::{self, Known};
use crate::policy::refresh;
use crate::policy::subject::{self, Person};
use crate::protocol::claims_request::ClaimsRequest;
use crate::protocol::hash_claims::{at_hash, c_hash};
use crate::state::State;
use crate::store::{ClientRecord, DeveloperToken, Message, NewCode, RefreshedFamily, Session, StoreError, TakenChallenge};

/// Back-Channel Logout §4: "OPs are encouraged to use short expiration times in Logout Tokens, preferably at most two minutes in the
/// future". Each attempt makes a new one.
const LOGOUT_TOKEN: Duration = Duration::from_mins(2);

pub use asset::{OnBehalf, for_asset};
pub use lifetimes::{RefreshLifetimes, developer_lifetime, longest_lifetime, refresh_lifetimes, sessions_seen_since};
pub use record::{AssetTokenId, Record};

/// RFC 8176 §2: "pop: Proof-of-possession … of a key".
pub const POP: &str = "pop";
/// RFC 8176 §2: "pwd: Password-based authentication".
pub const PWD: &str = "pwd";

/// RFC 6749 §5.1 with OpenID Connect Core §3.1.3.3.
#[derive(Clone, Debug, Serialize)]
pub struct TokenResponse {
    pub access_token: String,
    pub token_type: &'static str,
    /// Seconds.
    pub expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// RFC 8693 §2.2.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_token_type: Option<&'static str>,
    /// RFC 9396 §7: "the authorization details as granted by the resource owner and assigned to the respective access token".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_details: Option<Value>,
}

/// What the ID token of this sign-in was asked to tell of its person by name (OpenID Connect Core §5.5), as it is now. The account is
/// read only where that is anything.
pub async fn told(state: &State, account: AccountId, claims: Option<&Value>, reach: Reach<'_>) -> Result<Map<String, Value>, StoreError> {
    let asked = ClaimsRequest::stored(claims);
    if !person_claims::asks_of_person(&asked) {
        return Ok(Map::new());
    }
    let account = state.store.account(account).await?;
    Ok(account.map_or_else(Map::new, |account| {
        let known = Known { profile: &account.profile, updated_at: account.updated_at, reach };
        person_claims::in_id_token(&asked, known)
    }))
}

/// The tokens of a person's sign-in. `told` is what [`told`] gave; `code` is the authorization code as the app presented it.
pub fn for_person(
    state: &State,
    client: &ClientRecord,
    record: &NewCode,
    reach: Reach<'_>,
    told: &Map<String, Value>,
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
        reach,
        amr: &record.amr,
        authenticated_at: record.authenticated_at,
        session_id: record.session_id,
        nonce: record.nonce.as_deref(),
        resource: record.resource.as_deref(),
        told,
        now,
    };
    mint(state, &sign_in, Record::Code(record.id), (client.access_token, state.config.tokens.id_token), code)
}

/// The tokens of a person whose wallet has signed a challenge of the API; they are recorded where `record` says.
pub fn for_wallet(
    state: &State,
    client: &ClientRecord,
    taken: &TakenChallenge,
    account_id: AccountId,
    record: Record,
    now: Timestamp,
) -> Result<TokenResponse, KeysError> {
    let challenge = &taken.challenge;
    let (provider, address) = (Provider::web3(), challenge.message.address.checksummed());
    let subject = subject_at(state, client, Person { account_id, provider: &provider, subject: &address });
    let sign_in = SignIn {
        issuer: state.issuer(),
        client,
        subject: &subject,
        scope: &challenge.scope,
        provider: &provider,
        reach: Reach { wallet: Some(challenge.message.address), email: taken.email.as_ref() },
        amr: &[POP.to_owned()],
        authenticated_at: now,
        session_id: None,
        nonce: challenge.oidc_nonce.as_deref(),
        resource: None,
        told: &Map::new(),
        now,
    };
    mint(state, &sign_in, record, (client.access_token, state.config.tokens.id_token), None)
}

/// What an access token is for: of a refresh no more than its family, of a client's own no more than the client may have.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    pub scope: &'a Scope,
    pub resource: Option<&'a [String]>,
}

/// The tokens of a refresh, with as much of the family's scope as was asked for. `refresh_token` is what works from now on.
// OpenID Connect Core §12.2: iss, sub and aud "MUST be the same as in the ID Token issued when the original authentication occurred",
// auth_time "MUST represent the time of the original authentication", and "it SHOULD NOT have a nonce Claim".
pub fn for_refresh(
    state: &State,
    client: &ClientRecord,
    family: &RefreshedFamily,
    access: Access<'_>,
    told: &Map<String, Value>,
    refresh_token: &RefreshToken,
    now: Timestamp,
) -> Result<TokenResponse, KeysError> {
    let person = Person { account_id: family.account_id, provider: &family.provider, subject: &family.subject };
    let subject = subject_at(state, client, person);
    let sign_in = SignIn {
        issuer: state.issuer(),
        client,
        subject: &subject,
        scope: access.scope,
        provider: &family.provider,
        reach: Reach { wallet: family.wallet, email: family.email.as_ref() },
        amr: &family.amr,
        authenticated_at: family.authenticated_at,
        session_id: family.session_id,
        nonce: None,
        resource: access.resource,
        told,
        now,
    };
    let lifetime = client.access_token.min(family.expires_at.since(now));
    let record = Record::Refresh(family.id, state.entropy.uuid(now));
    let response = mint(state, &sign_in, record, (lifetime, state.config.tokens.id_token), None)?;
    Ok(TokenResponse { refresh_token: Some(refresh_token.expose().to_owned()), ..response })
}

/// A code for what was approved: its record, and its text for the app.
#[must_use]
pub fn new_code(state: &State, client: &ClientRecord, approved: &Approved, now: Timestamp) -> (NewCode, Secret) {
    let id = CodeId(state.entropy.uuid(now));
    let mut record = approved.code(id, now, state.config.tokens.code_lifetime, longest_lifetime(state, client));
    record.told_as = told_as(state, client, &record);
    let text = refresh::code_text(state.entropy.secret_at(now), refresh::binding(client, &record).is_some());
    (record, text)
}

/// A new refresh token of that family.
#[must_use]
pub fn new_refresh_token(state: &State, family: FamilyId) -> RefreshToken {
    RefreshToken::new(family, state.entropy.bytes(), &state.keys.pairwise_secret())
}

/// The `sub` that the person of a session has at `client`.
#[must_use]
pub fn subject_of(state: &State, client: &ClientRecord, session: &Session) -> String {
    subject_at(state, client, Person { account_id: session.account_id, provider: &session.provider, subject: &session.subject })
}

/// What [`NewCode::told_as`] is for a code of that client.
#[must_use]
fn told_as(state: &State, client: &ClientRecord, code: &NewCode) -> Option<String> {
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

/// The `sub` that a person has at `client`.
#[must_use]
pub fn subject_at(state: &State, client: &ClientRecord, person: Person<'_>) -> String {
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
        reach: Reach { wallet: client.id.as_address(), email: None },
        amr: &[POP.to_owned()],
        authenticated_at: token.issued_at,
        session_id: None,
        nonce,
        resource: None,
        told: &Map::new(),
        now: token.issued_at,
    };
    let lifetime = developer_lifetime(state, client);
    mint(state, &sign_in, Record::Developer(token.id), (lifetime, lifetime), None)
}

/// A client's own token (RFC 6749 §4.4.3): no refresh token, no ID token.
pub fn for_client(state: &State, client: &ClientRecord, access: Access<'_>, now: Timestamp) -> Result<TokenResponse, KeysError> {
    let id = client.id.as_str();
    let claims = ClientClaims {
        iss: state.issuer(),
        sub: id,
        aud: Audience::of(id, access.resource),
        exp: now.plus(client.access_token).seconds(),
        iat: now.seconds(),
        jti: Record::Client(state.entropy.uuid(now)).jti(),
        client_id: id,
        scope: access.scope.to_string(),
    };
    Ok(TokenResponse {
        access_token: state.keys.sign(TokenKind::AccessToken, client.signing_alg, &claims)?,
        token_type: token_type(client),
        expires_in: client.access_token.as_secs(),
        id_token: None,
        scope: access.scope.to_string(),
        refresh_token: None,
        issued_token_type: None,
        authorization_details: None,
    })
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
        token_type: token_type(sign_in.client),
        expires_in: access_lifetime.as_secs(),
        id_token,
        scope: sign_in.scope.to_string(),
        refresh_token: None,
        issued_token_type: None,
        authorization_details: None,
    })
}

// RFC 6749 §5.1: "Value is case insensitive"; clients of the earlier stack compare it with lower case.
fn token_type(client: &ClientRecord) -> &'static str {
    if client.claims_profile == ClaimsProfile::Compat { "bearer" } else { "Bearer" }
}
