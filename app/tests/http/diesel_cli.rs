//! Runs the migrations with the Diesel CLI on each backend.

use std::fs;
use std::process::Command;

use rocket_diesel_session::store::contract;

use testing::application::make_empty;
use testing::database::{self, TestDatabase};

/// Returns the output of the command.
fn diesel(database: &TestDatabase, arguments: &[&str]) -> String {
    let program = testing::provided("diesel_cli", "TEST_DIESEL_CLI");
    let output = Command::new(program)
        .current_dir(testing::root())
        .env("DATABASE_URL", database.url.trim_start_matches("sqlite:"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn migrations_run_are_done_again_and_taken_back(database: &TestDatabase) {
    let migrations = fs::read_dir(testing::root().join("migrations"))
        .unwrap()
        .count();
    let pending = || {
        let list = diesel(database, &["migration", "list"]);
        list.matches("[ ]").count()
    };
    make_empty(database);
    assert_eq!(pending(), migrations);
    diesel(database, &["migration", "run"]);
    assert_eq!(pending(), 0);
    contract::check(&*database.store);
    diesel(database, &["migration", "redo", "--all"]);
    assert_eq!(pending(), 0);
    contract::check(&*database.store);
    diesel(database, &["migration", "revert", "--all"]);
    assert_eq!(pending(), migrations);
    diesel(database, &["migration", "run"]);
    contract::check(&*database.store);
}

#[test]
#[ignore = "needs the Diesel CLI: run ./test.sh"]
fn migrations_on_sqlite() {
    migrations_run_are_done_again_and_taken_back(&database::sqlite());
}

#[test]
#[ignore = "needs the Diesel CLI and MariaDB: run ./test.sh"]
fn migrations_on_mariadb() {
    migrations_run_are_done_again_and_taken_back(&database::mariadb());
}

#[test]
#[ignore = "needs the Diesel CLI and PostgreSQL: run ./test.sh"]
fn migrations_on_postgresql() {
    migrations_run_are_done_again_and_taken_back(&database::postgresql());
}

#[test]
#[ignore = "needs the Diesel CLI: run ./test.sh"]
fn the_schema_is_what_the_cli_prints() {
    let printed = diesel(&database::sqlite(), &["print-schema"]);
    assert_eq!(
        printed,
        fs::read_to_string(testing::root().join("app/src/db/schema.rs")).unwrap()
    );
}
