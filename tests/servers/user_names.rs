//! Names of the users' table: used as the database has them, or refused in one line.

use std::sync::Arc;

use rocket::serde::json::{Value as Json, from_str, json};
use rocket_diesel_session::store::{DieselStore, Store, contract};

use testing::database::{TestDatabase, with_connection};
use testing::on_every_backend;
use testing::server::{example, refusal_of};

/// Each with the name that is not there.
const NAMES: [(&str, &str); 5] = [
    ("people,id,\"nick\"", "nick"),
    ("nowhere.people,id,name", "nowhere"),
    ("people,id,nickname", "nickname"),
    ("people,number,name", "number"),
    ("persons,id,name", "persons"),
];

fn is_refused(databases: &str, session: &str, entry: &str) {
    for (users, missing) in NAMES {
        let line = refusal_of(example("busy").env("USERS", users), databases, session);
        let start = format!("databases.{entry}: Sessions::with_user cannot be used");
        for words in [&*start, missing, "as they are called there"] {
            assert!(line.contains(words), "{words}: {line}");
        }
        assert!(!line.contains("check that it runs"), "{line}");
    }
}

fn a_name_that_is_not_there_stops_the_launch_in_one_line(database: &TestDatabase) {
    database.run("CREATE TABLE people (id VARCHAR(9) PRIMARY KEY, name VARCHAR(9))");
    let url = &database.url;
    is_refused(&format!("app={{url={url:?}}}"), "", "app");
}

/// Columns with the names of object mappers, and with bad ones.
const COLUMNS: [&str; 5] = ["firstName", "order", "last name", "größe", "a.b"];

/// The quote around a name in this database's SQL.
fn quote(database: &TestDatabase) -> char {
    match database.url.starts_with("mysql") {
        true => '`',
        false => '"',
    }
}

fn quoted(database: &TestDatabase, name: &str) -> String {
    let quote = quote(database);
    format!("{quote}{name}{quote}")
}

/// The table `User` with a row for the user 7.
fn make_users(database: &TestDatabase, schema: &str) {
    let [user, id] = ["User", "Id"].map(|name| quoted(database, name));
    let columns = COLUMNS.map(|name| format!("{} VARCHAR(9)", quoted(database, name)));
    let columns = columns.join(", ");
    database.run(&format!(
        "CREATE TABLE {schema}{user} ({id} INTEGER PRIMARY KEY, {columns})"
    ));
    database.run(&format!(
        "INSERT INTO {schema}{user} VALUES (7, 'a', 'b', 'c', 'd', 'e')"
    ));
}

fn user_of_7(database: &TestDatabase, table: &str, key: &str, columns: &[&str]) -> Option<Json> {
    let store: Arc<dyn Store> = with_connection!(database, C => {
        let store = DieselStore::<C>::connect(database.address(), 1);
        Arc::new(store.with_user(table, key, columns))
    });
    let record = testing::changed!(contract::record(), user_id: Some("7".to_owned()));
    store.insert(&record).unwrap();
    let (_, user) = store.load_with_user(&record.key, 0).unwrap().unwrap();
    user.map(|user| from_str(&user).unwrap())
}

fn names_are_those_of_the_database_with_quotes_and_without(database: &TestDatabase) {
    make_users(database, "");
    let expected = Some(json!({
        "firstName": "a", "order": "b", "last name": "c", "größe": "d", "a.b": "e",
    }));
    assert_eq!(user_of_7(database, "User", "Id", &COLUMNS), expected);
    for quote in ['"', '`'] {
        let quoted = |name| format!("{quote}{name}{quote}");
        let columns = COLUMNS.map(quoted);
        let columns = columns.each_ref().map(String::as_str);
        let user = user_of_7(database, &quoted("User"), &quoted("Id"), &columns);
        assert_eq!(user, expected, "{quote}");
    }
}

fn a_table_may_be_in_a_schema(database: &TestDatabase) {
    let schema = match database.url.split(':').next().unwrap() {
        "sqlite" => "main",
        "mysql" => database.url.rsplit('/').next().unwrap(),
        _ => {
            database.run("CREATE SCHEMA \"Shop\"");
            "Shop"
        }
    };
    make_users(database, &format!("{}.", quoted(database, schema)));
    let expected = Some(json!({ "firstName": "a" }));
    for table in [
        format!("{schema}.User"),
        format!("\"{schema}\".\"User\""),
        format!("{schema}.`User`"),
    ] {
        let user = user_of_7(database, &table, "Id", &["firstName"]);
        assert_eq!(user, expected, "{table}");
    }
}

fn a_name_that_cannot_be_meant_stops_the_launch_in_one_line(database: &TestDatabase) {
    make_users(database, "");
    let url = &database.url;
    for users in [
        "User,Id,first\"Name",
        "User,Id,\"firstName",
        "User,I`d,firstName",
        "User,Id,first'Name",
        "User,Id,first?Name",
        "User,Id,",
        "User,,firstName",
        ",Id,firstName",
        "a.b.User,Id,firstName",
        ".User,Id,firstName",
    ] {
        let databases = format!("app={{url={url:?}}}");
        let line = refusal_of(example("busy").env("USERS", users), &databases, "");
        for words in ["databases.app: Sessions::with_user", "without quotes"] {
            assert!(line.contains(words), "{users}: {line}");
        }
    }
}

on_every_backend!(
    a_name_that_is_not_there_stops_the_launch_in_one_line,
    names_are_those_of_the_database_with_quotes_and_without,
    a_table_may_be_in_a_schema,
    a_name_that_cannot_be_meant_stops_the_launch_in_one_line,
);

#[cfg(feature = "redis")]
#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn a_name_that_is_not_there_stops_the_launch_in_one_line_beside_redis() {
    let (redis, users) = (testing::database::redis(), testing::database::sqlite());
    users.run("CREATE TABLE people (id VARCHAR(9) PRIMARY KEY, name VARCHAR(9))");
    let [redis, users] = [&redis, &users].map(|database| &database.url);
    is_refused(
        &format!("app={{url={redis:?}}},accounts={{url={users:?}}}"),
        "users=\"accounts\"",
        "accounts",
    );
}
