//! The differences between SQLite, MariaDB/MySQL and PostgreSQL.

#[cfg(feature = "mysql")]
pub(crate) mod encryption;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod pooler;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "mysql")]
mod server;
#[cfg(feature = "sqlite")]
mod sqlite;
pub(crate) mod user_key;

use std::path::PathBuf;

use diesel::QueryResult;
use diesel::r2d2::R2D2Connection;

use super::statement::Execute;
use crate::error::Error;

/// The result of work under a lock.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The part of [`Dialect::SET_UP`] that makes a node of a Galera cluster wait until it knows what the
/// other nodes have acknowledged. MySQL takes it for a comment.
pub(crate) const SYNC_WAIT: &str = " /*M!100100 , SESSION wsrep_sync_wait = 7 */";

/// Stands for the user's id in [`Dialect::is_user`].
pub(crate) const USER_ID: &str = "\0";

/// A connection of Diesel to one of the databases of this crate.
///
/// Implemented for `SqliteConnection`, `MysqlConnection` and `PgConnection`, each behind its feature.
/// The trait is sealed: no other type can implement it.
#[allow(private_bounds, reason = "seals the trait")]
pub trait Backend: R2D2Connection + Dialect {}

/// How several saves are made at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "each backend has one of them")]
pub(crate) enum Batch {
    /// By one statement that chooses values by `CASE`; if one save loses, all are undone.
    Case,
    /// By one statement that returns the rows that it changed, without a transaction.
    Returning,
    /// By one statement for each.
    Singly,
}

/// How a column gets another type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "each backend has one of them")]
pub(crate) enum Alter {
    /// By a copy of the table.
    Rebuild,
    /// By `MODIFY COLUMN` with the whole definition.
    Modify,
    /// By `ALTER COLUMN`, for the type and for NULL.
    Each,
}

/// What this crate has to know of a database.
pub(crate) trait Dialect: R2D2Connection + Execute + Sized + 'static {
    /// Runs once on each new connection.
    const SET_UP: &'static str;
    /// Replaces `SET_UP` where a pooler may give the connection to another client after any statement.
    const SET_UP_SHARED: &'static str = Self::SET_UP;
    /// Replaces `SET_UP` for the saves of a door: a row that is in use for long must not hold up the others.
    const SET_UP_DOOR: &'static str;
    /// Runs after `SET_UP_DOOR` for saves that share a transaction.
    const SET_UP_BATCH: &'static str = "";
    const BATCH: Batch;
    /// The quote around a name. On SQLite never a double quote: an unknown name in double quotes is a
    /// text there.
    const QUOTE: char = '`';
    /// Selects the keys of expired sessions, the oldest first: takes now and a number. `None` if
    /// `DELETE_EXPIRED` does that itself.
    const CHOOSE_EXPIRED: Option<&'static str> = None;
    /// Deletes expired sessions, the oldest first: takes now and a number. After `CHOOSE_EXPIRED` it takes
    /// the keys instead, in place of `(?)`, and now.
    const DELETE_EXPIRED: &'static str = "DELETE FROM sessions WHERE id IN \
        (SELECT id FROM sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)";
    /// Stand before and after the pairs of a JSON object, and make it a text.
    const JSON_OBJECT: [&'static str; 2] = ["JSON_OBJECT(", ")"];
    /// Selects the server's time in Unix milliseconds, in any time zone; `None` if the database has the
    /// clock of this machine.
    const TIME: Option<&'static str> = None;
    /// Selects the type of a column: takes its table, the table's schema or an empty text, and its name.
    const TYPE_OF: &'static str;
    /// Selects `name|type|length|null` of each column: takes the table, and its schema or an empty text.
    const COLUMNS: &'static str;
    /// Selects `name|unique`, or `name|`, of each index's first column, as `COLUMNS` does.
    const INDEXES: &'static str;
    const ALTER: Alter;
    /// Only one connection can write at a time.
    const ONE_WRITER: bool = false;

    /// Returns the condition for the row of the user whose id is the exact text [`USER_ID`]; `None` if
    /// values of the key's type have no exact text. `kind` is the result of [`TYPE_OF`](Dialect::TYPE_OF).
    fn is_user(table: &str, key: &str, kind: &str) -> Option<String>;

    /// Returns the path of the database if it is a file.
    fn file(_url: &str) -> Option<PathBuf> {
        None
    }

    /// Runs `work` in a transaction.
    fn transact<T>(&mut self, work: impl FnOnce(&mut Self) -> QueryResult<T>) -> QueryResult<T> {
        self.transaction(work)
    }

    /// Runs `work` when no other connection writes, if only one can. Otherwise at once.
    fn in_turn<T>(&mut self, mut work: impl FnMut(&mut Self) -> QueryResult<T>) -> QueryResult<T> {
        work(self)
    }

    /// Runs `work` in a transaction on a connection with `SET_UP_BATCH`.
    fn transact_at_door<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> QueryResult<T>,
    ) -> QueryResult<T> {
        self.transact(work)
    }

    /// Returns a URL for each host that the URL lists, with time limits for silent hosts, unless it sets
    /// them.
    fn hosts(url: &str) -> Vec<String> {
        vec![url.to_owned()]
    }

    /// Returns why the server accepts no writes.
    fn unready(&mut self) -> QueryResult<Option<&'static str>> {
        Ok(None)
    }

    /// Returns how a new connection falls short of its URL, such as a missing encryption.
    fn check_connection(&mut self, _url: &str) -> QueryResult<Option<&'static str>> {
        Ok(None)
    }

    /// Returns a setting without which sessions are lost or not saved, and the statement that adds it, if a
    /// connection of the application's pool lacks it.
    fn lack(&mut self) -> QueryResult<Option<&'static str>> {
        Ok(None)
    }

    /// Checks at launch that the server can be used as configured.
    fn check(
        _connect: impl Fn() -> Result<Self, Error>,
        _statement_cache: bool,
        _max_data: u64,
    ) -> Result<(), Error> {
        Ok(())
    }

    /// Runs `work` while no other node runs any.
    fn exclusively<T>(&mut self, work: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T>;

    /// Does the same within one transaction if possible, which works through a pooler.
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
struct ServerSetting {
    #[diesel(sql_type = diesel::sql_types::Text)]
    value: String,
}

/// Runs `work` between the statements that take and release a lock.
#[cfg(any(feature = "mysql", feature = "postgres"))]
fn between<C: Dialect, T>(
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
