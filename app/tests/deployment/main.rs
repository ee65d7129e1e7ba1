//! Runs the files of `deploy`: nginx and HAProxy in front of the application, and databases
//! over TLS with a least-privilege account.

#![cfg(feature = "test_servers")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]
#![allow(unreachable_pub, reason = "a test is nobody's library")]

/// Names one test for each proxy.
macro_rules! behind_both {
    ($($test:ident),+ $(,)?) => {
        mod nginx {
            $(#[test] #[ignore = "needs nginx: run ./test.sh"]
            fn $test() { super::$test(crate::site::Kind::Nginx) })+
        }
        mod haproxy {
            $(#[test] #[ignore = "needs HAProxy: run ./test.sh"]
            fn $test() { super::$test(crate::site::Kind::Haproxy) })+
        }
    };
}

mod authority;
mod client;
mod encrypted;
mod framing;
mod mariadb;
mod outside;
mod postgresql;
mod prometheus;
mod rights;
mod rolling;
mod settings;
mod site;
mod slow;
mod stream_backend;
mod streams;
mod unit;
