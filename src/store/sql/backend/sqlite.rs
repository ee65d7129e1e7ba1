//! SQLite: its settings, its lock and its files.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::result::Error as DieselError;
use diesel::{QueryResult, RunQueryDsl, SqliteConnection, sql_query};

use super::{Alter, Backend, Batch, Dialect, Outcome, ServerSetting, user_key};

impl Backend for SqliteConnection {}

impl Dialect for SqliteConnection {
    // The timeout first: the switch to WAL may have to wait. FULL makes acknowledged writes survive a power
    // loss.
    const SET_UP: &'static str = "PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; \
        PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON";
    const SET_UP_DOOR: &'static str = Self::SET_UP;
    const BATCH: Batch = Batch::Singly;
    const ONE_WRITER: bool = true;

    fn file(url: &str) -> Option<PathBuf> {
        let in_memory = url.is_empty() || url == ":memory:" || url.contains("mode=memory");
        let path = match url.strip_prefix("file:") {
            Some(uri) => {
                let path = uri.split(['?', '#']).next().unwrap_or_default();
                let path = path.strip_prefix("//localhost").unwrap_or(path);
                let path = path.strip_prefix("//").unwrap_or(path);
                percent_encoding::percent_decode_str(path)
                    .decode_utf8()
                    .ok()?
                    .into_owned()
            }
            None => url.to_owned(),
        };
        (!in_memory && !path.is_empty() && path != ":memory:").then(|| path.into())
    }

    fn lack(&mut self) -> QueryResult<Option<&'static str>> {
        Ok((busy_timeout(self)? == "0").then_some(
            "no busy_timeout, so that a session is not saved while another connection writes; run \
             PRAGMA busy_timeout = 2000",
        ))
    }

    const TYPE_OF: &'static str = "SELECT type FROM pragma_table_info(?, NULLIF(?, '')) \
        WHERE name = ? COLLATE NOCASE";

    // Each type with INT in its name holds 64 bits.
    const COLUMNS: &'static str = "SELECT name || '|' || \
        CASE WHEN type LIKE '%INT%' THEN 'bigint' ELSE type END || '||' || \
        CASE WHEN \"notnull\" THEN 'NO' ELSE 'YES' END FROM pragma_table_info(?, NULLIF(?, ''))";
    const INDEXES: &'static str = "SELECT first.name || '|' || CASE WHEN list.\"unique\" AND NOT EXISTS \
            (SELECT 1 FROM pragma_index_info(list.name) WHERE seqno = 1) THEN 'unique' ELSE '' END \
        FROM pragma_index_list(?, NULLIF(?, '')) AS list, pragma_index_info(list.name) AS first \
        WHERE first.seqno = 0 AND NOT list.partial AND first.name IS NOT NULL";
    const ALTER: Alter = Alter::Rebuild;

    fn is_user(table: &str, key: &str, kind: &str) -> Option<String> {
        user_key::of_sqlite(&format!("{table}.{key}"), kind)
    }

    // SQLite itself lets 100 ms pass between two tries after the first twelve. Meanwhile the others write again
    // and again, and this connection might wait for its whole timeout.
    fn in_turn<T>(&mut self, mut work: impl FnMut(&mut Self) -> QueryResult<T>) -> QueryResult<T> {
        let timeout = busy_timeout(self)?;
        let patience = Duration::from_millis(timeout.parse().unwrap_or_default());
        self.batch_execute("PRAGMA busy_timeout = 0")?;
        let begin = Instant::now();
        let done = loop {
            let done = work(self);
            let is_locked = done.as_ref().is_err_and(is_locked);
            if !is_locked || begin.elapsed() >= patience {
                break done;
            }
            thread::sleep(Duration::from_micros(fastrand::u64(500..3_000)));
        };
        let _ = self.batch_execute(&format!("PRAGMA busy_timeout = {timeout}"));
        done
    }

    // A deferred transaction that reads first fails if another connection writes before it does.
    fn transact<T>(&mut self, work: impl FnOnce(&mut Self) -> QueryResult<T>) -> QueryResult<T> {
        self.immediate_transaction(work)
    }

    fn exclusively<T>(&mut self, work: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        self.immediate_transaction(work)
    }
}

fn busy_timeout(connection: &mut SqliteConnection) -> QueryResult<String> {
    let select = "SELECT CAST(timeout AS TEXT) AS value FROM pragma_busy_timeout";
    let setting: ServerSetting = sql_query(select).get_result(connection)?;
    Ok(setting.value)
}

/// Returns `true` if another connection was writing, so that nothing happened.
fn is_locked(error: &DieselError) -> bool {
    let DieselError::DatabaseError(_, information) = error else {
        return false;
    };
    information.message() == "database is locked"
}
