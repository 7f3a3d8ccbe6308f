//! Whether a code that was presented gives tokens: the decision over the row that the single-use statement returned.

use crate::domain::RedirectUri;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::pkce::{CodeChallenge, CodeVerifier};
use crate::store::{CodeState, RedeemedCode};

/// What the client sent with the code.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'a> {
    pub redirect_uri: Option<&'a str>,
    pub code_verifier: Option<&'a str>,
}

/// Decides over a code that was just spent. The code stays spent whatever comes out: a wrong verifier means that somebody else
/// has it (RFC 9700 §4.5), so a second guess must not be possible.
pub fn decide(redeemed: &RedeemedCode, presented: Presented<'_>) -> Result<(), OAuthError> {
    let refuse = |description: &'static str| Err(OAuthError::new(ErrorCode::InvalidGrant, description));
    if redeemed.account_disabled {
        return refuse("the account that this code was for is disabled");
    }
    if redeemed.client_disabled {
        return refuse("this client is disabled");
    }
    if redeemed.consent_withdrawn {
        return refuse("the person withdrew this app");
    }
    // RFC 6749 §4.1.3: "ensure that the "redirect_uri" parameter is present if [it] was included in the initial authorization
    // request … and if included ensure that their values are identical."
    match presented.redirect_uri {
        Some(uri) if same_uri(&redeemed.code.redirect_uri, uri) => {}
        Some(_) => return refuse("redirect_uri differs from that of the authorization request"),
        None => return refuse("redirect_uri is missing; send the same as in the authorization request"),
    }
    match (redeemed.code.code_challenge.as_deref(), presented.code_verifier) {
        (None, None) => Ok(()),
        (Some(challenge), Some(verifier)) => {
            if verifies(challenge, verifier) {
                Ok(())
            } else {
                // RFC 7636 §4.6: "If the values are not equal, an error response indicating "invalid_grant" … MUST be returned."
                refuse("code_verifier does not fit the code_challenge of the authorization request")
            }
        }
        (Some(_), None) => refuse("code_verifier is missing; the authorization request had a code_challenge"),
        // RFC 9700 §2.1.1: a verifier without a challenge is the mark of a PKCE downgrade.
        (None, Some(_)) => refuse("code_verifier was sent, but the authorization request had no code_challenge"),
    }
}

/// RFC 7636 §4.6, over the texts as they are stored and sent; what is no challenge or no verifier does not verify.
#[must_use]
pub fn verifies(challenge: &str, verifier: &str) -> bool {
    match (challenge.parse::<CodeChallenge>(), verifier.parse::<CodeVerifier>()) {
        (Ok(challenge), Ok(verifier)) => challenge.matches(&verifier),
        _ => false,
    }
}

fn same_uri(stored: &RedirectUri, sent: &str) -> bool {
    stored.as_str() == sent
}

/// Why nothing was spent, and whether what an earlier use issued must end.
#[derive(Debug, PartialEq, Eq)]
pub enum NotSpent {
    Refuse(OAuthError),
    /// RFC 6749 §4.1.2: "If an authorization code is used more than once, the authorization server MUST deny the request and SHOULD
    /// revoke (when possible) all tokens previously issued based on that authorization code."
    RevokeAndRefuse(OAuthError),
}

/// Decides over a code that the single-use statement did not find. `same_client` is whether the code was made for who asks.
#[must_use]
pub fn not_spent(state: Option<&CodeState>, same_client: bool) -> NotSpent {
    let invalid = |description: &'static str| OAuthError::new(ErrorCode::InvalidGrant, description);
    match state {
        None => NotSpent::Refuse(invalid("the code is unknown, or expired long ago")),
        // Another client learns nothing about the code, and cannot end another's tokens.
        Some(_) if !same_client => NotSpent::Refuse(invalid("the code is unknown, or expired long ago")),
        Some(state) if state.redeemed => NotSpent::RevokeAndRefuse(invalid("the code was already used; the tokens it gave are revoked")),
        Some(_) => NotSpent::Refuse(invalid("the code has expired; codes live at most 60 seconds")),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{AccountId, CodeId, Provider, Timestamp};
    use crate::store::NewCode;

    const URI: &str = "https://app.example/cb";

    fn redeemed() -> RedeemedCode {
        let now = Timestamp::from_seconds(0);
        RedeemedCode {
            code: NewCode {
                id: CodeId(Uuid::nil()),
                client_id: "app".parse().unwrap(),
                account_id: AccountId(Uuid::nil()),
                session_id: None,
                redirect_uri: URI.parse().unwrap(),
                scope: "openid".parse().unwrap(),
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
            },
            wallet: None,
            email: None,
            account_disabled: false,
            client_disabled: false,
            consent_withdrawn: false,
        }
    }

    #[test]
    fn what_ended_since_the_code_was_made_refuses_it() {
        let presented = Presented { redirect_uri: Some(URI), code_verifier: None };
        let refusal = |redeemed| decide(&redeemed, presented).unwrap_err().to_string();
        assert!(decide(&redeemed(), presented).is_ok());
        assert!(refusal(RedeemedCode { account_disabled: true, ..redeemed() }).contains("account"));
        assert!(refusal(RedeemedCode { client_disabled: true, ..redeemed() }).contains("client"));
        let withdrawn = refusal(RedeemedCode { consent_withdrawn: true, ..redeemed() });
        assert!(withdrawn.contains("the person withdrew this app"), "{withdrawn}");
    }
}
