//! The users' table, whose columns are read with each session.

use std::fmt;
use std::sync::{Once, OnceLock};

use diesel::result::Error::NotFound;

use super::queries::Sql;
use super::statement::{Statement, Value};
use super::store::SqlStore;
use crate::error::Error;
use crate::record::Record;
use crate::store::sql::backend::Backend;
use crate::store::sql::backend::user_key::UNKNOWN;
use crate::store::sql::pool::ConnectionSource;

pub(super) struct Users {
    pub(super) names: Names,
    /// Set by the first read.
    reading: OnceLock<Sql>,
    warned: Once,
}

impl Users {
    pub(super) fn new(names: Names) -> Self {
        Self {
            names,
            reading: OnceLock::new(),
            warned: Once::new(),
        }
    }

    /// Logs once that a session's user has no row.
    pub(super) fn warn_of_strays(&self, record: &Record, user: Option<&str>) {
        if record.user_id.is_some() && user.is_none() {
            self.warned.call_once(|| {
                log::warn!(
                    "a session's user has no row in the users' table: it was deleted, or log_in was not given \
                     the exact text of {} (logged once)",
                    self.names
                );
            });
        }
    }
}

/// Names as the database has them, without quotes.
#[derive(Clone)]
pub(super) struct Names {
    /// The table's schema, if it was given, and its name.
    table: Vec<String>,
    key: String,
    columns: Vec<String>,
}

impl Names {
    /// Takes names with quotes and without.
    pub(super) fn new(table: &str, key: &str, columns: &[&str]) -> Self {
        Self {
            table: parts(table).map(bare).collect(),
            key: bare(key),
            columns: columns.iter().copied().map(bare).collect(),
        }
    }

    fn check(&self) -> Result<(), Error> {
        let Self { key, columns, .. } = self;
        let mut names = self.table.iter().chain([key]).chain(columns);
        let refused = match names.find(|name| !is_name(name)) {
            None if self.table.len() <= 2 => return Ok(()),
            None => self.table.join("."),
            Some(name) => name.clone(),
        };
        Err(Error::configuration(format!(
            "Sessions::with_user has the name {refused:?}; write a table as name or schema.name, its key and its \
             columns as the database has them, without quotes"
        )))
    }

    /// Returns a subquery for the row of the user whose id is [`USER_ID`](crate::store::sql::backend::USER_ID);
    /// `None` if the key's type cannot be compared with a text.
    fn row<C: Backend>(&self, kind: &str) -> Option<String> {
        let quoted = |name: &String| format!("{0}{name}{0}", C::QUOTE);
        let table: Vec<_> = self.table.iter().map(quoted).collect();
        let table = table.join(".");
        let pair = |column| format!("'{column}', {table}.{}", quoted(column));
        let pairs: Vec<String> = self.columns.iter().map(pair).collect();
        let [open, close] = C::JSON_OBJECT;
        let object = format!("{open}{}{close}", pairs.join(", "));
        let is_user = C::is_user(&table, &quoted(&self.key), kind)?;
        Some(format!("(SELECT {object} FROM {table} WHERE {is_user})"))
    }

    /// Returns the table, its schema and the key, for a query of the catalog.
    fn in_catalog(&self) -> [&str; 3] {
        let [schema, table] = match &self.table[..] {
            [schema, table] => [&**schema, table],
            table => ["", table.last().map_or("", |table| table)],
        };
        [table, schema, &self.key]
    }
}

impl fmt::Display for Names {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.table.join("."), self.key)
    }
}

/// Splits at each dot that is not between quotes.
fn parts(table: &str) -> impl Iterator<Item = &str> {
    let mut quote = None;
    table.split(move |character| match (quote, character) {
        (None, '"' | '`') => {
            quote = Some(character);
            false
        }
        (Some(open), _) => {
            quote = (open != character).then_some(open);
            false
        }
        (None, _) => character == '.',
    })
}

fn bare(name: &str) -> String {
    let between = |quote| name.strip_prefix(quote)?.strip_suffix(quote);
    between('"').or(between('`')).unwrap_or(name).to_owned()
}

/// Returns `true` if the name is safe between the quotes of a name and of a text in SQL.
fn is_name(name: &str) -> bool {
    let is_special = |character: char| character.is_control() || "\"`'\\?".contains(character);
    !name.is_empty() && !name.contains(is_special)
}

impl<C: Backend, P: ConnectionSource<C>> SqlStore<C, P> {
    /// Returns the statements that read; the first call looks up the type of the users' key.
    pub(super) fn reading(&self) -> Result<&Sql, Error> {
        let Some(users) = &self.users else {
            return Ok(&self.sql);
        };
        if let Some(sql) = users.reading.get() {
            return Ok(sql);
        }
        let names = &users.names;
        names.check()?;
        let select = Statement::new(C::TYPE_OF, names.in_catalog().map(Value::from));
        // For a name that is not there, the error of the statement that reads names it.
        let kind = self.read(|connection| match connection.text(&select) {
            Err(NotFound) => Ok(None),
            other => other,
        })?;
        let kind = kind.as_deref().unwrap_or(UNKNOWN);
        let Some(row) = names.row::<C>(kind) else {
            let kind = kind.split('|').next().unwrap_or_default();
            return Err(Error::configuration(format!(
                "the users' key {names} has the type {kind}, which is not supported; Sessions::with_user \
                 takes integers, texts and UUIDs"
            )));
        };
        Ok(users
            .reading
            .get_or_init(|| Sql::new::<C>(&self.table, Some(&row))))
    }
}
