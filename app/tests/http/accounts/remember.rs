//! Stays signed in: the cookie outlives the browser, and the session lives for 30 days.

use rocket::serde::json::json;

use testing::accounts::{EMAIL, PASSWORD, age, is_signed_in, register, sign_in};
use testing::application::Application;
use testing::database::TestDatabase;
use testing::visitor::Answer;
use testing::{on_every_backend, sql};

on_every_backend!(remembered_users_stay_signed_in);

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;

/// Returns the lifetime of the cookie in hours; `None` until the browser is closed.
fn hours(answer: &Answer) -> Option<i64> {
    let line = answer.set_cookie("id").unwrap();
    let (_, max_age) = line.split_once("Max-Age=")?;
    let seconds: i64 = max_age.split(';').next().unwrap().parse().unwrap();
    // The cookie's lifetime began with the request, so it is slightly under a whole hour.
    Some((seconds + 60) / HOUR)
}

/// Returns idle and absolute timeout of the newest session, in hours.
fn times(database: &TestDatabase) -> (i64, i64) {
    let select = "SELECT CONCAT(expires_at - created_at, ' ', deadline - created_at) AS text \
                  FROM sessions ORDER BY created_at DESC";
    let newest = &sql::texts(database, select)[0];
    let (idle, whole) = newest.split_once(' ').unwrap();
    let hours = |milliseconds: &str| (milliseconds.parse::<i64>().unwrap() / 1_000 + 60) / HOUR;
    (hours(idle), hours(whole))
}

fn remembered_users_stay_signed_in(database: &TestDatabase) {
    let application = Application::start(database);
    let month = 30 * DAY / HOUR;
    let remember = ("remember", "on");

    let registered = register(&application.visitor(), EMAIL, &[]);
    assert_eq!((hours(&registered), times(database)), (None, (2, 24)));
    let registered = register(&application.visitor(), "grace@example.org", &[remember]);
    assert_eq!(
        (hours(&registered), times(database)),
        (Some(month), (month, month))
    );

    let signed_in = sign_in(&application.visitor(), EMAIL, PASSWORD);
    assert_eq!((hours(&signed_in), times(database)), (None, (2, 24)));
    let visitor = application.visitor();
    let credentials = [("email", EMAIL), ("password", PASSWORD), remember];
    let signed_in = visitor.post("/login", &credentials);
    assert_eq!(
        (hours(&signed_in), times(database)),
        (Some(month), (month, month))
    );

    let program = application.visitor();
    let mut credentials = json!({ "email": EMAIL, "password": PASSWORD, "remember": true });
    let signed_in = program.post_json("/api/v1/signin", &credentials.to_string());
    assert_eq!(
        (hours(&signed_in), times(database)),
        (Some(month), (month, month))
    );
    credentials["remember"] = false.into();
    let signed_in = program.post_json("/api/v1/signin", &credentials.to_string());
    assert_eq!((hours(&signed_in), times(database)), (None, (2, 24)));

    // A day later, a session without "remember me" has expired.
    age(database, 25 * 60);
    assert!(is_signed_in(&visitor) && !is_signed_in(&program));
    // Confirming or changing the password keeps "remember me".
    let confirmed = visitor.post("/account/confirm", &[("password", PASSWORD)]);
    assert_eq!(
        (hours(&confirmed), times(database)),
        (Some(month), (month, month))
    );
    let change = [("current", PASSWORD), ("new", "staple battery horse")];
    let changed = visitor.post("/account/password", &change);
    assert_eq!(
        (hours(&changed), times(database)),
        (Some(month), (month, month))
    );
}

#[test]
fn a_ticked_box_stays_ticked_after_an_error() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    let ticked = r#"type="checkbox" checked>"#;
    for path in ["/login", "/register"] {
        let page = visitor.get(path).body;
        assert!(page.contains(r#"<label for="remember">"#) && !page.contains(ticked));
        let again = visitor.post(path, &[("remember", "on")]).body;
        assert!(again.contains(ticked), "{again}");
    }
    let wrong = [("email", EMAIL), ("password", PASSWORD), ("remember", "on")];
    assert!(visitor.post("/login", &wrong).body.contains(ticked));
}
