//! Lets debug builds work over plain http on the developer's machine, where not every client sends a `Secure`
//! cookie back.

use rocket::Config;
use rocket::figment::{Figment, Profile};

use super::{CookieConfig, SameSiteConfig, Secure};

/// Returns `true` if cookies may go over plain http to this machine.
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

    /// Returns a warning for the launch of a debug build whose cookie clients do not send back over http.
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
