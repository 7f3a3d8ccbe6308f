//! The bodies of the interfaces over grants and assets, as owners and their apps write them, read into types that cannot be wrong.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::ErrorCode;
use super::problem::Problem;
use crate::domain::{Address, AssetDid, ClientId, EventFilter, PermissionSet, Secret, Timestamp, Vocabulary};

/// Stands for all assets of an account, those of now and those that come later.
pub const ALL_ASSETS: &str = "all";

/// What is to be shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGrantRequest {
    /// `None`: all assets of whoever shares.
    pub asset: Option<AssetDid>,
    pub grantee: ClientId,
    pub permissions: PermissionSet,
    pub events: Vec<EventFilter>,
    pub effective_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    pub template: Option<String>,
}

/// What is to be different of a grant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantChangeRequest {
    pub permissions: Option<PermissionSet>,
    pub events: Option<Vec<EventFilter>>,
    pub expires_at: Option<Timestamp>,
}

impl NewGrantRequest {
    /// # Errors
    /// The member that is wrong.
    pub fn parse(body: &[u8], vocabulary: &Vocabulary) -> Result<Self, Problem> {
        let body: NewGrantBody = json(body)?;
        let grantee = body.grantee.parse().map_err(|reason| Problem::of("grantee", reason))?;
        let asset = if body.asset == ALL_ASSETS { None } else { Some(did("asset", &body.asset)?) };
        let template = match &body.template {
            Some(id) => Some(vocabulary.template(id).ok_or_else(|| Problem::of("template", "there is no such template"))?),
            None => None,
        };
        let given = body.permissions.map(|names| permissions(&names)).transpose()?;
        let permissions = match (given, template) {
            (Some(given), Some(template)) if given != template.permissions => {
                return Err(Problem::of("template", "it has other permissions than are named beside it; leave one of the two out"));
            }
            (Some(given), _) => given,
            (None, Some(template)) => template.permissions.clone(),
            (None, None) => PermissionSet::new(),
        };
        Ok(Self {
            asset,
            grantee,
            permissions,
            events: body.events.map(|events| filters(&events)).transpose()?.unwrap_or_default(),
            effective_at: body.effective_at.map(|text| moment("effective_at", &text)).transpose()?,
            expires_at: body.expires_at.map(|text| moment("expires_at", &text)).transpose()?,
            template: body.template,
        })
    }
}

impl GrantChangeRequest {
    /// # Errors
    /// The member that is wrong.
    pub fn parse(body: &[u8]) -> Result<Self, Problem> {
        let body: ChangeBody = json(body)?;
        if body.permissions.is_none() && body.events.is_none() && body.expires_at.is_none() {
            return Err(Problem::new(ErrorCode::InvalidRequest, "nothing is to be different: name permissions, events or expires_at"));
        }
        Ok(Self {
            permissions: body.permissions.map(|names| permissions(&names)).transpose()?,
            events: body.events.map(|events| filters(&events)).transpose()?,
            expires_at: body.expires_at.map(|text| moment("expires_at", &text)).transpose()?,
        })
    }
}

/// The new owner of an asset.
///
/// # Errors
/// The member that is wrong; `asset`, when it is another than the one of the path.
pub fn transfer(body: &[u8], asset: &AssetDid) -> Result<Address, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        to: String,
        asset: Option<String>,
    }
    let body: Body = json(body)?;
    if let Some(named) = body.asset
        && did("asset", &named)? != *asset
    {
        return Err(Problem::of("asset", "another than that of the address"));
    }
    let to: Address = body.to.parse().map_err(|reason| Problem::of("to", reason))?;
    if to.as_bytes() == &[0; 20] { Err(Problem::of("to", "nobody has the address of zeros")) } else { Ok(to) }
}

/// A claim code.
///
/// # Errors
/// The member that is wrong.
pub fn claim(body: &[u8]) -> Result<Secret, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        code: String,
    }
    let body: Body = json(body)?;
    if body.code.is_empty() || body.code.len() > 200 { Err(Problem::of("code", "not a claim code")) } else { Ok(Secret::new(body.code)) }
}

/// The name of an asset, as `member` has it.
///
/// # Errors
/// What is wrong with it.
pub fn did(member: &'static str, text: &str) -> Result<AssetDid, Problem> {
    text.parse().map_err(|reason| Problem::of(member, reason))
}

// A misspelt member would mean something else than what was meant: it is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewGrantBody {
    asset: String,
    grantee: String,
    permissions: Option<Vec<String>>,
    events: Option<Vec<serde_json::Value>>,
    effective_at: Option<String>,
    expires_at: Option<String>,
    template: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeBody {
    permissions: Option<Vec<String>>,
    events: Option<Vec<serde_json::Value>>,
    expires_at: Option<String>,
}

/// A body of JSON.
///
/// # Errors
/// When it is none, or not of this form.
// serde_json itself follows no more than 128 levels.
pub fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let not_so = |reason| Problem::new(ErrorCode::InvalidRequest, format!("the body is not the JSON object it should be: {reason}"));
    serde_json::from_slice(body).map_err(not_so)
}

fn permissions(names: &[String]) -> Result<PermissionSet, Problem> {
    PermissionSet::parse(names.iter().map(String::as_str)).map_err(|reason| Problem::of("permissions", reason))
}

fn filters(given: &[serde_json::Value]) -> Result<Vec<EventFilter>, Problem> {
    if given.len() > EventFilter::MOST {
        return Err(Problem::of("events", format_args!("there are more than {}", EventFilter::MOST)));
    }
    given.iter().map(|filter| serde::Deserialize::deserialize(filter).map_err(|reason| Problem::of("events", reason))).collect()
}

fn moment(member: &'static str, text: &str) -> Result<Timestamp, Problem> {
    Timestamp::parse_rfc3339(text).ok_or_else(|| Problem::of(member, "a moment is written like 2027-01-31T12:00:00Z (RFC 3339)"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const DID: &str = "did:erc721:137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF:7";

    fn new(body: &Value) -> Result<NewGrantRequest, (Option<&'static str>, String)> {
        NewGrantRequest::parse(body.to_string().as_bytes(), &Vocabulary::default())
            .map_err(|problem| (problem.member, problem.error.description.into_owned()))
    }

    #[test]
    fn what_is_wrong_is_named() {
        let with = |name: &str, value: Value| {
            let mut body = json!({ "asset": DID, "grantee": "app", "permissions": ["see"] });
            body[name] = value;
            body
        };
        assert!(new(&with("events", json!([{ "event_type": "a" }]))).is_ok());
        assert_eq!(new(&with("asset", json!("all"))).unwrap().asset, None);
        for (name, value, member) in [
            ("asset", json!("car"), Some("asset")),
            ("asset", json!(7), None),
            ("grantee", json!("a b"), Some("grantee")),
            ("permissions", json!(["a b"]), Some("permissions")),
            ("permissions", json!(vec!["a"; 10_000]), Some("permissions")),
            ("permissions", json!("see"), None),
            ("events", json!([{ "tag": [] }]), Some("events")),
            ("events", json!([[[[]]]]), Some("events")),
            ("events", json!(vec![json!({}); 33]), Some("events")),
            ("expires_at", json!("tomorrow"), Some("expires_at")),
            ("expires_at", json!(5), None),
            ("effective_at", json!("2026-13-01T00:00:00Z"), Some("effective_at")),
            ("template", json!("none"), Some("template")),
            ("permision", json!([]), None),
        ] {
            let (told, words) = new(&with(name, value.clone())).unwrap_err();
            assert_eq!(told, member, "{name} {value}: {words}");
        }
        assert!(GrantChangeRequest::parse(b"{}").is_err() && GrantChangeRequest::parse(br#"{"grantee":"a"}"#).is_err());
        assert!(GrantChangeRequest::parse(br#"{"events":[]}"#).is_ok());
    }

    #[test]
    fn the_asset_of_the_body_is_that_of_the_path() {
        let (path, to) = (DID.parse().unwrap(), "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
        let parse = |body: Value| transfer(body.to_string().as_bytes(), &path).map_err(|problem| problem.member);
        assert_eq!(parse(json!({ "to": to })).unwrap().to_string(), to);
        assert!(parse(json!({ "to": to, "asset": DID.to_lowercase() })).is_ok());
        assert_eq!(parse(json!({ "to": to, "asset": format!("{DID}1") })), Err(Some("asset")));
        assert_eq!(parse(json!({ "to": "0x1" })), Err(Some("to")));
        assert_eq!(parse(json!({ "to": format!("0x{}", "0".repeat(40)) })), Err(Some("to")));
        assert_eq!(parse(json!({ "to": to, "from": to })), Err(None));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,80}") {
            let _ = NewGrantRequest::parse(&bytes, &Vocabulary::default());
            let _ = new(&json!({ "asset": text, "grantee": text, "expires_at": text, "template": text }));
            let _ = GrantChangeRequest::parse(&bytes);
            let _ = claim(&bytes);
        }
    }
}
