//! Statements that Diesel prepares once for each connection and then reuses.
//!
//! Diesel does not cache its own `UPDATE`, upsert and `sql_query`; it caches these by their text.

use std::marker::PhantomData;

use diesel::connection::DefaultLoadingMode;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::Error;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{QueryResult, RunQueryDsl};

use crate::record::Record;
use crate::token::Key;

/// SQL with a `?` for each value, on every database.
pub(crate) struct Statement<'a> {
    sql: &'a str,
    values: Vec<Value<'a>>,
}

impl<'a> Statement<'a> {
    pub(crate) fn new(sql: &'a str, values: impl IntoIterator<Item = Value<'a>>) -> Self {
        Self {
            sql,
            values: values.into_iter().collect(),
        }
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    Text(&'a str),
    NullableText(Option<&'a str>),
    Number(i64),
}

impl<'a> Value<'a> {
    pub(crate) fn of(key: &'a Key) -> Self {
        Self::Text(key.as_str())
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        Self::NullableText(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
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

/// The columns of a record, as they are read.
pub(crate) type Row = (
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

/// Runs statements on a connection.
pub(crate) trait Execute: Sized {
    /// Runs the statement and returns the number of rows that it changed.
    fn change(&mut self, statement: &Statement<'_>) -> QueryResult<u64>;
    fn rows(&mut self, statement: &Statement<'_>) -> QueryResult<Vec<Row>>;
    fn number(&mut self, statement: &Statement<'_>) -> QueryResult<i64>;
    fn text(&mut self, statement: &Statement<'_>) -> QueryResult<Option<String>>;
    fn texts(&mut self, statement: &Statement<'_>) -> QueryResult<Vec<String>>;
    /// Returns pairs of a key and a number.
    fn pairs(&mut self, statement: &Statement<'_>) -> QueryResult<Vec<(String, i64)>>;
}

/// Returns a record, and the row of its user.
pub(super) fn record(row: Row) -> (Record, Option<String>) {
    let (id, user_id, data, version, created_at, seen_at, expires_at, deadline, agent, ip, user) =
        row;
    let user_agent = agent;
    let key = Key::from_stored(id);
    let record = Record {
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
    };
    (record, user)
}

/// Skips a row that cannot be read: it ends one session and must not fail the others.
fn readable(row: QueryResult<Row>) -> Option<QueryResult<Row>> {
    if let Err(Error::DeserializationError(cause)) = &row {
        log::warn!("a row of the sessions table is ignored, since it cannot be read: {cause}");
        return None;
    }
    Some(row)
}

/// A statement with the SQL types of its result.
struct Asked<'a, Answer>(&'a Statement<'a>, PhantomData<Answer>);

impl<Answer> QueryId for Asked<'_, Answer> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Answer> Query for Asked<'_, Answer> {
    type SqlType = Answer;
}

/// Implements the traits for one connection: Diesel's own cannot be implemented for all at once.
macro_rules! execute {
    ($connection:ty, $backend:ty) => {
        impl<Answer> QueryFragment<$backend> for Asked<'_, Answer> {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, $backend>) -> QueryResult<()> {
                let mut pieces = self.0.sql.split('?');
                out.push_sql(pieces.next().unwrap_or_default());
                for (value, piece) in self.0.values.iter().zip(pieces) {
                    match value {
                        Value::Text(text) => out.push_bind_param::<Text, str>(text)?,
                        Value::NullableText(text) => {
                            out.push_bind_param::<Nullable<Text>, Option<&str>>(text)?
                        }
                        Value::Number(number) => out.push_bind_param::<BigInt, i64>(number)?,
                    }
                    out.push_sql(piece);
                }
                Ok(())
            }
        }

        impl<Answer> RunQueryDsl<$connection> for Asked<'_, Answer> {}

        impl Execute for $connection {
            fn change(&mut self, statement: &Statement<'_>) -> QueryResult<u64> {
                Asked(statement, PhantomData::<()>)
                    .execute(self)
                    .map(|rows| rows as u64)
            }

            fn rows(&mut self, statement: &Statement<'_>) -> QueryResult<Vec<Row>> {
                let rows = Asked(statement, PhantomData::<Columns>)
                    .load_iter::<Row, DefaultLoadingMode>(self)?;
                rows.filter_map(readable).collect()
            }

            fn number(&mut self, statement: &Statement<'_>) -> QueryResult<i64> {
                Asked(statement, PhantomData::<BigInt>).get_result(self)
            }

            fn text(&mut self, statement: &Statement<'_>) -> QueryResult<Option<String>> {
                Asked(statement, PhantomData::<Nullable<Text>>).get_result(self)
            }

            fn texts(&mut self, statement: &Statement<'_>) -> QueryResult<Vec<String>> {
                Asked(statement, PhantomData::<Text>).load(self)
            }

            fn pairs(&mut self, statement: &Statement<'_>) -> QueryResult<Vec<(String, i64)>> {
                Asked(statement, PhantomData::<(Text, BigInt)>).load(self)
            }
        }
    };
}

#[cfg(feature = "sqlite")]
execute!(diesel::SqliteConnection, diesel::sqlite::Sqlite);
#[cfg(feature = "mysql")]
execute!(diesel::MysqlConnection, diesel::mysql::Mysql);
#[cfg(feature = "postgres")]
execute!(diesel::PgConnection, diesel::pg::Pg);
