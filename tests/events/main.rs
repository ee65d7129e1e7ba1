//! What is told of sessions and users: each thing once, in a line that anybody can read and that
//! gives nothing away.

#![cfg(all(unix, feature = "app", feature = "sqlite"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test panics where it fails"
)]
#![allow(unreachable_pub, reason = "a test is nobody's library")]

mod addresses;
mod application;
mod hostile;
mod once;
mod outage;
mod refused;
mod site;
#[allow(unused_imports, unused_macros, reason = "on SQLite alone")]
#[path = "../support/mod.rs"]
mod support;
