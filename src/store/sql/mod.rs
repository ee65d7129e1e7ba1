//! Sessions in a table of SQLite, MariaDB/MySQL or PostgreSQL: one body of code for the three.

pub(crate) mod backend;
mod columns;
pub(crate) mod layout;
pub(crate) mod pool;
mod row;
mod setup;
pub(crate) mod statement;
pub(crate) mod table;
mod texts;
pub(crate) mod transaction;
mod users;

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use diesel::QueryResult;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use self::row::record;
use self::statement::{Execute, Statement, Value};
use self::texts::Sql;
use self::users::{Users, reading};
use crate::error::Error;
use crate::record::Record;
use crate::store::pool::Repeat;
use crate::store::sql::backend::Backend;
use crate::store::sql::pool::{Connections, is_rolled_back, run};
use crate::store::sql::table::Table;
use crate::store::{Inserted, Store, Updated};
use crate::token::Key;

/// The migration that makes the sessions table, for SQLite, MariaDB/MySQL and PostgreSQL.
///
/// It stands alone, beside whatever tables an application has. It keeps a sessions table that
/// `session.create_table` has made, and that setting keeps the one of this migration. For the
/// Diesel CLI copy its folder from `src/store/sql/migrations` into yours: both record the same
/// version.
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
/// `C` is `SqliteConnection`, `MysqlConnection` or `PgConnection`. The table is made by
/// [`MIGRATIONS`] or by [`create_table`](DieselStore::create_table), or is there already; columns beyond those of a [`Record`] are left alone.
pub struct DieselStore<C: 'static, P = Box<dyn Connections<C>>> {
    pool: P,
    /// SQLite lets one writer in and has the others poll, for up to 100 ms at a time; waiting here
    /// is prompt.
    writing: Option<Arc<Mutex<()>>>,
    table: Arc<Table>,
    user: Option<Arc<Users>>,
    sql: Arc<Sql>,
    connection: PhantomData<fn() -> C>,
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

impl<C, P> DieselStore<C, P> {
    fn values<'a>(&self, record: &'a Record) -> Vec<Value<'a>> {
        (self.table.layout().values)(record)
    }

    /// The user's id, as often as a statement for all sessions of a user takes it.
    fn user_ids<'a>(&self, user_id: &'a str) -> Vec<Value<'a>> {
        vec![user_id.into(); self.table.layout().user_ids]
    }
}

impl<C: Backend> DieselStore<C> {
    /// The row of one user, with the columns of [`with_user`](DieselStore::with_user).
    pub(crate) fn user(&self, user_id: &str) -> Result<Option<String>, Error>
    where
        C: Execute,
    {
        let Some(sql) = &reading(self)?.user else {
            return Ok(None);
        };
        let places = sql.matches('?').count();
        let select = Statement::new(sql, vec![user_id.into(); places]);
        self.read(|connection| connection.text(&select))
    }
}

fn records<C: Execute>(
    store: &DieselStore<C, impl Connections<C>>,
    select: impl Fn(&Sql) -> &str,
    values: &[Value<'_>],
) -> Result<Vec<Record>, Error> {
    let select = Statement::new(select(reading(store)?), values.iter().copied());
    let rows = store.read(|connection| connection.rows(&select))?;
    let records: Vec<_> = rows.into_iter().map(record).collect();
    if let Some(users) = &store.user {
        users.warn_of_strays(&records);
    }
    Ok(records)
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
        let mut records = records(self, |sql| &sql.load, &[Value::of(key), now.into()])?;
        Ok(records.pop())
    }

    fn insert(&self, record: &Record) -> Result<Inserted, Error> {
        let insert = Statement::new(&self.sql.insert, self.values(record));
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
            self.values(record)
                .into_iter()
                .chain([Value::of(key), version.into()]),
        );
        self.write(Repeat::Harmful, |connection| {
            match connection.change(&update) {
                Ok(0) => Ok(Updated::Stale),
                Err(error) if taken(&error) => Ok(Updated::Taken),
                // Another node of a cluster was first. Within a transaction all of it was undone.
                Err(error) if is_rolled_back(&error) && self.pool.has_others() => {
                    Ok(Updated::Stale)
                }
                other => other.map(|_| Updated::Done),
            }
        })
    }

    fn touch(&self, key: &Key, seen_at: i64, expires_at: i64) -> Result<(), Error> {
        let times = (self.table.layout().times)(key, seen_at, expires_at);
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
        let mut values = self.user_ids(user_id);
        values.push(now.into());
        records(self, |sql| &sql.list, &values)
    }

    fn all(&self, now: i64, after: Option<&Key>, limit: u32) -> Result<Vec<Record>, Error> {
        let after = after.map_or("", Key::as_str);
        records(
            self,
            |sql| &sql.all,
            &[after.into(), now.into(), i64::from(limit).into()],
        )
    }

    fn delete_all(&self, user_id: &str, except: Option<&Key>) -> Result<u64, Error> {
        let except = except.map_or("", Key::as_str);
        let mut values = self.user_ids(user_id);
        values.push(except.into());
        delete(self, &Statement::new(&self.sql.delete_all, values))
    }

    fn delete_expired(&self, now: i64, limit: u32) -> Result<u64, Error> {
        let values = [now.into(), i64::from(limit).into()];
        delete(self, &Statement::new(&self.sql.delete_expired, values))
    }

    fn count(&self, now: i64) -> Result<u64, Error> {
        let count = Statement::new(&self.sql.count, [now.into()]);
        self.read(|connection| connection.number(&count))
            .map(i64::unsigned_abs)
    }

    fn clear(&self) -> Result<u64, Error> {
        delete(self, &Statement::new(&self.sql.clear, []))
    }

    fn time(&self) -> Result<Option<i64>, Error> {
        let ask = C::TIME.map(|sql| Statement::new(sql, []));
        ask.map(|ask| self.read(|connection| connection.number(&ask)))
            .transpose()
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
