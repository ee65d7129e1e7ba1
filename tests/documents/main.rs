//! Tests of the documents, the layers and Cargo.lock.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]
#![allow(unreachable_pub, reason = "a test is nobody's library")]

mod architecture;
#[cfg(unix)]
mod chromium;
mod dependencies;
mod guide;
#[cfg(unix)]
mod in_your_application;
mod layers;
mod links;
mod metrics;
mod migrations;
#[cfg(unix)]
mod openid_connect;
#[cfg(unix)]
mod package;
mod profiles;
mod public_names;
#[cfg(unix)]
mod readme;
mod reference;
mod security_table;
mod sources;
mod types;
mod words;
