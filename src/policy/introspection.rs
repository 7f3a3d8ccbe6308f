//! Whom introspection tells about a token: a pure decision (RFC 7662 §4).

use crate::domain::ClientId;

/// A resource that tokens can be for (RFC 8707), and the clients that are its resource server.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    pub identifier: &'a str,
    pub servers: &'a [ClientId],
}

/// Whether `caller` may know of a token that was given to `token_client` for `audience`.
// RFC 7662 §4: "the authorization server MUST … determine whether or not … the token can be used at the protected resource making the
// introspection call"; §2.2: "If the introspection call is properly authorized but the token is not active, does not exist on this server,
// or the protected resource is not allowed to introspect this particular token, then the authorization server MUST return an introspection
// response with the "active" field set to "false"."
#[must_use]
pub fn may_see(caller: &ClientId, token_client: &ClientId, audience: &[&str], resources: &[Resource<'_>]) -> bool {
    caller == token_client || resources.iter().any(|resource| audience.contains(&resource.identifier) && resource.servers.contains(caller))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_own_client_and_the_servers_of_its_resources_see_a_token() {
        let id = |text: &str| text.parse::<ClientId>().unwrap();
        let (api, other) = ([id("api"), id("api-2")], [id("other-api")]);
        let resources = [
            Resource { identifier: "https://api.example", servers: &api },
            Resource { identifier: "https://other.example", servers: &other },
        ];
        let sees = |caller: &str, audience: &[&str]| may_see(&id(caller), &id("app"), audience, &resources);
        assert!(sees("app", &["app"]) && sees("app", &["https://api.example"]));
        assert!(sees("api", &["https://api.example"]) && sees("api-2", &["x", "https://api.example"]));
        for (caller, audience) in [
            ("api", &["app"][..]),
            ("api", &["https://other.example"]),
            ("api", &["https://api.example/"]),
            ("other-api", &["https://api.example"]),
            ("stranger", &["https://api.example", "https://other.example"]),
            // A token whose audience is a client's id is that client's only if it was given to it.
            ("stranger", &["stranger"]),
            ("api", &[]),
        ] {
            assert!(!sees(caller, audience), "{caller} {audience:?}");
        }
    }
}
