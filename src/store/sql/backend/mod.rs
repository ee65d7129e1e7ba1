//! What differs between Diesel's three databases.

#[cfg(feature = "mysql")]
pub(crate) mod encryption;
#[cfg(feature = "postgres")]
mod pooler;
#[cfg(feature = "mysql")]
mod server;
pub(crate) mod user_key;

use std::path::PathBuf;

use diesel::QueryResult;
use diesel::r2d2::R2D2Connection;
#[cfg(any(feature = "sqlite", feature = "mysql"))]
use diesel::{RunQueryDsl, sql_query};

use crate::error::Error;

/// What work under a lock answers.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The part of [`Backend::SET_UP`] that has a node of a Galera cluster wait until it knows what the
/// others have acknowledged. MySQL takes it for a comment.
pub(crate) const SYNC_WAIT: &str = " /*M!100100 , SESSION wsrep_sync_wait = 7 */";

/// Stands for the user's id in [`Backend::is_user`].
pub(crate) const USER_ID: &str = "\0";

/// One of Diesel's connections, with what this crate has to know of its database.
///
/// Implemented for `SqliteConnection`, `MysqlConnection` and `PgConnection`, each behind its
/// feature.
pub trait Backend: R2D2Connection + Sized + 'static {
    /// Run once on each new connection.
    #[doc(hidden)]
    const SET_UP: &'static str;
    /// The same where a pooler may have given the connection to another client by the next statement.
    #[doc(hidden)]
    const SET_UP_SHARED: &'static str = Self::SET_UP;
    /// What stands around a name. Never a double quote on SQLite, which takes a name that it does
    /// not know for a text then.
    #[doc(hidden)]
    const QUOTE: char = '`';
    /// Deletes expired sessions, the oldest first: up to an instant, and up to a number.
    #[doc(hidden)]
    const DELETE_EXPIRED: &'static str = "DELETE FROM sessions WHERE id IN \
        (SELECT id FROM sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)";
    /// Makes a JSON object as text of what stands between the two pieces.
    #[doc(hidden)]
    const JSON_OBJECT: [&'static str; 2] = ["JSON_OBJECT(", ")"];
    /// Selects the server's time in Unix milliseconds, whatever its time zone; `None` where this
    /// machine's clock is the database's.
    #[doc(hidden)]
    const TIME: Option<&'static str> = None;
    /// Selects the type of a column, given its table, the table's schema or nothing, and its name.
    #[doc(hidden)]
    const TYPE_OF: &'static str;
    /// The condition for the row of the user whose id is the exact text [`USER_ID`]; `None` where the
    /// key's type, which is as [`TYPE_OF`](Backend::TYPE_OF) has it, has no such text.
    #[doc(hidden)]
    fn is_user(table: &str, key: &str, kind: &str) -> Option<String>;
    /// The path of the database, where it is a file.
    #[doc(hidden)]
    fn file(_url: &str) -> Option<PathBuf> {
        None
    }
    /// Whether only one connection can write at a time.
    #[doc(hidden)]
    const ONE_WRITER: bool = false;
    /// Does `work` in a transaction.
    #[doc(hidden)]
    fn transact<T>(&mut self, work: impl FnOnce(&mut Self) -> QueryResult<T>) -> QueryResult<T> {
        self.transaction(work)
    }
    /// The URL with bounds on how long a host may keep silent, where it says nothing of them.
    #[doc(hidden)]
    fn with_timeouts(url: &str) -> String {
        url.to_owned()
    }
    /// What is wrong with a new connection, if it is less than its URL asks for.
    #[doc(hidden)]
    fn objection(&mut self, _url: &str) -> QueryResult<Option<&'static str>> {
        Ok(None)
    }
    /// What a connection of an application's pool lacks of [`SET_UP`](Backend::SET_UP) so that sessions
    /// are lost or not saved, with the statement that adds it.
    #[doc(hidden)]
    fn lack(&mut self) -> QueryResult<Option<&'static str>> {
        Ok(None)
    }
    /// Finds out at launch whether the server can be used as configured; the error has the remedy.
    #[doc(hidden)]
    fn check(
        _connect: impl Fn() -> Result<Self, Error>,
        _statement_cache: bool,
        _max_data: u64,
    ) -> Result<(), Error> {
        Ok(())
    }
    /// Does `work` while no other node does the same.
    #[doc(hidden)]
    fn exclusively<T>(&mut self, work: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T>;
    /// The same in one transaction where that is possible, so that a pooler is no hindrance.
    #[doc(hidden)]
    fn transact_exclusively<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Outcome<T>,
    ) -> Outcome<T> {
        self.exclusively(work)
    }
}

/// A setting of a connection.
#[cfg(any(feature = "sqlite", feature = "mysql"))]
#[derive(diesel::QueryableByName)]
struct Setting {
    #[diesel(sql_type = diesel::sql_types::Text)]
    value: String,
}

#[cfg(feature = "sqlite")]
impl Backend for diesel::SqliteConnection {
    // The time-out first: the switch to WAL may have to wait. FULL, so that what is acknowledged
    // survives a power loss.
    const SET_UP: &'static str = "PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; \
        PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON";
    const ONE_WRITER: bool = true;

    fn file(url: &str) -> Option<PathBuf> {
        let in_memory = url.is_empty() || url == ":memory:" || url.contains("mode=memory");
        let path = match url.strip_prefix("file:") {
            Some(uri) => {
                let path = uri.split(['?', '#']).next().unwrap_or_default();
                let path = path.strip_prefix("//localhost").unwrap_or(path);
                let path = path.strip_prefix("//").unwrap_or(path);
                percent_encoding::percent_decode_str(path)
                    .decode_utf8()
                    .ok()?
                    .into_owned()
            }
            None => url.to_owned(),
        };
        (!in_memory && !path.is_empty() && path != ":memory:").then(|| path.into())
    }

    fn lack(&mut self) -> QueryResult<Option<&'static str>> {
        let setting: Setting =
            sql_query("SELECT CAST(timeout AS TEXT) AS value FROM pragma_busy_timeout")
                .get_result(self)?;
        Ok((setting.value == "0").then_some(
            "no busy_timeout, so that a session is not saved while another connection writes; run \
             PRAGMA busy_timeout = 2000",
        ))
    }

    const TYPE_OF: &'static str = "SELECT type FROM pragma_table_info(?, NULLIF(?, '')) \
        WHERE name = ? COLLATE NOCASE";

    fn is_user(table: &str, key: &str, kind: &str) -> Option<String> {
        user_key::of_sqlite(&format!("{table}.{key}"), kind)
    }

    // One that reads before it writes would find that another has written meanwhile, and fail.
    fn transact<T>(&mut self, work: impl FnOnce(&mut Self) -> QueryResult<T>) -> QueryResult<T> {
        self.immediate_transaction(work)
    }

    fn exclusively<T>(&mut self, work: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        self.immediate_transaction(work)
    }
}

#[cfg(feature = "mysql")]
impl Backend for diesel::MysqlConnection {
    // Without a strict mode, MySQL cuts values that are too long and says nothing.
    const SET_UP: &'static str = "SET sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', \
        innodb_lock_wait_timeout = 2 /*M!100100 , SESSION wsrep_sync_wait = 7 */; SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
    // MySQL knows no LIMIT in a subquery. Without the ORDER BY, MariaDB scans the table and blocks
    // live sessions.
    const DELETE_EXPIRED: &'static str =
        "DELETE FROM sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT ?";
    const TIME: Option<&'static str> =
        Some("SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) DIV 1000");

    fn lack(&mut self) -> QueryResult<Option<&'static str>> {
        let setting: Setting = sql_query("SELECT @@SESSION.sql_mode AS value").get_result(self)?;
        Ok((!setting.value.contains("STRICT_")).then_some(
            "no strict sql_mode, so that a session that is too long is cut off and lost; run \
             SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')",
        ))
    }

    const TYPE_OF: &'static str = "SELECT CONCAT_WS(' ', data_type, character_set_name, \
        collation_name) FROM information_schema.columns WHERE table_name = ? \
        AND table_schema = COALESCE(NULLIF(?, ''), DATABASE()) AND column_name = ?";

    fn is_user(table: &str, key: &str, kind: &str) -> Option<String> {
        user_key::of_mysql(&format!("{table}.{key}"), kind)
    }

    fn objection(&mut self, url: &str) -> QueryResult<Option<&'static str>> {
        encryption::objection(self, url)
    }

    fn check(
        connect: impl Fn() -> Result<Self, Error>,
        _statement_cache: bool,
        max_data: u64,
    ) -> Result<(), Error> {
        server::check(&mut connect()?, max_data)
    }

    fn exclusively<T>(&mut self, work: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        let [lock, unlock] = [
            "DO GET_LOCK('rocket_diesel_session', 60)",
            "DO RELEASE_LOCK('rocket_diesel_session')",
        ];
        between(self, lock, unlock, work)
    }
}

#[cfg(feature = "postgres")]
impl Backend for diesel::PgConnection {
    const SET_UP: &'static str = "SET lock_timeout = '2s'";
    const SET_UP_SHARED: &'static str = "";
    const QUOTE: char = '"';
    // Takes no row that somebody is using: neither one that another node deletes nor one that a
    // request touches. The ARRAY has the subquery done once, or it might find other rows again.
    const DELETE_EXPIRED: &'static str = "DELETE FROM sessions WHERE id = ANY (ARRAY(SELECT id \
        FROM sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT ? FOR UPDATE SKIP LOCKED))";
    const JSON_OBJECT: [&'static str; 2] = ["CAST(json_build_object(", ") AS TEXT)"];
    const TIME: Option<&'static str> =
        Some("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)");

    // libpq waits for ever, and the kernel tries for some 15 minutes to reach a host that is gone.
    fn with_timeouts(url: &str) -> String {
        use std::fmt::Write as _;
        let mut url = url.to_owned();
        if !url.starts_with("postgres") {
            return url;
        }
        for (name, value, variable) in [
            ("connect_timeout", 2, Some("PGCONNECT_TIMEOUT")),
            ("tcp_user_timeout", 5_000, None),
            ("keepalives_idle", 10, None),
        ] {
            let is_set = variable.is_some_and(|variable| std::env::var_os(variable).is_some());
            if !is_set && !url.contains(&format!("{name}=")) {
                let sign = if url.contains('?') { '&' } else { '?' };
                let _ = write!(url, "{sign}{name}={value}");
            }
        }
        url
    }

    // Of a domain, the type below it.
    const TYPE_OF: &'static str = "SELECT CONCAT_WS('|', \
            format_type(COALESCE(NULLIF(t.typbasetype, 0), t.oid), NULL), \
            quote_ident(n.nspname) || '.' || quote_ident(c.collname)) \
        FROM (SELECT ? AS name, ? AS schema, ? AS key) users \
        JOIN pg_attribute a ON a.attname = users.key AND a.attrelid = to_regclass( \
            CONCAT_WS('.', quote_ident(NULLIF(users.schema, '')), quote_ident(users.name))) \
        JOIN pg_type t ON t.oid = a.atttypid \
        LEFT JOIN pg_collation c ON c.oid = a.attcollation \
        LEFT JOIN pg_namespace n ON n.oid = c.collnamespace";

    fn is_user(table: &str, key: &str, kind: &str) -> Option<String> {
        user_key::of_postgresql(&format!("{table}.{key}"), kind)
    }

    fn check(
        connect: impl Fn() -> Result<Self, Error>,
        statement_cache: bool,
        _max_data: u64,
    ) -> Result<(), Error> {
        pooler::check(connect, statement_cache)
    }

    // PostgreSQL names advisory locks by numbers; this one is "session" in ASCII.
    fn exclusively<T>(&mut self, work: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        let [lock, unlock] = [
            "SELECT pg_advisory_lock(32481168853659502)",
            "SELECT pg_advisory_unlock(32481168853659502)",
        ];
        between(self, lock, unlock, work)
    }

    fn transact_exclusively<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Outcome<T>,
    ) -> Outcome<T> {
        let lock = "SELECT pg_advisory_xact_lock(32481168853659502)";
        after(self, lock, work)
    }
}

#[cfg(any(feature = "mysql", feature = "postgres"))]
fn between<C: Backend, T>(
    connection: &mut C,
    lock: &str,
    unlock: &str,
    work: impl FnOnce(&mut C) -> Outcome<T>,
) -> Outcome<T> {
    connection.batch_execute(lock)?;
    let done = work(connection);
    connection.batch_execute(unlock)?;
    done
}

#[cfg(feature = "postgres")]
fn after<C: Backend, T>(
    connection: &mut C,
    lock: &str,
    work: impl FnOnce(&mut C) -> Outcome<T>,
) -> Outcome<T> {
    connection.transaction(|connection| {
        connection.batch_execute(lock)?;
        work(connection)
    })
}
