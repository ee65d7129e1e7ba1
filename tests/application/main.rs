//! The application over HTTP, as a process of its own.

#![cfg(all(feature = "app", feature = "sqlite"))]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]

mod forms;
mod launch;
mod sign_in;
#[path = "../support/mod.rs"]
mod support;

/// Well-formed, and nobody's.
const MADE_UP: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
