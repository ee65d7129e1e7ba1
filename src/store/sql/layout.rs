//! A layout of the sessions table: its columns, and the SQL that reads and writes records in them.

use super::statement::Value;
use crate::record::Record;
use crate::token::Key;

const CREATE: &str = include_str!("migrations/2026-11-21-000002_create_sessions/up.sql");

/// Stands for [`Layout::literal`], which [`Table::put_into`](super::table::Table::put_into) leaves as it is.
pub(crate) const LITERAL: char = '\u{1}';

/// The columns of a table and the SQL over them.
///
/// The SQL calls the table `sessions`, names the columns as `columns` does, and has a `?` for each value.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) columns: &'static [&'static str],
    /// The column of the key.
    pub(crate) key: &'static str,
    /// Several saves share a statement, or a transaction.
    pub(crate) gathers_saves: bool,
    /// The column that the table may lack.
    pub(crate) optional: Option<&'static str>,
    /// Creates the table and its indexes.
    pub(crate) create: String,
    /// The id of a row's user.
    pub(crate) user_id: String,
    /// Replaces [`LITERAL`].
    pub(crate) literal: String,
    /// The columns of a record, as [`Row`](super::statement::Row) reads them.
    pub(crate) record: String,
    /// The condition for a live record: its key, and now.
    pub(crate) load: String,
    /// The condition and order for the live records of a user: the user's id, and now.
    pub(crate) list: String,
    /// The condition and order for all live records: the key before the first one, now, and their number.
    pub(crate) all: String,
    /// The expiry of a record in milliseconds.
    pub(crate) expiry: &'static str,
    /// The earliest expiry in milliseconds.
    pub(crate) first_expiry: &'static str,
    /// The condition for a live record: now.
    pub(crate) live: String,
    /// Takes `values`.
    pub(crate) insert: String,
    /// Takes `values`, the key and the version.
    pub(crate) update: String,
    /// Takes `times`.
    pub(crate) touch: String,
    pub(crate) delete: String,
    /// Takes the user's id, and the key of the record that stays.
    pub(crate) delete_all: String,
    /// Replaces the backend's `CHOOSE_EXPIRED` and `DELETE_EXPIRED`.
    pub(crate) expired: Option<[String; 2]>,
    pub(crate) values: fn(&Record) -> Vec<Value<'_>>,
    /// Key, last use and expiry, as `touch` takes them.
    pub(crate) times: fn(&Key, i64, i64) -> Vec<Value<'_>>,
    /// How many times `list` and `delete_all` take the user's id.
    pub(crate) user_ids: usize,
    /// Tables of other libraries that could be named by mistake.
    pub(crate) foreign: &'static [ForeignTable],
    /// The end of the error for a table that lacks columns.
    pub(crate) remedy: &'static str,
}

/// Another library's table, known by its columns.
#[derive(Debug)]
pub(crate) struct ForeignTable {
    pub(crate) library: &'static str,
    pub(crate) columns: &'static [&'static str],
    /// The end of the error, after the library's name.
    pub(crate) remedy: &'static str,
}

impl Layout {
    /// Returns `true` if the migrations define the table.
    pub(crate) fn is_native(&self) -> bool {
        self.create == CREATE
    }

    /// Returns the layout of the migrations.
    pub(crate) fn native() -> Self {
        Self {
            columns: &[
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
            ],
            key: "id",
            gathers_saves: true,
            optional: None,
            create: CREATE.into(),
            user_id: "sessions.user_id".into(),
            literal: String::new(),
            record: "id, user_id, data, version, created_at, seen_at, expires_at, deadline, \
                 user_agent, ip"
                .into(),
            load: "id = ? AND expires_at > ?".into(),
            list: "user_id = ? AND expires_at > ? ORDER BY seen_at DESC, id".into(),
            all: "id > ? AND expires_at > ? ORDER BY id LIMIT ?".into(),
            expiry: "expires_at",
            first_expiry: "MIN(expires_at)",
            live: "expires_at > ?".into(),
            insert: "INSERT INTO sessions (id, user_id, data, version, created_at, seen_at, \
                 expires_at, deadline, user_agent, ip) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                .into(),
            update: "UPDATE sessions SET id = ?, user_id = ?, data = ?, version = ?, \
                 created_at = ?, seen_at = ?, expires_at = ?, deadline = ?, user_agent = ?, \
                 ip = ? WHERE id = ? AND version = ?"
                .into(),
            touch: "UPDATE sessions SET seen_at = ?, expires_at = ? \
                 WHERE id = ? AND seen_at < ? AND expires_at <= ?"
                .into(),
            delete: "DELETE FROM sessions WHERE id = ?".into(),
            delete_all: "DELETE FROM sessions WHERE user_id = ? AND id <> ?".into(),
            expired: None,
            values: |record| values(record).into(),
            times: |key, seen_at, expires_at| times(key, seen_at, expires_at).into(),
            user_ids: 1,
            foreign: &[],
            remedy: "; name another table in session.table, say in session.columns what its columns are called, \
                 or bring it up to date",
        }
    }
}

/// The columns that are written, in the order of the table.
pub(super) fn values(record: &Record) -> [Value<'_>; 10] {
    [
        Value::of(&record.key),
        record.user_id.as_deref().into(),
        record.data.as_str().into(),
        record.version.into(),
        record.created_at.into(),
        record.seen_at.into(),
        record.expires_at.into(),
        record.deadline.into(),
        record.user_agent.as_deref().into(),
        record.ip.as_deref().into(),
    ]
}

/// What a touch takes.
pub(super) fn times(key: &Key, seen_at: i64, expires_at: i64) -> [Value<'_>; 5] {
    let (seen_at, expires_at) = (seen_at.into(), expires_at.into());
    [seen_at, expires_at, Value::of(key), seen_at, expires_at]
}
