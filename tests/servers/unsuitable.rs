//! The launch refuses servers with unsuitable settings, and names the setting.

use rocket_diesel_session::ErrorKind;
use rocket_diesel_session::store::{Inserted, contract};
use testing::database::{TestDatabase, mariadb, unsuitable_mariadb};
use testing::server::refusal;

#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn a_server_that_logs_statements_is_refused_with_the_remedy() {
    let database = unsuitable_mariadb();
    let line = refusal(&format!("url={:?}", database.url), "");
    for words in ["binlog_format is STATEMENT", "set it to ROW"] {
        assert!(line.contains(words), "{line}");
    }
}

#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn sessions_that_are_larger_than_the_server_takes_are_refused_with_the_remedy() {
    let database = unsuitable_mariadb();
    let line = refusal(&format!("url={:?}", database.url), "max_data=\"1MiB\"");
    for words in [
        "session.max_data is 1MiB",
        "max_allowed_packet is 1MiB",
        "lower the first or raise",
    ] {
        assert!(line.contains(words), "{line}");
    }
}

#[cfg(feature = "redis")]
#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn sessions_that_are_larger_than_redis_takes_are_refused_with_the_remedy() {
    let redis = testing::redis::Redis::start(&["--proto-max-bulk-len", "1mb"]);
    let line = refusal(&format!("url={:?}", redis.url()), "max_data=\"1MiB\"");
    for words in [
        "session.max_data is 1MiB",
        "proto-max-bulk-len is 1MiB",
        "lower the first or raise",
    ] {
        assert!(line.contains(words), "{line}");
    }
}

/// Whether a session that is larger than the database takes is known as such.
fn is_too_large(database: &TestDatabase, length: usize) {
    let data = format!("{{\"text\":\"{}\"}}", "x".repeat(length));
    let small = contract::record();
    let large = testing::changed!(contract::record(), data);
    assert_eq!(database.store.insert(&small).unwrap(), Inserted::Done);
    let refused = database.store.insert(&large).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::TooLarge, "{refused}");
    let refused = database.store.update(&small.key, small.version, &large);
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::TooLarge, "{refused}");
}

#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn a_session_that_the_database_does_not_take_is_too_large() {
    let database = mariadb();
    database.run("ALTER TABLE sessions MODIFY data TEXT NOT NULL");
    is_too_large(&database, 70_000);
}

#[cfg(feature = "postgres")]
#[test]
#[ignore = "needs PostgreSQL: run ./test.sh"]
fn a_session_that_postgresql_does_not_take_is_too_large() {
    let database = testing::database::postgresql();
    database.run("ALTER TABLE sessions ALTER COLUMN data TYPE varchar(1000)");
    is_too_large(&database, 2_000);
}
