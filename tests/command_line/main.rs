//! The command line, as a process of its own beside the application and on each backend.

#![cfg(all(feature = "app", feature = "sqlite"))]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]
#![allow(unreachable_pub, reason = "a test is nobody's library")]

#[path = "../support/mod.rs"]
mod support;

mod check;
mod list;
mod program;
mod revoke;
mod settings;
mod sweep;
mod users;
