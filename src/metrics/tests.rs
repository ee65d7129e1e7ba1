//! The metrics by a recorder that all tests of this process share. Others count beside these tests, so each looks at a
//! metric that others only add to, or at one of its own.

#![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

use std::sync::Arc;
use std::time::Duration;

use testing::metrics::{described, gauge, sum, sums};
use testing::server::wait_until;

use super::*;
use crate::error::Error;
use crate::store::contract;
use crate::store::memory::MemoryStore;
use crate::store::observed::Observed;
use crate::store::pool::Bounds;
#[cfg(feature = "sqlite")]
use crate::store::{DieselStore, Store};

#[test]
fn each_metric_that_is_registered_is_described() {
    register();
    let mut described = described();
    described.sort_unstable();
    let sums = sums();
    let mut registered: Vec<_> = sums.keys().filter_map(|it| it.split(' ').next()).collect();
    registered.retain(|it| it.starts_with("session_"));
    registered.dedup();
    assert_eq!(described, registered);
}

#[test]
fn each_answer_of_a_store_has_a_counter_of_its_verb_and_outcome() {
    register();
    let before = sums();
    let store = Observed::around(Arc::new(MemoryStore::with_limit(100)), "memory", false);
    contract::check(&*store);
    store.expiries(&[&contract::record().key], 0);
    store.all(0, None, 1).unwrap();
    store.count(0).unwrap();
    let full = Observed::around(Arc::new(MemoryStore::with_limit(0)), "memory", false);
    full.insert(&contract::record()).unwrap_err();
    for answer in [
        "load found",
        "load not_found",
        "load_many found",
        "load_many not_found",
        "save_many done",
        "save_many stale",
        "save_many taken",
        "insert done",
        "insert taken",
        "insert failed",
        "update done",
        "update stale",
        "update taken",
        "touch done",
        "delete deleted",
        "delete not_found",
        "expiries not_found",
        "list done",
        "all done",
        "count done",
        "delete_all done",
        "delete_expired done",
        "clear done",
    ] {
        let name = format!("session_store_asks_total {answer}");
        assert!(sum(&name) > before[&name], "{name}");
    }
    let name = "session_store_call_seconds load";
    assert!(sum(name) > before[name]);
}

/// Opens connections that are numbers, unless it is out of order.
#[derive(Debug, Default)]
struct Numbers {
    is_out_of_order: bool,
}

impl r2d2::ManageConnection for Numbers {
    type Connection = u8;
    type Error = Error;
    fn connect(&self) -> Result<u8, Error> {
        match self.is_out_of_order {
            true => Err(Error::unavailable("as ordered")),
            false => Ok(7),
        }
    }
    fn is_valid(&self, _: &mut u8) -> Result<(), Error> {
        Ok(())
    }
    fn has_broken(&self, number: &mut u8) -> bool {
        *number == 0
    }
}

#[test]
fn connections_are_counted_open_and_idle_until_they_are_closed() {
    let seen = || (sum("open"), sum("idle"));
    let counts = Connections {
        open: Level::of(gauge("open")),
        idle: Level::of(gauge("idle")),
    };
    let pool = r2d2::Pool::builder()
        .max_size(2)
        .min_idle(Some(0))
        .event_handler(Box::new(counts))
        .build(Numbers::default())
        .unwrap();
    assert_eq!(seen(), (0.0, 0.0));
    let mut one = pool.get().unwrap();
    assert_eq!(seen(), (1.0, 0.0));
    let other = pool.get().unwrap();
    assert_eq!(seen(), (2.0, 0.0));
    drop(other);
    assert_eq!(seen(), (2.0, 1.0));
    *one = 0;
    drop(one);
    assert_eq!(seen(), (1.0, 1.0), "a broken connection is closed");
    drop(pool);
    wait_until("no connection", Duration::from_secs(20), || {
        seen() == (0.0, 0.0)
    });
}

#[test]
fn a_wait_for_a_connection_is_measured_and_its_end_in_vain_counted() {
    let mut bounds = Bounds::of_size(1);
    let pool = bounds.pool(Numbers::default());
    raised(&["session_connections_wait_seconds"], || {
        pool.get().unwrap();
    });
    let is_out_of_order = true;
    bounds.timeout = Duration::from_millis(50);
    let pool = bounds.pool(Numbers { is_out_of_order });
    raised(&["session_connections_timeouts_total"], || {
        pool.get().unwrap_err()
    });
}

#[cfg(feature = "sqlite")]
#[test]
fn a_connection_that_cannot_be_opened_is_counted() {
    let file = "/no/such/folder/app.db";
    let store = DieselStore::<diesel::SqliteConnection>::connect(file, 1);
    raised(&["session_connections_failed_total"], || {
        store.count(0).unwrap_err()
    });
}
