//! The text of each statement, put together once: it is what prepared statements are found by.

use super::row::values;
use super::statement::Value;
use crate::record::Record;
use crate::store::sql::backend::{Backend, USER_ID};
use crate::store::sql::table::Table;
use crate::token::Key;

pub(super) struct Sql {
    layout: Layout,
    /// For the user's row by itself.
    pub(super) user: Option<String>,
    pub(super) load: String,
    pub(super) insert: String,
    pub(super) update: String,
    pub(super) touch: String,
    pub(super) delete: String,
    pub(super) list: String,
    pub(super) all: String,
    pub(super) delete_all: String,
    pub(super) delete_expired: String,
    pub(super) count: String,
    pub(super) clear: String,
}

/// Which columns a table has.
#[derive(Clone, Copy)]
enum Layout {
    Own,
    Express,
}

/// Seconds of Express out of milliseconds, rounded as Node rounds them.
const SECONDS: &str = "LEAST(GREATEST(ROUND(? / 1000), 0), 4294967295)";

/// For want of a column: the beginning of the text's SHA-256.
const VERSION: &str = "CAST(CONV(LEFT(SHA2(data, 256), 15), 16, 10) AS SIGNED)";

impl Sql {
    /// `user` is a subquery for the user's row, with [`USER_ID`] wherever the user's id belongs.
    pub(super) fn new<C: Backend>(table: &Table, user: Option<&String>) -> Self {
        let with_names = |sql: &str| table.put_into(sql, C::QUOTE);
        let alone = user.map(|user| format!("SELECT {}", user.replace(USER_ID, "?")));
        let user = match user {
            Some(user) => user.replace(USER_ID, &with_names(table.user())),
            None => "NULL".into(),
        };
        let sql = match table.is_of_express() {
            true => Self::of_express(table.user(), &user, with_names),
            false => Self::own::<C>(&user, with_names),
        };
        Self { user: alone, ..sql }
    }

    fn own<C: Backend>(user: &str, with_names: impl Fn(&str) -> String) -> Self {
        let select = |condition: &str| {
            let columns = with_names(
                "id, user_id, data, version, created_at, seen_at, expires_at, deadline, \
                 user_agent, ip",
            );
            let rest = with_names(&format!("FROM sessions WHERE {condition}"));
            format!("SELECT {columns}, {user} {rest}")
        };
        Self {
            layout: Layout::Own,
            user: None,
            load: select("id = ? AND expires_at > ?"),
            insert: with_names(
                "INSERT INTO sessions (id, user_id, data, version, created_at, seen_at, \
                 expires_at, deadline, user_agent, ip) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ),
            update: with_names(
                "UPDATE sessions SET id = ?, user_id = ?, data = ?, version = ?, \
                 created_at = ?, seen_at = ?, expires_at = ?, deadline = ?, user_agent = ?, \
                 ip = ? WHERE id = ? AND version = ?",
            ),
            touch: with_names(
                "UPDATE sessions SET seen_at = ?, expires_at = ? \
                 WHERE id = ? AND seen_at < ? AND expires_at <= ?",
            ),
            delete: with_names("DELETE FROM sessions WHERE id = ?"),
            list: select("user_id = ? AND expires_at > ? ORDER BY seen_at DESC, id"),
            all: select("id > ? AND expires_at > ? ORDER BY id LIMIT ?"),
            delete_all: with_names("DELETE FROM sessions WHERE user_id = ? AND id <> ?"),
            delete_expired: with_names(C::DELETE_EXPIRED),
            count: with_names("SELECT COUNT(*) FROM sessions WHERE expires_at > ?"),
            clear: with_names("DELETE FROM sessions"),
        }
    }

    /// A record's text and its expiry are all that such a table has. Node takes it for expired when
    /// its second is over, rounded.
    fn of_express(user_id: &str, user: &str, with_names: impl Fn(&str) -> String) -> Self {
        let live = "expires >= ROUND(? / 1000)";
        // The first comparison is for an index; of most collations 'ada ' is 'ada'.
        let of_user = format!("{user_id} = ? AND CAST({user_id} AS BINARY) = CAST(? AS BINARY)");
        let select = |condition: &str| {
            let columns = with_names(&format!(
                "session_id, NULL, COALESCE(CAST(data AS CHAR), ''), {VERSION}, 0, 0, \
                 CAST(expires AS SIGNED) * 1000 + 500, 0, NULL, NULL"
            ));
            let rest = with_names(&format!("FROM sessions WHERE {condition}"));
            format!("SELECT {columns}, {user} {rest}")
        };
        Self {
            layout: Layout::Express,
            user: None,
            load: select(&format!("session_id = ? AND {live}")),
            insert: with_names(&format!(
                "INSERT INTO sessions (session_id, expires, data) VALUES (?, {SECONDS}, ?)"
            )),
            update: with_names(&format!(
                "UPDATE sessions SET session_id = ?, expires = {SECONDS}, data = ? \
                 WHERE session_id = ? AND {VERSION} = ?"
            )),
            touch: with_names(&format!(
                "UPDATE sessions SET expires = {SECONDS} WHERE session_id = ? AND expires < {SECONDS}"
            )),
            delete: with_names("DELETE FROM sessions WHERE session_id = ?"),
            list: select(&format!("{of_user} AND {live}")),
            all: select(&format!(
                "session_id > ? AND {live} ORDER BY session_id LIMIT ?"
            )),
            delete_all: with_names(&format!(
                "DELETE FROM sessions WHERE {of_user} AND session_id <> ?"
            )),
            delete_expired: with_names(
                "DELETE FROM sessions WHERE expires < ROUND(? / 1000) ORDER BY expires LIMIT ?",
            ),
            count: with_names(&format!("SELECT COUNT(*) FROM sessions WHERE {live}")),
            clear: with_names("DELETE FROM sessions"),
        }
    }

    /// The columns that are written, in the order of the table.
    pub(super) fn values<'a>(&self, record: &'a Record) -> Vec<Value<'a>> {
        match self.layout {
            Layout::Own => values(record).into(),
            Layout::Express => vec![
                Value::of(&record.key),
                record.expires_at.into(),
                record.data.as_str().into(),
            ],
        }
    }

    /// A user's id, as often as a statement for all sessions of a user takes it.
    pub(super) fn of_user<'a>(&self, user_id: &'a str) -> Vec<Value<'a>> {
        let times = match self.layout {
            Layout::Own => 1,
            Layout::Express => 2,
        };
        vec![user_id.into(); times]
    }

    /// What a touch is given.
    pub(super) fn times<'a>(&self, key: &'a Key, seen_at: i64, expires_at: i64) -> Vec<Value<'a>> {
        let (seen_at, expires_at, key) = (seen_at.into(), expires_at.into(), Value::of(key));
        match self.layout {
            Layout::Own => vec![seen_at, expires_at, key, seen_at, expires_at],
            Layout::Express => vec![expires_at, key, expires_at],
        }
    }
}
