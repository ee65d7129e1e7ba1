//! The settings of `[default.session]`: read, checked, and converted for the rooms that use them.

mod check;
mod database;
mod format;
mod limits;
mod missing;
mod origin;
mod parameters;
mod period;
mod server;
mod shared;
mod sqlite;
mod unreadable;
mod url;

use std::collections::BTreeMap;
use std::time::Duration;

use rocket::data::ByteUnit;
use rocket::figment::Figment;

pub(crate) use self::database::DatabaseConfig;
pub(crate) use self::limits::millis;
pub(crate) use self::url::opened_at;

use self::format::SessionFormat;
use self::period::{Interval, Period};
use self::unreadable::unreadable;
use crate::error::{Error, require};
use crate::events::{EventsKey, Sink};
use crate::express::settings::COOKIE_NAME;
use crate::express::signature::Secrets;
use crate::request::bearer::TokenFrom;
use crate::request::client::ClientAddress;
use crate::request::cookie::CookieConfig;
use crate::request::network::TrustedProxies;

/// `[default.session]`.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// The entry of `[default.databases]` that holds the sessions.
    pub(crate) database: String,
    /// The entry that holds the application's tables if the sessions are in Redis. `None`: the same entry,
    /// if it is an SQL database.
    pub(crate) users: Option<String>,
    /// "native", or "express": table, text and cookie are those of express-session with
    /// express-mysql-session or connect-redis, so that an Express application can share them.
    format: SessionFormat,
    /// The secrets of the cookie in the format "express": the first one signs, all of them verify.
    secrets: Secrets,
    /// The path of the signed-in user's id in a session of Express, with dots between names; by default
    /// "passport.user".
    user_path: Option<String>,
    /// Its table, by default "sessions"; `name` or `schema.name`, each of 1 to 63 ASCII letters,
    /// digits and `_`. In Redis what all names begin with, before a colon; "sess" by default in the
    /// format "express".
    table: Option<String>,
    /// Other names of the table's columns: the migrations' name on the left, the table's on the right. In the format "express": `session_id`, `expires`, `data`, and
    /// `user_id` for a generated column that has the user of passport, if there is one.
    columns: BTreeMap<String, String>,
    /// Creates the table and its indexes at launch if the table does not exist; by default true, unless the
    /// table is Express's or has other names.
    create_table: Option<bool>,
    /// Logs each call of the store at the level `normal`, with the beginning of the key, the outcome and
    /// the time, and without secrets; by default false.
    pub(crate) log_store: bool,
    /// A session expires if it is not used for this long.
    idle_timeout: Period,
    /// A session expires this long after its user signed in, even if it is used.
    absolute_timeout: Period,
    /// The idle and absolute timeout of "remember me" sessions; by default 30 days, or the absolute timeout
    /// if that is longer.
    remember_timeout: Option<Period>,
    /// The largest number of sessions of a user; a new sign-in ends the oldest. `None`: any number.
    sessions_per_user: Option<u32>,
    /// A read moves the idle expiry at most once per interval; "off": never.
    touch_interval: Option<Interval>,
    /// The largest session, as JSON.
    pub(crate) max_data: ByteUnit,
    /// Stores a session for every client, even if nothing was written.
    save_uninitialized: bool,
    /// Sets the cookie again with every response.
    rolling: bool,
    /// Keeps the cookie for the idle timeout, so that it outlives the browser's session.
    persistent: bool,
    /// The parts of a request that may have the session's token: "cookie", "bearer".
    pub(crate) token_from: TokenFrom,
    /// The response if another request ended the session before this one could save.
    pub(crate) on_gone: OnGone,
    /// Runs the migrations at launch.
    pub(crate) migrate: bool,
    /// The longest rest of the cleanup; "30s", from 1s; "off": expired sessions are not deleted.
    cleanup_interval: Interval,
    /// The largest number of expired sessions that one statement deletes; 200, from 1 to 10000. Together they take
    /// MariaDB about 6 ms of CPU.
    pub(crate) cleanup_batch: u32,
    /// The longest time until a stream learns that its session ended in another process; "5s", from 1s to 1h.
    stream_check_interval: Period,
    /// The output of events: "off", "stdout" or "stderr"; one line of JSON each.
    pub(crate) events: Sink,
    /// The key of the sessions' pseudonyms in events, at least 32 characters. If it is not set, each launch
    /// draws one, and pseudonyms change.
    pub(crate) events_key: Option<EventsKey>,
    /// The addresses and networks of the proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted.
    pub(crate) trusted_proxies: TrustedProxies,
    /// How much of a client's address is stored and emitted: "off": nothing; "truncated": its network;
    /// "full".
    pub(crate) client_address: ClientAddress,
    /// The other origins whose requests the CSRF protection accepts: scheme, host, and the port unless it is
    /// the default.
    pub(crate) trusted_origins: Vec<String>,
    pub(crate) cookie: CookieConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            database: "app".into(),
            users: None,
            format: SessionFormat::Native,
            secrets: Secrets::default(),
            user_path: None,
            table: None,
            columns: BTreeMap::new(),
            create_table: None,
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
            token_from: TokenFrom::default(),
            on_gone: OnGone::Ignore,
            migrate: false,
            cleanup_interval: Interval::Every(Period(Duration::from_secs(30))),
            cleanup_batch: 200,
            stream_check_interval: Period(Duration::from_secs(5)),
            events: Sink::Off,
            events_key: None,
            trusted_proxies: TrustedProxies::default(),
            client_address: ClientAddress::Off,
            trusted_origins: Vec::new(),
            cookie: CookieConfig::default(),
        }
    }
}

/// The response to a request whose session another request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase", expecting = "\"ignore\" or \"unauthorized\"")]
pub(crate) enum OnGone {
    /// The handler's response; its changes to the session are not saved.
    Ignore,
    /// The application's page for 401.
    Unauthorized,
}

impl Config {
    /// Reads and checks the whole configuration.
    pub(crate) fn read(figment: &Figment) -> Result<Self, Error> {
        if let Ok(value) = figment.find_value("session") {
            let read = value.into_dict().map(drop);
            require(read.is_some(), || {
                "session is no table; write [default.session] with its settings below it, or \
                 {key=\"value\"} in the environment"
                    .to_owned()
            })?;
        }
        let mut config: Self = figment
            .focus("session")
            .extract()
            .map_err(|error| unreadable("session", error))?;
        if config.format == SessionFormat::Express {
            config.cookie.is_shared = true;
            config.cookie.name.get_or_insert(COOKIE_NAME.into());
        }
        config.cookie.trusted_proxies = config.trusted_proxies.clone();
        config.cookie.token_from = config.token_from;
        config.cookie = config.cookie.with_profile(figment);
        config.check()?;
        Ok(config)
    }

    /// Returns `true` if the launch creates a missing table. By default it does so only for the standard name
    /// and columns, so that a misspelt name does not create an empty table.
    pub(crate) fn creates_table(&self) -> bool {
        let is_ours = self.table.as_deref().is_none_or(|name| name == "sessions")
            && self.columns.is_empty()
            && self.format == SessionFormat::Native;
        self.create_table.unwrap_or(is_ours)
    }

    /// Returns `true` if a missing database file is created, since its tables will be.
    pub(crate) fn makes_file(&self) -> bool {
        self.migrate || self.creates_table()
    }

    /// Returns the same for the users' database, whose tables the application creates.
    pub(crate) fn makes_users_file(&self) -> bool {
        self.migrate || self.create_table != Some(false)
    }
}
