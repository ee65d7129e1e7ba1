//! The names of all metrics, and their descriptions for the recorder.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

pub(super) const BEGUN: &str = "session_begun_total";
pub(super) const RENEWED: &str = "session_renewed_total";
pub(super) const ENDED: &str = "session_ended_total";
pub(super) const ASKS: &str = "session_store_asks_total";
pub(super) const CALL: &str = "session_store_call_seconds";
pub(super) const QUEUED: &str = "session_store_queued";
pub(super) const REFUSED: &str = "session_store_refused_total";
pub(super) const TIMEOUTS: &str = "session_store_timeouts_total";
pub(super) const REPLACED: &str = "session_store_threads_replaced_total";
pub(super) const BATCH: &str = "session_door_batch_size";
pub(super) const WAITING: &str = "session_door_waiting";
pub(super) const WAIT: &str = "session_door_wait_seconds";
pub(super) const OPEN: &str = "session_connections_open";
pub(super) const IDLE: &str = "session_connections_idle";
pub(super) const CHECKOUT: &str = "session_connections_wait_seconds";
pub(super) const NOT_OPENED: &str = "session_connections_failed_total";
pub(super) const NOT_FREE: &str = "session_connections_timeouts_total";
pub(super) const BATCHES: &str = "session_cleanup_batches_total";
pub(super) const EVENTS: &str = "session_events_total";

/// Describes each metric. A label has one of a few values, none of which comes from a client.
pub(super) fn describe() {
    use Unit::{Count, Seconds};
    describe_counter!(BEGUN, Count, "Sessions stored for the first time");
    describe_counter!(RENEWED, Count, "Sessions that got a new token");
    describe_counter!(ENDED, Count, "Sessions that ended, by reason");
    describe_counter!(
        ASKS,
        Count,
        "Records asked of the store, by verb and outcome"
    );
    describe_histogram!(CALL, Seconds, "Duration of one call of the store, by verb");
    describe_gauge!(QUEUED, Count, "Jobs that wait for a store thread");
    describe_counter!(REFUSED, Count, "Asks refused because a queue was full");
    describe_counter!(TIMEOUTS, Count, "Asks not answered within the timeout");
    describe_counter!(REPLACED, Count, "Store threads replaced because they hung");
    describe_histogram!(BATCH, Count, "Asks answered by one call, by door");
    describe_gauge!(WAITING, Count, "Asks that wait at a door");
    describe_histogram!(WAIT, Seconds, "Time that an ask waited at a door");
    describe_gauge!(OPEN, Count, "Open connections of the pools");
    describe_gauge!(IDLE, Count, "Open connections that no thread uses");
    describe_histogram!(
        CHECKOUT,
        Seconds,
        "Time until a connection of a pool was free"
    );
    describe_counter!(NOT_OPENED, Count, "Connections that could not be opened");
    describe_counter!(NOT_FREE, Count, "Waits that ended without a connection");
    describe_counter!(BATCHES, Count, "Batches of the cleanup, by outcome");
    describe_counter!(EVENTS, Count, "Lines of events, by outcome");
}
