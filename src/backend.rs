//! What differs between Diesel's three databases.

#[cfg(feature = "mysql")]
pub(crate) mod encryption;

use diesel::QueryResult;
use diesel::r2d2::R2D2Connection;

/// What work under a lock answers.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// One of Diesel's connections, with what this crate has to know of its database.
///
/// Implemented for `SqliteConnection`, `MysqlConnection` and `PgConnection`, each behind its
/// feature.
pub trait Backend: R2D2Connection + Sized + 'static {
    /// Run once on each new connection.
    #[doc(hidden)]
    const SET_UP: &'static str;
    /// What stands around a name. Never a double quote on SQLite, which takes a name that it does
    /// not know for a text then.
    #[doc(hidden)]
    const QUOTE: char = '`';
    /// Deletes expired sessions, the oldest first: up to an instant, and up to a number.
    #[doc(hidden)]
    const SWEEP: &'static str = "DELETE FROM sessions WHERE id IN \
        (SELECT id FROM sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)";
    /// Makes a JSON object as text of what stands between the two pieces.
    #[doc(hidden)]
    const JSON_OBJECT: [&'static str; 2] = ["JSON_OBJECT(", ")"];
    /// What the user's key is compared with: what stands before and after the sessions' text.
    #[doc(hidden)]
    fn as_key_of(_table: &str, _key: &str) -> [String; 2] {
        Default::default()
    }
    /// Whether only one connection can write at a time.
    #[doc(hidden)]
    const ONE_WRITER: bool = false;
    /// Does `work` in a transaction.
    #[doc(hidden)]
    fn transact<T>(&mut self, work: impl FnOnce(&mut Self) -> QueryResult<T>) -> QueryResult<T> {
        self.transaction(work)
    }
    /// What is wrong with a new connection, if it is less than its URL asks for.
    #[doc(hidden)]
    fn objection(&mut self, _url: &str) -> QueryResult<Option<&'static str>> {
        Ok(None)
    }
    /// Does `work` while no other node does the same.
    #[doc(hidden)]
    fn exclusively<T>(&mut self, work: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T>;
}

#[cfg(feature = "sqlite")]
impl Backend for diesel::SqliteConnection {
    // The time-out first: the switch to WAL may have to wait. FULL, so that what is acknowledged
    // survives a power loss.
    const SET_UP: &'static str = "PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; \
        PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON";
    const ONE_WRITER: bool = true;

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
        innodb_lock_wait_timeout = 2; SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
    // MySQL knows no LIMIT in a subquery. Without the ORDER BY, MariaDB scans the table and blocks
    // live sessions.
    const SWEEP: &'static str =
        "DELETE FROM sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT ?";

    fn objection(&mut self, url: &str) -> QueryResult<Option<&'static str>> {
        encryption::objection(self, url)
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
    const QUOTE: char = '"';
    // Takes no row that somebody is using: neither one that another node deletes nor one that a
    // request touches. The ARRAY has the subquery done once, or it might find other rows again.
    const SWEEP: &'static str = "DELETE FROM sessions WHERE id = ANY (ARRAY(SELECT id \
        FROM sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT ? FOR UPDATE SKIP LOCKED))";
    const JSON_OBJECT: [&'static str; 2] = ["CAST(json_build_object(", ") AS TEXT)"];

    // PostgreSQL compares no number with a text. A row that is made of JSON has the column's own
    // type, whichever that is; a cast of the column would do without its index.
    fn as_key_of(table: &str, key: &str) -> [String; 2] {
        let before = format!("(json_populate_record(NULL::{table}, json_build_object('{key}', ");
        [before, format!("))).{key}")]
    }

    fn exclusively<T>(&mut self, work: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        // PostgreSQL names advisory locks by numbers; this one is "session" in ASCII.
        let [lock, unlock] = [
            "SELECT pg_advisory_lock(32481168853659502)",
            "SELECT pg_advisory_unlock(32481168853659502)",
        ];
        between(self, lock, unlock, work)
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
