//! The timeouts that a handler sets for one session; times in milliseconds.

use std::time::Duration;

use humantime::{FormattedDuration, format_duration};

use super::reserved::{ABSOLUTE_TIMEOUT, IDLE_TIMEOUT};
use super::{Change, Contents, Limits, State};
use crate::error::{Error, ErrorKind};

/// The shortest timeout, and the shortest interval of touches that follows from one.
const SECOND: i64 = 1_000;

impl State {
    pub(crate) fn set_idle_timeout(&mut self, timeout: i64, limits: &Limits) -> Result<(), Error> {
        let (_, absolute) = limits.timeouts(&self.contents);
        let bound = "its absolute timeout, which set_absolute_timeout sets";
        check("idle", timeout, absolute, bound)?;
        self.apply(Change::idle_timeout(timeout), limits)
    }

    pub(crate) fn set_absolute_timeout(
        &mut self,
        timeout: i64,
        limits: &Limits,
        now: i64,
    ) -> Result<(), Error> {
        check(
            "absolute",
            timeout,
            limits.remember,
            "session.remember_timeout",
        )?;
        let age = now.saturating_sub(self.begun_at(now));
        if timeout <= age {
            let [timeout, age] = [timeout, age].map(shown);
            let message = format!(
                "the absolute timeout of this session cannot be {timeout}: it began {age} ago; set a longer one, \
                 or destroy the session"
            );
            return Err(Error::new(ErrorKind::Value, message));
        }
        self.apply(Change::AbsoluteTimeout(timeout), limits)
    }

    /// Returns when the absolute timeout begins, which is now for a sign-in that is not saved yet.
    fn begun_at(&self, now: i64) -> i64 {
        let stored = self.stored.as_ref();
        let stored = stored.filter(|_| !self.changes.iter().any(Change::signs_in));
        stored.map_or(now, |stored| match stored.record.created_at {
            0 => now,
            begun_at => begun_at,
        })
    }
}

impl Contents {
    /// Returns the idle timeout that was set for this session alone.
    pub(super) fn idle_timeout(&self) -> Option<i64> {
        self.timeout(IDLE_TIMEOUT)
    }

    /// Returns the absolute timeout that was set for this session alone.
    pub(super) fn absolute_timeout(&self) -> Option<i64> {
        self.timeout(ABSOLUTE_TIMEOUT)
    }

    fn timeout(&self, key: &str) -> Option<i64> {
        self.get(key).ok().flatten().filter(|timeout| *timeout > 0)
    }
}

impl Limits {
    /// Returns the least time between two touches of a session with these contents. `None`: only changes
    /// move its idle expiry.
    pub(super) fn touch_interval(&self, contents: &Contents) -> Option<i64> {
        let interval = self.touch_interval?;
        let idle = contents.idle_timeout().or(contents.max_age());
        // A sixtieth, as by default; a longer interval could end a session that is in use.
        Some(idle.map_or(interval, |idle| interval.min((idle / 60).max(SECOND))))
    }
}

fn check(name: &str, timeout: i64, longest: i64, bound: &str) -> Result<(), Error> {
    if (SECOND..=longest).contains(&timeout) {
        return Ok(());
    }
    let [timeout, longest] = [timeout, longest].map(shown);
    let message = format!(
        "the {name} timeout of this session cannot be {timeout}: it must be from 1s to {longest}, {bound}"
    );
    Err(Error::new(ErrorKind::Value, message))
}

fn shown(millis: i64) -> FormattedDuration {
    format_duration(Duration::from_millis(millis.unsigned_abs()))
}
