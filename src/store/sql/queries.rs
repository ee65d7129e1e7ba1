//! The texts of the statements, built once: Diesel finds a prepared statement by its text.

use super::many::{MOST, SaveTexts, marks};
use crate::store::sql::backend::{Backend, USER_ID};
use crate::store::sql::table::Table;

pub(super) struct Sql {
    /// Selects the row of one user.
    pub(super) user: Option<String>,
    pub(super) load: String,
    /// Selects several records by their keys, from one on.
    pub(super) load_many: Vec<String>,
    /// Selects keys and expiries; takes a list of keys.
    pub(super) expiries: String,
    /// `None` if each save has its own statement.
    pub(super) saves: Option<SaveTexts>,
    pub(super) insert: String,
    pub(super) update: String,
    pub(super) touch: String,
    pub(super) delete: String,
    pub(super) list: String,
    pub(super) all: String,
    pub(super) delete_all: String,
    /// Selects the keys that `delete_expired` takes, if it takes keys.
    pub(super) choose_expired: Option<String>,
    pub(super) delete_expired: String,
    pub(super) first_expiry: String,
    pub(super) count: String,
    pub(super) clear: String,
}

impl Sql {
    /// `user` is a subquery for the user's row, with [`USER_ID`] in place of the user's id.
    pub(super) fn new<C: Backend>(table: &Table, user: Option<&String>) -> Self {
        let layout = table.layout();
        let with_names = |sql: &str| table.put_into(sql, C::QUOTE);
        let user_row = match user {
            Some(user) => user.replace(USER_ID, &with_names(&layout.user_id)),
            None => "NULL".into(),
        };
        let select = |condition: &str| {
            let columns = with_names(&layout.record);
            let rest = with_names(&format!("FROM sessions WHERE {condition}"));
            format!("SELECT {columns}, {user_row} {rest}")
        };
        let (choose_expired, delete_expired) = match &layout.expired {
            Some([choose, delete]) => (Some(&**choose), &**delete),
            None => (C::CHOOSE_EXPIRED, C::DELETE_EXPIRED),
        };
        Self {
            user: user.map(|user| format!("SELECT {}", user.replace(USER_ID, "?"))),
            load: select(&layout.load),
            load_many: (1..=MOST)
                .map(|count| select(&format!("{} IN ({})", layout.key, marks(count))))
                .collect(),
            expiries: with_names(&format!(
                "SELECT {key}, {} FROM sessions WHERE {key} IN (?)",
                layout.expiry,
                key = layout.key,
            )),
            saves: layout.gathers_saves.then(|| SaveTexts::new::<C>(table)),
            insert: with_names(&layout.insert),
            update: with_names(&layout.update),
            touch: with_names(&layout.touch),
            delete: with_names(&layout.delete),
            list: select(&layout.list),
            all: select(&layout.all),
            delete_all: with_names(&layout.delete_all),
            choose_expired: choose_expired.map(with_names),
            delete_expired: with_names(delete_expired),
            first_expiry: with_names(&format!(
                "SELECT COALESCE({}, {}) FROM sessions",
                layout.first_expiry,
                i64::MAX
            )),
            count: with_names(&format!(
                "SELECT COUNT(*) FROM sessions WHERE {}",
                layout.live
            )),
            clear: with_names("DELETE FROM sessions"),
        }
    }
}
