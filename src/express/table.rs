//! The table of express-mysql-session, as a layout for the SQL store.

use super::UserPath;
use crate::error::Error;
use crate::store::sql::layout::{ForeignTable, LITERAL, Layout};
use crate::store::sql::statement::Value;
use crate::store::sql::table::Table;

/// A generated column that such a table may have.
const USER_ID: &str = "user_id";
const COLUMNS: &[&str] = &["session_id", "expires", "data", USER_ID];

/// The tables that Express stores make, for errors about a table in the native format.
pub(crate) const FOREIGN_TABLES: &[ForeignTable] = &[
    ForeignTable {
        library: "express-mysql-session",
        columns: &["session_id", "expires", "data"],
        remedy: "; share it with session.format = \"express\", or name another table in session.table",
    },
    ForeignTable {
        library: "connect-session-knex",
        columns: &["sid", "sess", "expired"],
        remedy: UNSHARED,
    },
    ForeignTable {
        library: "connect-session-sequelize",
        columns: &["sid", "expires", "data"],
        remedy: UNSHARED,
    },
    ForeignTable {
        library: "connect-pg-simple",
        columns: &["sid", "sess", "expire"],
        remedy: UNSHARED,
    },
];

const UNSHARED: &str = ", which cannot be shared; session.format = \"express\" shares those of \
    express-mysql-session and connect-redis; name another table in session.table";

/// The same error for a table in the format "express".
const FOREIGN_TO_EXPRESS: &[ForeignTable] = &[ForeignTable {
    library: "express-mysql-session",
    columns: &["session_id", "expires", "data"],
    remedy: "; add a generated column that has the user, or leave user_id out of session.columns",
}];

/// Milliseconds as the seconds of Express, rounded as Node rounds them.
const SECONDS: &str = "LEAST(GREATEST(ROUND(? / 1000), 0), 4294967295)";

/// The first bits of the text's SHA-256, since there is no column for a version.
const VERSION: &str = "CAST(CONV(LEFT(SHA2(data, 256), 15), 16, 10) AS SIGNED)";

const EXPIRY: &str = "CAST(expires AS SIGNED) * 1000 + 500";

/// Node takes a session for expired when its second is over, rounded.
const LIVE: &str = "expires >= ROUND(? / 1000)";
const EXPIRED: &str = "expires < ROUND(? / 1000)";

/// Returns the table `name`, whose columns are called otherwise as `columns` says.
pub(crate) fn table<'a>(
    name: &'a str,
    columns: impl IntoIterator<Item = (&'a str, &'a str)>,
    user_path: &UserPath,
) -> Result<Table, Error> {
    let columns: Vec<_> = columns.into_iter().collect();
    let has_user = columns.iter().any(|(column, _)| *column == USER_ID);
    Table::with_layout(name, columns, layout(user_path, has_user))
}

fn layout(user_path: &UserPath, has_user: bool) -> Layout {
    let user_in_data = format!(
        "IF(JSON_VALID(sessions.data), COALESCE(JSON_VALUE(sessions.data, '$.{LITERAL}.id'), \
         JSON_VALUE(sessions.data, '$.{LITERAL}')), NULL)"
    );
    let (user_id, user_column) = match has_user {
        true => ("sessions.user_id".to_owned(), user_column(&user_in_data)),
        false => (user_in_data, String::new()),
    };
    // The first comparison uses the index; most collations take 'ada ' for 'ada'.
    let of_user = format!("{user_id} = ? AND CAST({user_id} AS BINARY) = CAST(? AS BINARY)");
    Layout {
        columns: COLUMNS,
        key: "session_id",
        // The version is a hash, so the same text twice would look like one save.
        gathers_saves: false,
        optional: (!has_user).then_some(USER_ID),
        // As express-mysql-session does, with the index that its own cleanup lacks.
        create: format!(
            "CREATE TABLE sessions (\
             session_id VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY, \
             expires INT UNSIGNED NOT NULL, \
             data MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, {user_column}\
             KEY sessions_expires (expires)) ENGINE=InnoDB"
        ),
        literal: user_path.to_string(),
        record: format!(
            "session_id, NULL, COALESCE(CAST(data AS CHAR), ''), {VERSION}, 0, 0, {EXPIRY}, 0, NULL, NULL"
        ),
        load: format!("session_id = ? AND {LIVE}"),
        list: format!("{of_user} AND {LIVE}"),
        all: format!("session_id > ? AND {LIVE} ORDER BY session_id LIMIT ?"),
        expiry: EXPIRY,
        first_expiry: "CAST(MIN(expires) AS SIGNED) * 1000",
        live: LIVE.into(),
        insert: format!(
            "INSERT INTO sessions (session_id, expires, data) VALUES (?, {SECONDS}, ?)"
        ),
        update: format!(
            "UPDATE sessions SET session_id = ?, expires = {SECONDS}, data = ? \
             WHERE session_id = ? AND {VERSION} = ?"
        ),
        touch: format!(
            "UPDATE sessions SET expires = {SECONDS} WHERE session_id = ? AND expires < {SECONDS}"
        ),
        delete: "DELETE FROM sessions WHERE session_id = ?".into(),
        delete_all: format!("DELETE FROM sessions WHERE {of_user} AND session_id <> ?"),
        expired: Some([
            format!("SELECT session_id FROM sessions WHERE {EXPIRED} ORDER BY expires LIMIT ?"),
            format!(
                "DELETE sessions FROM sessions FORCE INDEX (PRIMARY) \
                 WHERE session_id IN (?) AND {EXPIRED}"
            ),
        ]),
        values: |record| {
            let (expires_at, data) = (record.expires_at.into(), record.data.as_str().into());
            vec![Value::of(&record.key), expires_at, data]
        },
        times: |key, _, expires_at| vec![expires_at.into(), Value::of(key), expires_at.into()],
        user_ids: 2,
        foreign: FOREIGN_TO_EXPRESS,
        remedy: "; name the table of express-mysql-session in session.table and its columns in \
             session.columns, or leave session.format out",
        user_id,
    }
}

fn user_column(user_in_data: &str) -> String {
    let user = user_in_data.replace("sessions.", "");
    format!(
        "user_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin \
         GENERATED ALWAYS AS ({user}) VIRTUAL, KEY sessions_user_id (user_id), "
    )
}
