//! MariaDB and MySQL: their settings, their lock and their SQL.

use diesel::result::Error as DieselError;
use diesel::{MysqlConnection, QueryResult, RunQueryDsl, sql_query};

use super::{
    Alter, Backend, Batch, Dialect, Outcome, ServerSetting, between, encryption, server, user_key,
};
use crate::error::Error;
use crate::store::sql::pool::{is_disconnected, is_rolled_back, urls_of};
use crate::store::sql::statement::{Execute, Statement};

impl Backend for MysqlConnection {}

impl Dialect for MysqlConnection {
    // Without a strict mode, MySQL cuts values that are too long without an error. A node of Galera may never
    // answer in a transaction that it undid; both sides then wait for wait_timeout, by default 8 hours.
    const SET_UP: &'static str = "SET sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', \
        wait_timeout = LEAST(@@SESSION.wait_timeout, 3600), innodb_lock_wait_timeout = 2 \
        /*M!100100 , SESSION wsrep_sync_wait = 7 */; \
        SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
    // A SELECT passes rows that are deleted but not yet purged without a lock. A DELETE in this order locks
    // each of them, which took 39 µs of CPU per session instead of 28, and SKIP LOCKED 94.
    const CHOOSE_EXPIRED: Option<&'static str> =
        Some("SELECT id FROM sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT ?");
    // Without the index's name, MariaDB scans a small table and waits for the locks of live sessions.
    const DELETE_EXPIRED: &'static str = "DELETE sessions FROM sessions FORCE INDEX (PRIMARY) \
        WHERE id IN (?) AND expires_at <= ?";
    // MariaDB's least time to wait for a row is 0, MySQL's is 1 second.
    const SET_UP_DOOR: &'static str = "SET sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', \
        wait_timeout = LEAST(@@SESSION.wait_timeout, 3600), \
        innodb_lock_wait_timeout = 1 /*M!100300 , innodb_lock_wait_timeout = 0 */ \
        /*M!100100 , SESSION wsrep_sync_wait = 7 */; \
        SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
    const BATCH: Batch = Batch::Case;
    const TIME: Option<&'static str> =
        Some("SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) DIV 1000");

    const SET_UP_BATCH: &'static str = "SET autocommit = 0";

    // Without autocommit, a transaction begins with its first statement.
    fn transact_at_door<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> QueryResult<T>,
    ) -> QueryResult<T> {
        let done = work(self);
        if done.as_ref().is_err_and(is_disconnected) {
            return done;
        }
        let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
        match self.change(&Statement::new(end, [])) {
            Ok(_) => done,
            Err(error) if is_rolled_back(&error) => Err(error),
            // Perhaps the transaction is committed, or still open: the connection is not used again.
            Err(_) => Err(DieselError::BrokenTransactionManager),
        }
    }

    fn lack(&mut self) -> QueryResult<Option<&'static str>> {
        let setting: ServerSetting =
            sql_query("SELECT @@SESSION.sql_mode AS value").get_result(self)?;
        Ok((!setting.value.contains("STRICT_")).then_some(
            "no strict sql_mode, so that a session that is too long is cut off and lost; run \
             SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')",
        ))
    }

    const TYPE_OF: &'static str = "SELECT CONCAT_WS(' ', data_type, character_set_name, \
        collation_name) FROM information_schema.columns WHERE table_name = ? \
        AND table_schema = COALESCE(NULLIF(?, ''), DATABASE()) AND column_name = ?";

    const COLUMNS: &'static str = "SELECT CONCAT(column_name, '|', \
        CONCAT_WS(' ', data_type, collation_name), '|', \
        COALESCE(character_maximum_length, ''), '|', is_nullable) \
        FROM information_schema.columns WHERE table_name = ? \
        AND table_schema = COALESCE(NULLIF(?, ''), DATABASE())";
    const INDEXES: &'static str = "SELECT CONCAT(MAX(IF(seq_in_index = 1, column_name, '')), '|', \
        IF(MAX(non_unique) = 0 AND COUNT(*) = 1, 'unique', '')) \
        FROM information_schema.statistics WHERE table_name = ? \
        AND table_schema = COALESCE(NULLIF(?, ''), DATABASE()) GROUP BY index_name";
    const ALTER: Alter = Alter::Modify;

    fn is_user(table: &str, key: &str, kind: &str) -> Option<String> {
        user_key::of_mysql(&format!("{table}.{key}"), kind)
    }

    fn hosts(url: &str) -> Vec<String> {
        urls_of(url)
    }

    // Newer MariaDB has texts for read_only. A build without Galera has no wsrep_on.
    fn unready(&mut self) -> QueryResult<Option<&'static str>> {
        let state: ServerSetting = sql_query(
            "SELECT CAST(CASE WHEN CONCAT(@@GLOBAL.read_only) NOT IN ('0', 'OFF') THEN 'read-only' \
             /*M!100100 WHEN (SELECT COUNT(*) FROM information_schema.GLOBAL_VARIABLES \
             WHERE VARIABLE_NAME = 'WSREP_ON' AND VARIABLE_VALUE = 'ON') > 0 \
             AND (SELECT COUNT(*) FROM information_schema.GLOBAL_STATUS \
             WHERE VARIABLE_NAME = 'WSREP_READY' AND VARIABLE_VALUE = 'OFF') > 0 THEN 'unready' */ \
             ELSE '' END AS CHAR) AS value",
        )
        .get_result(self)?;
        Ok(match state.value.as_str() {
            "" => None,
            "read-only" => Some("the server is read-only"),
            _ => Some("the server has no cluster (wsrep_ready is OFF)"),
        })
    }

    fn check_connection(&mut self, url: &str) -> QueryResult<Option<&'static str>> {
        encryption::check_connection(self, url)
    }

    fn check(
        connect: impl Fn() -> Result<Self, Error>,
        _statement_cache: bool,
        max_data: u64,
    ) -> Result<(), Error> {
        server::check(&mut connect()?, max_data)
    }

    fn exclusively<T>(&mut self, work: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        let [lock, unlock] = [
            "DO GET_LOCK('rocket_diesel_session', 60)",
            "DO RELEASE_LOCK('rocket_diesel_session')",
        ];
        between(self, lock, unlock, work)
    }
}
