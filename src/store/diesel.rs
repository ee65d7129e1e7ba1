//! Sessions in a table of SQLite, MariaDB/MySQL or PostgreSQL: one body of code for the three.

mod row;
mod sql;
pub(crate) mod statement;
pub(crate) mod transaction;

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use diesel::QueryResult;
use diesel::r2d2::ConnectionManager;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use self::row::record;
use self::sql::Sql;
use self::statement::{Execute, Statement, Value};
use crate::backend::Backend;
use crate::error::Error;
use crate::pool::{Bounds, Connections, Manager, Repeat, run};
use crate::record::Record;
use crate::store::table::Table;
use crate::store::{Inserted, Store, Updated};
use crate::token::Key;

/// A store in a table of a database that Diesel connects to.
///
/// `C` is `SqliteConnection`, `MysqlConnection` or `PgConnection`. The table is made by the
/// migrations of this crate's repository or by [`create_table`](DieselStore::create_table), or is
/// there already; columns beyond those of a [`Record`] are left alone.
pub struct DieselStore<C: 'static, P = Box<dyn Connections<C>>> {
    pool: P,
    /// SQLite lets one writer in and has the others poll, for up to 100 ms at a time; waiting here
    /// is prompt.
    writing: Option<Arc<Mutex<()>>>,
    table: Arc<Table>,
    /// As [`Sql::new`] takes it.
    user: Option<[String; 2]>,
    sql: Arc<Sql>,
    connection: PhantomData<fn() -> C>,
}

impl<C: Backend> DieselStore<C> {
    /// Uses a pool that the application already has.
    pub fn new(pool: diesel::r2d2::Pool<ConnectionManager<C>>) -> Self {
        Self::on(pool)
    }

    /// Opens a pool of its own, of up to `size` connections, which are made when they are needed and
    /// closed after 10 minutes without work.
    ///
    /// `url` is what the connection itself takes: a file's path for SQLite.
    pub fn connect(url: &str, size: u32) -> Self {
        Self::on(Manager::<C>::pool(url, &Bounds::of_size(size)))
    }

    pub(crate) fn on(pool: impl Connections<C> + 'static) -> Self {
        let writing = C::ONE_WRITER.then(Arc::default);
        let table = Arc::new(Table::default());
        Self {
            pool: Box::new(pool),
            writing,
            sql: Arc::new(Sql::new::<C>(&table, None)),
            table,
            user: None,
            connection: PhantomData,
        }
    }

    /// The same store on other connections to the same database.
    pub(crate) fn apart(&self, pool: impl Connections<C> + 'static) -> Self {
        Self {
            pool: Box::new(pool),
            writing: self.writing.clone(),
            table: self.table.clone(),
            user: self.user.clone(),
            sql: self.sql.clone(),
            connection: PhantomData,
        }
    }

    /// Keeps the sessions in `table`, which may be `schema.table`, instead of in `sessions`.
    ///
    /// `columns` are pairs of a column's name in the migrations and in this table; those left out
    /// are called as in the migrations. Each name has 1 to 63 letters of ASCII, digits and `_`, and
    /// may be a word that SQL reserves. Fails when a name is another one or given twice.
    pub fn with_table(self, table: &str, columns: &[(&str, &str)]) -> Result<Self, Error> {
        Ok(self.on_table(Table::new(table, columns.iter().copied())?))
    }

    pub(crate) fn on_table(self, table: Table) -> Self {
        let sql = Arc::new(Sql::new::<C>(&table, self.user.as_ref()));
        let table = Arc::new(table);
        Self { table, sql, ..self }
    }

    /// Brings these columns of the user's row along with each record, in the same statement.
    ///
    /// The names must be as SQL takes them; `key` is the column, of a text or a number, that holds
    /// the ids given to [`Session::log_in`](crate::Session::log_in).
    #[must_use]
    pub fn with_user(self, table: &str, key: &str, columns: &[&str]) -> Self {
        let pair = |column| format!("'{column}', {table}.{column}");
        let pairs: Vec<String> = columns.iter().map(pair).collect();
        let [open, close] = C::JSON_OBJECT;
        let object = format!("{open}{}{close}", pairs.join(", "));
        let [before, after] = C::as_key_of(table, key);
        let user = [
            format!("(SELECT {object} FROM {table} WHERE {table}.{key} = {before}"),
            format!("{after})"),
        ];
        let sql = Arc::new(Sql::new::<C>(&self.table, Some(&user)));
        Self {
            user: Some(user),
            sql,
            ..self
        }
    }

    /// The row of one user, with the columns of [`with_user`](DieselStore::with_user).
    pub(crate) fn user(&self, user_id: &str) -> Result<Option<String>, Error>
    where
        C: Execute,
    {
        let Some(sql) = &self.sql.user else {
            return Ok(None);
        };
        let select = Statement::new(sql, [user_id.into()]);
        self.read(|connection| connection.text(&select))
    }

    /// Makes the table and its two indexes where there is no table of this name.
    ///
    /// Several nodes may do so at once. The table has the types of the migrations. Fails as
    /// unavailable when the database does not make it, and as a wrong setting when its name has
    /// more than 52 characters.
    pub fn create_table(&self) -> Result<(), Error> {
        let create = self.table.creation(C::QUOTE)?;
        let probe = "SELECT 1 FROM sessions WHERE 1 = 0";
        let probe = self.table.put_into(probe, C::QUOTE);
        let failed = "the sessions table was not made";
        let mut lease = self
            .pool
            .checkout()
            .map_err(|cause| Error::unavailable(failed).because(cause))?;
        // Looking first, because the right to make tables is asked for even where one is there.
        lease
            .exclusively(|connection| {
                if connection.batch_execute(&probe).is_err() {
                    connection.batch_execute(&create)?;
                }
                Ok(())
            })
            .map_err(|cause| Error::unavailable(failed).because(cause))
    }
}

impl<C: Backend, P: Connections<C>> DieselStore<C, P> {
    fn read<T>(&self, work: impl FnMut(&mut C) -> QueryResult<T>) -> Result<T, Error> {
        run(&self.pool, Repeat::Harmless, work)
    }

    fn write<T>(
        &self,
        repeat: Repeat,
        work: impl FnMut(&mut C) -> QueryResult<T>,
    ) -> Result<T, Error> {
        let turn = self.writing.as_ref();
        let _turn = turn.map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner));
        run(&self.pool, repeat, work)
    }
}

/// Carries out a `DELETE`; how many rows it took.
fn delete<C: Execute>(
    store: &DieselStore<C, impl Connections<C>>,
    statement: &Statement<'_>,
) -> Result<u64, Error> {
    store.write(Repeat::Harmless, |connection| connection.change(statement))
}

impl<C: Execute, P: Connections<C>> Store for DieselStore<C, P> {
    fn load(&self, key: &Key, now: i64) -> Result<Option<Record>, Error> {
        let select = Statement::new(&self.sql.load, [Value::of(key), now.into()]);
        let mut rows = self.read(|connection| connection.rows(&select))?;
        Ok(rows.pop().map(record))
    }

    fn insert(&self, record: &Record) -> Result<Inserted, Error> {
        let insert = Statement::new(&self.sql.insert, self.sql.values(record));
        self.write(Repeat::Harmful, |connection| {
            match connection.change(&insert) {
                Err(error) if taken(&error) => Ok(Inserted::Taken),
                other => other.map(|_| Inserted::Done),
            }
        })
    }

    fn update(&self, key: &Key, version: i64, record: &Record) -> Result<Updated, Error> {
        let update = Statement::new(
            &self.sql.update,
            self.sql
                .values(record)
                .into_iter()
                .chain([Value::of(key), version.into()]),
        );
        self.write(Repeat::Harmful, |connection| {
            match connection.change(&update) {
                Ok(0) => Ok(Updated::Stale),
                Err(error) if taken(&error) => Ok(Updated::Taken),
                other => other.map(|_| Updated::Done),
            }
        })
    }

    fn touch(&self, key: &Key, seen_at: i64, expires_at: i64) -> Result<(), Error> {
        let times = self.sql.times(key, seen_at, expires_at);
        let update = Statement::new(&self.sql.touch, times);
        self.write(Repeat::Harmless, |connection| {
            connection.change(&update).map(drop)
        })
    }

    fn delete(&self, key: &Key) -> Result<bool, Error> {
        let statement = Statement::new(&self.sql.delete, [Value::of(key)]);
        delete(self, &statement).map(|count| count > 0)
    }

    fn list(&self, user_id: &str, now: i64) -> Result<Vec<Record>, Error> {
        let select = Statement::new(&self.sql.list, [user_id.into(), now.into()]);
        let rows = self.read(|connection| connection.rows(&select))?;
        Ok(rows.into_iter().map(record).collect())
    }

    fn all(&self, now: i64, after: Option<&Key>, limit: u32) -> Result<Vec<Record>, Error> {
        let after = after.map_or("", Key::as_str);
        let values = [after.into(), now.into(), i64::from(limit).into()];
        let select = Statement::new(&self.sql.all, values);
        let rows = self.read(|connection| connection.rows(&select))?;
        Ok(rows.into_iter().map(record).collect())
    }

    fn delete_all(&self, user_id: &str, except: Option<&Key>) -> Result<u64, Error> {
        let except = except.map_or("", Key::as_str);
        let values = [user_id.into(), except.into()];
        delete(self, &Statement::new(&self.sql.delete_all, values))
    }

    fn sweep(&self, now: i64, limit: u32) -> Result<u64, Error> {
        let values = [now.into(), i64::from(limit).into()];
        delete(self, &Statement::new(&self.sql.sweep, values))
    }

    fn count(&self, now: i64) -> Result<u64, Error> {
        let count = Statement::new(&self.sql.count, [now.into()]);
        self.read(|connection| connection.number(&count))
            .map(i64::unsigned_abs)
    }

    fn clear(&self) -> Result<u64, Error> {
        delete(self, &Statement::new(&self.sql.clear, []))
    }
}

impl<C, P> fmt::Debug for DieselStore<C, P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DieselStore<{}>", std::any::type_name::<C>())
    }
}

fn taken(error: &DieselError) -> bool {
    matches!(
        error,
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)
    )
}

#[cfg(test)]
mod tests;
