//! The client of a request: its address, from the connection or a trusted proxy, its browser and its route.

use std::net::IpAddr;

use rocket::Request;

use super::network::{TrustedProxies, truncated};

/// The browser or program that sent a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Client {
    pub(crate) user_agent: Option<String>,
    pub(crate) address: Option<IpAddr>,
    /// As much of the address as the configuration allows to be kept.
    pub(crate) shown_address: Option<String>,
    /// The method and the pattern of the route that asked for the session.
    pub(crate) route: Option<String>,
}

impl Client {
    /// Reads the client of a request that came through `proxies`, with as much of its address as
    /// `shown` allows, and with its route if `with_route`.
    pub(crate) fn of(
        request: &Request<'_>,
        proxies: &TrustedProxies,
        shown: ClientAddress,
        with_route: bool,
    ) -> Self {
        let route = request.route().filter(|_| with_route);
        let user_agent = request.headers().get_one("User-Agent");
        let address = address(request, proxies);
        Self {
            user_agent: user_agent.map(|text| text.chars().take(255).collect()),
            address,
            shown_address: address.and_then(|address| shown.shown(address)),
            route: route.map(|route| format!("{} {}", route.method, route.uri.path())),
        }
    }
}

/// The part of a client's address that is logged and stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(
    rename_all = "lowercase",
    expecting = "\"off\", \"truncated\" or \"full\""
)]
pub(crate) enum ClientAddress {
    Off,
    /// The network: the first 24 bits of IPv4, 56 of IPv6.
    Truncated,
    Full,
}

impl ClientAddress {
    pub(crate) fn shown(self, address: IpAddr) -> Option<String> {
        let shown = match self {
            Self::Off => return None,
            Self::Truncated => truncated(address, 24, 56),
            Self::Full => address,
        };
        Some(shown.to_string())
    }
}

/// Returns the client's address.
///
/// `X-Real-IP` and `Forwarded` are ignored: any client can send them, and Rocket's `client_ip` believes
/// the former.
fn address(request: &Request<'_>, proxies: &TrustedProxies) -> Option<IpAddr> {
    let peer = request.remote()?.ip();
    let forwarded = request.headers().get("X-Forwarded-For");
    Some(first_untrusted(peer, forwarded, proxies))
}

/// Returns the first address from the right that is no trusted proxy. Each proxy appends the address
/// that connected to it, so any client can write what stands further left.
fn first_untrusted<'h>(
    peer: IpAddr,
    forwarded: impl Iterator<Item = &'h str>,
    proxies: &TrustedProxies,
) -> IpAddr {
    let peer = peer.to_canonical();
    if !proxies.contains(peer) {
        return peer;
    }
    let texts: Vec<_> = forwarded.flat_map(|header| header.split(',')).collect();
    let addresses = texts.iter().rev().map(|text| text.trim().parse::<IpAddr>());
    let mut others = addresses.skip_while(|it| it.as_ref().is_ok_and(|it| proxies.contains(*it)));
    match others.next() {
        Some(Ok(address)) => address.to_canonical(),
        _ => peer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXIES: &str = r#"["10.0.0.1", "10.0.0.2", "10.7.0.0/16", "2001:db8::1"]"#;

    fn found(peer: &str, forwarded: &[&str]) -> String {
        let proxies = serde_json::from_str(PROXIES).unwrap();
        let peer = peer.parse().unwrap();
        first_untrusted(peer, forwarded.iter().copied(), &proxies).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
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
            (
                "10.7.7.7",
                &["6.6.6.6, 192.0.2.7, 10.7.255.1"][..],
                "192.0.2.7",
            ),
            ("10.8.7.7", &["192.0.2.7"][..], "10.8.7.7"),
        ] {
            assert_eq!(found(peer, forwarded), expected, "{peer} {forwarded:?}");
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
            assert_eq!(found("10.0.0.1", &[malformed]), "10.0.0.1", "{malformed:?}");
        }
        let many = "1.2.3.4,".repeat(10_000);
        assert_eq!(found("10.0.0.1", &[&many]), "10.0.0.1");
    }

    #[test]
    fn an_address_is_shown_as_its_network_unless_it_is_wanted_whole() {
        for (address, network) in [
            ("192.0.2.255", "192.0.2.0"),
            ("2001:db8:1:2ff:3:4:5:6", "2001:db8:1:200::"),
        ] {
            let address: IpAddr = address.parse().unwrap();
            let shown = |setting: ClientAddress| setting.shown(address);
            assert_eq!(shown(ClientAddress::Truncated).as_deref(), Some(network));
            assert_eq!(shown(ClientAddress::Full), Some(address.to_string()));
            assert_eq!(shown(ClientAddress::Off), None);
        }
    }
}
