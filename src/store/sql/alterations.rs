//! The SQL that an existing sessions table lacks, from a comparison with the table of the migrations.

use super::layout::Layout;
use super::statement::{Statement, Value};
use super::store::SqlStore;
use crate::error::Error;
use crate::store::sql::backend::{Alter, Backend};
use crate::store::sql::pool::ConnectionSource;

/// A column as the migrations define it.
struct Wanted<'a> {
    name: &'a str,
    /// Its type and constraints, without the primary key.
    definition: &'a str,
}

/// A column as the database describes it.
struct Described {
    name: String,
    /// In lower case, and with its collation on MariaDB and MySQL.
    kind: String,
    /// The greatest length, or `None` if there is no limit.
    length: Option<u64>,
    nullable: bool,
}

impl<C: Backend, P: ConnectionSource<C>> SqlStore<C, P> {
    /// Returns the statements that make the table fit; none for a table that another application defines, and none
    /// if there is no table.
    pub(super) fn alterations(&self) -> Result<Vec<String>, Error> {
        let layout = self.table.layout();
        let found = self.described(C::COLUMNS)?;
        if !layout.is_native() || found.is_empty() {
            return Ok(Vec::new());
        }
        let found: Vec<_> = found
            .iter()
            .filter_map(|line| Described::read(line))
            .collect();
        let wanted = wanted(layout);
        let names = self.table.all_columns();
        let (mut statements, mut rebuilt) = (Vec::new(), Vec::new());
        for (wanted, name) in wanted.iter().zip(names) {
            let column = found.iter().find(|it| it.name.eq_ignore_ascii_case(name));
            match (column, C::ALTER) {
                (None, _) => statements.push(wanted.addition()),
                (Some(column), _) if wanted.fits(column) => {}
                (Some(_), Alter::Rebuild) => rebuilt = rebuild(layout),
                (Some(_), Alter::Modify) => statements.push(format!(
                    "ALTER TABLE sessions MODIFY COLUMN {} {}",
                    wanted.name, wanted.definition
                )),
                (Some(column), Alter::Each) => statements.extend(wanted.changes(column)),
            }
        }
        statements.extend(match rebuilt.is_empty() {
            true => self.missing_indexes(layout)?,
            false => rebuilt,
        });
        Ok(self.finished(statements))
    }

    fn missing_indexes(&self, layout: &Layout) -> Result<Vec<String>, Error> {
        let indexed = self.described(C::INDEXES)?;
        let names = layout.columns.iter().zip(self.table.all_columns());
        let wanted = [("id", "UNIQUE "), ("user_id", ""), ("expires_at", "")];
        let missing = names.filter_map(|(column, name)| {
            let (_, unique) = wanted.iter().find(|(wanted, _)| wanted == column)?;
            let is_there = indexed.iter().any(|line| {
                let (indexed, kind) = line.split_once('|').unwrap_or((line, ""));
                indexed.eq_ignore_ascii_case(name) && (unique.is_empty() || kind == "unique")
            });
            let create = format!("CREATE {unique}INDEX sessions_{column} ON sessions ({column})");
            (!is_there).then_some(create)
        });
        Ok(missing.collect())
    }

    fn described(&self, sql: &str) -> Result<Vec<String>, Error> {
        let name = self.table.name();
        let (schema, table) = name.rsplit_once('.').unwrap_or(("", name));
        let select = Statement::new(sql, [table, schema].map(Value::from));
        self.read(|connection| connection.texts(&select))
    }

    fn finished(&self, statements: Vec<String>) -> Vec<String> {
        let finished = |sql: String| self.table.put_into(&sql, C::QUOTE);
        statements.into_iter().map(finished).collect()
    }
}

fn wanted(layout: &Layout) -> Vec<Wanted<'_>> {
    let column = |name: &&'static str| {
        let mut lines = layout.create.lines().map(str::trim);
        let definition = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let definition = definition.unwrap_or_default().trim_end_matches(',');
        let definition = definition.trim_end_matches(" PRIMARY KEY");
        Wanted { name, definition }
    };
    layout.columns.iter().map(column).collect()
}

impl Wanted<'_> {
    fn is_number(&self) -> bool {
        self.definition.starts_with("BIGINT")
    }

    fn is_nullable(&self) -> bool {
        !self.definition.ends_with("NOT NULL")
    }

    fn length(&self) -> u64 {
        let digits = |it: &char| it.is_ascii_digit();
        let digits = self
            .definition
            .chars()
            .skip_while(|it| !digits(it))
            .take_while(digits);
        digits.collect::<String>().parse().unwrap_or_default()
    }

    fn fits(&self, found: &Described) -> bool {
        self.has_kind_of(found) && self.is_nullable() == found.nullable
    }

    fn has_kind_of(&self, found: &Described) -> bool {
        if self.is_number() {
            return found.kind.starts_with("bigint");
        }
        // With a collation that ignores case, users whose ids differ in case would share sessions.
        let is_exact = !self.definition.contains("binary") || !found.kind.ends_with("_ci");
        let is_text = ["char", "text", "binary"]
            .iter()
            .any(|kind| found.kind.contains(kind));
        is_text && is_exact && found.length.is_none_or(|length| length >= self.length())
    }

    /// Adds the column. Sessions that are there expire if the value of one is missing.
    fn addition(&self) -> String {
        let default = match (self.is_nullable(), self.is_number()) {
            (false, true) => " DEFAULT 0",
            (false, false) => " DEFAULT ('{}')",
            (true, _) => "",
        };
        format!(
            "ALTER TABLE sessions ADD COLUMN {} {}{default}",
            self.name, self.definition
        )
    }

    /// Changes the column by one statement for its type and one for NULL.
    fn changes(&self, found: &Described) -> Vec<String> {
        let change =
            |change: String| format!("ALTER TABLE sessions ALTER COLUMN {} {change}", self.name);
        let end = self
            .definition
            .find(" NOT NULL")
            .unwrap_or(self.definition.len());
        let kind = self.definition[..end]
            .split("/*")
            .next()
            .unwrap_or_default()
            .trim_end();
        let retype = format!("TYPE {kind} USING {}::{kind}", self.name);
        let null = match self.is_nullable() {
            true => "DROP NOT NULL",
            false => "SET NOT NULL",
        };
        let retype = (!self.has_kind_of(found)).then(|| change(retype));
        let null = (self.is_nullable() != found.nullable).then(|| change(null.into()));
        retype.into_iter().chain(null).collect()
    }
}

impl Described {
    /// Reads `name|type|length|null`.
    fn read(line: &str) -> Option<Self> {
        let mut parts = line.split('|');
        let mut part = || parts.next();
        Some(Self {
            name: part()?.to_owned(),
            kind: part()?.to_lowercase(),
            length: part()?.parse().ok(),
            nullable: part()? == "YES",
        })
    }
}

/// Copies the rows that fit to a new table, for a database that cannot change a column.
fn rebuild(layout: &Layout) -> Vec<String> {
    let columns = layout.columns.join(", ");
    let lines = layout
        .create
        .lines()
        .filter(|line| !line.trim_start().starts_with("--"));
    let create = lines.collect::<Vec<_>>().join(" ");
    let create = create
        .split(';')
        .map(str::trim)
        .filter(|it| it.contains("CREATE"));
    let mut statements = vec![
        "BEGIN".to_owned(),
        "ALTER TABLE sessions RENAME TO sessions_before".to_owned(),
        "DROP INDEX IF EXISTS sessions_user_id".to_owned(),
        "DROP INDEX IF EXISTS sessions_expires_at".to_owned(),
    ];
    statements.extend(create.map(str::to_owned));
    statements.push(format!(
        "INSERT OR IGNORE INTO sessions ({columns}) SELECT {columns} FROM sessions_before"
    ));
    statements.push("DROP TABLE sessions_before".to_owned());
    statements.push("COMMIT".to_owned());
    statements
}
