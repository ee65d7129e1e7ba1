//! The guide's join of sessions with users.

use rocket_diesel_session::store::contract;

use testing::database::TestDatabase;
use testing::on_every_backend;

fn only_the_exact_id_joins(database: &TestDatabase) {
    let text = match database.url.starts_with("mysql") {
        true => "CHAR",
        false => "TEXT",
    };
    for (table, kind) in [("of_numbers", "BIGINT"), ("of_texts", "VARCHAR(64)")] {
        database.run(&format!(
            "CREATE TABLE {table} (id {kind} PRIMARY KEY, name VARCHAR(9))"
        ));
        database.run(&format!(
            "INSERT INTO {table} VALUES ('0', 'zero'), ('7000000000', 'ada')"
        ));
    }
    for id in ["7000000000", "07000000000", "7000000000 ", "guest", ""] {
        let user_id = (!id.is_empty()).then(|| id.to_owned());
        let record = testing::changed!(contract::record(), user_id);
        database.store.insert(&record).unwrap();
    }
    for table in ["of_numbers", "of_texts"] {
        let found = database.lines(&format!(
            "SELECT {table}.name AS line FROM {table} \
             INNER JOIN sessions ON sessions.user_id = CAST({table}.id AS {text})"
        ));
        assert_eq!(found, ["ada"], "{table}");
    }
}

on_every_backend!(only_the_exact_id_joins);
