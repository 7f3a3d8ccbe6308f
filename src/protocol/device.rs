//! A device authorization request (RFC 8628 §3.1), parsed: what comes out can be asked of a person.

use super::authorize::{Terms, scope};
use super::error::OAuthError;
use super::params::Params;
use crate::domain::Scope;

/// What a device asks to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRequest {
    pub scope: Scope,
    /// The resources that the access token is to be for (RFC 8707).
    pub resource: Option<Vec<String>>,
}

impl DeviceRequest {
    /// Reads what is asked, and refuses what this server or this client does not do.
    pub fn parse(params: &Params, terms: Terms<'_>) -> Result<Self, OAuthError> {
        let resource = terms.known.named(&params.all("resource")?)?;
        // RFC 6749 §3.3: "If the client omits the scope parameter …, the authorization server MUST either process the request using a
        // pre-defined default value or fail the request indicating an invalid scope."
        let scope = scope(params, terms, resource.as_deref())?;
        Ok(Self { scope, resource })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Pkce;
    use crate::protocol::error::ErrorCode;

    #[test]
    fn a_device_asks_for_scopes_that_are_known() {
        let parse = |text: &str| DeviceRequest::parse(&Params::decode(text), Terms::plain(Pkce::Required));
        let asked = parse("scope=openid+offline_access+unheard_of&client_id=tv").unwrap();
        assert_eq!((asked.scope.to_string(), asked.resource), ("offline_access openid".to_owned(), None));
        for (text, code) in [
            ("", ErrorCode::InvalidScope),
            ("scope=unheard_of", ErrorCode::InvalidScope),
            ("scope=%22", ErrorCode::InvalidScope),
            ("scope=openid&resource=https://nowhere.example", ErrorCode::InvalidTarget),
        ] {
            assert_eq!(parse(text).map_err(|error| error.code), Err(code), "{text}");
        }
    }
}
