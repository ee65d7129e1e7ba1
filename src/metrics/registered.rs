//! The handles of all metrics, registered once, so that no count looks a name up.

use std::sync::LazyLock;

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use super::names;

/// The verbs of a store, with the outcomes of each beside `failed`.
const VERBS: &[(&str, &[&str])] = &[
    ("load", &["found", "not found"]),
    ("load_many", &["found", "not found"]),
    ("expiries", &["found", "not found"]),
    ("save_many", &["done", "stale", "taken"]),
    ("insert", &["done", "taken"]),
    ("update", &["done", "stale", "taken"]),
    ("touch", &["done"]),
    ("delete", &["deleted", "not found"]),
    ("list", &["done"]),
    ("all", &["done"]),
    ("delete_all", &["done"]),
    ("delete_expired", &["done"]),
    ("count", &["done"]),
    ("clear", &["done"]),
];

const DOORS: &[&str] = &["loads", "saves"];
const REASONS: &[&str] = &["signed_out", "other_session", "limit", "revoked", "expired"];

pub(super) struct Registered {
    pub(super) begun: Counter,
    pub(super) renewed: Counter,
    pub(super) ended: Labelled<Counter>,
    asks: Labelled<Labelled<Counter>>,
    pub(super) calls: Labelled<Histogram>,
    pub(super) queued: Gauge,
    pub(super) refused: Counter,
    pub(super) timed_out: Counter,
    pub(super) thread_replaced: Counter,
    pub(super) batch: Labelled<Histogram>,
    pub(super) waiting: Labelled<Gauge>,
    pub(super) wait: Labelled<Histogram>,
    pub(super) open: Gauge,
    pub(super) idle: Gauge,
    pub(super) checkout: Histogram,
    pub(super) connection_failed: Counter,
    pub(super) connection_timed_out: Counter,
    pub(super) cleanup_batches: Labelled<Counter>,
    pub(super) events: Labelled<Counter>,
}

impl Registered {
    /// Returns the counter of the answers to a verb that have this outcome.
    pub(super) fn asks(&self, verb: &str, outcome: &str) -> Option<&Counter> {
        self.asks.of(verb)?.of(outcome)
    }
}

/// Returns the handles, of the recorder that was installed at the first call.
pub(super) fn registered() -> &'static Registered {
    static REGISTERED: LazyLock<Registered> = LazyLock::new(|| {
        #[cfg(test)]
        testing::metrics::install();
        names::describe();
        register()
    });
    &REGISTERED
}

fn register() -> Registered {
    let verbs = VERBS.iter().map(|(verb, _)| *verb);
    let doors = || DOORS.iter().copied();
    Registered {
        begun: counter!(names::BEGUN),
        renewed: counter!(names::RENEWED),
        ended: labelled(
            REASONS.iter().copied(),
            |reason| counter!(names::ENDED, "reason" => reason),
        ),
        asks: Labelled(
            VERBS
                .iter()
                .map(|(verb, outcomes)| (*verb, asks(verb, outcomes)))
                .collect(),
        ),
        calls: labelled(verbs, |verb| histogram!(names::CALL, "verb" => verb)),
        queued: gauge!(names::QUEUED),
        refused: counter!(names::REFUSED),
        timed_out: counter!(names::TIMEOUTS),
        thread_replaced: counter!(names::REPLACED),
        batch: labelled(doors(), |door| histogram!(names::BATCH, "door" => door)),
        waiting: labelled(doors(), |door| gauge!(names::WAITING, "door" => door)),
        wait: labelled(doors(), |door| histogram!(names::WAIT, "door" => door)),
        open: gauge!(names::OPEN),
        idle: gauge!(names::IDLE),
        checkout: histogram!(names::CHECKOUT),
        connection_failed: counter!(names::NOT_OPENED),
        connection_timed_out: counter!(names::NOT_FREE),
        cleanup_batches: labelled(
            ["done", "failed"],
            |outcome| counter!(names::BATCHES, "outcome" => outcome),
        ),
        events: labelled(
            ["written", "dropped", "limited"],
            |outcome| counter!(names::EVENTS, "outcome" => outcome),
        ),
    }
}

fn asks(verb: &'static str, outcomes: &[&'static str]) -> Labelled<Counter> {
    let all = outcomes.iter().copied().chain(["failed"]);
    labelled(
        all,
        |it| counter!(names::ASKS, "verb" => verb, "outcome" => label(it)),
    )
}

fn label(outcome: &'static str) -> &'static str {
    match outcome {
        "not found" => "not_found",
        _ => outcome,
    }
}

/// Handles of one metric, by the value of its label.
pub(super) struct Labelled<T>(Vec<(&'static str, T)>);

impl<T> Labelled<T> {
    /// Returns `None` for a value that is not in the lists above, which is a bug.
    pub(super) fn of(&self, label: &str) -> Option<&T> {
        let found = self.0.iter().find(|(it, _)| *it == label);
        debug_assert!(found.is_some(), "no handle has the label {label}");
        found.map(|(_, handle)| handle)
    }
}

fn labelled<T>(
    values: impl IntoIterator<Item = &'static str>,
    handle: impl Fn(&'static str) -> T,
) -> Labelled<T> {
    Labelled(values.into_iter().map(|it| (it, handle(it))).collect())
}
