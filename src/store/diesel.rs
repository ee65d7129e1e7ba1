//! Sessions in a table of SQLite, MariaDB/MySQL or PostgreSQL: one body of code, stamped once for each.

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::r2d2::ConnectionManager;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{OptionalExtension, QueryResult, RunQueryDsl};

use crate::backend::Backend;
use crate::error::Error;
use crate::pool::{Connections, Manager, Repeat, run};
use crate::record::Record;
use crate::store::{Inserted, Store, Updated};
use crate::token::Key;

/// A store in the table `sessions` of a database that Diesel connects to.
///
/// `C` is `SqliteConnection`, `MysqlConnection` or `PgConnection`. The table is made by the migrations of this
/// crate's repository.
pub struct DieselStore<C: 'static> {
    pool: Box<dyn Connections<C>>,
    /// SQLite lets one writer in and has the others poll, for up to 100 ms at a time; waiting here is prompt.
    writing: Option<Mutex<()>>,
    /// All columns of a record, up to the condition.
    select: String,
}

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
        Self {
            pool: Box::new(pool),
            writing: C::ONE_WRITER.then(Mutex::default),
            select: select("NULL"),
        }
    }

    /// Brings these columns of the user's row along with each record, in the same statement.
    ///
    /// The names must be as SQL takes them; `key` is the column that holds the ids given to
    /// [`Session::log_in`](crate::Session::log_in).
    #[must_use]
    pub fn with_user(mut self, table: &str, key: &str, columns: &[&str]) -> Self {
        let pairs: Vec<String> = columns
            .iter()
            .map(|column| format!("'{column}', {table}.{column}"))
            .collect();
        let [open, close] = C::JSON_OBJECT;
        let object = format!("{open}{}{close}", pairs.join(", "));
        self.select = select(&format!(
            "(SELECT {object} FROM {table} WHERE {table}.{key} = sessions.user_id)"
        ));
        self
    }

    fn read<T>(&self, work: impl FnMut(&mut C) -> QueryResult<T>) -> Result<T, Error> {
        run(&*self.pool, Repeat::Harmless, work)
    }

    fn write<T>(
        &self,
        repeat: Repeat,
        work: impl FnMut(&mut C) -> QueryResult<T>,
    ) -> Result<T, Error> {
        let _turn = self
            .writing
            .as_ref()
            .map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner));
        run(&*self.pool, repeat, work)
    }
}

impl<C> fmt::Debug for DieselStore<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DieselStore<{}>", std::any::type_name::<C>())
    }
}

/// A statement that Diesel prepares once for each connection and then reuses.
///
/// Diesel caches no `UPDATE`, upsert or `sql_query` of its own making; this one is cached by its text.
struct Statement<'a, Answer = ()> {
    parts: Vec<Part<'a>>,
    answer: PhantomData<Answer>,
}

enum Part<'a> {
    Sql(&'a str),
    Text(&'a str),
    NullableText(Option<&'a str>),
    Number(i64),
}

impl<'a, Answer> Statement<'a, Answer> {
    fn of(sql: &'a str) -> Self {
        Self {
            parts: vec![Part::Sql(sql)],
            answer: PhantomData,
        }
    }

    fn sql(self, sql: &'a str) -> Self {
        self.with(Part::Sql(sql))
    }

    fn text(self, text: &'a str) -> Self {
        self.with(Part::Text(text))
    }

    fn nullable(self, text: &'a Option<String>) -> Self {
        self.with(Part::NullableText(text.as_deref()))
    }

    fn number(self, number: i64) -> Self {
        self.with(Part::Number(number))
    }

    fn with(mut self, part: Part<'a>) -> Self {
        self.parts.push(part);
        self
    }
}

impl<Answer> QueryId for Statement<'_, Answer> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Answer> Query for Statement<'_, Answer> {
    type SqlType = Answer;
}

type Columns = (
    Text,
    Nullable<Text>,
    Text,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
);
type Row = (
    String,
    Option<String>,
    String,
    i64,
    i64,
    i64,
    i64,
    i64,
    Option<String>,
    Option<String>,
    Option<String>,
);

fn select(user: &str) -> String {
    format!(
        "SELECT id, user_id, data, version, created_at, seen_at, expires_at, deadline, user_agent, ip, {user} \
         FROM sessions WHERE "
    )
}

fn record(row: Row) -> Record {
    let (
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
    ) = row;
    let key = Key::from_stored(key);
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

/// A row that cannot be read ends one session; it is no reason to refuse everybody.
fn readable<T: Default>(rows: QueryResult<T>) -> QueryResult<T> {
    if let Err(DieselError::DeserializationError(cause)) = &rows {
        log::warn!("a row of the sessions table is no session and is left out: {cause}");
        return Ok(T::default());
    }
    rows
}

fn taken(error: &DieselError) -> bool {
    matches!(
        error,
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)
    )
}

macro_rules! diesel_store {
    ($connection:ty, $backend:ty) => {
        impl<Answer> QueryFragment<$backend> for Statement<'_, Answer> {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, $backend>) -> QueryResult<()> {
                for part in &self.parts {
                    match part {
                        Part::Sql(sql) => out.push_sql(sql),
                        Part::Text(text) => out.push_bind_param::<Text, str>(text)?,
                        Part::NullableText(text) => out.push_bind_param::<Nullable<Text>, Option<&str>>(text)?,
                        Part::Number(number) => out.push_bind_param::<BigInt, i64>(number)?,
                    }
                }
                Ok(())
            }
        }

        impl<Answer> RunQueryDsl<$connection> for Statement<'_, Answer> {}

        impl Store for DieselStore<$connection> {
            fn load(&self, key: &Key, now: i64) -> Result<Option<Record>, Error> {
                let row = self.read(|connection| {
                    let select = Statement::<Columns>::of(&self.select).sql("id = ").text(key.as_str());
                    let select = select.sql(" AND expires_at > ").number(now);
                    readable(select.get_result::<Row>(connection).optional())
                })?;
                Ok(row.map(record))
            }

            fn insert(&self, record: &Record) -> Result<Inserted, Error> {
                self.write(Repeat::Harmful, |connection| {
                    let insert = Statement::<()>::of(
                        "INSERT INTO sessions (id, user_id, data, version, created_at, seen_at, expires_at, \
                         deadline, user_agent, ip) VALUES (",
                    );
                    let insert = insert.text(record.key.as_str()).sql(", ").nullable(&record.user_id);
                    let insert = insert.sql(", ").text(&record.data).sql(", ").number(record.version);
                    let insert = insert.sql(", ").number(record.created_at).sql(", ").number(record.seen_at);
                    let insert = insert.sql(", ").number(record.expires_at).sql(", ").number(record.deadline);
                    let insert = insert.sql(", ").nullable(&record.user_agent).sql(", ").nullable(&record.ip);
                    match insert.sql(")").execute(connection) {
                        Err(error) if taken(&error) => Ok(Inserted::Taken),
                        other => other.map(|_| Inserted::Done),
                    }
                })
            }

            fn update(&self, key: &Key, version: i64, record: &Record) -> Result<Updated, Error> {
                self.write(Repeat::Harmful, |connection| {
                    let update = Statement::<()>::of("UPDATE sessions SET id = ").text(record.key.as_str());
                    let update = update.sql(", user_id = ").nullable(&record.user_id);
                    let update = update.sql(", data = ").text(&record.data);
                    let update = update.sql(", version = ").number(record.version);
                    let update = update.sql(", created_at = ").number(record.created_at);
                    let update = update.sql(", seen_at = ").number(record.seen_at);
                    let update = update.sql(", expires_at = ").number(record.expires_at);
                    let update = update.sql(", deadline = ").number(record.deadline);
                    let update = update.sql(", user_agent = ").nullable(&record.user_agent);
                    let update = update.sql(", ip = ").nullable(&record.ip);
                    let update = update.sql(" WHERE id = ").text(key.as_str()).sql(" AND version = ").number(version);
                    match update.execute(connection) {
                        Ok(0) => Ok(Updated::Stale),
                        Err(error) if taken(&error) => Ok(Updated::Taken),
                        other => other.map(|_| Updated::Done),
                    }
                })
            }

            fn touch(&self, key: &Key, seen_at: i64, expires_at: i64) -> Result<(), Error> {
                self.write(Repeat::Harmless, |connection| {
                    let update = Statement::<()>::of("UPDATE sessions SET seen_at = ").number(seen_at);
                    let update = update.sql(", expires_at = ").number(expires_at);
                    let update = update.sql(" WHERE id = ").text(key.as_str());
                    let update = update.sql(" AND seen_at < ").number(seen_at);
                    update.sql(" AND expires_at <= ").number(expires_at).execute(connection).map(drop)
                })
            }

            fn delete(&self, key: &Key) -> Result<bool, Error> {
                self.write(Repeat::Harmless, |connection| {
                    let delete = Statement::<()>::of("DELETE FROM sessions WHERE id = ").text(key.as_str());
                    delete.execute(connection).map(|rows| rows > 0)
                })
            }

            fn list(&self, user_id: &str, now: i64) -> Result<Vec<Record>, Error> {
                let rows = self.read(|connection| {
                    let select = Statement::<Columns>::of(&self.select).sql("user_id = ").text(user_id);
                    let select = select.sql(" AND expires_at > ").number(now).sql(" ORDER BY seen_at DESC, id");
                    select.load::<Row>(connection)
                })?;
                Ok(rows.into_iter().map(record).collect())
            }

            fn delete_all(&self, user_id: &str, except: Option<&Key>) -> Result<u64, Error> {
                self.write(Repeat::Harmless, |connection| {
                    let delete = Statement::<()>::of("DELETE FROM sessions WHERE user_id = ").text(user_id);
                    let delete = delete.sql(" AND id <> ").text(except.map_or("", Key::as_str));
                    delete.execute(connection).map(|rows| rows as u64)
                })
            }

            fn sweep(&self, now: i64, limit: u32) -> Result<u64, Error> {
                let [head, middle, tail] = <$connection as Backend>::SWEEP;
                self.write(Repeat::Harmless, |connection| {
                    let delete = Statement::<()>::of(head).number(now).sql(middle).number(limit.into()).sql(tail);
                    delete.execute(connection).map(|rows| rows as u64)
                })
            }

            fn count(&self, now: i64) -> Result<u64, Error> {
                let count = self.read(|connection| {
                    let select = Statement::<BigInt>::of("SELECT COUNT(*) FROM sessions WHERE expires_at > ");
                    select.number(now).get_result::<i64>(connection)
                })?;
                Ok(count.unsigned_abs())
            }

            fn clear(&self) -> Result<u64, Error> {
                self.write(Repeat::Harmless, |connection| {
                    Statement::<()>::of("DELETE FROM sessions").execute(connection).map(|rows| rows as u64)
                })
            }
        }
    };
}

#[cfg(feature = "sqlite")]
diesel_store!(diesel::SqliteConnection, diesel::sqlite::Sqlite);
#[cfg(feature = "mysql")]
diesel_store!(diesel::MysqlConnection, diesel::mysql::Mysql);
#[cfg(feature = "postgres")]
diesel_store!(diesel::PgConnection, diesel::pg::Pg);
