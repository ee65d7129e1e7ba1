//! Uses the application as a program, and changes a user's data.

mod guide;
mod origins;
mod problems;
mod schema;

use rocket::serde::json::{Value, json};

use testing::application::Application;
use testing::database::TestDatabase;
use testing::on_every_backend;
use testing::visitor::{Answer, Visitor};

on_every_backend!(
    programs_register_sign_in_and_sign_out,
    a_location_changes_only_in_the_users_row,
);

fn registration(email: &str) -> Value {
    json!({
        "first_name": "Zoë",
        "last_name": "\"O\\'Neill\"",
        "email": email,
        "password": "correct horse battery",
        "is_admin": true,
    })
}

fn sign_up(visitor: &Visitor, email: &str) -> Answer {
    visitor.post_json("/api/v1/signup", &registration(email).to_string())
}

fn programs_register_sign_in_and_sign_out(database: &TestDatabase) {
    let application = Application::start(database);
    let program = application.visitor();
    let profile = json!({
        "email": "zoe@example.org",
        "first_name": "Zoë",
        "last_name": "\"O\\'Neill\"",
    });

    let answer = sign_up(&program, " Zoe@Example.org ");
    assert_eq!((answer.status, answer.json()), (201, profile.clone()));
    let answer = program.get("/api/v1/me");
    assert_eq!((answer.status, answer.json()), (200, profile.clone()));
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));

    assert_eq!(program.post_json("/api/v1/signout", "").status, 204);
    assert_eq!(program.get("/api/v1/me").status, 401);

    let credentials = json!({ "email": "zoe@example.org", "password": "correct horse battery" });
    let answer = program.post_json("/api/v1/signin", &credentials.to_string());
    assert_eq!((answer.status, answer.json()), (200, profile));
    assert_eq!(
        program.get("/home").status,
        200,
        "pages and programs share the session"
    );
}

#[test]
fn each_error_is_a_problem() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let program = application.visitor();
    assert_eq!(sign_up(&program, "ada@example.org").status, 201);
    program.post_json("/api/v1/signout", "");

    let without = |field: &str| {
        let mut body = registration("grace@example.org");
        body.as_object_mut().unwrap().remove(field);
        body
    };
    let with = |field: &str, value: &str| {
        let mut body = registration("grace@example.org");
        body[field] = value.into();
        body
    };
    for (body, field, words) in [
        (without("first_name"), "first_name", "fill this in"),
        (without("password"), "password", "fill this in"),
        (with("password", "too short"), "password", "15 characters"),
        (with("email", "nonsense"), "email", "not an e-mail address"),
    ] {
        let answer = program.post_json("/api/v1/signup", &body.to_string());
        let problem = answer.json();
        assert_eq!(
            (answer.status, &problem["status"]),
            (400, &json!(400)),
            "{body}"
        );
        let message = problem["errors"][field].as_str().unwrap();
        assert!(message.contains(words), "{message}");
        assert_eq!(answer.set_cookie("id"), None);
    }
    for body in ["", "{", "[]", "null", r#"{"email":1}"#] {
        let answer = program.post_json("/api/v1/signin", body);
        assert!((400..500).contains(&answer.status), "{body}: {answer:?}");
        assert_eq!(answer.json()["status"], answer.status, "{body}");
    }
    for email in ["ada@example.org", "nobody@example.org"] {
        let wrong = json!({ "email": email, "password": "wrong horse battery" });
        let answer = program.post_json("/api/v1/signin", &wrong.to_string());
        assert_eq!(
            (answer.status, &answer.json()["title"]),
            (401, &json!("Unauthorized"))
        );
        assert!(!answer.body.contains(email), "{answer:?}");
    }
    assert_eq!(program.get("/api/v1/me").json()["status"], 401);
}

fn a_location_changes_only_in_the_users_row(database: &TestDatabase) {
    let application = Application::start(database);
    let [ada, grace] = ["ada@example.org", "grace@example.org"].map(|email| {
        let visitor = application.visitor();
        assert_eq!(sign_up(&visitor, email).status, 201);
        visitor
    });
    let move_to = |visitor: &Visitor, location: &str| {
        let fields = [
            ("_method", "put"),
            ("location", location),
            ("id", "1"),
            ("email", "grace@example.org"),
        ];
        visitor.post("/account/location", &fields)
    };
    assert_eq!(move_to(&ada, " Łódź <b> ").location(), "/account");
    assert!(
        ada.get("/account")
            .body
            .contains("value=\"Łódź &lt;b&gt;\"")
    );
    assert!(!grace.get("/account").body.contains("Łódź"));

    let refused = move_to(&ada, &"x".repeat(129));
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("at most 128 characters"));
    assert!(
        ada.get("/account").body.contains("Łódź"),
        "what was there is kept"
    );

    let anonymous = application.visitor();
    assert!(
        move_to(&anonymous, "Nowhere")
            .location()
            .starts_with("/login")
    );
}

#[test]
fn the_document_says_what_the_settings_decide() {
    let database = testing::database::sqlite();
    for (profile, cookie) in [("dev", "id"), ("prod", "__Host-id")] {
        let settings = [
            ("ROCKET_ACCOUNTS", "{password_min=20}"),
            ("ROCKET_PROFILE", profile),
        ];
        let application = Application::start_with(&database, &settings);
        let answer = application.visitor().get("/api/v1/openapi.json");
        assert_eq!(answer.header("Content-Type"), Some("application/json"));
        let parts = &answer.json()["components"];
        assert_eq!(parts["schemas"]["NewPassword"]["minLength"], 20);
        assert_eq!(parts["securitySchemes"]["session"]["name"], cookie);
    }
}
