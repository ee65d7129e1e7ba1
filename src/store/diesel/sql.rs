//! The text of each statement, put together once: it is what prepared statements are found by.

use crate::backend::Backend;
use crate::store::table::Table;

pub(super) struct Sql {
    pub(super) load: String,
    pub(super) insert: String,
    pub(super) update: String,
    pub(super) touch: String,
    pub(super) delete: String,
    pub(super) list: String,
    pub(super) all: String,
    pub(super) delete_all: String,
    pub(super) sweep: String,
    pub(super) count: String,
    pub(super) clear: String,
}

impl Sql {
    /// `user` is a subquery for the user's row, in two pieces between which the user's id belongs.
    pub(super) fn new<C: Backend>(table: &Table, user: Option<&[String; 2]>) -> Self {
        let with_names = |sql: &str| table.put_into(sql, C::QUOTE);
        let user = match user {
            Some([before, after]) => format!("{before}{}{after}", with_names("sessions.user_id")),
            None => "NULL".into(),
        };
        let select = |condition: &str| {
            let columns = with_names(
                "id, user_id, data, version, created_at, seen_at, expires_at, deadline, \
                 user_agent, ip",
            );
            let rest = with_names(&format!("FROM sessions WHERE {condition}"));
            format!("SELECT {columns}, {user} {rest}")
        };
        Self {
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
            sweep: with_names(C::SWEEP),
            count: with_names("SELECT COUNT(*) FROM sessions WHERE expires_at > ?"),
            clear: with_names("DELETE FROM sessions"),
        }
    }
}
