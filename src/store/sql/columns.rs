//! Explains at launch that a table lacks columns, perhaps because it is another library's.

use diesel::result::Error::NotFound;

use super::statement::{Statement, Value};
use super::store::SqlStore;
use crate::error::Error;
use crate::store::sql::backend::Backend;
use crate::store::sql::pool::ConnectionSource;

impl<C: Backend, P: ConnectionSource<C>> SqlStore<C, P> {
    /// Returns an error that names the columns that the table lacks, or `error` if it lacks none.
    pub(super) fn explain(&self, error: Error) -> Error {
        self.missing_columns().unwrap_or(error)
    }

    fn missing_columns(&self) -> Option<Error> {
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
        let layout = self.table.layout();
        let foreign = layout.foreign.iter().find(|it| is_there(it.columns));
        let cause = match foreign {
            Some(it) => format!(": it is one of {}{}", it.library, it.remedy),
            None => match self.alterations().unwrap_or_default() {
                statements if statements.is_empty() => layout.remedy.to_owned(),
                statements => format!("{} by this SQL: {};", layout.remedy, statements.join("; ")),
            },
        };
        Some(Error::configuration(format!(
            "its table {:?} lacks the columns {}{cause}",
            self.table.name(),
            missing.join(", ")
        )))
    }

    /// Returns `true` if the table has the column, or if the catalog cannot be read.
    fn has(&self, column: &str) -> bool {
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
