//! The library on SQLite or in memory: needs nothing but Rust.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]
#![allow(unreachable_pub, reason = "a test is nobody's library")]

mod advisories;
mod csrf;
mod events;
mod file;
mod log;
mod other_writers;
mod own_pool;
mod plain_http;
mod pools;
mod session;
