//! Checks the events that the application logs itself.

use rocket::serde::json::{Value, from_str, json};

use testing::accounts::{PASSWORD, age};
use testing::application::Application;
use testing::database::{self, TestDatabase};
use testing::visitor::Visitor;

fn application(database: &TestDatabase) -> Application {
    Application::start_with(database, &[("ROCKET_LOG_LEVEL", "off")])
}

fn sign_up(application: &Application, email: &str) -> Visitor {
    let visitor = application.visitor();
    let account = json!({
        "first_name": "Ada", "last_name": "Lovelace", "email": email, "password": PASSWORD,
    });
    let answer = visitor.post_json("/api/v1/signup", &account.to_string());
    assert_eq!(answer.status, 201, "{answer:?}");
    visitor
}

/// Returns all events with this name.
fn emitted(application: &Application, name: &str) -> Vec<Value> {
    let output = application.output();
    let events = output.lines().map(|line| from_str::<Value>(line).unwrap());
    events.filter(|event| event["event"] == name).collect()
}

#[test]
fn ending_another_users_device_is_logged_as_an_attack() {
    let database = database::sqlite();
    let application = application(&database);
    let (ada, eve) = (
        sign_up(&application, "ada@example.org"),
        sign_up(&application, "eve@example.org"),
    );
    let devices = ada.get("/api/v1/devices").json();
    let key = devices[0]["key"].as_str().unwrap();
    assert_eq!(eve.delete(&format!("/api/v1/devices/{key}")).status, 404);
    assert_eq!(
        eve.post(&format!("/account/devices/{key}/end"), &[]).status,
        404
    );
    let emitted = emitted(&application, "malicious_direct_reference");
    let routes: Vec<_> = emitted.iter().map(|event| &event["route"]).collect();
    assert_eq!(
        routes,
        [
            "DELETE /api/v1/devices/<key>",
            "POST /account/devices/<key>/end"
        ]
    );
    let id = database.lines("SELECT id AS line FROM users WHERE email = 'eve@example.org'");
    assert!(
        emitted.iter().all(|event| event["user"] == *id[0]),
        "{emitted:?}"
    );
    assert!(
        emitted.iter().all(|event| event["level"] == "critical"),
        "{emitted:?}"
    );
    assert_eq!(ada.get("/home").status, 200);
}

#[test]
fn a_refused_user_is_logged_once_per_request() {
    let database = database::sqlite();
    let application = application(&database);
    let ada = sign_up(&application, "ada@example.org");
    application.visitor().get("/account/password");
    assert!(
        emitted(&application, "authz_fail").is_empty(),
        "an anonymous user is nobody"
    );
    age(&database, 11);
    assert_eq!(ada.get("/account/password").status, 303);
    assert_eq!(ada.get("/home").status, 200);
    database.run("UPDATE users SET disabled_at = 1");
    assert_eq!(ada.get("/home").status, 303);
    assert_eq!(ada.get("/nowhere").status, 404, "the session has ended");
    let emitted = emitted(&application, "authz_fail");
    let why: Vec<_> = emitted
        .iter()
        .map(|event| (&event["why"], &event["route"]))
        .collect();
    let closed = &json!("the account is closed");
    assert_eq!(
        why,
        [
            (&json!("no fresh proof"), &json!("GET /account/password")),
            (closed, &json!("GET /home")),
        ]
    );
}

#[test]
fn events_are_logged_by_default_and_show_no_query() {
    let database = database::sqlite();
    let application = Application::start(&database);
    let mut visitor = application.visitor_with("id=nonsense");
    visitor.get("/login?next=/home%3Ftoken%3Dquery-secret&token=query-secret");
    visitor = application.visitor_with(&format!("id={}", "A".repeat(43)));
    visitor.get("/nowhere?token=query-secret");
    let output = application.output();
    let emitted: Vec<Value> = output
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| from_str(line).unwrap())
        .collect();
    let names: Vec<_> = emitted.iter().map(|event| &event["event"]).collect();
    assert_eq!(
        names,
        [
            "sys_startup",
            "session_malformed",
            "session_use_after_expire"
        ]
    );
    assert_eq!(emitted[1]["route"], "GET /login");
    assert_eq!(emitted[2].get("route"), None);
    assert!(
        !json!(emitted).to_string().contains("query-secret"),
        "{emitted:?}"
    );
}
