//! What becomes of an app that registers itself: whether its wishes fit together and are allowed, and the record that it gets.

mod change;

pub use change::{check_change, is_another, keep_held};

use std::collections::BTreeSet;
use std::time::Duration;

use url::Url;

use crate::domain::{AuthMethod, ClientId, ClientMetadata, GrantType, OperatorsWord, Pkce, RedirectUri, SubjectType, Timestamp};
use crate::protocol::client_registration::Registration;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::store::{ClientRecord, ClientSource};

/// What holds for every app that registers itself here.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// What `sub` is where a client does not say.
    pub subject: SubjectType,
    pub access_token: Duration,
    /// Whether the app came with the operator's initial access token.
    pub vouched: bool,
    /// How long it is kept while nobody has agreed to it; `None`: for good.
    pub unused: Option<Duration>,
}

/// The record of an app; a client that has a secret still needs the hash of one.
///
/// # Errors
/// `invalid_client_metadata` or `invalid_redirect_uri`, with the members that do not fit together.
pub fn record(
    id: ClientId,
    source: ClientSource,
    registration: &Registration,
    terms: Terms,
    now: Timestamp,
) -> Result<ClientRecord, OAuthError> {
    let auth_method = auth_method(source, registration)?;
    let grant_types = grant_types(source, auth_method, registration, terms)?;
    if grant_types.contains(&GrantType::AuthorizationCode) && registration.redirect_uris.is_empty() {
        return Err(OAuthError::new(
            ErrorCode::InvalidRedirectUri,
            "redirect_uris is missing: the grant type authorization_code needs at least one",
        ));
    }
    let sector = sector(&id, source, registration, terms)?;
    let public = auth_method == AuthMethod::None;
    let name = registration.client_name.clone().unwrap_or_else(|| name(&id, registration));
    Ok(ClientRecord {
        auth_method,
        // RFC 9700 §2.1.1: "Public clients MUST use PKCE"; the Model Context Protocol asks it of all. Many certified clients that have a
        // secret send none.
        pkce: if public || source == ClientSource::Document { Pkce::Required } else { Pkce::Optional },
        subject_type: match registration.pairwise {
            Some(true) => Some(SubjectType::Pairwise),
            // The server's own form of a public subject, unless it has none.
            Some(false) if terms.subject == SubjectType::Pairwise => Some(SubjectType::Account),
            Some(false) | None => None,
        },
        signing_alg: registration.signing_alg,
        redirect_uris: registration.redirect_uris.clone(),
        post_logout_redirect_uris: registration.post_logout_redirect_uris.clone(),
        sector,
        backchannel_logout_uri: registration.backchannel_logout_uri.clone(),
        metadata: ClientMetadata { grant_types, ..registration.metadata.clone() },
        operator: OperatorsWord { vouched: terms.vouched, ..OperatorsWord::default() },
        // What the operator let in may serve without any person.
        unused_until: terms.unused.filter(|_| !terms.vouched).map(|unused| now.plus(unused)),
        source,
        ..ClientRecord::new(id, name, terms.access_token, now)
    })
}

/// Whether a client of this kind has a secret.
#[must_use]
pub const fn has_secret(method: AuthMethod) -> bool {
    match method {
        AuthMethod::ClientSecret | AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost => true,
        AuthMethod::None | AuthMethod::PrivateKeyJwt => false,
    }
}

/// Whether a sector's own list names every redirect URI of a client.
///
/// # Errors
/// `invalid_client_metadata` (OpenID Connect Registration §5: a list that lacks one fails the registration).
pub fn check_sector(list: &[u8], redirect_uris: &[RedirectUri]) -> Result<(), OAuthError> {
    // Core §8.1: "The value of the sector_identifier_uri MUST be a URL … that points to a JSON file containing an array of redirect_uri values."
    let list: Vec<String> =
        serde_json::from_slice(list).map_err(|_| wrong("sector_identifier_uri leads to what is no JSON array of texts"))?;
    match redirect_uris.iter().position(|uri| list.iter().all(|listed| listed != uri.as_str())) {
        Some(place) => Err(wrong(format!("the list at sector_identifier_uri lacks redirect_uris[{place}]"))),
        None => Ok(()),
    }
}

fn wrong(description: impl Into<std::borrow::Cow<'static, str>>) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClientMetadata, description)
}

fn auth_method(source: ClientSource, registration: &Registration) -> Result<AuthMethod, OAuthError> {
    let method = match (registration.auth_method, source) {
        (Some(method), _) => method,
        // There is no way to give it a secret.
        (None, ClientSource::Document) => AuthMethod::None,
        // RFC 7591 §2: "If unspecified or omitted, the default is "client_secret_basic"".
        (None, _) => AuthMethod::ClientSecretBasic,
    };
    if source == ClientSource::Document && has_secret(method) {
        return Err(wrong("token_endpoint_auth_method must be none or private_key_jwt: a public document cannot agree on a secret"));
    }
    if method == AuthMethod::PrivateKeyJwt && registration.metadata.jwks.is_none() && registration.metadata.jwks_uri.is_none() {
        return Err(wrong("token_endpoint_auth_method private_key_jwt needs jwks or jwks_uri, by which its signatures are verified"));
    }
    Ok(method)
}

// RFC 7591 §2.1: "The authorization server … MAY … reject or replace any of the client's requested values": grants that it may not have
// are left out, and the answer shows what is left.
fn grant_types(
    source: ClientSource,
    method: AuthMethod,
    registration: &Registration,
    terms: Terms,
) -> Result<BTreeSet<GrantType>, OAuthError> {
    let may_have = |grant: &GrantType| match grant {
        // The exchange gives what owners granted to this very client, and nothing else.
        GrantType::AuthorizationCode | GrantType::RefreshToken | GrantType::DeviceCode | GrantType::TokenExchange => true,
        // Tokens without any person: for those whom the operator vouched for, and who can prove who they are.
        GrantType::ClientCredentials => source == ClientSource::Registration && terms.vouched && method != AuthMethod::None,
    };
    let asked = registration.grant_types.clone().unwrap_or_else(|| ClientMetadata::default().grant_types);
    let grants: BTreeSet<GrantType> = asked.into_iter().filter(may_have).collect();
    if grants.iter().all(|grant| *grant == GrantType::RefreshToken) {
        return Err(wrong("grant_types names nothing that this client can have here; discovery lists what there is"));
    }
    // RFC 7591 §2.1: "code" goes with "authorization_code".
    match (registration.response_types, grants.contains(&GrantType::AuthorizationCode)) {
        (Some(true), false) => Err(wrong("response_types names code, but grant_types lacks authorization_code")),
        (Some(false), true) => Err(wrong("grant_types names authorization_code, but response_types lacks code")),
        _ => Ok(grants),
    }
}

// Core §8.1: "If the Client has not provided a value for sector_identifier_uri …, the Sector Identifier used … is the host component of
// the registered redirect_uri. If there are multiple hostnames in the registered redirect_uris, the Client MUST register a
// sector_identifier_uri."
fn sector(id: &ClientId, source: ClientSource, registration: &Registration, terms: Terms) -> Result<Option<String>, OAuthError> {
    let host = |text: &str| Url::parse(text).ok().and_then(|url| url.host_str().map(str::to_owned));
    if let Some(uri) = &registration.metadata.sector_identifier_uri {
        return Ok(host(uri));
    }
    // Redirect URIs of a native app are of this machine, as those of every other one; its document is its own.
    if source == ClientSource::Document {
        return Ok(host(id.as_str()));
    }
    let hosts: BTreeSet<&str> = registration.redirect_uris.iter().map(RedirectUri::host).collect();
    let pairwise = registration.pairwise.unwrap_or(terms.subject == SubjectType::Pairwise);
    if pairwise && hosts.len() > 1 {
        return Err(wrong(
            "subject_type pairwise with redirect_uris of several hosts needs sector_identifier_uri (OpenID Connect Core section 8.1)",
        ));
    }
    Ok(registration.redirect_uris.first().map(|uri| uri.host().to_owned()))
}

// What people read where the app gave itself no name.
fn name(id: &ClientId, registration: &Registration) -> String {
    let host = |text: &str| Url::parse(text).ok().and_then(|url| url.host_str().map(str::to_owned));
    // An id that is a document's address says more than the app's other words.
    host(id.as_str())
        .or_else(|| host(registration.metadata.client_uri.as_deref()?))
        .or_else(|| registration.redirect_uris.first().map(|uri| uri.host().to_owned()))
        .unwrap_or_else(|| id.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::protocol::client_registration::object;

    pub(super) const TERMS: Terms =
        Terms { subject: SubjectType::Account, access_token: Duration::from_hours(1), vouched: false, unused: None };

    pub(super) fn decide(source: ClientSource, members: &Value, terms: Terms) -> Result<ClientRecord, OAuthError> {
        let id = if source == ClientSource::Document { "https://doc.example:8443/client" } else { "an-id" };
        let registration = Registration::read(&object(members.to_string().as_bytes())?)?;
        record(id.parse().unwrap(), source, &registration, terms, Timestamp::from_seconds(1))
    }

    fn words(result: &Result<ClientRecord, OAuthError>) -> String {
        match result {
            Ok(client) => {
                let grants: Vec<&str> = client.metadata.grant_types.iter().map(|grant| grant.as_str()).collect();
                let sector = client.sector.as_deref().unwrap_or("-");
                format!(
                    "{} pkce={} {} sub={:?} sector={sector} `{}`",
                    client.auth_method,
                    client.pkce,
                    grants.join("+"),
                    client.subject_type,
                    client.name
                )
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_becomes_of_each_wish() {
        use ClientSource::{Document, Registration as Registered};
        let uri = json!(["https://app.example/cb"]);
        let two = json!(["https://app.example/cb", "https://other.example/cb"]);
        let vouched = Terms { vouched: true, ..TERMS };
        let pairwise = Terms { subject: SubjectType::Pairwise, ..TERMS };
        let mut table = String::new();
        for (source, terms, members) in [
            (Registered, TERMS, json!({ "redirect_uris": uri })),
            (Registered, TERMS, json!({ "redirect_uris": uri, "token_endpoint_auth_method": "none", "client_name": "App" })),
            (Registered, TERMS, json!({ "redirect_uris": uri, "token_endpoint_auth_method": "private_key_jwt" })),
            (
                Registered,
                TERMS,
                json!({ "redirect_uris": uri, "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://app.example/k" }),
            ),
            (Registered, TERMS, json!({})),
            (Registered, TERMS, json!({ "redirect_uris": uri, "grant_types": ["client_credentials"] })),
            (Registered, vouched, json!({ "grant_types": ["client_credentials"] })),
            (Registered, vouched, json!({ "grant_types": ["client_credentials"], "token_endpoint_auth_method": "none" })),
            (Registered, TERMS, json!({ "grant_types": ["refresh_token"] })),
            (Registered, TERMS, json!({ "grant_types": ["implicit"] })),
            (Registered, TERMS, json!({ "redirect_uris": uri, "grant_types": ["authorization_code", "client_credentials", "password"] })),
            (Registered, TERMS, json!({ "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"], "response_types": ["code"] })),
            (Registered, TERMS, json!({ "redirect_uris": uri, "response_types": [] })),
            (Registered, TERMS, json!({ "redirect_uris": two })),
            (Registered, TERMS, json!({ "redirect_uris": two, "subject_type": "pairwise" })),
            (Registered, pairwise, json!({ "redirect_uris": two })),
            (Registered, pairwise, json!({ "redirect_uris": two, "subject_type": "public" })),
            (
                Registered,
                TERMS,
                json!({ "redirect_uris": two, "subject_type": "pairwise", "sector_identifier_uri": "https://sector.example:1/list" }),
            ),
            (Document, TERMS, json!({ "redirect_uris": uri })),
            (Document, TERMS, json!({ "redirect_uris": two, "subject_type": "pairwise", "client_uri": "https://www.doc.example/" })),
            (Document, TERMS, json!({ "redirect_uris": uri, "token_endpoint_auth_method": "client_secret_basic" })),
            (
                Document,
                vouched,
                json!({ "redirect_uris": uri, "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://doc.example/k", "grant_types": ["authorization_code", "client_credentials"] }),
            ),
        ] {
            use std::fmt::Write as _;
            let _ = writeln!(
                table,
                "{} {} {members}\n    {}",
                source.as_str(),
                if terms.vouched { "vouched" } else { terms.subject.as_str() },
                words(&decide(source, &members, terms))
            );
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn who_let_itself_in_is_kept_for_a_while() {
        let members = json!({ "redirect_uris": ["https://app.example/cb"] });
        let until = |terms: Terms| decide(ClientSource::Registration, &members, terms).unwrap().unused_until;
        let unused = Some(Duration::from_hours(1));
        assert_eq!(until(Terms { unused, ..TERMS }), Some(Timestamp::from_seconds(3_601)));
        assert_eq!((until(TERMS), until(Terms { unused, vouched: true, ..TERMS })), (None, None));
    }

    #[test]
    fn a_sector_lists_every_redirect_uri() {
        let uris: Vec<RedirectUri> = vec!["https://a.example/cb".parse().unwrap(), "https://b.example/cb".parse().unwrap()];
        let check = |list: &str| check_sector(list.as_bytes(), &uris).map_err(|error| error.description.into_owned());
        assert_eq!(check(r#"["https://b.example/cb", "https://c.example/cb", "https://a.example/cb"]"#), Ok(()));
        assert!(check(r#"["https://a.example/cb"]"#).unwrap_err().ends_with("lacks redirect_uris[1]"));
        assert!(check(r#"["https://a.example/cb", "https://b.example/"]"#).unwrap_err().ends_with("lacks redirect_uris[1]"));
        for list in ["{}", "[1]", "\"https://a.example/cb\"", "", "[", &"[".repeat(10_000)] {
            assert!(check(list).unwrap_err().contains("no JSON array"), "{list}");
        }
    }
}
