//! The `claims` parameter (OpenID Connect Core §5.5): in comes its JSON, out goes what is asked for by name and can be answered here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::{ErrorCode, OAuthError};
use super::standard_claims::StandardClaim;
use crate::domain::Scope;

/// What is asked for by name, of each place only the claims that this server knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimsRequest {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub userinfo: BTreeMap<String, Ask>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub id_token: BTreeMap<String, Ask>,
}

/// How a claim is asked for (Core §5.5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ask {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub essential: bool,
    /// The values that are wanted, the one of `value` first; `None`: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<Value>>,
}

/// The longest parameter, in bytes.
const LONGEST: usize = 4_096;
/// How deep its JSON may be: two members, a claim, its values, and a value that is an object.
const DEEPEST: usize = 6;
/// The most claims of one place, and the most values of one claim.
const MOST: usize = 50;

// What can be asked for by name besides the claims about a person.
const OF_THE_SIGN_IN: [&str; 3] = ["sub", "acr", "auth_time"];

impl ClaimsRequest {
    /// Reads the parameter. Core §5.5: "Any members used that are not understood MUST be ignored."
    ///
    /// # Errors
    /// `invalid_request` when it is no JSON object of that form, or too long, too deep or too much.
    pub fn parse(text: &str) -> Result<Self, OAuthError> {
        if text.len() > LONGEST {
            return Err(malformed("claims is longer than 4096 bytes"));
        }
        let parsed: Value = serde_json::from_str(text).map_err(|_| malformed("claims must be a JSON object (OpenID Connect Core 5.5)"))?;
        if !is_plain(&parsed, DEEPEST) {
            return Err(malformed("claims is nested too deeply, or holds a NUL character"));
        }
        let Value::Object(members) = parsed else { return Err(malformed("claims must be a JSON object (OpenID Connect Core 5.5)")) };
        Ok(Self { userinfo: place(&members, "userinfo")?, id_token: place(&members, "id_token")? })
    }

    /// What was stored with a code or a refresh token.
    #[must_use]
    pub fn stored(claims: Option<&Value>) -> Self {
        claims.and_then(|claims| Self::deserialize(claims).ok()).unwrap_or_default()
    }

    /// How it is stored; `None` when nothing is asked for.
    #[must_use]
    pub fn to_stored(&self) -> Option<Value> {
        if *self == Self::default() { None } else { serde_json::to_value(self).ok() }
    }

    /// The scopes that the claims about a person belong to: asking for a claim by name needs the same consent as its scope.
    #[must_use]
    pub fn scope(&self) -> Scope {
        let scopes =
            self.userinfo.keys().chain(self.id_token.keys()).filter_map(|name| StandardClaim::named(name)).map(StandardClaim::scope);
        Scope::of(scopes)
    }

    /// Without the claims about a person that lie outside of `scope`.
    #[must_use]
    pub fn within(mut self, scope: &Scope) -> Self {
        let admitted = |name: &String, _: &mut Ask| StandardClaim::named(name).is_none_or(|claim| scope.contains(claim.scope()));
        self.userinfo.retain(admitted);
        self.id_token.retain(admitted);
        self
    }

    /// What is left of it for a token that holds only `held` of the scope that was granted: a claim of a scope that the token gave up is
    /// none of its affair, by name neither. A claim that was asked for by name alone stays.
    // RFC 6749 §6: a refresh may ask for less than "the scope … originally granted by the resource owner".
    #[must_use]
    pub fn narrowed(mut self, granted: &Scope, held: &Scope) -> Self {
        let kept = |name: &String, _: &mut Ask| {
            StandardClaim::named(name).map(StandardClaim::scope).is_none_or(|scope| held.contains(scope) || !granted.contains(scope))
        };
        self.userinfo.retain(kept);
        self.id_token.retain(kept);
        self
    }

    /// Whether the person of that `sub` is one whom the request admits.
    // Core §5.5.1: "the Authorization Server MUST only send a positive response if the End-User identified by that sub value has an
    // active session with the Authorization Server or has been authenticated as a result of the request."
    #[must_use]
    pub fn admits_subject(&self, sub: &str) -> bool {
        [&self.userinfo, &self.id_token].into_iter().filter_map(|place| place.get("sub")).all(|ask| ask.admits(&Value::from(sub)))
    }

    /// Whether the request names the person it is about.
    #[must_use]
    pub fn names_subject(&self) -> bool {
        [&self.userinfo, &self.id_token].into_iter().filter_map(|place| place.get("sub")).any(|ask| ask.values.is_some())
    }

    /// The `acr` values of which one must be met, when they are essential.
    // Core §5.5.1.1: "the Authorization Server MUST return an acr Claim Value that matches one of the requested values."
    #[must_use]
    pub fn required_acr(&self) -> Option<Vec<&str>> {
        let ask = self.id_token.get("acr").filter(|ask| ask.essential)?;
        Some(texts(ask.values.as_deref()?))
    }

    /// The `acr` values that are preferred, and never fail.
    #[must_use]
    pub fn preferred_acr(&self) -> Vec<&str> {
        let ask = self.id_token.get("acr").filter(|ask| !ask.essential);
        ask.and_then(|ask| ask.values.as_deref()).map(texts).unwrap_or_default()
    }
}

impl Ask {
    /// Whether this value is one that is wanted.
    #[must_use]
    pub fn admits(&self, value: &Value) -> bool {
        self.values.as_ref().is_none_or(|values| values.contains(value))
    }
}

fn texts(values: &[Value]) -> Vec<&str> {
    values.iter().filter_map(Value::as_str).collect()
}

fn place(members: &Map<String, Value>, name: &'static str) -> Result<BTreeMap<String, Ask>, OAuthError> {
    let claims = match members.get(name) {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::Object(claims)) if claims.len() <= MOST => claims,
        Some(Value::Object(_)) => return Err(malformed(format!("claims: {name} asks for more than 50 claims"))),
        Some(_) => return Err(malformed(format!("claims: {name} must be an object whose members are claims"))),
    };
    let mut asked = BTreeMap::new();
    for (claim, how) in claims {
        let ask = ask(how).map_err(|problem| malformed(format!("claims: {name}: {problem}")))?;
        // Core §5.5: what is not understood is ignored; it is not even kept.
        if OF_THE_SIGN_IN.contains(&claim.as_str()) || StandardClaim::named(claim).is_some() {
            asked.insert(claim.clone(), ask);
        }
    }
    Ok(asked)
}

fn ask(how: &Value) -> Result<Ask, &'static str> {
    let members = match how {
        Value::Null => return Ok(Ask::default()),
        Value::Object(members) => members,
        _ => return Err("each claim is null, or an object with essential, value or values"),
    };
    let essential = match members.get("essential") {
        None => false,
        Some(Value::Bool(essential)) => *essential,
        Some(_) => return Err("essential must be true or false"),
    };
    let mut wanted: Option<Vec<Value>> = members.get("value").filter(|value| !value.is_null()).map(|value| vec![value.clone()]);
    match members.get("values") {
        None | Some(Value::Null) => {}
        Some(Value::Array(values)) if values.len() <= MOST => wanted.get_or_insert_default().extend(values.iter().cloned()),
        Some(Value::Array(_)) => return Err("values holds more than 50"),
        Some(_) => return Err("values must be an array"),
    }
    Ok(Ask { essential, values: wanted })
}

// Not every database can hold a NUL. The parser follows 128 levels at most, so this ends.
fn is_plain(value: &Value, depth: usize) -> bool {
    match value {
        Value::String(text) => !text.contains('\0'),
        Value::Array(values) => depth > 0 && values.iter().all(|value| is_plain(value, depth - 1)),
        Value::Object(members) => depth > 0 && members.iter().all(|(name, value)| !name.contains('\0') && is_plain(value, depth - 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

fn malformed(description: impl Into<std::borrow::Cow<'static, str>>) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, description)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_example_of_the_standard_is_read() {
        // Core §5.5, shortened, with what nobody here knows.
        let text = json!({
            "userinfo": {"given_name": {"essential": true}, "nickname": null, "picture": null, "http://example.info/claims/groups": null},
            "id_token": {"auth_time": {"essential": true}, "acr": {"values": ["urn:mace:incommon:iap:silver"]}, "name#de": null},
            "verified_claims": {"anything": [1]}
        });
        let request = ClaimsRequest::parse(&text.to_string()).unwrap();
        assert_eq!(request.userinfo.keys().collect::<Vec<_>>(), ["given_name", "nickname", "picture"]);
        assert_eq!(request.id_token.keys().collect::<Vec<_>>(), ["acr", "auth_time"]);
        assert!(request.userinfo["given_name"].essential && !request.userinfo["nickname"].essential);
        assert_eq!(request.scope().to_string(), "profile");
        assert_eq!((request.required_acr(), request.preferred_acr()), (None, vec!["urn:mace:incommon:iap:silver"]));
        assert_eq!(ClaimsRequest::stored(request.to_stored().as_ref()), request);
        assert_eq!(ClaimsRequest::parse("{}").unwrap().to_stored(), None);
    }

    #[test]
    fn what_is_malformed_or_too_much_is_refused() {
        let many: Map<String, Value> = (0..51).map(|number| (number.to_string(), Value::Null)).collect();
        for text in [
            String::new(),
            "[]".into(),
            "{".into(),
            "null".into(),
            r#"{"userinfo":[]}"#.into(),
            r#"{"userinfo":{"name":true}}"#.into(),
            r#"{"userinfo":{"name":{"essential":"yes"}}}"#.into(),
            r#"{"id_token":{"acr":{"values":"1"}}}"#.into(),
            // Also where the claim is not known.
            r#"{"id_token":{"cats":5}}"#.into(),
            r#"{"id_token":{"name":{"value":"\u0000"}}}"#.into(),
            json!({ "userinfo": many }).to_string(),
            json!({ "userinfo": {"name": {"values": vec![0; 51]}} }).to_string(),
            format!(r#"{{"userinfo":{{"name":{{"value":{}{}}}}}}}"#, "[".repeat(10), "]".repeat(10)),
            format!(r#"{{"userinfo":{{"name":{{"value":{}{}}}}}}}"#, "[".repeat(1_500), "]".repeat(1_500)),
            format!(r#"{{"userinfo":{{"name":{{"value":"{}"}}}}}}"#, "x".repeat(5_000)),
        ] {
            let refusal = ClaimsRequest::parse(&text).map_err(|error| error.code);
            assert_eq!(refusal, Err(ErrorCode::InvalidRequest), "{}", &text[..text.len().min(80)]);
        }
    }

    #[test]
    fn a_person_and_a_level_can_be_demanded() {
        let parse = |claims: Value| ClaimsRequest::parse(&claims.to_string()).unwrap();
        let one = parse(json!({"id_token": {"sub": {"value": "a"}}}));
        assert!(one.names_subject() && one.admits_subject("a") && !one.admits_subject("b"));
        let several = parse(json!({"userinfo": {"sub": {"values": ["a", "b"]}}}));
        assert!(several.admits_subject("b") && !several.admits_subject("c"));
        let any = parse(json!({"id_token": {"sub": null}}));
        assert!(!any.names_subject() && any.admits_subject("c"));
        let level = parse(json!({"id_token": {"acr": {"essential": true, "value": "x", "values": ["y", 7]}}}));
        assert_eq!((level.required_acr(), level.preferred_acr().len()), (Some(vec!["x", "y"]), 0));
        assert_eq!(parse(json!({"id_token": {"acr": {"essential": true}}})).required_acr(), None);
        // What only userinfo is asked for says nothing of the sign-in.
        assert_eq!(parse(json!({"userinfo": {"acr": {"essential": true, "value": "x"}}})).required_acr(), None);
    }

    #[test]
    fn claims_outside_of_what_a_client_may_ask_are_left_out() {
        let asked = ClaimsRequest::parse(r#"{"userinfo":{"email":null,"name":null},"id_token":{"sub":null,"phone_number":null}}"#).unwrap();
        let left = asked.within(&"openid profile".parse().unwrap());
        assert_eq!(left.userinfo.keys().collect::<Vec<_>>(), ["name"]);
        assert_eq!(left.id_token.keys().collect::<Vec<_>>(), ["sub"]);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            let _ = ClaimsRequest::parse(&text);
            let _ = ClaimsRequest::parse(&format!(r#"{{"userinfo":{text}}}"#));
        }
    }
}
