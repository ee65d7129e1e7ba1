//! What the application does with accounts and their sessions, over HTTP and on each backend.

#![cfg(all(feature = "app", feature = "sqlite"))]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]

mod closed;
mod crash;
mod devices;
mod messages;
mod own_users;
mod password;
mod remember;
mod rules;
#[path = "../support/mod.rs"]
mod support;
