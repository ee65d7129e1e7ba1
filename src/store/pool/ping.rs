//! Spares recently used connections the ping before each use.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A connection that was used less than this long ago is not pinged: a ping costs a round trip.
const TRUSTED: Duration = Duration::from_millis(500);

/// Trust in recently used connections. It ends when a connection is lost, since others may be lost too.
#[derive(Default)]
pub(crate) struct Trust {
    ended_at: Mutex<Option<Instant>>,
}

impl Trust {
    /// Returns `true` if a connection that was last used then needs no ping.
    pub(crate) fn covers(&self, used_at: Instant) -> bool {
        let ended_at = *self.ended_at.lock().unwrap_or_else(PoisonError::into_inner);
        used_at.elapsed() < TRUSTED && Some(used_at) > ended_at
    }

    pub(crate) fn end(&self) {
        let mut ended_at = self.ended_at.lock().unwrap_or_else(PoisonError::into_inner);
        *ended_at = Some(Instant::now());
    }
}
