//! Ids from `log_in`, compared with keys of users' tables of each type.

use std::sync::Arc;

use rocket::serde::json::{Value as Json, from_str, json};
use rocket_diesel_session::ErrorKind;
use rocket_diesel_session::store::{DieselStore, Store, contract};

use testing::database::{TestDatabase, with_connection};
use testing::on_every_backend;

fn only_the_exact_text_of_an_id_finds_a_user(database: &TestDatabase) {
    for (table, kind, ids) in [
        ("of_numbers", "INT", ["0", "7"]),
        ("of_large_numbers", "BIGINT", ["0", "7"]),
        ("of_texts", "VARCHAR(64)", ["Ada", "E-7"]),
    ] {
        database.run(&format!(
            "CREATE TABLE {table} (id {kind} PRIMARY KEY, name VARCHAR(9))"
        ));
        for id in ids {
            database.run(&format!("INSERT INTO {table} VALUES ('{id}', 'n{id}')"));
        }
        let store = with_users(database, table);
        let user = |id: &str| user_of_a_session(&*store, id);
        for id in ids {
            assert_eq!(
                user(id),
                Some(json!({ "name": format!("n{id}") })),
                "{table}"
            );
        }
        for nobody in [
            "guest",
            "7abc",
            "7 ",
            " 7",
            "07",
            "+7",
            "7.0",
            "7e0",
            "0x7",
            "-0",
            "00",
            "99999999999",
            "99999999999999999999",
            "ada",
            "ADA",
            "Ada ",
            " Ada",
            "e",
            "E\u{301}",
            "true",
        ] {
            assert_eq!(user(nobody), None, "{table}: {nobody:?}");
        }
        assert!(store.all(0, None, 100).unwrap().len() >= 22);
    }
}

/// Types of a users' key, and ids that they hold.
const KEYS: [(&str, &str, &[&str]); 19] = [
    ("", "SMALLINT", &["7", "-7"]),
    ("", "INTEGER", &["7", "-7"]),
    ("", "BIGINT", &["7", "9007199254740993"]),
    ("", "VARCHAR(64)", &["Ada", "\u{e9}"]),
    ("", "TEXT", &["Ada", "\u{e9}"]),
    ("mysql", "INT UNSIGNED", &["7", "4294967295"]),
    (
        "mysql",
        "VARCHAR(64) CHARACTER SET latin1",
        &["Ada", "\u{e9}"],
    ),
    (
        "mysql",
        "VARCHAR(64) COLLATE utf8mb4_unicode_ci",
        &["Ada", "\u{65e5}"],
    ),
    (
        "mysql",
        "VARCHAR(64) COLLATE utf8mb4_bin",
        &["Ada", "\u{65e5}"],
    ),
    (
        "mysql",
        "CHAR(36) CHARACTER SET ascii",
        &["0193ab12-0000-7000-8000-000000000001"],
    ),
    ("mysql", "UUID", &["0193ab12-0000-7000-8000-000000000001"]),
    (
        "postgres",
        "UUID",
        &["0193ab12-0000-7000-8000-000000000001"],
    ),
    ("mysql", "INT ZEROFILL", &["7", "4294967295"]),
    ("mysql", "BIGINT(20) UNSIGNED ZEROFILL", &["7"]),
    ("postgres", "VARCHAR(5)", &["Ada", "guest"]),
    ("postgres", "positive", &["7", "2147483647"]),
    ("postgres", "TEXT COLLATE blind", &["Ada", "\u{e9}"]),
    ("postgres", "CITEXT", &["Ada"]),
    (
        "postgres",
        "CHAR(36)",
        &["0193ab12-0000-7000-8000-000000000001"],
    ),
];

fn a_user_is_found_by_the_text_of_the_id_whatever_type_it_has(database: &TestDatabase) {
    let nobody = [
        "7abc",
        "ada",
        "Ada ",
        "e",
        "nobody",
        "-1",
        "9223372036854775808",
        "0193AB12-0000-7000-8000-000000000001",
    ];
    if database.url.starts_with("postgres") {
        for prepare in [
            "CREATE EXTENSION citext",
            "CREATE DOMAIN positive AS INT CHECK (VALUE > 0)",
            "CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
        ] {
            database.run(prepare);
        }
    }
    let of_here = |scheme: &&str| database.url.starts_with(*scheme);
    for (number, (_, kind, ids)) in KEYS.iter().filter(|(it, ..)| of_here(it)).enumerate() {
        let table = format!("users_{number}");
        // MySQL indexes no TEXT without a length.
        database.run(&format!(
            "CREATE TABLE {table} (id {kind} NOT NULL, name VARCHAR(9))"
        ));
        let store = with_users(database, &table);
        let user = |id: &str| user_of_a_session(&*store, id);
        for id in *ids {
            database.run(&format!("INSERT INTO {table} VALUES ('{id}', 'it')"));
            assert_eq!(user(id), Some(json!({ "name": "it" })), "{kind}: {id:?}");
        }
        for id in nobody {
            assert_eq!(user(id), None, "{kind}: {id:?}");
        }
    }
}

fn a_key_whose_values_are_no_texts_is_refused(database: &TestDatabase) {
    let kinds: &[&str] = match database.url.split(':').next().unwrap() {
        "sqlite" => &["BLOB", "BINARY(16)", "DOUBLE PRECISION"],
        "mysql" => &["BINARY(16)", "VARBINARY(16)", "DOUBLE", "DATE", "BIT(8)"],
        _ => &["BYTEA", "DOUBLE PRECISION", "DATE", "BOOLEAN", "MOOD"],
    };
    if database.url.starts_with("postgres") {
        database.run("CREATE TYPE mood AS ENUM ('7', 'a')");
    }
    for (number, kind) in kinds.iter().enumerate() {
        let table = format!("users_{number}");
        database.run(&format!(
            "CREATE TABLE {table} (id {kind} NOT NULL, name VARCHAR(9))"
        ));
        let error = with_users(database, &table).load(&contract::record().key, 0);
        let error = error.unwrap_err();
        let first = kind.split(['(', ' ']).next().unwrap().to_lowercase();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        let says = error.to_string();
        assert!(
            says.starts_with(&format!("the users' key {table}.id has the type")),
            "{says}"
        );
        assert!(says.to_lowercase().contains(&first), "{says}");
    }
}

/// Returns the row that is read beside a session of this user.
fn user_of_a_session(store: &dyn Store, id: &str) -> Option<Json> {
    let record = testing::changed!(contract::record(), user_id: Some(id.to_owned()));
    store.insert(&record).unwrap();
    let (read, user) = store.load_with_user(&record.key, 0).unwrap().unwrap();
    assert!(store.list(id, 0).unwrap().contains(&read), "{id}");
    user.map(|user| from_str(&user).unwrap())
}

fn with_users(database: &TestDatabase, table: &str) -> Arc<dyn Store> {
    with_connection!(database, C => {
        let store = DieselStore::<C>::connect(database.address(), 1);
        Arc::new(store.with_user(table, "id", &["name"]))
    })
}

on_every_backend!(
    only_the_exact_text_of_an_id_finds_a_user,
    a_user_is_found_by_the_text_of_the_id_whatever_type_it_has,
    a_key_whose_values_are_no_texts_is_refused,
);
