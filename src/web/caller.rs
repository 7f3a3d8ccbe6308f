//! Who is calling: the address that limits count, behind the proxies that the operator trusts and no others.

use std::net::{IpAddr, SocketAddr};

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;

use crate::config::Config;

/// The caller's address: the connection's, or, where that is a trusted proxy's, the last one in `X-Forwarded-For` that is not.
#[must_use]
pub fn address(request: &HttpRequest, config: &Config) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.ip());
    behind_proxies(peer, request.headers(), |ip| config.server.trusted_proxies.iter().any(|network| network.contains(ip)))
}

// Some proxies write the port too.
fn hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

fn behind_proxies(peer: IpAddr, headers: &HeaderMap, trusted: impl Fn(IpAddr) -> bool) -> IpAddr {
    if !trusted(peer) {
        return peer;
    }
    let hops = headers.get_all("x-forwarded-for").filter_map(|value| value.to_str().ok()).flat_map(|line| line.split(','));
    // Read from the right, where our own proxies wrote. Behind a hop that cannot be read stands what the caller wrote: not believed.
    let hops: Vec<&str> = hops.collect();
    let known = hops.into_iter().rev().map_while(hop).find(|hop| !trusted(*hop));
    known.unwrap_or(peer)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let mut headers = HeaderMap::new();
        headers.append(HeaderName::from_static("x-forwarded-for"), HeaderValue::from_static("203.0.113.9, 198.51.100.7, 10.0.0.2"));
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let trusted = |address: IpAddr| [ip("10.0.0.1"), ip("10.0.0.2")].contains(&address);
        assert_eq!(behind_proxies(ip("10.0.0.1"), &headers, trusted), ip("198.51.100.7"));
        assert_eq!(behind_proxies(ip("192.0.2.1"), &headers, trusted), ip("192.0.2.1"));
        assert_eq!(behind_proxies(ip("10.0.0.1"), &HeaderMap::new(), trusted), ip("10.0.0.1"));
        for (line, address) in [
            ("203.0.113.9, 198.51.100.7:4711", "198.51.100.7"),
            ("203.0.113.9, [2001:db8::7]:4711, 10.0.0.2", "2001:db8::7"),
            ("203.0.113.9, unknown, 10.0.0.2", "10.0.0.1"),
        ] {
            headers.insert(HeaderName::from_static("x-forwarded-for"), HeaderValue::from_static(line));
            assert_eq!(behind_proxies(ip("10.0.0.1"), &headers, trusted), ip(address), "{line}");
        }
    }
}
