//! Sessions in Redis, alone and as a cluster: what is in there, and what happens when it fails.

#![cfg(all(feature = "app", feature = "sqlite", feature = "redis"))]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]

mod cluster;
mod encrypted;
mod launch;
mod outage;
mod records;
mod renewal;
#[allow(unused_imports, unused_macros, reason = "for Redis alone")]
#[path = "../support/mod.rs"]
mod support;
mod texts;
mod users;
