//! Stops attempts to connect for a while after the server allowed no more connections.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::r2d2::Error;

use super::bad;
use crate::store::pool::connection_errors::is_full;

/// r2d2 tries again within a second.
const PAUSE: Duration = Duration::from_secs(60);

/// The server's last error about too many connections. It is ignored while no connection is open.
#[derive(Default)]
pub(super) struct ServerFull {
    /// Each connection holds a clone.
    open: Arc<()>,
    reached: Mutex<Option<(Instant, String)>>,
}

impl ServerFull {
    /// Connects, unless the server has just allowed no more connections.
    pub(super) fn keep<T>(
        &self,
        connect: impl FnOnce() -> Result<T, Error>,
    ) -> Result<(Arc<()>, T), Error> {
        let reached = || self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, error)) = &*reached()
            && at.elapsed() < PAUSE
            && Arc::strong_count(&self.open) > 1
        {
            return Err(bad(error.clone()));
        }
        let connection = connect().inspect_err(|error| {
            let error = error.to_string();
            if is_full(&error) {
                *reached() = Some((Instant::now(), error));
            }
        })?;
        Ok((self.open.clone(), connection))
    }
}
