//! What a client may have in its own name (RFC 6749 §4.4).

use crate::domain::{AuthMethod, GrantType, Scope};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::store::ClientRecord;

/// Scopes that speak of a person, of whom there is none here.
const OF_PERSONS: &[&str] = &[Scope::OPENID, Scope::PROFILE, Scope::EMAIL, Scope::ADDRESS, Scope::PHONE, Scope::OFFLINE_ACCESS];

/// The scope of the token that the client gets: what it asks for, or all that is registered for it.
///
/// # Errors
/// `unauthorized_client` where the client may not use the grant at all; `invalid_scope` for anything that was not registered: a resource
/// server believes each scope of our tokens, so none is given unseen.
pub fn scope(client: &ClientRecord, asked: Option<&str>) -> Result<Scope, OAuthError> {
    let refuse = |code, description: String| Err(OAuthError::new(code, description));
    // RFC 6749 §4.4: "The client credentials grant type MUST only be used by confidential clients."
    if client.auth_method == AuthMethod::None {
        return refuse(
            ErrorCode::UnauthorizedClient,
            "client_credentials is for clients that can prove themselves, and this one is public".into(),
        );
    }
    if !client.metadata.grant_types.contains(&GrantType::ClientCredentials) {
        return refuse(ErrorCode::UnauthorizedClient, "this client is not registered for the grant client_credentials".into());
    }
    let registered = client.metadata.scope.clone().unwrap_or_default();
    let Some(asked) = asked else {
        // RFC 6749 §3.3: "If the client omits the scope parameter …, the authorization server MUST either process the request using a
        // pre-defined default value or fail the request".
        return Ok(registered.without(OF_PERSONS));
    };
    let asked: Scope = asked.parse().map_err(|reason| OAuthError::new(ErrorCode::InvalidScope, format!("{reason}")))?;
    if let Some(of_person) = asked.iter().find(|token| OF_PERSONS.contains(token)) {
        return refuse(ErrorCode::InvalidScope, format!("scope {of_person} speaks of a person; client_credentials has none"));
    }
    if let Some(token) = asked.iter().find(|token| !registered.contains(token)) {
        return refuse(ErrorCode::InvalidScope, format!("scope {token} is not registered for this client"));
    }
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::Timestamp;

    fn client(grant: bool, method: AuthMethod, scope: Option<&str>) -> ClientRecord {
        let mut client = ClientRecord::new("app".parse().unwrap(), "App".into(), Duration::from_hours(1), Timestamp::from_seconds(0));
        client.auth_method = method;
        client.metadata.scope = scope.map(|scope| scope.parse().unwrap());
        if grant {
            client.metadata.grant_types.insert(GrantType::ClientCredentials);
        }
        client
    }

    #[test]
    fn no_scope_is_given_that_was_not_registered() {
        use ErrorCode::{InvalidScope, UnauthorizedClient};
        let jwt = AuthMethod::PrivateKeyJwt;
        for (grant, method, registered, asked, outcome) in [
            (true, jwt, Some("read write"), Some("read"), Ok("read")),
            (true, jwt, Some("read write openid"), None, Ok("read write")),
            (true, AuthMethod::ClientSecret, None, None, Ok("")),
            (true, jwt, None, Some("read"), Err(InvalidScope)),
            (true, jwt, Some("read"), Some("read write"), Err(InvalidScope)),
            (true, jwt, Some("read openid"), Some("read openid"), Err(InvalidScope)),
            (true, jwt, Some("offline_access"), Some("offline_access"), Err(InvalidScope)),
            (true, jwt, Some("read"), Some("re\"ad"), Err(InvalidScope)),
            (false, jwt, Some("read"), Some("read"), Err(UnauthorizedClient)),
            (true, AuthMethod::None, Some("read"), Some("read"), Err(UnauthorizedClient)),
        ] {
            let given = scope(&client(grant, method, registered), asked);
            let given = given.as_ref().map(ToString::to_string).map_err(|error| error.code);
            assert_eq!(given.as_deref().map_err(|code| *code), outcome, "{grant} {method} {registered:?} {asked:?}");
        }
    }
}
