//! The issuer: the one public name of this server, from which every URL and the `iss` of every token is made.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use url::{Host, Url};

/// An issuer identifier (RFC 8414 §2, OpenID Connect Discovery §3) that is an origin and nothing more: `https`, or `http`
/// on loopback; no path, query, fragment, user name or trailing slash. Apps compare it as text, so it has one way to be written.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Issuer {
    text: String,
    host_at: usize,
}

/// Why a text is no issuer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    #[error("`{0}` is not an absolute URL")]
    NotAbsolute(String),
    #[error("`{0}` is neither https nor http")]
    Scheme(String),
    #[error("`{0}` is http: only localhost, 127.0.0.1 and [::1] may do without https")]
    NotSecure(String),
    #[error("the URL holds a user name or password")]
    Credentials,
    #[error("`{0}` ends in a slash: leave it out")]
    TrailingSlash(String),
    #[error("`{0}` has a path, query or fragment: everything is served at the root of its own host")]
    NotAnOrigin(String),
    #[error("`{given}` must be written as `{plain}`, since apps compare it as text")]
    NotPlain { given: String, plain: String },
}

impl Issuer {
    /// The issuer exactly as tokens and discovery carry it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The origin (RFC 6454) of every page of this server: the same text, as an issuer has no path.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.text
    }

    /// Host and, where it is not the scheme's own, port: `localhost:8080`. It is the `domain` of messages that wallets sign (EIP-4361).
    #[must_use]
    pub fn host(&self) -> &str {
        &self.text[self.host_at..]
    }

    /// Whether it is https; if not, it is on loopback and cookies go without `Secure`.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.text.starts_with("https:")
    }

    /// The URL of a path of this server; `path` begins with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }
}

impl FromStr for Issuer {
    type Err = IssuerError;

    fn from_str(text: &str) -> Result<Self, IssuerError> {
        use IssuerError as E;
        let url = Url::parse(text).map_err(|_| E::NotAbsolute(text.to_owned()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(E::Credentials);
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(url.host().as_ref()) => {}
            "http" => return Err(E::NotSecure(text.to_owned())),
            _ => return Err(E::Scheme(text.to_owned())),
        }
        // RFC 8414 §2: the issuer is "a URL that uses the "https" scheme and has no query or fragment components".
        if url.path() != "/" || text.contains(['?', '#']) {
            return Err(E::NotAnOrigin(text.to_owned()));
        }
        if text.ends_with('/') {
            return Err(E::TrailingSlash(text.to_owned()));
        }
        let plain = url.origin().ascii_serialization();
        if plain == text {
            Ok(Self { host_at: url.scheme().len() + "://".len(), text: plain })
        } else {
            Err(E::NotPlain { given: text.to_owned(), plain })
        }
    }
}

pub(super) fn is_loopback(host: Option<&Host<&str>>) -> bool {
    match host {
        Some(Host::Domain(name)) => *name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Issuer({})", self.text)
    }
}

impl Serialize for Issuer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_issuer_gives() {
        for (text, host, secure) in [
            ("http://localhost:8080", "localhost:8080", false),
            ("https://id.example", "id.example", true),
            ("https://id.example:8443", "id.example:8443", true),
            ("http://[::1]:8080", "[::1]:8080", false),
            ("http://127.0.0.1", "127.0.0.1", false),
        ] {
            let issuer: Issuer = text.parse().unwrap();
            assert_eq!((issuer.as_str(), issuer.origin(), issuer.host(), issuer.is_secure()), (text, text, host, secure));
            assert_eq!(issuer.url("/keys"), format!("{text}/keys"));
        }
    }

    #[test]
    fn what_is_no_issuer() {
        use IssuerError as E;
        let refused = |text: &str| text.parse::<Issuer>().unwrap_err();
        assert!(matches!(refused("localhost:8080"), E::Scheme(_)));
        assert!(matches!(refused(""), E::NotAbsolute(_)));
        assert!(matches!(refused("ftp://id.example"), E::Scheme(_)));
        for text in ["http://id.example", "http://localhost.id.example", "http://10.0.0.1", "http://127.0.0.1.id.example"] {
            assert!(matches!(refused(text), E::NotSecure(_)), "{text}");
        }
        assert!(matches!(refused("https://me:word@id.example"), E::Credentials));
        assert!(matches!(refused("https://id.example/"), E::TrailingSlash(_)));
        for text in
            ["https://id.example/auth", "https://id.example/?x", "https://id.example?", "https://id.example#", "https://id.example//"]
        {
            assert!(matches!(refused(text), E::NotAnOrigin(_)), "{text}");
        }
        for text in ["https://ID.example", "https://id.example:443", "HTTPS://id.example", "https://bücher.example", " https://id.example"]
        {
            assert!(matches!(refused(text), E::NotPlain { .. }), "{text}");
        }
    }
}
