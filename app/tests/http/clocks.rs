//! Runs an application whose clock is wrong by hours beside one whose clock is right.

use rocket::serde::json::{Value, from_str};

use crate::command_line::program::{HOUR, anonymous, now, run_with};
use testing::accounts::{EMAIL, cookie, register, sign_in};
use testing::application::Application;
use testing::database::TestDatabase;

/// Returns the variables that shift the clock of a process.
fn clock(offset: &str) -> [(&str, &str); 3] {
    [
        ("LD_PRELOAD", "/usr/$LIB/faketime/libfaketimeMT.so.1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ("FAKETIME", offset),
    ]
}

fn a_wrong_clock_of_a_node_changes_no_age(database: &TestDatabase) {
    let right = Application::start(database);
    let visitor = right.visitor();
    let cookie = cookie(&register(&visitor, EMAIL, &[]));
    for offset in ["+3h", "-3h"] {
        let off = Application::start_with(database, &clock(offset));
        let page = off.visitor_with(&cookie).get("/account/password");
        assert_eq!(page.status, 200, "{offset}: {page:?}");
        let guesser = off.visitor();
        let refused = |visitor| sign_in(visitor, EMAIL, "a wrong password").status == 429;
        while !refused(&guesser) {}
        let wait = sign_in(&right.visitor(), EMAIL, "a wrong password");
        let seconds: u32 = wait.header("Retry-After").unwrap().parse().unwrap();
        assert!((1..=120).contains(&seconds), "{offset}: {seconds}");
    }
}

fn the_check_reports_the_clock_difference(database: &TestDatabase) {
    let lines = |offset: &str| -> Value {
        let check = run_with(
            &database.url,
            &["sessions", "check", "--json"],
            &clock(offset),
        );
        from_str(&check.stdout).unwrap()
    };
    for (offset, status, detail) in [
        ("+0", "ok", " s "),
        (
            "-6m",
            "warning",
            " s behind the database server's; synchronise both with NTP",
        ),
        (
            "+3h",
            "warning",
            " s ahead of the database server's; synchronise both with NTP",
        ),
    ] {
        let check = lines(offset);
        let mut lines = check["checks"].as_array().unwrap().iter();
        let line = lines.find(|line| line["name"] == "clock").unwrap();
        assert_eq!(line["status"], status, "{line}");
        assert!(line["detail"].as_str().unwrap().contains(detail), "{line}");
    }
}

fn a_list_uses_the_clock_of_the_database(database: &TestDatabase) {
    let record = anonymous("f1", now() + HOUR);
    database.store.insert(&record).unwrap();
    for offset in ["+0", "+3h"] {
        let list = run_with(&database.url, &["sessions", "list"], &clock(offset)).stdout;
        assert!(list.contains(" min ") && !list.contains(" h "), "{list}");
    }
}

testing::on_each_server!(
    a_wrong_clock_of_a_node_changes_no_age,
    the_check_reports_the_clock_difference,
    a_list_uses_the_clock_of_the_database,
);
