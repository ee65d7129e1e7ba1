//! `[default.session]`: read, checked, and turned into what the floors below need.

mod database;
mod period;

use std::collections::BTreeMap;
use std::time::Duration;

use rocket::data::ByteUnit;
use rocket::figment::Figment;

pub(crate) use self::database::DatabaseConfig;

use self::period::{Interval, Period};
use crate::cookie::CookieConfig;
use crate::error::{Error, require};
use crate::session::{Limits, Schema};
use crate::signature::Secrets;
use crate::store::table::Table;

/// `[default.session]`.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Which entry of `[default.databases]` holds the sessions.
    pub(crate) database: String,
    /// Which entry holds the application's own tables, its users above all, where the sessions are
    /// in Redis. None: the same, if it is one of SQL.
    pub(crate) users: Option<String>,
    /// "own", or "express": table, text and cookie are those of express-session with
    /// express-mysql-session or connect-redis, so that an Express application can share them.
    pub(crate) format: Format,
    /// What signs the cookie of the format "express": the first one signs, all of them verify.
    pub(crate) secrets: Secrets,
    /// Its table, by default "sessions"; `name` or `schema.name`, each of 1 to 63 ASCII letters,
    /// digits and `_`. In Redis what all names begin with, before a colon; "sess" by default in the
    /// format "express".
    table: Option<String>,
    /// What the table's columns are called if not as in the migrations: the migrations' name on the
    /// left, the table's on the right. In the format "express": `session_id`, `expires`, `data`, and
    /// `user_id` for a generated column that has the user of passport, if there is one.
    columns: BTreeMap<String, String>,
    /// Makes the table and its indexes at launch where there is no such table; by default false.
    pub(crate) create_table: bool,
    /// Logs what the store is asked, at the level `normal`: each verb with the beginning of the key,
    /// its outcome and its time, and nothing that is secret; by default false.
    pub(crate) log_store: bool,
    /// A session ends when it was not used for this long.
    idle_timeout: Period,
    /// A session ends this long after its user signed in, however much it is used.
    absolute_timeout: Period,
    /// Both time-outs of a session whose user asked to stay signed in; 30 days, or the absolute one
    /// if that is longer.
    remember_timeout: Option<Period>,
    /// How many sessions a user may have; who signs in once more ends the oldest. None: any number.
    sessions_per_user: Option<u32>,
    /// Reading alone moves the idle time-out at most once per interval; "off": never.
    touch_interval: Option<Interval>,
    /// The largest session, as JSON.
    max_data: ByteUnit,
    /// Stores a session for every visitor, whether something was written or not.
    save_uninitialized: bool,
    /// Sets the cookie again with every response.
    rolling: bool,
    /// Gives the cookie the life of the idle time-out, so that it outlives the browser's.
    persistent: bool,
    /// What a request gets whose session was ended by another one before it could save.
    pub(crate) on_gone: OnGone,
    /// Brings the tables up to date at launch.
    pub(crate) migrate: bool,
    /// How often expired sessions are deleted; "15m", from 1s; "off": never.
    sweep_interval: Interval,
    /// How many expired sessions one statement deletes; 200, from 1 to 10000. A request that meets
    /// such a statement waits for it: about 0.1 ms for each session on MariaDB.
    pub(crate) sweep_batch: u32,
    pub(crate) cookie: CookieConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            database: "app".into(),
            users: None,
            format: Format::Own,
            secrets: Secrets::default(),
            table: None,
            columns: BTreeMap::new(),
            create_table: false,
            log_store: false,
            idle_timeout: Period(Duration::from_secs(2 * 60 * 60)),
            absolute_timeout: Period(Duration::from_secs(24 * 60 * 60)),
            remember_timeout: None,
            sessions_per_user: None,
            touch_interval: None,
            max_data: ByteUnit::Kibibyte(64),
            save_uninitialized: false,
            rolling: false,
            persistent: false,
            on_gone: OnGone::Ignore,
            migrate: false,
            sweep_interval: Interval::Every(Period(Duration::from_secs(15 * 60))),
            sweep_batch: 200,
            cookie: CookieConfig::default(),
        }
    }
}

/// Browsers keep no cookie for longer.
const LONGEST: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// Who else has to understand the sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    Own,
    Express,
}

/// What happens to a request whose session ended under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnGone {
    /// It is answered as it would have been; what it wrote to the session is not kept.
    Ignore,
    /// It is answered by the application's own page for 401.
    Unauthorized,
}

impl Config {
    /// Reads and checks the whole configuration.
    pub(crate) fn read(figment: &Figment) -> Result<Self, Error> {
        let mut config: Self = figment
            .focus("session")
            .extract()
            .map_err(|error| unreadable("session", error))?;
        config.cookie.express = config.format == Format::Express;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), Error> {
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
            self.sessions_per_user
                .is_none_or(|limit| (1..=10_000).contains(&limit)),
            || {
                let limit = self.sessions_per_user.unwrap_or_default();
                format!(
                    "session.sessions_per_user is {limit}; it must be from 1 to 10000, or left out for any number"
                )
            },
        )?;
        require(
            self.touch_interval().is_none_or(|touch| touch <= idle.0),
            || {
                format!(
                    "session.touch_interval is longer than session.idle_timeout ({idle}); lower it, or write \"off\""
                )
            },
        )?;
        require((1..=10_000).contains(&self.sweep_batch), || {
            format!(
                "session.sweep_batch is {}; it must be from 1 to 10000",
                self.sweep_batch
            )
        })?;
        require((1..=16_000_000).contains(&self.max_data.as_u64()), || {
            format!(
                "session.max_data is {}; it must be from 1B to 16MB",
                self.max_data
            )
        })?;
        match self.format {
            Format::Own => require(self.secrets.is_empty(), || {
                "session.secrets is set, but only cookies of Express are signed; leave it out, or add \
                 session.format = \"express\""
                    .into()
            })?,
            Format::Express => require(self.secrets.are_usable(), || {
                format!(
                    "session.secrets has {:?}; with session.format = \"express\" write those that Express \
                     has, each of at least one character: [\"new\", \"old\"]",
                    self.secrets
                )
            })?,
        }
        self.table()?;
        self.cookie.check()
    }

    fn remember_timeout(&self) -> Period {
        let month = Duration::from_secs(30 * 24 * 60 * 60);
        let usual = Period(month.max(self.absolute_timeout.0));
        self.remember_timeout.unwrap_or(usual)
    }

    pub(crate) fn table(&self) -> Result<Table, Error> {
        let columns = self.columns.iter();
        let columns = columns.map(|(column, name)| (column.as_str(), name.as_str()));
        let name = self.table.as_deref().unwrap_or("sessions");
        let table = match self.format {
            Format::Own => Table::new(name, columns),
            Format::Express => Table::of_express(name, columns),
        };
        table.map_err(|error| Error::configuration(format!("session.{error}")))
    }

    /// What all names in Redis begin with.
    #[cfg(feature = "redis")]
    pub(crate) fn prefix(&self) -> &str {
        let usual = match self.format {
            Format::Own => "sessions",
            Format::Express => "sess",
        };
        self.table.as_deref().unwrap_or(usual)
    }

    fn touch_interval(&self) -> Option<Duration> {
        match self.touch_interval {
            Some(Interval::Off) => None,
            Some(Interval::Every(period)) => Some(period.0),
            None => Some((self.idle_timeout.0 / 60).max(Duration::from_secs(1))),
        }
    }

    pub(crate) fn sweep_interval(&self) -> Option<Duration> {
        match self.sweep_interval {
            Interval::Off => None,
            Interval::Every(period) => Some(period.0.max(Duration::from_secs(1))),
        }
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
            express: self.format == Format::Express,
            schema,
        }
    }
}

fn unreadable(table: &str, error: rocket::figment::Error) -> Error {
    let path = error
        .path
        .iter()
        .fold(table.to_owned(), |path, key| format!("{path}.{key}"));
    Error::configuration(format!(
        "{path} cannot be used: {}; see guide::settings in the documentation",
        error.kind
    ))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
