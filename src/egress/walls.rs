//! Which URLs and addresses may be fetched at all.

use std::net::IpAddr;

use url::{Host, Url};

use super::EgressError;
use super::address::{Kind, kind};

/// The longest URL that is taken, in bytes.
pub const MOST_URL: usize = 2_048;

/// The rules of one process.
#[derive(Clone, Debug, Default)]
pub(super) struct Walls {
    /// Loopback, private networks and plain http are let through: for development.
    pub(super) private_networks: bool,
    /// The operator chose the address: loopback and private networks are let through, but no plain http.
    pub(super) operators: bool,
    /// Addresses that count as public: how a test has a public server. Empty outside tests.
    pub(super) taken_for_public: Vec<IpAddr>,
}

impl Walls {
    /// Whether `address` may be spoken to.
    pub(super) fn admit(&self, address: IpAddr) -> bool {
        match kind(address) {
            Kind::Public => true,
            Kind::Private => self.private_networks || self.operators || self.taken_for_public.contains(&address),
            Kind::Never => false,
        }
    }

    /// Refuses what needs no look at the network to be refused. A host that is a name is looked at when it is resolved.
    pub(super) fn check(&self, url: &Url) -> Result<(), EgressError> {
        let refuse = |why: &str| Err(EgressError::Forbidden(format!("`{}` {why}", shown(url))));
        match url.scheme() {
            "https" => {}
            "http" if self.private_networks => {}
            _ => return refuse("is not https"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EgressError::Forbidden("the URL holds a user name or password".to_owned()));
        }
        let inside = match url.host() {
            None => return refuse("has no host"),
            Some(Host::Ipv4(address)) => !self.admit(address.into()),
            Some(Host::Ipv6(address)) => !self.admit(address.into()),
            // RFC 6761 §6.3: "localhost." and names within it are loopback whatever a resolver says.
            Some(Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                (name == "localhost" || name.ends_with(".localhost")) && !self.private_networks && !self.operators
            }
        };
        if inside { refuse("is not at a public address") } else { Ok(()) }
    }

    /// Reads a URL that somebody wants to register.
    pub(super) fn read(&self, text: &str) -> Result<Url, EgressError> {
        let refuse = |why: &str| EgressError::Forbidden(why.to_owned());
        if text.len() > MOST_URL {
            return Err(refuse("the URL is longer than 2048 bytes"));
        }
        // A URL parser drops or bends these; then what was looked at would not be what is stored.
        if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err(refuse("the URL holds white space, a control character or a backslash"));
        }
        let url = Url::parse(text).map_err(|_| refuse("it is not an absolute URL"))?;
        if url.fragment().is_some() {
            return Err(refuse("the URL has a fragment"));
        }
        self.check(&url)?;
        Ok(url)
    }
}

// Origin and path: a query may hold what is nobody's business.
fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(walls: &Walls, text: &str) -> String {
        walls.read(text).expect_err(text).to_string()
    }

    #[test]
    fn what_can_be_registered() {
        let walls = Walls::default();
        for text in [
            "https://app.example/jwks",
            "https://app.example:8443/jwks?a=b",
            "https://8.8.8.8/",
            "https://[2606:4700::1111]/",
            "https://localhost.example/",
        ] {
            assert!(walls.read(text).is_ok(), "{text}");
        }
        for (text, why) in [
            ("http://app.example/", "is not https"),
            ("ftp://app.example/", "is not https"),
            ("file:///etc/passwd", "is not https"),
            ("data:,x", "is not https"),
            ("/jwks", "not an absolute URL"),
            ("https://", "not an absolute URL"),
            ("https://user@app.example/", "user name"),
            ("https://:secret@app.example/", "user name"),
            ("https://app.example/#fragment", "fragment"),
            ("https://app.example/\n", "white space"),
            (" https://app.example/", "white space"),
            ("https://app.example\\@other.example/", "backslash"),
        ] {
            assert!(refusal(&walls, text).contains(why), "{text}: {}", refusal(&walls, text));
        }
        assert!(refusal(&walls, &format!("https://app.example/{}", "a".repeat(MOST_URL))).contains("longer than"));
        assert!(!refusal(&walls, "https://user:hunter2@app.example/").contains("hunter2"));
    }

    #[test]
    fn an_address_inside_is_found_however_it_is_written() {
        let walls = Walls::default();
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "0x7f.1",
            "127.0.0.1.",
            "１２７.0.0.1",
            "10.0.0.1",
            "192.168.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "0",
            "[::1]",
            "[::]",
            "[::ffff:10.0.0.1]",
            "[::ffff:a00:1]",
            "[64:ff9b::a00:1]",
            "[fe80::1]",
            "[fd00::1]",
            "localhost",
            "LOCALHOST",
            "localhost.",
            "app.localhost",
        ] {
            let url = format!("https://{host}/");
            assert!(refusal(&walls, &url).contains("is not at a public address"), "{host}: {}", refusal(&walls, &url));
        }
    }

    #[test]
    fn what_the_operator_chose_may_be_inside_but_not_in_the_clear() {
        let walls = Walls { operators: true, ..Walls::default() };
        for text in ["https://10.0.0.1/", "https://localhost/", "https://[::1]:8443/", "https://id.example/"] {
            assert!(walls.read(text).is_ok(), "{text}");
        }
        for text in ["http://10.0.0.1/", "http://id.example/", "https://169.254.169.254/", "https://[fd00:ec2::254]/"] {
            assert!(walls.read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn development_opens_the_inside_and_nothing_else() {
        let walls = Walls { private_networks: true, ..Walls::default() };
        for text in ["http://127.0.0.1:3000/", "http://localhost:3000/", "https://10.0.0.1/", "http://[::1]/", "http://app.example/"] {
            assert!(walls.read(text).is_ok(), "{text}");
        }
        for text in [
            "http://169.254.169.254/latest/meta-data/",
            "http://0.0.0.0/",
            "http://[fd00:ec2::254]/",
            "http://100.100.100.200/",
            "ftp://127.0.0.1/",
        ] {
            assert!(walls.read(text).is_err(), "{text}");
        }
    }
}
