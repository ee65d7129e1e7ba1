//! The example `moving_from_express`: Express and Rocket as processes, on the same sessions in MariaDB
//! and in Redis.

/// Names one test for each place where an Express application keeps its sessions.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod mariadb {
            $(#[test] #[ignore = "needs MariaDB and Node: run ./test.sh"]
            fn $test() { super::$test(&super::super::side::Place::mariadb()) })+
        }
        mod redis {
            $(#[test] #[ignore = "needs Redis and Node: run ./test.sh"]
            fn $test() { super::$test(&super::super::side::Place::redis()) })+
        }
    };
}

mod at_once;
mod rows;
mod side;
mod together;
mod tutorial;
