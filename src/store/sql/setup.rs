//! Builds a `DieselStore`: its pool, its table, and the columns of the user's row.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use diesel::r2d2::ConnectionManager;

use super::DieselStore;
use super::queries::Sql;
use super::store::SqlStore;
use super::user_join::{Names, Users};
use crate::error::Error;
use crate::store::pool::{Bounds, Outdated};
use crate::store::sql::backend::Backend;
use crate::store::sql::pool::{
    ApplicationPool, ConnectionSource, DatabaseFile, DoorConnections, SqlConnector,
};
use crate::store::sql::table::Table;

impl<C: Backend> DieselStore<C> {
    /// Returns a store on a pool of the application. Its connections stay as they are.
    ///
    /// Set each of them up as [`connect`](DieselStore::connect) does: on SQLite `PRAGMA busy_timeout`, on
    /// MariaDB and MySQL a strict `sql_mode`. A warning in the log names a missing setting. Saves that requests
    /// share wait for a row in use as long as these connections do.
    pub fn new(pool: diesel::r2d2::Pool<ConnectionManager<C>>) -> Self {
        Self::on(ApplicationPool::new(pool))
    }

    /// Returns a store with its own pool of up to `size` connections. They open when they are needed, and
    /// close after 10 minutes without use.
    ///
    /// `url` is what Diesel's connection accepts: a file's path for SQLite.
    pub fn connect(url: &str, size: u32) -> Self {
        let (outdated, bounds) = (Outdated::default(), Bounds::of_size(size));
        let file = DatabaseFile::at(C::file(url), url);
        let pool = SqlConnector::<C>::pool_until(&outdated, &file, url, bounds);
        let store = Self::on(pool.clone());
        match C::ONE_WRITER {
            true => store,
            false => store.with_door(pool.door()),
        }
    }

    pub(crate) fn on(pool: impl ConnectionSource<C> + 'static) -> Self {
        let table = Arc::new(Table::default());
        Self(SqlStore {
            pool: Box::new(pool),
            door: None,
            writer: C::ONE_WRITER.then(Arc::default),
            sql: Arc::new(Sql::new::<C>(&table, None)),
            table,
            users: None,
            connection: PhantomData,
        })
    }

    /// Returns the same store on other connections to the same database.
    pub(crate) fn with_pool(&self, pool: impl ConnectionSource<C> + 'static) -> Self {
        Self(self.0.on(Box::new(pool)))
    }

    /// Makes saves on the connections of `door`.
    pub(crate) fn with_door(self, door: DoorConnections<C>) -> Self {
        Self(SqlStore {
            door: Some(Arc::new(door)),
            ..self.0
        })
    }

    /// Keeps the sessions in `table`, which may be `schema.table`, instead of in `sessions`.
    ///
    /// `columns` are pairs of a column's name in the migrations and in this table; those left out
    /// are called as in the migrations. Each name has 1 to 63 letters of ASCII, digits and `_`, and
    /// may be a word that SQL reserves. Fails if a name has other characters, a column is
    /// unknown, or two columns have one name.
    pub fn with_table(self, table: &str, columns: &[(&str, &str)]) -> Result<Self, Error> {
        Ok(self.on_table(Table::new(table, columns.iter().copied())?))
    }

    pub(crate) fn on_table(self, table: Table) -> Self {
        let sql = Arc::new(Sql::new::<C>(&table, None));
        let users = self.0.users.as_ref();
        let users = users.map(|it| Arc::new(Users::new(it.names.clone())));
        Self(SqlStore {
            table: Arc::new(table),
            sql,
            users,
            ..self.0
        })
    }

    /// Reads these columns of the user's row with each session, in the same statement.
    ///
    /// The names are those of the database, without quotes; the table may be `schema.table`. `key` is the
    /// column whose text is the id given to [`Session::log_in`](crate::Session::log_in): an integer, a text
    /// or a UUID. The first read looks up its type, and fails as a wrong setting if it is another one.
    #[must_use]
    pub fn with_user(self, table: &str, key: &str, columns: &[&str]) -> Self {
        let names = Names::new(table, key, columns);
        Self(SqlStore {
            users: Some(Arc::new(Users::new(names))),
            ..self.0
        })
    }

    /// Creates the table and its two indexes unless there is a table of this name.
    ///
    /// Several nodes may do so at once. The table equals that of [`MIGRATIONS`](crate::MIGRATIONS), which
    /// keep it. If the table is there, the account needs no right to create tables.
    ///
    /// # Errors
    ///
    /// Fails as unavailable if the database does not create it, and as a wrong setting if its name has more
    /// than 52 characters.
    pub fn create_table(&self) -> Result<(), Error> {
        let failed = |cause: &dyn fmt::Display| {
            Error::unavailable(format!(
                "the sessions table does not exist and was not created: {cause}; give the account the right to \
                 create tables, or run the migrations with an account that has it"
            ))
        };
        let mut lease = self.0.pool.checkout().map_err(|cause| {
            Error::unavailable("no database connection is available").with_source(cause)
        })?;
        let probe = "SELECT 1 FROM sessions WHERE 1 = 0";
        let probe = self.0.table.put_into(probe, C::QUOTE);
        if lease.batch_execute(&probe).is_ok() {
            return Ok(());
        }
        let create = self.0.table.creation(C::QUOTE)?;
        let made = lease.transact_exclusively(|connection| {
            // Another node may have created it meanwhile. The probe has its own transaction, because a failed
            // one would end the outer transaction.
            let probed = connection.transaction(|connection| connection.batch_execute(&probe));
            match probed {
                Ok(()) => Ok(()),
                Err(_) => Ok(connection.batch_execute(&create)?),
            }
        });
        made.map_err(|cause| failed(&cause))
    }
}
