//! A recorder that adds up what each metric gets.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Once};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

/// The sum of each metric, by its name and the values of its labels. A histogram counts what it measures.
static SUMS: Mutex<BTreeMap<String, f64>> = Mutex::new(BTreeMap::new());
static DESCRIBED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Makes this the recorder of the process.
pub fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| metrics::set_global_recorder(Sums).unwrap());
}

/// The sum of a metric, such as `session_ended_total limit`. Panics if there is none of this name.
pub fn sum(name: &str) -> f64 {
    sums()[name]
}

pub fn sums() -> BTreeMap<String, f64> {
    SUMS.lock().unwrap().clone()
}

/// The names of the metrics that are described.
pub fn described() -> Vec<String> {
    DESCRIBED.lock().unwrap().clone()
}

/// A gauge of a test alone.
pub fn gauge(name: &str) -> Gauge {
    Gauge::from_arc(Sum::of(&Key::from_name(name.to_owned())))
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
