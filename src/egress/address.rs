//! Which addresses of the internet are for everybody, which belong to some network's inside, and which are nobody's to fetch from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is, by IANA's registries of special-purpose addresses (RFC 6890) and what clouds have put beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Reachable from everywhere.
    Public,
    /// Loopback and the insides of networks: a development setup may want them.
    Private,
    /// Nothing that an app could rightly name: link-local, cloud metadata, multicast, reserved, documentation.
    Never,
}

pub(super) fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => v6(address),
    }
}

fn v4(address: Ipv4Addr) -> Kind {
    match address.octets() {
        // "This network" (which reaches loopback on Linux), link-local with most clouds' metadata, protocol assignments,
        // documentation, 6to4 relays, benchmarks, multicast, reserved, broadcast.
        [0 | 224..=255, ..]
        | [169, 254, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        // What tells Alibaba's and Azure's machines their secrets, in networks that look harmless.
        | [100, 100, 100, 200]
        | [168, 63, 129, 16] => Kind::Never,
        // Loopback, RFC 1918, and the shared addresses of carriers (RFC 6598).
        [10 | 127, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Kind::Private,
        _ => Kind::Public,
    }
}

fn v6(address: Ipv6Addr) -> Kind {
    match address.segments() {
        // RFC 4291 §2.5.5.2: an IPv4 address in IPv6 clothes is that address.
        [0, 0, 0, 0, 0, 0xffff, high, low] => v4(embedded(high, low)),
        // NAT64 (RFC 6052) and 6to4 (RFC 3056) carry to the IPv4 address that they embed.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => match v4(embedded(high, low)) {
            Kind::Public => Kind::Public,
            Kind::Private | Kind::Never => Kind::Never,
        },
        // Protocol assignments, among them Teredo, which embeds addresses too, and documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..]
        | [0x3fff, 0..=0xfff, ..]
        // The metadata of Amazon's and Google's machines, in the middle of the unique local addresses.
        | [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254]
        | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => Kind::Never,
        // Loopback, and unique local (RFC 4193).
        [0, 0, 0, 0, 0, 0, 0, 1] | [0xfc00..=0xfdff, ..] => Kind::Private,
        // RFC 4291 §2.4: global unicast that IANA gives out. All else is link-local, multicast, IPv4-compatible or not assigned.
        [0x2000..=0x3fff, ..] => Kind::Public,
        _ => Kind::Never,
    }
}

fn embedded(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_are(wanted: Kind, addresses: &str) {
        for address in addresses.split_whitespace() {
            assert_eq!(kind(address.parse().unwrap()), wanted, "{address}");
        }
    }

    #[test]
    fn addresses_of_everybody() {
        all_are(Kind::Public, "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 126.255.255.255 128.0.0.0 100.63.255.255 100.128.0.0");
        all_are(Kind::Public, "169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.167.255.255 192.169.0.0");
        all_are(Kind::Public, "198.17.255.255 198.20.0.0 223.255.255.255 168.63.129.15");
        all_are(Kind::Public, "2000:: 2606:4700::1111 2001:200::1 2001:4860:4860::8888 2a00::1 3ffe::1 3fff:1000::1 2001:db9::");
    }

    #[test]
    fn addresses_of_an_inside() {
        all_are(Kind::Private, "127.0.0.1 127.255.255.255 10.0.0.0 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.1");
        all_are(Kind::Private, "100.64.0.0 100.127.255.255 ::1 fc00::1 fdff:ffff::1 ::ffff:127.0.0.1 ::ffff:192.168.1.1");
    }

    #[test]
    fn addresses_of_nobody() {
        all_are(Kind::Never, "0.0.0.0 0.1.2.3 169.254.0.0 169.254.169.254 192.0.0.192 192.0.2.1 198.51.100.7 203.0.113.9 192.88.99.1");
        all_are(Kind::Never, "198.18.0.0 198.19.255.255 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 100.100.100.200 168.63.129.16");
        all_are(
            Kind::Never,
            ":: fe80::1 febf::1 fec0::1 ff02::1 100::1 2001:db8::1 3fff::1 3fff:fff::1 2001::1 2001:1ff::1 5f00::1 4000::1",
        );
        all_are(Kind::Never, "fd00:ec2::254 fd20:ce::254 ::ffff:169.254.169.254 ::ffff:0.0.0.0 ::2 64:ff9b:1::1.1.1.1");
    }

    #[test]
    fn an_address_within_an_address_counts_as_itself() {
        // IPv4-mapped, NAT64, 6to4 to the public are public; IPv4-compatible ones are out of use and go nowhere.
        all_are(Kind::Public, "::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1");
        all_are(Kind::Never, "64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 64:ff9b::169.254.169.254 2002:7f00:1::1 2002:a00:1:: 2002:a9fe:a9fe::");
        all_are(Kind::Never, "::127.0.0.1 ::10.0.0.1 ::8.8.8.8 ::ffff:0:127.0.0.1 2001:0:4136:e378:8000:63bf:3fff:fdd2");
    }
}
