//! Refresh tokens: who gets one, for how much, and what becomes of one that could not be used.

use super::redeem::NotSpent;
use crate::domain::{AuthMethod, ClientId, GrantType, Scope, Secret, SessionId, Timestamp, TokenHash};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::store::{ClientRecord, FamilyState, NewCode};

/// What a family of refresh tokens lives and dies with, besides its client, its account and its consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// The person agreed to access while they are away (OpenID Connect Core §11).
    Offline,
    /// It ends with the session.
    Session(SessionId),
}

/// Whether a code gives a refresh token, and what that is bound to.
#[must_use]
pub fn binding(client: &ClientRecord, code: &NewCode) -> Option<Binding> {
    if !client.may(GrantType::RefreshToken) {
        return None;
    }
    // OpenID Connect Core §11: offline_access "requests that an OAuth 2.0 Refresh Token be issued that can be used to obtain an Access
    // Token … even when the End-User is not present (not logged in)."
    if code.scope.contains(Scope::OFFLINE_ACCESS) {
        return Some(Binding::Offline);
    }
    code.session_id.filter(|_| client.metadata.refresh_with_session).map(Binding::Session)
}

// No character of base64url: a code without the mark cannot begin so.
const MARK: &str = "r.";

/// The text of a code. It begins with a mark when a refresh token is due with its tokens, so that all other codes are redeemed by one
/// statement and need no transaction. The mark is part of what is hashed: nobody can put it there or take it away.
#[must_use]
pub fn code_text(secret: Secret, due: bool) -> Secret {
    if due { Secret::new(format!("{MARK}{}", secret.expose())) } else { secret }
}

/// Whether a code says that a refresh token is due.
#[must_use]
pub fn is_marked(code: &str) -> bool {
    code.starts_with(MARK)
}

/// Whether each use of a refresh token replaces it.
// RFC 9700 §2.2.2: "Refresh tokens for public clients MUST be sender-constrained or use refresh token rotation". A confidential client
// proves itself each time, and one that runs in many places at once would only lose its token by rotation.
#[must_use]
pub fn rotates(client: &ClientRecord) -> bool {
    client.auth_method == AuthMethod::None
}

/// The scope of one refresh, out of what was granted.
// RFC 6749 §6: "The requested scope MUST NOT include any scope not originally granted by the resource owner, and if omitted is treated as
// equal to the scope originally granted by the resource owner."
pub fn narrowed(granted: &Scope, asked: &str) -> Result<Scope, OAuthError> {
    let asked: Scope = asked.parse().map_err(|reason| OAuthError::new(ErrorCode::InvalidScope, format!("{reason}")))?;
    if asked.is_empty() || !asked.is_subset(granted) {
        return Err(OAuthError::new(
            ErrorCode::InvalidScope,
            "scope names more than the person agreed to; leave it out to get all of that",
        ));
    }
    Ok(asked)
}

/// Decides over a token of ours that the refreshing statement did not take.
#[must_use]
pub fn not_refreshed(state: Option<&FamilyState>, client: &ClientId, presented: &TokenHash, now: Timestamp) -> NotSpent {
    let invalid = |description: &'static str| OAuthError::new(ErrorCode::InvalidGrant, description);
    // Another client learns nothing about the token, and cannot end another's access.
    let Some(state) = state.filter(|state| state.client_id == *client) else { return NotSpent::Refuse(unknown()) };
    if state.revoked {
        return NotSpent::Refuse(invalid("the refresh token was revoked"));
    }
    if state.current_hash != *presented && state.previous_hash != Some(*presented) {
        // RFC 9700 §4.14.2: "the authorization server cannot determine which party submitted the invalid refresh token, but it will
        // revoke the active refresh token."
        return NotSpent::RevokeAndRefuse(invalid("the refresh token was used before; it and all that came of it are revoked"));
    }
    if state.idle_expires_at.min(state.expires_at) <= now {
        return NotSpent::Refuse(invalid("the refresh token has expired"));
    }
    NotSpent::Refuse(invalid(
        "what the refresh token stood for has ended: the person withdrew the app or signed out, or the account or the client was disabled",
    ))
}

/// The words for a token that is none of this client's.
#[must_use]
pub fn unknown() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, "the refresh token is unknown, or expired or was revoked long ago")
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;
    use crate::domain::{AccountId, CodeId, Provider};

    fn hash(word: &str) -> TokenHash {
        TokenHash::of(word)
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn state() -> FamilyState {
        FamilyState {
            client_id: "app".parse().unwrap(),
            current_hash: hash("current"),
            previous_hash: Some(hash("previous")),
            scope: Scope::default(),
            idle_expires_at: at(100),
            expires_at: at(200),
            revoked: false,
        }
    }

    #[test]
    fn every_token_that_is_not_taken_has_its_answer() {
        let mut table = String::new();
        let states = [
            ("no family", None),
            ("a family", Some(state())),
            ("one without a previous", Some(FamilyState { previous_hash: None, ..state() })),
            ("a revoked one", Some(FamilyState { revoked: true, ..state() })),
            ("an idle one", Some(FamilyState { idle_expires_at: at(10), ..state() })),
            ("an old one", Some(FamilyState { expires_at: at(10), ..state() })),
        ];
        for (name, state) in &states {
            for client in ["app", "other"] {
                for word in ["current", "previous", "spent"] {
                    let outcome = match not_refreshed(state.as_ref(), &client.parse().unwrap(), &hash(word), at(10)) {
                        NotSpent::Refuse(error) => error.description.to_string(),
                        NotSpent::RevokeAndRefuse(error) => format!("REVOKE: {}", error.description),
                    };
                    let outcome =
                        outcome.split([';', ':', ',']).take(if outcome.starts_with("REVOKE") { 2 } else { 1 }).collect::<String>();
                    writeln!(table, "{name:22} {client:5} presents {word:8} => {outcome}").unwrap();
                }
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn scope_can_only_narrow() {
        let granted: Scope = "openid email offline_access".parse().unwrap();
        assert_eq!(narrowed(&granted, "email").unwrap().to_string(), "email");
        assert_eq!(narrowed(&granted, "offline_access email openid").unwrap(), granted);
        for asked in ["profile", "openid email profile", " ", "\"", "OPENID"] {
            assert_eq!(narrowed(&granted, asked).unwrap_err().code, ErrorCode::InvalidScope, "{asked}");
        }
    }

    #[test]
    fn who_gets_one() {
        let session = SessionId(Uuid::from_u128(3));
        let mut table = String::new();
        for (grants, refreshes) in [("may refresh", true), ("may not", false)] {
            for with_session in [false, true] {
                for scope in ["openid", "openid offline_access"] {
                    for session_id in [Some(session), None] {
                        let mut client =
                            ClientRecord::new("app".parse().unwrap(), String::new(), Duration::from_hours(1), Timestamp::from_seconds(0));
                        client.metadata.refresh_with_session = with_session;
                        if !refreshes {
                            client.metadata.grant_types.remove(&GrantType::RefreshToken);
                        }
                        let outcome = match binding(&client, &code(scope, session_id)) {
                            None => "none",
                            Some(Binding::Offline) => "outlives the session",
                            Some(Binding::Session(id)) => {
                                assert_eq!(id, session);
                                "ends with the session"
                            }
                        };
                        writeln!(
                            table,
                            "{grants:12} with session: {with_session:5} {scope:22} {:10} => {outcome}",
                            if session_id.is_some() { "session" } else { "no session" }
                        )
                        .unwrap();
                    }
                }
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn a_mark_is_no_part_of_a_secret() {
        let secret = Secret::from_bytes(&[0xff; 32]);
        assert!(!is_marked(code_text(secret.clone(), false).expose()));
        assert!(is_marked(code_text(secret, true).expose()));
    }

    fn code(scope: &str, session_id: Option<SessionId>) -> NewCode {
        let now = Timestamp::from_seconds(0);
        NewCode {
            id: CodeId(Uuid::nil()),
            client_id: "app".parse().unwrap(),
            account_id: AccountId(Uuid::nil()),
            session_id,
            redirect_uri: "https://app.example/cb".parse().unwrap(),
            scope: scope.parse().unwrap(),
            nonce: None,
            code_challenge: None,
            provider: Provider::web3(),
            subject: String::new(),
            amr: vec![],
            authenticated_at: now,
            issued_at: now,
            expires_at: now,
            kept_until: now,
            resource: None,
            claims: None,
            authorization_details: None,
            told_as: None,
        }
    }
}
