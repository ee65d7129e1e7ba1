//! Whether this process serves requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// The most asks per second of a process that counts as idle: health checks and the like.
const IDLE: f64 = 20.0;

pub(super) struct Traffic {
    asked: Arc<AtomicU64>,
    /// When the asks were last counted, and how many there had been.
    counted: (Instant, u64),
}

impl Traffic {
    pub(super) fn new(asked: Arc<AtomicU64>, now: Instant) -> Self {
        let counted = (now, asked.load(Ordering::Relaxed));
        Self { asked, counted }
    }

    /// Returns `true` if requests have asked the store since the last call.
    pub(super) fn is_high(&mut self, now: Instant) -> bool {
        let asked = self.asked.load(Ordering::Relaxed);
        let (at, before) = std::mem::replace(&mut self.counted, (now, asked));
        let seconds = now.saturating_duration_since(at).as_secs_f64();
        (asked - before) as f64 > (IDLE * seconds).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn more_asks_than_health_checks_are_high_traffic() {
        let (asked, begin) = (Arc::new(AtomicU64::new(7)), Instant::now());
        let mut traffic = Traffic::new(asked.clone(), begin);
        let mut is_high_after = |seconds, asks| {
            asked.fetch_add(asks, Ordering::Relaxed);
            traffic.is_high(begin + Duration::from_secs(seconds))
        };
        assert!(!is_high_after(1, 0));
        assert!(!is_high_after(2, 20));
        assert!(is_high_after(3, 21));
        assert!(!is_high_after(13, 200));
        assert!(!is_high_after(13, 1));
    }
}
