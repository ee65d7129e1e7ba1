//! Sessions in a table of SQLite, MariaDB/MySQL or PostgreSQL: one body of code for the three.

pub(crate) mod statement;

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use diesel::QueryResult;
use diesel::r2d2::ConnectionManager;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use self::statement::{Execute, Row, Statement, Value};
use crate::backend::Backend;
use crate::error::Error;
use crate::pool::{Connections, Manager, Repeat, Single, run};
use crate::record::Record;
use crate::store::{Inserted, Store, Updated};
use crate::token::Key;

/// A store in the table `sessions` of a database that Diesel connects to.
///
/// `C` is `SqliteConnection`, `MysqlConnection` or `PgConnection`. The table is made by the
/// migrations of this crate's repository.
pub struct DieselStore<C: 'static, P = Box<dyn Connections<C>>> {
    pool: P,
    /// SQLite lets one writer in and has the others poll, for up to 100 ms at a time; waiting here
    /// is prompt.
    writing: Option<Arc<Mutex<()>>>,
    select: Arc<Select>,
    connection: PhantomData<fn() -> C>,
}

/// [`DieselStore::within`], for a connection of which no more is known than its type.
pub(crate) type Within<C> = for<'c> fn(&DieselStore<C>, &'c mut C) -> Box<dyn Store + 'c>;

impl<C: Backend> DieselStore<C> {
    /// Uses a pool that the application already has.
    pub fn new(pool: diesel::r2d2::Pool<ConnectionManager<C>>) -> Self {
        Self::on(pool)
    }

    /// Opens a pool of its own, of up to `size` connections, which are made when they are needed.
    ///
    /// `url` is what the connection itself takes: a file's path for SQLite.
    pub fn connect(url: &str, size: u32) -> Self {
        Self::on(Manager::<C>::pool(url, size, Duration::from_secs(2)))
    }

    pub(crate) fn on(pool: impl Connections<C> + 'static) -> Self {
        let writing = C::ONE_WRITER.then(Arc::default);
        Self {
            pool: Box::new(pool),
            writing,
            select: Arc::new(Select::with("NULL")),
            connection: PhantomData,
        }
    }

    /// Brings these columns of the user's row along with each record, in the same statement.
    ///
    /// The names must be as SQL takes them; `key` is the column that holds the ids given to
    /// [`Session::log_in`](crate::Session::log_in).
    #[must_use]
    pub fn with_user(self, table: &str, key: &str, columns: &[&str]) -> Self {
        let pair = |column| format!("'{column}', {table}.{column}");
        let pairs: Vec<String> = columns.iter().map(pair).collect();
        let [open, close] = C::JSON_OBJECT;
        let object = format!("{open}{}{close}", pairs.join(", "));
        let condition = format!("{table}.{key} = sessions.user_id");
        let user = format!("(SELECT {object} FROM {table} WHERE {condition})");
        let select = Arc::new(Select::with(&user));
        Self { select, ..self }
    }

    /// Does `work`, then what `save` does on this store, in one transaction.
    pub(crate) fn transaction<T, S>(
        &self,
        within: Within<C>,
        work: impl Fn(&mut C) -> QueryResult<T>,
        save: impl Fn(&dyn Store) -> Result<S, Error>,
    ) -> Result<(T, S), Error> {
        let mut failed = None;
        let done = self.write(Repeat::Harmful, |connection| {
            connection.transact(|connection| {
                let value = work(connection)?;
                let saved = save(&*within(self, connection)).map_err(|error| {
                    error.into_diesel().unwrap_or_else(|error| {
                        failed = Some(error);
                        DieselError::RollbackTransaction
                    })
                })?;
                Ok((value, saved))
            })
        });
        match failed {
            Some(error) => Err(error),
            None => done,
        }
    }

    /// This store, in the middle of a transaction.
    pub(crate) fn within<'c>(&self, connection: &'c mut C) -> Box<dyn Store + 'c>
    where
        C: Execute,
    {
        Box::new(DieselStore {
            pool: Single::new(connection),
            writing: None,
            select: self.select.clone(),
            connection: PhantomData,
        })
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

/// The statements that read records.
struct Select {
    one: String,
    of_user: String,
    all: String,
}

impl Select {
    /// `user` is what stands for the user's row.
    fn with(user: &str) -> Self {
        let select = |condition: &str| {
            format!(
                "SELECT id, user_id, data, version, created_at, seen_at, expires_at, deadline, \
                 user_agent, ip, {user} FROM sessions WHERE {condition}"
            )
        };
        Self {
            one: select("id = ? AND expires_at > ?"),
            of_user: select("user_id = ? AND expires_at > ? ORDER BY seen_at DESC, id"),
            all: select("id > ? AND expires_at > ? ORDER BY id LIMIT ?"),
        }
    }
}

impl<C: Execute, P: Connections<C>> Store for DieselStore<C, P> {
    fn load(&self, key: &Key, now: i64) -> Result<Option<Record>, Error> {
        let select = Statement::new(&self.select.one, [Value::of(key), now.into()]);
        let mut rows = self.read(|connection| connection.rows(&select))?;
        Ok(rows.pop().map(record))
    }

    fn insert(&self, record: &Record) -> Result<Inserted, Error> {
        let insert = Statement::new(
            "INSERT INTO sessions (id, user_id, data, version, created_at, seen_at, expires_at, \
             deadline, user_agent, ip) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            values(record),
        );
        self.write(Repeat::Harmful, |connection| {
            match connection.change(&insert) {
                Err(error) if taken(&error) => Ok(Inserted::Taken),
                other => other.map(|_| Inserted::Done),
            }
        })
    }

    fn update(&self, key: &Key, version: i64, record: &Record) -> Result<Updated, Error> {
        let update = Statement::new(
            "UPDATE sessions SET id = ?, user_id = ?, data = ?, version = ?, created_at = ?, \
             seen_at = ?, expires_at = ?, deadline = ?, user_agent = ?, ip = ? \
             WHERE id = ? AND version = ?",
            values(record)
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
        let update = Statement::new(
            "UPDATE sessions SET seen_at = ?, expires_at = ? \
             WHERE id = ? AND seen_at < ? AND expires_at <= ?",
            [
                seen_at.into(),
                expires_at.into(),
                Value::of(key),
                seen_at.into(),
                expires_at.into(),
            ],
        );
        self.write(Repeat::Harmless, |connection| {
            connection.change(&update).map(drop)
        })
    }

    fn delete(&self, key: &Key) -> Result<bool, Error> {
        let sql = "DELETE FROM sessions WHERE id = ?";
        delete(self, &Statement::new(sql, [Value::of(key)])).map(|count| count > 0)
    }

    fn list(&self, user_id: &str, now: i64) -> Result<Vec<Record>, Error> {
        let select = Statement::new(&self.select.of_user, [user_id.into(), now.into()]);
        let rows = self.read(|connection| connection.rows(&select))?;
        Ok(rows.into_iter().map(record).collect())
    }

    fn all(&self, now: i64, after: Option<&Key>, limit: u32) -> Result<Vec<Record>, Error> {
        let after = after.map_or("", Key::as_str);
        let values = [after.into(), now.into(), i64::from(limit).into()];
        let select = Statement::new(&self.select.all, values);
        let rows = self.read(|connection| connection.rows(&select))?;
        Ok(rows.into_iter().map(record).collect())
    }

    fn delete_all(&self, user_id: &str, except: Option<&Key>) -> Result<u64, Error> {
        let except = except.map_or("", Key::as_str);
        let sql = "DELETE FROM sessions WHERE user_id = ? AND id <> ?";
        delete(self, &Statement::new(sql, [user_id.into(), except.into()]))
    }

    fn sweep(&self, now: i64, limit: u32) -> Result<u64, Error> {
        delete(
            self,
            &Statement::new(C::SWEEP, [now.into(), i64::from(limit).into()]),
        )
    }

    fn count(&self, now: i64) -> Result<u64, Error> {
        let sql = "SELECT COUNT(*) FROM sessions WHERE expires_at > ?";
        let count = Statement::new(sql, [now.into()]);
        self.read(|connection| connection.number(&count))
            .map(i64::unsigned_abs)
    }

    fn clear(&self) -> Result<u64, Error> {
        delete(self, &Statement::new("DELETE FROM sessions", []))
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

/// The columns that are written, in the order of the table.
fn values(record: &Record) -> [Value<'_>; 10] {
    [
        Value::of(&record.key),
        record.user_id.as_deref().into(),
        record.data.as_str().into(),
        record.version.into(),
        record.created_at.into(),
        record.seen_at.into(),
        record.expires_at.into(),
        record.deadline.into(),
        record.user_agent.as_deref().into(),
        record.ip.as_deref().into(),
    ]
}

fn record(row: Row) -> Record {
    let (id, user_id, data, version, created_at, seen_at, expires_at, deadline, agent, ip, user) =
        row;
    let user_agent = agent;
    let key = Key::from_stored(id);
    Record {
        key,
        user_id,
        data,
        version,
        created_at,
        seen_at,
        expires_at,
        deadline,
        user_agent,
        ip,
        user,
    }
}
