//! Tests that count the statements of the server that all tests share, or need the whole machine.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]
#![allow(unreachable_pub, reason = "a test is nobody's library")]

#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "mysql")]
mod statements;
mod stress;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A lock for each of these tests.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    #[cfg(feature = "metrics")]
    testing::metrics::install();
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
