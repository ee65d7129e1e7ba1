//! Names the counters of attempts: per account, device, session and address.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use crate::settings::Settings;

/// A counter of attempts and its limit.
#[derive(Debug)]
pub(crate) struct Counter {
    pub(super) id: String,
    /// The counter's name in events.
    pub(super) what: &'static str,
    /// Attempts that may fail before the first wait.
    pub(crate) limit: i64,
}

impl Counter {
    /// Counts all clients' attempts on a canonical e-mail address, whether it has an account or
    /// not.
    pub(crate) fn account(email: &str, settings: &Settings) -> Self {
        Self::new("account", email, settings.attempts_per_account)
    }

    /// Counts attempts from a browser in which the account's owner has signed in before.
    pub(crate) fn device(id: &str, settings: &Settings) -> Self {
        Self::new("device", id, settings.attempts_per_account)
    }

    /// Counts a signed-in user's attempts to confirm the password, since the sign-in.
    ///
    /// The session's key would not do: users can have it renewed.
    pub(crate) fn session(user_id: &str, signed_in_at: i64, settings: &Settings) -> Self {
        let of = format!("{user_id} {signed_in_at}");
        Self::new("session", &of, settings.attempts_per_account)
    }

    /// Counts attempts from an address, or network of IPv6, on all accounts.
    pub(crate) fn address(network: IpAddr, settings: &Settings) -> Self {
        let of = network.to_string();
        Self::new("address", &of, settings.attempts_per_address)
    }

    pub(crate) fn registrations(network: IpAddr, settings: &Settings) -> Self {
        let of = network.to_string();
        Self::new("registrations", &of, settings.attempts_per_address)
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

#[cfg(test)]
mod tests {
    use super::*;

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
