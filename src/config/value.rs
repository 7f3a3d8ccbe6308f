//! How the text of each kind of setting becomes its type, the same from a file, the environment and a flag.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::span::parse_span;
use super::{AssetIssuer, Issuer, Network};
use crate::domain::{
    AssetMethod, AuthMethod, ClaimsProfile, ClientId, Contract, GrantType, Permission, PermissionIcon, PermissionId, Pkce, RedirectUri,
    ResourceUri, Risk, Scope, Secret, SigningAlg, SubjectType, UpstreamKind,
};
use crate::keys::SealingKey;

/// A value before it is read: text (environment, flag, default), or what the file has.
#[derive(Clone, Debug)]
pub(super) enum Raw {
    Text(String),
    Toml(toml::Value),
}

impl Raw {
    /// The value as one line of text, for messages.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Text(text) | Self::Toml(toml::Value::String(text)) => text.clone(),
            Self::Toml(value) => value.to_string(),
        }
    }
}

/// What can be a setting. Errors say what was wrong with the text; `expected` says what would be right.
pub(super) trait Value: Sized {
    /// Its text is never shown.
    const SECRET: bool = false;
    /// It may be left out without a default.
    const OPTIONAL: bool = false;
    /// It is a list in the file, and separated by commas elsewhere.
    const LIST: bool = false;
    /// The file writes it without quotes.
    const BARE: bool = false;
    /// An optional one may be switched `off`.
    const OFF: bool = false;

    fn expected() -> String;

    fn from_text(text: &str) -> Result<Self, String>;

    fn absent() -> Option<Self> {
        None
    }

    fn within(&self, _low: &Self, _high: &Self) -> bool {
        true
    }

    fn from_raw(raw: &Raw) -> Result<Self, String> {
        match raw {
            Raw::Text(text) => Self::from_text(text),
            Raw::Toml(value) => Self::from_toml(value),
        }
    }

    fn from_toml(value: &toml::Value) -> Result<Self, String> {
        match value {
            toml::Value::String(text) => Self::from_text(text),
            toml::Value::Integer(_) | toml::Value::Boolean(_) if Self::BARE => Self::from_text(&value.to_string()),
            // A bare number where a span belongs gets the span's own words: which unit?
            toml::Value::Integer(number) if !Self::SECRET => {
                Self::from_text(&number.to_string()).and(Err("is a number, not text in quotes".to_owned()))
            }
            other => Err(format!("is of type {}", other.type_str())),
        }
    }
}

macro_rules! parsed {
    ($($type:ty: $expected:expr, $problem:literal $(, $FLAG:ident)?;)*) => {$(
        impl Value for $type {
            $(const $FLAG: bool = true;)?

            fn expected() -> String {
                $expected.to_owned()
            }

            fn from_text(text: &str) -> Result<Self, String> {
                text.parse().map_err(|_| format!(concat!("`{}` ", $problem), text))
            }

            fn within(&self, low: &Self, high: &Self) -> bool {
                (low..=high).contains(&self)
            }
        }
    )*};
}

parsed! {
    SocketAddr: "an IP address and a port, like 127.0.0.1:8080 or [::]:8080", "is not an IP address with a port", OFF;
    PathBuf: "a path", "is not a path";
    usize: "a whole number", "is not a whole number", BARE;
    u64: "a whole number", "is not a whole number", BARE;
    NonZeroU32: "a whole number", "is not a whole number above 0", BARE;
    bool: "true or false", "is neither true nor false", BARE;
}

/// For types whose own errors say enough.
macro_rules! told {
    ($($type:ty: $expected:expr $(, $FLAG:ident)?;)*) => {$(
        impl Value for $type {
            $(const $FLAG: bool = true;)?

            fn expected() -> String {
                $expected.to_owned()
            }

            fn from_text(text: &str) -> Result<Self, String> {
                text.parse().map_err(|problem: <$type as FromStr>::Err| problem.to_string())
            }
        }
    )*};
}

told! {
    Issuer: "an origin, like https://id.example";
    Network: "an address or a network, like 10.0.0.0/8";
    ClientId: "1 to 200 visible ASCII characters";
    RedirectUri: "an absolute URI without fragment";
    Scope: "scopes with spaces between them";
    ResourceUri: "an absolute URI without fragment";
    Permission: "a name like privilege:GetLiveData";
    Contract: "a chain and an address, like 137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF";
    PermissionId: "a whole number, from 1 to 127", BARE;
    AssetIssuer: "a URL without query and trailing slash, like https://id.example/assets";
}

macro_rules! words {
    ($($type:ident),*) => {$(
        impl Value for $type {
            fn expected() -> String {
                let words: Vec<&str> = Self::ALL.iter().map(|word| word.as_str()).collect();
                format!("one of: {}", words.join(", "))
            }

            fn from_text(text: &str) -> Result<Self, String> {
                text.parse().map_err(|_| format!("`{text}` is no such word"))
            }
        }
    )*};
}

words!(SubjectType, Pkce, ClaimsProfile, SigningAlg, AuthMethod, GrantType, AssetMethod, Risk, PermissionIcon, UpstreamKind, LogFormat);

impl Value for String {
    fn expected() -> String {
        "text".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() { Err("is empty".to_owned()) } else { Ok(text.to_owned()) }
    }
}

impl Value for Duration {
    fn expected() -> String {
        "a span like 60s, 10m, 1h30m or 14d".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, String> {
        parse_span(text)
    }

    fn within(&self, low: &Self, high: &Self) -> bool {
        (low..=high).contains(&self)
    }
}

impl Value for Secret {
    const SECRET: bool = true;

    fn expected() -> String {
        "a secret text".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("is empty".to_owned()) } else { Ok(Self::new(text)) }
    }
}

impl Value for SealingKey {
    const SECRET: bool = true;

    fn expected() -> String {
        "256 bits: 43 characters of base64url or 64 hexadecimal digits".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, String> {
        Self::from_text(text).map_err(|_| "is no sealing key".to_owned())
    }
}

impl Value for DatabaseUrl {
    // It may hold a password.
    const SECRET: bool = true;

    fn expected() -> String {
        "sqlite://PATH or postgres://USER:PASSWORD@HOST:PORT/NAME".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").ok_or("is not the URL of a database")?;
        match scheme {
            _ if rest.is_empty() => Err("names no database".to_owned()),
            "sqlite" => Ok(Self(Secret::new(text))),
            "postgres" | "postgresql" => match url::Url::parse(text) {
                Ok(_) => Ok(Self(Secret::new(text))),
                Err(problem) => Err(format!("is not a URL ({problem}); in a password, write @ as %40, / as %2F, : as %3A")),
            },
            _ => Err("is neither sqlite:// nor postgres://".to_owned()),
        }
    }
}

impl<T: Value> Value for Option<T> {
    const SECRET: bool = T::SECRET;
    const OPTIONAL: bool = true;
    const BARE: bool = T::BARE;

    fn expected() -> String {
        if T::OFF { format!("{}, or off", T::expected()) } else { T::expected() }
    }

    fn from_text(text: &str) -> Result<Self, String> {
        if T::OFF && text == "off" { Ok(None) } else { T::from_text(text).map(Some) }
    }

    fn from_toml(value: &toml::Value) -> Result<Self, String> {
        if T::OFF && value.as_str() == Some("off") { Ok(None) } else { T::from_toml(value).map(Some) }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn within(&self, low: &Self, high: &Self) -> bool {
        match (self, low, high) {
            (Some(value), Some(low), Some(high)) => value.within(low, high),
            _ => true,
        }
    }
}

impl<T: Value> Value for Vec<T> {
    const SECRET: bool = T::SECRET;
    const OPTIONAL: bool = true;
    const LIST: bool = true;
    const BARE: bool = T::BARE;

    fn expected() -> String {
        format!("a list, each {}", T::expected())
    }

    fn from_text(text: &str) -> Result<Self, String> {
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(T::from_text).collect()
    }

    fn from_toml(value: &toml::Value) -> Result<Self, String> {
        match value {
            toml::Value::Array(values) => values.iter().map(T::from_toml).collect(),
            toml::Value::String(text) => Self::from_text(text),
            other => Err(format!("is of type {}, not a list", other.type_str())),
        }
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }

    // The range is that of each member.
    fn within(&self, low: &Self, high: &Self) -> bool {
        match (low.first(), high.first()) {
            (Some(low), Some(high)) => self.iter().all(|value| value.within(low, high)),
            _ => true,
        }
    }
}

/// Scopes, each with a sentence for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ScopeWords(pub(super) BTreeMap<String, String>);

impl Value for ScopeWords {
    const BARE: bool = true;

    fn expected() -> String {
        "a table of scopes and sentences, like { \"garage:read\" = \"See the vehicles in your garage\" }".to_owned()
    }

    // Only the file has such tables; the text is that of the default.
    fn from_text(text: &str) -> Result<Self, String> {
        if text == "{}" { Ok(Self::default()) } else { Err("is text, not a table".to_owned()) }
    }

    fn from_toml(value: &toml::Value) -> Result<Self, String> {
        let toml::Value::Table(words) = value else { return Err(format!("is of type {}, not a table", value.type_str())) };
        let sentence = |value: &toml::Value| value.as_str().map(str::to_owned);
        let read = words.iter().map(|(word, value)| Some((word.clone(), sentence(value)?))).collect::<Option<_>>();
        read.map(Self).ok_or_else(|| "holds a scope whose sentence is not text".to_owned())
    }
}

/// A page of the operator's, for people: http or https.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebPage(String);

impl WebPage {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for WebPage {
    fn expected() -> String {
        "the address of a page, like https://id.example/help".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, String> {
        let page = url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if page { Ok(Self(text.to_owned())) } else { Err(format!("`{text}` is not the address of a page")) }
    }
}

/// The URL of a database: `sqlite://…` or `postgres://…`. Its `Debug` and `Display` leave out user and password.
#[derive(Clone)]
pub struct DatabaseUrl(Secret);

impl DatabaseUrl {
    /// The whole URL, with its password: for the store alone.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.expose()
    }

    /// The embedded database at `path`.
    pub(super) fn sqlite(path: &str) -> Self {
        Self(Secret::new(format!("sqlite://{path}")))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.as_str().split_once("://").unwrap_or_default();
        let place = rest.split('?').next().unwrap_or_default();
        let place = if scheme == "sqlite" { place } else { place.rsplit('@').next().unwrap_or_default() };
        write!(f, "{scheme}://{place}")
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

impl LogFormat {
    const ALL: [Self; 2] = [Self::Text, Self::Json];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

impl FromStr for LogFormat {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|format| format.as_str() == text).ok_or(())
    }
}
