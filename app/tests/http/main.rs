//! Uses the application as a process, over HTTP and on its command line.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]
#![allow(unreachable_pub, reason = "a test is nobody's library")]

mod accounts;
mod advisories;
mod api;
mod application;
mod bad_input;
mod clocks;
mod command_line;
mod cross_site;
mod diesel_cli;
mod events;
mod headers;
mod metrics;
mod output;
mod privacy;
mod reasons;
#[cfg(feature = "test_servers")]
mod redis;
mod refused_forms;
mod requirements;
mod session_end;
mod settings;
mod tabs;
mod throttle;
