//! Databases, servers, visitors and small applications for the tests.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::new_without_default,
    clippy::panic,
    clippy::unwrap_used,
    reason = "only tests use it, and a test panics where it fails"
)]

pub mod accounts;
pub mod application;
pub mod clients;
pub mod corpus;
pub mod database;
mod features;
#[path = "../../app/src/serve/launch.rs"]
pub mod launch;
pub mod metrics;
#[cfg(feature = "postgres")]
pub mod postgresql;
mod provided;
pub mod proxy;
#[cfg(feature = "redis")]
pub mod redis;
mod routes;
pub mod secrets;
#[cfg(feature = "redis")]
pub mod sentinels;
pub mod server;
pub mod site;
pub mod sql;
pub mod streams;
pub mod switch;
pub mod visitor;
pub mod wire;

use std::path::Path;

pub use provided::provided;

/// The folder of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Returns a record with some fields changed: `changed!(record, version: 1, user_id)`.
#[macro_export]
macro_rules! changed {
    (@value $field:ident) => { $field };
    (@value $field:ident $value:expr) => { $value };
    ($record:expr, $($field:ident $(: $value:expr)?),+ $(,)?) => {{
        let mut record = $record;
        $(record.$field = $crate::changed!(@value $field $($value)?);)+
        record
    }};
}

/// Names one test for each backend; those that need a server are left out by a plain `cargo test`,
/// which says so.
#[macro_export]
macro_rules! on_every_backend {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test] fn $test() { super::$test(&$crate::database::sqlite()) })+
        }
        $crate::on_each_server!($($test),+);
    };
}

/// The same as `on_every_backend!` without SQLite.
#[macro_export]
macro_rules! on_each_server {
    ($($test:ident),+ $(,)?) => {
        mod mariadb {
            $(#[test] #[ignore = "needs MariaDB: run ./test.sh"]
            fn $test() { super::$test(&$crate::database::mariadb()) })+
        }
        mod postgresql {
            $(#[test] #[ignore = "needs PostgreSQL: run ./test.sh"]
            fn $test() { super::$test(&$crate::database::postgresql()) })+
        }
    };
}

/// Names one test for Redis alone and one for a cluster of it.
#[macro_export]
macro_rules! on_redis {
    ($($test:ident),+ $(,)?) => {
        mod redis {
            $(#[test] #[ignore = "needs Redis: run ./test.sh"]
            fn $test() { super::$test(&$crate::database::redis()) })+
        }
        mod redis_cluster {
            $(#[test] #[ignore = "needs Redis: run ./test.sh"]
            fn $test() { super::$test(&$crate::database::redis_cluster()) })+
        }
    };
}

/// Names one test for each backend, for Redis alone and for a cluster of it.
#[macro_export]
macro_rules! on_every_store {
    ($($test:ident),+ $(,)?) => {
        $crate::on_every_backend!($($test),+);
        $crate::on_redis!($($test),+);
    };
}
