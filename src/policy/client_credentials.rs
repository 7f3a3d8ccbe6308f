//! What a client may have in its own name (RFC 6749 §4.4), and at which resources (RFC 8707).

use crate::domain::{AuthMethod, GrantType, Held, Scope};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::resource::{Known, target};
use crate::store::{ClientRecord, ClientSource};

/// Scopes that speak of a person, of whom there is none here.
const OF_PERSONS: &[&str] = &[Scope::OPENID, Scope::PROFILE, Scope::EMAIL, Scope::ADDRESS, Scope::PHONE, Scope::OFFLINE_ACCESS];

/// What this server lets clients have in their own name.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    pub known: Known<'a>,
    /// The most that a client may have which registered itself: what such a client registered is only its wish. `None`: no scope.
    pub self_made: Option<&'a Scope>,
}

/// The scope of the token that the client gets for the resources that it names: what it asks for, or all that it may have there.
///
/// # Errors
/// `unauthorized_client` where the client may not use the grant at all; `invalid_scope` for anything that it may not have, since a resource
/// server believes each scope of our tokens; `invalid_target` for a resource where it may have nothing.
pub fn scope(client: &ClientRecord, asked: Option<&str>, resource: Option<&[String]>, terms: Terms<'_>) -> Result<Scope, OAuthError> {
    let refuse = |code, description: String| Err(OAuthError::new(code, description));
    // RFC 6749 §4.4: "The client credentials grant type MUST only be used by confidential clients."
    if client.auth_method == AuthMethod::None {
        return refuse(
            ErrorCode::UnauthorizedClient,
            "client_credentials is for clients that can prove themselves, and this one is public".into(),
        );
    }
    if !may_use_it(client) {
        return refuse(ErrorCode::UnauthorizedClient, "this client is not registered for the grant client_credentials".into());
    }
    let allowed = allowed(client, terms.self_made);
    check_target(client, &allowed, resource, terms.known)?;
    let Some(asked) = asked else {
        // RFC 6749 §3.3: "If the client omits the scope parameter …, the authorization server MUST either process the request using a
        // pre-defined default value or fail the request".
        return Ok(terms.known.applicable(&allowed, resource));
    };
    let asked: Scope = asked.parse().map_err(|reason| OAuthError::new(ErrorCode::InvalidScope, format!("{reason}")))?;
    if let Some(of_person) = asked.iter().find(|token| OF_PERSONS.contains(token)) {
        return refuse(ErrorCode::InvalidScope, format!("scope {of_person} speaks of a person; client_credentials has none"));
    }
    if let Some(token) = asked.iter().find(|token| !allowed.contains(token)) {
        return refuse(ErrorCode::InvalidScope, format!("scope {token} is not one that this client may have for itself"));
    }
    terms.known.check(&asked, resource)?;
    Ok(asked)
}

// A client may register itself for whatever it likes: the grant is its own where the operator made the client, vouched for it, or gave it
// the grant by a command.
fn may_use_it(client: &ClientRecord) -> bool {
    let by_operator = match client.source {
        ClientSource::Command | ClientSource::Config => true,
        ClientSource::Registration => client.operator.vouched || client.operator.held.contains(&Held::GrantTypes),
        ClientSource::Document => false,
    };
    by_operator && client.may(GrantType::ClientCredentials)
}

fn allowed(client: &ClientRecord, self_made: Option<&Scope>) -> Scope {
    let registered = client.metadata.scope.clone().unwrap_or_default().without(OF_PERSONS);
    match self_made {
        _ if !client.is_self_made() || client.operator.held.contains(&Held::Scope) => registered,
        Some(most) => registered.common(most),
        None => Scope::default(),
    }
}

// RFC 8707 §2: "The requested resource is invalid, missing, unknown, or malformed." A token without any scope of an API is still one for
// it, which its servers may take for a key.
fn check_target(client: &ClientRecord, allowed: &Scope, resource: Option<&[String]>, known: Known<'_>) -> Result<(), OAuthError> {
    for uri in resource.unwrap_or_default() {
        let Some(resource) = known.find(uri) else {
            return Err(target("resource: userinfo tells of a person, and client_credentials has none"));
        };
        if client.is_self_made() && !resource.scopes.keys().any(|token| allowed.contains(token)) {
            return Err(target("resource names one of which this client may have nothing for itself"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{OperatorsWord, Resource, Timestamp};

    const USERINFO: &str = "https://id.example/userinfo";
    const GARAGE: &str = "https://garage.example";
    const SHOP: &str = "https://shop.example";

    fn client(grant: bool, method: AuthMethod, scope: Option<&str>) -> ClientRecord {
        let mut client = ClientRecord::new("app".parse().unwrap(), "App".into(), Duration::from_hours(1), Timestamp::from_seconds(0));
        client.auth_method = method;
        client.metadata.scope = scope.map(|scope| scope.parse().unwrap());
        if grant {
            client.metadata.grant_types.insert(GrantType::ClientCredentials);
        }
        client
    }

    fn resources() -> Vec<Resource> {
        let resource = |uri: &str, scope: &str| Resource {
            uri: uri.parse().unwrap(),
            name: String::new(),
            scopes: [(scope.to_owned(), String::new())].into(),
            clients: Vec::new(),
            asset_audiences: Vec::new(),
        };
        vec![resource(GARAGE, "garage:read"), resource(SHOP, "shop:buy")]
    }

    fn ask(client: &ClientRecord, asked: Option<&str>, named: &[&str], self_made: Option<&str>) -> Result<String, ErrorCode> {
        let (resources, self_made) = (resources(), self_made.map(|scope| scope.parse().unwrap()));
        let known = Known { resources: &resources, userinfo: USERINFO };
        let named = known.named(named).unwrap();
        let given = scope(client, asked, named.as_deref(), Terms { known, self_made: self_made.as_ref() });
        given.map(|scope| scope.to_string()).map_err(|error| error.code)
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
            let given = ask(&client(grant, method, registered), asked, &[], None);
            assert_eq!(given.as_deref().map_err(|code| *code), outcome, "{grant} {method} {registered:?} {asked:?}");
        }
    }

    #[test]
    fn scopes_of_a_resource_are_given_for_that_resource_alone() {
        use ErrorCode::{InvalidScope, InvalidTarget};
        let machine = client(true, AuthMethod::PrivateKeyJwt, Some("read garage:read shop:buy"));
        for (asked, named, outcome) in [
            (None, &[][..], Ok("read")),
            (None, &[GARAGE], Ok("garage:read read")),
            (None, &[GARAGE, SHOP], Ok("garage:read read shop:buy")),
            (Some("garage:read"), &[GARAGE], Ok("garage:read")),
            (Some("garage:read"), &[], Err(InvalidScope)),
            (Some("garage:read"), &[SHOP], Err(InvalidScope)),
            (None, &[USERINFO], Err(InvalidTarget)),
        ] {
            let given = ask(&machine, asked, named, None);
            assert_eq!(given.as_deref().map_err(|code| *code), outcome, "{asked:?} {named:?}");
        }
    }

    #[test]
    fn a_client_that_registered_itself_gets_what_the_operator_lets_it_have() {
        use ClientSource::{Document, Registration};
        use ErrorCode::{InvalidScope, InvalidTarget, UnauthorizedClient};
        let wished = client(true, AuthMethod::PrivateKeyJwt, Some("read garage:read shop:buy"));
        let most = Some("garage:read admin");
        for (source, vouched, asked, named, self_made, outcome) in [
            (Registration, false, None, &[][..], most, Err(UnauthorizedClient)),
            (Document, false, None, &[], most, Err(UnauthorizedClient)),
            (Registration, true, None, &[], None, Ok("")),
            (Registration, true, Some("read"), &[], None, Err(InvalidScope)),
            (Registration, true, None, &[GARAGE], None, Err(InvalidTarget)),
            (Registration, true, None, &[GARAGE], most, Ok("garage:read")),
            (Registration, true, Some("garage:read"), &[GARAGE], most, Ok("garage:read")),
            (Registration, true, Some("admin"), &[], most, Err(InvalidScope)),
            (Registration, true, Some("read"), &[], most, Err(InvalidScope)),
            (Registration, true, None, &[SHOP], most, Err(InvalidTarget)),
            (Registration, true, None, &[], most, Ok("")),
        ] {
            let client = ClientRecord { source, operator: OperatorsWord { vouched, ..OperatorsWord::default() }, ..wished.clone() };
            let given = ask(&client, asked, named, self_made);
            assert_eq!(given.as_deref().map_err(|code| *code), outcome, "{source:?} {vouched} {asked:?} {named:?} {self_made:?}");
        }
        // What a command has set is the operator's own word.
        let held = OperatorsWord { held: [Held::GrantTypes, Held::Scope].into(), ..OperatorsWord::default() };
        let client = ClientRecord { source: Registration, operator: held, ..wished };
        assert_eq!(ask(&client, None, &[SHOP], None).as_deref(), Ok("read shop:buy"));
    }
}
