//! The names of the sessions table and its columns in the database.

use super::layout::{ForeignTable, LITERAL, Layout};
use crate::error::{Error, require};

/// PostgreSQL cuts longer names without an error.
const LONGEST_NAME: usize = 63;

/// The names that a table and its columns have in the database.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    name: String,
    layout: Layout,
    /// In the order of the layout's columns.
    columns: Vec<String>,
}

impl Default for Table {
    fn default() -> Self {
        Self::unchecked("sessions", Layout::native())
    }
}

impl Table {
    /// Takes `name` or `schema.name` of a table in the native layout. Each pair is a column's name in the
    /// layout and in the database; the others have one name.
    pub(crate) fn new<'a>(
        name: &'a str,
        columns: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Error> {
        Self::with_layout(name, columns, Layout::native())
    }

    pub(crate) fn with_layout<'a>(
        name: &'a str,
        columns: impl IntoIterator<Item = (&'a str, &'a str)>,
        layout: Layout,
    ) -> Result<Self, Error> {
        Self::unchecked(name, layout).with_columns(columns)
    }

    /// Knows other libraries' tables, to explain why one of them cannot be used.
    pub(crate) fn with_foreign(mut self, foreign: &'static [ForeignTable]) -> Self {
        self.layout.foreign = foreign;
        self
    }

    fn unchecked(name: &str, layout: Layout) -> Self {
        Self {
            name: name.to_owned(),
            columns: layout.columns.iter().map(|&it| it.to_owned()).collect(),
            layout,
        }
    }

    fn with_columns<'a>(
        mut self,
        columns: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Error> {
        let name = &self.name;
        require(
            name.split('.').count() <= 2 && name.split('.').all(is_name),
            || refusal("table", name, "a name or schema.name; each"),
        )?;
        for (column, name) in columns {
            let place = self
                .layout
                .columns
                .iter()
                .position(|known| *known == column);
            let Some(place) = place else {
                return Err(Error::configuration(format!(
                    "columns.{column} is {name:?}, but there is no such column; the columns are {}",
                    self.layout.columns.join(", ")
                )));
            };
            require(is_name(name), || {
                refusal(&format!("columns.{column}"), name, "a name, which")
            })?;
            self.columns[place] = name.to_owned();
        }
        self.without_twins()
    }

    /// Fails if two columns have one name, even in another case: MySQL and SQLite ignore case.
    fn without_twins(self) -> Result<Self, Error> {
        for (place, name) in self.columns.iter().enumerate() {
            let same = |other: &String| other.eq_ignore_ascii_case(name);
            if let Some(twin) = self.columns[..place].iter().position(same) {
                return Err(Error::configuration(format!(
                    "columns.{} and columns.{} are both {name:?}; give each another name",
                    self.layout.columns[twin], self.layout.columns[place]
                )));
            }
        }
        Ok(self)
    }

    /// Returns `sql` with these names in `quote`s, so that a reserved word can be a name.
    pub(crate) fn put_into(&self, sql: &str, quote: char) -> String {
        let quoted = |name: &str| format!("{quote}{name}{quote}");
        let pieces = sql.split_inclusive(|character| !is_word(character));
        let sql: String = pieces
            .map(|piece| {
                let word = piece.trim_end_matches(|character| !is_word(character));
                let end = &piece[word.len()..];
                let column = self
                    .layout
                    .columns
                    .iter()
                    .position(|column| *column == word);
                match (column, word.strip_prefix("sessions")) {
                    (Some(place), _) => quoted(&self.columns[place]) + end,
                    (_, Some("")) => {
                        let parts: Vec<_> = self.name.split('.').map(quoted).collect();
                        parts.join(".") + end
                    }
                    (_, Some(index)) => quoted(&format!("{}{index}", self.bare_name())) + end,
                    _ => piece.to_owned(),
                }
            })
            .collect();
        sql.replace(LITERAL, &self.layout.literal)
    }

    /// Returns the SQL that creates the table and its indexes.
    ///
    /// Fails if the table's name is too long for the names of its indexes.
    pub(crate) fn creation(&self, quote: char) -> Result<String, Error> {
        let longest = LONGEST_NAME - "_expires_at".len();
        require(self.bare_name().len() <= longest, || {
            format!(
                "the table's name {:?} is too long for a table that is to be created; shorten it to \
                 {longest} characters, so that the names of its indexes can begin with it",
                self.name
            )
        })?;
        Ok(self.put_into(&self.layout.create, quote))
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Returns the names of all columns, in the order of the layout.
    pub(super) fn all_columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(String::as_str)
    }

    /// Returns the names of the columns that the table must have.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        let columns = self.layout.columns.iter().zip(&self.columns);
        let needed = columns.filter(|(column, _)| self.layout.optional != Some(**column));
        needed.map(|(_, column)| column.as_str())
    }

    /// Returns the name, with the schema if there is one.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the name without the schema.
    fn bare_name(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or_default()
    }
}

fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(is_word)
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

fn refusal(key: &str, given: &str, accepted: &str) -> String {
    format!(
        "{key} is {given:?}; write {accepted} has 1 to {LONGEST_NAME} of the characters a-z, A-Z, \
         0-9 and _"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_are_replaced_and_nothing_else() {
        let columns = [("id", "key"), ("user_id", "id"), ("ip", "from")];
        let table = Table::new("web.order", columns).unwrap();
        assert_eq!(
            table.put_into("SELECT id,user_id FROM sessions WHERE ip = ? -- idle", '"'),
            r#"SELECT "key","id" FROM "web"."order" WHERE "from" = ? -- idle"#
        );
        assert_eq!(
            table.put_into("CREATE INDEX sessions_user_id ON sessions (user_id);", '`'),
            "CREATE INDEX `order_user_id` ON `web`.`order` (`id`);"
        );
    }

    #[test]
    fn names_that_no_database_has_are_refused() {
        let long = "x".repeat(64);
        for name in ["", "a b", "a;b", "a\"b", "a`b", "a.b.c", "a.", "é", &*long] {
            let error = Table::new(name, []).unwrap_err().to_string();
            assert!(
                error.contains(&format!("table is {name:?}; write a name or")),
                "{error}"
            );
        }
        for name in ["", "a.b", "a'b", &*long] {
            let error = Table::new("sessions", [("ip", name)]).unwrap_err();
            let start = format!("columns.ip is {name:?}; write a name, which has 1 to 63");
            assert!(error.to_string().starts_with(&start), "{error}");
        }
        for (columns, message) in [
            (
                [("sid", "a"), ("ip", "b")],
                "columns.sid is \"a\", but there is no such column",
            ),
            (
                [("ip", "a"), ("data", "A")],
                "columns.data and columns.ip are both \"a\"",
            ),
            (
                [("ip", "data"), ("id", "b")],
                "columns.data and columns.ip are both \"data\"",
            ),
        ] {
            let error = Table::new("sessions", columns).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn a_table_is_not_made_where_its_indexes_would_have_no_name() {
        for (length, made) in [(52, true), (53, false)] {
            let table = Table::new(&"x".repeat(length), []).unwrap();
            assert_eq!(table.creation('"').is_ok(), made, "{length}");
        }
    }
}
