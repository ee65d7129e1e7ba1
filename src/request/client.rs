//! Who has sent a request.

use std::net::IpAddr;

/// What is known of it, for the list of a user's devices and for events.
#[derive(Clone, Debug, Default)]
pub(crate) struct Client {
    pub(crate) user_agent: Option<String>,
    pub(crate) address: Option<IpAddr>,
    /// As much of the address as the configuration allows to be kept.
    pub(crate) shown_address: Option<String>,
    /// The method and the pattern of the route that asked for the session.
    pub(crate) route: Option<String>,
}
