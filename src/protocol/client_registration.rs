//! What an app registers of itself (RFC 7591 §2, OpenID Connect Registration §2), read from JSON: each member is checked alone, and
//! what comes out can be acted on without looking again. Whether the app may have it is for `policy::registration`.
//!
//! Members that this server does not know are ignored, as both standards want it. What it knows and does not do is refused where the
//! app would believe that it is done (encryption, proofs of possession), and ignored where the app will notice at once.

mod keys;
mod members;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::error::{ErrorCode, OAuthError};
use crate::domain::{AuthMethod, ClientMetadata, GrantType, RedirectUri, SigningAlg};
use members::{Members, wrong};

pub use members::{LONGEST_DOCUMENT, object};

/// What an app registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Each once; maybe none.
    pub redirect_uris: Vec<RedirectUri>,
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    pub client_name: Option<String>,
    /// `None`: it was not said.
    pub auth_method: Option<AuthMethod>,
    /// `None`: it was not said.
    pub grant_types: Option<BTreeSet<GrantType>>,
    /// Whether a response type was named; the only one is `code`.
    pub response_types: Option<bool>,
    /// Whether it wants pairwise subjects; `None`: it was not said.
    pub pairwise: Option<bool>,
    pub signing_alg: SigningAlg,
    pub backchannel_logout_uri: Option<String>,
    /// All else; `grant_types` in it is for the policy to write.
    pub metadata: ClientMetadata,
}

const ALGORITHMS: &str = "one of RS256, ES256, PS256 and EdDSA";

impl Registration {
    /// Reads an app's metadata.
    ///
    /// # Errors
    /// `invalid_redirect_uri`, `invalid_client_metadata` or `unapproved_software_statement`, with the member's name and what was expected.
    pub fn read(object: &Map<String, Value>) -> Result<Self, OAuthError> {
        let members = Members::of(object);
        refuse_what_is_not_done(&members)?;
        let metadata = ClientMetadata {
            scope: match members.text("scope", 2_000)? {
                Some(text) => Some(text.parse().map_err(|reason| wrong(format!("{reason}")))?),
                None => None,
            },
            client_uri: members.page("client_uri")?,
            logo_uri: members.address("logo_uri")?,
            policy_uri: members.page("policy_uri")?,
            tos_uri: members.page("tos_uri")?,
            contacts: members.texts("contacts", 10, 320)?.unwrap_or_default(),
            jwks: members.value("jwks").map(keys::public_only).transpose()?,
            jwks_uri: members.address("jwks_uri")?,
            token_endpoint_auth_signing_alg: members.word("token_endpoint_auth_signing_alg", ALGORITHMS)?,
            userinfo_signed_response_alg: members.word("userinfo_signed_response_alg", ALGORITHMS)?,
            sector_identifier_uri: members.address("sector_identifier_uri")?,
            default_max_age: members.seconds("default_max_age")?,
            require_auth_time: members.flag("require_auth_time")?,
            default_acr_values: members.texts("default_acr_values", 10, 200)?.unwrap_or_default(),
            initiate_login_uri: members.address("initiate_login_uri")?,
            backchannel_logout_session_required: members.flag("backchannel_logout_session_required")?,
            require_pushed_authorization_requests: members.flag("require_pushed_authorization_requests")?,
            application_type: application_type(&members)?,
            software_id: members.text("software_id", 200)?.map(str::to_owned),
            software_version: members.text("software_version", 200)?.map(str::to_owned),
            localized: localized(&members)?,
            ..ClientMetadata::default()
        };
        // RFC 7591 §2: "The "jwks_uri" and "jwks" parameters MUST NOT both be present in the same request or response."
        if metadata.jwks.is_some() && metadata.jwks_uri.is_some() {
            return Err(wrong("jwks and jwks_uri are both given; give the keys in one of them"));
        }
        let redirect_uris = members.redirect_uris("redirect_uris")?;
        check_application(metadata.application_type.as_deref(), &redirect_uris)?;
        Ok(Self {
            redirect_uris,
            post_logout_redirect_uris: members.redirect_uris("post_logout_redirect_uris")?,
            client_name: members.text("client_name", 200)?.map(str::to_owned),
            auth_method: auth_method(&members)?,
            grant_types: grant_types(&members)?,
            response_types: response_types(&members)?,
            pairwise: match members.text("subject_type", 20)? {
                None => None,
                Some("pairwise") => Some(true),
                Some("public") => Some(false),
                Some(_) => return Err(wrong("subject_type must be public or pairwise")),
            },
            // OpenID Connect Registration §2: "The default, if omitted, is RS256." Refused with it is `none`.
            signing_alg: members.word("id_token_signed_response_alg", ALGORITHMS)?.unwrap_or(SigningAlg::Rs256),
            backchannel_logout_uri: members.address("backchannel_logout_uri")?,
            metadata,
        })
    }
}

// What the app would take for granted and not have.
fn refuse_what_is_not_done(members: &Members) -> Result<(), OAuthError> {
    // RFC 7591 §3.2.2: "The software statement presented is not approved for use by this authorization server."
    if members.value("software_statement").is_some() {
        return Err(OAuthError::new(
            ErrorCode::UnapprovedSoftwareStatement,
            "software_statement: this server trusts no issuer of software statements; send the metadata themselves",
        ));
    }
    for name in [
        "id_token_encrypted_response_alg",
        "id_token_encrypted_response_enc",
        "userinfo_encrypted_response_alg",
        "userinfo_encrypted_response_enc",
        "introspection_encrypted_response_alg",
        "introspection_encrypted_response_enc",
        "introspection_signed_response_alg",
    ] {
        if members.value(name).is_some() {
            return Err(wrong(format!("{name} is not supported: leave it out; discovery lists what this server can do")));
        }
    }
    for name in ["dpop_bound_access_tokens", "tls_client_certificate_bound_access_tokens", "require_signed_request_object"] {
        if members.flag(name)? {
            return Err(wrong(format!("{name} cannot be true here: access tokens are bearer tokens, and request objects are not read")));
        }
    }
    Ok(())
}

fn application_type(members: &Members) -> Result<Option<String>, OAuthError> {
    match members.text("application_type", 20)? {
        None => Ok(None),
        Some(kind @ ("web" | "native")) => Ok(Some(kind.to_owned())),
        Some(_) => Err(wrong("application_type must be web or native")),
    }
}

// OpenID Connect Registration §2: native clients "MUST only register redirect_uris using custom URI schemes or loopback URLs using the
// http scheme"; a claimed https address (RFC 8252 §7.2) came later. A web client has no scheme of its own.
fn check_application(application_type: Option<&str>, redirect_uris: &[RedirectUri]) -> Result<(), OAuthError> {
    let of_the_web = |uri: &RedirectUri| uri.as_str().starts_with("https:") || uri.as_str().starts_with("http:");
    match redirect_uris.iter().position(|uri| !of_the_web(uri)) {
        Some(place) if application_type == Some("web") => Err(OAuthError::new(
            ErrorCode::InvalidRedirectUri,
            format!("redirect_uris[{place}] has a scheme of its own; that is for application_type native"),
        )),
        _ => Ok(()),
    }
}

fn auth_method(members: &Members) -> Result<Option<AuthMethod>, OAuthError> {
    const KNOWN: &str = "token_endpoint_auth_method must be none, client_secret_basic, client_secret_post or private_key_jwt";
    match members.text("token_endpoint_auth_method", 100)? {
        None => Ok(None),
        // Not a registered name: it is what the command line makes.
        Some("client_secret") => Err(wrong(KNOWN)),
        Some(word) => word.parse().map(Some).map_err(|_| wrong(KNOWN)),
    }
}

// RFC 7591 §2: the server may "replace any of the client's requested metadata values"; what it does not do is left out, and the answer
// says so.
fn grant_types(members: &Members) -> Result<Option<BTreeSet<GrantType>>, OAuthError> {
    let words = members.texts("grant_types", 20, 200)?;
    Ok(words.map(|words| words.iter().filter_map(|word| word.parse().ok()).collect()))
}

fn response_types(members: &Members) -> Result<Option<bool>, OAuthError> {
    let words = members.texts("response_types", 20, 200)?;
    match words.as_ref().and_then(|words| words.iter().find(|word| *word != "code")) {
        Some(_) => Err(wrong("response_types must be [code]: other responses carry tokens through the browser, and this server has none")),
        None => Ok(words.map(|words| !words.is_empty())),
    }
}

// RFC 7591 §2.2: "a human-readable name … can be represented in different languages": `client_name#de`.
fn localized(members: &Members) -> Result<BTreeMap<String, String>, OAuthError> {
    const MOST: usize = 50;
    let mut kept = BTreeMap::new();
    for (name, base, tag) in members.in_languages() {
        let value = match base {
            "client_name" => members.text(name, 200)?.map(str::to_owned),
            "client_uri" | "policy_uri" | "tos_uri" => members.page(name)?,
            "logo_uri" => members.address(name)?,
            _ => continue,
        };
        // RFC 5646 §2.1: subtags of letters and digits.
        let is_tag =
            tag.len() <= 35 && tag.split('-').all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
        if !is_tag {
            return Err(wrong(format!("{base}# is followed by what is no language tag (RFC 5646), like {base}#de")));
        }
        kept.extend(value.map(|value| (name.to_owned(), value)));
        if kept.len() > MOST {
            return Err(wrong(format!("there are more than {MOST} members in a language")));
        }
    }
    Ok(kept)
}
