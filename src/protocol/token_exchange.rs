//! The request of a token exchange at `/token` (RFC 8693 §2.1), for an asset: whose token is exchanged, for which asset, for what of it.

use super::asset_exchange::{MOST_AUDIENCES, check_known};
use super::error::{ErrorCode, OAuthError};
use super::params::Params;
use crate::domain::{AssetDid, EventFilter, PermissionSet, Vocabulary};

/// RFC 8693 §3.
pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// A request in these terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenExchange {
    pub subject_token: String,
    /// Who acts for the subject, where that is somebody else.
    pub actor_token: Option<String>,
    /// What the answer calls its token; ours are both.
    pub issued_token_type: &'static str,
    pub asset: AssetDid,
    pub permissions: PermissionSet,
    pub events: Vec<EventFilter>,
    /// Empty: it names none.
    pub audience: Vec<String>,
}

impl TokenExchange {
    /// # Errors
    /// `invalid_request`, `invalid_target` or `invalid_scope`, with what is wrong.
    pub fn parse(params: &Params, vocabulary: &Vocabulary) -> Result<Self, OAuthError> {
        let subject_token = params.need("subject_token")?.to_owned();
        token_type("subject_token_type", params.need("subject_token_type")?)?;
        let actor_token = match (params.get("actor_token")?, params.get("actor_token_type")?) {
            (None, None) => None,
            (Some(token), Some(kind)) => {
                token_type("actor_token_type", kind)?;
                Some(token.to_owned())
            }
            // RFC 8693 §2.1: actor_token_type "is REQUIRED when the "actor_token" parameter is present in the request but MUST NOT be
            // included otherwise."
            (Some(_), None) => return Err(wrong("actor_token_type is missing beside actor_token")),
            (None, Some(_)) => return Err(wrong("actor_token_type has no actor_token beside it")),
        };
        let issued_token_type = match params.get("requested_token_type")? {
            None => ACCESS_TOKEN,
            Some(kind) => token_type("requested_token_type", kind)?,
        };
        let (asset, audience) = target(params)?;
        let permissions = match params.get("scope")? {
            None => PermissionSet::new(),
            Some(text) => text.parse().map_err(|reason| OAuthError::new(ErrorCode::InvalidScope, format!("scope: {reason}")))?,
        };
        check_known(&asset, &permissions, vocabulary).map_err(|error| OAuthError { code: ErrorCode::InvalidScope, ..error })?;
        if permissions.is_empty() {
            return Err(wrong("nothing is asked for: name permissions, as scope"));
        }
        Ok(Self { subject_token, actor_token, issued_token_type, asset, permissions, events: Vec::new(), audience })
    }
}

fn token_type(name: &'static str, kind: &str) -> Result<&'static str, OAuthError> {
    match kind {
        ACCESS_TOKEN => Ok(ACCESS_TOKEN),
        JWT => Ok(JWT),
        _ => Err(wrong(format!("{name} must be {ACCESS_TOKEN} or {JWT}"))),
    }
}

// RFC 8693 §2.1: `resource` is a URI of the target, `audience` its logical name. An asset is named by its DID, which is a URI; any other
// says for whom the token is to be.
fn target(params: &Params) -> Result<(AssetDid, Vec<String>), OAuthError> {
    let refuse = |words: String| Err(OAuthError::new(ErrorCode::InvalidTarget, words));
    let (assets, places): (Vec<&str>, Vec<&str>) = params.all("resource")?.into_iter().partition(|uri| uri.starts_with("did:"));
    let asset = match assets[..] {
        [text] => match text.parse() {
            Ok(asset) => asset,
            Err(reason) => return refuse(format!("resource: {reason}")),
        },
        [] => return refuse("resource must name the asset, by its DID".to_owned()),
        _ => return refuse("resource names several assets; a token is for one".to_owned()),
    };
    let audience: Vec<String> = params.all("audience")?.into_iter().chain(places).map(str::to_owned).collect();
    if audience.len() > MOST_AUDIENCES {
        return refuse(format!("audience and resource name more than {MOST_AUDIENCES}"));
    }
    Ok((asset, audience))
}

fn wrong(description: impl Into<std::borrow::Cow<'static, str>>) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, description)
}
