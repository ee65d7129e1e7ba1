//! Tests that count the statements of the server that all tests share.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]
#![allow(unreachable_pub, reason = "a test is nobody's library")]

#[cfg(feature = "mysql")]
mod statements;
