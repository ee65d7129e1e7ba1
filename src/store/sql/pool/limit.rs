//! A server that gives no more connections, and one that gives none: not asked all the time, and
//! logged once in a while.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::ConnectionError;
use diesel::r2d2::Error;

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

fn is_reached(error: &str) -> bool {
    TEXTS.iter().any(|text| error.contains(text))
}

/// What a server has said of too many connections; with none open it is asked all the same.
#[derive(Default)]
pub(super) struct Limit {
    /// Each connection holds a clone.
    open: Arc<()>,
    reached: Mutex<Option<(Instant, String)>>,
}

impl Limit {
    /// Connects, unless that has just failed because there are as many connections as may be.
    pub(super) fn keep<T>(
        &self,
        connect: impl FnOnce() -> Result<T, Error>,
    ) -> Result<(Arc<()>, T), Error> {
        let reached = || self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, error)) = &*reached()
            && at.elapsed() < PAUSE
            && Arc::strong_count(&self.open) > 1
        {
            let error = ConnectionError::BadConnection(error.clone());
            return Err(Error::ConnectionError(error));
        }
        let connection = connect().inspect_err(|error| {
            let error = error.to_string();
            if is_reached(&error) {
                *reached() = Some((Instant::now(), error));
            }
        })?;
        Ok((self.open.clone(), connection))
    }
}

/// Logs why there is no connection; the same reason once a minute.
#[derive(Debug, Default)]
pub(super) struct LogConnectionErrors(Mutex<Option<(Instant, String)>>);

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
}

impl<E: std::error::Error> r2d2::HandleError<E> for LogConnectionErrors {
    fn handle_error(&self, error: E) {
        let error = error.to_string();
        if self.is_new(&error) {
            let remedy = match is_reached(&error) {
                true => "; lower pool_size, or allow more connections",
                false => "",
            };
            log::warn!(
                "a connection to the database could not be made (logged once a minute): {}{remedy}",
                error.trim_end()
            );
        }
    }
}
