//! The request of a token exchange at `/token` (RFC 8693 §2.1), for an asset: whose token is exchanged, for which asset, for what of it.

use super::asset_exchange::{MOST_AUDIENCES, check_known};
use super::authorization_details::{AssetAccess, Assets};
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
        let (named, audience) = target(params)?;
        let (asset, permissions, events) = match (detail(params)?, params.get("scope")?) {
            (Some(_), Some(_)) => return Err(wrong("scope and authorization_details say the same thing: send one of them")),
            (Some((asset, detail)), None) => {
                if named.is_some_and(|named| named != asset) {
                    return Err(OAuthError::new(ErrorCode::InvalidTarget, "resource names another asset than authorization_details"));
                }
                let refuse = |error: OAuthError| OAuthError { code: ErrorCode::InvalidAuthorizationDetails, ..error };
                check_known(&asset, &detail.actions, vocabulary).map_err(refuse)?;
                (asset, detail.actions, detail.events)
            }
            (None, scope) => {
                let asset = named.ok_or_else(|| OAuthError::new(ErrorCode::InvalidTarget, "resource must name the asset, by its DID"))?;
                let refuse = |words: String| OAuthError::new(ErrorCode::InvalidScope, words);
                let scope = scope.ok_or_else(|| refuse("nothing is asked for: name permissions, as scope".to_owned()))?;
                let permissions: PermissionSet = scope.parse().map_err(|reason| refuse(format!("scope: {reason}")))?;
                check_known(&asset, &permissions, vocabulary).map_err(|error| OAuthError { code: ErrorCode::InvalidScope, ..error })?;
                (asset, permissions, Vec::new())
            }
        };
        if permissions.is_empty() && events.is_empty() {
            return Err(wrong("nothing is asked for: name permissions or events"));
        }
        Ok(Self { subject_token, actor_token, issued_token_type, asset, permissions, events, audience })
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
fn target(params: &Params) -> Result<(Option<AssetDid>, Vec<String>), OAuthError> {
    let refuse = |words: String| Err(OAuthError::new(ErrorCode::InvalidTarget, words));
    let (assets, places): (Vec<&str>, Vec<&str>) = params.all("resource")?.into_iter().partition(|uri| uri.starts_with("did:"));
    let asset = match assets[..] {
        [text] => match text.parse() {
            Ok(asset) => Some(asset),
            Err(reason) => return refuse(format!("resource: {reason}")),
        },
        [] => None,
        _ => return refuse("resource names several assets; a token is for one".to_owned()),
    };
    let audience: Vec<String> = params.all("audience")?.into_iter().chain(places).map(str::to_owned).collect();
    if audience.len() > MOST_AUDIENCES {
        return refuse(format!("audience and resource name more than {MOST_AUDIENCES}"));
    }
    Ok((asset, audience))
}

// RFC 9396 §6: a token request says by it what of that which was granted the token is for. Here that is one asset, and nothing optional: who
// wants a part asks for that part.
fn detail(params: &Params) -> Result<Option<(AssetDid, AssetAccess)>, OAuthError> {
    let mut details = AssetAccess::parse(params.get("authorization_details")?)?;
    let refuse = |words: &'static str| Err(OAuthError::new(ErrorCode::InvalidAuthorizationDetails, words));
    let detail = match (details.pop(), details.is_empty()) {
        (None, _) => return Ok(None),
        (Some(detail), true) => detail,
        (Some(_), false) => return refuse("authorization_details has several members; a token is for one"),
    };
    match &detail.assets {
        Assets::These(assets) => match assets[..] {
            [asset] if detail.optional_actions.is_empty() => Ok(Some((asset, detail))),
            [_] => refuse("authorization_details[0] has optional_actions, which an exchange has no use for"),
            _ => refuse("authorization_details[0] names several assets; a token is for one"),
        },
        Assets::All | Assets::Pick(_) => refuse("authorization_details[0] must name its asset, by its DID; a token is for one"),
    }
}

fn wrong(description: impl Into<std::borrow::Cow<'static, str>>) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, description)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{AssetMethod, PermissionIcon, PermissionTerm, Risk};

    const DID: &str = "did:erc721:137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF:7";
    const OTHER: &str = "did:erc721:137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF:8";

    fn parse(pairs: &[(&str, &str)]) -> Result<TokenExchange, ErrorCode> {
        let mut vocabulary = Vocabulary::default();
        let (name, id) = ("see".parse().unwrap(), 1.try_into().unwrap());
        let (title, sentence, method) = (String::new(), String::new(), AssetMethod::Erc721);
        vocabulary.add(PermissionTerm { name, id, method, title, sentence, risk: Risk::Low, icon: PermissionIcon::Live }).unwrap();
        let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        TokenExchange::parse(&Params::decode(&text), &vocabulary).map_err(|error| error.code)
    }

    const TOKEN: [(&str, &str); 2] = [("subject_token", "s"), ("subject_token_type", ACCESS_TOKEN)];

    fn with(more: &[(&str, &str)]) -> Result<TokenExchange, ErrorCode> {
        parse(&[&TOKEN[..], more].concat())
    }

    #[test]
    fn an_asset_is_named_by_resource_or_by_details() {
        let request = with(&[("resource", DID), ("resource", "https://api.example"), ("audience", "dimo.zone"), ("scope", "see")]).unwrap();
        assert_eq!((request.asset.to_string().as_str(), request.permissions.names()), (DID, vec!["see"]));
        assert_eq!(
            (request.audience, request.issued_token_type, request.actor_token),
            (vec!["dimo.zone".into(), "https://api.example".into()], ACCESS_TOKEN, None)
        );
        let details = json!([{ "type": "asset_access", "assets": [DID], "actions": ["see"], "events": [{}] }]).to_string();
        for named in [&[][..], &[("resource", DID)]] {
            let request = with(&[&[("authorization_details", details.as_str()), ("requested_token_type", JWT)], named].concat()).unwrap();
            assert_eq!(
                (request.asset.to_string().as_str(), request.events, request.issued_token_type),
                (DID, vec![EventFilter::any()], JWT)
            );
        }
        let acting = with(&[("resource", DID), ("scope", "see"), ("actor_token", "a"), ("actor_token_type", JWT)]).unwrap();
        assert_eq!(acting.actor_token.as_deref(), Some("a"));
    }

    #[test]
    fn each_refusal_has_the_error_of_the_standard() {
        use ErrorCode::{InvalidAuthorizationDetails, InvalidRequest, InvalidScope, InvalidTarget};
        let (asset, see) = (("resource", DID), ("scope", "see"));
        let details = |value: serde_json::Value| value.to_string();
        let of = |assets: serde_json::Value| details(json!([{ "type": "asset_access", "assets": assets, "actions": ["see"] }]));
        let one = of(json!([DID]));
        let optional = details(json!([{ "type": "asset_access", "assets": [DID], "actions": ["see"], "optional_actions": ["x"] }]));
        let twice = details(
            json!([{ "type": "asset_access", "assets": [DID], "actions": ["see"] }, { "type": "asset_access", "assets": [OTHER], "actions": ["see"] }]),
        );
        let strange = details(json!([{ "type": "asset_access", "assets": [DID], "actions": ["fly"] }]));
        let (all, several) = (of(json!("all")), of(json!([DID, OTHER])));
        for (more, code) in [
            (vec![see], InvalidTarget),
            (vec![asset], InvalidScope),
            (vec![("resource", "did:erc721:137:x:7"), see], InvalidTarget),
            (vec![asset, ("resource", OTHER), see], InvalidTarget),
            (vec![asset, ("scope", "fly")], InvalidScope),
            (vec![asset, ("scope", "\"")], InvalidScope),
            (vec![asset, see, ("actor_token", "a")], InvalidRequest),
            (vec![asset, see, ("actor_token_type", JWT)], InvalidRequest),
            (vec![asset, see, ("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token")], InvalidRequest),
            (vec![asset, see, ("authorization_details", &one)], InvalidRequest),
            (vec![("resource", OTHER), ("authorization_details", &one)], InvalidTarget),
            (vec![("authorization_details", &all)], InvalidAuthorizationDetails),
            (vec![("authorization_details", &several)], InvalidAuthorizationDetails),
            (vec![("authorization_details", &optional)], InvalidAuthorizationDetails),
            (vec![("authorization_details", &twice)], InvalidAuthorizationDetails),
            (vec![("authorization_details", &strange)], InvalidAuthorizationDetails),
            (vec![("authorization_details", "[")], InvalidAuthorizationDetails),
        ] {
            assert_eq!(with(&more).map(|_| ()), Err(code), "{more:?}");
        }
        for lacking in [vec![("subject_token", "s"), asset, see], vec![("subject_token_type", JWT), asset, see]] {
            assert_eq!(parse(&lacking).map(|_| ()), Err(InvalidRequest));
        }
        let refresh = "urn:ietf:params:oauth:token-type:refresh_token";
        assert_eq!(parse(&[("subject_token", "s"), ("subject_token_type", refresh), asset, see]).map(|_| ()), Err(InvalidRequest));
    }
}
