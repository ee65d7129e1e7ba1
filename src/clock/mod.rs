//! The clock of the sessions: the store's if it has one, which all nodes share, else this machine's.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use crate::error::Error;

/// The largest difference between the nodes' clocks if the store has no clock, in milliseconds. A session
/// may have begun this far in the future, and the cleanup waits this long before it deletes.
pub(crate) const TOLERANCE: i64 = 24 * 60 * 60 * 1000;

const ASK_EVERY: Duration = Duration::from_secs(60);

/// How soon to ask again after this machine's clock was set, or the machine was suspended.
const ASK_AGAIN: Duration = Duration::from_secs(5);

const WARN_EVERY: Duration = Duration::from_secs(60 * 60);

/// The largest difference between clocks that is left without a warning.
const HARMLESS: i64 = 1_000;

/// An answer that takes longer is too inexact.
const SLOW: Duration = Duration::from_secs(1);

/// This machine's clock until the store has reported its time, then the store's.
///
/// Between two answers the monotonic clock decides, so setting this machine's clock changes nothing.
pub(crate) struct Clock {
    local: Box<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    known: Mutex<StoreTime>,
}

#[derive(Default)]
struct StoreTime {
    /// `true` if the store's clock is to be followed.
    follows: bool,
    anchor: Option<Anchor>,
    /// The time was read since the store was last asked.
    is_used: bool,
    asked_at: Option<Instant>,
    warned_at: Option<Instant>,
}

/// One instant on three clocks; times in Unix milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Anchor {
    at: Instant,
    store: i64,
    local: i64,
}

impl Anchor {
    fn store_at(&self, instant: Instant) -> i64 {
        self.store.saturating_add(self.passed(instant))
    }

    /// Returns by how much this machine's clock, which reads `local`, was set since.
    fn step(&self, instant: Instant, local: i64) -> i64 {
        local - self.local.saturating_add(self.passed(instant))
    }

    fn passed(&self, instant: Instant) -> i64 {
        let passed = instant.saturating_duration_since(self.at);
        i64::try_from(passed.as_millis()).unwrap_or(i64::MAX)
    }
}

impl Clock {
    /// Returns this machine's clock, which follows the store's once that was asked.
    pub(crate) fn of_this_machine() -> Self {
        Self::new(Utc::now, true)
    }

    /// Returns a clock of the application, which follows no other.
    pub(crate) fn given(local: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self::new(local, false)
    }

    fn new(local: impl Fn() -> DateTime<Utc> + Send + Sync + 'static, follows: bool) -> Self {
        Self {
            local: Box::new(local),
            known: Mutex::new(StoreTime {
                follows,
                ..StoreTime::default()
            }),
        }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        let mut known = self.known();
        known.is_used = true;
        let anchor = known.anchor;
        drop(known);
        let store = anchor.map(|anchor| anchor.store_at(Instant::now()));
        store
            .and_then(DateTime::from_timestamp_millis)
            .unwrap_or_else(|| (self.local)())
    }

    /// Returns the time in Unix milliseconds.
    pub(crate) fn millis(&self) -> i64 {
        self.now().timestamp_millis()
    }

    /// Returns a time before which a session has expired by the clock of every node, in Unix milliseconds.
    pub(crate) fn past_everywhere(&self) -> i64 {
        let known = self.known();
        let is_shared = known.anchor.is_some() || !known.follows;
        drop(known);
        match is_shared {
            true => self.millis(),
            false => self.millis().saturating_sub(TOLERANCE),
        }
    }

    /// Returns how far this machine's clock is ahead of the store's, or `None` if the store has none.
    pub(crate) fn difference(&self) -> Option<TimeDelta> {
        let anchor = self.known().anchor?;
        Some(TimeDelta::milliseconds(anchor.local - anchor.store))
    }

    /// Returns `true` if the store is to be asked again.
    pub(crate) fn is_due(&self) -> bool {
        let local = (self.local)().timestamp_millis();
        self.known().is_due(Instant::now(), local)
    }

    /// Asks the store for its time with `ask`, which blocks, and follows it.
    pub(crate) fn follow(
        &self,
        ask: impl FnOnce() -> Result<Option<i64>, Error>,
    ) -> Result<(), Error> {
        let asked_at = Instant::now();
        {
            let mut known = self.known();
            if !known.follows {
                return Ok(());
            }
            known.asked_at = Some(asked_at);
            known.is_used = false;
        }
        let before = (self.local)().timestamp_millis();
        let time = ask()?;
        let took = asked_at.elapsed();
        let half = i64::try_from(took.as_millis() / 2).unwrap_or_default();
        let anchor = time.map(|time| Anchor {
            at: asked_at + took / 2,
            store: time,
            local: before + half,
        });
        if let Some(warning) = self.known().learn(anchor, took) {
            log::warn!("{warning}");
        }
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, StoreTime> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StoreTime {
    fn is_due(&self, now: Instant, local: i64) -> bool {
        let waited = self
            .asked_at
            .map_or(Duration::MAX, |asked| now.saturating_duration_since(asked));
        let is_set = |anchor: Anchor| anchor.step(now, local).abs() > HARMLESS;
        self.follows
            && (self.is_used && waited >= ASK_EVERY
                || self.anchor.is_some_and(is_set) && waited >= ASK_AGAIN)
    }

    /// Adopts an answer, `None` from a store without a clock. Returns a warning if one is due.
    fn learn(&mut self, anchor: Option<Anchor>, took: Duration) -> Option<String> {
        let anchor = anchor?;
        if took > SLOW && self.anchor.is_some() {
            return None;
        }
        self.anchor = Some(anchor);
        let difference = anchor.local - anchor.store;
        let is_silent = self
            .warned_at
            .is_some_and(|at| anchor.at.saturating_duration_since(at) < WARN_EVERY);
        if difference.abs() <= HARMLESS || is_silent {
            return None;
        }
        self.warned_at = Some(anchor.at);
        Some(warning(difference))
    }
}

/// Returns the warning that the clocks differ, with the remedy.
fn warning(difference: i64) -> String {
    let seconds = Duration::from_secs(difference.unsigned_abs() / 1_000);
    let direction = match difference > 0 {
        true => "ahead of",
        false => "behind",
    };
    format!(
        "this machine's clock is {} {direction} the database server's; sessions go by the database \
         server's clock, but synchronise both with NTP",
        humantime::format_duration(seconds)
    )
}

#[cfg(test)]
mod tests;
