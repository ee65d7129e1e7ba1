//! Guides: adding sessions to an application, testing its routes, API and mobile clients, streams, sign-in by
//! OpenID Connect, settings, clusters, backup, coming from Express, and moving from Express.
//!
//! `links.md` comes first in each, so its targets replace those at the end of a guide, which are for a code host.

pub mod api_and_mobile_clients {
    #![doc = include_str!("links.md")]
    #![doc = include_str!("api_and_mobile_clients.md")]
}

pub mod backup {
    #![doc = include_str!("links.md")]
    #![doc = include_str!("backup.md")]
}

pub mod coming_from_express {
    #![doc = include_str!("links.md")]
    #![doc = include_str!("coming_from_express.md")]
}

#[allow(
    clippy::test_attr_in_doctest,
    reason = "a test of the repository pastes them into a package and runs them there"
)]
pub mod in_your_application {
    #![doc = include_str!("links.md")]
    #![doc = include_str!("in_your_application.md")]
}

pub mod moving_from_express {
    #![doc = include_str!("links.md")]
    #![doc = include_str!("moving_from_express.md")]
}

pub mod on_a_cluster {
    #![doc = include_str!("links.md")]
    #![doc = include_str!("on_a_cluster.md")]
}

pub mod openid_connect {
    #![doc = include_str!("links.md")]
    #![doc = include_str!("openid_connect.md")]
}

pub mod settings {
    #![doc = include_str!("links.md")]
    #![doc = include_str!("settings.md")]
}

pub mod streams {
    #![doc = include_str!("links.md")]
    #![doc = include_str!("streams.md")]
}

pub mod testing_your_routes {
    #![doc = include_str!("links.md")]
    #![doc = include_str!("testing_your_routes.md")]
}

#[cfg(test)]
mod tests;
