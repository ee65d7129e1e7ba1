//! What the application does with accounts and their sessions, over HTTP and on each backend.

#![cfg(all(feature = "app", feature = "sqlite"))]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]

mod support;

use std::thread;
use std::time::Duration;

use support::accounts::{EMAIL, PASSWORD, register, sign_in};
use support::application::{Answer, Application};
use support::database::TestDatabase;
use support::{on_every_backend, sql};

on_every_backend!(
    s20_a_message_is_shown_once_and_by_the_next_page_that_is_one,
    u1_an_account_and_its_first_session_are_made_together_or_not_at_all,
    u11_a_sign_in_with_the_old_password_loses_against_its_change,
);

const WELCOME: &str = "Your account is ready";

fn assert_no_cookie_but_ours(answer: &Answer) {
    let cookies = answer.cookies();
    let ours = cookies.iter().all(|line| line.starts_with("id="));
    assert!(ours, "{cookies:?}");
}

fn s20_a_message_is_shown_once_and_by_the_next_page_that_is_one(database: &TestDatabase) {
    let application = Application::start(database);
    for (index, page) in ["/home", "/", "/messages"].into_iter().enumerate() {
        let visitor = application.visitor();
        let registered = register(&visitor, &format!("ada+{index}@example.org"), &[]);
        assert_no_cookie_but_ours(&registered);
        assert_eq!(registered.cookies().len(), 1);
        // Neither of these is a page that could show it.
        assert_eq!(visitor.get("/login").status, 303);
        assert_eq!(visitor.get("/nowhere").status, 404);
        assert_eq!(visitor.get("/api/v1/me").status, 200);

        let first = visitor.get(page);
        assert!(first.body.contains(WELCOME), "{page}: {}", first.body);
        assert!(first.body.contains(r#"role="status""#));
        assert_no_cookie_but_ours(&first);
        assert!(!visitor.get(page).body.contains(WELCOME), "{page}");
    }
}

#[test]
fn s20_the_sign_in_page_says_by_itself_that_somebody_is_signed_out() {
    let database = support::database::sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    register(&visitor, EMAIL, &[]);
    let signed_out = visitor.post("/logout", &[]);
    assert_no_cookie_but_ours(&signed_out);
    let page = visitor.get(signed_out.location());
    assert!(page.body.contains("You are signed out."), "{}", page.body);
    assert_no_cookie_but_ours(&page);
    assert!(!visitor.get("/login").body.contains("signed out"));

    let refused = sign_in(&visitor, EMAIL, "not the right one");
    assert!(!refused.body.contains("signed out"));
    assert_eq!(refused.cookies(), Vec::<&str>::new());
    assert_eq!(sql::count(&database, "sessions"), 0);
    assert_no_cookie_but_ours(&sign_in(&visitor, EMAIL, PASSWORD));
}

fn u1_an_account_and_its_first_session_are_made_together_or_not_at_all(database: &TestDatabase) {
    let application = Application::start(database);
    let visitor = application.visitor();
    sql::execute(database, "ALTER TABLE sessions RENAME TO away");
    let failed = register(&visitor, EMAIL, &[]);
    assert_eq!((failed.status, failed.cookies().len()), (503, 0));
    assert_eq!(sql::count(database, "users"), 0);

    sql::execute(database, "ALTER TABLE away RENAME TO sessions");
    assert_eq!(register(&visitor, EMAIL, &[]).location(), "/home");
    let taken = register(&application.visitor(), EMAIL, &[]);
    assert_eq!((taken.status, taken.cookies().len()), (422, 0));
    let rows = ["users", "sessions"].map(|table| sql::count(database, table));
    assert_eq!(rows, [1, 1]);
}

/// The password is changed after a sign-in has read the old one and before it is saved.
fn u11_a_sign_in_with_the_old_password_loses_against_its_change(database: &TestDatabase) {
    let application = Application::start(database);
    register(&application.visitor(), EMAIL, &[]);
    for change in ["password_hash = 'another one'", "disabled_at = 1"] {
        sql::execute(database, "DELETE FROM sessions");
        let hash = &sql::texts(database, "SELECT password_hash AS text FROM users")[0];
        let mut beside = sql::connection(database);
        beside("BEGIN");
        beside(&format!("UPDATE users SET {change}"));
        let refused = thread::scope(|scope| {
            let visitor = application.visitor();
            let sign_in = scope.spawn(move || sign_in(&visitor, EMAIL, PASSWORD));
            // By then the password is verified, and the sign-in waits for the row.
            thread::sleep(Duration::from_millis(800));
            beside("COMMIT");
            sign_in.join().unwrap()
        });
        assert_eq!(
            (refused.status, refused.cookies().len()),
            (401, 0),
            "{change}"
        );
        assert_eq!(sql::count(database, "sessions"), 0, "{change}");
        beside(&format!(
            "UPDATE users SET password_hash = '{hash}', disabled_at = NULL"
        ));
    }
    assert_eq!(
        sign_in(&application.visitor(), EMAIL, PASSWORD).location(),
        "/home"
    );
}
