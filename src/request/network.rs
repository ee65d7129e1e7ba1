//! Networks of addresses: those of trusted proxies, and the one that an address is truncated to.

use std::net::IpAddr;

use ipnet::IpNet;
use rocket::serde::de::{self, Deserialize, Deserializer};

/// `session.trusted_proxies`: addresses and networks.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Returns `true` for the address of a trusted proxy. IPv4-mapped IPv6 addresses count as IPv4.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl<'de> Deserialize<'de> for TrustedProxies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = <Vec<String> as Deserialize>::deserialize(deserializer)?;
        let networks = texts
            .iter()
            .map(|text| parse(text).map_err(|why| de::Error::custom(format!("{text:?} {why}"))));
        networks.collect::<Result<_, _>>().map(Self)
    }
}

/// Reads an address, or a network with the number of its bits. The error continues a sentence about
/// the text.
fn parse(text: &str) -> Result<IpNet, String> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else {
        return Err(
            "is no IP address and no network; write those of the proxies: [\"127.0.0.1\", \
             \"10.0.0.0/8\"]"
                .into(),
        );
    };
    let (short, most) = (
        address.to_canonical(),
        IpNet::from(address).max_prefix_len(),
    );
    let dropped = most - IpNet::from(short).max_prefix_len();
    let least = dropped + 1;
    let number = bits.map_or(Ok(most), str::parse::<u8>);
    let number = number.ok().filter(|number| (least..=most).contains(number));
    let network = number.and_then(|number| IpNet::new(short, number - dropped).ok());
    match network {
        // No client would have an address of its own if each were a proxy's.
        None => Err(format!("has to end with a number from /{least} to /{most}")),
        Some(network) if network != network.trunc() => {
            let whole = network.trunc();
            Err(format!(
                "is one address of a network; write the network \"{whole}\", or the address \
                 \"{short}\""
            ))
        }
        Some(network) => Ok(network),
    }
}

/// Returns the first address of the network that has so many bits of `address` in IPv4 or IPv6.
pub(crate) fn truncated(address: IpAddr, ipv4: u8, ipv6: u8) -> IpAddr {
    let address = address.to_canonical();
    let bits = if address.is_ipv4() { ipv4 } else { ipv6 };
    IpNet::new(address, bits).map_or(address, |network| network.network())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(texts: &[&str]) -> TrustedProxies {
        TrustedProxies(texts.iter().map(|text| parse(text).unwrap()).collect())
    }

    #[test]
    fn an_address_or_its_network_is_trusted() {
        for (trusted, inside, outside) in [
            ("10.0.0.1", "10.0.0.1", "10.0.0.2"),
            ("10.0.0.1", "::ffff:10.0.0.1", "::ffff:10.0.0.2"),
            ("::ffff:10.0.0.1", "10.0.0.1", "10.0.0.2"),
            ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "::ffff:11.0.0.0"),
            ("::ffff:10.0.0.0/104", "10.255.255.255", "11.0.0.0"),
            ("128.0.0.0/1", "255.0.0.1", "127.255.255.255"),
            ("10.0.0.1/32", "10.0.0.1", "10.0.0.0"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("8000::/1", "fd00::1", "::ffff:192.0.2.1"),
            ("2001:db8::1", "2001:db8::1", "2001:db8::2"),
        ] {
            let trusted = proxies(&["192.168.0.9", trusted]);
            assert!(trusted.contains(inside.parse().unwrap()), "{inside}");
            assert!(!trusted.contains(outside.parse().unwrap()), "{outside}");
        }
        assert!(!proxies(&[]).contains("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn what_is_no_network_is_refused_with_the_remedy() {
        for (text, remedy) in [
            ("", "is no IP address and no network"),
            ("proxy.example", "[\"127.0.0.1\", \"10.0.0.0/8\"]"),
            ("10.0.0/8", "is no IP address and no network"),
            ("010.0.0.0/8", "is no IP address and no network"),
            ("10.0.0.1:80", "is no IP address and no network"),
            ("10.0.0.0/33", "a number from /1 to /32"),
            ("10.0.0.0/", "a number from /1 to /32"),
            ("10.0.0.0/255.0.0.0", "a number from /1 to /32"),
            ("10.0.0.0/8/8", "a number from /1 to /32"),
            ("0.0.0.0/0", "a number from /1 to /32"),
            ("::/0", "a number from /1 to /128"),
            ("::ffff:10.0.0.0/8", "a number from /97 to /128"),
            ("::ffff:0.0.0.0/96", "a number from /97 to /128"),
            (
                "10.0.0.1/8",
                "write the network \"10.0.0.0/8\", or the address \"10.0.0.1\"",
            ),
            ("2001:db8::1/64", "\"2001:db8::/64\""),
        ] {
            let why = parse(text).unwrap_err();
            assert!(why.contains(remedy), "{text}: {why}");
        }
    }

    #[test]
    fn addresses_are_truncated() {
        for (address, ipv4, ipv6, network) in [
            ("192.0.2.255", 24, 56, "192.0.2.0"),
            ("255.255.255.255", 24, 56, "255.255.255.0"),
            ("192.0.2.255", 32, 64, "192.0.2.255"),
            ("::ffff:192.0.2.255", 24, 56, "192.0.2.0"),
            ("2001:db8:1:2ff:3:4:5:6", 24, 56, "2001:db8:1:200::"),
            ("2001:db8:1:2ff:3:4:5:6", 32, 64, "2001:db8:1:2ff::"),
            ("::1", 24, 56, "::"),
        ] {
            let found = truncated(address.parse().unwrap(), ipv4, ipv6);
            assert_eq!(found.to_string(), network, "{address}");
        }
    }
}
