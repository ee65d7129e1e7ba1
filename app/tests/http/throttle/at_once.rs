//! Sends attempts at once, and attempts whose store fails.

use std::thread;

use rocket::serde::json::{Value, from_str};

use super::{WRONG, attempts, start};
use testing::accounts::{EMAIL, PASSWORD, register, sign_in, until_not_busy};
use testing::application::Application;
use testing::database::{self, TestDatabase};
use testing::{on_every_backend, sql};

on_every_backend!(
    concurrent_right_passwords_are_no_failures,
    one_of_concurrent_right_passwords_reports_the_failures_before,
);

const AT_ONCE: usize = 10;

/// Signs in this often at once, and returns the events.
fn sign_in_at_once(application: &Application) -> Vec<Value> {
    let before = application.output().len();
    let visitors: Vec<_> = (0..AT_ONCE).map(|_| application.visitor()).collect();
    thread::scope(|scope| {
        for visitor in &visitors {
            visitor.csrf_token();
            scope.spawn(|| {
                let signed_in = until_not_busy(|| sign_in(visitor, EMAIL, PASSWORD));
                assert_eq!(signed_in.location(), "/home");
            });
        }
    });
    let output = application.output()[before..].to_owned();
    let events = output.lines().filter_map(|line| from_str(line).ok());
    events.collect()
}

fn count(events: &[Value], name: &str) -> usize {
    let is_one = |event: &&Value| event["event"] == name;
    events.iter().filter(is_one).count()
}

fn concurrent_right_passwords_are_no_failures(database: &TestDatabase) {
    // Fewer than are in progress at once.
    for limit in [10, 3] {
        let settings = format!("{{attempts_per_account={limit},attempts_per_address=5}}");
        let application = start(database, &settings);
        sql::execute(database, "DELETE FROM attempts");
        until_not_busy(|| register(&application.visitor(), EMAIL, &[]));
        sql::execute(database, "DELETE FROM attempts");
        let events = sign_in_at_once(&application);
        assert_eq!(count(&events, "authn_login_success"), AT_ONCE);
        assert_eq!(count(&events, "authn_login_successafterfail"), 0);
        assert_eq!(attempts(database, "failures"), [0]);
        assert_eq!(attempts(database, "under_way"), [0]);
    }
}

fn one_of_concurrent_right_passwords_reports_the_failures_before(database: &TestDatabase) {
    let application = start(database, "{attempts_per_address=10000}");
    register(&application.visitor(), EMAIL, &[]);
    sql::execute(database, "DELETE FROM attempts");
    let visitor = application.visitor();
    for _ in 0..3 {
        assert_eq!(sign_in(&visitor, EMAIL, WRONG).status, 401);
    }
    let events = sign_in_at_once(&application);
    assert_eq!(count(&events, "authn_login_success"), AT_ONCE - 1);
    let after = |event: &&Value| event["event"] == "authn_login_successafterfail";
    let retries: Vec<_> = events
        .iter()
        .filter(after)
        .map(|it| &it["retries"])
        .collect();
    assert_eq!(retries, [3]);
}

#[test]
fn an_attempt_that_was_not_compared_does_not_count() {
    let database = database::sqlite();
    let application = start(&database, "{attempts_per_account=3}");
    register(&application.visitor(), EMAIL, &[]);
    sql::execute(&database, "DELETE FROM attempts");
    let visitor = application.visitor();
    visitor.csrf_token();
    // The password cannot be read; the second counter cannot be written.
    let failures = [
        (
            "ALTER TABLE users RENAME TO away",
            "ALTER TABLE away RENAME TO users",
        ),
        (
            "CREATE TRIGGER refused BEFORE INSERT ON attempts \
             WHEN (SELECT COUNT(*) FROM attempts) = 1 BEGIN SELECT RAISE(ABORT, 'refused'); END",
            "DROP TRIGGER refused",
        ),
    ];
    for (begin, end) in failures {
        sql::execute(&database, begin);
        for _ in 0..5 {
            assert_eq!(sign_in(&visitor, EMAIL, PASSWORD).status, 503);
        }
        sql::execute(&database, end);
        let counted = attempts(&database, "failures + under_way");
        assert_eq!(counted.iter().sum::<i64>(), 0, "{begin}");
    }
    for _ in 0..3 {
        assert_eq!(sign_in(&visitor, EMAIL, WRONG).status, 401);
    }
}
