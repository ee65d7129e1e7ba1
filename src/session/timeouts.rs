//! The timeouts of one session.

use std::time::Duration;

use super::Session;
use crate::config::millis;
use crate::error::Error;

impl Session {
    /// Sets how long this session may be idle, in place of `session.idle_timeout`.
    ///
    /// It is kept in the session until the next sign-in, so call it after [`log_in`](Self::log_in). It does
    /// not begin a session by itself. The cookie gets it as its `Max-Age`, so that it outlives the browser.
    /// Requests that only read reset it once in each sixtieth of it, or once in each
    /// `session.touch_interval` if that is shorter.
    ///
    /// Fails with [`ErrorKind::Value`](crate::ErrorKind::Value) unless it is from one second to the
    /// session's absolute timeout.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use rocket_diesel_session::{Error, Session};
    ///
    /// /// A session that can move money ends after five idle minutes.
    /// fn sign_in_to_bank(session: &Session, user_id: u64) -> Result<(), Error> {
    ///     session.log_in(user_id)?;
    ///     session.set_idle_timeout(Duration::from_secs(5 * 60))
    /// }
    /// ```
    pub fn set_idle_timeout(&self, timeout: Duration) -> Result<(), Error> {
        self.state()
            .set_idle_timeout(millis(timeout), self.limits())
    }

    /// Sets how long after the sign-in this session ends, in place of `session.absolute_timeout`.
    ///
    /// The time counts from [`signed_in_at`](Self::signed_in_at). It is kept as the
    /// [idle timeout](Self::set_idle_timeout) is, and shortens one that is longer.
    ///
    /// Fails with [`ErrorKind::Value`](crate::ErrorKind::Value) unless it is from one second to
    /// `session.remember_timeout`, and longer than the session's age.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use rocket_diesel_session::{Error, Session};
    ///
    /// fn sign_in(session: &Session, user_id: u64, days: u64) -> Result<(), Error> {
    ///     let time = Duration::from_secs(days * 24 * 60 * 60);
    ///     session.log_in(user_id)?;
    ///     session.set_absolute_timeout(time)?;
    ///     session.set_idle_timeout(time)
    /// }
    /// ```
    pub fn set_absolute_timeout(&self, timeout: Duration) -> Result<(), Error> {
        let (timeout, now) = (millis(timeout), self.context.now());
        self.state()
            .set_absolute_timeout(timeout, self.limits(), now)
    }
}
