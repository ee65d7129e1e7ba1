//! Checks the settings alone and together. Each error names the key, its value and what is accepted.

use std::time::Duration;

use super::period::Interval;
use super::{Config, origin};
use crate::error::{Error, require};
use crate::events::EventsKey;

/// The longest time that browsers keep a cookie.
const LONGEST: Duration = Duration::from_secs(400 * 24 * 60 * 60);

impl Config {
    pub(super) fn check(&self) -> Result<(), Error> {
        self.check_names()?;
        self.check_timeouts()?;
        self.check_cleanup_interval()?;
        self.check_stream_check_interval()?;
        self.check_limits()?;
        self.check_secrets()?;
        self.check_origins()?;
        self.user_path()?;
        self.table()?;
        self.cookie.check()
    }

    /// Refuses a URL in place of an entry's name, without printing its password.
    fn check_names(&self) -> Result<(), Error> {
        let names = [
            ("database", Some(&self.database)),
            ("users", self.users.as_ref()),
        ];
        names.into_iter().try_for_each(|(key, name)| {
            require(name.is_none_or(|name| !name.contains(['/', ':', '@'])), || {
                format!(
                    "session.{key} is a URL; write that as url = \"…\" below [default.databases.app], and \
                     session.{key} = \"app\""
                )
            })
        })
    }

    fn check_timeouts(&self) -> Result<(), Error> {
        let (idle, absolute) = (&self.idle_timeout, &self.absolute_timeout);
        require(idle.0 >= Duration::from_secs(1), || {
            format!("session.idle_timeout is {idle}; it must be at least 1s")
        })?;
        require(absolute.0 >= idle.0, || {
            format!(
                "session.idle_timeout is {idle} and session.absolute_timeout is {absolute}; \
                 lower the first or raise the second"
            )
        })?;
        require(absolute.0 <= LONGEST, || {
            format!(
                "session.absolute_timeout is {absolute}; browsers keep a cookie for at most 400days"
            )
        })?;
        let remember = self.remember_timeout();
        require(absolute.0 <= remember.0 && remember.0 <= LONGEST, || {
            format!(
                "session.remember_timeout is {remember}; it must be from session.absolute_timeout ({absolute}) to 400days"
            )
        })?;
        require(
            self.touch_interval().is_none_or(|touch| touch <= idle.0),
            || {
                format!(
                    "session.touch_interval is longer than session.idle_timeout ({idle}); lower it, or write \"off\""
                )
            },
        )
    }

    fn check_cleanup_interval(&self) -> Result<(), Error> {
        match self.cleanup_interval {
            Interval::Every(period) => require(period.0 >= Duration::from_secs(1), || {
                format!("session.cleanup_interval is {period}; it must be at least 1s, or \"off\"")
            }),
            Interval::Off => Ok(()),
        }
    }

    fn check_stream_check_interval(&self) -> Result<(), Error> {
        let period = self.stream_check_interval;
        let (least, most) = (Duration::from_secs(1), Duration::from_secs(60 * 60));
        require((least..=most).contains(&period.0), || {
            format!("session.stream_check_interval is {period}; it must be from 1s to 1h")
        })
    }

    fn check_limits(&self) -> Result<(), Error> {
        require(
            self.sessions_per_user
                .is_none_or(|limit| (1..=10_000).contains(&limit)),
            || {
                let limit = self.sessions_per_user.unwrap_or_default();
                format!(
                    "session.sessions_per_user is {limit}; it must be from 1 to 10000, or left out for any number"
                )
            },
        )?;
        require((1..=10_000).contains(&self.cleanup_batch), || {
            format!(
                "session.cleanup_batch is {}; it must be from 1 to 10000",
                self.cleanup_batch
            )
        })?;
        require((1..=16_000_000).contains(&self.max_data.as_u64()), || {
            format!(
                "session.max_data is {}; it must be from 1B to 16MB",
                self.max_data
            )
        })
    }

    fn check_secrets(&self) -> Result<(), Error> {
        let length = self.events_key.as_ref().map(EventsKey::length);
        require(length.is_none_or(|length| length >= 32), || {
            let length = length.unwrap_or_default();
            format!(
                "session.events_key has {length} characters; write at least 32 random ones, or leave it out"
            )
        })?;
        self.check_format()
    }

    fn check_origins(&self) -> Result<(), Error> {
        for origin in &self.trusted_origins {
            if let Some(remedy) = origin::refusal(origin) {
                let shown = match origin.contains('@') {
                    true => "an origin with an account".to_owned(),
                    false => format!("{origin:?}"),
                };
                return Err(Error::configuration(format!(
                    "session.trusted_origins has {shown}; {remedy}"
                )));
            }
        }
        Ok(())
    }
}
