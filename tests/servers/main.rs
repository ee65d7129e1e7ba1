//! The library on every database; tests that need a server are ignored unless `./test.sh` runs them.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]
#![allow(unreachable_pub, reason = "a test is nobody's library")]

mod advisories;
mod backup;
mod batches;
mod bearer;
mod begin;
mod cleanup;
mod clocks;
mod concurrency;
mod contract;
mod database;
mod earlier_version;
#[cfg(all(feature = "mysql", feature = "redis"))]
mod express;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod failover;
mod foreign_tables;
#[cfg(feature = "mysql")]
mod galera;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod limited;
mod listeners;
mod logging;
mod messages;
#[cfg(feature = "mysql")]
mod migrations;
mod own_tables;
#[cfg(feature = "postgres")]
mod pooler;
mod random_batches;
#[cfg(feature = "redis")]
mod redis;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod rights;
mod shutdown;
mod sign_in_levels;
mod signed_in;
#[cfg(feature = "tracing")]
mod spans;
#[cfg(feature = "postgres")]
mod standby;
mod streams;
mod table;
mod timeouts;
mod transaction;
#[cfg(feature = "mysql")]
mod unsuitable;
mod user_join;
mod user_key;
mod user_names;
mod was_ended;
