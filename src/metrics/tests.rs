//! The metrics by a recorder that all tests of this process share. Others count beside these tests, so each looks at what
//! was added by itself, or at a label that no other test uses.

#![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

use super::*;
use crate::error::Error;
use crate::store::contract;
use crate::store::memory::MemoryStore;
use crate::store::observed::Observed;

/// The sum of each metric with its labels, and how many were described.
static SUMS: Mutex<BTreeMap<String, f64>> = Mutex::new(BTreeMap::new());
static DESCRIBED: Mutex<Vec<String>> = Mutex::new(Vec::new());

pub(super) fn install() {
    metrics::set_global_recorder(Sums).unwrap();
}

fn sum(name: &str) -> f64 {
    SUMS.lock().unwrap()[name]
}

struct Sums;

struct Sum(String);

impl Sum {
    fn of(key: &Key) -> Arc<Self> {
        let labels = key.labels().map(|it| format!(" {}", it.value()));
        let name = key.name().to_owned() + &labels.collect::<String>();
        SUMS.lock().unwrap().insert(name.clone(), 0.0);
        Arc::new(Self(name))
    }

    fn add(&self, value: f64) {
        *SUMS.lock().unwrap().entry(self.0.clone()).or_default() += value;
    }
}

impl CounterFn for Sum {
    fn increment(&self, value: u64) {
        self.add(value as f64);
    }
    fn absolute(&self, _: u64) {}
}

impl GaugeFn for Sum {
    fn increment(&self, value: f64) {
        self.add(value);
    }
    fn decrement(&self, value: f64) {
        self.add(-value);
    }
    fn set(&self, value: f64) {
        SUMS.lock().unwrap().insert(self.0.clone(), value);
    }
}

/// Counts what it measures.
impl HistogramFn for Sum {
    fn record(&self, _: f64) {
        self.add(1.0);
    }
}

impl Recorder for Sums {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        DESCRIBED.lock().unwrap().push(name.as_str().to_owned());
    }
    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        self.describe_counter(name, unit, text);
    }
    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        self.describe_counter(name, unit, text);
    }
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Sum::of(key))
    }
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Sum::of(key))
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Sum::of(key))
    }
}

#[test]
fn each_metric_that_is_registered_is_described() {
    register();
    let mut described = DESCRIBED.lock().unwrap().clone();
    described.sort_unstable();
    let sums = SUMS.lock().unwrap();
    let mut registered: Vec<_> = sums.keys().filter_map(|it| it.split(' ').next()).collect();
    registered.dedup();
    assert_eq!(described, registered);
}

#[test]
fn each_answer_of_a_store_has_a_counter_of_its_verb_and_outcome() {
    register();
    let before = SUMS.lock().unwrap().clone();
    let store = Observed::around(Arc::new(MemoryStore::with_limit(100)), "memory", false);
    contract::check(&*store);
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
        "list done",
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

/// Opens connections that are numbers.
#[derive(Debug)]
struct Numbers;

impl r2d2::ManageConnection for Numbers {
    type Connection = u8;
    type Error = Error;
    fn connect(&self) -> Result<u8, Error> {
        Ok(7)
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
    #[derive(Debug)]
    struct Shared(Arc<Connections>);
    impl r2d2::HandleEvent for Shared {
        fn handle_acquire(&self, event: AcquireEvent) {
            self.0.handle_acquire(event);
        }
        fn handle_release(&self, event: ReleaseEvent) {
            self.0.handle_release(event);
        }
        fn handle_checkout(&self, event: CheckoutEvent) {
            self.0.handle_checkout(event);
        }
        fn handle_checkin(&self, event: CheckinEvent) {
            self.0.handle_checkin(event);
        }
    }
    let counts = Arc::new(Connections::default());
    let seen = || {
        let open = counts.open.load(Ordering::Relaxed);
        (open, open - counts.lent.load(Ordering::Relaxed))
    };
    let pool = r2d2::Pool::builder()
        .max_size(2)
        .min_idle(Some(0))
        .event_handler(Box::new(Shared(counts.clone())))
        .build(Numbers)
        .unwrap();
    assert_eq!(seen(), (0, 0));
    let mut one = pool.get().unwrap();
    assert_eq!(seen(), (1, 0));
    let other = pool.get().unwrap();
    assert_eq!(seen(), (2, 0));
    drop(other);
    assert_eq!(seen(), (2, 1));
    *one = 0;
    drop(one);
    assert_eq!(seen(), (1, 1), "a broken connection is closed");
}
