//! What routes, browsers and stores see of sessions: the rows S1 to S25 of the feature list, over
//! HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test panics where it fails"
)]
#![allow(unreachable_pub, reason = "a test is nobody's library")]

mod bad_input;
mod cookies;
mod express;
mod failure;
mod features;
mod lifetime;
mod outside;
mod saving;
mod site;
mod users;
mod values;
