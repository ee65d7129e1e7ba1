//! Counts and measures for the recorder of the crate `metrics`. Without the feature `metrics` they do nothing.

#[cfg(feature = "metrics")]
mod names;
#[cfg(feature = "metrics")]
mod registered;

#[cfg(feature = "metrics")]
use std::sync::atomic::{AtomicI32, Ordering};
#[cfg(feature = "metrics")]
use std::time::Instant;

#[cfg(feature = "metrics")]
use metrics::Gauge;
#[cfg(feature = "metrics")]
use r2d2::event::{AcquireEvent, CheckinEvent, CheckoutEvent, ReleaseEvent, TimeoutEvent};

#[cfg(feature = "metrics")]
use self::registered::registered;

/// Makes a function that adds one to each counter.
macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        pub(crate) fn $name() {
            #[cfg(feature = "metrics")]
            registered().$name.increment(1);
        }
    )*};
}

/// Makes a function that adds to the counter of a label.
macro_rules! labelled_counters {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[cfg_attr(
            not(feature = "metrics"),
            allow(unused_variables, reason = "without the feature nothing is counted")
        )]
        pub(crate) fn $name(label: &'static str, count: u64) {
            #[cfg(feature = "metrics")]
            if let Some(counter) = registered().$name.of(label) {
                counter.increment(count);
            }
        }
    )*};
}

counters! {
    /// Counts a session that was stored for the first time.
    begun
    /// Counts a session that got a new token.
    renewed
    /// Counts an ask that a full queue refused.
    refused
    /// Counts an ask that was not answered in time.
    timed_out
    /// Counts a thread that hung.
    thread_replaced
    /// Counts a connection that could not be opened, or failed its check.
    connection_failed
}

labelled_counters! {
    /// Counts sessions that ended for this reason.
    ended
    /// Counts batches of the cleanup with this outcome.
    cleanup_batches
    /// Counts lines of events with this outcome.
    events
}

/// Describes and registers all metrics. A recorder that is installed later gets none of them.
pub(crate) fn register() {
    #[cfg(feature = "metrics")]
    registered();
}

/// Adds to the number of jobs that wait for a store thread.
#[cfg_attr(
    not(feature = "metrics"),
    allow(unused_variables, reason = "without the feature nothing is counted")
)]
pub(crate) fn queued(jobs: i32) {
    #[cfg(feature = "metrics")]
    registered().queued.increment(f64::from(jobs));
}

/// The time since something began.
#[derive(Clone, Copy)]
pub(crate) struct Since(#[cfg(feature = "metrics")] Instant);

impl Since {
    pub(crate) fn now() -> Self {
        Self(
            #[cfg(feature = "metrics")]
            Instant::now(),
        )
    }
}

/// Measures one call of the store, and counts the outcome for each of its records.
#[cfg_attr(
    not(feature = "metrics"),
    allow(unused_variables, reason = "without the feature nothing is measured")
)]
pub(crate) fn called(verb: &str, since: Since, outcomes: impl Iterator<Item = &'static str>) {
    #[cfg(feature = "metrics")]
    {
        let registered = registered();
        if let Some(calls) = registered.calls.of(verb) {
            calls.record(since.0.elapsed());
        }
        for counter in outcomes.filter_map(|outcome| registered.asks(verb, outcome)) {
            counter.increment(1);
        }
    }
}

/// Sets the number of asks that wait at a door.
#[cfg_attr(
    not(feature = "metrics"),
    allow(unused_variables, reason = "without the feature nothing is set")
)]
pub(crate) fn waiting_at_door(door: &str, asks: usize) {
    #[cfg(feature = "metrics")]
    if let Some(waiting) = registered().waiting.of(door) {
        waiting.set(asks as f64);
    }
}

/// Measures a batch of a door, and how long each of its asks waited.
#[cfg_attr(
    not(feature = "metrics"),
    allow(unused_variables, reason = "without the feature nothing is measured")
)]
pub(crate) fn batch_of_door(door: &str, waits: impl ExactSizeIterator<Item = Since>) {
    #[cfg(feature = "metrics")]
    if let (Some(batch), Some(wait)) = (registered().batch.of(door), registered().wait.of(door)) {
        batch.record(waits.len() as f64);
        waits.for_each(|since| wait.record(since.0.elapsed()));
    }
}

/// Counts the connections of one pool.
#[cfg(feature = "metrics")]
#[derive(Debug)]
pub(crate) struct Connections {
    open: Level,
    idle: Level,
}

#[cfg(feature = "metrics")]
impl Connections {
    pub(crate) fn of_new_pool() -> Self {
        Self {
            open: Level::of(registered().open.clone()),
            idle: Level::of(registered().idle.clone()),
        }
    }
}

#[cfg(feature = "metrics")]
impl r2d2::HandleEvent for Connections {
    fn handle_acquire(&self, _: AcquireEvent) {
        self.open.add(1);
        self.idle.add(1);
    }

    fn handle_release(&self, _: ReleaseEvent) {
        self.open.add(-1);
        self.idle.add(-1);
    }

    fn handle_checkout(&self, event: CheckoutEvent) {
        self.idle.add(-1);
        registered().checkout.record(event.duration());
    }

    fn handle_checkin(&self, _: CheckinEvent) {
        self.idle.add(1);
    }

    fn handle_timeout(&self, _: TimeoutEvent) {
        registered().connection_timed_out.increment(1);
    }
}

/// The part of a gauge that one pool adds. A pool that is dropped closes its connections without an event.
#[cfg(feature = "metrics")]
#[derive(Debug)]
struct Level {
    gauge: Gauge,
    added: AtomicI32,
}

#[cfg(feature = "metrics")]
impl Level {
    fn of(gauge: Gauge) -> Self {
        Self {
            gauge,
            added: AtomicI32::default(),
        }
    }

    fn add(&self, number: i32) {
        self.added.fetch_add(number, Ordering::Relaxed);
        self.gauge.increment(f64::from(number));
    }
}

#[cfg(feature = "metrics")]
impl Drop for Level {
    fn drop(&mut self) {
        self.gauge.decrement(f64::from(*self.added.get_mut()));
    }
}

/// Fails unless `work` adds to each of these metrics.
#[cfg(test)]
pub(crate) fn raised<T>(names: &[&str], work: impl FnOnce() -> T) -> T {
    register();
    #[cfg(feature = "metrics")]
    let before = testing::metrics::sums();
    let answer = work();
    for name in names {
        #[cfg(feature = "metrics")]
        assert!(testing::metrics::sum(name) > before[*name], "{name}");
        #[cfg(not(feature = "metrics"))]
        let _ = name;
    }
    answer
}

#[cfg(all(test, feature = "metrics"))]
mod tests;
