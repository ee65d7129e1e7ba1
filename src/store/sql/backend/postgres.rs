//! PostgreSQL: its settings, its locks and its SQL.

use std::fmt::Write as _;

use diesel::PgConnection;
use diesel::connection::{Connection, SimpleConnection};

use super::{Alter, Backend, Batch, Dialect, Outcome, between, pooler, user_key};
use crate::error::Error;
use crate::store::sql::pool::urls_of;

impl Backend for PgConnection {}

impl Dialect for PgConnection {
    const SET_UP: &'static str = "SET lock_timeout = '2s'";
    const SET_UP_SHARED: &'static str = "";
    const SET_UP_DOOR: &'static str = "SET lock_timeout = '10ms'";
    const BATCH: Batch = Batch::Returning;
    const QUOTE: char = '"';
    // Skips rows in use: those that another node deletes, and those that a request touches. The ARRAY
    // makes PostgreSQL run the subquery once; run again, it could find other rows.
    const DELETE_EXPIRED: &'static str = "DELETE FROM sessions WHERE id = ANY (ARRAY(SELECT id \
        FROM sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT ? FOR UPDATE SKIP LOCKED))";
    const JSON_OBJECT: [&'static str; 2] = ["CAST(json_build_object(", ") AS TEXT)"];
    const TIME: Option<&'static str> =
        Some("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)");

    // Some settings of libpq concern its own list of hosts.
    fn hosts(url: &str) -> Vec<String> {
        let of_list = [
            "host=",
            "hostaddr=",
            "load_balance_hosts=",
            "prefer-standby",
        ];
        let mut hosts = urls_of(url);
        let listed = hosts.len() > 1;
        if of_list.iter().any(|it| url.contains(it)) {
            hosts = vec![url.to_owned()];
        }
        hosts.iter().map(|url| with_settings(url, listed)).collect()
    }

    // For a domain, the type below it.
    const TYPE_OF: &'static str = "SELECT CONCAT_WS('|', \
            format_type(COALESCE(NULLIF(t.typbasetype, 0), t.oid), NULL), \
            quote_ident(n.nspname) || '.' || quote_ident(c.collname)) \
        FROM (SELECT ? AS name, ? AS schema, ? AS key) users \
        JOIN pg_attribute a ON a.attname = users.key AND a.attrelid = to_regclass( \
            CONCAT_WS('.', quote_ident(NULLIF(users.schema, '')), quote_ident(users.name))) \
        JOIN pg_type t ON t.oid = a.atttypid \
        LEFT JOIN pg_collation c ON c.oid = a.attcollation \
        LEFT JOIN pg_namespace n ON n.oid = c.collnamespace";

    const COLUMNS: &'static str = "SELECT CONCAT(a.attname, '|', format_type(a.atttypid, NULL), '|', \
            CASE WHEN a.atttypmod > 4 THEN a.atttypmod - 4 END, '|', \
            CASE WHEN a.attnotnull THEN 'NO' ELSE 'YES' END) \
        FROM (SELECT ? AS name, ? AS schema) sessions \
        JOIN pg_attribute a ON a.attnum > 0 AND NOT a.attisdropped AND a.attrelid = to_regclass( \
            CONCAT_WS('.', quote_ident(NULLIF(sessions.schema, '')), quote_ident(sessions.name)))";
    const INDEXES: &'static str = "SELECT CONCAT(a.attname, '|', \
            CASE WHEN i.indisunique AND i.indnkeyatts = 1 THEN 'unique' END) \
        FROM (SELECT ? AS name, ? AS schema) sessions \
        JOIN pg_index i ON i.indisvalid AND i.indpred IS NULL AND i.indrelid = to_regclass( \
            CONCAT_WS('.', quote_ident(NULLIF(sessions.schema, '')), quote_ident(sessions.name))) \
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]";
    const ALTER: Alter = Alter::Each;

    fn is_user(table: &str, key: &str, kind: &str) -> Option<String> {
        user_key::of_postgresql(&format!("{table}.{key}"), kind)
    }

    fn check(
        connect: impl Fn() -> Result<Self, Error>,
        statement_cache: bool,
        _max_data: u64,
    ) -> Result<(), Error> {
        pooler::check(connect, statement_cache)
    }

    // PostgreSQL names advisory locks by numbers; this one is "session" in ASCII.
    fn exclusively<T>(&mut self, work: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        let [lock, unlock] = [
            "SELECT pg_advisory_lock(32481168853659502)",
            "SELECT pg_advisory_unlock(32481168853659502)",
        ];
        between(self, lock, unlock, work)
    }

    fn transact_exclusively<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Outcome<T>,
    ) -> Outcome<T> {
        self.transaction(|connection| {
            connection.batch_execute("SELECT pg_advisory_xact_lock(32481168853659502)")?;
            work(connection)
        })
    }
}

// libpq waits without a limit, and the kernel tries for about 15 minutes to reach a dead host.
fn with_settings(url: &str, listed: bool) -> String {
    let mut url = url.to_owned();
    if !url.starts_with("postgres") {
        return url;
    }
    let timeouts = [
        ("connect_timeout", "2", Some("PGCONNECT_TIMEOUT")),
        ("tcp_user_timeout", "5000", None),
        ("keepalives_idle", "10", None),
    ];
    let target = (
        "target_session_attrs",
        "read-write",
        Some("PGTARGETSESSIONATTRS"),
    );
    for (name, value, variable) in timeouts.into_iter().chain(listed.then_some(target)) {
        let is_set = variable.is_some_and(|variable| std::env::var_os(variable).is_some());
        if !is_set && !url.contains(&format!("{name}=")) {
            let sign = if url.contains('?') { '&' } else { '?' };
            let _ = write!(url, "{sign}{name}={value}");
        }
    }
    url
}
