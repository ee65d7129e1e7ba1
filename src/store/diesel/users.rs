//! The users' table, whose columns the statements that read records bring along.

use std::fmt;

use diesel::result::Error::NotFound;

use super::DieselStore;
use super::sql::Sql;
use super::statement::{Execute, Statement, Value};
use crate::backend::Backend;
use crate::backend::user_key::UNKNOWN;
use crate::error::Error;
use crate::pool::Connections;

/// The names are as the database has them, without quotes.
#[derive(Clone)]
pub(super) struct Users {
    /// The table's schema, if it was given, and its name.
    table: Vec<String>,
    key: String,
    columns: Vec<String>,
}

impl Users {
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

    /// A subquery for the row of the user whose id is [`USER_ID`](crate::backend::USER_ID); `None`
    /// where the key is of a type whose values are not texts.
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

    /// The table, its schema and the key, as the database's catalog is asked for them.
    fn in_catalog(&self) -> [&str; 3] {
        let [schema, table] = match &self.table[..] {
            [schema, table] => [&**schema, table],
            table => ["", table.last().map_or("", |table| table)],
        };
        [table, schema, &self.key]
    }
}

impl fmt::Display for Users {
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

/// Whether it can stand between quotes in each database's SQL, and between those of a text.
fn is_name(name: &str) -> bool {
    let is_special = |character: char| character.is_control() || "\"`'\\?".contains(character);
    !name.is_empty() && !name.contains(is_special)
}

/// The statements that read, once the type of the users' key is known.
pub(super) fn reading<C: Execute, P: Connections<C>>(
    store: &DieselStore<C, P>,
) -> Result<&Sql, Error> {
    let Some(known) = &store.user else {
        return Ok(&store.sql);
    };
    let (users, sql) = &**known;
    if let Some(sql) = sql.get() {
        return Ok(sql);
    }
    users.check()?;
    let select = Statement::new(C::TYPE_OF, users.in_catalog().map(Value::from));
    // A name that is not there is left to the statement, whose error has it.
    let kind = store.read(|connection| match connection.text(&select) {
        Err(NotFound) => Ok(None),
        other => other,
    })?;
    let kind = kind.as_deref().unwrap_or(UNKNOWN);
    let Some(row) = users.row::<C>(kind) else {
        return Err(Error::configuration(format!(
            "the users' key {users} has the type {kind}, whose values are no texts of a user id; \
             Sessions::with_user takes integers, texts and UUIDs"
        )));
    };
    Ok(sql.get_or_init(|| Sql::new::<C>(&store.table, Some(&row))))
}
