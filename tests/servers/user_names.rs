//! Names of the users' table that are not there: the launch stops in one line.

use testing::database::TestDatabase;
use testing::on_every_backend;
use testing::server::{example, refusal_of};

/// Each with the name that is not there.
const NAMES: [(&str, &str); 3] = [
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

on_every_backend!(a_name_that_is_not_there_stops_the_launch_in_one_line);

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
