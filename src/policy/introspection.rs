//! Whom introspection tells about a token: a pure decision (RFC 7662 §4).

use crate::domain::{ClientId, Resource};

/// Whether `caller` may know of a token that was given to `token_client` for `audience`.
// RFC 7662 §4: "the authorization server MUST … determine whether or not … the token can be used at the protected resource making the
// introspection call"; §2.2: "If the introspection call is properly authorized but the token is not active, does not exist on this server,
// or the protected resource is not allowed to introspect this particular token, then the authorization server MUST return an introspection
// response with the "active" field set to "false"."
#[must_use]
pub fn may_see(caller: &ClientId, token_client: &ClientId, audience: &[&str], resources: &[Resource]) -> bool {
    caller == token_client
        || resources.iter().any(|resource| audience.contains(&resource.uri.as_str()) && resource.clients.contains(caller))
}

/// The same of an asset token, whose audiences are names that the operator gave.
#[must_use]
pub fn may_see_asset_token(caller: &ClientId, token_client: &ClientId, audience: &[&str], resources: &[Resource]) -> bool {
    let is_for = |resource: &Resource| {
        audience.iter().any(|one| *one == resource.uri.as_str() || resource.asset_audiences.iter().any(|name| name == one))
    };
    caller == token_client || resources.iter().any(|resource| is_for(resource) && resource.clients.contains(caller))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_own_client_and_the_servers_of_its_resources_see_a_token() {
        let id = |text: &str| text.parse::<ClientId>().unwrap();
        let resource = |uri: &str, clients: &[&str]| Resource {
            uri: uri.parse().unwrap(),
            name: String::new(),
            scopes: std::collections::BTreeMap::new(),
            clients: clients.iter().map(|client| id(client)).collect(),
            asset_audiences: Vec::new(),
        };
        let resources = [resource("https://api.example", &["api", "api-2"]), resource("https://other.example", &["other-api"])];
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

    #[test]
    fn an_asset_token_is_seen_by_the_servers_of_its_audience() {
        let id = |text: &str| text.parse::<ClientId>().unwrap();
        let resource = |uri: &str, server: &str, audiences: &[&str]| Resource {
            uri: uri.parse().unwrap(),
            name: String::new(),
            scopes: std::collections::BTreeMap::new(),
            clients: vec![id(server)],
            asset_audiences: audiences.iter().map(|name| (*name).to_owned()).collect(),
        };
        let resources = [resource("https://api.example", "api", &["dimo.zone"]), resource("https://other.example", "other", &[])];
        let sees = |caller: &str, audience: &[&str]| may_see_asset_token(&id(caller), &id("app"), audience, &resources);
        assert!(sees("app", &["dimo.zone"]) && sees("api", &["my-app", "dimo.zone"]) && sees("other", &["https://other.example"]));
        for (caller, audience) in
            [("api", &["my-app"][..]), ("other", &["dimo.zone"]), ("stranger", &["dimo.zone"]), ("stranger", &["stranger"])]
        {
            assert!(!sees(caller, audience), "{caller} {audience:?}");
        }
        // An access token of sign-in never has such an audience by its name alone.
        assert!(!may_see(&id("api"), &id("app"), &["dimo.zone"], &resources));
    }
}
