//! Requests that another site has a browser send, and the forms of one's own.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]
#![allow(unreachable_pub, reason = "a test is nobody's library")]

#[path = "../support/mod.rs"]
mod support;

mod application;
mod refusals;
mod site;
mod tokens;
