//! The timeouts, intervals and limits of the settings, converted for the rooms that use them.

use std::time::Duration;

use super::Config;
use super::period::{Interval, Period};
use crate::state::{Limits, Schema};

impl Config {
    pub(super) fn remember_timeout(&self) -> Period {
        let month = Duration::from_secs(30 * 24 * 60 * 60);
        let usual = Period(month.max(self.absolute_timeout.0));
        self.remember_timeout.unwrap_or(usual)
    }

    pub(super) fn touch_interval(&self) -> Option<Duration> {
        match self.touch_interval {
            Some(Interval::Off) => None,
            Some(Interval::Every(period)) => Some(period.0),
            None => Some((self.idle_timeout.0 / 60).max(Duration::from_secs(1))),
        }
    }

    pub(crate) fn cleanup_interval(&self) -> Option<Duration> {
        match self.cleanup_interval {
            Interval::Off => None,
            Interval::Every(period) => Some(period.0),
        }
    }

    pub(crate) fn stream_check_interval(&self) -> Duration {
        self.stream_check_interval.0
    }

    pub(crate) fn limits(&self, schema: Schema) -> Limits {
        Limits {
            idle: millis(self.idle_timeout.0),
            absolute: millis(self.absolute_timeout.0),
            remember: millis(self.remember_timeout().0),
            per_user: self.sessions_per_user,
            touch_interval: self.touch_interval().map(millis),
            max_data: self.max_data.as_u64() as usize,
            save_uninitialized: self.save_uninitialized,
            rolling: self.rolling,
            persistent: self.persistent,
            shared_with: self.sharer(),
            schema,
        }
    }
}

/// Returns a duration in milliseconds.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
