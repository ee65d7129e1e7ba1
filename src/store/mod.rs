//! The trait that keeps sessions, and the stores in memory, in SQL databases and in Redis.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub(crate) mod memory;
pub(crate) mod observed;
pub(crate) mod pool;
#[cfg(feature = "redis")]
pub(crate) mod redis;
mod save;
pub(crate) mod span;
#[cfg_attr(
    not(any(feature = "sqlite", feature = "mysql", feature = "postgres")),
    allow(
        dead_code,
        unused_imports,
        unused_macros,
        unused_variables,
        reason = "without a backend there is nothing to open"
    )
)]
pub(crate) mod sql;

use std::sync::Arc;

pub use self::memory::MemoryStore;
#[cfg(feature = "redis")]
pub use self::redis::RedisStore;
pub use self::save::Save;
pub use self::sql::DieselStore;
pub use self::sql::backend::Backend;
pub use crate::record::Record;

use crate::error::Error;
use crate::token::Key;

/// Wraps a store so that it reads and writes the format of another application.
pub(crate) trait Adapter: Send + Sync {
    fn adapt(&self, store: Arc<dyn Store>) -> Arc<dyn Store>;

    /// Does the same within a transaction.
    fn adapt_within<'s>(&self, store: &'s dyn Store) -> Box<dyn Store + 's>;

    /// Returns the user's id in the data of a session.
    #[cfg(feature = "redis")]
    fn user_of(&self, data: &str) -> Option<String>;
}

/// Keeps the records of sessions.
///
/// A store is synchronous, and runs on threads that may block. It sees no HTTP and no token: it gets the
/// hash of a token as [`Key`], and the time in Unix milliseconds.
///
/// Only [`insert`](Store::insert) creates a record, and no verb brings one back, so that a sign-out is
/// final. `contract::check` (feature `contract`) tests a store.
///
/// # Errors
///
/// Every verb fails if the backend is broken or does not answer, and for no other reason. Expected
/// outcomes, such as `None`, `Taken` and `Stale`, are `Ok` values.
pub trait Store: Send + Sync {
    /// Returns the record under `key`, unless it expires at or before `now`.
    ///
    /// An unreadable record is logged and returned as `None`.
    fn load(&self, key: &Key, now: i64) -> Result<Option<Record>, Error>;

    /// Returns the record as [`load`](Store::load) does, and the row of its user as a JSON object.
    ///
    /// The default calls `load` and returns no row.
    fn load_with_user(&self, key: &Key, now: i64) -> Result<Loaded, Error> {
        Ok(self.load(key, now)?.map(|record| (record, None)))
    }

    /// Tells which verbs are cheaper for several records at once than one by one: requests that wait at the
    /// same moment share one call of these. The default names none.
    fn gathers(&self) -> Gathers {
        Gathers::default()
    }

    /// Loads several records as [`load_with_user`](Store::load_with_user) does, and returns their results in
    /// the order of the keys.
    ///
    /// A record that cannot be loaded must not keep the others from it. The default loads them one by one.
    fn load_many(&self, keys: &[&Key], now: i64) -> Vec<Result<Loaded, Error>> {
        keys.iter()
            .map(|key| self.load_with_user(key, now))
            .collect()
    }

    /// Returns when several records expire, in the order of the keys; `None` for one that is not there, or that
    /// expires at or before `now`.
    ///
    /// It is asked in intervals for all open streams of this process, with up to 1,000 keys. The default calls
    /// [`load_many`](Store::load_many).
    fn expiries(&self, keys: &[&Key], now: i64) -> Vec<Result<Option<i64>, Error>> {
        let expiry = |found: Loaded| found.map(|(record, _)| record.expires_at);
        let found = self.load_many(keys, now).into_iter();
        found.map(|found| found.map(expiry)).collect()
    }

    /// Saves several records, and returns their results in the order of the saves.
    ///
    /// Each save is atomic by itself, and each result is about its record alone: one that is stale, taken or
    /// fails must not keep the others from being saved. Requests never save one record twice in one call. The
    /// default saves them one by one.
    fn save_many(&self, saves: &[&Save]) -> Vec<Result<Updated, Error>> {
        saves.iter().map(|save| save.on(self)).collect()
    }

    /// Stores a new record, and never changes a record that is there.
    fn insert(&self, record: &Record) -> Result<Inserted, Error>;

    /// Replaces the record under `key` in one atomic step, if its version is `version`.
    ///
    /// If `record.key` differs from `key`, the record moves to the new key. A deleted record stays deleted.
    fn update(&self, key: &Key, version: i64, record: &Record) -> Result<Updated, Error>;

    /// Moves the two times forward, never back, and changes neither version nor data.
    fn touch(&self, key: &Key, seen_at: i64, expires_at: i64) -> Result<(), Error>;

    /// Deletes the record, and returns `true` if there was one.
    fn delete(&self, key: &Key) -> Result<bool, Error>;

    /// Returns the records of a user that have not expired at `now`, most recently seen first.
    fn list(&self, user_id: &str, now: i64) -> Result<Vec<Record>, Error>;

    /// Returns up to `limit` records of all users that have not expired at `now`, in the order of their
    /// keys, beginning after the key `after`.
    fn all(&self, now: i64, after: Option<&Key>, limit: u32) -> Result<Vec<Record>, Error>;

    /// Deletes all records of a user, except the one under `except`, and returns their number.
    fn delete_all(&self, user_id: &str, except: Option<&Key>) -> Result<u64, Error>;

    /// Deletes up to `limit` records that expire at or before `now`, the oldest first, and returns
    /// their number.
    fn delete_expired(&self, now: i64, limit: u32) -> Result<u64, Error>;

    /// Returns the earliest expiry of all records, expired ones included, in Unix milliseconds.
    ///
    /// The cleanup hurries while it falls behind by this. The default, `None`, makes it hurry whenever
    /// there is much to delete.
    fn first_expiry(&self) -> Result<Option<i64>, Error> {
        Ok(None)
    }

    /// Returns the number of records that have not expired at `now`.
    fn count(&self, now: i64) -> Result<u64, Error>;

    /// Deletes all records, and returns their number.
    fn clear(&self) -> Result<u64, Error>;

    /// Returns the time of the server that keeps the records, in Unix milliseconds.
    ///
    /// All nodes of an application measure sessions by it. The default, `None`, stands for the clock of
    /// this machine.
    fn time(&self) -> Result<Option<i64>, Error> {
        Ok(None)
    }
}

/// A record, and the row of its user as a JSON object.
pub type Loaded = Option<(Record, Option<String>)>;

/// The verbs that requests share; see [`Store::gathers`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gathers {
    /// [`Store::load_many`] is used.
    pub loads: bool,
    /// [`Store::save_many`] is used.
    pub saves: bool,
}

/// The result of [`Store::insert`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// The record is stored.
    Done,
    /// There is a record under this key already; it was not changed.
    Taken,
}

/// The result of [`Store::update`], and of one save of [`Store::save_many`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Updated {
    /// The record is replaced.
    Done,
    /// There is no record of this version under this key: it was changed or deleted.
    Stale,
    /// There is another record under the new key; nothing was changed.
    Taken,
}
