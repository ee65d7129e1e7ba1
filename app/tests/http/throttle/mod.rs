//! Checks how often passwords may be tried, and how clients have to wait.

mod accounts;
mod addresses;
mod at_once;
mod enumeration;
mod flood;
mod known_device;
mod share;

use rocket::serde::json::json;

use testing::application::Application;
use testing::database::TestDatabase;
use testing::sql;
use testing::visitor::{Answer, Visitor};

const WRONG: &str = "not the right one";

/// Starts the application with these settings of `[default.accounts]`.
fn start(database: &TestDatabase, settings: &str) -> Application {
    Application::start_with(database, &[("ROCKET_ACCOUNTS", settings)])
}

/// Returns the values in a column of the table of attempts, in ascending order.
fn attempts(database: &TestDatabase, column: &str) -> Vec<i64> {
    let select = format!("SELECT CONCAT({column}, '') AS text FROM attempts");
    let texts = sql::texts(database, &select);
    let mut numbers: Vec<i64> = texts.iter().map(|text| text.parse().unwrap()).collect();
    numbers.sort_unstable();
    numbers
}

fn assert_too_often(answer: &Answer, most: i64) {
    assert_eq!(answer.status, 429, "{answer:?}");
    let wait = seconds(answer);
    assert!(
        (most - 20..=most).contains(&wait),
        "{wait} instead of {most}"
    );
    assert_eq!(answer.set_cookie("id"), None);
    let said = match wait {
        1 => "in 1 second.".to_owned(),
        ..120 => format!("in {wait} seconds."),
        more => format!("in {} minutes.", (more + 59) / 60),
    };
    assert!(answer.body.contains(&said), "{said}: {}", answer.body);
}

/// Lets time pass for all waiting clients.
fn pass(database: &TestDatabase, seconds: i64) {
    let earlier = format!(
        "UPDATE attempts SET next_at = next_at - {0}, last_at = last_at - {0}",
        seconds * 1_000
    );
    sql::execute(database, &earlier);
}

fn seconds(answer: &Answer) -> i64 {
    let seconds = answer.header("Retry-After");
    seconds
        .unwrap_or_else(|| panic!("{answer:?}"))
        .parse()
        .unwrap()
}

fn sign_in_by_program(program: &Visitor, email: &str, password: &str) -> Answer {
    let credentials = json!({ "email": email, "password": password });
    program.post_json("/api/v1/signin", &credentials.to_string())
}
