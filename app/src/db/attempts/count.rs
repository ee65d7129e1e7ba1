//! Decides from a counter when the next attempt is allowed.

use diesel::prelude::*;

use crate::db::schema::attempts;

/// The first wait in milliseconds. Each later one is twice as long.
pub(crate) const FIRST_WAIT: i64 = 30_000;
/// The longest wait.
const LONGEST_WAIT: i64 = 15 * 60_000;
/// A counter starts again after this long without an attempt.
pub(crate) const FORGOTTEN: i64 = 24 * 60 * 60_000;

/// A comparison has ended after this long, even if its process was killed.
const COMPARED: i64 = 60_000;

/// The stored state of a counter.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Queryable, Selectable, AsChangeset, Insertable,
)]
#[diesel(table_name = attempts)]
pub(crate) struct AttemptCount {
    pub(crate) failures: i64,
    pub(crate) next_at: i64,
    pub(crate) last_at: i64,
    /// Attempts in progress.
    pub(crate) under_way: i64,
}

/// The reason for which no attempt is allowed.
#[derive(Debug, PartialEq)]
pub(crate) enum Refused {
    /// Too many attempts failed. Holds the remaining wait in milliseconds.
    Wait(i64),
    /// Too many attempts are in progress.
    UnderWay,
}

impl AttemptCount {
    /// Adds an attempt in progress.
    pub(crate) fn begin(self, limit: i64, now: i64) -> Result<Self, Refused> {
        let forgotten = now - self.last_at >= FORGOTTEN;
        let ended = now - self.last_at >= COMPARED;
        let failures = if forgotten { 0 } else { self.failures };
        let under_way = if ended { 0 } else { self.under_way };
        let wait = self.next_at - now;
        // A slightly longer wait comes from another node's clock, a much longer one from a
        // clock that was set back.
        if !forgotten && (1..=2 * LONGEST_WAIT).contains(&wait) {
            return Err(match failures < limit && under_way > 0 {
                true => Refused::UnderWay,
                false => Refused::Wait(wait.min(LONGEST_WAIT)),
            });
        }
        let beyond = failures + under_way + 1 - limit;
        Ok(Self {
            failures,
            under_way: under_way + 1,
            next_at: if beyond < 0 {
                0
            } else {
                now + wait_after(beyond)
            },
            last_at: now,
        })
    }

    /// Ends an attempt with a wrong password.
    pub(crate) fn fail(self) -> Self {
        Self {
            failures: self.failures + 1,
            ..self.end()
        }
    }

    /// Ends an attempt with the right password. Returns `None` if no other is in progress.
    pub(crate) fn reset(self) -> Option<Self> {
        let rest = Self {
            failures: 0,
            ..self.cancel()
        };
        (rest.under_way > 0).then_some(rest)
    }

    /// Removes an attempt. It began without a wait, so there is none now.
    pub(crate) fn cancel(self) -> Self {
        Self {
            next_at: 0,
            ..self.end()
        }
    }

    fn end(self) -> Self {
        Self {
            under_way: (self.under_way - 1).max(0),
            ..self
        }
    }
}

fn wait_after(beyond: i64) -> i64 {
    (FIRST_WAIT << beyond.min(10)).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

    use super::*;

    const SECOND: i64 = 1_000;
    const NOW: i64 = 1_790_000_000_000;

    fn failed(count: AttemptCount, now: i64) -> AttemptCount {
        count.begin(10, now).unwrap().fail()
    }

    #[test]
    fn the_first_attempts_are_free_and_then_the_wait_rises() {
        let (mut now, mut count) = (NOW, AttemptCount::default());
        for number in 1..10 {
            count = failed(count, now);
            assert_eq!((count.failures, count.next_at), (number, 0));
        }
        for (number, seconds) in [30, 60, 120, 240, 480, 900, 900, 900]
            .into_iter()
            .enumerate()
        {
            count = failed(count, now);
            assert_eq!(count.failures, 10 + number as i64);
            for early in [0, 1, seconds * SECOND - 1] {
                let wait = count.begin(10, now + early);
                assert_eq!(wait, Err(Refused::Wait(seconds * SECOND - early)));
            }
            now += seconds * SECOND;
        }
        let much_later = AttemptCount {
            failures: i64::MAX - 1,
            ..count
        };
        let wait = much_later.begin(10, now).unwrap().next_at - now;
        assert_eq!(wait, LONGEST_WAIT);
    }

    #[test]
    fn attempts_in_progress_count_for_the_limit_and_are_no_failures() {
        let mut count = failed(AttemptCount::default(), NOW);
        for _ in 1..10 {
            count = count.begin(10, NOW).unwrap();
        }
        assert_eq!((count.failures, count.under_way), (1, 9));
        assert_eq!(count.begin(10, NOW), Err(Refused::UnderWay));
        let right = count.reset().unwrap();
        assert_eq!((right.failures, right.under_way, right.next_at), (0, 8, 0));
        assert!(right.begin(10, NOW).is_ok());
        let back = count.cancel();
        assert_eq!((back.failures, back.under_way, back.next_at), (1, 8, 0));
        let wrong = (0..9).fold(count, |count, _| count.fail());
        assert_eq!((wrong.failures, wrong.under_way), (10, 0));
        assert_eq!(wrong.begin(10, NOW), Err(Refused::Wait(FIRST_WAIT)));
        assert_eq!(failed(AttemptCount::default(), NOW).reset(), None);
    }

    #[test]
    fn attempts_of_a_killed_process_stop_being_in_progress() {
        let count = AttemptCount::default().begin(10, NOW).unwrap();
        let later = |after: i64| count.begin(10, NOW + after).unwrap().under_way;
        assert_eq!((later(COMPARED - 1), later(COMPARED)), (2, 1));
    }

    #[test]
    fn a_counter_starts_again_a_day_after_the_last_attempt() {
        let count = AttemptCount {
            failures: 50,
            next_at: NOW + LONGEST_WAIT,
            last_at: NOW,
            under_way: 0,
        };
        let day = 24 * 60 * 60 * SECOND;
        let next = |after: i64| failed(count, NOW + after).failures;
        assert_eq!((next(day - 1), next(day)), (51, 1));
    }

    #[test]
    fn a_clock_that_was_set_back_locks_no_account() {
        let count = AttemptCount {
            failures: 50,
            next_at: NOW + LONGEST_WAIT,
            last_at: NOW,
            under_way: 0,
        };
        for skew in [0, 1, LONGEST_WAIT] {
            let wait = count.begin(10, NOW - skew);
            assert_eq!(wait, Err(Refused::Wait(LONGEST_WAIT)));
        }
        assert_eq!(failed(count, NOW - LONGEST_WAIT - 1).failures, 51);
    }
}
