//! Sends invalid forms, and checks what pages say, keep and never show again.

use testing::accounts::{EMAIL, PASSWORD, complaint, register, sign_in};
use testing::application::Application;
use testing::sql;
use testing::visitor::Answer;

/// A field, its value, and the error on the page.
const REFUSED: &[(&str, &str, &str)] = &[
    ("first_name", "", "Please fill this in."),
    ("first_name", " \t ", "Please fill this in."),
    ("last_name", "", "Please fill this in."),
    (
        "last_name",
        "Love\u{0}lace",
        "remove the control characters",
    ),
    ("email", "", "Please fill this in."),
    ("email", "ada", "This is not an e-mail address."),
    (
        "email",
        "ada@example.org, eve@example.org",
        "This is not an e-mail address.",
    ),
    (
        "email",
        "ada@example.org\r\nBcc: eve@example.org",
        "This is not an e-mail address.",
    ),
    ("password", "", "Please fill this in."),
    (
        "password",
        "14 characters!",
        "Please use at least 15 characters.",
    ),
];

fn with<'a>(name: &str, value: Option<&'a str>) -> Vec<(&'static str, &'a str)> {
    let right = [
        ("first_name", "Ada"),
        ("last_name", "Lovelace"),
        ("email", EMAIL),
        ("password", PASSWORD),
    ];
    let changed = |(field, right)| match field == name {
        true => value.map(|value| (field, value)),
        false => Some((field, right)),
    };
    right.into_iter().filter_map(changed).collect()
}

#[test]
fn an_invalid_registration_stores_nothing() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    let long = "x".repeat(65);
    let long_email = format!("{}@example.org", "x".repeat(250));
    let long_password = "x".repeat(1_025);
    let overlong = [
        ("first_name", &*long, "at most 64 characters"),
        ("email", &*long_email, "This is not an e-mail address."),
        ("password", &*long_password, "at most 1024 bytes"),
    ];
    for (field, value, words) in REFUSED.iter().copied().chain(overlong) {
        let refused = visitor.post("/register", &with(field, Some(value)));
        assert_refused(&refused, field, words);
        assert!(field != "password" || value.is_empty() || !refused.body.contains(value));
    }
    for field in ["first_name", "last_name", "email", "password"] {
        let refused = visitor.post("/register", &with(field, None));
        assert_refused(&refused, field, "Please fill this in.");
    }
    let names = visitor.post("/register", &with("password", Some("too short")));
    for typed in [
        "value=\"Ada\"",
        "value=\"Lovelace\"",
        "value=\"ada@example.org\"",
    ] {
        assert!(names.body.contains(typed), "{}", names.body);
    }
    assert_eq!(sql::count(&database, "users"), 0);
    assert!(register(&visitor, EMAIL, &[]).status == 303 && sql::count(&database, "users") == 1);
}

fn assert_refused(refused: &Answer, field: &str, words: &str) {
    assert_eq!(refused.status, 422, "{field}");
    assert_eq!(refused.set_cookie("id"), None);
    assert!(!refused.body.contains(PASSWORD), "{field}");
    let message = complaint(refused, field);
    assert!(message.contains(words), "{field}: {message}");
}

#[test]
fn an_unreadable_sign_in_shows_its_errors() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    for (fields, field) in [
        (vec![], "email"),
        (vec![("email", EMAIL)], "password"),
        (vec![("email", ""), ("password", PASSWORD)], "email"),
        (vec![("email", EMAIL), ("password", "")], "password"),
    ] {
        assert_refused(
            &visitor.post("/login", &fields),
            field,
            "Please fill this in.",
        );
    }
    // Long, but answered like any other wrong one.
    let long = "x".repeat(5_000);
    let refused = sign_in(&visitor, EMAIL, &long);
    assert_eq!(refused.status, 401);
    assert!(!refused.body.contains(&long));
}

#[test]
fn hostile_names_come_out_escaped() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    let name = "<script>alert(1)</script>\"'&{{7*7}}";
    let escaped = "&lt;script&gt;alert(1)&lt;&#x2f;script&gt;&quot;&#x27;&amp;{{7*7}}";
    let typed_again = visitor.post(
        "/register",
        &[("first_name", name), ("last_name", name), ("email", name)],
    );
    assert_eq!(
        typed_again.body.matches(escaped).count(),
        3,
        "{}",
        typed_again.body
    );
    assert!(!typed_again.body.contains("<script>alert"));

    visitor.post("/register", &with("first_name", Some(name)));
    for page in ["/home", "/messages", "/"] {
        let page = visitor.get(page);
        assert_eq!(page.status, 200);
        assert!(page.body.contains(escaped), "{}", page.body);
        assert!(!page.body.contains("<script>alert"));
    }
}
