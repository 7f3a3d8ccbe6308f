//! `authorization_details` (RFC 9396) of the one type that this server has, `asset_access`: in comes its JSON, out goes what an app wants to
//! do with whose assets, or the error that names the member which is wrong.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use super::error::{ErrorCode, OAuthError};
use crate::domain::{AssetDid, EventFilter, PermissionSet};

/// The types that are understood (RFC 9396 §10, `authorization_details_types_supported`).
pub const TYPES: &[&str] = &[ASSET_ACCESS];

const ASSET_ACCESS: &str = "asset_access";

/// The longest parameter, in bytes.
const LONGEST: usize = 32_768;
/// The most details of one request.
const MOST: usize = 8;
/// The most assets that one detail names, or lets a person pick.
const MOST_ASSETS: usize = 100;
/// The most words of one member of a filter.
const MOST_WORDS: usize = 20;
/// The longest purpose, in characters.
const LONGEST_PURPOSE: usize = 300;

/// What an app asks of the owner of assets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssetAccess {
    #[serde(rename = "type")]
    kind: Kind,
    pub assets: Assets,
    /// What it cannot do without.
    #[serde(default, skip_serializing_if = "PermissionSet::is_empty")]
    pub actions: PermissionSet,
    /// What it would like to have besides; the owner may leave it out.
    #[serde(default, skip_serializing_if = "PermissionSet::is_empty")]
    pub optional_actions: PermissionSet,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventFilter>,
    /// What for, in the app's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// For how many seconds from the grant on; `None`: as long as this server lets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u32>,
}

/// Which assets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assets {
    /// Each of these.
    These(Vec<AssetDid>),
    /// All that the owner has, now and later.
    All,
    /// As the owner picks.
    Pick(Pick),
}

/// What an owner may pick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pick {
    /// At least so many.
    pub min: usize,
    /// At most so many.
    pub max: usize,
    #[serde(skip_serializing_if = "Filter::is_empty")]
    pub filter: Filter,
}

/// Which of the owner's assets may be picked: each member that is there has to fit, by one of its words, whatever their case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Filter {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub make: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub model: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub powertrain: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub year: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    #[serde(rename = "asset_access")]
    AssetAccess,
}

impl AssetAccess {
    /// Access to these assets, as it is told in a response.
    #[must_use]
    pub fn to(assets: Assets, actions: PermissionSet, events: Vec<EventFilter>) -> Self {
        Self { kind: Kind::AssetAccess, assets, actions, optional_actions: PermissionSet::EMPTY, events, purpose: None, expires_in: None }
    }

    /// Reads the parameter; a request without it asks for nothing.
    ///
    /// # Errors
    /// `invalid_authorization_details` when it is no JSON array of that form, or too long or too much. RFC 9396 §5: "The AS MUST refuse to
    /// process any unknown authorization details type or authorization details not conforming to the respective type definition."
    pub fn parse(text: Option<&str>) -> Result<Vec<Self>, OAuthError> {
        let Some(text) = text else { return Ok(Vec::new()) };
        if text.len() > LONGEST {
            return Err(refuse(format!("authorization_details is longer than {LONGEST} bytes")));
        }
        let details: Vec<Value> = serde_json::from_str(text)
            .map_err(|_| refuse("authorization_details must be a JSON array of objects, each with a type (RFC 9396)".to_owned()))?;
        if details.is_empty() || details.len() > MOST {
            return Err(refuse(format!("authorization_details must have 1 to {MOST} members")));
        }
        details.into_iter().enumerate().map(|(place, detail)| one(place, detail)).collect()
    }

    /// All that it would like to do.
    #[must_use]
    pub fn wanted(&self) -> PermissionSet {
        self.actions.union(&self.optional_actions)
    }

    fn check(&self) -> Result<(), String> {
        if self.actions.is_empty() && self.optional_actions.is_empty() && self.events.is_empty() {
            return Err("asks for nothing: name actions, optional_actions or events".to_owned());
        }
        if self.events.len() > EventFilter::MOST {
            return Err(format!("has more than {} events", EventFilter::MOST));
        }
        if let Some(purpose) = &self.purpose {
            let fits = (1..=LONGEST_PURPOSE).contains(&purpose.chars().count()) && !purpose.chars().any(char::is_control);
            if !fits {
                return Err(format!("has a purpose that is not 1 to {LONGEST_PURPOSE} characters on one line"));
            }
        }
        if self.expires_in == Some(0) {
            return Err("has an expires_in of 0: leave it out, or give it seconds".to_owned());
        }
        match &self.assets {
            Assets::These(dids) if dids.is_empty() || dids.len() > MOST_ASSETS => {
                Err(format!("must name 1 to {MOST_ASSETS} assets, or \"all\", or {{\"pick\":…}}"))
            }
            Assets::Pick(pick) => pick.check(),
            Assets::These(_) | Assets::All => Ok(()),
        }
    }
}

fn one(place: usize, detail: Value) -> Result<AssetAccess, OAuthError> {
    let named = |what: String| refuse(format!("authorization_details[{place}] {what}"));
    if detail.get("type").and_then(Value::as_str) != Some(ASSET_ACCESS) {
        return Err(named(format!("must have the type {ASSET_ACCESS}")));
    }
    let mut access: AssetAccess = serde_json::from_value(detail).map_err(|reason| named(format!("is malformed: {reason}")))?;
    access.check().map_err(named)?;
    // What it cannot do without is not optional.
    access.optional_actions = access.optional_actions.difference(&access.actions);
    if let Assets::These(dids) = &mut access.assets {
        let mut seen = std::collections::HashSet::new();
        dids.retain(|did| seen.insert(*did));
    }
    Ok(access)
}

impl Pick {
    fn check(&self) -> Result<(), String> {
        if self.min == 0 || self.min > self.max || self.max > MOST_ASSETS {
            return Err(format!("has a pick whose min and max are not 1 to {MOST_ASSETS} with min at most max"));
        }
        let words = [&self.filter.make, &self.filter.model, &self.filter.powertrain];
        let fits = |word: &String| (1..=100).contains(&word.chars().count()) && !word.chars().any(char::is_control);
        if words.iter().any(|words| words.len() > MOST_WORDS || !words.iter().all(fits)) {
            return Err(format!("has a filter with more than {MOST_WORDS} words in a member, or a word that is not 1 to 100 characters"));
        }
        Ok(())
    }
}

impl Default for Pick {
    fn default() -> Self {
        Self { min: 1, max: MOST_ASSETS, filter: Filter::default() }
    }
}

impl Filter {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Serialize for Assets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Picked<'a> {
            pick: &'a Pick,
        }
        match self {
            Self::These(dids) => dids.serialize(serializer),
            Self::All => serializer.serialize_str("all"),
            Self::Pick(pick) => Picked { pick }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Assets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Picked {
            pick: Pick,
        }
        match Value::deserialize(deserializer)? {
            Value::String(word) if word == "all" => Ok(Self::All),
            dids @ Value::Array(_) => serde_json::from_value(dids).map(Self::These).map_err(de::Error::custom),
            pick @ Value::Object(_) => serde_json::from_value(pick).map(|Picked { pick }| Self::Pick(pick)).map_err(de::Error::custom),
            _ => Err(de::Error::custom("assets must be an array of DIDs, \"all\", or {\"pick\":{\"min\",\"max\",\"filter\"}}")),
        }
    }
}

fn refuse(description: String) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidAuthorizationDetails, description)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const DID: &str = "did:erc721:137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF:7";

    fn read(value: &Value) -> Result<Vec<AssetAccess>, OAuthError> {
        AssetAccess::parse(Some(&value.to_string()))
    }

    #[test]
    fn each_form_is_read_and_comes_back_as_it_was() {
        for assets in
            [json!([DID]), json!("all"), json!({"pick": {"min": 1, "max": 5, "filter": {"make": ["Ford"], "powertrain": ["BEV"]}}})]
        {
            let asked = json!([{
                "type": "asset_access", "assets": assets,
                "actions": ["privilege:GetLocationHistory"], "optional_actions": ["privilege:ExecuteCommands"],
                "events": [{"event_type": "*", "source": "*", "ids": ["*"], "tags": ["*"]}],
                "purpose": "To insure you by the mile", "expires_in": 7_776_000
            }]);
            let read = read(&asked).unwrap();
            assert_eq!(serde_json::to_value(&read).unwrap(), asked);
        }
        assert_eq!(AssetAccess::parse(None), Ok(vec![]));
    }

    #[test]
    fn what_is_required_is_not_optional_and_each_asset_counts_once() {
        let asked =
            json!([{"type": "asset_access", "assets": [DID, DID.to_lowercase()], "actions": ["a"], "optional_actions": ["a", "b"]}]);
        let read = read(&asked).unwrap();
        assert_eq!(read[0].assets, Assets::These(vec![DID.parse().unwrap()]));
        assert_eq!((read[0].optional_actions.names(), read[0].wanted().names()), (vec!["b"], vec!["a", "b"]));
    }

    #[test]
    fn what_is_not_of_the_form_is_refused_and_named() {
        let base = json!({"type": "asset_access", "assets": "all", "actions": ["a"]});
        let with = |name: &str, value: Value| {
            let mut detail = base.clone();
            detail[name] = value;
            json!([detail])
        };
        for (bad, word) in [
            (json!({}), "array"),
            (json!([]), "1 to 8"),
            (Value::Array(vec![base.clone(); 9]), "1 to 8"),
            (json!([{"assets": "all"}]), "type"),
            (with("type", json!("payment")), "type"),
            (with("colour", json!(1)), "colour"),
            (with("assets", json!("some")), "assets"),
            (with("assets", json!([])), "1 to 100"),
            (with("assets", json!(["did:erc721:137:0x0:1"])), "malformed"),
            (with("assets", json!({"pick": {"min": 3, "max": 2}})), "pick"),
            (with("assets", json!({"pick": {"min": 0, "max": 2}})), "pick"),
            (with("assets", json!({"pick": {"filter": {"colour": ["red"]}}})), "colour"),
            (with("assets", json!({"pick": {"filter": {"make": [""]}}})), "filter"),
            (with("actions", json!("a")), "malformed"),
            (with("actions", json!([])), "nothing"),
            (with("actions", json!(["no space allowed"])), "permission"),
            (with("events", json!([{"ids": []}])), "ids"),
            (with("purpose", json!("two\nlines")), "purpose"),
            (with("purpose", json!("x".repeat(301))), "purpose"),
            (with("expires_in", json!(0)), "expires_in"),
            (with("expires_in", json!(-1)), "malformed"),
        ] {
            let error = read(&bad).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidAuthorizationDetails, "{bad}");
            assert!(error.description.contains(word), "{bad}: {}", error.description);
        }
        assert!(AssetAccess::parse(Some(&format!("[{}]", " ".repeat(LONGEST)))).is_err());
        assert!(AssetAccess::parse(Some(&"[".repeat(10_000))).is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = AssetAccess::parse(Some(&text));
        }
    }
}
