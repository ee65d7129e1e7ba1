//! Advisories about shared databases: each test has the name of the advisory that it would have caught.

use std::process::Stdio;

use testing::database::TestDatabase;
use testing::on_every_backend;
use testing::server::{Browser, Server};

on_every_backend!(cve_2022_46170_a_session_of_one_application_is_none_of_another);

/// They shared a store, and a session of one was good in the other.
fn cve_2022_46170_a_session_of_one_application_is_none_of_another(database: &TestDatabase) {
    let one = Server::busy(database);
    let settings = ",table=\"others\",create_table=true";
    let other = Server::busy_with(database, settings, "critical", Stdio::inherit());
    let mut browser = Browser::default();
    assert_eq!(browser.post(&format!("{}/log_in/ada", one.base)).0, 200);
    assert_eq!(browser.get(&format!("{}/user", one.base)).1, "ada");
    assert_eq!(browser.clone().get(&format!("{}/user", other.base)).1, "");
    assert_eq!(browser.post(&format!("{}/log_in/grace", other.base)).0, 200);
    assert_eq!(browser.get(&format!("{}/user", other.base)).1, "grace");
    assert_eq!(browser.get(&format!("{}/user", one.base)).1, "");
}

/// A value that an application kept in the same place as its sessions opened a session.
#[cfg(feature = "redis")]
mod namespaces {
    use rocket_diesel_session::store::{Inserted, contract};

    use testing::database::TestDatabase;
    use testing::on_redis;
    use testing::redis::ask;

    on_redis!(cve_2011_4136_other_keys_in_redis_are_no_sessions);

    fn cve_2011_4136_other_keys_in_redis_are_no_sessions(database: &TestDatabase) {
        let record = contract::record();
        let key = record.key.as_str();
        ask(&database.url, &["HSET", key, "data", "{}", "version", "0"]);
        assert_eq!(database.store.load(&record.key, 0).unwrap(), None);
        assert_eq!(database.store.insert(&record).unwrap(), Inserted::Done);
        assert!(database.store.delete(&record.key).unwrap());
        assert_eq!(ask(&database.url, &["HGET", key, "data"]), "{}");
        ask(&database.url, &["DEL", key]);
    }
}
