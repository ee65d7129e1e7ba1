//! `session.table` names a table of another library.

use testing::database::TestDatabase;
use testing::on_every_backend;
use testing::server::refusal;

/// The columns of other libraries' tables.
const FOREIGN: [(&str, &str); 4] = [
    (
        "express-mysql-session",
        "session_id VARCHAR(128) PRIMARY KEY, expires BIGINT NOT NULL, data TEXT",
    ),
    (
        "connect-session-knex",
        "sid VARCHAR(255) PRIMARY KEY, sess TEXT NOT NULL, expired TIMESTAMP NULL",
    ),
    (
        "connect-session-sequelize",
        "sid VARCHAR(36) PRIMARY KEY, expires TIMESTAMP NULL, data TEXT",
    ),
    (
        "connect-pg-simple",
        "sid VARCHAR(255) PRIMARY KEY, sess TEXT NOT NULL, expire TIMESTAMP NULL",
    ),
];

fn line_of(database: &TestDatabase, session: &str) -> String {
    refusal(&format!("url={:?}", database.url), session)
}

fn a_table_of_an_express_store_hints_at_the_format(database: &TestDatabase) {
    for (number, (library, columns)) in FOREIGN.into_iter().enumerate() {
        let table = format!("visits_{number}");
        database.run(&format!("CREATE TABLE {table} ({columns})"));
        let lines = ["", ",create_table=true"]
            .map(|create| line_of(database, &format!("table={table:?}{create}")));
        for line in lines {
            for words in [library, "session.format = \"express\"", "user_id", &table] {
                assert!(line.contains(words), "{words}: {line}");
            }
            assert!(!line.contains("migrations"), "{line}");
        }
    }
}

fn a_table_of_that_name_under_the_default_name_hints_at_the_format(database: &TestDatabase) {
    let (library, columns) = FOREIGN[0];
    database.run("DROP TABLE sessions");
    database.run(&format!("CREATE TABLE sessions ({columns})"));
    let line = line_of(database, "");
    for words in [library, "session.format = \"express\""] {
        assert!(line.contains(words), "{words}: {line}");
    }
}

fn any_other_table_names_the_columns_that_it_lacks(database: &TestDatabase) {
    database.run("CREATE TABLE orders (id VARCHAR(64) PRIMARY KEY, data TEXT, version BIGINT)");
    let line = line_of(database, "table=\"orders\"");
    for words in [
        "\"orders\" lacks the columns user_id, created_at, seen_at,",
        "session.columns",
    ] {
        assert!(line.contains(words), "{words}: {line}");
    }
    assert!(!line.contains("express"), "{line}");
    database.run("ALTER TABLE sessions RENAME COLUMN ip TO address");
    let line = line_of(database, "");
    assert!(
        line.contains("\"sessions\" lacks the columns ip;"),
        "{line}"
    );
    let line = line_of(database, "columns={ip=\"addres\"}");
    assert!(
        line.contains("\"sessions\" lacks the columns addres;"),
        "{line}"
    );
}

fn a_table_that_is_not_there_is_called_missing(database: &TestDatabase) {
    let line = line_of(database, "table=\"nowhere\"");
    assert!(line.contains("session.create_table = true"), "{line}");
    assert!(!line.contains("lacks"), "{line}");
}

#[cfg(feature = "mysql")]
#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn a_table_of_another_kind_in_the_format_express_names_the_columns_that_it_lacks() {
    let database = testing::database::mariadb();
    let line = line_of(&database, "format=\"express\",secrets=[\"x\"]");
    for words in [
        "\"sessions\" lacks the columns session_id, expires;",
        "session.format",
    ] {
        assert!(line.contains(words), "{words}: {line}");
    }
}

#[cfg(feature = "mysql")]
#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn a_column_for_the_user_that_a_table_of_express_lacks_is_named() {
    let database = testing::database::mariadb();
    let (_, columns) = FOREIGN[0];
    database.run(&format!("CREATE TABLE visits ({columns})"));
    for name in ["user_id", "who"] {
        let session = format!(
            "format=\"express\",secrets=[\"x\"],table=\"visits\",columns={{user_id={name:?}}}"
        );
        let line = line_of(&database, &session);
        for words in [
            &*format!("\"visits\" lacks the columns {name}:"),
            "leave user_id out of session.columns",
        ] {
            assert!(line.contains(words), "{words}: {line}");
        }
    }
}

on_every_backend!(
    a_table_of_an_express_store_hints_at_the_format,
    a_table_of_that_name_under_the_default_name_hints_at_the_format,
    any_other_table_names_the_columns_that_it_lacks,
    a_table_that_is_not_there_is_called_missing,
);
