//! Redirect URIs as registered, and the one comparison that lets a request's URI be one of them.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// A redirect URI that may be registered: absolute, without fragment, wildcard or credentials; `https`, `http`, or an
/// app's own scheme (RFC 8252 §7.1). It is kept and compared byte for byte.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RedirectUri {
    text: String,
    host: Box<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriError {
    #[error("a redirect URI is an absolute URI, like https://app.example/callback")]
    NotAbsolute,
    #[error("a redirect URI has no fragment (the part behind #): RFC 6749 section 3.1.2")]
    Fragment,
    #[error("a redirect URI has no wildcard: register each one in full")]
    Wildcard,
    #[error("a redirect URI has no user name or password")]
    Credentials,
    #[error("a redirect URI uses https; http is for localhost, 127.0.0.1 and [::1] only (RFC 9700 section 2.6)")]
    PlainHttp,
    #[error("a redirect URI's scheme is https, http, or an app's own with a dot in it, like com.example.app")]
    Scheme,
    #[error("a redirect URI has at most 2000 characters, all of them printable ASCII without spaces or backslashes")]
    Characters,
}

impl RedirectUri {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the URI of a request is this one.
    ///
    /// RFC 9700 §2.1: "authorization servers MUST utilize exact string matching except for port numbers in localhost
    /// redirection URIs of native apps".
    #[must_use]
    pub fn admits(&self, requested: &str) -> bool {
        self.text == requested || self.admits_other_port(requested)
    }

    // RFC 8252 §7.3: "The authorization server MUST allow any port to be specified at the time of the request for loopback
    // IP redirect URIs". Only IP literals and only http: `localhost` is a name that something else may answer to.
    fn admits_other_port(&self, requested: &str) -> bool {
        match (loopback_without_port(&self.text), loopback_without_port(requested)) {
            (Some(registered), Some(requested)) => registered == requested,
            _ => false,
        }
    }

    /// What the consent page shows and the signed message names: the host with its port, or an app's own scheme.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The source for a `Content-Security-Policy`'s `form-action`: the origin, or `scheme:` where there is none.
    #[must_use]
    pub fn csp_source(&self) -> String {
        match Url::parse(&self.text).map(|url| url.origin()) {
            Ok(origin) if origin.is_tuple() => origin.ascii_serialization(),
            _ => self.text.split(':').next().map(|scheme| format!("{scheme}:")).unwrap_or_default(),
        }
    }
}

// `http://127.0.0.1:8123/cb` to `("http://127.0.0.1", "/cb")`; `None` where the host is not written as a loopback IP literal.
fn loopback_without_port(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let (host, port) = match authority.strip_prefix('[') {
        Some(inner) => {
            let (host, after) = inner.split_once(']')?;
            (host, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
        }
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    if let Some(port) = port {
        port.bytes().all(|b| b.is_ascii_digit()).then(|| port.parse::<u16>().ok())??;
    }
    let ip: IpAddr = host.parse().ok()?;
    ip.is_loopback().then_some((host, tail))
}

fn is_this_machine(host: Option<&Host<&str>>) -> bool {
    match host {
        Some(Host::Domain(name)) => *name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

impl FromStr for RedirectUri {
    type Err = RedirectUriError;

    fn from_str(text: &str) -> Result<Self, RedirectUriError> {
        use RedirectUriError as E;
        if text.len() > 2_000 || !text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\') {
            return Err(E::Characters);
        }
        let url = Url::parse(text).map_err(|_| E::NotAbsolute)?;
        if text.contains('#') {
            return Err(E::Fragment);
        }
        if text.contains('*') {
            return Err(E::Wildcard);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(E::Credentials);
        }
        let host = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) if !host.is_empty() => format!("{host}:{port}"),
            (Some(host), None) if !host.is_empty() => host.to_owned(),
            _ => format!("{}:", url.scheme()),
        };
        let this = Self { text: text.to_owned(), host: host.into_boxed_str() };
        match url.scheme() {
            "https" if url.host().is_some() => Ok(this),
            // RFC 9700 §2.6: "Authorization servers MUST NOT allow redirection URIs that use the http scheme except for native clients
            // that use loopback interface redirection".
            "http" if is_this_machine(url.host().as_ref()) => Ok(this),
            "http" => Err(E::PlainHttp),
            // RFC 8252 §7.1: a private-use scheme is a reversed domain name, so it has a dot; `javascript` and `data` have none.
            scheme if scheme.contains('.') => Ok(this),
            _ => Err(E::Scheme),
        }
    }
}

impl fmt::Debug for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedirectUri").field(&self.text).finish()
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for RedirectUri {
    type Error = RedirectUriError;

    fn try_from(text: String) -> Result<Self, RedirectUriError> {
        text.parse()
    }
}

impl From<RedirectUri> for String {
    fn from(uri: RedirectUri) -> Self {
        uri.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> RedirectUri {
        text.parse().unwrap()
    }

    #[test]
    fn what_may_be_registered() {
        for good in
            ["https://app.example/cb?x=1", "http://localhost:3000/cb", "http://127.0.0.1/cb", "http://[::1]/cb", "com.example.app:/cb"]
        {
            assert!(good.parse::<RedirectUri>().is_ok(), "{good}");
        }
        for bad in [
            "/cb",
            "app.example/cb",
            "https://app.example/cb#x",
            "https://*.example/cb",
            "https://u:p@app.example/",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://app.example/a b",
            "https://app.example\\@evil.example/",
            "ftp://app.example/",
            "https://",
            "file:///etc/passwd",
            "http://app.example/cb",
            "",
        ] {
            assert!(bad.parse::<RedirectUri>().is_err(), "{bad}");
        }
    }

    // The published bypasses of other servers: each of them is simply another text.
    #[test]
    fn only_the_same_bytes_are_admitted() {
        let registered = uri("https://app.example/cb");
        assert!(registered.admits("https://app.example/cb"));
        for other in [
            "https://app.example/cb/",
            "https://app.example/cb?x",
            "https://APP.example/cb",
            "https://app.example:443/cb",
            "https://app.example/cb/..%2fevil",
            "https://app.example/%63b",
            "https://app.example@evil.example/cb",
            "https://app.example.evil.example/cb",
            "http://app.example/cb",
            "https://app.example/cb%252f..",
            "https://app.example/cb#",
            " https://app.example/cb",
        ] {
            assert!(!registered.admits(other), "{other}");
        }
    }

    #[test]
    fn only_the_port_of_a_loopback_literal_may_differ() {
        let loopback = uri("http://127.0.0.1:1/cb");
        assert!(loopback.admits("http://127.0.0.1:65535/cb"));
        assert!(loopback.admits("http://127.0.0.1/cb"));
        assert!(uri("http://[::1]/cb").admits("http://[::1]:8/cb"));
        for other in [
            "http://127.0.0.1:65536/cb",
            "http://127.0.0.1:1/cb/x",
            "http://127.0.0.1:x/cb",
            "http://127.0.0.2:1/cb",
            "https://127.0.0.1:1/cb",
            "http://localhost:1/cb",
            "http://127.0.0.1:1@evil.example/cb",
            "http://127.0.0.1:/../cb",
        ] {
            assert!(!loopback.admits(other), "{other}");
        }
        assert!(!uri("http://localhost:1/cb").admits("http://localhost:2/cb"));
        assert!(!uri("https://127.0.0.1:1/cb").admits("https://127.0.0.1:2/cb"));
    }

    // It cannot be registered; if it could, its port would still be compared.
    #[test]
    fn the_port_of_another_machine_never_differs() {
        for address in ["10.0.0.1", "192.168.1.2", "[2001:db8::1]"] {
            let registered: Result<RedirectUri, RedirectUriError> = format!("http://{address}:1/cb").parse();
            assert!(!registered.is_ok_and(|uri| uri.admits(&format!("http://{address}:2/cb"))), "{address}");
        }
    }

    #[test]
    fn hosts_and_policy_sources() {
        assert_eq!(uri("https://app.example/cb").host(), "app.example");
        assert_eq!(uri("http://localhost:3000/cb").host(), "localhost:3000");
        assert_eq!(uri("http://localhost:3000/cb").csp_source(), "http://localhost:3000");
        assert_eq!(uri("com.example.app:/cb").host(), "com.example.app:");
        assert_eq!(uri("com.example.app:/cb").csp_source(), "com.example.app:");
    }
}
