//! The issuer of asset tokens: another name than that of sign-in, so that no consumer takes one kind of token for the other.

use std::fmt;
use std::str::FromStr;

use url::Url;

use super::issuer::is_loopback;

/// An issuer identifier (RFC 8414 §2) that may have a path: `https`, or `http` on loopback; no query, fragment, user name or trailing
/// slash. Consumers compare it as text, so it has one way to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetIssuer(String);

/// Why a text is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssetIssuerError {
    #[error("`{0}` is not an https URL (http is for localhost, 127.0.0.1 and [::1] only)")]
    NotSecure(String),
    #[error("the URL holds a user name or password")]
    Credentials,
    #[error("`{0}` has a query or fragment, or ends in a slash")]
    Form(String),
    #[error("`{given}` must be written as `{plain}`, since consumers compare it as text")]
    NotPlain { given: String, plain: String },
}

impl AssetIssuer {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AssetIssuer {
    type Err = AssetIssuerError;

    fn from_str(text: &str) -> Result<Self, AssetIssuerError> {
        use AssetIssuerError as E;
        let url = Url::parse(text).map_err(|_| E::NotSecure(text.to_owned()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(E::Credentials);
        }
        if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(url.host().as_ref())) {
            return Err(E::NotSecure(text.to_owned()));
        }
        // RFC 8414 §2: the issuer is "a URL that uses the "https" scheme and has no query or fragment components".
        if text.contains(['?', '#']) || text.ends_with('/') {
            return Err(E::Form(text.to_owned()));
        }
        let plain = url.as_str().trim_end_matches('/');
        if plain == text { Ok(Self(text.to_owned())) } else { Err(E::NotPlain { given: text.to_owned(), plain: plain.to_owned() }) }
    }
}

impl fmt::Display for AssetIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_issuer_of_asset_tokens_is() {
        use AssetIssuerError as E;
        for good in ["https://id.example/assets", "https://assets.example", "http://localhost:8080/assets", "http://[::1]:8080/a/b"] {
            assert_eq!(good.parse::<AssetIssuer>().unwrap().as_str(), good);
        }
        let refused = |text: &str| text.parse::<AssetIssuer>().unwrap_err();
        for text in ["http://id.example/assets", "ftp://id.example", "assets", "", "http://localhost.id.example/assets"] {
            assert!(matches!(refused(text), E::NotSecure(_)), "{text}");
        }
        assert_eq!(refused("https://me:word@id.example/assets"), E::Credentials);
        for text in ["https://id.example/", "https://id.example/assets/", "https://id.example/assets?a", "https://id.example/assets#a"] {
            assert!(matches!(refused(text), E::Form(_)), "{text}");
        }
        for text in ["https://ID.example/assets", "https://id.example:443/assets", "https://id.example/a/../assets", " https://id.example"]
        {
            assert!(matches!(refused(text), E::NotPlain { .. }), "{text}");
        }
    }
}
