//! The connections that are not used any more, though nothing is known to be wrong with them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// When connections were found outdated; a clone shares it.
#[derive(Clone, Default)]
pub(crate) struct Outdated {
    at: Arc<Mutex<Option<Instant>>>,
    hangs: Arc<AtomicU64>,
}

impl Outdated {
    /// Whether a connection that was made then is as old as one that was found outdated.
    pub(crate) fn covers(&self, made_at: Instant) -> bool {
        Some(made_at) <= *self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has no connection used again that exists now; once a second at most, since a server that
    /// takes no writes for long still answers reads.
    pub(crate) fn mark_all(&self) {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        if at.is_none_or(|at| at.elapsed() > Duration::from_secs(1)) {
            *at = Some(Instant::now());
        }
    }

    /// Marks all connections because some hang, which are never returned to their pool.
    pub(crate) fn hang(&self) {
        self.hangs.fetch_add(1, Ordering::SeqCst);
        self.mark_all();
    }

    /// Counts how often connections hung.
    pub(crate) fn hangs(&self) -> u64 {
        self.hangs.load(Ordering::SeqCst)
    }
}
