//! Kills the process during a change of the password.

use std::thread;
use std::time::Duration;

use super::password::NEW_PASSWORD;
use testing::accounts::{EMAIL, PASSWORD, is_signed_in, register, sign_in};
use testing::application::Application;
use testing::database::TestDatabase;
use testing::server::wait_until;
use testing::visitor::Visitor;
use testing::{on_every_backend, sql};

on_every_backend!(
    killed_between_its_two_writes_a_password_change_did_not_happen,
    killed_after_its_commit_a_password_change_did_happen,
);

const CHANGE: [(&str, &str); 2] = [("current", PASSWORD), ("new", NEW_PASSWORD)];

const TIMEOUT: Duration = Duration::from_secs(20);

/// Signs Ada in with two browsers.
fn two_browsers(application: &Application) -> [Visitor; 2] {
    let [browser, other] = [(); 2].map(|()| application.visitor());
    register(&browser, EMAIL, &[]);
    sign_in(&other, EMAIL, PASSWORD);
    [browser, other]
}

/// Blocks connections that delete a session, within their transaction. On SQLite it adds so
/// much work that the process ends first. Dropping the returned value lets them go on.
fn stop_deletions(database: &TestDatabase) -> Box<dyn FnMut(&str)> {
    let mut beside = sql::connection(database);
    let stop = match sql::backend(database) {
        "mysql" => {
            beside("DO GET_LOCK('gate', 60)");
            "DO GET_LOCK('gate', 60)"
        }
        "postgres" => {
            beside("SELECT pg_advisory_lock(1)");
            "PERFORM pg_advisory_xact_lock(1)"
        }
        _ => {
            beside(
                "CREATE VIEW work AS WITH RECURSIVE numbers(n) AS \
                 (SELECT 1 UNION ALL SELECT n + 1 FROM numbers) SELECT max(n) FROM numbers",
            );
            "SELECT * FROM work"
        }
    };
    sql::at_each(database, "BEFORE DELETE", stop);
    beside
}

/// Returns whether a transaction is blocked.
fn is_stopped(database: &TestDatabase) -> bool {
    match sql::backend(database) {
        "mysql" => {
            let processes = "information_schema.processlist";
            let waiting = format!("{processes} WHERE db = DATABASE() AND state = 'User lock'");
            sql::count(database, &waiting) > 0
        }
        "postgres" => {
            let here = "datname = current_database() AND wait_event = 'advisory'";
            sql::count(database, &format!("pg_stat_activity WHERE {here}")) > 0
        }
        // Others hold the lock only as long as writing a page takes.
        _ => (0..50).all(|_| {
            thread::sleep(Duration::from_millis(10));
            sql::is_locked(database)
        }),
    }
}

fn killed_between_its_two_writes_a_password_change_did_not_happen(database: &TestDatabase) {
    let mut application = Application::start(database);
    let [browser, other] = two_browsers(&application);
    let mut beside = stop_deletions(database);
    thread::scope(|scope| {
        let answered = scope.spawn(|| browser.try_post("/account/password", &CHANGE));
        wait_until("the change is stopped", TIMEOUT, || is_stopped(database));
        application.kill();
        let answered = answered.join().unwrap();
        assert!(
            answered.is_none_or(|answer| answer.status == 503),
            "it says success"
        );
    });
    match sql::backend(database) {
        "mysql" => beside("DO RELEASE_LOCK('gate')"),
        "postgres" => beside("SELECT pg_advisory_unlock(1)"),
        _ => {}
    }

    application.restart();
    assert!(is_signed_in(&browser) && is_signed_in(&other));
    assert_eq!(
        sign_in(&application.visitor(), EMAIL, NEW_PASSWORD).status,
        401
    );
    assert_eq!(
        sign_in(&application.visitor(), EMAIL, PASSWORD).location(),
        "/home"
    );
}

fn killed_after_its_commit_a_password_change_did_happen(database: &TestDatabase) {
    let mut application = Application::start(database);
    let [browser, other] = two_browsers(&application);
    let hash = || sql::texts(database, "SELECT password_hash AS text FROM users");
    let before = hash();
    thread::scope(|scope| {
        let answered = scope.spawn(|| browser.try_post("/account/password", &CHANGE));
        wait_until("the hash is another one", TIMEOUT, || hash() != before);
        application.kill();
        answered.join().unwrap();
    });

    application.restart();
    assert!(!is_signed_in(&other));
    assert_eq!(sql::count(database, "sessions"), 1);
    assert_eq!(sign_in(&application.visitor(), EMAIL, PASSWORD).status, 401);
    assert_eq!(
        sign_in(&application.visitor(), EMAIL, NEW_PASSWORD).location(),
        "/home"
    );
}
