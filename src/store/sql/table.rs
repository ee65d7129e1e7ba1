//! The sessions table as its database calls it.

#![cfg_attr(
    not(any(feature = "sqlite", feature = "mysql", feature = "postgres")),
    allow(
        dead_code,
        reason = "without a backend its names are checked and no more"
    )
)]

use crate::error::{Error, require};

const COLUMNS: &[&str] = &[
    "id",
    "user_id",
    "data",
    "version",
    "created_at",
    "seen_at",
    "expires_at",
    "deadline",
    "user_agent",
    "ip",
];

/// Those of express-mysql-session, and a generated one that a table may have.
const COLUMNS_OF_EXPRESS: &[&str] = &["session_id", "expires", "data", BY_USER];
const BY_USER: &str = "user_id";

/// Stands for the path of the user's id, whose names are none of the table's.
const USER_PATH: char = '\u{1}';

/// The user whom Express has signed in, found in the text of a session.
const USER_OF_EXPRESS: &str = "IF(JSON_VALID(sessions.data), COALESCE(\
    JSON_VALUE(sessions.data, '$.\u{1}.id'), \
    JSON_VALUE(sessions.data, '$.\u{1}')), NULL)";

/// As express-mysql-session does, with the index that its own clean-up lacks.
const CREATE_FOR_EXPRESS: [&str; 2] = [
    "CREATE TABLE sessions (\
    session_id VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY, \
    expires INT UNSIGNED NOT NULL, \
    data MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, ",
    "KEY sessions_expires (expires)) ENGINE=InnoDB",
];

const CREATE: &str = include_str!("migrations/2026-11-21-000002_create_sessions/up.sql");

/// PostgreSQL cuts longer names and says nothing.
const LONGEST_NAME: usize = 63;

/// The names of the table and its columns.
///
/// All SQL of this crate is written with the names that the migrations use; [`Table::put_into`]
/// puts these into their places.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    name: String,
    /// What its columns are called in this crate,
    known: &'static [&'static str],
    /// and what in the database, in the same order.
    columns: Vec<String>,
    /// An Express application shares it.
    express: bool,
    /// It has a column for the user.
    by_user: bool,
    /// Where the user's id is in a text of Express.
    user_path: String,
}

impl Default for Table {
    fn default() -> Self {
        Self::with_columns("sessions", COLUMNS)
    }
}

impl Table {
    /// Takes `name` or `schema.name`, and for each column that is called otherwise a pair of this
    /// crate's name for it and the database's.
    pub(crate) fn new<'a>(
        name: &'a str,
        columns: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Error> {
        Self::with_columns(name, COLUMNS).called(columns)
    }

    /// The same for a table of express-mysql-session.
    pub(crate) fn of_express<'a>(
        name: &'a str,
        columns: impl IntoIterator<Item = (&'a str, &'a str)>,
        user_path: String,
    ) -> Result<Self, Error> {
        let columns: Vec<_> = columns.into_iter().collect();
        let mut table = Self::with_columns(name, COLUMNS_OF_EXPRESS);
        table.express = true;
        table.user_path = user_path;
        table.by_user = columns.iter().any(|(column, _)| *column == BY_USER);
        table.called(columns)
    }

    fn with_columns(name: &str, known: &'static [&'static str]) -> Self {
        Self {
            name: name.to_owned(),
            known,
            columns: known.iter().map(|&column| column.to_owned()).collect(),
            express: false,
            by_user: true,
            user_path: String::new(),
        }
    }

    fn called<'a>(
        mut self,
        columns: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Error> {
        let name = &self.name;
        require(
            name.split('.').count() <= 2 && name.split('.').all(is_name),
            || refusal("table", name, "a name or schema.name; each"),
        )?;
        for (column, name) in columns {
            let place = self.known.iter().position(|known| *known == column);
            let Some(place) = place else {
                return Err(Error::configuration(format!(
                    "columns.{column} is {name:?}, but there is no such column; the columns are {}",
                    self.known.join(", ")
                )));
            };
            require(is_name(name), || {
                refusal(&format!("columns.{column}"), name, "a name, which")
            })?;
            self.columns[place] = name.to_owned();
        }
        self.without_twins()
    }

    /// Not even in another case: MySQL and SQLite would take them for the same column.
    fn without_twins(self) -> Result<Self, Error> {
        for (place, name) in self.columns.iter().enumerate() {
            let same = |other: &String| other.eq_ignore_ascii_case(name);
            if let Some(twin) = self.columns[..place].iter().position(same) {
                return Err(Error::configuration(format!(
                    "columns.{} and columns.{} are both {name:?}; give each a name of its own",
                    self.known[twin], self.known[place]
                )));
            }
        }
        Ok(self)
    }

    /// `sql` with these names in `quote`s, so that a reserved word is as good as any.
    pub(crate) fn put_into(&self, sql: &str, quote: char) -> String {
        let quoted = |name: &str| format!("{quote}{name}{quote}");
        let pieces = sql.split_inclusive(|character| !is_word(character));
        let sql: String = pieces
            .map(|piece| {
                let word = piece.trim_end_matches(|character| !is_word(character));
                let end = &piece[word.len()..];
                let column = self.known.iter().position(|column| *column == word);
                match (column, word.strip_prefix("sessions")) {
                    (Some(place), _) => quoted(&self.columns[place]) + end,
                    (_, Some("")) => {
                        let parts: Vec<_> = self.name.split('.').map(quoted).collect();
                        parts.join(".") + end
                    }
                    (_, Some(index)) => quoted(&format!("{}{index}", self.own_name())) + end,
                    _ => piece.to_owned(),
                }
            })
            .collect();
        sql.replace(USER_PATH, &self.user_path)
    }

    /// What makes the table and its indexes.
    ///
    /// Fails when the indexes could not be named after the table.
    pub(crate) fn creation(&self, quote: char) -> Result<String, Error> {
        let longest = LONGEST_NAME - "_expires_at".len();
        require(self.own_name().len() <= longest, || {
            format!(
                "the table's name {:?} is too long for a table that is to be made; shorten it to \
                 {longest} characters, so that the names of its indexes can begin with it",
                self.name
            )
        })?;
        let create = match self.express {
            true => self.creation_for_express(),
            false => CREATE.to_owned(),
        };
        Ok(self.put_into(&create, quote))
    }

    fn creation_for_express(&self) -> String {
        let [columns, rest] = CREATE_FOR_EXPRESS;
        if !self.by_user {
            return format!("{columns}{rest}");
        }
        let user = USER_OF_EXPRESS.replace("sessions.", "");
        format!(
            "{columns}user_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin \
             GENERATED ALWAYS AS ({user}) VIRTUAL, KEY sessions_user_id (user_id), {rest}"
        )
    }

    /// Whether an Express application shares it.
    pub(crate) fn is_of_express(&self) -> bool {
        self.express
    }

    /// The user of a session, as SQL has it.
    pub(crate) fn user(&self) -> &'static str {
        match self.by_user {
            true => "sessions.user_id",
            false => USER_OF_EXPRESS,
        }
    }

    /// What the columns are called that the table needs.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        let columns = self.known.iter().zip(&self.columns);
        let needed = columns.filter(|(known, _)| self.by_user || **known != BY_USER);
        needed.map(|(_, column)| column.as_str())
    }

    /// With the schema, if one was given.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Without the schema.
    fn own_name(&self) -> &str {
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
