//! The verbs of a store as statements on a table, through any connections.

use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use diesel::QueryResult;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::queries::Sql;
use super::statement::{Statement, Value, record};
use super::user_join::Users;
use crate::error::Error;
use crate::record::Record;
use crate::store::pool::Idempotent;
use crate::store::sql::backend::Backend;
use crate::store::sql::pool::{ConnectionSource, DoorConnections, is_rolled_back, run};
use crate::store::sql::table::Table;
use crate::store::{Gathers, Inserted, Loaded, Save, Store, Updated};
use crate::token::Key;

/// A store on the connections of `P`: a pool, or the connection of a transaction.
pub(super) struct SqlStore<C, P> {
    pub(super) pool: P,
    /// The connections of a door's saves, if they have their own.
    pub(super) door: Option<Arc<DoorConnections<C>>>,
    /// Lets one writer of this process in at a time, on SQLite.
    pub(super) writer: Option<Arc<Mutex<()>>>,
    pub(super) table: Arc<Table>,
    pub(super) users: Option<Arc<Users>>,
    pub(super) sql: Arc<Sql>,
    pub(super) connection: PhantomData<fn() -> C>,
}

impl<C: Backend, P: ConnectionSource<C>> SqlStore<C, P> {
    /// Returns a store for the same table on other connections.
    pub(super) fn on<Q>(&self, pool: Q) -> SqlStore<C, Q> {
        SqlStore {
            pool,
            door: None,
            writer: self.writer.clone(),
            table: self.table.clone(),
            users: self.users.clone(),
            sql: self.sql.clone(),
            connection: PhantomData,
        }
    }

    pub(super) fn read<T>(&self, work: impl FnMut(&mut C) -> QueryResult<T>) -> Result<T, Error> {
        run(&self.pool, Idempotent::Yes, work)
    }

    pub(super) fn write<T>(
        &self,
        idempotent: Idempotent,
        mut work: impl FnMut(&mut C) -> QueryResult<T>,
    ) -> Result<T, Error> {
        let Some(writer) = &self.writer else {
            return run(&self.pool, idempotent, work);
        };
        let _writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
        run(&self.pool, idempotent, |connection| {
            connection.in_turn(&mut work)
        })
    }

    /// Returns the row of one user, with the columns of [`with_user`](super::DieselStore::with_user).
    pub(super) fn user(&self, user_id: &str) -> Result<Option<String>, Error> {
        let Some(sql) = &self.reading()?.user else {
            return Ok(None);
        };
        let ids = sql.matches('?').count();
        let select = Statement::new(sql, vec![user_id.into(); ids]);
        self.read(|connection| connection.text(&select))
    }

    fn records(&self, select: &str, values: &[Value<'_>]) -> Result<Vec<Record>, Error> {
        let select = Statement::new(select, values.iter().copied());
        let rows = self.read(|connection| connection.rows(&select))?;
        Ok(rows.into_iter().map(|row| record(row).0).collect())
    }

    /// Runs a `DELETE` and returns the number of rows that it deleted.
    pub(super) fn delete_rows(&self, statement: &Statement<'_>) -> Result<u64, Error> {
        self.write(Idempotent::Yes, |connection| connection.change(statement))
    }

    /// Runs an `UPDATE` of one record and its version.
    pub(super) fn replace(&self, update: &Statement<'_>) -> Result<Updated, Error> {
        self.write(Idempotent::No, |connection| {
            match connection.change(update) {
                Ok(0) => Ok(Updated::Stale),
                Err(error) if is_taken(&error) => Ok(Updated::Taken),
                // Another node of a cluster was first. Within a transaction all of it was undone.
                Err(error) if is_rolled_back(&error) && self.pool.has_others() => {
                    Ok(Updated::Stale)
                }
                other => other.map(|_| Updated::Done),
            }
        })
    }

    pub(super) fn warn_of_strays(&self, found: Option<&(Record, Option<String>)>) {
        if let (Some(users), Some((record, user))) = (&self.users, found) {
            users.warn_of_strays(record, user.as_deref());
        }
    }

    fn values<'a>(&self, record: &'a Record) -> Vec<Value<'a>> {
        (self.table.layout().values)(record)
    }

    /// Returns the user's id, as often as a statement for all sessions of a user takes it.
    fn user_ids<'a>(&self, user_id: &'a str) -> Vec<Value<'a>> {
        vec![user_id.into(); self.table.layout().user_ids]
    }
}

impl<C: Backend, P: ConnectionSource<C>> Store for SqlStore<C, P> {
    fn load(&self, key: &Key, now: i64) -> Result<Option<Record>, Error> {
        let found = self.load_with_user(key, now)?;
        Ok(found.map(|(record, _)| record))
    }

    fn load_with_user(&self, key: &Key, now: i64) -> Result<Loaded, Error> {
        let select = Statement::new(&self.reading()?.load, [Value::of(key), now.into()]);
        let mut rows = self.read(|connection| connection.rows(&select))?;
        let found = rows.pop().map(record);
        self.warn_of_strays(found.as_ref());
        Ok(found)
    }

    fn gathers(&self) -> Gathers {
        Gathers {
            // SQLite has no round trips to save.
            loads: !C::ONE_WRITER,
            saves: self.sql.saves.is_some(),
        }
    }

    fn load_many(&self, keys: &[&Key], now: i64) -> Vec<Result<Loaded, Error>> {
        self.load_together(keys, now)
    }

    fn expiries(&self, keys: &[&Key], now: i64) -> Vec<Result<Option<i64>, Error>> {
        self.expiries_together(keys, now)
    }

    fn save_many(&self, saves: &[&Save]) -> Vec<Result<Updated, Error>> {
        self.save_together(saves)
    }

    fn insert(&self, record: &Record) -> Result<Inserted, Error> {
        let insert = Statement::new(&self.sql.insert, self.values(record));
        self.write(Idempotent::No, |connection| {
            match connection.change(&insert) {
                Err(error) if is_taken(&error) => Ok(Inserted::Taken),
                other => other.map(|_| Inserted::Done),
            }
        })
    }

    fn update(&self, key: &Key, version: i64, record: &Record) -> Result<Updated, Error> {
        let values = self.values(record).into_iter();
        let values = values.chain([Value::of(key), version.into()]);
        self.replace(&Statement::new(&self.sql.update, values))
    }

    fn touch(&self, key: &Key, seen_at: i64, expires_at: i64) -> Result<(), Error> {
        let times = (self.table.layout().times)(key, seen_at, expires_at);
        let update = Statement::new(&self.sql.touch, times);
        self.write(Idempotent::Yes, |connection| {
            connection.change(&update).map(drop)
        })
    }

    fn delete(&self, key: &Key) -> Result<bool, Error> {
        let statement = Statement::new(&self.sql.delete, [Value::of(key)]);
        self.delete_rows(&statement).map(|count| count > 0)
    }

    fn list(&self, user_id: &str, now: i64) -> Result<Vec<Record>, Error> {
        let mut values = self.user_ids(user_id);
        values.push(now.into());
        self.records(&self.sql.list, &values)
    }

    fn all(&self, now: i64, after: Option<&Key>, limit: u32) -> Result<Vec<Record>, Error> {
        let after = after.map_or("", Key::as_str);
        self.records(
            &self.sql.all,
            &[after.into(), now.into(), i64::from(limit).into()],
        )
    }

    fn delete_all(&self, user_id: &str, except: Option<&Key>) -> Result<u64, Error> {
        let except = except.map_or("", Key::as_str);
        let mut values = self.user_ids(user_id);
        values.push(except.into());
        self.delete_rows(&Statement::new(&self.sql.delete_all, values))
    }

    fn delete_expired(&self, now: i64, limit: u32) -> Result<u64, Error> {
        match &self.sql.choose_expired {
            Some(choose) => self.delete_chosen(choose, now, limit),
            None => self.delete_in_turns(now, limit),
        }
    }

    fn first_expiry(&self) -> Result<Option<i64>, Error> {
        let select = Statement::new(&self.sql.first_expiry, []);
        self.read(|connection| connection.number(&select)).map(Some)
    }

    fn count(&self, now: i64) -> Result<u64, Error> {
        let count = Statement::new(&self.sql.count, [now.into()]);
        self.read(|connection| connection.number(&count))
            .map(i64::unsigned_abs)
    }

    fn clear(&self) -> Result<u64, Error> {
        self.delete_rows(&Statement::new(&self.sql.clear, []))
    }

    fn time(&self) -> Result<Option<i64>, Error> {
        let ask = C::TIME.map(|sql| Statement::new(sql, []));
        ask.map(|ask| self.read(|connection| connection.number(&ask)))
            .transpose()
    }
}

pub(super) fn is_taken(error: &DieselError) -> bool {
    matches!(
        error,
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)
    )
}
