//! Migrations that stopped half-way run again; MariaDB keeps a part of a failed one.

use std::fs;

use diesel::connection::SimpleConnection;
use diesel::{Connection, MysqlConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use rocket_diesel_session::store::contract;
use testing::database::{empty_mariadb, mariadb};

use crate::table::description;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// The statements of each migration, in their order.
fn statements() -> Vec<Vec<String>> {
    let folders = fs::read_dir(testing::root().join("migrations")).unwrap();
    let mut folders: Vec<_> = folders.map(|folder| folder.unwrap().path()).collect();
    folders.sort();
    let read = |folder| fs::read_to_string(std::path::Path::join(folder, "up.sql")).unwrap();
    let split = |text: String| text.split_inclusive(";\n").map(str::to_owned).collect();
    folders.iter().map(|folder| split(read(folder))).collect()
}

#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn a_migration_that_stopped_half_way_runs_again() {
    let statements = statements();
    for (number, migration) in statements.iter().enumerate() {
        for half in 1..=migration.len() {
            let database = empty_mariadb();
            let mut connection = MysqlConnection::establish(&database.url).unwrap();
            for _ in 0..number {
                connection.run_next_migration(MIGRATIONS).unwrap();
            }
            for statement in &migration[..half] {
                connection.batch_execute(statement).unwrap();
            }
            let run = connection.run_pending_migrations(MIGRATIONS);
            let done = run.map(|done| done.len());
            assert_eq!(
                done.unwrap(),
                statements.len() - number,
                "{migration:?}, {half}"
            );
            contract::check(&*database.store);
        }
    }
}

#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn a_table_of_another_application_is_left_alone() {
    for (table, columns) in [
        ("users", "id INT, email VARCHAR(99)"),
        (
            "sessions",
            "session_id VARCHAR(128), expires INT, data TEXT",
        ),
        ("sessions", "id VARCHAR(255), user_id INT, payload TEXT"),
    ] {
        let database = empty_mariadb();
        database.run(&format!("CREATE TABLE {table} ({columns})"));
        let mut connection = MysqlConnection::establish(&database.url).unwrap();
        assert!(
            connection.run_pending_migrations(MIGRATIONS).is_err(),
            "{table}"
        );
        let indexes = database.lines(&format!(
            "SELECT index_name AS line FROM information_schema.statistics \
             WHERE table_schema = DATABASE() AND table_name = '{table}'"
        ));
        assert!(indexes.is_empty(), "{table}: {indexes:?}");
    }
}

/// MySQL reads what MariaDB leaves out from version 50700 on.
#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn mysql_reads_the_same_sessions_table_and_reads_it_again() {
    let folder = testing::root().join("src/store/sql/migrations");
    let version = fs::read_dir(&folder).unwrap().next().unwrap().unwrap();
    let text = fs::read_to_string(version.path().join("up.sql")).unwrap();
    assert!(text.matches("/*!50700").count() > 4, "{text}");
    let database = empty_mariadb();
    for _ in 0..2 {
        let mut connection = MysqlConnection::establish(&database.url).unwrap();
        let as_mysql = text.replace("/*!50700", "/*!");
        connection.batch_execute(&as_mysql).unwrap();
        assert_eq!(description(&database), description(&mariadb()));
        contract::check(&*database.store);
    }
}
