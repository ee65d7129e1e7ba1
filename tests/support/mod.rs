//! What the whole-system tests share.

#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]

pub mod accounts;
pub mod application;
pub mod database;
pub mod proxy;
pub mod redis;
pub mod secrets;
pub mod server;
pub mod sql;
pub mod visitor;

/// Names one test for each backend; those that need a server are left out by a plain `cargo test`,
/// which says so.
#[allow(unused_macros, reason = "each test uses a part of it")]
macro_rules! on_every_backend {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test] fn $test() { super::$test(&super::support::database::sqlite()) })+
        }
        mod mariadb {
            $(#[test] #[ignore = "needs MariaDB: run ./test.sh"]
            fn $test() { super::$test(&super::support::database::mariadb()) })+
        }
        mod postgresql {
            $(#[test] #[ignore = "needs PostgreSQL: run ./test.sh"]
            fn $test() { super::$test(&super::support::database::postgresql()) })+
        }
    };
}
#[allow(unused_imports, reason = "each test uses a part of it")]
pub(crate) use on_every_backend;

/// Names one test for Redis alone and one for a cluster of it.
#[allow(unused_macros, reason = "each test uses a part of it")]
macro_rules! on_redis {
    ($($test:ident),+ $(,)?) => {
        mod redis {
            $(#[test] #[ignore = "needs Redis: run ./test.sh"]
            fn $test() { super::$test(&super::support::database::redis()) })+
        }
        mod redis_cluster {
            $(#[test] #[ignore = "needs Redis: run ./test.sh"]
            fn $test() { super::$test(&super::support::database::redis_cluster()) })+
        }
    };
}
#[allow(unused_imports, reason = "each test uses a part of it")]
pub(crate) use on_redis;
