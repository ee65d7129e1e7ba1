//! Which connections are used without asking whether they still live.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A connection that was used less than this long ago is trusted: the question costs a round trip.
const TRUSTED: Duration = Duration::from_millis(500);

/// Ends whenever a connection is lost: the others may have gone with it.
#[derive(Default)]
pub(crate) struct Trust {
    ended_at: Mutex<Option<Instant>>,
}

impl Trust {
    /// Whether it covers a connection that was last used then.
    pub(crate) fn covers(&self, used_at: Instant) -> bool {
        let ended_at = *self.ended_at.lock().unwrap_or_else(PoisonError::into_inner);
        used_at.elapsed() < TRUSTED && Some(used_at) > ended_at
    }

    pub(crate) fn end(&self) {
        let mut ended_at = self.ended_at.lock().unwrap_or_else(PoisonError::into_inner);
        *ended_at = Some(Instant::now());
    }
}
