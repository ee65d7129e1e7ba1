//! Logs why a pool has no connection.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::metrics;

/// r2d2 tries again within a second, for as long as its pool lives.
const PAUSE: Duration = Duration::from_secs(60);

/// 1226, 1203 and 1040 of MySQL and MariaDB; 53300 of PostgreSQL; PgBouncer.
const TEXTS: &[&str] = &[
    "resource (current value",
    "max_user_connections",
    "oo many connections",
    "too many clients",
    "remaining connection slots",
    "max_client_conn",
];

/// Returns `true` if the error says that the server allows no more connections.
pub(crate) fn is_full(error: &str) -> bool {
    TEXTS.iter().any(|text| error.contains(text))
}

/// Logs why no connection could be opened; the same reason once a minute.
///
/// r2d2's own handler of errors gets those of idle connections, too, which the pool only replaces.
#[derive(Debug, Default)]
pub(crate) struct LogConnectionErrors(Mutex<Option<(Instant, String)>>);

impl LogConnectionErrors {
    fn is_new(&self, error: &str) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = |(at, known): &(Instant, String)| at.elapsed() < PAUSE && known == error;
        if last.as_ref().is_some_and(is_known) {
            return false;
        }
        *last = Some((Instant::now(), error.to_owned()));
        true
    }

    pub(crate) fn log(&self, error: &impl std::error::Error) {
        metrics::connection_failed();
        let error = error.to_string();
        if self.is_new(&error) {
            let remedy = match is_full(&error) {
                true => "; lower pool_size, or allow more connections",
                false => "",
            };
            log::warn!(
                "no connection to the database could be opened (logged once a minute): {}{remedy}",
                error.trim_end()
            );
        }
    }
}
