//! Sessions in a table of SQLite, MariaDB/MySQL or PostgreSQL.

mod alterations;
pub(crate) mod backend;
mod columns;
mod expired;
pub(crate) mod layout;
mod many;
pub(crate) mod pool;
mod queries;
mod setup;
pub(crate) mod statement;
mod store;
pub(crate) mod table;
mod transaction;
mod user_join;

use std::fmt;

use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use self::store::SqlStore;
use crate::error::Error;
use crate::record::Record;
use crate::store::sql::backend::Backend;
use crate::store::sql::pool::ConnectionSource;
use crate::store::{Gathers, Inserted, Loaded, Save, Store, Updated};
use crate::token::Key;

/// The migration that creates the sessions table, for SQLite, MariaDB/MySQL and PostgreSQL.
///
/// It needs no other table of the application. It keeps a table that `session.create_table` has created,
/// and that setting keeps the table of this migration. For the Diesel CLI, copy its folder from
/// `src/store/sql/migrations` into yours: both record the same version.
///
/// ```no_run
/// use rocket_diesel_session::{MIGRATIONS, Sessions};
///
/// #[rocket::launch]
/// fn rocket() -> _ {
///     // session.migrate = true runs it at launch
///     rocket::build().attach(Sessions::fairing().with_migrations(MIGRATIONS))
/// }
/// ```
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("src/store/sql/migrations");

/// A store in a table of a database that Diesel connects to.
///
/// `C` is `SqliteConnection`, `MysqlConnection` or `PgConnection`. The table is created by [`MIGRATIONS`] or by
/// [`create_table`](DieselStore::create_table), or is there already. Columns beyond those of a [`Record`] stay as they are.
pub struct DieselStore<C: 'static>(SqlStore<C, Box<dyn ConnectionSource<C>>>);

impl<C: Backend> DieselStore<C> {
    /// Returns the row of one user, with the columns of [`with_user`](DieselStore::with_user).
    pub(crate) fn user(&self, user_id: &str) -> Result<Option<String>, Error> {
        self.0.user(user_id)
    }

    /// Returns an error that names the columns that the table lacks, or `error` if it lacks none.
    pub(crate) fn explain(&self, error: Error) -> Error {
        self.0.explain(error)
    }

    /// Returns the statements that give the table what this version needs.
    pub(crate) fn alterations(&self) -> Result<Vec<String>, Error> {
        self.0.alterations()
    }
}

impl<C: Backend> Store for DieselStore<C> {
    fn load(&self, key: &Key, now: i64) -> Result<Option<Record>, Error> {
        self.0.load(key, now)
    }

    fn load_with_user(&self, key: &Key, now: i64) -> Result<Loaded, Error> {
        self.0.load_with_user(key, now)
    }

    fn gathers(&self) -> Gathers {
        self.0.gathers()
    }

    fn load_many(&self, keys: &[&Key], now: i64) -> Vec<Result<Loaded, Error>> {
        self.0.load_many(keys, now)
    }

    fn expiries(&self, keys: &[&Key], now: i64) -> Vec<Result<Option<i64>, Error>> {
        self.0.expiries(keys, now)
    }

    fn save_many(&self, saves: &[&Save]) -> Vec<Result<Updated, Error>> {
        self.0.save_many(saves)
    }

    fn insert(&self, record: &Record) -> Result<Inserted, Error> {
        self.0.insert(record)
    }

    fn update(&self, key: &Key, version: i64, record: &Record) -> Result<Updated, Error> {
        self.0.update(key, version, record)
    }

    fn touch(&self, key: &Key, seen_at: i64, expires_at: i64) -> Result<(), Error> {
        self.0.touch(key, seen_at, expires_at)
    }

    fn delete(&self, key: &Key) -> Result<bool, Error> {
        self.0.delete(key)
    }

    fn list(&self, user_id: &str, now: i64) -> Result<Vec<Record>, Error> {
        self.0.list(user_id, now)
    }

    fn all(&self, now: i64, after: Option<&Key>, limit: u32) -> Result<Vec<Record>, Error> {
        self.0.all(now, after, limit)
    }

    fn delete_all(&self, user_id: &str, except: Option<&Key>) -> Result<u64, Error> {
        self.0.delete_all(user_id, except)
    }

    fn delete_expired(&self, now: i64, limit: u32) -> Result<u64, Error> {
        self.0.delete_expired(now, limit)
    }

    fn first_expiry(&self) -> Result<Option<i64>, Error> {
        self.0.first_expiry()
    }

    fn count(&self, now: i64) -> Result<u64, Error> {
        self.0.count(now)
    }

    fn clear(&self) -> Result<u64, Error> {
        self.0.clear()
    }

    fn time(&self) -> Result<Option<i64>, Error> {
        self.0.time()
    }
}

impl<C> fmt::Debug for DieselStore<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DieselStore<{}>", std::any::type_name::<C>())
    }
}

#[cfg(test)]
mod tests;
