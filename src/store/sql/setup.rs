//! Sets a store up: its connections, its table, and the columns of the user's row.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use diesel::r2d2::ConnectionManager;

use super::DieselStore;
use super::store::SqlStore;
use super::texts::Sql;
use super::users::{Names, Users};
use crate::error::Error;
use crate::store::pool::Bounds;
use crate::store::sql::backend::Backend;
use crate::store::sql::pool::{ApplicationPool, Connections, SqlConnector};
use crate::store::sql::table::Table;

impl<C: Backend> DieselStore<C> {
    /// Uses a pool that the application already has, whose connections stay as they are.
    ///
    /// Give each of them what [`connect`](DieselStore::connect) would: on SQLite `PRAGMA busy_timeout`,
    /// on MariaDB and MySQL a strict `sql_mode`. A line of the log says so where that is missing.
    pub fn new(pool: diesel::r2d2::Pool<ConnectionManager<C>>) -> Self {
        Self::on(ApplicationPool::new(pool))
    }

    /// Opens a pool of its own, of up to `size` connections, which are made when they are needed and
    /// closed after 10 minutes without work.
    ///
    /// `url` is what the connection itself takes: a file's path for SQLite.
    pub fn connect(url: &str, size: u32) -> Self {
        Self::on(SqlConnector::<C>::pool(url, &Bounds::of_size(size)))
    }

    pub(crate) fn on(pool: impl Connections<C> + 'static) -> Self {
        let table = Arc::new(Table::default());
        Self(SqlStore {
            pool: Box::new(pool),
            writer: C::ONE_WRITER.then(Arc::default),
            sql: Arc::new(Sql::new::<C>(&table, None)),
            table,
            users: None,
            connection: PhantomData,
        })
    }

    /// Returns the same store on other connections to the same database.
    pub(crate) fn with_pool(&self, pool: impl Connections<C> + 'static) -> Self {
        Self(self.0.on(Box::new(pool)))
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

    /// Brings these columns of the user's row along with each record, in the same statement.
    ///
    /// The names are those that the database has, without quotes; the table may be `schema.table`.
    /// `key` is the column that holds the exact texts of the ids given to
    /// [`Session::log_in`](crate::Session::log_in): an integer, a text or a UUID. The first read looks
    /// its type up, and fails as a wrong setting where it is another one.
    #[must_use]
    pub fn with_user(self, table: &str, key: &str, columns: &[&str]) -> Self {
        let names = Names::new(table, key, columns);
        Self(SqlStore {
            users: Some(Arc::new(Users::new(names))),
            ..self.0
        })
    }

    /// Makes the table and its two indexes where there is no table of this name.
    ///
    /// Several nodes may do so at once. The table has the types of [`MIGRATIONS`](crate::MIGRATIONS),
    /// which keep it. A table that is there needs no right to make one. Fails as unavailable when
    /// the database does not make it, and as a wrong setting when its name has more than 52
    /// characters.
    pub fn create_table(&self) -> Result<(), Error> {
        let failed = |cause: &dyn fmt::Display| {
            Error::unavailable(format!(
                "the sessions table is not there and was not made: {cause}; give the account the right to make \
                 tables, or run the migrations as one that has it"
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
            // Another node may have made it meanwhile. A transaction within, because a failed probe would
            // be the end of the outer one.
            let probed = connection.transaction(|connection| connection.batch_execute(&probe));
            match probed {
                Ok(()) => Ok(()),
                Err(_) => Ok(connection.batch_execute(&create)?),
            }
        });
        made.map_err(|cause| failed(&cause))
    }
}
