//! What attempts are counted for.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use crate::settings::Settings;

/// What attempts are counted for.
#[derive(Debug)]
pub(crate) struct Counter {
    pub(super) id: String,
    /// What it is called in an event.
    pub(super) what: &'static str,
    /// How many cost no waiting.
    pub(crate) limit: i64,
}

impl Counter {
    /// Everybody's attempts on the account with this canonical e-mail address, if there is one or
    /// not.
    pub(crate) fn account(email: &str, settings: &Settings) -> Self {
        Self::new("account", email, settings.attempts_per_account)
    }

    /// Those of a browser in which the account's owner has signed in before.
    pub(crate) fn device(id: &str, settings: &Settings) -> Self {
        Self::new("device", id, settings.attempts_per_account)
    }

    /// Those of a user who is asked for the password once more, since this sign-in: a session's key
    /// changes with each renewal, which the user can ask for.
    pub(crate) fn session(user_id: &str, signed_in_at: i64, settings: &Settings) -> Self {
        let of = format!("{user_id} {signed_in_at}");
        Self::new("session", &of, settings.attempts_per_account)
    }

    /// Those from an address on whichever account.
    pub(crate) fn address(address: IpAddr, settings: &Settings) -> Self {
        Self::new("address", &network(address), settings.attempts_per_address)
    }

    pub(crate) fn registrations(address: IpAddr, settings: &Settings) -> Self {
        Self::new(
            "registrations",
            &network(address),
            settings.attempts_per_address,
        )
    }

    fn new(what: &'static str, of: &str, limit: u32) -> Self {
        let digest = Sha256::digest(format!("{what} {of}"));
        Self {
            id: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            what,
            limit: limit.into(),
        }
    }
}

/// An address of IPv4; of IPv6, where each client has many, the network of 64 bits.
pub(crate) fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

    use super::*;

    #[test]
    fn addresses_of_one_network_are_one() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.2"), network("192.0.2.1"));
        assert_eq!(network("2001:db8:0:1::1"), network("2001:db8:0:1:ffff::2"));
        assert_ne!(network("2001:db8:0:2::1"), network("2001:db8:0:1::1"));
    }

    #[test]
    fn each_counter_counts_for_itself() {
        let settings = Settings::default();
        let address = IpAddr::from([192, 0, 2, 1]);
        let mut counters = [
            Counter::account("192.0.2.1", &settings),
            Counter::device("192.0.2.1", &settings),
            Counter::address(address, &settings),
            Counter::registrations(address, &settings),
            Counter::session("192.0.2.", 1, &settings),
            Counter::session("192.0.2.1", 1, &settings),
        ]
        .map(|counter| counter.id);
        assert!(counters.iter().all(|id| id.len() == 64));
        counters.sort_unstable();
        assert!(counters.is_sorted_by(|one, next| one < next));
    }
}
