//! The client of a request, for the list of a user's devices and for events.

use std::net::IpAddr;

use rocket::Request;

use super::address::{self, ClientAddress};

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
    /// `shown` allows.
    pub(crate) fn of(request: &Request<'_>, proxies: &[IpAddr], shown: ClientAddress) -> Self {
        let user_agent = request.headers().get_one("User-Agent");
        let address = address::of(request, proxies);
        Self {
            user_agent: user_agent.map(|text| text.chars().take(255).collect()),
            address,
            shown_address: address.and_then(|address| shown.shown(address)),
            route: None,
        }
    }

    /// Adds the method and the pattern of the request's route, for events.
    pub(crate) fn with_route(mut self, request: &Request<'_>) -> Self {
        let route = request.route();
        self.route = route.map(|route| format!("{} {}", route.method, route.uri.path()));
        self
    }
}
