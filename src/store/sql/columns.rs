//! Explains at launch why a table cannot be used: it lacks columns, and may be another library's.

use diesel::result::Error::NotFound;

use super::DieselStore;
use super::statement::{Execute, Statement, Value};
use crate::error::Error;
use crate::store::sql::backend::Backend;

/// The columns of other libraries' tables.
const FOREIGN: [(&str, &[&str]); 4] = [
    ("express-mysql-session", &["session_id", "expires", "data"]),
    ("connect-session-knex", &["sid", "sess", "expired"]),
    ("connect-session-sequelize", &["sid", "expires", "data"]),
    ("connect-pg-simple", &["sid", "sess", "expire"]),
];

impl<C: Backend> DieselStore<C> {
    /// Returns an error that names the columns which the table lacks, or `error` where that is not
    /// the reason.
    pub(crate) fn explain(&self, error: Error) -> Error
    where
        C: Execute,
    {
        self.missing_columns().unwrap_or(error)
    }

    fn missing_columns(&self) -> Option<Error>
    where
        C: Execute,
    {
        let probe = self
            .table
            .put_into("SELECT 1 FROM sessions WHERE 1 = 0", C::QUOTE);
        self.read(|connection| connection.batch_execute(&probe))
            .ok()?;
        let columns = self.table.columns();
        let missing: Vec<_> = columns.filter(|column| !self.has(column)).collect();
        if missing.is_empty() {
            return None;
        }
        let is_there = |columns: &[&str]| columns.iter().all(|column| self.has(column));
        let foreign = FOREIGN.iter().find(|(_, columns)| is_there(columns));
        let (name, missing) = (self.table.name(), missing.join(", "));
        let lacks = format!("its table {name:?} lacks the columns {missing}");
        Some(Error::configuration(match foreign {
            Some(("express-mysql-session", _)) if self.table.is_of_express() => format!(
                "{lacks}; add a generated column that has the user, or leave user_id out of session.columns"
            ),
            _ if self.table.is_of_express() => format!(
                "{lacks}; name the table of express-mysql-session in session.table and its columns in \
                 session.columns, or leave session.format out"
            ),
            Some((library @ "express-mysql-session", _)) => format!(
                "{lacks}: it is one of {library}; share it with session.format = \"express\", or name another \
                 table in session.table"
            ),
            Some((library, _)) => format!(
                "{lacks}: it is one of {library}, which cannot be shared; session.format = \"express\" shares those \
                 of express-mysql-session and connect-redis; name another table in session.table"
            ),
            None => format!(
                "{lacks}; name another table in session.table, say in session.columns what its columns are called, \
                 or bring it up to date"
            ),
        }))
    }

    /// Whether the table has the column; yes where the catalog cannot be asked.
    fn has(&self, column: &str) -> bool
    where
        C: Execute,
    {
        let name = self.table.name();
        let (schema, table) = name.rsplit_once('.').unwrap_or(("", name));
        let select = Statement::new(C::TYPE_OF, [table, schema, column].map(Value::from));
        let found = self.read(|connection| match connection.text(&select) {
            Err(NotFound) => Ok(false),
            other => other.map(|_| true),
        });
        found.unwrap_or(true)
    }
}
