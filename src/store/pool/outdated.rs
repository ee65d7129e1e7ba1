//! Marks connections that must not be used again although they are not known to be broken.

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
    /// Returns `true` if a connection opened then is marked.
    pub(crate) fn covers(&self, made_at: Instant) -> bool {
        Some(made_at) <= *self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks all connections that are open now; once a second at most, since a server that takes no writes
    /// for a while still answers reads.
    pub(crate) fn mark_all(&self) {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        if at.is_none_or(|at| at.elapsed() > Duration::from_secs(1)) {
            *at = Some(Instant::now());
        }
    }

    /// Counts connections that hang, which never return to their pool, and marks all others.
    pub(crate) fn hang(&self) {
        self.hangs.fetch_add(1, Ordering::SeqCst);
        self.mark_all();
    }

    /// Returns how often connections hung.
    pub(crate) fn hangs(&self) -> u64 {
        self.hangs.load(Ordering::SeqCst)
    }
}
