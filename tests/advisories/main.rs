//! What went wrong in others: each test is named after the advisory that it would have caught, or
//! after the project and the year where there is no number.

#![cfg(all(feature = "app", feature = "sqlite"))]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]
#![allow(unreachable_pub, reason = "a test is nobody's library")]

mod creation;
mod dependencies;
mod endings;
#[allow(dead_code, reason = "the site's tests use all of it")]
#[path = "../session/features.rs"]
mod features;
mod fixation;
mod injection;
mod leaks;
#[allow(dead_code, reason = "the site's tests use all of it")]
#[path = "../session/site.rs"]
mod site;
#[path = "../support/mod.rs"]
mod support;
