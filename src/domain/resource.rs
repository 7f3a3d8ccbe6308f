//! Resources: the APIs that access tokens may be made for (RFC 8707), as the operator declares them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::ClientId;

/// An API of somebody's that takes our access tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    pub uri: ResourceUri,
    /// What people read on the consent page.
    pub name: String,
    /// The scopes that only it knows, each with a sentence for the consent page.
    pub scopes: BTreeMap<String, String>,
    /// The clients that are its servers: they may introspect tokens that are for it.
    pub clients: Vec<ClientId>,
    /// The audiences of asset tokens that are for it, besides its identifier.
    pub asset_audiences: Vec<String>,
}

/// A resource indicator (RFC 8707 §2), kept as it was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceUri(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResourceUriError {
    #[error("is no absolute URI without fragment, like https://api.example/garage")]
    NotAbsolute,
    #[error("is longer than 300 characters")]
    TooLong,
}

impl ResourceUri {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ResourceUri {
    type Err = ResourceUriError;

    fn from_str(text: &str) -> Result<Self, ResourceUriError> {
        if text.len() > 300 {
            return Err(ResourceUriError::TooLong);
        }
        // RFC 8707 §2: "Its value MUST be an absolute URI … The URI MUST NOT include a fragment component."
        let characters = text.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5B | 0x5D..=0x7E)) && !text.contains('#');
        if characters && url::Url::parse(text).is_ok() { Ok(Self(text.to_owned())) } else { Err(ResourceUriError::NotAbsolute) }
    }
}

impl fmt::Display for ResourceUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_an_absolute_uri_without_fragment() {
        for good in ["https://api.example", "https://api.example/garage?v=1", "urn:example:garage"] {
            assert_eq!(good.parse::<ResourceUri>().unwrap().as_str(), good);
        }
        for bad in
            ["", "api.example", "/garage", "//api.example", "https://api.example/#a", "https://api.example#", "https://a b", "https://é"]
        {
            assert_eq!(bad.parse::<ResourceUri>(), Err(ResourceUriError::NotAbsolute), "{bad}");
        }
        assert_eq!(format!("https://{}", "a".repeat(300)).parse::<ResourceUri>(), Err(ResourceUriError::TooLong));
    }
}
