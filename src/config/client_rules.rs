//! The rules that every registration of a client obeys, wherever it comes from: the configuration file and the command line alike.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use serde_json::Value;
use url::{Host, Url};

use super::clients::MIN_SECRET;
use crate::domain::{AuthMethod, ClientId, GrantType, Pkce, RedirectUri, Secret};
use crate::keys::ClientKeys;
use crate::store::ClientRecord;

/// Bytes: as much as is fetched from a `jwks_uri`.
const LONGEST_SET: u64 = 128 * 1024;

/// What is wrong with a setting of a client: the setting, and a sentence.
pub(crate) type Wrong = (&'static str, String);

/// What a client proves itself with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    Nothing,
    Secret,
    Keys,
}

/// Whether a chosen secret is long enough to be kept as a hash; the error is a sentence.
pub fn check_secret(secret: &Secret) -> Result<(), String> {
    match secret.expose().chars().count() {
        MIN_SECRET.. => Ok(()),
        short => Err(format!("the secret has {short} characters; it needs at least {MIN_SECRET}")),
    }
}

/// What every ordinary client must hold.
pub(crate) fn check_client(client: &ClientRecord) -> Vec<Wrong> {
    let (public, grants) = (client.auth_method == AuthMethod::None, &client.metadata.grant_types);
    let rules = [
        check_id(&client.id),
        check_pkce(public, client.pkce),
        check_uris(&client.redirect_uris, grants),
        check_grants(public, grants),
        check_scope(client),
    ];
    rules.into_iter().flatten().collect()
}

pub(super) fn check_id(id: &ClientId) -> Option<Wrong> {
    id.as_address().map(|_| ("id", format!("{id} is an address, and those are ids of licenses: `latchkey license create`")))
}

// RFC 9700 §2.1.1: "Public clients MUST use PKCE".
pub(super) fn check_pkce(public: bool, pkce: Pkce) -> Option<Wrong> {
    (public && pkce == Pkce::Optional).then(|| ("pkce", "a public client always uses PKCE".to_owned()))
}

// A client that sends nobody here has nowhere to send them back to.
pub(super) fn check_uris(redirect_uris: &[RedirectUri], grants: &BTreeSet<GrantType>) -> Option<Wrong> {
    let needed = grants.contains(&GrantType::AuthorizationCode);
    (needed && redirect_uris.is_empty()).then(|| ("redirect_uris", "there is no redirect URI".to_owned()))
}

// RFC 6749 §4.4: "The client credentials grant type MUST only be used by confidential clients."
pub(super) fn check_grants(public: bool, grants: &BTreeSet<GrantType>) -> Option<Wrong> {
    if grants.is_empty() {
        return Some(("grant_types", "there is no grant; leave it out for authorization_code and refresh_token".to_owned()));
    }
    let unproved = public && grants.contains(&GrantType::ClientCredentials);
    unproved.then(|| ("grant_types", "a public client cannot use client_credentials: it has nothing to prove itself with".to_owned()))
}

fn check_scope(client: &ClientRecord) -> Option<Wrong> {
    let empty = client.metadata.scope.as_ref().is_some_and(crate::domain::Scope::is_empty);
    empty.then(|| ("scope", "names no scope; leave it out for any".to_owned()))
}

/// The method by which a client proves itself: the one that was asked for, if it fits what it has.
pub(crate) fn method_for(proof: Proof, asked: Option<AuthMethod>) -> Result<AuthMethod, Wrong> {
    use AuthMethod as M;
    let fitting: &[AuthMethod] = match proof {
        Proof::Nothing => &[M::None],
        Proof::Secret => &[M::ClientSecret, M::ClientSecretBasic, M::ClientSecretPost],
        Proof::Keys => &[M::PrivateKeyJwt],
    };
    let asked = asked.or_else(|| fitting.first().copied()).unwrap_or(M::None);
    if fitting.contains(&asked) {
        return Ok(asked);
    }
    let has = match proof {
        Proof::Nothing => "a public client proves nothing",
        Proof::Secret => "the client has a secret",
        Proof::Keys => "the client has keys",
    };
    let words: Vec<&str> = fitting.iter().map(|method| method.as_str()).collect();
    Err(("auth_method", format!("{asked} does not fit: {has}, so it can be {}", words.join(" or "))))
}

/// The JWK set in a file, with at least one key that can verify.
///
/// # Errors
/// A sentence that names the file.
pub(crate) fn read_jwks(path: &Path) -> Result<Value, String> {
    let shown = path.display();
    let mut text = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LONGEST_SET + 1).read_to_end(&mut text))
        .map_err(|problem| format!("{shown} cannot be read: {problem}"))?;
    if text.len() as u64 > LONGEST_SET {
        return Err(format!("{shown} is longer than {LONGEST_SET} bytes"));
    }
    let set: Value = serde_json::from_slice(&text).map_err(|problem| format!("{shown} is no JSON: {problem}"))?;
    ClientKeys::read(&set).map_err(|problem| format!("{shown} cannot be used: {problem}"))?;
    Ok(set)
}

/// Whether an app may want its logout messages there, as far as the address tells; the error is a sentence. Whether this server goes there
/// is looked at with each message.
// Back-Channel Logout §2.2: "This URI SHOULD use the https scheme … The URI MUST NOT include a fragment component."
pub(crate) fn check_logout_uri(uri: &str) -> Result<(), String> {
    if uri.len() > 2_000 || !uri.bytes().all(|b| b.is_ascii_graphic() && b != b'\\') {
        return Err("it has at most 2000 characters, all of them printable ASCII without spaces or backslashes".to_owned());
    }
    let url = Url::parse(uri).map_err(|_| "it is an absolute URI, like https://app.example/signed-out".to_owned())?;
    let this_machine = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let problem = match url.scheme() {
        "https" => None,
        "http" if this_machine => None,
        "http" => Some("it uses https; http is for localhost, 127.0.0.1 and [::1] only, in development"),
        _ => Some("it uses https"),
    };
    let problem = problem.or_else(|| uri.contains('#').then_some("it has no fragment (the part behind #)"));
    let named = !url.username().is_empty() || url.password().is_some();
    match problem.or_else(|| named.then_some("it has no user name or password")) {
        Some(problem) => Err(problem.to_owned()),
        None => Ok(()),
    }
}

/// The same for what only the server's own settings tell: without TLS a message would be read and swallowed on its way, so it goes to this
/// machine alone, and only where that is opened for development.
pub(crate) fn check_logout_uri_here(uri: &str, egress: &super::Egress) -> Result<(), String> {
    if uri.starts_with("http:") && !egress.allow_private_networks {
        return Err("it uses https; http is for development, where egress.allow_private_networks is true".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_fits_what_the_client_has() {
        use AuthMethod as M;
        for (proof, asked, method) in [
            (Proof::Nothing, None, Some(M::None)),
            (Proof::Secret, None, Some(M::ClientSecret)),
            (Proof::Keys, None, Some(M::PrivateKeyJwt)),
            (Proof::Secret, Some(M::ClientSecretPost), Some(M::ClientSecretPost)),
            (Proof::Keys, Some(M::PrivateKeyJwt), Some(M::PrivateKeyJwt)),
            (Proof::Secret, Some(M::PrivateKeyJwt), None),
            (Proof::Keys, Some(M::ClientSecretBasic), None),
            (Proof::Nothing, Some(M::ClientSecret), None),
            (Proof::Secret, Some(M::None), None),
        ] {
            assert_eq!(method_for(proof, asked).ok(), method, "{proof:?} {asked:?}");
        }
    }

    #[test]
    fn grants_fit_the_client() {
        let grants = |grants: &[GrantType]| grants.iter().copied().collect::<BTreeSet<_>>();
        let machine = grants(&[GrantType::ClientCredentials]);
        assert!(check_grants(true, &machine).is_some() && check_grants(false, &machine).is_none());
        assert!(check_grants(false, &BTreeSet::new()).is_some());
        assert!(check_uris(&[], &machine).is_none() && check_uris(&[], &grants(&[GrantType::AuthorizationCode])).is_some());
    }
}
