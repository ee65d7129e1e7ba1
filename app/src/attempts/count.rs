//! When the next attempt may be made.

use diesel::prelude::*;

use crate::schema::attempts;

/// The first wait in milliseconds; each further one is twice as long, up to
pub(super) const FIRST_WAIT: i64 = 30_000;
/// this one,
const LONGEST_WAIT: i64 = 15 * 60_000;
/// and after this long without an attempt all begins anew.
pub(super) const FORGOTTEN: i64 = 24 * 60 * 60_000;

/// What is stored of one counter.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Queryable, Selectable, AsChangeset, Insertable,
)]
#[diesel(table_name = attempts)]
pub(super) struct Count {
    pub(super) failures: i64,
    pub(super) next_at: i64,
    pub(super) last_at: i64,
}

impl Count {
    /// With one attempt more; otherwise the milliseconds until there may be one.
    pub(super) fn another(self, limit: i64, now: i64) -> Result<Self, i64> {
        let forgotten = now - self.last_at >= FORGOTTEN;
        let wait = self.next_at - now;
        // A little longer is the clock of another node, and much longer one that went back.
        if !forgotten && (1..=2 * LONGEST_WAIT).contains(&wait) {
            return Err(wait.min(LONGEST_WAIT));
        }
        let failures = if forgotten { 1 } else { self.failures + 1 };
        let beyond = failures - limit;
        Ok(Self {
            failures,
            next_at: if beyond < 0 {
                0
            } else {
                now + wait_after(beyond)
            },
            last_at: now,
        })
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

    #[test]
    fn the_first_attempts_are_free_and_then_the_wait_rises() {
        let (mut now, mut count) = (1_790_000_000_000, Count::default());
        for number in 1..10 {
            count = count.another(10, now).unwrap();
            assert_eq!((count.failures, count.next_at), (number, 0));
        }
        for (number, seconds) in [30, 60, 120, 240, 480, 900, 900, 900]
            .into_iter()
            .enumerate()
        {
            count = count.another(10, now).unwrap();
            assert_eq!(count.failures, 10 + number as i64);
            for early in [0, 1, seconds * SECOND - 1] {
                let wait = count.another(10, now + early);
                assert_eq!(wait, Err(seconds * SECOND - early));
            }
            now += seconds * SECOND;
        }
        let much_later = Count {
            failures: i64::MAX - 1,
            ..count
        };
        let wait = much_later.another(10, now).unwrap().next_at - now;
        assert_eq!(wait, LONGEST_WAIT);
    }

    #[test]
    fn attempts_are_forgotten_a_day_after_the_last() {
        let now = 1_790_000_000_000;
        let count = Count {
            failures: 50,
            next_at: now + LONGEST_WAIT,
            last_at: now,
        };
        let day = 24 * 60 * 60 * SECOND;
        let next = |after: i64| count.another(10, now + after).unwrap().failures;
        assert_eq!((next(day - 1), next(day)), (51, 1));
    }

    #[test]
    fn a_clock_that_goes_back_shuts_nobody_out() {
        let now = 1_790_000_000_000;
        let count = Count {
            failures: 50,
            next_at: now + LONGEST_WAIT,
            last_at: now,
        };
        for skew in [0, 1, LONGEST_WAIT] {
            assert_eq!(count.another(10, now - skew), Err(LONGEST_WAIT));
        }
        let back = count.another(10, now - LONGEST_WAIT - 1);
        assert_eq!(back.map(|count| count.failures), Ok(51));
    }
}
