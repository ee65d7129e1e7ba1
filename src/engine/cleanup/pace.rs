//! The rest after each batch of the cleanup, by whether requests are served and by how the backlog grows.

use std::time::{Duration, Instant};

/// The rest before the first full batch counts as no longer than this multiple of its duration.
const POLITE: f64 = 20.0;

/// The shortest rest, as a multiple of the batch's duration.
const URGENT: f64 = 2.0;

/// The least rest while this process serves requests, unless the backlog grows.
const BUSY: f64 = 25.0;

/// How often to look whether the backlog grows older.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The shortest rest of all, for a store that takes no time.
const LEAST: Duration = Duration::from_millis(5);

/// Shortens the rest while batches are full, and lengthens it when they are not.
///
/// Nodes that share a table share the work by it: each deletes what the others leave.
pub(crate) struct Pace {
    batch: u64,
    longest: Duration,
    rest: Duration,
    /// The earliest expiry, and when that was so.
    looked: Option<(Instant, Option<i64>)>,
    /// 1, or more after the backlog grew.
    hurry: f64,
}

impl Pace {
    /// Returns the pace of batches of up to `batch` sessions, with rests of up to `longest`.
    pub(crate) fn new(batch: u32, longest: Duration) -> Self {
        Self {
            batch: batch.into(),
            longest,
            rest: longest,
            looked: None,
            hurry: 1.0,
        }
    }

    /// Returns the rest after a batch that deleted so many sessions and took so long. `is_serving` says that requests
    /// need the database, too.
    pub(crate) fn after(&mut self, deleted: u64, took: Duration, is_serving: bool) -> Duration {
        if deleted < self.batch {
            (self.looked, self.hurry) = (None, 1.0);
        }
        self.rest = match deleted {
            0 => self.longest,
            few if few < self.batch => (self.rest * 2).min(self.longest),
            _ => {
                let shorter = self.rest.min(took.mul_f64(POLITE)).mul_f64(0.5);
                let least = if is_serving {
                    BUSY / self.hurry
                } else {
                    URGENT
                };
                shorter.max(took.mul_f64(least.max(URGENT)))
            }
        };
        self.rest = self.rest.max(LEAST);
        self.rest
    }

    /// Returns `true` if the earliest expiry has to be looked up after the last batch.
    pub(crate) fn is_to_look(&self, now: Instant) -> bool {
        let is_due = |(at, _): (Instant, _)| now.saturating_duration_since(at) >= LOOK_EVERY;
        self.rest < LOOK_EVERY && self.looked.is_none_or(is_due)
    }

    /// Takes the earliest expiry, if the store knows it. The cleanup falls behind while this moves slower than
    /// time, and a little more, so that it catches up in the end.
    pub(crate) fn look(&mut self, now: Instant, first: Option<i64>) {
        let before = self.looked.replace((now, first));
        let falls_behind = match (before, first) {
            (_, None) => true,
            (Some((at, Some(before))), Some(first)) => {
                let passed = now.saturating_duration_since(at).mul_f64(1.1);
                let passed = i64::try_from(passed.as_millis()).unwrap_or(i64::MAX);
                first.saturating_sub(before) < passed
            }
            _ => return,
        };
        let hurry = self.hurry * if falls_behind { 1.5 } else { 0.8 };
        self.hurry = hurry.clamp(1.0, BUSY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BATCH: u64 = 200;
    const INTERVAL: Duration = Duration::from_secs(30);
    const QUICK: Duration = Duration::from_millis(4);
    const SLOW: Duration = Duration::from_millis(6);
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn pace() -> Pace {
        Pace::new(BATCH as u32, INTERVAL)
    }

    /// Returns the rest after full batches of this duration on an idle database.
    fn under_backlog(pace: &mut Pace, batches: u32, took: Duration) -> Duration {
        rest_after(pace, batches, took, false)
    }

    fn rest_after(pace: &mut Pace, batches: u32, took: Duration, is_serving: bool) -> Duration {
        (0..batches).fold(Duration::MAX, |before, _| {
            let rest = pace.after(BATCH, took, is_serving);
            assert!(rest <= before, "{rest:?} after {before:?}");
            rest
        })
    }

    #[test]
    fn without_anything_to_delete_the_rest_is_the_interval() {
        let mut pace = pace();
        assert_eq!(pace.after(0, QUICK, false), INTERVAL);
        under_backlog(&mut pace, 30, QUICK);
        assert_eq!(pace.after(0, QUICK, false), INTERVAL);
    }

    #[test]
    fn a_backlog_shortens_the_rest_step_by_step() {
        let mut pace = pace();
        let first = under_backlog(&mut pace, 1, QUICK);
        assert_eq!(first, QUICK * 10);
        assert_eq!(under_backlog(&mut pace, 30, QUICK), QUICK * 2);
    }

    #[test]
    fn requests_get_more_of_the_time() {
        let idle = under_backlog(&mut pace(), 30, QUICK);
        let serving = rest_after(&mut pace(), 30, QUICK, true);
        assert!(serving > idle * 7, "{serving:?} {idle:?}");
    }

    #[test]
    fn a_batch_that_is_not_full_lengthens_the_rest() {
        let mut pace = pace();
        let rest = under_backlog(&mut pace, 30, QUICK);
        assert_eq!(pace.after(BATCH - 1, QUICK, false), rest * 2);
        for _ in 0..20 {
            pace.after(1, QUICK, false);
        }
        assert_eq!(pace.after(1, QUICK, false), INTERVAL);
    }

    #[test]
    fn a_store_that_takes_no_time_gets_a_rest() {
        assert_eq!(under_backlog(&mut pace(), 30, Duration::ZERO), LEAST);
    }

    #[test]
    fn a_store_that_does_not_say_what_is_expired_gets_no_long_rests() {
        let mut pace = pace();
        let unhurried = rest_after(&mut pace, 30, SLOW, true);
        for _ in 0..10 {
            pace.look(Instant::now(), None);
        }
        assert!(rest_after(&mut pace, 30, SLOW, true) < unhurried / 2);
    }

    /// What is left after a time, if `rate` sessions have expired and expire each second. The first did so
    /// `age` ago, and each batch takes the same time.
    struct Outcome {
        /// The largest and the last backlog.
        most: f64,
        left: f64,
        deleted: f64,
        took: Duration,
    }

    fn after(
        time: Duration,
        rate: f64,
        age: Duration,
        until: Duration,
        (took, is_serving): (Duration, bool),
    ) -> Outcome {
        let (mut pace, begin) = (pace(), Instant::now());
        let (mut now, mut front) = (Duration::ZERO, 0.0);
        let (mut rest, mut most, mut left) = (INTERVAL, 0.0_f64, 1.0);
        while now < time && (left >= 1.0 || now < until) {
            now += rest + took;
            let expired = (age + now.min(until)).as_secs_f64();
            left = (expired - front) * rate;
            most = most.max(left);
            let deleted = left.min(BATCH as f64).floor();
            front += deleted / rate;
            left -= deleted;
            rest = pace.after(deleted as u64, took, is_serving);
            if pace.is_to_look(begin + now) {
                pace.look(begin + now, Some((front * 1e3) as i64));
            }
        }
        let deleted = front * rate;
        let took = now;
        Outcome {
            most,
            left,
            deleted,
            took,
        }
    }

    #[test]
    fn a_steady_stream_is_kept_up_with_and_hardly_faster() {
        let time = Duration::from_secs(600);
        for took in [QUICK, SLOW, SLOW * 2] {
            let outcome = after(time, 2_000.0, Duration::ZERO, time, (took, true));
            let Outcome {
                most,
                left,
                deleted,
                ..
            } = outcome;
            assert!(most < 110_000.0 && left < most, "{most} {left} {took:?}");
            assert!(deleted > 2_000.0 * 550.0, "{deleted} {took:?}");
        }
    }

    #[test]
    fn a_million_sessions_of_a_day_are_gone_within_15_minutes_at_their_ease() {
        let rate = 1e6 / DAY.as_secs_f64();
        let minutes = |took, is_serving| {
            let outcome = after(DAY, rate, DAY, Duration::ZERO, (took, is_serving));
            assert!(outcome.left < 1.0);
            outcome.took.as_secs_f64() / 60.0
        };
        assert!(minutes(QUICK, false) < 2.0, "{}", minutes(QUICK, false));
        for took in [QUICK, SLOW] {
            let minutes = minutes(took, true);
            assert!((5.0..15.0).contains(&minutes), "{minutes} {took:?}");
        }
    }
}
