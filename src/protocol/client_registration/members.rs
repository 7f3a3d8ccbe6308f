//! The members of a registration, read one by one with their limits. `null` and an empty text count as left out (RFC 7592 §2.2).

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::{Map, Value};
use url::{Host, Url};

use crate::domain::RedirectUri;
use crate::protocol::error::{ErrorCode, OAuthError};

/// The longest text of metadata that is read, in bytes.
pub const LONGEST_DOCUMENT: usize = 64 * 1024;
/// How many members, whatever they are.
const MOST_MEMBERS: usize = 200;
/// How deeply values may lie in one another; a key set needs three.
const DEEPEST: usize = 8;
/// How many URIs of one kind.
const MOST_URIS: usize = 50;
const LONGEST_URI: usize = 2_000;

/// The JSON object that `body` is.
///
/// # Errors
/// `invalid_client_metadata` when it is none, or too long, too deep, or names a member twice: whoever looked at it before may have read
/// the other one.
pub fn object(body: &[u8]) -> Result<Map<String, Value>, OAuthError> {
    if body.len() > LONGEST_DOCUMENT {
        return Err(wrong(format!("the metadata are longer than {LONGEST_DOCUMENT} bytes")));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let object = reader.deserialize_map(Once).and_then(|object| reader.end().map(|()| object));
    let object = object.map_err(|reason| wrong(format!("the metadata are not one JSON object: {reason}")))?;
    if object.values().any(|value| depth(value) > DEEPEST) {
        return Err(wrong(format!("the metadata lie more than {DEEPEST} levels deep")));
    }
    Ok(object)
}

/// `invalid_client_metadata`.
pub(super) fn wrong(description: impl Into<std::borrow::Cow<'static, str>>) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClientMetadata, description)
}

struct Once;

impl<'de> Visitor<'de> for Once {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, value)) = access.next_entry::<String, Value>()? {
            if object.len() == MOST_MEMBERS {
                return Err(serde::de::Error::custom(format_args!("it has more than {MOST_MEMBERS} members")));
            }
            if object.insert(name, value).is_some() {
                return Err(serde::de::Error::custom("a member is named twice"));
            }
        }
        Ok(object)
    }
}

// serde_json reads no deeper than 128, so this comes back.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

pub(super) struct Members<'a>(&'a Map<String, Value>);

impl<'a> Members<'a> {
    pub(super) fn of(object: &'a Map<String, Value>) -> Self {
        Self(object)
    }

    /// The value of a member, if it is more than nothing.
    pub(super) fn value(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null() && value.as_str() != Some(""))
    }

    /// One line of at most `most` characters.
    pub(super) fn text(&self, name: &str, most: usize) -> Result<Option<&'a str>, OAuthError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => line(name, text, most).map(Some),
            Some(_) => Err(wrong(format!("{} must be a text", shown(name)))),
        }
    }

    pub(super) fn texts(&self, name: &str, most: usize, longest: usize) -> Result<Option<Vec<String>>, OAuthError> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let refuse = || wrong(format!("{name} must be a list of at most {most} texts"));
        let list = value.as_array().filter(|list| list.len() <= most).ok_or_else(refuse)?;
        let text = |value: &Value| value.as_str().ok_or_else(refuse).and_then(|text| line(name, text, longest)).map(str::to_owned);
        list.iter().map(text).collect::<Result<_, _>>().map(Some)
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, OAuthError> {
        match self.value(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(wrong(format!("{name} must be true or false, without quotes"))),
        }
    }

    pub(super) fn seconds(&self, name: &str) -> Result<Option<u64>, OAuthError> {
        // What a database and every JSON reader can hold exactly.
        const MOST: u64 = 1 << 53;
        match self.value(name) {
            None => Ok(None),
            Some(value) => value
                .as_u64()
                .filter(|seconds| *seconds <= MOST)
                .map(Some)
                .ok_or_else(|| wrong(format!("{name} must be a whole number of seconds, without quotes"))),
        }
    }

    pub(super) fn word<T: FromStr>(&self, name: &str, known: &'static str) -> Result<Option<T>, OAuthError> {
        let refuse = || wrong(format!("{name} must be {known}"));
        self.text(name, 100)?.map(|word| word.parse().map_err(|_| refuse())).transpose()
    }

    /// An address of the web: https, or http on this machine.
    pub(super) fn address(&self, name: &str) -> Result<Option<String>, OAuthError> {
        let text = self.text(name, LONGEST_URI)?;
        text.map(|text| read_address(name, text)).transpose()
    }

    /// The same for what a person is shown: a place on the page may be named.
    pub(super) fn page(&self, name: &str) -> Result<Option<String>, OAuthError> {
        let Some(text) = self.text(name, LONGEST_URI)? else { return Ok(None) };
        read_address(name, text.split('#').next().unwrap_or_default())?;
        Ok(Some(text.to_owned()))
    }

    pub(super) fn redirect_uris(&self, name: &'static str) -> Result<Vec<RedirectUri>, OAuthError> {
        // RFC 7591 §3.2.2: "The value of one or more redirection URIs is invalid" has a code of its own; so they are all of that kind.
        let refuse = |why: String| OAuthError::new(ErrorCode::InvalidRedirectUri, why);
        let Some(value) = self.value(name) else { return Ok(Vec::new()) };
        let list = value.as_array().filter(|list| list.len() <= MOST_URIS);
        let list = list.ok_or_else(|| refuse(format!("{name} must be a list of at most {MOST_URIS} URIs")))?;
        let mut uris: Vec<RedirectUri> = Vec::new();
        for (place, value) in list.iter().enumerate() {
            let text = value.as_str().ok_or_else(|| refuse(format!("{name}[{place}] must be a text")))?;
            let uri = text.parse().map_err(|reason| refuse(format!("{name}[{place}]: {reason}")))?;
            // Named twice is once.
            if !uris.contains(&uri) {
                uris.push(uri);
            }
        }
        Ok(uris)
    }

    /// Members with a language behind `#`: the whole name, what it is, and the language.
    pub(super) fn in_languages(&self) -> impl Iterator<Item = (&'a str, &'a str, &'a str)> {
        self.0.keys().filter_map(|name| name.split_once('#').map(|(base, tag)| (name.as_str(), base, tag)))
    }
}

fn line<'a>(name: &str, text: &'a str, most: usize) -> Result<&'a str, OAuthError> {
    if text.chars().count() > most {
        return Err(wrong(format!("{} is longer than {most} characters", shown(name))));
    }
    // Besides control characters: what turns the direction of the text around it, on our own pages.
    let hidden =
        |c: char| c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    if text.chars().any(hidden) {
        return Err(wrong(format!("{} holds a character that cannot be seen", shown(name))));
    }
    Ok(text)
}

// A member's name may be the caller's own, where it has a language.
fn shown(name: &str) -> String {
    name.chars().take(60).collect()
}

fn read_address(name: &str, text: &str) -> Result<String, OAuthError> {
    let refuse = |why: &str| Err(wrong(format!("{} {why}", shown(name))));
    if text.contains(|c: char| c.is_whitespace() || c == '\\') {
        return refuse("holds a space or a backslash");
    }
    let Ok(url) = Url::parse(text) else { return refuse("is not an absolute URL, like https://app.example/page") };
    if url.fragment().is_some() {
        return refuse("has a fragment (the part behind #)");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("holds a user name or password");
    }
    let on_this_machine = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return refuse("has no host"),
    };
    match url.scheme() {
        "https" => Ok(text.to_owned()),
        "http" if on_this_machine => Ok(text.to_owned()),
        _ => refuse("must begin with https://"),
    }
}
