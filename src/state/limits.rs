//! The configured limits of every session.

use super::contents::Contents;
use super::reserved;
use super::schema::Schema;
use crate::clock::TOLERANCE;
use crate::error::Error;
use crate::record::Record;

/// The limits from the configuration; times in milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) idle: i64,
    pub(crate) absolute: i64,
    /// The idle and absolute timeout of "remember me" sessions.
    pub(crate) remember: i64,
    /// The largest number of sessions of a user.
    pub(crate) per_user: Option<u32>,
    /// The least time between two touches. `None`: only changes move the idle expiry.
    pub(crate) touch_interval: Option<i64>,
    pub(crate) max_data: usize,
    pub(crate) save_uninitialized: bool,
    pub(crate) rolling: bool,
    pub(crate) persistent: bool,
    /// The other application that shares the sessions, if there is one.
    pub(crate) shared_with: Option<&'static Sharer>,
    pub(crate) schema: Schema,
}

/// Another application that reads and writes the same sessions, without recording when a session
/// began or was last used.
#[derive(Debug)]
pub(crate) struct Sharer {
    pub(crate) name: &'static str,
    /// The names of values that it keeps for itself.
    pub(crate) reserved_names: &'static [&'static str],
}

impl Sharer {
    /// Refuses a value under a name that the other application keeps for itself.
    pub(super) fn check(&self, name: &str) -> Result<(), Error> {
        match self.reserved_names.contains(&name) {
            true => Err(reserved::refusal(
                name,
                &format!("{} keeps for itself", self.name),
            )),
            false => Ok(()),
        }
    }
}

impl Limits {
    /// Returns the idle and the absolute timeout of a session with these contents.
    pub(crate) fn timeouts(&self, contents: &Contents) -> (i64, i64) {
        let (idle, absolute) = match (contents.remembered(), contents.max_age()) {
            (true, max_age) => (max_age.unwrap_or(self.remember), self.remember),
            (false, Some(max_age)) => (max_age, self.absolute.max(max_age)),
            (false, None) => (self.idle, self.absolute),
        };
        let idle = contents.idle_timeout().unwrap_or(idle);
        let of_session = contents.absolute_timeout();
        let absolute = of_session.map_or(absolute, |it| it.min(self.remember));
        (idle.min(absolute), absolute)
    }

    /// Returns `true` if a record has not expired. A record with impossible times counts as expired.
    pub(super) fn alive(&self, record: &Record, contents: &Contents, now: i64) -> bool {
        let (idle, absolute) = self.timeouts(contents);
        // A touch by a request that loaded the session earlier may have added a longer idle timeout.
        let idle_end = match contents.idle_timeout() {
            Some(_) => record.seen_at.saturating_add(idle),
            None => record.expires_at,
        };
        // A session that the other application began has no time of its beginning.
        let unknown = self.shared_with.is_some() && record.created_at == 0;
        let end = match unknown {
            true => record.deadline,
            false => record.created_at.saturating_add(absolute),
        };
        let deadline = record.deadline.min(end);
        record.expires_at.min(idle_end) > now
            && deadline > now
            && record.created_at <= now.saturating_add(TOLERANCE)
    }

    pub(super) fn touch_due(&self, record: &Record, contents: &Contents, now: i64) -> bool {
        self.touch_interval(contents)
            .is_some_and(|interval| now.saturating_sub(record.seen_at) >= interval)
    }
}
