//! Lets debug builds work over http on the developer's own machine, where not every client sends a
//! `Secure` cookie back.

use std::net::IpAddr;

use rocket::figment::{Figment, Profile};
use rocket::http::uri::Host;
use rocket::{Config, Request};

use super::{CookieConfig, SameSiteConfig, Secure};

/// Whether `session.cookie.secure` may be left out for http on this machine.
pub(super) fn is_for_development(profile: &Profile) -> bool {
    cfg!(debug_assertions) && (profile == "debug" || profile == "dev")
}

impl CookieConfig {
    /// Decides whether cookies go over http to this machine, where the settings leave it open.
    pub(crate) fn with_profile(mut self, figment: &Figment) -> Self {
        self.plain_on_loopback = is_for_development(figment.profile())
            && figment.find_value("session.cookie.secure").is_err()
            && !self.is_shared
            && !self.partitioned
            && self.same_site != SameSiteConfig::None;
        self
    }

    /// Whether the client sees an `http://` address of its own machine.
    pub(super) fn is_plain(&self, request: &Request<'_>) -> bool {
        self.plain_on_loopback
            && request.host().is_some_and(is_loopback)
            && !self.came_over_tls(request)
    }

    /// Says at launch of a debug build where clients will not send the cookie back over http.
    pub(crate) fn warning(&self, figment: &Figment, config: &Config) -> Option<String> {
        let is_secure = self.secure == Secure::Always(true);
        if !cfg!(debug_assertions) || !is_secure || config.tls_enabled() {
            return None;
        }
        let clients = match (self.plain_on_loopback, config.address.is_loopback()) {
            (true, true) => return None,
            (true, false) => {
                " except at http://localhost, http://127.0.0.1 and http://[::1]: no browser sends it back to \
                 other http:// addresses"
            }
            (false, _) => {
                ": over http, Chrome and curl send it back to localhost, 127.0.0.1 and [::1] alone, and \
                 Safari and Python's requests to no address"
            }
        };
        Some(format!(
            "the session's cookie is Secure{clients}; use https, or set secure = false in \
             [{}.session.cookie]",
            figment.profile()
        ))
    }
}

fn is_loopback(host: &Host<'_>) -> bool {
    let name = host.domain().as_str().to_ascii_lowercase();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let is_address = address
        .parse()
        .is_ok_and(|address: IpAddr| address.is_loopback());
    is_address || name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

    use super::*;

    #[test]
    fn a_host_is_this_machine_by_its_name_or_its_address() {
        for (host, expected) in [
            ("localhost", true),
            ("localhost:8000", true),
            ("LocalHost:8000", true),
            ("app.localhost:8000", true),
            ("127.0.0.1:8000", true),
            ("127.9.8.7", true),
            ("[::1]:8000", true),
            ("localhost.example.org", false),
            ("notlocalhost", false),
            ("127.0.0.1.example.org", false),
            ("192.168.0.7:8000", false),
            ("0.0.0.0:8000", false),
            ("[::]:8000", false),
            ("[2001:db8::1]", false),
            ("example.org:8000", false),
        ] {
            let parsed = Host::parse(host).unwrap();
            assert_eq!(is_loopback(&parsed), expected, "{host}");
        }
    }
}
