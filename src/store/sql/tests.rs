//! The plans of the statements that would be slow on large tables without an index.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]

use diesel::{QueryResult, QueryableByName, RunQueryDsl, sql_query, sql_types::Text};

use super::*;
use crate::store::pool::Idempotent;

/// A table that is dropped at the end.
struct Filled<C: Backend>(DieselStore<C>, String);

impl<C: Backend> Filled<C> {
    /// With a few thousand sessions, each user's few, of which a hundred have expired at 100.
    fn new(url: &str, analyze: &str) -> Self {
        let name = format!("explain_{:08x}", fastrand::u32(..));
        let store = DieselStore::<C>::connect(url, 1);
        let store = store.with_table(&name, &[]).unwrap();
        store.create_table().unwrap();
        let filled = Self(store, name);
        filled.run(
            "INSERT INTO sessions (id, user_id, data, version, created_at, seen_at, expires_at, \
             deadline) WITH RECURSIVE number (n) AS \
                (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 70) \
             SELECT a.n * 70 + b.n, a.n * 20 + b.n / 4, '{}', 0, 0, 0, a.n * 70 + b.n - 70, 0 \
             FROM number AS a, number AS b",
        );
        filled.run(analyze);
        filled
    }

    fn run(&self, sql: &str) {
        let sql = self.0.0.table.put_into(sql, C::QUOTE);
        self.0
            .0
            .write(Idempotent::No, |connection| connection.batch_execute(&sql))
            .unwrap();
    }

    /// Expects an index in each plan and a scan in none; `plan` explains a statement.
    fn uses(
        &self,
        primary: &str,
        scans: &[&str],
        mut plan: impl FnMut(&mut C, &str) -> QueryResult<Vec<String>>,
    ) {
        let (primary, sql) = (primary.replace("TABLE", &self.1), &self.0.0.sql);
        let (by_user, by_expiry) = (
            format!("{}_user_id", self.1),
            format!("{}_expires_at", self.1),
        );
        let by_key = (&sql.delete_expired, ["'7', '8'", "100"], &primary);
        let expired = match &sql.choose_expired {
            Some(choose) => vec![(choose, ["100", "10"], &by_expiry), by_key],
            None => vec![(&sql.delete_expired, ["100", "10"], &by_expiry)],
        };
        for (statement, values, index) in expired.into_iter().chain([
            (&sql.load, ["'700'", "0"], &primary),
            (&sql.update, ["'700'", "0"], &primary),
            (&sql.delete, ["'700'", ""], &primary),
            (&sql.list, ["'700'", "0"], &by_user),
            (&sql.delete_all, ["'700'", "''"], &by_user),
        ]) {
            let statement = filled_in(statement, values);
            let plan = self
                .0
                .0
                .read(|connection| plan(connection, &statement))
                .unwrap()
                .join("\n");
            assert!(plan.contains(index.as_str()), "{statement}\n{plan}");
            for scan in scans {
                let scan = scan.replace("TABLE", &self.1);
                assert!(!plan.contains(&scan), "{statement}\n{plan}");
            }
        }
    }
}

impl<C: Backend> Drop for Filled<C> {
    fn drop(&mut self) {
        let drop = format!("DROP TABLE {}", self.1);
        let _ = self
            .0
            .0
            .write(Idempotent::No, |connection| connection.batch_execute(&drop));
    }
}

/// The values stand for the last placeholders; those before are of columns that are set.
fn filled_in(sql: &str, values: [&str; 2]) -> String {
    let values: Vec<_> = values
        .into_iter()
        .filter(|value| !value.is_empty())
        .collect();
    let first = sql.matches('?').count() - values.len();
    let mut pieces = sql.split('?');
    let start = pieces.next().unwrap().to_owned();
    pieces.enumerate().fold(start, |sql, (place, piece)| {
        let value = place.checked_sub(first).map_or("1", |place| values[place]);
        sql + value + piece
    })
}

/// The one column of a plan that is read, whose name differs between databases.
macro_rules! plan {
    ($explain:literal, $column:literal) => {
        |connection, statement| {
            #[derive(QueryableByName)]
            struct Plan {
                #[diesel(sql_type = Text, column_name = $column)]
                line: String,
            }
            let plan = sql_query(format!("{} {statement}", $explain)).load::<Plan>(connection)?;
            Ok(plan.into_iter().map(|plan| plan.line).collect())
        }
    };
}

#[cfg(feature = "sqlite")]
#[test]
fn sqlite_uses_the_indexes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db").display().to_string();
    let table = Filled::<diesel::SqliteConnection>::new(&path, "ANALYZE sessions");
    table.uses(
        "sqlite_autoindex_TABLE_1",
        &["SCAN TABLE"],
        plan!("EXPLAIN QUERY PLAN", "detail"),
    );
}

#[cfg(feature = "mysql")]
#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn mariadb_uses_the_indexes() {
    let url = testing::provided("mariadb", "TEST_MYSQL_URL");
    let table = Filled::<diesel::MysqlConnection>::new(&url, "ANALYZE TABLE sessions");
    let scan = ["\"access_type\": \"ALL\"", "\"access_type\": \"index\""];
    table.uses("PRIMARY", &scan, plan!("EXPLAIN FORMAT=JSON", "EXPLAIN"));
}

#[cfg(feature = "postgres")]
#[test]
#[ignore = "needs PostgreSQL: run ./test.sh"]
fn postgresql_uses_the_indexes() {
    let url = testing::provided("postgresql", "TEST_POSTGRES_URL");
    let table = Filled::<diesel::PgConnection>::new(&url, "ANALYZE sessions");
    table.uses("TABLE_pkey", &["Seq Scan"], plan!("EXPLAIN", "QUERY PLAN"));
}
