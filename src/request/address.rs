//! Whose request it is: the address at the other end, or what a trusted proxy says of it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rocket::Request;

/// How much of a browser's address is logged and stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(
    rename_all = "lowercase",
    expecting = "\"off\", \"truncated\" or \"full\""
)]
pub(crate) enum ClientAddress {
    Off,
    /// Its network alone: the first 24 bits of IPv4, 56 of IPv6.
    Truncated,
    Full,
}

impl ClientAddress {
    pub(crate) fn shown(self, address: IpAddr) -> Option<String> {
        let shown = match self {
            Self::Off => return None,
            Self::Truncated => network(address),
            Self::Full => address,
        };
        Some(shown.to_string())
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << 8)).into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 72)).into(),
    }
}

/// Whose request this is.
///
/// Nothing else is believed: `X-Real-IP` and `Forwarded` may come from anybody, and Rocket's
/// `client_ip` takes the former from anybody.
pub(crate) fn of(request: &Request<'_>, proxies: &[IpAddr]) -> Option<IpAddr> {
    let peer = request.remote()?.ip();
    let forwarded = request.headers().get("X-Forwarded-For");
    Some(client(peer, forwarded, proxies))
}

/// An IPv4 address is the same one where a socket of IPv6 has it.
pub(crate) fn is_trusted(address: IpAddr, proxies: &[IpAddr]) -> bool {
    let mut proxies = proxies.iter().map(IpAddr::to_canonical);
    proxies.any(|proxy| proxy == address.to_canonical())
}

/// Each proxy appends whom it heard, so from the right all are known to be true up to the first that
/// is no proxy of ours; what stands left of that one, anybody may have written.
fn client<'h>(
    peer: IpAddr,
    forwarded: impl Iterator<Item = &'h str>,
    proxies: &[IpAddr],
) -> IpAddr {
    let peer = peer.to_canonical();
    if !is_trusted(peer, proxies) {
        return peer;
    }
    let texts: Vec<_> = forwarded.flat_map(|header| header.split(',')).collect();
    let addresses = texts.iter().rev().map(|text| text.trim().parse::<IpAddr>());
    let mut others =
        addresses.skip_while(|it| it.as_ref().is_ok_and(|it| is_trusted(*it, proxies)));
    match others.next() {
        Some(Ok(address)) => address.to_canonical(),
        _ => peer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXIES: [&str; 3] = ["10.0.0.1", "10.0.0.2", "2001:db8::1"];

    fn told(peer: &str, forwarded: &[&str]) -> String {
        let proxies = PROXIES.map(|proxy| proxy.parse().unwrap());
        let peer = peer.parse().unwrap();
        client(peer, forwarded.iter().copied(), &proxies).to_string()
    }

    #[test]
    fn nobody_but_a_trusted_proxy_is_believed() {
        for (peer, forwarded, expected) in [
            ("192.0.2.9", &["6.6.6.6"][..], "192.0.2.9"),
            ("10.0.0.3", &["6.6.6.6"][..], "10.0.0.3"),
            ("10.0.0.1", &[][..], "10.0.0.1"),
            ("10.0.0.1", &["192.0.2.7"][..], "192.0.2.7"),
            ("::ffff:10.0.0.1", &["192.0.2.7"][..], "192.0.2.7"),
            ("2001:db8::1", &["2001:db8:7::7"][..], "2001:db8:7::7"),
            ("10.0.0.1", &["::ffff:192.0.2.7"][..], "192.0.2.7"),
            ("10.0.0.1", &["6.6.6.6, 192.0.2.7"][..], "192.0.2.7"),
            ("10.0.0.1", &["6.6.6.6,192.0.2.7,10.0.0.2"][..], "192.0.2.7"),
            ("10.0.0.1", &["192.0.2.7, ::ffff:10.0.0.2"][..], "192.0.2.7"),
            (
                "10.0.0.1",
                &["6.6.6.6", "192.0.2.7", "10.0.0.2"][..],
                "192.0.2.7",
            ),
            ("10.0.0.1", &["garbage, 192.0.2.7"][..], "192.0.2.7"),
            ("10.0.0.1", &["10.0.0.2"][..], "10.0.0.1"),
        ] {
            assert_eq!(told(peer, forwarded), expected, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn what_is_no_address_is_not_believed() {
        for malformed in [
            "",
            " ",
            ",",
            "192.0.2.7,",
            "unknown",
            "192.0.2.7:80",
            "192.0.2",
            "0300.0.2.7",
            "[2001:db8:7::7]",
            "fe80::1%eth0",
            "192.0.2.7, garbage",
            "192.0.2.7; 10.0.0.2",
            "192.0.2.7, \u{661}.2.3.4",
        ] {
            assert_eq!(told("10.0.0.1", &[malformed]), "10.0.0.1", "{malformed:?}");
        }
        let many = "1.2.3.4,".repeat(10_000);
        assert_eq!(told("10.0.0.1", &[&many]), "10.0.0.1");
    }

    #[test]
    fn an_address_is_shown_as_its_network_unless_it_is_wanted_whole() {
        for (address, network) in [
            ("192.0.2.255", "192.0.2.0"),
            ("255.255.255.255", "255.255.255.0"),
            ("2001:db8:1:2ff:3:4:5:6", "2001:db8:1:200::"),
            ("::1", "::"),
        ] {
            let address: IpAddr = address.parse().unwrap();
            let shown = |setting: ClientAddress| setting.shown(address);
            assert_eq!(shown(ClientAddress::Truncated).as_deref(), Some(network));
            assert_eq!(shown(ClientAddress::Full), Some(address.to_string()));
            assert_eq!(shown(ClientAddress::Off), None);
        }
    }
}
