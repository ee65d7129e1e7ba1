//! The texts of the statements that change several rows of a table in the native layout.

use std::iter::repeat_n;

use crate::record::Record;
use crate::store::Save;
use crate::store::sql::backend::{Backend, Batch};
use crate::store::sql::layout::{Layout, times, values};
use crate::store::sql::statement::{Statement, Value};
use crate::store::sql::table::Table;

/// The most rows of one statement.
pub(in crate::store::sql) const MOST: usize = 16;

/// The statements for one save, and lists of those for several, from one row on.
pub(in crate::store::sql) struct SaveTexts {
    pub(super) insert: Vec<String>,
    pub(super) update: Vec<String>,
    pub(super) touch: Vec<String>,
    one_insert: String,
    one_update: String,
    one_touch: String,
}

impl SaveTexts {
    pub(in crate::store::sql) fn new<C: Backend>(table: &Table) -> Self {
        let Layout { insert, touch, .. } = table.layout();
        let one = |text: &str| table.put_into(text, C::QUOTE);
        let list = |text: &dyn Fn(usize) -> String| match C::BATCH {
            Batch::Singly => Vec::new(),
            _ => (1..=MOST).map(|count| one(&text(count))).collect(),
        };
        let returns = C::BATCH == Batch::Returning;
        Self {
            insert: list(&|count| match returns {
                true => insert_returning(insert, count),
                false => insert_rows(insert, count),
            }),
            update: list(match returns {
                true => &update_returning,
                false => &update_by_case,
            }),
            touch: list(match returns {
                true => &touch_returning,
                false => &touch_by_case,
            }),
            one_insert: one(insert),
            one_update: one(UPDATE),
            one_touch: one(touch),
        }
    }

    /// Returns the statement for one save, and its values.
    pub(in crate::store::sql) fn of_one<'a>(&'a self, save: &'a Save) -> Statement<'a> {
        match save {
            Save::Insert(record) => Statement::new(&self.one_insert, values(record)),
            Save::Update { version, record } => {
                let [data, seen_at, expires_at, drawn] = changed(record);
                let found = [Value::of(&record.key), (*version).into()];
                let changed = [data, drawn, seen_at, expires_at];
                Statement::new(&self.one_update, changed.into_iter().chain(found))
            }
            Save::Touch {
                key,
                seen_at,
                expires_at,
            } => Statement::new(&self.one_touch, times(key, *seen_at, *expires_at)),
        }
    }
}

/// Returns the columns that an update changes, in the order in which [`update_by_case`] names them.
pub(super) fn changed(record: &Record) -> [Value<'_>; 4] {
    [
        record.data.as_str().into(),
        record.seen_at.into(),
        record.expires_at.into(),
        record.version.into(),
    ]
}

/// Leaves the key and the columns that stay as they are out of SET: MariaDB updates in place only if SET names no
/// column of the index that finds the row.
const UPDATE: &str = "UPDATE sessions SET data = ?, version = ?, seen_at = ?, expires_at = ? \
    WHERE id = ? AND version = ?";

pub(in crate::store::sql) fn marks(count: usize) -> String {
    join(", ", "?", count)
}

fn join(separator: &str, text: &str, count: usize) -> String {
    let texts: Vec<_> = repeat_n(text, count).collect();
    texts.join(separator)
}

fn insert_rows(of_one: &str, count: usize) -> String {
    let (head, row) = of_one.split_once(" VALUES ").unwrap_or((of_one, ""));
    format!("{head} VALUES {}", join(", ", row, count))
}

fn insert_returning(of_one: &str, count: usize) -> String {
    let insert = insert_rows(of_one, count);
    format!("{insert} ON CONFLICT DO NOTHING RETURNING id, version")
}

fn case(count: usize) -> String {
    format!("CASE id {} END", join(" ", "WHEN ? THEN ?", count))
}

/// A join with given rows takes MariaDB a good 500 µs longer, with the data in a temporary table.
fn update_by_case(count: usize) -> String {
    let (case, marks) = (case(count), marks(count));
    format!(
        "UPDATE sessions SET data = {case}, seen_at = {case}, expires_at = {case}, version = {case} \
         WHERE id IN ({marks}) AND version = {case}"
    )
}

fn touch_by_case(count: usize) -> String {
    let (case, marks) = (case(count), marks(count));
    format!(
        "UPDATE sessions SET seen_at = {case}, expires_at = {case} \
         WHERE id IN ({marks}) AND seen_at < {case} AND expires_at <= {case}"
    )
}

fn rows(first: &str, count: usize) -> String {
    let columns = first.matches('?').count();
    let next = format!(", ({})", marks(columns));
    format!("VALUES ({first}){}", next.repeat(count - 1))
}

fn update_returning(count: usize) -> String {
    let types = "CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS TEXT), CAST(? AS BIGINT), \
        CAST(? AS BIGINT), CAST(? AS BIGINT)";
    let rows = rows(types, count);
    format!(
        "UPDATE sessions SET data = given.data, version = given.version, seen_at = given.seen_at, \
         expires_at = given.expires_at \
         FROM ({rows}) AS given (id, replaced, data, version, seen_at, expires_at) \
         WHERE sessions.id = given.id AND sessions.version = given.replaced \
         RETURNING sessions.id, sessions.version"
    )
}

fn touch_returning(count: usize) -> String {
    let types = "CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS BIGINT)";
    let rows = rows(types, count);
    format!(
        "UPDATE sessions SET seen_at = given.seen_at, expires_at = given.expires_at \
         FROM ({rows}) AS given (id, seen_at, expires_at) \
         WHERE sessions.id = given.id AND sessions.seen_at < given.seen_at \
         AND sessions.expires_at <= given.expires_at RETURNING sessions.id, sessions.version"
    )
}
