//! Resource indicators (RFC 8707): which resources a request names, what a token for them may carry, and who may look into it.

use super::error::{ErrorCode, OAuthError};
use crate::domain::{ClientId, Resource, Scope};

/// What can be named: the operator's resources, and our own userinfo.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    pub resources: &'a [Resource],
    /// The address of userinfo, which is its resource identifier too (RFC 9728 §1.2).
    pub userinfo: &'a str,
}

/// The most resources of one request.
const MOST: usize = 20;

impl<'a> Known<'a> {
    /// The resources that a request names, each once; `None` when it names none.
    ///
    /// # Errors
    /// `invalid_target` (RFC 8707 §2): "The requested resource is invalid, missing, unknown, or malformed."
    pub fn named(self, asked: &[&str]) -> Result<Option<Vec<String>>, OAuthError> {
        if asked.len() > MOST {
            return Err(target("resource: more than 20 were named"));
        }
        let mut named: Vec<String> = Vec::new();
        for uri in asked {
            if *uri != self.userinfo && self.find(uri).is_none() {
                return Err(target(
                    "resource names none that this server makes tokens for; it must be the same text, character for character",
                ));
            }
            if !named.iter().any(|known| known == uri) {
                named.push((*uri).to_owned());
            }
        }
        Ok((!named.is_empty()).then_some(named))
    }

    /// The operator's resource of that identifier.
    #[must_use]
    pub fn find(self, uri: &str) -> Option<&'a Resource> {
        self.resources.iter().find(|resource| resource.uri.as_str() == uri)
    }

    /// The resource to which this scope belongs, if it is one's own.
    #[must_use]
    pub fn owner(self, scope: &str) -> Option<&'a Resource> {
        self.resources.iter().find(|resource| resource.scopes.contains_key(scope))
    }

    /// What of `scope` a token for these resources carries: a resource learns nothing of what was granted at another.
    // RFC 8707 §2.2: "the authorization server … SHOULD … narrow the scope … to the scope applicable to the resource".
    #[must_use]
    pub fn applicable(self, scope: &Scope, resources: Option<&[String]>) -> Scope {
        let here = |owner: &Resource| resources.is_some_and(|named| named.iter().any(|uri| uri == owner.uri.as_str()));
        Scope::of(scope.iter().filter(|token| self.owner(token).is_none_or(here)))
    }

    /// Refuses a scope that belongs to a resource which is not named.
    ///
    /// # Errors
    /// `invalid_scope`, with the resource that is lacking.
    pub fn check(self, scope: &Scope, resources: Option<&[String]>) -> Result<(), OAuthError> {
        let applicable = self.applicable(scope, resources);
        let Some(token) = scope.iter().find(|token| !applicable.contains(token)) else { return Ok(()) };
        let owner = self.owner(token).map_or("", |resource| resource.uri.as_str());
        let words = format!("scope: {token} belongs to the resource {owner}; name that too, as resource (RFC 8707)");
        Err(OAuthError::new(ErrorCode::InvalidScope, words))
    }

    /// What a person agrees to by letting an app have tokens for these resources: each by its URI, but for our own.
    #[must_use]
    pub fn to_agree_to(self, resources: Option<&[String]>) -> Scope {
        Scope::of(resources.unwrap_or_default().iter().map(String::as_str).filter(|uri| *uri != self.userinfo))
    }

    /// Whether a token for this audience is one for userinfo: it was given to the client for itself, or for userinfo alone. One that
    /// another resource holds too is not, or that resource could ask us in the app's name.
    #[must_use]
    pub fn for_userinfo(self, audience: &[&str], client: &ClientId) -> bool {
        matches!(audience, [one] if *one == client.as_str() || *one == self.userinfo)
    }
}

/// The resources of one token, out of those that were granted: all of them where none is named.
///
/// # Errors
/// `invalid_target` when one was not granted (RFC 8707 §2.2).
pub fn narrow(granted: Option<&[String]>, asked: &[&str]) -> Result<Option<Vec<String>>, OAuthError> {
    if asked.is_empty() {
        return Ok(granted.map(<[String]>::to_vec));
    }
    let granted = granted.unwrap_or_default();
    if asked.iter().any(|uri| !granted.iter().any(|known| known == uri)) {
        return Err(target("resource names one that the authorization request did not"));
    }
    Ok(Some(granted.iter().filter(|uri| asked.contains(&uri.as_str())).cloned().collect()))
}

/// A resource that this request cannot have a token for.
pub fn target(description: impl Into<std::borrow::Cow<'static, str>>) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidTarget, description)
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERINFO: &str = "https://id.example/userinfo";

    fn resource(uri: &str, scope: &str, client: &str) -> Resource {
        Resource {
            uri: uri.parse().unwrap(),
            name: uri.to_owned(),
            scopes: [(scope.to_owned(), "Do it".to_owned())].into(),
            clients: vec![client.parse().unwrap()],
            asset_audiences: Vec::new(),
        }
    }

    #[test]
    fn only_known_resources_are_named_and_each_counts_once() {
        let resources = [resource("https://a.example", "a:read", "a-server")];
        let known = Known { resources: &resources, userinfo: USERINFO };
        assert_eq!(known.named(&[]), Ok(None));
        let both = known.named(&["https://a.example", USERINFO, "https://a.example"]).unwrap();
        assert_eq!(both, Some(vec!["https://a.example".to_owned(), USERINFO.to_owned()]));
        for bad in ["https://a.example/", "HTTPS://a.example", "https://a.example#x", "a.example", "https://b.example"] {
            assert_eq!(known.named(&[bad]).map_err(|error| error.code), Err(ErrorCode::InvalidTarget), "{bad}");
        }
        assert!(known.named(&[USERINFO; 21]).is_err());
    }

    #[test]
    fn a_token_is_narrowed_to_what_was_granted() {
        let granted = ["a".to_owned(), "b".to_owned()];
        assert_eq!(narrow(Some(&granted), &[]), Ok(Some(granted.to_vec())));
        assert_eq!(narrow(Some(&granted), &["b"]), Ok(Some(vec!["b".to_owned()])));
        assert_eq!(narrow(None, &[]), Ok(None));
        for (granted, asked) in [(Some(&granted[..1]), "b"), (None, "a")] {
            assert_eq!(narrow(granted, &[asked]).map_err(|error| error.code), Err(ErrorCode::InvalidTarget));
        }
    }

    #[test]
    fn scopes_and_secrets_stay_with_their_resource() {
        let resources = [resource("https://a.example", "a:read", "a-server"), resource("https://b.example", "b:read", "b-server")];
        let known = Known { resources: &resources, userinfo: USERINFO };
        let scope: Scope = "a:read b:read openid".parse().unwrap();
        let of = |named: &[&str]| {
            let named: Vec<String> = named.iter().map(|uri| (*uri).to_owned()).collect();
            known.applicable(&scope, Some(&named)).to_string()
        };
        assert_eq!(of(&["https://a.example"]), "a:read openid");
        assert_eq!(of(&["https://a.example", "https://b.example"]), "a:read b:read openid");
        assert_eq!((of(&[USERINFO]), known.applicable(&scope, None).to_string()), ("openid".to_owned(), "openid".to_owned()));
        let client = |id: &str| id.parse::<ClientId>().unwrap();
        let table = [
            (vec!["app"], true),
            (vec![USERINFO], true),
            (vec!["other"], false),
            (vec!["https://a.example"], false),
            (vec!["https://a.example", USERINFO], false),
            (vec!["app", "https://a.example"], false),
            (vec![], false),
        ];
        for (audience, may) in table {
            assert_eq!(known.for_userinfo(&audience, &client("app")), may, "{audience:?}");
        }
    }
}
