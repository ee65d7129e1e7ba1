//! The example `moving_from_express`: Express and Rocket as processes of their own, on the same
//! sessions in MariaDB and in Redis.

#![cfg(all(feature = "app", feature = "mysql", feature = "redis"))]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]
#![allow(unreachable_pub, reason = "a test is nobody's library")]

#[allow(unused_imports, unused_macros, reason = "on backends of its own")]
#[path = "../support/mod.rs"]
mod support;

/// Names one test for each place where an Express application keeps its sessions.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod mariadb {
            $(#[test] #[ignore = "needs MariaDB and Node: run ./test.sh"]
            fn $test() { super::$test(&crate::side::Place::mariadb()) })+
        }
        mod redis {
            $(#[test] #[ignore = "needs Redis and Node: run ./test.sh"]
            fn $test() { super::$test(&crate::side::Place::redis()) })+
        }
    };
}

mod at_once;
mod rows;
mod side;
mod together;
