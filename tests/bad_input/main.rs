//! What browsers never send, and what people send by mistake, over HTTP.

#![cfg(all(feature = "app", feature = "sqlite"))]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]

mod fields;
mod forms;
mod http2;
mod pages;
#[path = "../support/mod.rs"]
mod support;
mod wire;
